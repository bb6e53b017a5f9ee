//! Assets: art. 5.

use rust_decimal::Decimal;

use super::super::codes::{TipoAbitazione, TipoImmobile};
use super::super::codice_fiscale::CodiceFiscale;
use super::super::dsu::Donazione;
use super::super::foglio::{PatrimonioMobiliare, RapportoFinanziario};
use super::super::money::{Euro, Ratio};
use super::super::rules::RuleSet;
use super::nucleo::{Figli, NucleoDaCalcolare, Regime, after_second};

/// The movable assets of a nucleus; unrounded.
#[derive(Clone, PartialEq)]
pub struct Mobiliare {
    /// Deposits and accounts, one entry for each holder.
    pub conti: Vec<Conti>,
    /// Sum of all other assets.
    pub altri: Euro,
    /// Government bonds and postal savings bonds left out (L. 213/2023 art. 1 c. 183).
    pub titoli_esclusi: Euro,
    /// Postal savings books left out, by the same law.
    pub libretti_esclusi: Euro,
    /// Sum of the assets, less the bonds and books left out.
    pub totale: Euro,
    /// Base of the figurative income: other assets, without deposits and accounts, less the bonds left out.
    pub fruttifero: Euro,
    /// Franchise: the most to deduct from the total (art. 5 c. 6).
    pub franchigia: Euro,
}

/// A person's deposits and accounts (art. 5 c. 4 a).
#[derive(Clone, PartialEq)]
pub struct Conti {
    /// Codice fiscale of the holder.
    pub codice_fiscale: CodiceFiscale,
    /// Sum of the balances at 31 December.
    pub saldi: Euro,
    /// Sum of the averages.
    pub giacenze: Euro,
    /// Net increase of other assets.
    pub incremento: Euro,
    /// The amount counted: the balances, or the larger of balances and averages.
    pub conta: Euro,
}

/// The real estate of a nucleus; unrounded.
#[derive(Clone, PartialEq)]
pub struct Immobiliare {
    /// Each building or land.
    pub immobili: Vec<Immobile>,
    /// Sum of the values.
    pub lordo: Euro,
    /// The home, all shares: the values less the mortgages.
    pub casa: Euro,
    /// Franchise of the home, deducted from `casa`.
    pub franchigia: Euro,
    /// The home's part of ISP: two thirds of its value above the franchise.
    pub casa_conta: Euro,
    /// All else: the values less the mortgages.
    pub altri: Euro,
}

/// A building or land.
#[derive(Clone, PartialEq)]
pub struct Immobile {
    /// Codice fiscale of the owner; of a gift, the recipient's.
    pub codice_fiscale: CodiceFiscale,
    /// Building, agricultural land or building land.
    pub tipo: TipoImmobile,
    /// Value for IMU of the owned share; of a gift, of the given share.
    pub valore: Euro,
    /// Residual mortgage, up to the value.
    pub mutuo: Euro,
    /// Whether it is the home.
    pub casa: bool,
    /// Whether it was given away, and counts nevertheless.
    pub donato: bool,
}

impl Immobiliare {
    /// Net value for ISP: the home above the franchise, and all else.
    pub fn netto(&self) -> Euro {
        self.casa_conta + self.altri
    }
}

/// Art. 5 c. 4 to 6, without the assets left out by L. 213/2023 art. 1 c. 183.
pub(super) fn mobiliare(nucleo: &NucleoDaCalcolare<'_>, figli: &Figli, rules: &RuleSet) -> Mobiliare {
    let (mut conti, mut altri) = (Vec::new(), Euro::ZERO);
    // Assets left out: the feed's amounts, up to the person's declared ones.
    let (mut bonds, mut books) = (Euro::ZERO, Euro::ZERO);
    for persona in &nucleo.persone {
        let Some(assets) = persona.mobiliare() else {
            continue;
        };
        let others = assets
            .rapporto
            .iter()
            .filter(|r| !r.tipo_rapporto.is_account())
            .map(|r| Euro::whole(r.valore))
            .sum::<Euro>();
        let mut held = Euro::ZERO;
        if assets
            .rapporto
            .iter()
            .any(|rapporto| rapporto.tipo_rapporto.is_account())
        {
            let own = accounts(&persona.foglio.codice_fiscale, assets);
            held = own.conta;
            conti.push(own);
        }
        altri += others;
        // The feed is of another day than assets changed since.
        if let Some(noto) = persona.noto.as_ref().filter(|_| !persona.has_new_movable()) {
            let known =
                |of: &[Option<Decimal>]| of.iter().flatten().map(|amount| Euro::new(*amount)).sum::<Euro>();
            bonds += known(&[noto.titoli_di_stato, noto.buoni_postali]).min(others);
            books += known(&[noto.libretti_postali]).min(held);
        }
    }
    let accounts: Euro = conti.iter().map(|conti| conti.conta).sum();
    let most = rules.law.titoli_esclusi;
    let titoli_esclusi = bonds.min(most);
    let libretti_esclusi = books.min(most - titoli_esclusi);

    let further = u32::try_from(nucleo.persone.len().saturating_sub(1)).unwrap_or(u32::MAX);
    let by_members = rules.law.mobiliare_franchigia + rules.law.mobiliare_componente.times(further);
    let franchigia = by_members.min(rules.law.mobiliare_massimo)
        + rules.law.mobiliare_figlio.times(after_second(figli.tutti));
    Mobiliare {
        totale: accounts + altri - titoli_esclusi - libretti_esclusi,
        fruttifero: altri - titoli_esclusi,
        conti,
        altri,
        titoli_esclusi,
        libretti_esclusi,
        franchigia,
    }
}

