//! Incomes and their deductions: art. 4.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::super::codes::GradoDisabilita;
use super::super::codice_fiscale::CodiceFiscale;
use super::super::dsu::Variazione;
use super::super::feed::FeedRecord;
use super::super::foglio::{AltriRedditi, RedditiDaDichiarare};
use super::super::money::{Euro, Ratio};
use super::super::rules::RuleSet;
use super::nucleo::{Figli, NucleoDaCalcolare, Persona, Regime, after_second};
use super::voce::{Fonte, Voce, sum};

/// A member's income and its deductions; unrounded.
#[derive(Clone, PartialEq)]
pub struct RedditoComponente {
    /// Codice fiscale of the member.
    pub codice_fiscale: CodiceFiscale,
    /// Source of the incomes: FC8, else the feed, else the DSU.
    pub fonte: Fonte,
    /// Incomes (art. 4 c. 2), maintenance received included; items of zero are left out.
    pub redditi: Vec<Voce>,
    /// Deductions (art. 4 c. 3); items of zero are left out.
    pub detrazioni: Vec<Voce>,
    /// Current incomes and deductions, in place of the others; None if the member's incomes did not change
    /// (art. 9).
    pub corrente: Option<Corrente>,
    /// Treatments received: the bound of residential fees (art. 4 c. 4 c).
    trattamenti: Euro,
    /// The same less the member's deduction of art. 4 c. 3 f: the bound of home help (art. 4 c. 4 b).
    trattamenti_netti: Euro,
}

/// A member's current incomes and their deductions.
#[derive(Clone, PartialEq)]
pub struct Corrente {
    /// Incomes of twelve months.
    pub redditi: Vec<Voce>,
    /// Deductions (art. 4 c. 3), from the current incomes.
    pub detrazioni: Vec<Voce>,
}

impl Corrente {
    /// The deductions counted: at most the incomes.
    pub fn detratto(&self) -> Euro {
        detratto(&self.redditi, &self.detrazioni)
    }
}

impl RedditoComponente {
    /// The deductions counted: at most the incomes, none if these are negative (art. 4 c. 3, "fino a
    /// concorrenza").
    pub fn detratto(&self) -> Euro {
        detratto(&self.redditi, &self.detrazioni)
    }

    /// Incomes less deductions; negative only if the incomes are.
    pub fn netto(&self) -> Euro {
        sum(&self.redditi) - self.detratto()
    }

    /// The same with the current incomes, if there are any.
    pub fn netto_corrente(&self) -> Euro {
        self.corrente.as_ref().map_or_else(
            || self.netto(),
            |corrente| sum(&corrente.redditi) - corrente.detratto(),
        )
    }
}

fn detratto(redditi: &[Voce], detrazioni: &[Voce]) -> Euro {
    sum(detrazioni).min(sum(redditi).positive())
}

/// Items; an amount of zero is not added.
#[derive(Default)]
struct Voci(Vec<Voce>);

impl Voci {
    fn add(&mut self, nome: &'static str, norma: &'static str, importo: Euro, fonte: Option<Fonte>) {
        if !importo.is_zero() {
            self.0.push(Voce {
                nome,
                importo,
                fonte,
                norma,
            });
        }
    }
}

