//! `varco dsu compute`: the computation as a statement, as JSON, as the attestation.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use jiff::civil::Date;
use serde_json::{Value, json};

use super::super::uso::Uso;
use super::lettura::{Giorni, Port, accepted, refuse};
use crate::contract::consultazione::{Chiave, RicercaCf};
use crate::contract::esito_attestazione;
use crate::isee::attest::{Rilascio, Sostitutivo, attest, variazione};
use crate::isee::attestazione::{Attestazione, EsitoAttestazione, OmissioneDifformita, Ricerca};
use crate::isee::checks::{Check, Circumstance, Difetto, examine_effettiva, sottoscrittori};
use crate::isee::codes::TipoOperazione;
use crate::isee::compute::casi::{IndicatoreCalcolato, Indicatori, Situazione};
use crate::isee::compute::componente::Riferita;
use crate::isee::compute::corrente::sufficiente;
use crate::isee::dsu::Dichiarazione;
use crate::isee::feed::{FeedRecord, parse as parse_feed};
use crate::isee::omissioni::omissioni;
use crate::isee::operazioni::{NOBODYS, applica, riguarda};
use crate::isee::prospetto::{Riga, Sezione, italian, prospetto};
use crate::isee::righe::{di_calcolo, di_indicatore, di_specifico};
use crate::isee::rules::RuleSet;
use crate::isee::rules::Rules;

/// The number of a DSU without a protocol.
const NESSUN_PROTOCOLLO: &str = "00000000A-00";
/// The number of its successor: a version, or a substitute form.
const DOPO: &str = "00000000A-01";
const MODULO: &str = "00000001B-00";
/// The path of the protocol of the DSU referred to.
const RIFERIMENTO: &str = "/Dichiarazione/Operazione/@NumeroProtocolloRiferimento";

/// The options of a computation.
pub(super) struct RichiestaCalcolo<'a> {
    pub(super) feed: Option<&'a Path>,
    pub(super) giorni: Giorni,
    pub(super) base: Option<&'a Path>,
    pub(super) altra: &'a [String],
    pub(super) config: Option<&'a Path>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum UscitaCalcolo {
    Text,
    Json,
    Xml,
}

/// A DSU as it counts, and its origin.
struct Effettiva {
    dsu: Dichiarazione,
    operazione: TipoOperazione,
    /// The day of the first presentation.
    presentata: Date,
    /// The DSU before it; `None` for a new one.
    base: Option<Dichiarazione>,
    /// The sender's protocol of the declaration; `None` for a new DSU.
    sender: Option<String>,
    /// Of a current ISEE: the day of the request.
    chiesto: Option<Date>,
}

pub(super) fn compute(file: &Path, request: &RichiestaCalcolo<'_>, output: UscitaCalcolo) -> Result<String> {
    let port = Port::new(request.config)?;
    let rules = &port.settings.rules;
    let today = request.giorni.today;
    let effettiva = effettiva(file, request, &port)?;
    let (dsu, presented) = (&effettiva.dsu, effettiva.presentata);
    let set = rules
        .on(presented)
        .with_context(|| format!("nessun insieme di regole per il {presented}"))?;
    let feed = match request.feed {
        Some(file) => read_feed(file)?,
        None => Vec::new(),
    };
    let altre = altre(request, &port, dsu)?;
    let situazione = Situazione {
        dsu,
        presented,
        rules: set,
        feed: &feed,
        altre: &altre,
    };
    let indicatori = situazione
        .indicatori()
        .map_err(|_| anyhow!("{}: la DSU non è calcolabile", file.display()))?;
    let validita = corrente(file, &effettiva, &situazione, &indicatori, rules)?;
    let against = omissioni(dsu, presented, set, &feed, today);
    Ok(match output {
        UscitaCalcolo::Text => render(
            &[
                prospetto(&situazione, &indicatori, validita),
                difformita(&against),
            ]
            .concat(),
        ),
        UscitaCalcolo::Json => format!("{:#}\n", as_json(&situazione, &indicatori, &against, validita)),
        UscitaCalcolo::Xml => payload(attestazione(
            &effettiva,
            &indicatori,
            set,
            validita,
            today,
            against,
        )),
    })
}

