//! The DSU that a declaration may refer to. Another ente, and another declarant, learn only that theirs may not: the views alone decide that, with the same
//! look-ups whether there is the DSU or not.

use jiff::civil::Date;

use super::archive::{Versione, Versioni, decode, number_of, stem_of, version_of};
use super::embedded::Embedded;
use super::ricezione::{Ricevuta, difetto, refused};
use super::{Outcome, SiiError};
use crate::isee::checks::Difetto;
use crate::isee::codes::TipoOperazione;
use crate::isee::dsu::Dichiarazione;
use crate::isee::operazioni::{NOBODYS, applica, riguarda};
use crate::ledger::Precondition;

/// Where the protocol of the DSU referred to is.
pub(super) const RIFERIMENTO: &str = NOBODYS.1;

/// The refusal of another ente's data that do not go together with the DSU.
pub(super) const INSIEME: &str = "K02.insieme";

/// The DSU that a declaration refers to, as it counts now.
pub(super) struct Base {
    /// Protocol of its first version.
    pub(super) radice: String,
    /// Protocol of the version that counts.
    pub(super) protocollo: String,
    /// The whole declaration.
    pub(super) dsu: Dichiarazione,
    /// When it was presented first.
    pub(super) presentata: Date,
    /// When its latest whole declaration was: the terms run from then.
    pub(super) termini_da: Date,
    /// The ente that owns it. Of a current ISEE that is the ente of the DSU under it.
    pub(super) ente: String,
    /// Sequence of the entry of its first version: of two DSU of one day the later counts.
    pub(super) origine: u64,
    /// Sequence of its entry, where it waits for an attestation.
    pub(super) attende: Option<u64>,
    /// How many of its versions other enti made.
    pub(super) altrui: usize,
    /// The version that was attested last, with its sender's protocol.
    pub(super) attestata: Option<(String, Option<String>)>,
    /// The preconditions of recording this.
    pub(super) preconditions: Vec<Precondition>,
}

impl Embedded {
    /// The DSU that a declaration refers to; or why it may not be referred to. Another ente is never told why: it gets the refusal of a protocol
    /// that does not exist.
    pub(super) fn base(&self, received: Ricevuta<'_>, dsu: &Dichiarazione) -> Result<Result<Base, Vec<Difetto>>, SiiError> {
        let none = || Ok(Err(difetto(NOBODYS.0, NOBODYS.1, NOBODYS.2)));
        let Some(protocol) = &dsu.operazione.numero_protocollo_riferimento else { return none() };
        let radice = stem_of(protocol);
        // First of all, with the same look-ups whether there is the DSU or not.
        if !self.may_refer(received, dsu, &radice)? {
            return none();
        }
        let mut preconditions = Vec::new();
        let versioni = self.archive.versioni(radice.clone(), &mut preconditions)?;
        let Some(ultima) = versioni.ultima() else { return none() };
        // That version must be there, and not only another one of the same DSU.
        if number_of(protocol) > ultima.numero {
            return none();
        }
        let Some(owner) = self.archive.owner(radice.clone())? else { return none() };
        let sent = versioni.0.first().is_some_and(|first| first.ente == received.ente);
        let may = match dsu.operazione.tipo {
            TipoOperazione::R => owner == received.ente,
            TipoOperazione::X => owner == received.ente || sent,
            _ => true,
        };
        if !may {
            return none();
        }
        let referred = Riferita { radice, versioni: &versioni, ultima, owner };
        match self.look_at(received, dsu, &referred, preconditions)? {
            // Another ente is not told the reason.
            Err(_) if referred.owner != received.ente => none(),
            found => Ok(found),
        }
    }

    /// Whether a declarant, by this ente, may refer to a DSU at all. Operation A completes another declarant's by the parent or child that it
    /// concerns; R and X are for the ente that owns the DSU, X of a current ISEE also for the ente that sent it.
    fn may_refer(&self, received: Ricevuta<'_>, dsu: &Dichiarazione, radice: &str) -> Result<bool, SiiError> {
        let tipo = dsu.operazione.tipo;
        let right = self.archive.right(radice, &dsu.codice_fiscale_dichiarante)?;
        let named = tipo == TipoOperazione::A && self.archive.names(radice, &dsu.codice_fiscale_dichiarante)?;
        Ok(match right {
            Some(right) if matches!(tipo, TipoOperazione::R | TipoOperazione::X) => {
                right.ente == received.ente || right.proprietario.is_none_or(|owner| owner == received.ente)
            }
            Some(_) => true,
            None => named,
        })
    }

