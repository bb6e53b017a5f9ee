//! The computation as a statement for people: each line with its components and its source in the law.

use jiff::civil::Date;
use rust_decimal::Decimal;

use serde::Serialize;

use super::codes::{Ruolo, TipoImmobile};
use super::codice_fiscale::CodiceFiscale;
use super::compute::casi::{
    Caso, Diverso, IndicatoreCalcolato, Indicatori, ModoCalcolo, MotivoDelCaso, Situazione,
};
use super::compute::componente::{ComponenteCalcolata, quota_di_genitore};
use super::compute::{Calcolo, Fonte, Maggiorazione, RedditoComponente, Voce, income_year, sum};
use super::dsu::IseeCorrente;
use super::foglio::FoglioComponente;
use super::money::{Euro, Ratio};
use super::rules::{Mark, RuleSet};
use crate::italian::quanti;

/// One line of a section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Riga {
    /// Depth of indentation, from 0.
    pub livello: u8,
    /// Name of the line, in Italian.
    pub voce: String,
    /// Euros, or a number of the scale. `None`: a line without a figure.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "two_decimals")]
    pub importo: Option<Decimal>,
    /// The calculation or the origin of the figure, in Italian.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub come: String,
    /// The article of the law, or the citation of the parameter.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub norma: String,
}

fn two_decimals<S: serde::Serializer>(amount: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    match amount {
        Some(amount) => serializer.serialize_str(&format!("{:.2}", Euro::new(*amount).line().value())),
        None => serializer.serialize_none(),
    }
}

/// A section of the statement, with its heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sezione {
    /// The heading, in Italian.
    pub titolo: String,
    /// The lines, in printing order.
    pub righe: Vec<Riga>,
}

/// Writes an amount in the Italian way: `1.234,50`.
pub fn italian(amount: impl Into<Decimal>) -> String {
    let text = format!("{:.2}", Euro::new(amount.into()).line().value());
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, cents) = digits.split_once('.').unwrap_or((digits, "00"));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push('.');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped},{cents}")
}

/// A share as a percentage: `0.026` is `2,60 %`.
fn percent(share: Ratio) -> String {
    format!("{} %", italian(share.value() * Decimal::ONE_HUNDRED))
}

/// The whole statement: nucleus, the ordinary indicator line by line, then every other one. `corrente`, for a
/// current ISEE: the day of the request, and the last day of validity.
pub fn prospetto(
    situazione: &Situazione<'_>,
    indicatori: &Indicatori,
    corrente: Option<(Date, Date)>,
) -> Vec<Sezione> {
    let writer = Scrittore { situazione };
    let mut sezioni = vec![writer.testata(corrente)];
    let titolo = if corrente.is_some() {
        "ISEE ordinario corrente"
    } else {
        "ISEE ordinario"
    };
    sezioni.extend(writer.calcolo(titolo, &indicatori.ordinario));
    if let Some(specifico) = &indicatori.specifico {
        sezioni.push(writer.specifico(&indicatori.ordinario, &specifico.famiglia));
        for minor in specifico
            .minorenni
            .iter()
            .filter(|minor| !matches!(minor.caso, Caso::Base(_)))
        {
            sezioni.extend(writer.indicatore(
                "ISEE specifico per minorenni (L. 199/2025, art. 7)",
                minor,
                &specifico.famiglia,
            ));
        }
    }
    for minor in &indicatori.minorenni {
        sezioni.extend(writer.indicatore(
            "ISEE per prestazioni a minorenni (art. 7)",
            minor,
            &indicatori.ordinario,
        ));
    }
    for student in &indicatori.universitari {
        sezioni.extend(writer.indicatore("ISEE università (art. 8)", student, &indicatori.ordinario));
    }
    for each in &indicatori.residenziali {
        sezioni.extend(writer.indicatore(
            "ISEE prestazioni residenziali (art. 6 c. 3)",
            each,
            &indicatori.ordinario,
        ));
    }
    for ristretto in &indicatori.ristretti {
        let titolo = format!(
            "ISEE del nucleo ristretto di {} (art. 6 c. 2, art. 8 c. 4)",
            writer.persona(&ristretto.beneficiario)
        );
        sezioni.extend(writer.calcolo(&titolo, &ristretto.calcolo));
        if let Some(each) = &ristretto.residenziale {
            sezioni.extend(writer.indicatore(
                "ISEE prestazioni residenziali, nucleo ristretto (art. 6 c. 3)",
                each,
                &ristretto.calcolo,
            ));
        }
    }
    sezioni
}

