//! Incomes and their deductions: art. 4.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::super::codes::GradoDisabilita;
use super::super::codice_fiscale::CodiceFiscale;
use super::super::dsu::Variazione;
use super::super::feed::FeedRecord;
use super::super::foglio::{AltriRedditi, AssegniPeriodici, Disabilita, RedditiDaDichiarare};
use super::super::money::{Euro, Ratio};
use super::super::rules::{Law, RuleSet};
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
    fn add(&mut self, nome: &'static str, norma: &'static str, (importo, fonte): ImportoConFonte) {
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

/// Where one person's amounts are written: in their sheets of the DSU, and in what the state knows.
struct Dati<'a> {
    persona: &'a Persona<'a>,
    /// Treatments for disability, if the law counts them.
    disabilita: Euro,
}

/// An amount and its source; None as source if nothing has the amount, or FC4 declares it.
type ImportoConFonte = (Euro, Option<Fonte>);

impl<'a> Dati<'a> {
    fn of(persona: &'a Persona<'a>, rules: &RuleSet) -> Self {
        let known = persona.noto.as_ref().and_then(|f| f.trattamenti_disabilita);
        let counted = known.filter(|_| rules.law.trattamenti_disabilita);
        Dati {
            persona,
            disabilita: counted.map_or(Euro::ZERO, Euro::new),
        }
    }

    /// An amount of sheet FC8, else of the feed.
    fn noto(
        &self,
        fc8: fn(&AltriRedditi) -> Option<Decimal>,
        feed: fn(&FeedRecord) -> Option<Decimal>,
    ) -> ImportoConFonte {
        let corrected = self.persona.fc8.and_then(fc8).map(|amount| (amount, Fonte::Fc8));
        let known = || {
            self.persona
                .noto
                .as_ref()
                .and_then(feed)
                .map(|amount| (amount, Fonte::Feed))
        };
        let found = corrected.or_else(known);
        found.map_or((Euro::ZERO, None), |(amount, fonte)| {
            (Euro::new(amount), Some(fonte))
        })
    }

    /// An amount of sheet FC4: it is in neither of the others.
    fn dichiarato(&self, field: fn(&RedditiDaDichiarare) -> Option<u32>) -> ImportoConFonte {
        let sheet = self.persona.foglio.redditi_da_dichiarare.as_ref();
        (Euro::whole(sheet.and_then(field)), None)
    }

    /// A periodic payment of sheet FC5, euros a year.
    fn assegno(&self, field: fn(&AssegniPeriodici) -> Option<u32>) -> ImportoConFonte {
        let sheet = self.persona.foglio.assegni_periodici.as_ref();
        (Euro::whole(sheet.and_then(field)), None)
    }

    fn assistenziali(&self) -> ImportoConFonte {
        self.noto(|r| r.trattamenti_assistenziali, |f| f.trattamenti)
    }

    /// All treatments: those of the state, those for disability, those that the person declares.
    fn trattamenti(&self) -> Euro {
        self.assistenziali().0 + self.disabilita + self.dichiarato(|r| r.trattamenti_assistenziali).0
    }

    /// Incomes (art. 4 c. 2).
    fn redditi(&self) -> Voci {
        let mut voci = Voci::default();
        self.tassati_o_esenti(&mut voci);
        self.assegni_e_trattamenti(&mut voci);
        self.fondiari_ed_esteri(&mut voci);
        voci
    }

    /// Letters a, b, c and d.
    fn tassati_o_esenti(&self, voci: &mut Voci) {
        let irpef = self.noto(|r| r.reddito_irpef, |f| f.reddito_irpef);
        voci.add("reddito complessivo IRPEF", "art. 4 c. 2 a", irpef);
        let known = self.noto(
            |r| r.redditi_imp_sost.map(Decimal::from),
            |f| f.redditi_imposta_sostitutiva,
        );
        voci.add("redditi soggetti a imposta sostitutiva", "art. 4 c. 2 b", known);
        let (declared, _) = self.dichiarato(|r| r.reddito_imp_sost);
        voci.add(
            "redditi soggetti a imposta sostitutiva o definitiva",
            "art. 4 c. 2 b",
            (declared, Some(Fonte::Dsu)),
        );
        let exempt = self.dichiarato(|r| r.redditi_esenti_imposta);
        voci.add("redditi esenti da imposta", "art. 4 c. 2 c", exempt);
        let irap = self.dichiarato(|r| r.redditi_irap);
        voci.add("proventi agrari da dichiarazione IRAP", "art. 4 c. 2 d", irap);
    }