    /// Opens the DSU that a declaration refers to, and judges whether it may.
    fn look_at(
        &self,
        received: Ricevuta<'_>,
        dsu: &Dichiarazione,
        referred: &Riferita<'_>,
        mut preconditions: Vec<Precondition>,
    ) -> Result<Result<Base, Vec<Difetto>>, SiiError> {
        let internal = |what: &str| SiiError::Internal(what.to_owned());
        let Riferita { radice, versioni, ultima, owner } = referred;
        let tipo = dsu.operazione.tipo;
        let entry = self.archive.entry(&ultima.position)?;
        let none = || Ok(Err(difetto(NOBODYS.0, NOBODYS.1, NOBODYS.2)));
        let Some(secret) = self.archive.open_unless_erased(&entry)? else { return none() };
        let current: Dichiarazione = decode(&secret.effettiva.or(secret.dsu).ok_or_else(|| internal("an entry without DSU"))?)?;
        let code = &dsu.operazione.codice_fiscale_riferimento;
        let wrong_code = code.as_ref().is_some_and(|code| *code != current.codice_fiscale_dichiarante);
        if current.codice_fiscale_dichiarante != dsu.codice_fiscale_dichiarante {
            // Only that parent or child may refer to it, and with nothing else wrong; all others get the refusal of a protocol that does not exist.
            let added = dsu.integrazione_componente_aggiuntiva.as_ref().map(|added| &added.componente_per_integrazione_aggiuntiva);
            let person = added.map(|added| &added.foglio_componente_aggiuntiva.codice_fiscale);
            let own = person.filter(|person| **person == dsu.codice_fiscale_dichiarante && riguarda(&current, person));
            if tipo != TipoOperazione::A || own.is_none() || wrong_code || versioni.annullata() || ultima.operazione == "C" {
                return none();
            }
        }
        if let Some(difetti) = admissible(dsu, referred, wrong_code) {
            return Ok(Err(difetti));
        }
        let first = versioni.0.first().map(|first| self.archive.entry(&first.position)).transpose()?.unwrap_or(entry);
        let presentata = first.leaf.body.day("presentata").ok_or_else(|| internal("a day"))?;
        let protocollo = version_of(radice, ultima.numero).ok_or_else(|| internal("a version's number"))?;
        let attested = !self.archive.of_protocol(&protocollo, &mut preconditions)?.is_empty();
        let attende = (!attested).then_some(ultima.sequence);
        let origine = versioni.0.first().map_or(ultima.sequence, |first| first.sequence);
        let termini_da = self.termini_da(versioni, presentata)?;
        let too_early = || !self.terms_are_over(presentata, (termini_da, received.occasion.today));
        let latest = self.archive.attestata(radice, versioni, &mut preconditions)?;
        if tipo == TipoOperazione::I && latest.is_none() && too_early() {
            return Ok(Err(difetto("K02.termini", RIFERIMENTO, "i termini per l'attestazione non sono ancora passati")));
        }
        let attestata = match &latest {
            Some((protocollo, head)) => {
                Some((protocollo.clone(), self.archive.attestation(head)?.and_then(|found| found.attestazione.protocollo_mittente)))
            }
            None => None,
        };
        let (radice, ente) = (radice.clone(), owner.clone());
        let altrui = versioni.0.iter().filter(|versione| versione.numero > 0 && versione.ente != ente).count();
        let base =
            Base { radice, protocollo, dsu: current, presentata, termini_da, ente, origine, attende, altrui, attestata, preconditions };
        // A current ISEE rests on the attested version; it must also fit the version that waits.
        let Some((counts, _)) = latest.filter(|_| tipo == TipoOperazione::C && base.attende.is_some()) else { return Ok(Ok(base)) };
        if let Err(difetti) = applica(&base.dsu, dsu) {
            return Ok(Err(difetti));
        }
        let Some(declared) = self.archive.declaration(&counts)? else { return none() };
        Ok(Ok(Base { protocollo: counts, dsu: declared, attende: None, ..base }))
    }

    /// From when the terms run: when the latest whole declaration was presented.
    pub(super) fn termini_da(&self, versioni: &Versioni, presentata: Date) -> Result<Date, SiiError> {
        let whole = versioni.0.iter().rev().find(|versione| matches!(versione.operazione.as_str(), "N" | "R"));
        let Some(whole) = whole else { return Ok(presentata) };
        let entry = self.archive.entry(&whole.position)?;
        Ok(entry.leaf.body.day("presentata").unwrap_or(presentata))
    }
}

/// A DSU as the views have it.
struct Riferita<'a> {
    radice: String,
    versioni: &'a Versioni,
    ultima: &'a Versione,
    owner: String,
}

/// Why a declaration may not refer to a DSU as it stands, if it may not.
fn admissible(dsu: &Dichiarazione, referred: &Riferita<'_>, wrong_code: bool) -> Option<Vec<Difetto>> {
    let Riferita { versioni, ultima, .. } = referred;
    let (tipo, refuse) = (dsu.operazione.tipo, |code, text| Some(difetto(code, RIFERIMENTO, text)));
    if versioni.annullata() {
        return refuse("K02.annullata", "la DSU di riferimento è stata annullata");
    }
    if wrong_code {
        let text = "non è il codice fiscale del dichiarante della DSU di riferimento";
        return Some(difetto("K02.codice-riferimento", "/Dichiarazione/Operazione/@CodiceFiscaleRiferimento", text));
    }
    if ultima.operazione == "C" && tipo != TipoOperazione::X {
        return refuse("K02.corrente", "il protocollo è di un modulo sostitutivo, che questa operazione non riguarda");
    }
    if tipo == TipoOperazione::R && dsu.operazione.numero_protocollo_riferimento.as_deref().is_some_and(|p| number_of(p) != ultima.numero) {
        return refuse("K02.versione", "la DSU di riferimento ha una versione successiva");
    }
    None
}

impl Base {
    /// Of a current ISEE: the first version of the DSU under it.
    pub(super) fn sotto(&self) -> Option<String> {
        let operazione = &self.dsu.operazione;
        let protocol = operazione.numero_protocollo_riferimento.as_deref().filter(|_| operazione.tipo == TipoOperazione::C);
        protocol.map(stem_of)
    }

    /// Refuses a declaration that refers to this DSU. The reason is for its owner and declarant alone: it would tell others of the family.
    pub(super) fn refuse(&self, received: Ricevuta<'_>, difetti: Vec<Difetto>, altri: usize) -> Outcome {
        let own = self.ente == received.ente && self.dsu.codice_fiscale_dichiarante == *received.dichiarante;
        if own || difetti.iter().all(|difetto| difetto.code == NOBODYS.0) {
            return refused(difetti, altri);
        }
        refused(difetto(INSIEME, RIFERIMENTO, "i dati non vanno insieme con la DSU di riferimento"), 0)
    }
}