struct Scrittore<'a> {
    situazione: &'a Situazione<'a>,
}

/// Lines of one section.
#[derive(Default)]
struct Righe(Vec<Riga>);

impl Righe {
    fn add(
        &mut self,
        livello: u8,
        voce: impl Into<String>,
        importo: impl Into<Option<Decimal>>,
        come: impl Into<String>,
        norma: impl Into<String>,
    ) {
        self.0.push(Riga {
            livello,
            voce: voce.into(),
            importo: importo.into(),
            come: come.into(),
            norma: norma.into(),
        });
    }

    fn titled(self, titolo: impl Into<String>) -> Sezione {
        Sezione {
            titolo: titolo.into(),
            righe: self.0,
        }
    }
}

impl Scrittore<'_> {
    fn rules(&self) -> &RuleSet {
        self.situazione.rules
    }

    /// A parameter's citation. It says so if the value is not confirmed, or is the operator's own.
    fn norma(&self, parameter: &str) -> String {
        let found = self.rules().parameters().find(|(name, _)| *name == parameter);
        found.map_or_else(String::new, |(_, parameter)| match parameter.mark {
            Mark::U => format!("{} (valore non confermato)", parameter.cite),
            Mark::O => format!("{} (valore del gestore)", parameter.cite),
            Mark::C => parameter.cite.clone(),
        })
    }

    /// Surname and first name, from this DSU or one referred to. Without either, the codice fiscale.
    fn persona(&self, codice: &CodiceFiscale) -> String {
        let Situazione { dsu, altre, .. } = self.situazione;
        let referred = dsu
            .riferimenti()
            .filter_map(|(protocollo, _)| altre.dsu(protocollo))
            .flat_map(|riferita| riferita.dsu.fogli());
        let mut sheets = dsu.fogli().chain(dsu.fogli_esterni()).chain(referred);
        let sheet = sheets.find(|foglio| foglio.codice_fiscale == *codice);
        let named = sheet.map(|foglio| {
            format!(
                "{} {}",
                foglio.dati_componente.anagrafica.cognome, foglio.dati_componente.anagrafica.nome
            )
        });
        named.unwrap_or_else(|| codice.canonical())
    }

    /// Whether only the DSU speaks of a person: no FC8 of theirs counts, and the feed has no record of the
    /// income year.
    fn is_unknown(&self, foglio: &FoglioComponente) -> bool {
        let Situazione {
            dsu, presented, feed, ..
        } = self.situazione;
        let declared = foglio
            .altri_redditi
            .as_ref()
            .is_some_and(|redditi| redditi.counts(dsu.operazione.tipo));
        !declared
            && feed
                .find(&foglio.codice_fiscale, income_year(*presented))
                .is_none()
    }

    fn testata(&self, corrente: Option<(Date, Date)>) -> Sezione {
        let Situazione {
            dsu,
            presented,
            rules,
            ..
        } = self.situazione;
        let mut righe = Righe::default();
        righe.add(
            0,
            format!("DSU presentata il {presented}"),
            None,
            format!(
                "insieme di regole {}, valido dal {} al {}",
                rules.id, rules.valid_from, rules.valid_to
            ),
            "",
        );
        righe.add(
            0,
            format!("valida fino al {}", rules.expires(*presented)),
            None,
            "",
            "art. 10 c. 1",
        );
        if let Some((chiesto, scadenza)) = corrente {
            righe.add(
                0,
                format!("ISEE corrente chiesto il {chiesto}, valido fino al {scadenza}"),
                None,
                "",
                "art. 9",
            );
        }
        self.anni(corrente, &mut righe);
        for member in dsu
            .nucleo_familiare
            .iter()
            .flat_map(|nucleo| &nucleo.componente_nucleo)
        {
            let foglio = &member.foglio_componente_nucleo;
            let born = foglio.dati_componente.anagrafica.data_nascita;
            let what = format!("{}, nascita {born}", ruolo(member.rapporto_con_dichiarante));
            righe.add(1, self.persona(&foglio.codice_fiscale), None, what, "");
        }
        self.ignoti(&mut righe);
        righe.titled("Nucleo familiare (art. 3)")
    }

    /// The years of incomes and assets.
    fn anni(&self, corrente: Option<(Date, Date)>, righe: &mut Righe) {
        let Situazione {
            dsu,
            presented,
            rules,
            ..
        } = self.situazione;
        let years = format!(
            "redditi del {}, patrimonio al 31 dicembre {}",
            income_year(*presented),
            rules.assets_year(*presented)
        );
        let changed = corrente.filter(|_| {
            dsu.isee_corrente
                .as_ref()
                .is_some_and(IseeCorrente::changes_assets)
        });
        let come = changed
            .map(|(chiesto, _)| format!("di chi l'ha aggiornato, al 31 dicembre {}", chiesto.year() - 1));
        righe.add(0, years, None, come.unwrap_or_default(), "art. 4 c. 1, art. 5");
    }

    /// A warning for each person without data of the state.
    fn ignoti(&self, righe: &mut Righe) {
        let Situazione { dsu, presented, .. } = self.situazione;
        let members = dsu
            .membri()
            .filter(|member| !member.flag_assenza_reddito)
            .map(|member| &member.foglio_componente_nucleo);
        for foglio in members
            .chain(dsu.fogli_esterni())
            .filter(|foglio| self.is_unknown(foglio))
        {
            let what = format!(
                "nessun dato dell'Agenzia delle entrate e dell'INPS per il {}",
                income_year(*presented)
            );
            let come = format!("{what}: conta soltanto quanto è dichiarato");
            righe.add(
                0,
                format!("attenzione, {}", self.persona(&foglio.codice_fiscale)),
                None,
                come,
                "art. 11",
            );
        }
    }

    /// All sections of one computation.
    fn calcolo(&self, titolo: &str, calcolo: &Calcolo) -> Vec<Sezione> {
        vec![
            self.redditi(&format!("{titolo}: redditi"), calcolo),
            self.mobiliare(&format!("{titolo}: patrimonio mobiliare"), calcolo),
            self.immobiliare(&format!("{titolo}: patrimonio immobiliare"), calcolo),
            self.risultato(titolo, calcolo),
        ]
    }

    fn redditi(&self, titolo: &str, calcolo: &Calcolo) -> Sezione {
        let mut righe = Righe::default();
        for reddito in &calcolo.redditi {
            self.reddito(reddito, &mut righe);
        }
        let m = &calcolo.modalita;
        righe.add(
            0,
            "SommaRedditiComponenti",
            m.somma_redditi_componenti.0,
            "somma dei redditi netti",
            "art. 4",
        );
        if let Some(corrente) = m.somma_redditi_componenti_corrente {
            righe.add(
                0,
                "SommaRedditiComponentiCorrente",
                corrente.0,
                "con i redditi correnti di chi ha avuto variazioni",
                "art. 9",
            );
        }
        righe.titled(titolo)
    }

    fn reddito(&self, reddito: &RedditoComponente, righe: &mut Righe) {
        righe.add(0, self.persona(&reddito.codice_fiscale), None, "", "");
        let mut items = |redditi: &[Voce], detrazioni: &[Voce]| {
            for Voce {
                nome,
                importo,
                fonte: from,
                norma,
            } in redditi
            {
                righe.add(1, *nome, *importo, from.map_or("", fonte), *norma);
            }
            for Voce {
                nome, importo, norma, ..
            } in detrazioni
            {
                righe.add(1, *nome, -*importo, "", *norma);
            }
        };
        items(&reddito.redditi, &reddito.detrazioni);
        oltre(&reddito.detrazioni, reddito.detratto(), righe);
        righe.add(1, "reddito netto", reddito.netto(), "", "art. 4 c. 1");
        if let Some(corrente) = &reddito.corrente {
            let mut items = |voci: &[Voce], sign: Decimal| {
                for Voce {
                    nome, importo, norma, ..
                } in voci
                {
                    righe.add(1, *nome, importo.value() * sign, "", *norma);
                }
            };
            items(&corrente.redditi, Decimal::ONE);
            items(&corrente.detrazioni, Decimal::NEGATIVE_ONE);
            oltre(&corrente.detrazioni, corrente.detratto(), righe);
            righe.add(
                1,
                "reddito netto corrente",
                reddito.netto_corrente(),
                "in luogo del precedente",
                "art. 9",
            );
        }
    }

    fn mobiliare(&self, titolo: &str, calcolo: &Calcolo) -> Sezione {
        let (mut righe, assets, m) = (Righe::default(), &calcolo.mobiliare, &calcolo.modalita);
        for conti in &assets.conti {
            let come = match conti.incremento.is_zero() {
                true => format!(
                    "il maggiore tra saldi {} e giacenze medie {}",
                    italian(conti.saldi),
                    italian(conti.giacenze)
                ),
                false => format!(
                    "saldi {}, giacenze medie {}, incremento di altri beni {}",
                    italian(conti.saldi),
                    italian(conti.giacenze),
                    italian(conti.incremento)
                ),
            };
            righe.add(
                1,
                format!("conti e depositi di {}", self.persona(&conti.codice_fiscale)),
                conti.conta,
                come,
                "art. 5 c. 4 a",
            );
        }
        if !assets.altri.is_zero() {
            righe.add(1, "altri rapporti", assets.altri, "", "art. 5 c. 4");
        }
        for (excluded, what) in [
            (assets.titoli_esclusi, "titoli di Stato e buoni postali"),
            (assets.libretti_esclusi, "libretti postali"),
        ] {
            if !excluded.is_zero() {
                righe.add(
                    1,
                    format!("{what}, esclusi"),
                    -excluded,
                    "dal feed",
                    self.norma("titoli_esclusi"),
                );
            }
        }
        righe.add(
            0,
            "PatrimonioMobiliare",
            m.patrimonio_mobiliare.0,
            "",
            "art. 5 c. 4",
        );
        let come = format!(
            "franchigia {}, fino al valore del patrimonio",
            italian(assets.franchigia)
        );
        righe.add(
            0,
            "DetrazionePatrimonioMobiliare",
            m.detrazione_patrimonio_mobiliare.0,
            come,
            "art. 5 c. 6",
        );
        let rate = self.rules().law.rendimento;
        let come = format!("{} × {}", percent(rate), italian(assets.fruttifero));
        righe.add(
            0,
            "RedditoFigurativoPatrimonioMobiliare",
            m.reddito_figurativo_patrimonio_mobiliare.0,
            come,
            self.norma("rendimento"),
        );
        righe.titled(titolo)
    }

    fn immobiliare(&self, titolo: &str, calcolo: &Calcolo) -> Sezione {
        let (mut righe, assets, m) = (Righe::default(), &calcolo.immobiliare, &calcolo.modalita);
        for each in &assets.immobili {
            let kind = match each.tipo {
                TipoImmobile::F => "fabbricato",
                TipoImmobile::Te => "terreno agricolo",
                TipoImmobile::Ta => "terreno edificabile",
            };
            let what = match (each.casa, each.donato) {
                (true, _) => format!(
                    "casa di abitazione, quota di {}",
                    self.persona(&each.codice_fiscale)
                ),
                (false, true) => format!("{kind} donato"),
                (false, false) => format!("{kind} di {}", self.persona(&each.codice_fiscale)),
            };
            let norma = if each.donato {
                "art. 6 c. 3 c"
            } else {
                "art. 5 c. 2"
            };
            righe.add(
                1,
                what,
                each.valore - each.mutuo,
                format!("valore {} − mutuo {}", italian(each.valore), italian(each.mutuo)),
                norma,
            );
        }
        if !assets.casa.is_zero() {
            let come = format!(
                "{}/{} di ({} − franchigia {})",
                self.rules().law.casa_quota_numeratore.value().normalize(),
                self.rules().law.casa_quota_denominatore.value().normalize(),
                italian(assets.casa),
                italian(assets.franchigia)
            );
            righe.add(1, "della casa conta", assets.casa_conta, come, "art. 5 c. 2");
        }
        righe.add(
            0,
            "PatrimonioImmobiliare",
            m.patrimonio_immobiliare.0,
            "somma dei valori",
            "art. 5 c. 2",
        );
        let come = format!(
            "{} − {} che contano",
            italian(assets.lordo),
            italian(assets.netto())
        );
        righe.add(
            0,
            "DetrazionePatrimonioImmobiliare",
            m.detrazione_patrimonio_immobiliare.0,
            come,
            "art. 5 c. 2",
        );
        righe.titled(titolo)
    }

    fn risultato(&self, titolo: &str, calcolo: &Calcolo) -> Sezione {
        let (mut righe, m) = (Righe::default(), &calcolo.modalita);
        for Voce {
            nome, importo, norma, ..
        } in &calcolo.detrazioni
        {
            righe.add(1, *nome, *importo, "", *norma);
        }
        righe.add(
            0,
            "Detrazioni",
            m.detrazioni.0,
            "del nucleo, fino ai redditi",
            "art. 4 c. 4",
        );
        let incomes = m
            .somma_redditi_componenti_corrente
            .unwrap_or(m.somma_redditi_componenti);
        let come = format!(
            "{} + {} − {}, non sotto zero",
            italian(incomes.0),
            italian(m.reddito_figurativo_patrimonio_mobiliare.0),
            italian(m.detrazioni.0)
        );
        righe.add(0, "ISR", m.isr.0, come, "art. 4");
        let come = format!(
            "({} − {}) + ({} − {})",
            italian(m.patrimonio_mobiliare.0),
            italian(m.detrazione_patrimonio_mobiliare.0),
            italian(m.patrimonio_immobiliare.0),
            italian(m.detrazione_patrimonio_immobiliare.0)
        );
        righe.add(0, "ISP", m.isp.0, come, "art. 5");
        let come = format!(
            "{} + {} × {}",
            italian(m.isr.0),
            percent(self.rules().law.isp_quota),
            italian(m.isp.0)
        );
        righe.add(0, "ISE", m.ise.0, come, "art. 2 c. 3");
        let come = format!(
            "per {}",
            quanti(calcolo.scala.componenti, "componente", "componenti")
        );
        righe.add(0, "ParametroNucleo", m.parametro_nucleo.0, come, "All. 1");
        for Maggiorazione {
            nome,
            valore: importo,
            norma,
        } in &calcolo.scala.voci
        {
            righe.add(1, *nome, *importo, "", *norma);
        }
        righe.add(0, "Maggiorazioni", m.maggiorazioni.0, "", "All. 1");
        righe.add(
            0,
            "ScalaEquivalenza",
            m.scala_equivalenza.0,
            "ParametroNucleo + Maggiorazioni",
            "All. 1",
        );
        let come = format!("{} / {}", italian(m.ise.0), italian(m.scala_equivalenza.0));
        righe.add(0, "ISEE", calcolo.isee, come, "art. 2 c. 2");
        righe.titled(titolo)
    }

    /// The specific indicator: its differences from the ordinary one, then its result.
    fn specifico(&self, ordinario: &Calcolo, specifico: &Calcolo) -> Sezione {
        let mut sezione = self.risultato(
            "ISEE specifico (L. 199/2025): per ADI, SFL, assegno unico, bonus nido e bonus nuovi nati",
            specifico,
        );
        let mut righe = Righe::default();
        let come = format!("in luogo di {}", italian(ordinario.immobiliare.franchigia));
        righe.add(
            0,
            "franchigia della casa",
            specifico.immobiliare.franchigia,
            come,
            self.norma("specifico_casa"),
        );
        let come = format!(
            "nell'ordinario {}",
            italian(ordinario.modalita.detrazione_patrimonio_immobiliare.0)
        );
        let taken = specifico.modalita.detrazione_patrimonio_immobiliare.0;
        righe.add(
            0,
            "DetrazionePatrimonioImmobiliare",
            taken,
            come,
            self.norma("specifico_casa"),
        );
        righe.0.append(&mut sezione.righe);
        righe.add(
            0,
            "nell'attestazione è ISEEFamiglia; quello dei singoli minorenni non vi ha posto",
            None,
            "",
            "",
        );
        righe.titled(sezione.titolo)
    }

    fn indicatore(&self, titolo: &str, indicatore: &IndicatoreCalcolato, base: &Calcolo) -> Vec<Sezione> {
        let titolo = format!("{titolo}: {}", self.persona(&indicatore.codice_fiscale));
        let mut righe = Righe::default();
        match &indicatore.caso {
            Caso::Base(isee) => righe.add(0, "ISEE", *isee, "quello del nucleo", ""),
            Caso::NonCalcolabile(motivo) => righe.add(0, "non calcolabile", None, perche(*motivo), ""),
            Caso::Diverso(diverso) => {
                let mut sezioni = match diverso.modo {
                    ModoCalcolo::Aggiuntiva | ModoCalcolo::BaseAgg => Vec::new(),
                    _ => self.calcolo(&titolo, &diverso.calcolo),
                };
                sezioni.push(self.diverso(titolo, diverso, base));
                return sezioni;
            }
        }
        vec![righe.titled(titolo)]
    }

    fn diverso(&self, titolo: String, diverso: &Diverso, base: &Calcolo) -> Sezione {
        let mut righe = Righe::default();
        let what = match diverso.modo {
            ModoCalcolo::Attratta => "con l'altro genitore attratto nel nucleo",
            ModoCalcolo::Aggiuntiva => "quello del nucleo, con la componente aggiuntiva dell'altro genitore",
            ModoCalcolo::StudenteAttratto => "lo studente è attratto nel nucleo dei genitori",
            ModoCalcolo::StudenteAttrattoCompAttratta => {
                "lo studente è attratto nel nucleo di un genitore, e così l'altro"
            }
            ModoCalcolo::StudenteAttrattoCompAggiuntiva => {
                "lo studente è attratto nel nucleo di un genitore, l'altro dà la componente aggiuntiva"
            }
            ModoCalcolo::Residenziale => {
                "ricalcolato: le donazioni contano, art. 4 c. 4 b e c non si applicano"
            }
            ModoCalcolo::BaseAgg => "quello del nucleo, con le componenti dei figli non compresi",
            ModoCalcolo::ResidenzialeAgg => {
                "ricalcolato per prestazioni residenziali, con le componenti dei figli non compresi"
            }
        };
        righe.add(0, what, None, "", "");
        if matches!(diverso.modo, ModoCalcolo::Aggiuntiva | ModoCalcolo::BaseAgg) {
            righe.add(0, "ISEE del nucleo", base.isee, "", "");
        }
        for member in &diverso.attratto {
            righe.add(
                1,
                format!("{} {}", member.cognome, member.nome),
                None,
                ruolo(member.ruolo),
                "",
            );
        }
        for componente in &diverso.componenti {
            self.componente(componente, diverso, &mut righe);
        }
        righe.add(0, "ISEE", diverso.isee, "", "");
        righe.titled(titolo)
    }

    fn componente(&self, componente: &ComponenteCalcolata, diverso: &Diverso, righe: &mut Righe) {
        let who = format!("{} {}", componente.cognome, componente.nome);
        let (Some(alone), Some(valore)) = (&componente.calcolo, componente.valore) else {
            righe.add(1, who, None, "fa parte del nucleo", "art. 7 c. 1");
            return;
        };
        let m = &alone.modalita;
        let own = format!(
            "ISE {} / scala {}",
            italian(m.ise.0),
            italian(m.scala_equivalenza.0)
        );
        match diverso.modo {
            ModoCalcolo::BaseAgg | ModoCalcolo::ResidenzialeAgg => {
                let come = format!(
                    "({own} − {}, non sotto zero) × {} / scala {}",
                    italian(self.rules().law.componente_figlio_franchigia),
                    percent(self.rules().law.componente_figlio_quota),
                    italian(diverso.calcolo.modalita.scala_equivalenza.0)
                );
                righe.add(1, format!("componente di {who}"), valore, come, "All. 2 c. 1");
            }
            _ => {
                let (share, parameter) = quota_di_genitore(
                    self.situazione.dsu.figli_di(&componente.codice_fiscale),
                    self.rules(),
                );
                let come = format!("{own} × {}", percent(share));
                righe.add(
                    1,
                    format!("componente aggiuntiva di {who}"),
                    valore,
                    come,
                    self.norma(parameter),
                );
            }
        }
    }
}