/// The day a current ISEE was asked for, and its last one; None if none was asked for.
fn corrente(
    file: &Path,
    effettiva: &Effettiva,
    situazione: &Situazione<'_>,
    indicatori: &Indicatori,
    rules: &Rules,
) -> Result<Option<(Date, Date)>> {
    let (Some(base), Some(chiesto), Some(changes)) =
        (&effettiva.base, effettiva.chiesto, &effettiva.dsu.isee_corrente)
    else {
        return Ok(None);
    };
    let of_day = rules
        .on(chiesto)
        .with_context(|| format!("nessun insieme di regole per il {chiesto}"))?;
    let before = Situazione {
        dsu: base,
        ..*situazione
    };
    let before = before
        .indicatori()
        .map_err(|_| anyhow!("la DSU di --base non è calcolabile"))?;
    if sufficiente(changes, &before.ordinario, &indicatori.ordinario, of_day).is_err() {
        let text = "la variazione è minore di quella che la legge chiede";
        let path = "/Dichiarazione/ISEECorrente";
        return Err(refuse(file, vec![difetto(Check::K17Scostamento, path, text)]));
    }
    Ok(Some((chiesto, changes.scadenza(chiesto, of_day))))
}

/// The declaration of the file. One with a reference to another DSU is applied to it.
fn effettiva(file: &Path, request: &RichiestaCalcolo<'_>, port: &Port) -> Result<Effettiva> {
    // The base keeps its own day of presentation; only the declaration after it gets another. A correction is
    // judged as of the base's presentation.
    let own_day = Giorni {
        presentata: None,
        ..request.giorni
    };
    let base = request
        .base
        .map(|base| accepted(base, port, own_day))
        .transpose()?;
    let after = Giorni {
        prima: base.as_ref().and_then(|base| base.dsu.presentata()),
        ..request.giorni
    };
    let dsu = accepted(file, port, after)?.dsu;
    let operazione = dsu.operazione.tipo;
    let own = dsu.presentata().context("la DSU non ha una sottoscrizione")?;
    let sender = dsu
        .sottoscrizione_del_dichiarante()
        .map(|signature| signature.protocollo_mittente.clone());
    let usage = |text: &str| -> anyhow::Error { Uso(format!("{}: {text}", file.display())).into() };
    let base = match (operazione, base) {
        (TipoOperazione::X, _) => return Err(usage("una cancellazione (X) non ha nulla da calcolare")),
        (TipoOperazione::N, Some(_)) => return Err(usage("una DSU nuova (N) non riguarda quella di --base")),
        (TipoOperazione::N, None) => {
            return Ok(Effettiva {
                dsu,
                operazione,
                presentata: own,
                base: None,
                sender: None,
                chiesto: None,
            });
        }
        (_, None) => return Err(usage("si riferisce a un'altra DSU: indicarla con --base")),
        (_, Some(base)) => base.dsu,
    };
    riferita(&dsu, &base, file)?;
    // A completion or correction of a DSU counts from the presentation of the base.
    let presentata = base.presentata().context("la DSU non ha una sottoscrizione")?;
    let Some(set) = port.settings.rules.on(presentata) else {
        bail!("nessun insieme di regole per il {presentata}")
    };
    if operazione == TipoOperazione::C && !(presentata <= own && own <= set.expires(presentata)) {
        let text = "la DSU di riferimento non ha un ISEE valido alla presentazione";
        return Err(refuse(file, vec![difetto(Check::K17Base, RIFERIMENTO, text)]));
    }
    let whole = applica(&base, &dsu).map_err(|difetti| refuse(file, difetti))?;
    let circumstance = Circumstance {
        presentata: Some(presentata),
        ..Circumstance::on(request.giorni.today, set, &port.settings.calendario)
    };
    let together = examine_effettiva(&whole, &base, &circumstance);
    if !together.difetti.is_empty() {
        return Err(refuse(file, together.difetti));
    }
    let chiesto = (operazione == TipoOperazione::C).then_some(own);
    Ok(Effettiva {
        dsu: whole,
        operazione,
        presentata,
        base: Some(base),
        sender,
        chiesto,
    })
}

