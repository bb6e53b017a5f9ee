//! K14 and K15: parents and children elsewhere, residential services. It calls K13 and K16 for each form.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;

use jiff::civil::Date;

use super::super::age;
use super::super::codes::TipoModello;
use super::super::codice_fiscale::CodiceFiscale;
use super::super::dsu::{
    ComponenteAggiuntiva, DatiFiglio, DatiGenitore, DettaglioFiglio, DettaglioGenitoreNonConvivente,
    FiglioNonCompresoNelNucleo, GenitoreNonConvivente, ModelloBase, NucleoComponenteAggiuntiva, Residenziale,
};
use super::super::foglio::FoglioComponente;
use super::indice::member;
use super::nucleo::code;
use super::{Check, Circumstance, Esame, Indice, casa, patrimonio, ristretto, step, studente};

pub(super) fn examine(indice: &Indice<'_>, circumstance: &Circumstance<'_>, esame: &mut Esame) {
    let dsu = indice.dsu;
    let (mut students, mut beneficiaries) = (HashSet::new(), HashSet::new());
    let mut named = Nominati {
        presented: indice.giorno,
        by: HashMap::new(),
    };
    for (index, modello) in dsu.modello_base.iter().enumerate() {
        let path = step(&"/Dichiarazione", "ModelloBase", index, dsu.modello_base.len());
        for (place, student) in modello.universitario.iter().enumerate() {
            let path = step(&path, "Universitario", place, modello.universitario.len());
            studente::examine(indice, student, &path, circumstance, esame);
            if !students.insert(&student.codice_fiscale_beneficiario) {
                esame.refuse(
                    Check::K13Doppio,
                    format_args!("{path}/@CodiceFiscaleBeneficiario"),
                    "studente già indicato",
                );
            }
        }
        for (place, parent) in modello.genitore_non_convivente.iter().enumerate() {
            let path = step(
                &path,
                "GenitoreNonConvivente",
                place,
                modello.genitore_non_convivente.len(),
            );
            genitore(indice, parent, &path, circumstance, esame);
            named.examine(indice, (index, parent), &path, esame);
        }
        let own = modello.beneficiario();
        residenziali(
            indice,
            (&modello.residenziale, own),
            |place, of| step(&path, "Residenziale", place, of),
            circumstance,
            esame,
        );
        nucleo_ristretto(indice, (modello, own), &mut beneficiaries, &path, esame);
    }
    integrazioni(indice, circumstance, esame);
}

/// K16: a restricted nucleus stands in a RID form, and in no other; `own` is its beneficiary.
fn nucleo_ristretto<'a>(
    indice: &Indice<'_>,
    (modello, own): (&'a ModelloBase, Option<&'a CodiceFiscale>),
    seen: &mut HashSet<&'a CodiceFiscale>,
    path: &dyn Display,
    esame: &mut Esame,
) {
    match (modello.tipo, &modello.nucleo_ristretto) {
        (TipoModello::Rid, Some(nucleo)) => {
            let again = own.is_some_and(|own| !seen.insert(own));
            let path = format_args!("{path}/NucleoRistretto");
            ristretto::examine(indice, nucleo, again, &path, esame);
        }
        (TipoModello::Rid, None) => {
            esame.refuse(Check::K16Nucleo, path, "ModelloBase RID senza NucleoRistretto")
        }
        (TipoModello::Ord, Some(_)) => {
            esame.refuse(
                Check::K16Nucleo,
                format_args!("{path}/NucleoRistretto"),
                "NucleoRistretto in un ModelloBase ORD",
            );
        }
        (TipoModello::Ord, None) => {}
    }
}

/// K15 and K14, for the forms that complete a DSU received before.
fn integrazioni(indice: &Indice<'_>, circumstance: &Circumstance<'_>, esame: &mut Esame) {
    let dsu = indice.dsu;
    if let Some(integrazione) = &dsu.integrazione_residenziale {
        let all = &integrazione.componente_per_integrazione_residenziale;
        let path = |place, of| {
            step(
                &"/Dichiarazione/IntegrazioneResidenziale",
                "ComponentePerIntegrazioneResidenziale",
                place,
                of,
            )
        };
        residenziali(indice, (all, None), path, circumstance, esame);
    }
    if let Some(added) = &dsu.integrazione_componente_aggiuntiva {
        let added = &added.componente_per_integrazione_aggiuntiva;
        let path = "/Dichiarazione/IntegrazioneComponenteAggiuntiva/ComponentePerIntegrazioneAggiuntiva";
        let data = (
            Some(&added.foglio_componente_aggiuntiva),
            &added.componente_aggiuntiva,
        );
        let names = ("FoglioComponenteAggiuntiva", "ComponenteAggiuntiva");
        let own = added.foglio_componente_aggiuntiva.codice_fiscale.clone();
        outside(
            &own,
            data,
            names,
            &path,
            ("K14", Numeri::Possono),
            (circumstance, indice.giorno),
            esame,
        );
    }
}

