//! The ordinary indicator (DPCM 159/2013 art. 2 to 5, All. 1), line by line as the attestation prints it.
//!
//! One rounding to the cent a printed line, none inside a line; a printed line is computed from printed lines. Half a cent goes away
//! from zero. Net incomes and their sum may be negative and are printed so; ISR, deductions and the two nets of ISP stop at zero.

use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};

use super::attestazione::{ModalitaCalcolo, Valori};
use super::codes::{Importo, Ruolo, TipoAbitazione, TipoImmobile};
use super::codice_fiscale::CodiceFiscale;
use super::dsu::{ComponenteNucleo, Dichiarazione, ModelloBase};
use super::feed::{Feed, FeedRecord};
use super::foglio::{AltriRedditi, FoglioComponente, PatrimonioMobiliare};
use super::rules::{RuleSet, name};

/// The ordinary indicator with every line, and what each member brings.
#[derive(Clone, PartialEq)]
pub struct Calcolo {
    /// The lines of ModalitaCalcolo, rounded.
    pub modalita: ModalitaCalcolo,
    /// The ISEE, rounded.
    pub isee: Decimal,
    /// One for each member, in the order of the DSU.
    pub redditi: Vec<RedditoComponente>,
}

/// A member's income and what is deducted from it; unrounded.
#[derive(Clone, PartialEq)]
pub struct RedditoComponente {
    /// Who.
    pub codice_fiscale: CodiceFiscale,
    /// Where incomes come from.
    pub fonte: Fonte,
    /// Sum of art. 4 c. 2, maintenance received included.
    pub redditi: Decimal,
    /// Sum of art. 4 c. 3.
    pub detrazioni: Decimal,
}

/// Where a member's incomes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fonte {
    /// Sheet FC8 of the DSU.
    Fc8,
    /// The feed of the Revenue Agency and INPS.
    Feed,
    /// What the DSU itself declares, nothing else being known.
    Dsu,
}

/// Why nothing is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotComputable {
    /// No nucleus or no ordinary form: the checks refuse such a DSU.
    #[error("no nucleus or no ordinary form")]
    Incomplete,
    /// Numbers beyond what decimals hold.
    #[error("amounts out of range")]
    Overflow,
}

/// Computes the ordinary indicator of a DSU presented on `presented`.
pub fn ordinario(dsu: &Dichiarazione, presented: Date, rules: &RuleSet, feed: &dyn Feed) -> Result<Calcolo, NotComputable> {
    let nucleo = dsu.nucleo_familiare.as_ref().ok_or(NotComputable::Incomplete)?;
    let modello = dsu.ordinario().ok_or(NotComputable::Incomplete)?;
    let household = Household::of(&nucleo.componente_nucleo, modello, presented);
    // Incomes are those of the second year before presentation (art. 2 c. 6).
    let year = presented.year() - 2;
    let known: Vec<Option<FeedRecord>> =
        nucleo.componente_nucleo.iter().map(|c| feed.find(&c.foglio_componente_nucleo.codice_fiscale, year)).collect();

    let mut redditi = Vec::with_capacity(known.len());
    for (componente, record) in nucleo.componente_nucleo.iter().zip(&known) {
        redditi.push(reddito(&componente.foglio_componente_nucleo, record.as_ref(), rules));
    }
    let somma = round(redditi.iter().map(|r| r.redditi - r.detrazioni).sum());

    let assets = movable(&nucleo.componente_nucleo, &known, rules);
    let figurativo = round(assets.yielding * rules.get(name::RENDIMENTO));
    let detrazioni = round(rent_deduction(modello, &household, rules).min((somma + figurativo).max(Decimal::ZERO)));
    let isr = (somma + figurativo - detrazioni).max(Decimal::ZERO);

    let mobiliare = round(assets.total);
    let detrazione_mobiliare = round(movable_franchise(&household, rules).min(mobiliare));
    let real = real_estate(&nucleo.componente_nucleo, &household, rules);
    let immobiliare = round(real.gross);
    let detrazione_immobiliare = round(real.gross - real.net);
    let isp = (mobiliare - detrazione_mobiliare) + (immobiliare - detrazione_immobiliare);

    let ise = round(isr + rules.get(name::ISP_QUOTA) * isp);
    let (parametro, maggiorazioni) = scale(&household, rules);
    let scala = parametro + maggiorazioni;
    let isee = ise.checked_div(scala).map(round).ok_or(NotComputable::Overflow)?;

    let modalita = ModalitaCalcolo {
        somma_redditi_componenti: Importo(somma),
        somma_redditi_componenti_corrente: None,
        reddito_figurativo_patrimonio_mobiliare: Importo(figurativo),
        detrazioni: Importo(detrazioni),
        isr: Importo(isr),
        patrimonio_mobiliare: Importo(mobiliare),
        detrazione_patrimonio_mobiliare: Importo(detrazione_mobiliare),
        patrimonio_immobiliare: Importo(immobiliare),
        detrazione_patrimonio_immobiliare: Importo(detrazione_immobiliare),
        isp: Importo(isp),
        ise: Importo(ise),
        parametro_nucleo: Importo(parametro),
        maggiorazioni: Importo(maggiorazioni),
        scala_equivalenza: Importo(scala),
    };
    Ok(Calcolo { modalita, isee, redditi })
}

