//! The DSU a declaration refers to, and the right to do so. Another ente, or another declarant, learns only
//! of the refusal. The views alone decide, with the same look-ups with or without such a DSU.

use jiff::civil::Date;

use super::archive::decode;
use super::entries::Head;
use super::incoming::{Incoming, NotReceived, internal};
use super::seen::{Versione, Versioni};
use super::system::Embedded;
use crate::isee::checks::Check;
use crate::isee::codes::TipoOperazione;
use crate::isee::dsu::Dichiarazione;
use crate::isee::operazioni::{NOBODYS, applica, riguarda};
use crate::ledger::Precondition;
use crate::sii::SiiError;
use crate::sii::facts::PRESENTATA;
use crate::sii::protocol::{number_of, stem_of, version_of};

/// Path of the protocol of the DSU referred to.
pub(super) const REFERENCE: &str = NOBODYS.1;

/// The refusal of data from another ente or declarant: they do not fit the DSU.
pub(super) const TOGETHER: Check = Check::K02Insieme;

/// The DSU a declaration refers to, in its present state.
pub(super) struct Base {
    /// Protocol of its first version.
    pub(super) radice: String,
    /// Protocol of the latest version; for operation C, of the latest attested one.
    pub(super) protocollo: String,
    /// The whole declaration of this version.
    pub(super) dsu: Dichiarazione,
    /// Day of the first presentation.
    pub(super) presentata: Date,
    /// Presentation of its latest whole declaration (N or R): the terms run from then.
    pub(super) termini_da: Date,
    /// The owner. For a current ISEE: the owner of the DSU under it.
    pub(super) ente: String,
    /// Sequence of its first version's entry: among DSU of one day the later counts.
    pub(super) origine: u64,
    /// Sequence of its entry, if it waits for an attestation.
    pub(super) attende: Option<u64>,
    /// Number of its versions made by other enti.
    pub(super) altrui: usize,
    /// The latest attested version: its protocol and its sender's protocol.
    pub(super) attestata: Option<(String, Option<String>)>,
    /// The preconditions of recording a declaration referring to it.
    pub(super) preconditions: Vec<Precondition>,
}

impl Embedded {
    /// Finds the DSU a declaration refers to. Another ente never learns the reason of a refusal: it gets the
    /// refusal for an unknown protocol.
    pub(super) fn base(&self, incoming: Incoming<'_>, dsu: &Dichiarazione) -> Result<Base, NotReceived> {
        let Some(protocol) = &dsu.operazione.numero_protocollo_riferimento else {
            return Err(nobodys());
        };
        let radice = stem_of(protocol);
        // First of all, with the same look-ups with or without such a DSU.
        if !self.may_refer(incoming, dsu, &radice)? {
            return Err(nobodys());
        }
        let mut preconditions = Vec::new();
        let versioni = self.archive.versioni(radice.clone(), &mut preconditions)?;
        // The named version must exist, not just another one of the same DSU.
        let ultima = versioni
            .ultima()
            .filter(|ultima| number_of(protocol) <= ultima.numero)
            .ok_or_else(nobodys)?;
        let owner = self.archive.owner(radice.clone())?.ok_or_else(nobodys)?;
        let sent = versioni
            .0
            .first()
            .is_some_and(|first| first.ente == incoming.ente);
        let may = match dsu.operazione.tipo {
            TipoOperazione::R => owner == incoming.ente,
            TipoOperazione::X => owner == incoming.ente || sent,
            _ => true,
        };
        if !may {
            return Err(nobodys());
        }
        let referred = Referred {
            radice,
            versioni: &versioni,
            ultima,
            owner,
        };
        match self.look_at(incoming, dsu, &referred, preconditions) {
            // Another ente is not told the reason.
            Err(NotReceived::Defects(_)) if referred.owner != incoming.ente => Err(nobodys()),
            found => found,
        }
    }