    /// Letters e and f.
    fn assegni_e_trattamenti(&self, voci: &mut Voci) {
        let received = self.assegno(|p| p.assegni_figli);
        voci.add(
            "assegni per il mantenimento di figli, ricevuti",
            "art. 4 c. 2 e",
            received,
        );
        voci.add("trattamenti assistenziali", "art. 4 c. 2 f", self.assistenziali());
        let disability = (self.disabilita, Some(Fonte::Feed));
        voci.add("trattamenti per disabilità", "art. 4 c. 2 f", disability);
        let declared = self.dichiarato(|r| r.trattamenti_assistenziali);
        voci.add("trattamenti assistenziali dichiarati", "art. 4 c. 2 f", declared);
    }

    /// Letters g and i, and the foreign incomes of letter c.
    fn fondiari_ed_esteri(&self, voci: &mut Voci) {
        let land = self.dichiarato(|r| r.redditi_fondiari);
        voci.add("redditi fondiari", "art. 4 c. 2 g", land);
        let abroad = self.dichiarato(|r| r.redditi_fondiari_estero);
        voci.add("redditi fondiari di beni all'estero", "art. 4 c. 2 g", abroad);
        let taxed_abroad = self.dichiarato(|r| r.redditi_tassati_estero);
        voci.add("redditi tassati all'estero", "art. 4 c. 2 c", taxed_abroad);
        let aire = self.dichiarato(|r| r.redditi_aire);
        voci.add("redditi di iscritti all'AIRE", "art. 4 c. 2 i", aire);
    }

    /// Deductions (art. 4 c. 3), from these incomes.
    fn detrazioni(&self, incomes: &Detraibili, rules: &RuleSet) -> Voci {
        let mut voci = Voci::default();
        let spouse = self.assegno(|p| p.assegni_coniuge);
        voci.add("assegni al coniuge", "art. 4 c. 3 a", spouse);
        let children = self.assegno(|p| p.assegni_genitore);
        voci.add(
            "assegni per il mantenimento di figli, corrisposti",
            "art. 4 c. 3 b",
            children,
        );
        let expenses = (self.spese_disabili(rules), None);
        voci.add(
            "spese sanitarie e di assistenza di persone con disabilità",
            "art. 4 c. 3 c",
            expenses,
        );
        voci.add("redditi agrari", "art. 4 c. 3 d", (incomes.agrari, None));
        let (employee, pension) = incomes.quote(rules);
        voci.add(
            "quota dei redditi da lavoro dipendente",
            "art. 4 c. 3 e",
            (employee, None),
        );
        voci.add(
            "quota delle pensioni e dei trattamenti",
            "art. 4 c. 3 f",
            (pension, None),
        );
        voci
    }

    /// Art. 4 c. 3 c. The payer deducts the expenses, by the payer's own tax return. The disabled person may
    /// be another.
    fn spese_disabili(&self, rules: &RuleSet) -> Euro {
        let credits = self.noto(|r| r.spese_detrazione.map(Decimal::from), |f| f.spese_detrazione);
        let deductions = self.noto(|r| r.spese_deduzione.map(Decimal::from), |f| f.spese_deduzione);
        (credits.0 + deductions.0).min(rules.law.spese_disabili_massimo)
    }

    /// Current incomes in place of the others (art. 9 c. 3); None if the person's incomes did not change.
    fn corrente(&self, rules: &RuleSet) -> Option<Corrente> {
        let current = self.persona.corrente.and_then(Variazione::redditi)?;
        let mut redditi = Voci::default();
        let employee = (current.dipendente, None);
        redditi.add(
            "redditi da lavoro dipendente e pensione, correnti",
            "art. 9 c. 3 a",
            employee,
        );
        let business = (current.autonomo, None);
        redditi.add(
            "redditi da lavoro autonomo e impresa, correnti",
            "art. 9 c. 3 b",
            business,
        );
        redditi.add(
            "trattamenti, correnti",
            "art. 9 c. 3 c",
            (current.trattamenti, None),
        );
        let incomes = Detraibili {
            dipendente: current.dipendente,
            pensioni: current.trattamenti,
            agrari: Euro::ZERO,
        };
        Some(Corrente {
            redditi: redditi.0,
            detrazioni: self.detrazioni(&incomes, rules).0,
        })
    }

    /// The incomes that deductions depend on.
    fn detraibili(&self) -> Detraibili {
        let employee = self.noto(
            |r| r.lavoro_dipendente.map(Decimal::from),
            |f| f.lavoro_dipendente,
        );
        let pension = self.noto(|r| r.pensione.map(Decimal::from), |f| f.pensione);
        let agrarian = self.noto(|r| r.redditi_agrari.map(Decimal::from), |f| f.redditi_agrari);
        Detraibili {
            dipendente: employee.0,
            pensioni: pension.0 + self.trattamenti(),
            agrari: agrarian.0,
        }
    }

