//! `varco ente certificato prova FILE`: the ente of a certificate, or the reasons why the gateway would not
//! let it in.

use std::convert::Infallible;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use crate::clock::Clock;
use crate::config::Config;
use crate::registry::checks::organization_of;
use crate::registry::ente::{Ente, Stato};
use crate::registry::signs::{self, KeyMatch};
use crate::tls::authorities::Authorities;
use crate::tls::profile::{self, Unfit};
use crate::tls::{Invalid, Peer, Setup, pem, subject};

/// The result of a trial.
#[derive(Debug, Default, Serialize)]
pub(super) struct Provata {
    ammesso: bool,
    ente: Option<String>,
    /// Its key in the registry: the pin, or authority and organization.
    come: Option<String>,
    impronta: String,
    perche_no: Vec<String>,
    avvertenze: Vec<String>,
    /// Whether chain and revocation were judged, too: a configuration says which authorities are known.
    catena_giudicata: bool,
}

/// Judges the certificate in a PEM file, with its chain, as the gateway would now. Without `config` neither
/// chain nor revocation is judged.
pub(super) fn judge(file: &Path, config: Option<&Path>, enti: &[Ente], clock: &Clock) -> Result<Provata> {
    let presented = pem::certificates(file)?;
    let own = presented.first().context("nessun certificato")?;
    let mut judged = Provata {
        catena_giudicata: config.is_some(),
        ..Provata::default()
    };
    if let Err(reason) = profile::check(own) {
        judged.perche_no.push(unfit(reason).to_owned());
    }
    let peer = match config {
        Some(config) => {
            let setup = Setup::build(&Config::read(config)?.tls, clock)?;
            let examined = setup.examine(&presented, clock.now()).and_then(|peer| {
                super::super::uso::runtime()
                    .map_err(|_| Invalid::StatusUnknown)?
                    .block_on(setup.ask(&peer, clock));
                let valid = setup.judge(&peer, clock.now())?;
                Ok((peer, valid))
            });
            match examined {
                Ok((peer, valid)) => {
                    if valid.within_grace {
                        let grace = "la lista di revoca è scaduta: vale per la tolleranza configurata (crl_grace_hours)";
                        judged.avvertenze.push(grace.to_owned());
                    }
                    peer
                }
                Err(reason) => {
                    judged.perche_no.push(invalid(reason).to_owned());
                    Peer::unverified(&presented, &setup.authorities)
                        .map_err(|_| anyhow::anyhow!("certificato non leggibile"))?
                }
            }
        }
        None => {
            let authorities = Authorities::from(presented.get(1..).unwrap_or_default().to_vec());
            Peer::unverified(&presented, &authorities)
                .map_err(|_| anyhow::anyhow!("certificato non leggibile"))?
        }
    };
    judged.impronta = peer.fingerprint().to_owned();
    registered(&peer, enti, clock, &mut judged);
    judged.ammesso = judged.perche_no.is_empty();
    Ok(judged)
}

/// What an operator should know of a certificate just registered for an ente: the body that it names is
/// another, or it would not be let in.
pub(super) fn doubts(
    file: &Path,
    config: Option<&Path>,
    enti: &[Ente],
    codice: &str,
    clock: &Clock,
) -> Result<Vec<String>> {
    let mut doubts = Vec::new();
    if let Some(config) = config {
        let judged = judge(file, Some(config), enti, clock)?;
        doubts.extend(
            judged
                .perche_no
                .into_iter()
                .map(|why| format!("il certificato ora non sarebbe ammesso: {why}")),
        );
    }
    let own = pem::certificates(file)?;
    let named = own.first().and_then(|own| subject::described(own));
    let ente = enti.iter().find(|ente| ente.codice == codice);
    if let (Some((named, _)), Some(ente)) = (named, ente)
        && named.contains("CF:IT-")
        && !named.contains(&organization_of(&ente.anagrafica.codice_fiscale))
    {
        let own = &ente.anagrafica.codice_fiscale;
        doubts.push(format!(
            "il certificato nomina un'altra organizzazione ({named}): il codice fiscale dell'ente è {own}"
        ));
    }
    Ok(doubts)
}