impl Calcolo {
    /// The five values of an indicator.
    pub fn valori(&self) -> Valori {
        let m = &self.modalita;
        Valori { ise: m.ise, scala_equivalenza: m.scala_equivalenza, isee: Importo(self.isee), isr: m.isr, isp: m.isp }
    }
}

/// One rounding to the cent, half away from zero.
pub fn round(amount: Decimal) -> Decimal {
    let mut rounded = amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(2);
    rounded
}

fn euros(amount: Option<u32>) -> Decimal {
    amount.map(Decimal::from).unwrap_or_default()
}

/// What the rules count in a nucleus.
struct Household {
    members: usize,
    /// Members counted in the scale: not in residential care, not in a registered community.
    counted: usize,
    /// Children: as declared, else as the roles say.
    children: u32,
    /// Children who live with the family: as declared, else as the roles say.
    cohabiting_children: u32,
    /// Members who are minor children.
    minors: usize,
    /// Whether one of them is under three.
    toddler: bool,
    disabled: usize,
    parents_work: bool,
    lone_parent: bool,
}

impl Household {
    fn of(componenti: &[ComponenteNucleo], modello: &ModelloBase, presented: Date) -> Self {
        let role = |wanted: &[Ruolo]| componenti.iter().filter(|c| wanted.contains(&c.rapporto_con_dichiarante)).count();
        let sheets = || componenti.iter().map(|c| &c.foglio_componente_nucleo);
        let conditions = modello.condizioni_nucleo.as_ref();
        let by_role = |roles: &[Ruolo]| u32::try_from(role(roles)).unwrap_or(u32::MAX);
        let born = |c: &ComponenteNucleo| c.foglio_componente_nucleo.dati_componente.anagrafica.data_nascita;
        let children = conditions.and_then(|c| c.numero_figli);
        Self {
            members: componenti.len(),
            counted: sheets().filter(|sheet| !is_hosted(sheet)).count(),
            children: children.unwrap_or_else(|| by_role(&[Ruolo::F, Ruolo::Ma, Ruolo::Fc, Ruolo::Fnc])),
            cohabiting_children: conditions
                .and_then(|c| c.numero_figli_conviventi)
                .unwrap_or_else(|| by_role(&[Ruolo::F, Ruolo::Ma, Ruolo::Fc])),
            minors: role(&[Ruolo::F, Ruolo::Ma]),
            toddler: componenti
                .iter()
                .any(|c| matches!(c.rapporto_con_dichiarante, Ruolo::F | Ruolo::Ma) && super::age(born(c), presented) < 3),
            disabled: sheets().filter(|sheet| sheet.disabilita.is_some()).count(),
            parents_work: conditions.is_some_and(|c| c.flag_lavoro_genitori),
            lone_parent: conditions.is_some_and(|c| c.flag_unico_genitore),
        }
    }
}

/// In residential care or in a registered community (All. 1 e).
fn is_hosted(sheet: &FoglioComponente) -> bool {
    sheet.dati_componente.flag_convivenza_anagrafica || sheet.disabilita.as_ref().is_some_and(|d| d.flag_prest_residenziale)
}