    fn fonte(&self) -> Fonte {
        match (self.persona.fc8, &self.persona.noto) {
            (Some(_), _) => Fonte::Fc8,
            (None, Some(_)) => Fonte::Feed,
            (None, None) => Fonte::Dsu,
        }
    }
}

/// The incomes that deductions depend on (art. 4 c. 3 d, e and f).
struct Detraibili {
    dipendente: Euro,
    /// Pensions and treatments.
    pensioni: Euro,
    agrari: Euro,
}

impl Detraibili {
    /// Art. 4 c. 3 e and f: the shares of employees and of pensions. For one member they are alternative: the
    /// larger one counts.
    fn quote(&self, rules: &RuleSet) -> (Euro, Euro) {
        let law = &rules.law;
        let share = |quota: Ratio, massimo: Euro, of: Euro| (quota * of.positive()).min(massimo);
        let for_employees = share(law.dipendenti_quota, law.dipendenti_massimo, self.dipendente);
        let for_pensions = share(law.pensioni_quota, law.pensioni_massimo, self.pensioni);
        if for_employees >= for_pensions {
            (for_employees, Euro::ZERO)
        } else {
            (Euro::ZERO, for_pensions)
        }
    }
}

/// Art. 4 c. 2 and 3 for one member. FC8 gives an item, else the feed. FC4 is added: its items are in
/// neither.
pub(super) fn reddito(persona: &Persona<'_>, rules: &RuleSet) -> RedditoComponente {
    let dati = Dati::of(persona, rules);
    let incomes = dati.detraibili();
    let redditi = dati.redditi().0;
    let detrazioni = dati.detrazioni(&incomes, rules).0;
    let received = dati.trattamenti().positive();
    // The deduction of c. 3 f counts up to the income left by the others.
    let share = incomes.quote(rules).1;
    let left = (sum(&redditi).positive() - (sum(&detrazioni) - share)).positive();
    RedditoComponente {
        codice_fiscale: persona.foglio.codice_fiscale.clone(),
        fonte: dati.fonte(),
        redditi,
        detrazioni,
        corrente: dati.corrente(rules),
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
    let law = &rules.law;
    let mut voci = Voci::default();
    let most = law.locazione_massimo + law.locazione_figlio.times(after_second(figli.conviventi));
    let rent = nucleo.canone().unwrap_or(Euro::ZERO).min(most);
    voci.add("canone di locazione", "art. 4 c. 4 a", (rent, None));
    for (persona, reddito) in nucleo.persone.iter().zip(redditi) {
        let Some(disabilita) = &persona.foglio.disabilita else {
            continue;
        };
        if law.assistenza && regime != Regime::Residenziale {
            assistenza(persona, disabilita, reddito, &mut voci);
        }
        let franchise = franchigia(disabilita.grado_disabilita, persona.is_minor(presented), law);
        voci.add("franchigia per disabilità", "art. 4 c. 4 d", (franchise, None));
    }
    voci.0
}

/// Art. 4 c. 4 b and c. For a person in care, the residential fee takes the place of home help.
fn assistenza(persona: &Persona<'_>, disabilita: &Disabilita, reddito: &RedditoComponente, voci: &mut Voci) {
    if disabilita.flag_prest_residenziale {
        let fee = Euro::whole(disabilita.retta_versata).min(reddito.trattamenti);
        voci.add("retta per il ricovero", "art. 4 c. 4 c", (fee, None));
    } else if disabilita.grado_disabilita == GradoDisabilita::Nas {
        let fc8 = persona.foglio.altri_redditi.as_ref();
        let helpers = Euro::whole(fc8.and_then(|redditi| redditi.spese_collab_domestici));
        let help = (helpers + Euro::whole(disabilita.spese_assistenza)).min(reddito.trattamenti_netti);
        voci.add(
            "collaboratori domestici e assistenza personale",
            "art. 4 c. 4 b",
            (help, None),
        );
    }
}

/// Art. 4 c. 4 d: the franchise of a person with disability.
fn franchigia(grado: GradoDisabilita, minor: bool, law: &Law) -> Euro {
    match (grado, minor) {
        (GradoDisabilita::Dim, false) => law.franchigia_media,
        (GradoDisabilita::Dim, true) => law.franchigia_media_minore,
        (GradoDisabilita::Dig, false) => law.franchigia_grave,
        (GradoDisabilita::Dig, true) => law.franchigia_grave_minore,
        (GradoDisabilita::Nas, false) => law.franchigia_non_autosufficiente,
        (GradoDisabilita::Nas, true) => law.franchigia_non_autosufficiente_minore,
    }
}