/// Looks up the certificate's ente in the registry.
fn registered(peer: &Peer, enti: &[Ente], clock: &Clock, judged: &mut Provata) {
    let today = clock.today();
    let holder = |key: &str| {
        let holds = |ente: &&Ente| {
            ente.certificati
                .iter()
                .any(|certificate| certificate.segno.key() == key)
        };
        Ok::<_, Infallible>(enti.iter().find(holds).map(|ente| ente.codice.clone()))
    };
    let Ok(found) = signs::known(peer.keys(), holder);
    let known = match found {
        KeyMatch::Known(known) => known,
        KeyMatch::Ambiguous => {
            judged
                .perche_no
                .push("le sue unità sono di enti diversi".to_owned());
            return;
        }
        KeyMatch::Nobody => {
            let why = "non è di alcun ente: né la sua impronta né la sua autorità con questa organizzazione sono registrate";
            judged.perche_no.push(why.to_owned());
            return;
        }
    };
    let Some(ente) = enti.iter().find(|ente| ente.codice == known.codice) else {
        return;
    };
    let Ok(key) = known.in_time(ente, today, holder);
    judged.ente = Some(known.codice);
    judged.come = Some(key.unwrap_or(known.key).to_owned());
    if ente.barred(today).is_some() {
        judged.perche_no.push(match ente.expired(today) {
            Some(last) if ente.stato == Stato::Accreditato => {
                format!("l'accreditamento dell'ente è scaduto il {last}")
            }
            _ => format!(
                "l'ente non è accreditato per la cooperazione applicativa (stato {})",
                ente.stato.name()
            ),
        });
    }
    if key.is_none() {
        judged
            .perche_no
            .push("oggi è fuori dal periodo registrato per questo certificato".to_owned());
    }
}

impl Provata {
    /// Prints the result. Fails if the certificate would not be let in.
    pub(super) fn say(&self, json: bool) -> Result<()> {
        if json {
            println!("{}", serde_json::to_string_pretty(self)?);
        } else {
            println!("impronta SHA-256  {}", self.impronta);
            if let (Some(ente), Some(come)) = (&self.ente, &self.come) {
                let how = if *come == self.impronta {
                    "per la sua impronta"
                } else {
                    "per autorità e organizzazione"
                };
                println!("dell'ente         {ente}, {how}");
            }
            for warning in &self.avvertenze {
                println!("attenzione        {warning}");
            }
            for why in &self.perche_no {
                println!("non ammesso       {why}");
            }
            match (self.ammesso, self.catena_giudicata) {
                (true, true) => println!("ammesso"),
                (true, false) => {
                    println!("conosciuto        catena e revoca non sono state giudicate: con --config sì");
                }
                (false, _) => {}
            }
        }
        if self.ammesso {
            Ok(())
        } else {
            bail!("il certificato non sarebbe ammesso")
        }
    }
}

/// What a certificate's profile lacks, in Italian.
pub(super) fn unfit(reason: Unfit) -> &'static str {
    match reason {
        Unfit::Unreadable => "non leggibile, o con altri byte dopo la fine, o con un'estensione doppia",
        Unfit::Serial => "il numero di serie non è un intero positivo di al più 20 byte (RFC 5280)",
        Unfit::Names => "senza nomi, o con nomi non leggibili",
        Unfit::Constraints => "pone vincoli su criteri o nomi, che qui non sono giudicati",
        Unfit::Length => "la catena è più lunga di quanto un'autorità ammetta",
        Unfit::Bulk => {
            "troppi certificati (al più 8), troppi byte (al più 16 KiB), troppe estensioni o troppi nomi"
        }
        Unfit::Version => "non è della versione 3",
        Unfit::Usage => {
            "non è per l'autenticazione di un client (extendedKeyUsage clientAuth, keyUsage digitalSignature)"
        }
        Unfit::Authority => "è il certificato di un'autorità",
        Unfit::Key => {
            "chiave troppo corta, troppo lunga o di altro tipo: RSA da 2048 a 8192 bit, P-256, P-384, P-521, Ed25519"
        }
        Unfit::Signature => "firmato con un algoritmo non ammesso: SHA-2 o Ed25519",
    }
}

/// Why a chain is not valid, in Italian.
fn invalid(reason: Invalid) -> &'static str {
    match reason {
        Invalid::Unreadable => "catena non leggibile",
        Invalid::NotYet => "non è ancora valido",
        Invalid::Expired => "è scaduto",
        Invalid::Revoked => "è stato revocato",
        Invalid::Untrusted => "la catena non porta ad alcuna autorità ammessa (client_authorities)",
        Invalid::Unfit => {
            "il certificato, o quello di un'autorità sopra di esso, non ha il profilo richiesto"
        }
        Invalid::StatusUnknown => "lo stato di revoca non è noto: manca la lista dell'autorità, o è scaduta",
    }
}