/// Art. 4 c. 2 and 3 for one member. Of FC8 and the feed the first that has an item gives it; FC4 is added, but for the income under
/// substitute tax, which the other two replace.
fn reddito(sheet: &FoglioComponente, record: Option<&FeedRecord>, rules: &RuleSet) -> RedditoComponente {
    // Integrations and corrections come by operations of their own; in a new DSU only an exempt person's sheet counts.
    let fc8 = sheet.altri_redditi.as_ref().filter(|incomes| incomes.flag_esonerato);
    let item = |from_fc8: fn(&AltriRedditi) -> Option<Decimal>, from_feed: fn(&FeedRecord) -> Option<Decimal>| {
        fc8.and_then(from_fc8).or_else(|| record.and_then(from_feed))
    };
    let fc4 = sheet.redditi_da_dichiarare.as_ref();
    let declared = |field: fn(&super::foglio::RedditiDaDichiarare) -> Option<u32>| euros(fc4.and_then(field));

    let irpef = item(|r| r.reddito_irpef, |f| f.reddito_irpef).unwrap_or_default();
    let employee = item(|r| r.lavoro_dipendente.map(Decimal::from), |f| f.lavoro_dipendente).unwrap_or_default();
    let pension = item(|r| r.pensione.map(Decimal::from), |f| f.pensione).unwrap_or_default();
    let agrarian = item(|r| r.redditi_agrari.map(Decimal::from), |f| f.redditi_agrari).unwrap_or_default();
    let substitute = item(|r| r.redditi_imp_sost.map(Decimal::from), |f| f.redditi_imposta_sostitutiva)
        .unwrap_or_else(|| declared(|r| r.reddito_imp_sost));
    let treatments =
        item(|r| r.trattamenti_assistenziali, |f| f.trattamenti).unwrap_or_default() + declared(|r| r.trattamenti_assistenziali);
    let expenses = item(|r| r.spese_detrazione.map(Decimal::from), |f| f.spese_detrazione).unwrap_or_default()
        + item(|r| r.spese_deduzione.map(Decimal::from), |f| f.spese_deduzione).unwrap_or_default();

    let periodic = sheet.assegni_periodici.as_ref();
    let redditi = irpef
        + substitute
        + declared(|r| r.redditi_esenti_imposta)
        + declared(|r| r.redditi_irap)
        + declared(|r| r.redditi_fondiari)
        + declared(|r| r.redditi_tassati_estero)
        + declared(|r| r.redditi_aire)
        + declared(|r| r.redditi_fondiari_estero)
        + treatments
        + euros(periodic.and_then(|p| p.assegni_figli));

    let share = |quota, massimo, of: Decimal| (rules.get(quota) * of.max(Decimal::ZERO)).min(rules.get(massimo));
    let for_employees = share(name::DIPENDENTI_QUOTA, name::DIPENDENTI_MASSIMO, employee);
    let for_pensions = share(name::PENSIONI_QUOTA, name::PENSIONI_MASSIMO, pension + treatments);
    let for_disabled = match sheet.disabilita {
        Some(_) => expenses.min(rules.get(name::SPESE_DISABILI_MASSIMO)),
        None => Decimal::ZERO,
    };
    let detrazioni = euros(periodic.and_then(|p| p.assegni_coniuge))
        + euros(periodic.and_then(|p| p.assegni_genitore))
        + for_disabled
        + agrarian
        + for_employees.max(for_pensions);
    let fonte = match (fc8, record) {
        (Some(_), _) => Fonte::Fc8,
        (None, Some(_)) => Fonte::Feed,
        (None, None) => Fonte::Dsu,
    };
    RedditoComponente { codice_fiscale: sheet.codice_fiscale.clone(), fonte, redditi, detrazioni }
}

/// Art. 4 c. 4 a: the rent of the home.
fn rent_deduction(modello: &ModelloBase, household: &Household, rules: &RuleSet) -> Decimal {
    let rented = modello.abitazione.tipo_abitazione == TipoAbitazione::Locazione;
    let canone = modello.abitazione.locazione.as_ref().filter(|_| rented).map(|l| Decimal::from(l.canone)).unwrap_or_default();
    let most = rules.get(name::LOCAZIONE_MASSIMO) + rules.get(name::LOCAZIONE_FIGLIO) * after_second(household.cohabiting_children);
    canone.min(most)
}

struct Movable {
    /// All that counts.
    total: Decimal,
    /// What the figurative income is computed on: deposits and accounts left out.
    yielding: Decimal,
}