    /// Whether a declarant, through this ente, may refer to a DSU at all. Operation A completes another
    /// declarant's DSU, through the parent or child concerned. R and X are for the owner; X of a current ISEE
    /// also for its sender.
    fn may_refer(&self, incoming: Incoming<'_>, dsu: &Dichiarazione, radice: &str) -> Result<bool, SiiError> {
        let tipo = dsu.operazione.tipo;
        let right = self.archive.right(radice, &dsu.codice_fiscale_dichiarante)?;
        let named =
            tipo == TipoOperazione::A && self.archive.names(radice, &dsu.codice_fiscale_dichiarante)?;
        Ok(match right {
            Some(right) if matches!(tipo, TipoOperazione::R | TipoOperazione::X) => {
                right.ente == incoming.ente || right.proprietario.is_none_or(|owner| owner == incoming.ente)
            }
            Some(_) => true,
            None => named,
        })
    }

    /// A version and the protocol that its sender gave it, if any.
    fn with_sender(&self, (protocollo, head): &(String, Head)) -> Result<(String, Option<String>), SiiError> {
        let found = self.archive.attestation(head)?;
        let sender = found.and_then(|found| found.attestazione.protocollo_mittente);
        Ok((protocollo.clone(), sender))
    }

    /// Opens the DSU a declaration refers to, and judges the reference.
    fn look_at(
        &self,
        incoming: Incoming<'_>,
        dsu: &Dichiarazione,
        referred: &Referred<'_>,
        mut preconditions: Vec<Precondition>,
    ) -> Result<Base, NotReceived> {
        let Referred {
            radice,
            versioni,
            ultima,
            owner,
        } = referred;
        let tipo = dsu.operazione.tipo;
        let entry = self.archive.entry(&ultima.position)?;
        let secret = self.archive.open_unless_erased(&entry)?.ok_or_else(nobodys)?;
        let whole = secret.effettiva.or(secret.dsu);
        let current: Dichiarazione = decode(&whole.ok_or_else(|| internal("an entry without DSU"))?)?;
        if is_anothers(dsu, &current, referred) {
            return Err(nobodys());
        }
        admissible(dsu, &current, referred)?;
        let first = match versioni.0.first() {
            Some(first) => self.archive.entry(&first.position)?,
            None => entry,
        };
        let presentata = first.leaf.body.day(PRESENTATA).ok_or_else(|| internal("a day"))?;
        let protocollo = version_of(radice, ultima.numero).ok_or_else(|| internal("a version's number"))?;
        let attested = !self
            .archive
            .of_protocol(&protocollo, &mut preconditions)?
            .is_empty();
        let termini_da = self.termini_da(versioni, presentata)?;
        let latest = self.archive.attestata(radice, versioni, &mut preconditions)?;
        let too_early = || !self.terms_are_over(presentata, (termini_da, incoming.occasion.today));
        if tipo == TipoOperazione::I && latest.is_none() && too_early() {
            let text = "i termini per l'attestazione non sono ancora passati";
            return Err(NotReceived::of(Check::K02Termini, REFERENCE, text));
        }
        let attestata = latest
            .as_ref()
            .map(|latest| self.with_sender(latest))
            .transpose()?;
        let base = Base {
            radice: radice.clone(),
            protocollo,
            dsu: current,
            presentata,
            termini_da,
            ente: owner.clone(),
            origine: versioni.0.first().map_or(ultima.sequence, |first| first.sequence),
            attende: (!attested).then_some(ultima.sequence),
            altrui: versioni.of_others(owner),
            attestata,
            preconditions,
        };
        // A current ISEE rests on the attested version; it must also fit a waiting one.
        let Some((counts, _)) = latest.filter(|_| tipo == TipoOperazione::C && base.attende.is_some()) else {
            return Ok(base);
        };
        applica(&base.dsu, dsu).map_err(|difetti| NotReceived::all(difetti, 0))?;
        let declared = self.archive.declaration(&counts)?.ok_or_else(nobodys)?;
        Ok(Base {
            protocollo: counts,
            dsu: declared,
            attende: None,
            ..base
        })
    }

    /// First day of the terms: the presentation of the latest whole declaration.
    pub(super) fn termini_da(&self, versioni: &Versioni, presentata: Date) -> Result<Date, SiiError> {
        let whole = versioni
            .0
            .iter()
            .rev()
            .find(|versione| matches!(versione.operazione, TipoOperazione::N | TipoOperazione::R));
        let Some(whole) = whole else { return Ok(presentata) };
        let entry = self.archive.entry(&whole.position)?;
        Ok(entry.leaf.body.day(PRESENTATA).unwrap_or(presentata))
    }
}