/// Refuses a DSU of others than the base is of: the declarant, or the person whose component is added; the
/// signatories.
fn riferita(dsu: &Dichiarazione, base: &Dichiarazione, file: &Path) -> Result<()> {
    if base.codice_fiscale_dichiarante != dsu.codice_fiscale_dichiarante {
        let added = dsu
            .integrazione_componente_aggiuntiva
            .as_ref()
            .map(|added| &added.componente_per_integrazione_aggiuntiva);
        let person = added.map(|added| &added.foglio_componente_aggiuntiva.codice_fiscale);
        if !person.is_some_and(|person| *person == dsu.codice_fiscale_dichiarante && riguarda(base, person)) {
            return Err(refuse(file, vec![difetto(NOBODYS.0, NOBODYS.1, NOBODYS.2)]));
        }
    }
    let strangers = sottoscrittori(dsu, base);
    if !strangers.is_empty() {
        return Err(refuse(file, strangers));
    }
    Ok(())
}

fn difetto(code: Check, path: &str, text: &'static str) -> Difetto {
    Difetto {
        code,
        path: path.to_owned(),
        text,
    }
}

/// The DSU of `--altra`, with their protocols. Fails if the DSU does not refer to one of them.
fn altre(request: &RichiestaCalcolo<'_>, port: &Port, dsu: &Dichiarazione) -> Result<Vec<Riferita>> {
    let mut altre = Vec::new();
    for each in request.altra {
        let Some((protocollo, file)) = each.split_once('=') else {
            return Err(Uso("--altra vuole PROTOCOLLO=FILE".to_owned()).into());
        };
        if !dsu.riferimenti().any(|(named, _)| named == protocollo) {
            return Err(Uso(format!(
                "--altra {protocollo}: la DSU non fa riferimento a questo protocollo"
            ))
            .into());
        }
        let dsu = accepted(
            Path::new(file),
            port,
            Giorni {
                presentata: None,
                ..request.giorni
            },
        )?
        .dsu;
        let presentata = dsu.presentata().context("la DSU non ha una sottoscrizione")?;
        let scadenza = port
            .settings
            .rules
            .on(presentata)
            .map_or(presentata, |set| set.expires(presentata));
        altre.push(Riferita {
            dsu,
            protocollo: protocollo.to_owned(),
            presentata,
            scadenza,
        });
    }
    Ok(altre)
}

/// The attestation, with made-up protocols.
fn attestazione(
    effettiva: &Effettiva,
    indicatori: &Indicatori,
    set: &RuleSet,
    validita: Option<(Date, Date)>,
    today: Date,
    against: Vec<OmissioneDifformita>,
) -> Attestazione {
    let Effettiva {
        dsu,
        operazione,
        presentata,
        base,
        sender,
        ..
    } = effettiva;
    let of = |number: &str, day: Date| format!("INPS-ISEE-{}-{number}", day.year());
    let first = of(NESSUN_PROTOCOLLO, *presentata);
    let form = validita.map(|(chiesto, scadenza)| (of(MODULO, chiesto), chiesto, scadenza));
    let earlier = base.as_ref().filter(|_| form.is_none());
    let next = if earlier.is_some() {
        of(DOPO, *presentata)
    } else {
        first.clone()
    };
    let variazione = earlier.map(|earlier| {
        let sender = earlier
            .sottoscrizione_del_dichiarante()
            .map(|signature| signature.protocollo_mittente.clone());
        variazione(*operazione, first.clone(), *presentata, sender)
    });
    let occasion = Rilascio {
        protocollo: &next,
        presentata: *presentata,
        rilasciata: today,
        sostitutivo: form
            .as_ref()
            .map(|(protocollo, presentato, scadenza)| Sostitutivo {
                protocollo,
                presentato: *presentato,
                scadenza: *scadenza,
            }),
        variazione,
        omissioni: against,
        protocollo_mittente: sender.as_deref().filter(|_| form.is_some()),
    };
    attest(dsu, indicatori, set, occasion)
}

fn read_feed(file: &Path) -> Result<Vec<FeedRecord>> {
    let text = std::fs::read_to_string(file).map_err(|error| Uso::unread(file, &error))?;
    parse_feed(&text).map_err(|errors| {
        for error in &errors {
            eprintln!("{}", super::super::feed::line(file, error));
        }
        anyhow!("{}: errori: {}", file.display(), errors.len())
    })
}