/// The larger of balances and averages; the balances also where lower, if more than the difference went into
/// other assets (art. 5 c. 4 a). An earlier method accepted a relation with its value alone: the value is
/// then its balance and average.
fn accounts(of: &CodiceFiscale, assets: &PatrimonioMobiliare) -> Conti {
    let accounts = || assets.rapporto.iter().filter(|r| r.tipo_rapporto.is_account());
    let value = |r: &RapportoFinanziario| {
        if r.saldo_3112.or(r.consistenza_media).is_none() {
            r.valore
        } else {
            None
        }
    };
    let saldi: Euro = accounts()
        .map(|r| Euro::whole(r.saldo_3112.or_else(|| value(r))))
        .sum();
    let giacenze: Euro = accounts()
        .map(|r| Euro::whole(r.consistenza_media.or_else(|| value(r))))
        .sum();
    let incremento = assets
        .incremento
        .as_ref()
        .map(|i| Euro::whole(i.incremento_immobiliare) + Euro::whole(i.incremento_mobiliare))
        .unwrap_or(Euro::ZERO);
    let conta = if incremento > giacenze - saldi {
        saldi
    } else {
        saldi.max(giacenze)
    };
    Conti {
        codice_fiscale: of.clone(),
        saldi,
        giacenze,
        incremento,
        conta,
    }
}

/// Art. 5 c. 2 and 3: values net of mortgages. The shares of the home are summed, and two thirds of their
/// value above the franchise count. Real estate given away counts as if still owned (art. 6 c. 3 c).
pub(super) fn immobiliare(
    nucleo: &NucleoDaCalcolare<'_>,
    figli: &Figli,
    rules: &RuleSet,
    regime: Regime,
) -> Immobiliare {
    let mut immobili = Vec::new();
    for persona in &nucleo.persone {
        for each in persona.immobiliare().iter().flat_map(|estate| &estate.patrimonio) {
            let valore = Euro::whole(Some(each.valore_imu));
            immobili.push(Immobile {
                codice_fiscale: persona.foglio.codice_fiscale.clone(),
                tipo: each.tipo_patrimonio,
                valore,
                mutuo: Euro::whole(each.mutuo_residuo).min(valore),
                casa: each.flag_abitazione
                    && each.tipo_patrimonio == TipoImmobile::F
                    && nucleo.owns_home()
                    && !persona.altrove,
                donato: false,
            });
        }
    }
    immobili.extend(nucleo.donazioni.iter().map(|donazione| Immobile {
        codice_fiscale: donazione.codice_fiscale_ricevente.clone(),
        tipo: donazione.tipo_immobile,
        valore: donazione.valore_donato(),
        mutuo: Euro::ZERO,
        casa: false,
        donato: true,
    }));
    let net = |home: bool| {
        immobili
            .iter()
            .filter(|each| each.casa == home)
            .map(|each| each.valore - each.mutuo)
            .sum::<Euro>()
    };
    let (casa, altri) = (net(true), net(false));
    let franchigia = home_franchise(nucleo, figli, rules, regime);
    let excess = (casa - franchigia).positive();
    let casa_conta = (rules.law.casa_quota_numeratore * excess)
        .over(rules.law.casa_quota_denominatore)
        .unwrap_or(excess);
    Immobiliare {
        lordo: immobili.iter().map(|each| each.valore).sum(),
        immobili,
        casa,
        franchigia,
        casa_conta,
        altri,
    }
}

fn home_franchise(nucleo: &NucleoDaCalcolare<'_>, figli: &Figli, rules: &RuleSet, regime: Regime) -> Euro {
    let law = &rules.law;
    let ordinary = || law.casa_franchigia + law.casa_figlio.times(after_second(figli.conviventi));
    if regime != Regime::Specifico {
        return ordinary();
    }
    let capital = nucleo.abitazione.is_some_and(|home| {
        rules
            .capoluoghi()
            .contains(&home.indirizzo_abitazione.codice_comune)
    });
    let base = if capital {
        law.specifico_casa_capoluogo
    } else {
        law.specifico_casa
    };
    // A period without a specific ISEE has the ordinary franchise for every regime.
    base.zip(law.specifico_casa_figlio)
        .map_or_else(ordinary, |(base, each)| {
            base + each.times(figli.conviventi.saturating_sub(1))
        })
}

impl NucleoDaCalcolare<'_> {
    /// Whether the home may be the nucleus's own: neither rented nor had for nothing. Without a declared
    /// home, the flagged real estate counts.
    fn owns_home(&self) -> bool {
        self.abitazione
            .is_none_or(|home| home.tipo_abitazione == TipoAbitazione::Proprieta)
    }
}

impl Donazione {
    /// Value of the gift. The value for IMU is the owned share's.
    pub fn valore_donato(&self) -> Euro {
        let given = self.quota_donata.max(Decimal::ZERO).min(self.quota_posseduta);
        let value = Ratio::new(given) * Euro::whole(Some(self.valore_imu));
        // Without an owned share there is no gift.
        value.over(Ratio::new(self.quota_posseduta)).unwrap_or(Euro::ZERO)
    }
}