/// A DSU as the views have it.
struct Referred<'a> {
    radice: String,
    versioni: &'a Versioni,
    ultima: &'a Versione,
    owner: String,
}

/// The refusal for an unknown protocol.
fn nobodys() -> NotReceived {
    NotReceived::of(NOBODYS.0, NOBODYS.1, NOBODYS.2)
}

/// Whether a declaration names another codice fiscale than the DSU's declarant's.
fn has_wrong_code(dsu: &Dichiarazione, current: &Dichiarazione) -> bool {
    let code = dsu.operazione.codice_fiscale_riferimento.as_ref();
    code.is_some_and(|code| *code != current.codice_fiscale_dichiarante)
}

/// Whether a DSU belongs to another declarant, and this one may not refer to it. A completing parent or child
/// may, with nothing else wrong.
fn is_anothers(dsu: &Dichiarazione, current: &Dichiarazione, referred: &Referred<'_>) -> bool {
    if current.codice_fiscale_dichiarante == dsu.codice_fiscale_dichiarante {
        return false;
    }
    let added = dsu
        .integrazione_componente_aggiuntiva
        .as_ref()
        .map(|added| &added.componente_per_integrazione_aggiuntiva);
    let person = added.map(|added| &added.foglio_componente_aggiuntiva.codice_fiscale);
    let own = person.filter(|person| **person == dsu.codice_fiscale_dichiarante && riguarda(current, person));
    let completes =
        dsu.operazione.tipo == TipoOperazione::A && own.is_some() && !has_wrong_code(dsu, current);
    !completes || referred.versioni.annullata() || referred.ultima.operazione == TipoOperazione::C
}

/// Refuses a declaration if the state of its DSU does not admit it.
fn admissible(
    dsu: &Dichiarazione,
    current: &Dichiarazione,
    referred: &Referred<'_>,
) -> Result<(), NotReceived> {
    let Referred { versioni, ultima, .. } = referred;
    let (tipo, refuse) = (dsu.operazione.tipo, |code, text| {
        Err(NotReceived::of(code, REFERENCE, text))
    });
    if versioni.annullata() {
        return refuse(Check::K02Annullata, "la DSU di riferimento è stata annullata");
    }
    if has_wrong_code(dsu, current) {
        let text = "non è il codice fiscale del dichiarante della DSU di riferimento";
        return Err(NotReceived::of(
            Check::K02CodiceRiferimento,
            "/Dichiarazione/Operazione/@CodiceFiscaleRiferimento",
            text,
        ));
    }
    if ultima.operazione == TipoOperazione::C && tipo != TipoOperazione::X {
        return refuse(
            Check::K02Corrente,
            "il protocollo è di un modulo sostitutivo, che questa operazione non riguarda",
        );
    }
    if tipo == TipoOperazione::R
        && dsu
            .operazione
            .numero_protocollo_riferimento
            .as_deref()
            .is_some_and(|p| number_of(p) != ultima.numero)
    {
        return refuse(
            Check::K02Versione,
            "la DSU di riferimento ha una versione successiva",
        );
    }
    Ok(())
}

impl Base {
    /// For a current ISEE: the first protocol of the DSU under it.
    pub(super) fn sotto(&self) -> Option<String> {
        let operazione = &self.dsu.operazione;
        let protocol = operazione
            .numero_protocollo_riferimento
            .as_deref()
            .filter(|_| operazione.tipo == TipoOperazione::C);
        protocol.map(stem_of)
    }

    /// The refusal of a declaration referring to this DSU. The reason is for the owner and the declarant
    /// alone: it would tell others of the family.
    pub(super) fn refuse(&self, incoming: Incoming<'_>, refusal: NotReceived) -> NotReceived {
        let NotReceived::Defects(difetti) = &refusal else {
            return refusal;
        };
        let own = self.ente == incoming.ente && self.dsu.codice_fiscale_dichiarante == *incoming.dichiarante;
        if own || difetti.elenco.iter().all(|difetto| difetto.code == NOBODYS.0) {
            return refusal;
        }
        NotReceived::of(
            TOGETHER,
            REFERENCE,
            "i dati non vanno insieme con la DSU di riferimento",
        )
    }
}