fn payload(attestazione: Attestazione) -> String {
    let search = RicercaCf {
        codice_fiscale: attestazione.codice_fiscale_dichiarante.clone(),
        data_validita: None,
        prestazione_da_erogare: None,
        protocollo_domanda_ente_erogatore: None,
        statodomanda_prestazione: None,
    };
    let ricerca = Ricerca {
        chiave: Chiave::Cf(Box::new(search)).echo(),
    };
    esito_attestazione(&EsitoAttestazione {
        attestazione: Some(attestazione),
        ricerca,
    })
}

/// The statement as text: amounts in a column of their own.
fn render(sezioni: &[Sezione]) -> String {
    let mut text = String::new();
    let indented = |livello: u8, voce: &str| format!("{}{voce}", "  ".repeat(usize::from(livello) + 1));
    let all = || sezioni.iter().flat_map(|sezione| &sezione.righe);
    let wide = all()
        .filter(|riga| riga.importo.is_some())
        .map(|riga| indented(riga.livello, &riga.voce).chars().count())
        .max()
        .unwrap_or(0);
    for Sezione { titolo, righe } in sezioni {
        text.push_str(&format!("{titolo}\n"));
        for riga in righe {
            let voce = indented(riga.livello, &riga.voce);
            let norma = if riga.norma.is_empty() {
                String::new()
            } else {
                format!("[{}]", riga.norma)
            };
            let notes: Vec<&str> = [riga.come.as_str(), &norma]
                .into_iter()
                .filter(|note| !note.is_empty())
                .collect();
            let notes = notes.join("  ");
            let row = match riga.importo {
                Some(amount) => format!("{voce:wide$}  {:>14}  {notes}", italian(amount)),
                None if notes.is_empty() => voce,
                None => format!("{voce}: {notes}"),
            };
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// The feed's objections to the DSU.
fn difformita(against: &[OmissioneDifformita]) -> Vec<Sezione> {
    let lines = against.iter().map(|each| {
        let come = match each.rapporto.len() {
            0 => "redditi diversi da quelli dell'Agenzia delle entrate".to_owned(),
            number => format!("rapporti finanziari non dichiarati: {number}"),
        };
        let voce = format!(
            "{} di {}",
            each.tipo_omissione_difformita.code(),
            each.codice_fiscale.canonical()
        );
        Riga {
            livello: 0,
            voce,
            importo: None,
            come,
            norma: "art. 11 c. 3, 5".to_owned(),
        }
    });
    let righe: Vec<Riga> = lines.collect();
    if righe.is_empty() {
        Vec::new()
    } else {
        vec![Sezione {
            titolo: "Omissioni e difformità".to_owned(),
            righe,
        }]
    }
}

fn as_json(
    situazione: &Situazione<'_>,
    indicatori: &Indicatori,
    against: &[OmissioneDifformita],
    validita: Option<(Date, Date)>,
) -> Value {
    let Situazione {
        dsu,
        presented,
        rules,
        ..
    } = situazione;
    let all = |of: &[IndicatoreCalcolato]| of.iter().map(di_indicatore).collect::<Vec<_>>();
    json!({
        "dichiarante": dsu.codice_fiscale_dichiarante.canonical(),
        "presentata": presented.to_string(),
        "scadenza": rules.expires(*presented).to_string(),
        "corrente": validita.map(|(chiesto, scadenza)| json!({"presentato": chiesto.to_string(), "scadenza": scadenza.to_string()})),
        "regole": regole(rules),
        "ordinario": di_calcolo(&indicatori.ordinario),
        "specifico": indicatori.specifico.as_ref().map(di_specifico),
        "minorenni": all(&indicatori.minorenni),
        "universitari": all(&indicatori.universitari),
        "residenziali": all(&indicatori.residenziali),
        "ristretti": indicatori.ristretti.iter().map(|ristretto| json!({
            "codice_fiscale": ristretto.beneficiario.canonical(),
            "valori": di_calcolo(&ristretto.calcolo),
            "residenziale": ristretto.residenziale.as_ref().map(di_indicatore),
        })).collect::<Vec<_>>(),
        "omissioni": against.iter().map(|each| json!({
            "tipo": each.tipo_omissione_difformita.code(),
            "codice_fiscale": each.codice_fiscale.canonical(),
            "rapporti": each.rapporto.iter().map(|rapporto| rapporto.identificativo.clone()).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "prospetto": prospetto(situazione, indicatori, validita),
    })
}

fn regole(rules: &RuleSet) -> Value {
    json!({"insieme": rules.id, "impronta": rules.digest})
}