/// K14: the children named by the parents seen so far.
struct Nominati<'a> {
    /// Day for the ages of the children.
    presented: Date,
    by: HashMap<&'a CodiceFiscale, Nominato<'a>>,
}

/// The parents of one minor, by the forms seen so far.
struct Nominato<'a> {
    /// The first parent to name the minor.
    first: &'a CodiceFiscale,
    /// Whether another parent named the minor too.
    others: bool,
    /// Index of the last form with the minor.
    form: usize,
}

impl<'a> Nominati<'a> {
    /// The layout has room for one parent in a minor's indicator. The same parent may stand in another form
    /// too.
    fn examine(
        &mut self,
        indice: &Indice<'_>,
        (form, parent): (usize, &'a GenitoreNonConvivente),
        path: &dyn Display,
        esame: &mut Esame,
    ) {
        if parent.flag_genitore_escluso {
            return;
        }
        let minor = |foglio: &FoglioComponente| {
            age(foglio.dati_componente.anagrafica.data_nascita, self.presented) < 18
        };
        let codes = parent.beneficiario.iter().map(|child| &child.codice_fiscale);
        let minors: Vec<_> = codes
            .filter(|child| indice.foglio(child).is_some_and(minor))
            .collect();
        for child in &minors {
            let earlier = self.by.get(child);
            if earlier.is_some_and(|earlier| {
                earlier.form == form || earlier.others || *earlier.first != parent.codice_fiscale
            }) {
                esame.refuse(
                    Check::K14Doppio,
                    path,
                    "per questo minorenne è già indicato un altro genitore non convivente",
                );
            }
        }
        // A parent naming a child twice is one parent.
        for child in minors {
            let named = self.by.entry(child).or_insert(Nominato {
                first: &parent.codice_fiscale,
                others: false,
                form,
            });
            named.others |= *named.first != parent.codice_fiscale;
            named.form = form;
        }
    }
}

/// K14, for one parent.
fn genitore(
    indice: &Indice<'_>,
    parent: &GenitoreNonConvivente,
    path: &dyn Display,
    circumstance: &Circumstance<'_>,
    esame: &mut Esame,
) {
    let own = format_args!("{path}/@CodiceFiscale");
    code(&parent.codice_fiscale, &own, esame);
    if indice.is_membro(&parent.codice_fiscale) {
        esame.refuse(
            Check::K14Convivente,
            own,
            "il genitore non convivente fa parte del nucleo",
        );
    }
    beneficiari(indice, parent, path, esame);
    let any = parent.flag_genitore_escluso || parent.flag_coniugato_con_persona_diversa;
    if parent.flag_alcuna_condizione == any {
        let text = "FlagAlcunaCondizione è vero quando FlagGenitoreEscluso e FlagConiugatoConPersonaDiversa sono falsi, e solo allora";
        esame.refuse(
            Check::K14Condizioni,
            format_args!("{path}/@FlagAlcunaCondizione"),
            text,
        );
    }
    if parent.flag_genitore_escluso && parent.dati.is_some() {
        esame.refuse(
            Check::K14Escluso,
            path,
            "il genitore escluso non conta: i suoi dati non vanno indicati",
        );
    }
    if let Some(DatiGenitore::Dettaglio(detail)) = &parent.dati {
        let path = format_args!("{path}/DettaglioGenitoreNonConvivente");
        dettaglio_genitore(indice, (parent, detail), &path, circumstance, esame);
    }
}

/// K14: the beneficiaries are members, minors or students.
fn beneficiari(indice: &Indice<'_>, parent: &GenitoreNonConvivente, path: &dyn Display, esame: &mut Esame) {
    for (place, child) in parent.beneficiario.iter().enumerate() {
        if !member(indice, &child.codice_fiscale) {
            let path = step(path, "Beneficiario", place, parent.beneficiario.len());
            esame.refuse(
                Check::K14Beneficiario,
                format_args!("{path}/@CodiceFiscale"),
                "il beneficiario non fa parte del nucleo",
            );
        } else if indice
            .nascita(&child.codice_fiscale)
            .is_some_and(|born| age(born, indice.giorno) >= 18)
            && !indice.is_studente(&child.codice_fiscale)
        {
            let path = step(path, "Beneficiario", place, parent.beneficiario.len());
            let text = "il beneficiario è maggiorenne, e di lui non è chiesto l'indicatore per l'università";
            esame.refuse(
                Check::K14Beneficiario,
                format_args!("{path}/@CodiceFiscale"),
                text,
            );
        }
    }
}

/// K14, for the detail of a parent's data.
fn dettaglio_genitore(
    indice: &Indice<'_>,
    (parent, detail): (&GenitoreNonConvivente, &DettaglioGenitoreNonConvivente),
    path: &dyn Display,
    circumstance: &Circumstance<'_>,
    esame: &mut Esame,
) {
    let sheet = detail.foglio_componente_genitore.as_ref();
    if let Some(born) = sheet.map(|sheet| sheet.dati_componente.anagrafica.data_nascita) {
        let children = parent
            .beneficiario
            .iter()
            .filter_map(|child| indice.nascita(&child.codice_fiscale));
        let path = format_args!("{path}/FoglioComponenteGenitore/DatiComponente/Anagrafica/@DataNascita");
        if age(born, indice.giorno) < 18 {
            esame.refuse(Check::K14Eta, path, "il genitore non convivente è minorenne");
        } else if children.into_iter().any(|child| born >= child) {
            esame.refuse(
                Check::K14Eta,
                path,
                "il genitore non convivente non è più anziano del beneficiario",
            );
        }
    }
    let data = (
        detail.foglio_componente_genitore.as_ref(),
        &detail.componente_aggiuntiva_genitore,
    );
    let names = ("FoglioComponenteGenitore", "ComponenteAggiuntivaGenitore");
    // A parent joining the nucleus brings no other nucleus.
    let needed = if parent.flag_coniugato_con_persona_diversa {
        Numeri::Servono
    } else {
        Numeri::Possono
    };
    outside(
        &parent.codice_fiscale,
        data,
        names,
        path,
        ("K14", needed),
        (circumstance, indice.giorno),
        esame,
    );
}

/// Whether the numbers of somebody's nucleus are needed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numeri {
    Servono,
    Possono,
}

