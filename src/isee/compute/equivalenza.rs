//! The scale of equivalence of a nucleus: All. 1.

use super::super::age;
use super::super::codes::Ruolo;
use super::super::dsu::NucleoComponenteAggiuntiva;
use super::super::money::Ratio;
use super::super::rules::RuleSet;
use super::nucleo::{Figli, NucleoDaCalcolare, Regime};
use super::scala::{Maggiorazione, Scala};
use jiff::civil::Date;

/// The figures behind the scale, from members or from declared numbers.
struct Numbers {
    members: usize,
    /// Members in residential care or in a registered community.
    hosted: usize,
    children: u32,
    work: Option<Ratio>,
    disabled: usize,
}

/// The scale of a nucleus with known members.
pub(super) fn scala(
    nucleo: &NucleoDaCalcolare<'_>,
    figli: &Figli,
    presented: Date,
    rules: &RuleSet,
    regime: Regime,
) -> Scala {
    // Members in care are left out. Each adds 1.00, and a disability (L. 89/2016).
    let members = || nucleo.persone.iter().filter(|persona| !persona.is_hosted());
    let hosted = nucleo.persone.len() - members().count();
    let hosted_children = nucleo
        .persone
        .iter()
        .filter(|persona| persona.is_hosted() && persona.ruolo.is_figlio())
        .count();
    // By their age: any member may declare, so children of the family are not always the declarant's.
    let mut minors = members()
        .filter(|persona| persona.is_minor(presented) && !matches!(persona.ruolo, Ruolo::D | Ruolo::C))
        .peekable();
    // A lone parent and minors, nobody else.
    let alone =
        nucleo.condizioni.solo && members().filter(|persona| !persona.is_minor(presented)).count() <= 1;
    let applies = minors.peek().is_some() && (nucleo.condizioni.lavoro || alone);
    let toddler =
        minors.any(|persona| age(persona.foglio.dati_componente.anagrafica.data_nascita, presented) < 3);
    let numbers = Numbers {
        members: nucleo.persone.len(),
        hosted,
        children: figli
            .tutti
            .saturating_sub(u32::try_from(hosted_children).unwrap_or(u32::MAX)),
        work: applies.then_some(if toddler {
            rules.law.lavoro_tre_anni
        } else {
            rules.law.lavoro
        }),
        disabled: nucleo
            .persone
            .iter()
            .filter(|persona| persona.grado().is_some())
            .count(),
    };
    of(&numbers, rules, regime)
}

/// The scale of a nucleus known in numbers only, of a parent or a child outside.
pub(super) fn scala_di(nucleo: &NucleoComponenteAggiuntiva, rules: &RuleSet, regime: Regime) -> Scala {
    let number = |present: bool, number: Option<u32>| if present { number.unwrap_or(0) as usize } else { 0 };
    let hosted = number(nucleo.flag_presenza_ricoverato, nucleo.numero_ricoverati)
        + number(nucleo.flag_presenza_convivente, nucleo.numero_conviventi);
    let members = nucleo.numero_componenti as usize;
    let hosted = hosted.min(members);
    let applies =
        nucleo.flag_presenza_minorenne && (nucleo.flag_attivita_lavorativa || nucleo.flag_genitore_solo);
    let numbers = Numbers {
        members,
        hosted,
        children: nucleo.numero_figli.unwrap_or(0),
        // Whether a child is under three is not declared.
        work: applies.then_some(rules.law.lavoro),
        disabled: (number(nucleo.flag_disabilita_media, nucleo.numero_disabili_media)
            + number(nucleo.flag_disabilita_grave, nucleo.numero_disabili_grave)
            + number(nucleo.flag_non_autosufficienti, nucleo.numero_non_autosuff))
        .min(members),
    };
    of(&numbers, rules, regime)
}

fn of(numbers: &Numbers, rules: &RuleSet, regime: Regime) -> Scala {
    // A person alone is a nucleus, in care or not (art. 3 c. 6). With all members in care, one of them stands
    // for the nucleus.
    let counted = (numbers.members - numbers.hosted).max(1);
    let added = numbers.members.saturating_sub(counted);
    let law = &rules.law;
    let scale = [law.scala_1, law.scala_2, law.scala_3, law.scala_4, law.scala_5];
    let listed = counted.min(scale.len());
    let parametro = scale[listed - 1] + law.scala_ulteriore.times(counted - listed);
    let children = match (regime, numbers.children) {
        (Regime::Specifico, 2) => law.specifico_figli_2,
        (Regime::Specifico, 3) => law.specifico_figli_3,
        (Regime::Specifico, 4) => law.specifico_figli_4,
        (Regime::Specifico, 5..) => law.specifico_figli_5,
        (_, 0..=2) => None,
        (_, 3) => Some(law.figli_3),
        (_, 4) => Some(law.figli_4),
        (_, _) => Some(law.figli_5),
    };
    let voci = [
        ("figli", "All. 1 a", children),
        (
            "minori e genitori al lavoro, o genitore solo",
            "All. 1 b",
            numbers.work,
        ),
        (
            "componenti con disabilità",
            "All. 1, L. 89/2016 art. 2-sexies",
            Some(law.disabilita.times(numbers.disabled)),
        ),
        (
            "componenti in convivenza o ricoverati",
            "All. 1 e",
            Some(law.ricoverato.times(added)),
        ),
    ];
    let voci = voci.into_iter().filter_map(|(nome, norma, valore)| {
        let valore = valore.filter(|valore| !valore.is_zero())?;
        Some(Maggiorazione { nome, valore, norma })
    });
    Scala {
        componenti: counted,
        parametro,
        voci: voci.collect(),
    }
}