/// Adds a line for deductions beyond the incomes, if any.
fn oltre(detrazioni: &[Voce], detratto: Euro, righe: &mut Righe) {
    let excess = sum(detrazioni) - detratto;
    if !excess.is_zero() {
        righe.add(
            1,
            "detrazioni oltre il reddito, che non contano",
            excess,
            "",
            "art. 4 c. 3, fino a concorrenza",
        );
    }
}

fn fonte(fonte: Fonte) -> &'static str {
    match fonte {
        Fonte::Fc8 => "foglio FC8",
        Fonte::Feed => "Agenzia delle entrate e INPS",
        Fonte::Dsu => "dichiarato",
    }
}

/// A role toward the declarant, in Italian.
pub fn ruolo(ruolo: Ruolo) -> &'static str {
    match ruolo {
        Ruolo::D => "dichiarante",
        Ruolo::C => "coniuge",
        Ruolo::F => "figlio minorenne",
        Ruolo::Ma => "minore in affidamento preadottivo",
        Ruolo::Fc => "figlio maggiorenne convivente",
        Ruolo::Fnc => "figlio maggiorenne non convivente",
        Ruolo::P => "altra persona",
        Ruolo::Gnc => "genitore non convivente",
    }
}

fn perche(motivo: MotivoDelCaso) -> &'static str {
    match motivo {
        MotivoDelCaso::Genitore => "mancano i dati di un genitore",
        MotivoDelCaso::Figlio => "mancano i dati di un figlio",
        MotivoDelCaso::Nucleo => "manca la DSU del nucleo dei genitori",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_italians_do() {
        for (amount, text) in [
            ("0", "0,00"),
            ("-1234.5", "-1.234,50"),
            ("1234567.005", "1.234.567,01"),
            ("999", "999,00"),
            ("-0.004", "0,00"),
        ] {
            assert_eq!(italian(amount.parse::<Decimal>().unwrap()), text);
        }
        assert_eq!(percent(Ratio::new("0.0304".parse().unwrap())), "3,04 %");
    }
}