/// Art. 4 c. 2 and 3 for one member. FC8 gives an item, else the feed. FC4 is added: its items are in
/// neither.
pub(super) fn reddito(persona: &Persona<'_>, rules: &RuleSet) -> RedditoComponente {
    let sheet = persona.foglio;
    let record = persona.noto.as_ref();
    let fc8 = persona.fc8;
    let item = |from_fc8: fn(&AltriRedditi) -> Option<Decimal>,
                from_feed: fn(&FeedRecord) -> Option<Decimal>| {
        let declared = fc8
            .and_then(from_fc8)
            .map(|amount| (Euro::new(amount), Some(Fonte::Fc8)));
        declared.or_else(|| {
            record
                .and_then(from_feed)
                .map(|amount| (Euro::new(amount), Some(Fonte::Feed)))
        })
    };
    let fc4 = sheet.redditi_da_dichiarare.as_ref();
    let declared = |field: fn(&RedditiDaDichiarare) -> Option<u32>| Euro::whole(fc4.and_then(field));
    let none = (Euro::ZERO, None);

    let irpef = item(|r| r.reddito_irpef, |f| f.reddito_irpef).unwrap_or(none);
    let employee = item(
        |r| r.lavoro_dipendente.map(Decimal::from),
        |f| f.lavoro_dipendente,
    )
    .unwrap_or(none);
    let pension = item(|r| r.pensione.map(Decimal::from), |f| f.pensione).unwrap_or(none);
    let agrarian = item(|r| r.redditi_agrari.map(Decimal::from), |f| f.redditi_agrari).unwrap_or(none);
    let substitute = item(
        |r| r.redditi_imp_sost.map(Decimal::from),
        |f| f.redditi_imposta_sostitutiva,
    )
    .unwrap_or(none);
    let paid = item(|r| r.trattamenti_assistenziali, |f| f.trattamenti).unwrap_or(none);
    let for_disability = match rules.law.trattamenti_disabilita {
        true => record
            .and_then(|f| f.trattamenti_disabilita)
            .map_or(Euro::ZERO, Euro::new),
        false => Euro::ZERO,
    };
    let treatments = paid.0 + for_disability + declared(|r| r.trattamenti_assistenziali);
    let expenses = item(|r| r.spese_detrazione.map(Decimal::from), |f| f.spese_detrazione)
        .unwrap_or(none)
        .0
        + item(|r| r.spese_deduzione.map(Decimal::from), |f| f.spese_deduzione)
            .unwrap_or(none)
            .0;
    let periodic = sheet.assegni_periodici.as_ref();

    let mut redditi = Voci::default();
    redditi.add("reddito complessivo IRPEF", "art. 4 c. 2 a", irpef.0, irpef.1);
    redditi.add(
        "redditi soggetti a imposta sostitutiva",
        "art. 4 c. 2 b",
        substitute.0,
        substitute.1,
    );
    let declared_substitute = declared(|r| r.reddito_imp_sost);
    redditi.add(
        "redditi soggetti a imposta sostitutiva o definitiva",
        "art. 4 c. 2 b",
        declared_substitute,
        Some(Fonte::Dsu),
    );
    redditi.add(
        "redditi esenti da imposta",
        "art. 4 c. 2 c",
        declared(|r| r.redditi_esenti_imposta),
        None,
    );
    redditi.add(
        "proventi agrari da dichiarazione IRAP",
        "art. 4 c. 2 d",
        declared(|r| r.redditi_irap),
        None,
    );
    redditi.add(
        "assegni per il mantenimento di figli, ricevuti",
        "art. 4 c. 2 e",
        Euro::whole(periodic.and_then(|p| p.assegni_figli)),
        None,
    );
    redditi.add("trattamenti assistenziali", "art. 4 c. 2 f", paid.0, paid.1);
    redditi.add(
        "trattamenti per disabilità",
        "art. 4 c. 2 f",
        for_disability,
        Some(Fonte::Feed),
    );
    redditi.add(
        "trattamenti assistenziali dichiarati",
        "art. 4 c. 2 f",
        declared(|r| r.trattamenti_assistenziali),
        None,
    );
    redditi.add(
        "redditi fondiari",
        "art. 4 c. 2 g",
        declared(|r| r.redditi_fondiari),
        None,
    );
    redditi.add(
        "redditi fondiari di beni all'estero",
        "art. 4 c. 2 g",
        declared(|r| r.redditi_fondiari_estero),
        None,
    );
    redditi.add(
        "redditi tassati all'estero",
        "art. 4 c. 2 c",
        declared(|r| r.redditi_tassati_estero),
        None,
    );
    redditi.add(
        "redditi di iscritti all'AIRE",
        "art. 4 c. 2 i",
        declared(|r| r.redditi_aire),
        None,
    );

    // The payer deducts the expenses, by the payer's own tax return. The disabled person may be another.
    let for_disabled = expenses.min(rules.law.spese_disabili_massimo);
    let law = &rules.law;
    let shares = |employee: Euro, pensions: Euro| {
        let share = |quota: Ratio, massimo: Euro, of: Euro| (quota * of.positive()).min(massimo);
        let for_employees = share(law.dipendenti_quota, law.dipendenti_massimo, employee);
        let for_pensions = share(law.pensioni_quota, law.pensioni_massimo, pensions);
        // Alternative to each other for the same member: the larger one.
        if for_employees >= for_pensions {
            (for_employees, Euro::ZERO)
        } else {
            (Euro::ZERO, for_pensions)
        }
    };
    let deductions = |employee: Euro, pensions: Euro, agrarian: Euro| {
        let mut detrazioni = Voci::default();
        detrazioni.add(
            "assegni al coniuge",
            "art. 4 c. 3 a",
            Euro::whole(periodic.and_then(|p| p.assegni_coniuge)),
            None,
        );
        let children = Euro::whole(periodic.and_then(|p| p.assegni_genitore));
        detrazioni.add(
            "assegni per il mantenimento di figli, corrisposti",
            "art. 4 c. 3 b",
            children,
            None,
        );
        detrazioni.add(
            "spese sanitarie e di assistenza di persone con disabilità",
            "art. 4 c. 3 c",
            for_disabled,
            None,
        );
        detrazioni.add("redditi agrari", "art. 4 c. 3 d", agrarian, None);
        let (for_employees, for_pensions) = shares(employee, pensions);
        detrazioni.add(
            "quota dei redditi da lavoro dipendente",
            "art. 4 c. 3 e",
            for_employees,
            None,
        );
        detrazioni.add(
            "quota delle pensioni e dei trattamenti",
            "art. 4 c. 3 f",
            for_pensions,
            None,
        );
        detrazioni.0
    };
    let corrente = persona.corrente.and_then(Variazione::redditi).map(|current| {
        let mut redditi = Voci::default();
        redditi.add(
            "redditi da lavoro dipendente e pensione, correnti",
            "art. 9 c. 3 a",
            current.dipendente,
            None,
        );
        redditi.add(
            "redditi da lavoro autonomo e impresa, correnti",
            "art. 9 c. 3 b",
            current.autonomo,
            None,
        );
        redditi.add(
            "trattamenti, correnti",
            "art. 9 c. 3 c",
            current.trattamenti,
            None,
        );
        Corrente {
            redditi: redditi.0,
            detrazioni: deductions(current.dipendente, current.trattamenti, Euro::ZERO),
        }
    });
    let fonte = match (fc8, record) {
        (Some(_), _) => Fonte::Fc8,
        (None, Some(_)) => Fonte::Feed,
        (None, None) => Fonte::Dsu,
    };
    let received = treatments.positive();
    let detrazioni = deductions(employee.0, pension.0 + treatments, agrarian.0);
    // The deduction of c. 3 f counts up to the income left by the others.
    let share = shares(employee.0, pension.0 + treatments).1;
    let left = (sum(&redditi.0).positive() - (sum(&detrazioni) - share)).positive();
    RedditoComponente {
        codice_fiscale: sheet.codice_fiscale.clone(),
        fonte,
        redditi: redditi.0,
        detrazioni,
        corrente,
        trattamenti: received,
        trattamenti_netti: (received - share.min(left)).positive(),
    }
}