/// A person outside the nucleus: both parts are of the same person, and present if declared complete.
fn outside(
    own: &CodiceFiscale,
    (sheet, numbers): (Option<&FoglioComponente>, &ComponenteAggiuntiva),
    (sheet_name, numbers_name): (&str, &str),
    path: &dyn Display,
    (check, needed): (&str, Numeri),
    (circumstance, giorno): (&Circumstance<'_>, Date),
    esame: &mut Esame,
) {
    let (code_rule, complete_rule) = if check == "K14" {
        (Check::K14Dettaglio, Check::K14Completezza)
    } else {
        (Check::K15Dettaglio, Check::K15Completezza)
    };
    let text = "il codice fiscale non è quello della persona a cui i dati si riferiscono";
    if let Some(sheet) = sheet {
        let path = format_args!("{path}/{sheet_name}");
        let anno = circumstance.rules.assets_year(giorno);
        if sheet.codice_fiscale != *own {
            esame.refuse(code_rule, format_args!("{path}/@CodiceFiscale"), text);
        }
        super::nucleo::sheet(sheet, &path, esame);
        super::nucleo::disability(sheet, &path, circumstance, esame);
        patrimonio::sheet(sheet, &path, (circumstance, anno), esame);
    }
    if numbers.codice_fiscale != *own {
        esame.refuse(
            code_rule,
            format_args!("{path}/{numbers_name}/@CodiceFiscale"),
            text,
        );
    }
    let estate_path = format_args!("{path}/{sheet_name}/PatrimonioImmobiliare");
    let path = format_args!("{path}/{numbers_name}");
    if let Some(home) = &numbers.abitazione_componente_aggiuntiva {
        let estate = sheet.and_then(|sheet| sheet.patrimonio_immobiliare.as_ref());
        casa::outside(
            home,
            &format_args!("{path}/AbitazioneComponenteAggiuntiva"),
            estate,
            &estate_path,
            esame,
        );
    }
    let missing = numbers.nucleo_familiare_componente_aggiuntiva.is_none() && needed == Numeri::Servono;
    if numbers.flag_completezza_dati && (sheet.is_none() || missing) {
        let text = "dati detti completi, ma manca il foglio della persona o il suo nucleo";
        esame.refuse(complete_rule, format_args!("{path}/@FlagCompletezzaDati"), text);
    }
    if let Some(nucleo) = &numbers.nucleo_familiare_componente_aggiuntiva {
        let path = format_args!("{path}/NucleoFamiliareComponenteAggiuntiva");
        if !is_consistent(nucleo) {
            esame.refuse(
                complete_rule,
                path,
                "i numeri del nucleo non vanno insieme: componenti, figli, ricoverati, disabili",
            );
        }
    }
}

/// Whether the numbers of a nucleus go together: nobody is counted beyond its members, and each number has
/// its flag.
fn is_consistent(nucleo: &NucleoComponenteAggiuntiva) -> bool {
    let hosted = [
        (nucleo.flag_presenza_ricoverato, nucleo.numero_ricoverati),
        (nucleo.flag_presenza_convivente, nucleo.numero_conviventi),
    ];
    let disabled = [
        (nucleo.flag_disabilita_media, nucleo.numero_disabili_media),
        (nucleo.flag_disabilita_grave, nucleo.numero_disabili_grave),
        (nucleo.flag_non_autosufficienti, nucleo.numero_non_autosuff),
    ];
    let sum = |numbers: &[(bool, Option<u32>)]| {
        numbers
            .iter()
            .map(|(_, number)| u64::from(number.unwrap_or(0)))
            .sum::<u64>()
    };
    let members = u64::from(nucleo.numero_componenti);
    let children = u64::from(nucleo.numero_figli.unwrap_or(0));
    let apart = hosted
        .iter()
        .chain(&disabled)
        .any(|(flag, number)| *flag != number.is_some_and(|number| number > 0));
    members > 0 && sum(&hosted) <= members && sum(&disabled) <= members && children <= members && !apart
}

/// K15, of one list; `own` is the beneficiary of the restricted nucleus around it, if any.
fn residenziali<P: Display>(
    indice: &Indice<'_>,
    (all, own): (&[Residenziale], Option<&CodiceFiscale>),
    path: impl Fn(usize, usize) -> P,
    circumstance: &Circumstance<'_>,
    esame: &mut Esame,
) {
    let mut seen = HashSet::new();
    for (place, each) in all.iter().enumerate() {
        let path = path(place, all.len());
        residenziale(indice, each, &path, circumstance, esame);
        let beneficiary = format_args!("{path}/@CodiceFiscaleBeneficiario");
        if !seen.insert(&each.codice_fiscale_beneficiario) {
            esame.refuse(Check::K15Beneficiario, beneficiary, "beneficiario già indicato");
        }
        if own.is_some_and(|own| *own != each.codice_fiscale_beneficiario) {
            esame.refuse(
                Check::K15Beneficiario,
                beneficiary,
                "il beneficiario non è quello del nucleo ristretto",
            );
        }
    }
}

/// K15, for one beneficiary.
fn residenziale(
    indice: &Indice<'_>,
    each: &Residenziale,
    path: &dyn Display,
    circumstance: &Circumstance<'_>,
    esame: &mut Esame,
) {
    if !member(indice, &each.codice_fiscale_beneficiario) {
        esame.refuse(
            Check::K15Beneficiario,
            format_args!("{path}/@CodiceFiscaleBeneficiario"),
            "il beneficiario non fa parte del nucleo",
        );
    }
    let beneficiary = indice.foglio(&each.codice_fiscale_beneficiario);
    let born = beneficiary.map(|foglio| foglio.dati_componente.anagrafica.data_nascita);
    ricovero(each, born, path, circumstance, esame);
    if beneficiary.is_some_and(|foglio| foglio.disabilita.is_none()) {
        let text = "il beneficiario non ha un foglio della disabilità (FC7)";
        esame.warn(
            Check::K15Disabilita,
            format_args!("{path}/@CodiceFiscaleBeneficiario"),
            text,
        );
    }
    if each.flag_figli_non_compresi == each.figlio_non_compreso_nel_nucleo.is_empty() {
        let text = "FlagFigliNonCompresi e l'elenco dei figli devono andare insieme";
        esame.refuse(
            Check::K15Figli,
            format_args!("{path}/@FlagFigliNonCompresi"),
            text,
        );
    }
    donazioni(each, path, esame);
    let mut children = HashSet::new();
    for (place, child) in each.figlio_non_compreso_nel_nucleo.iter().enumerate() {
        let path = step(
            path,
            "FiglioNonCompresoNelNucleo",
            place,
            each.figlio_non_compreso_nel_nucleo.len(),
        );
        let own = format_args!("{path}/@CodiceFiscale");
        code(&child.codice_fiscale, &own, esame);
        // Each child has an addition of its own: a child named twice would count twice, and be computed as
        // often.
        if !children.insert(&child.codice_fiscale) {
            esame.refuse(Check::K15Figlio, own, "figlio già indicato");
        }
        if indice.foglio(&child.codice_fiscale).is_some() {
            esame.refuse(Check::K15Figlio, own, "il figlio fa parte del nucleo");
        }
        esclusione(child, &path, esame);
        if let Some(DatiFiglio::Dettaglio(detail)) = &child.dati {
            let path = format_args!("{path}/DettaglioFiglio");
            dettaglio_figlio(indice, (child, detail, born), &path, circumstance, esame);
        }
    }
}

/// K15: why a child does not count, and the document about it.
fn esclusione(child: &FiglioNonCompresoNelNucleo, path: &dyn Display, esame: &mut Esame) {
    let document = child
        .estremi_esclusione
        .as_deref()
        .is_some_and(|text| !text.trim().is_empty());
    if child.condizione_esclusione.is_some() != document {
        let text = "condizione di esclusione ed estremi del documento devono andare insieme";
        esame.refuse(
            Check::K15Esclusione,
            format_args!("{path}/@CondizioneEsclusione"),
            text,
        );
    }
}

/// K15, for the detail of a child's data; `born` is the beneficiary's day of birth.
fn dettaglio_figlio(
    indice: &Indice<'_>,
    (child, detail, born): (&FiglioNonCompresoNelNucleo, &DettaglioFiglio, Option<Date>),
    path: &dyn Display,
    circumstance: &Circumstance<'_>,
    esame: &mut Esame,
) {
    let child_born = detail
        .foglio_componente_figlio
        .as_ref()
        .map(|sheet| sheet.dati_componente.anagrafica.data_nascita);
    if born
        .zip(child_born)
        .is_some_and(|(beneficiary, child)| child <= beneficiary)
    {
        let path = format_args!("{path}/FoglioComponenteFiglio/DatiComponente/Anagrafica/@DataNascita");
        esame.refuse(
            Check::K15Eta,
            path,
            "il figlio non è più giovane del beneficiario",
        );
    }
    let data = (
        detail.foglio_componente_figlio.as_ref(),
        &detail.componente_aggiuntiva_figlio,
    );
    let names = ("FoglioComponenteFiglio", "ComponenteAggiuntivaFiglio");
    outside(
        &child.codice_fiscale,
        data,
        names,
        path,
        ("K15", Numeri::Servono),
        (circumstance, indice.giorno),
        esame,
    );
}

/// K15: the day of the request for residential care.
fn ricovero(
    each: &Residenziale,
    born: Option<Date>,
    path: &dyn Display,
    circumstance: &Circumstance<'_>,
    esame: &mut Esame,
) {
    if each.data_richiesta_ricovero > circumstance.today {
        esame.refuse(
            Check::K15Data,
            format_args!("{path}/@DataRichiestaRicovero"),
            "data della richiesta di ricovero nel futuro",
        );
    }
    if born.is_some_and(|born| each.data_richiesta_ricovero < born) {
        let text = "data della richiesta di ricovero precedente alla nascita del beneficiario";
        esame.refuse(
            Check::K15Data,
            format_args!("{path}/@DataRichiestaRicovero"),
            text,
        );
    }
}

/// K15: gifts of real estate.
fn donazioni(each: &Residenziale, path: &dyn Display, esame: &mut Esame) {
    let given = [
        each.flag_donazioni_successive,
        each.flag_donazioni_precedenti_alimenti,
        each.flag_donazioni_precedenti_no_alimenti,
    ];
    let kind = given.contains(&Some(true));
    if each.flag_donazioni == each.donazione.is_empty() || each.flag_donazioni != kind {
        let text = "FlagDonazioni, il tipo di donazioni e il loro elenco devono andare insieme";
        esame.refuse(Check::K15Donazioni, format_args!("{path}/@FlagDonazioni"), text);
    }
    for (place, donation) in each.donazione.iter().enumerate() {
        let path = step(path, "Donazione", place, each.donazione.len());
        if donation.quota_donata > donation.quota_posseduta
            || donation.quota_donata.is_sign_negative()
            || donation.quota_posseduta.is_zero()
        {
            esame.refuse(
                Check::K15Quota,
                format_args!("{path}/@QuotaDonata"),
                "quota donata maggiore di quella posseduta, o quote non valide",
            );
        }
        code(
            &donation.codice_fiscale_ricevente,
            &format_args!("{path}/@CodiceFiscaleRicevente"),
            esame,
        );
        if donation.codice_fiscale_ricevente == each.codice_fiscale_beneficiario {
            esame.refuse(
                Check::K15Ricevente,
                format_args!("{path}/@CodiceFiscaleRicevente"),
                "il beneficiario ha donato a sé stesso",
            );
        }
    }
}