/// Art. 5 c. 4: movable assets of the nucleus, without what L. 213/2023 art. 1 c. 183 leaves out.
fn movable(componenti: &[ComponenteNucleo], known: &[Option<FeedRecord>], rules: &RuleSet) -> Movable {
    let (mut accounts, mut others) = (Decimal::ZERO, Decimal::ZERO);
    for assets in componenti.iter().filter_map(|c| c.foglio_componente_nucleo.patrimonio_mobiliare.as_ref()) {
        accounts += accounts_of(assets);
        others += assets.rapporto.iter().filter(|r| !r.tipo_rapporto.is_account()).map(|r| euros(r.valore)).sum::<Decimal>();
    }
    let sum = |field: fn(&FeedRecord) -> Option<Decimal>| -> Decimal { known.iter().flatten().filter_map(field).sum() };
    let most = rules.get(name::TITOLI_ESCLUSI);
    let bonds = (sum(|f| f.titoli_di_stato) + sum(|f| f.buoni_postali)).min(most).min(others);
    let books = sum(|f| f.libretti_postali).min(most - bonds).min(accounts);
    Movable { total: accounts + others - bonds - books, yielding: others - bonds }
}

/// Art. 5 c. 4 a, for one person: the larger of balances and averages; the balances also where lower, if at least the difference went into
/// other assets.
fn accounts_of(assets: &PatrimonioMobiliare) -> Decimal {
    let accounts = || assets.rapporto.iter().filter(|r| r.tipo_rapporto.is_account());
    let balances: Decimal = accounts().map(|r| euros(r.saldo_3112)).sum();
    let averages: Decimal = accounts().map(|r| euros(r.consistenza_media)).sum();
    let increase = assets.incremento.as_ref().map(|i| euros(i.incremento_immobiliare) + euros(i.incremento_mobiliare)).unwrap_or_default();
    if increase > Decimal::ZERO && increase >= averages - balances { balances } else { balances.max(averages) }
}

/// Art. 5 c. 6.
fn movable_franchise(household: &Household, rules: &RuleSet) -> Decimal {
    let further = Decimal::from(household.members.saturating_sub(1));
    let by_members = rules.get(name::MOBILIARE_FRANCHIGIA) + rules.get(name::MOBILIARE_COMPONENTE) * further;
    by_members.min(rules.get(name::MOBILIARE_MASSIMO)) + rules.get(name::MOBILIARE_FIGLIO) * after_second(household.children)
}

struct RealEstate {
    gross: Decimal,
    net: Decimal,
}

/// Art. 5 c. 2 and 3: values net of mortgages; of the home, whose shares are summed, two thirds of what exceeds the franchise.
fn real_estate(componenti: &[ComponenteNucleo], household: &Household, rules: &RuleSet) -> RealEstate {
    let (mut gross, mut home, mut others) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
    let all = componenti.iter().filter_map(|c| c.foglio_componente_nucleo.patrimonio_immobiliare.as_ref()).flat_map(|p| &p.patrimonio);
    for each in all {
        let value = Decimal::from(each.valore_imu);
        let net = (value - euros(each.mutuo_residuo)).max(Decimal::ZERO);
        gross += value;
        if each.flag_abitazione && each.tipo_patrimonio == TipoImmobile::F {
            home += net;
        } else {
            others += net;
        }
    }
    let franchise = rules.get(name::CASA_FRANCHIGIA) + rules.get(name::CASA_FIGLIO) * after_second(household.cohabiting_children);
    let excess = (home - franchise).max(Decimal::ZERO);
    let counted = excess * rules.get(name::CASA_QUOTA_NUMERATORE) / rules.get(name::CASA_QUOTA_DENOMINATORE).max(Decimal::ONE);
    RealEstate { gross, net: counted + others }
}

/// All. 1: the parameter and what is added to it.
fn scale(household: &Household, rules: &RuleSet) -> (Decimal, Decimal) {
    let parameter = match household.counted {
        0 => Decimal::ZERO,
        members => {
            let listed = members.min(name::SCALA.len());
            rules.get(name::SCALA[listed - 1]) + rules.get(name::SCALA_ULTERIORE) * Decimal::from(members - listed)
        }
    };
    let children = match household.children {
        0..=2 => Decimal::ZERO,
        3 => rules.get(name::FIGLI[0]),
        4 => rules.get(name::FIGLI[1]),
        _ => rules.get(name::FIGLI[2]),
    };
    let work = match (household.minors > 0 && (household.parents_work || household.lone_parent), household.toddler) {
        (false, _) => Decimal::ZERO,
        (true, false) => rules.get(name::LAVORO),
        (true, true) => rules.get(name::LAVORO_TRE_ANNI),
    };
    let disabled = rules.get(name::DISABILITA) * Decimal::from(household.disabled);
    let hosted = rules.get(name::RICOVERATO) * Decimal::from(household.members - household.counted);
    (parameter, children + work + disabled + hosted)
}

fn after_second(children: u32) -> Decimal {
    Decimal::from(children.saturating_sub(2))
}