/// Art. 4 c. 4: deductions from the income of the nucleus.
pub(super) fn detrazioni(
    nucleo: &NucleoDaCalcolare<'_>,
    redditi: &[RedditoComponente],
    figli: &Figli,
    presented: Date,
    rules: &RuleSet,
    regime: Regime,
) -> Vec<Voce> {
    let mut voci = Voci::default();
    let most = rules.law.locazione_massimo + rules.law.locazione_figlio.times(after_second(figli.conviventi));
    voci.add(
        "canone di locazione",
        "art. 4 c. 4 a",
        nucleo.canone().unwrap_or(Euro::ZERO).min(most),
        None,
    );
    for (persona, reddito) in nucleo.persone.iter().zip(redditi) {
        let Some(disabilita) = &persona.foglio.disabilita else {
            continue;
        };
        if rules.law.assistenza && regime != Regime::Residenziale {
            // For a person in care, the residential fee takes the place of home help.
            if disabilita.flag_prest_residenziale {
                let fee = Euro::whole(disabilita.retta_versata).min(reddito.trattamenti);
                voci.add("retta per il ricovero", "art. 4 c. 4 c", fee, None);
            } else if disabilita.grado_disabilita == GradoDisabilita::Nas {
                let help = Euro::whole(
                    persona
                        .foglio
                        .altri_redditi
                        .as_ref()
                        .and_then(|redditi| redditi.spese_collab_domestici),
                );
                let help = (help + Euro::whole(disabilita.spese_assistenza)).min(reddito.trattamenti_netti);
                voci.add(
                    "collaboratori domestici e assistenza personale",
                    "art. 4 c. 4 b",
                    help,
                    None,
                );
            }
        }
        let law = &rules.law;
        let franchise = match (disabilita.grado_disabilita, persona.is_minor(presented)) {
            (GradoDisabilita::Dim, false) => law.franchigia_media,
            (GradoDisabilita::Dim, true) => law.franchigia_media_minore,
            (GradoDisabilita::Dig, false) => law.franchigia_grave,
            (GradoDisabilita::Dig, true) => law.franchigia_grave_minore,
            (GradoDisabilita::Nas, false) => law.franchigia_non_autosufficiente,
            (GradoDisabilita::Nas, true) => law.franchigia_non_autosufficiente_minore,
        };
        voci.add("franchigia per disabilità", "art. 4 c. 4 d", franchise, None);
    }
    voci.0
}
