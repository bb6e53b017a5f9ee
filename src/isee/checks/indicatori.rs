//! K13 to K16: students, parents and children elsewhere, residential services, restricted nuclei.

use super::super::age;
use super::super::codes::{PresenzaGenitori, Relazione, Ruolo, TipoModello, TipoOperazione};
use super::super::codice_fiscale::CodiceFiscale;
use super::super::dsu::{
    ComponenteAggiuntiva, DatiFiglio, DatiGenitore, Dichiarazione, GenitoreNonConvivente, ModelloBase, NucleoRistretto, Residenziale,
    Universitario,
};
use super::super::foglio::FoglioComponente;
use super::nucleo::code;
use super::{Circumstance, Esame, casa, patrimonio, step};

pub(super) fn examine(dsu: &Dichiarazione, circumstance: &Circumstance<'_>, esame: &mut Esame) {
    for (index, modello) in dsu.modello_base.iter().enumerate() {
        let path = step("/Dichiarazione", "ModelloBase", index, dsu.modello_base.len());
        for (place, student) in modello.universitario.iter().enumerate() {
            let path = step(&path, "Universitario", place, modello.universitario.len());
            universitario(dsu, student, &path, esame);
            let before = dsu.modello_base.iter().take(index).flat_map(|modello| &modello.universitario);
            if before
                .chain(modello.universitario.iter().take(place))
                .any(|each| each.codice_fiscale_beneficiario == student.codice_fiscale_beneficiario)
            {
                esame.refuse("K13.doppio", format!("{path}/@CodiceFiscaleBeneficiario"), "studente già indicato");
            }
        }
        parents(dsu, index, modello, &path, circumstance, esame);
        for (place, each) in modello.residenziale.iter().enumerate() {
            let path = step(&path, "Residenziale", place, modello.residenziale.len());
            residenziale(dsu, each, &path, circumstance, esame);
            let mut earlier = modello.residenziale.iter().take(place);
            if earlier.any(|other| other.codice_fiscale_beneficiario == each.codice_fiscale_beneficiario) {
                esame.refuse("K15.beneficiario", format!("{path}/@CodiceFiscaleBeneficiario"), "beneficiario già indicato");
            }
            if modello.beneficiario().is_some_and(|own| *own != each.codice_fiscale_beneficiario) {
                let text = "il beneficiario non è quello del nucleo ristretto";
                esame.refuse("K15.beneficiario", format!("{path}/@CodiceFiscaleBeneficiario"), text);
            }
        }
        match (modello.tipo, &modello.nucleo_ristretto) {
            (TipoModello::Rid, Some(nucleo)) => ristretto(dsu, index, nucleo, &format!("{path}/NucleoRistretto"), esame),
            (TipoModello::Rid, None) => esame.refuse("K16.nucleo", path, "ModelloBase RID senza NucleoRistretto"),
            (TipoModello::Ord, Some(_)) => {
                esame.refuse("K16.nucleo", format!("{path}/NucleoRistretto"), "NucleoRistretto in un ModelloBase ORD");
            }
            (TipoModello::Ord, None) => {}
        }
    }
    for (place, each) in dsu.integrazione_residenziale.iter().flat_map(|i| &i.componente_per_integrazione_residenziale).enumerate() {
        let of = dsu.integrazione_residenziale.as_ref().map_or(0, |i| i.componente_per_integrazione_residenziale.len());
        let path = step("/Dichiarazione/IntegrazioneResidenziale", "ComponentePerIntegrazioneResidenziale", place, of);
        residenziale(dsu, each, &path, circumstance, esame);
        let all = dsu.integrazione_residenziale.iter().flat_map(|i| &i.componente_per_integrazione_residenziale);
        if all.take(place).any(|earlier| earlier.codice_fiscale_beneficiario == each.codice_fiscale_beneficiario) {
            esame.refuse("K15.beneficiario", format!("{path}/@CodiceFiscaleBeneficiario"), "beneficiario già indicato");
        }
    }
    if let Some(added) = &dsu.integrazione_componente_aggiuntiva {
        let added = &added.componente_per_integrazione_aggiuntiva;
        let path = "/Dichiarazione/IntegrazioneComponenteAggiuntiva/ComponentePerIntegrazioneAggiuntiva";
        let data = (Some(&added.foglio_componente_aggiuntiva), &added.componente_aggiuntiva);
        let names = ("FoglioComponenteAggiuntiva", "ComponenteAggiuntiva");
        let own = added.foglio_componente_aggiuntiva.codice_fiscale.clone();
        outside(&own, data, names, path, ("K14", Numeri::Possono), circumstance, esame);
    }
}

/// Whether a codice fiscale is that of a member, who lives with the family. A declaration that completes another has no nucleus: that is judged with the one it completes.
fn member(dsu: &Dichiarazione, codice: &CodiceFiscale) -> bool {
    dsu.nucleo_familiare.is_none() || dsu.is_membro(codice)
}

/// K13.
fn universitario(dsu: &Dichiarazione, student: &Universitario, path: &str, esame: &mut Esame) {
    if !member(dsu, &student.codice_fiscale_beneficiario) {
        esame.refuse("K13.beneficiario", format!("{path}/@CodiceFiscaleBeneficiario"), "lo studente non fa parte del nucleo");
    }
    if let Some(parent) = &student.codice_fiscale_genitore {
        code(parent, &format!("{path}/@CodiceFiscaleGenitore"), esame);
    }
    if matches!(student.presenza_genitori, PresenzaGenitori::TuttiPresenti | PresenzaGenitori::SoloUno) {
        return;
    }
    for (flag, attribute) in [
        (student.flag_residenza_studente, "FlagResidenzaStudente"),
        (student.flag_capacita_reddito_studente, "FlagCapacitaRedditoStudente"),
    ] {
        if flag.is_none() {
            let text = "senza genitori nel nucleo vanno indicate entrambe le condizioni di autonomia dello studente";
            esame.refuse("K13.autonomia", format!("{path}/@{attribute}"), text);
        }
    }
    if student.is_autonomo() {
        return;
    }
    let Some(parent) = &student.codice_fiscale_genitore else {
        let text = "studente non autonomo: manca il codice fiscale di un genitore";
        esame.refuse("K13.genitore", format!("{path}/@CodiceFiscaleGenitore"), text);
        return;
    };
    let mut elsewhere = dsu.genitori_non_conviventi().filter(|each| each.codice_fiscale == *parent);
    if student.numero_protocollo_rif_genitore.is_none() && elsewhere.all(|each| each.dati.is_none()) {
        let text = "studente non autonomo: manca il protocollo della DSU del genitore, o i suoi dati";
        esame.refuse("K13.dati", format!("{path}/@NumeroProtocolloRifGenitore"), text);
    }
}

/// K14.
fn parents(dsu: &Dichiarazione, form: usize, modello: &ModelloBase, path: &str, circumstance: &Circumstance<'_>, esame: &mut Esame) {
    let presented = circumstance.presented(dsu);
    for (place, parent) in modello.genitore_non_convivente.iter().enumerate() {
        let path = step(path, "GenitoreNonConvivente", place, modello.genitore_non_convivente.len());
        genitore(dsu, parent, &path, circumstance, esame);
        // The layout has room for one parent in a minor's indicator.
        for child in parent.beneficiario.iter().filter(|_| !parent.flag_genitore_escluso) {
            let minor = dsu.fogli().find(|foglio| foglio.codice_fiscale == child.codice_fiscale);
            let minor = minor.is_some_and(|foglio| age(foglio.dati_componente.anagrafica.data_nascita, presented) < 18);
            // The same parent may stand in another form too.
            let before = dsu.modello_base.iter().take(form).flat_map(|modello| &modello.genitore_non_convivente);
            let before = before.filter(|other| other.codice_fiscale != parent.codice_fiscale);
            let earlier = before.chain(modello.genitore_non_convivente.iter().take(place));
            if minor
                && earlier
                    .filter(|other| !other.flag_genitore_escluso)
                    .any(|other| other.beneficiario.iter().any(|each| each.codice_fiscale == child.codice_fiscale))
            {
                esame.refuse("K14.doppio", path.as_str(), "per questo minorenne è già indicato un altro genitore non convivente");
            }
        }
    }
}

fn genitore(dsu: &Dichiarazione, parent: &GenitoreNonConvivente, path: &str, circumstance: &Circumstance<'_>, esame: &mut Esame) {
    let own = format!("{path}/@CodiceFiscale");
    code(&parent.codice_fiscale, &own, esame);
    let members = dsu.nucleo_familiare.iter().flat_map(|nucleo| &nucleo.componente_nucleo);
    let living = members.into_iter().filter(|member| member.rapporto_con_dichiarante != Ruolo::Gnc);
    if living.into_iter().any(|member| member.foglio_componente_nucleo.codice_fiscale == parent.codice_fiscale) {
        esame.refuse("K14.convivente", own, "il genitore non convivente fa parte del nucleo");
    }
    for (place, child) in parent.beneficiario.iter().enumerate() {
        if !member(dsu, &child.codice_fiscale) {
            let path = step(path, "Beneficiario", place, parent.beneficiario.len());
            esame.refuse("K14.beneficiario", format!("{path}/@CodiceFiscale"), "il beneficiario non fa parte del nucleo");
        }
    }
    let any = parent.flag_genitore_escluso || parent.flag_coniugato_con_persona_diversa;
    if parent.flag_alcuna_condizione == any {
        let text = "FlagAlcunaCondizione è vero quando FlagGenitoreEscluso e FlagConiugatoConPersonaDiversa sono falsi, e solo allora";
        esame.refuse("K14.condizioni", format!("{path}/@FlagAlcunaCondizione"), text);
    }
    if parent.flag_genitore_escluso && parent.dati.is_some() {
        esame.refuse("K14.escluso", path, "il genitore escluso non conta: i suoi dati non vanno indicati");
    }
    if let Some(DatiGenitore::Dettaglio(detail)) = &parent.dati {
        let path = format!("{path}/DettaglioGenitoreNonConvivente");
        let data = (detail.foglio_componente_genitore.as_ref(), &detail.componente_aggiuntiva_genitore);
        let names = ("FoglioComponenteGenitore", "ComponenteAggiuntivaGenitore");
        // Who joins the nucleus brings no other one.
        let needed = if parent.flag_coniugato_con_persona_diversa { Numeri::Servono } else { Numeri::Possono };
        outside(&parent.codice_fiscale, data, names, &path, ("K14", needed), circumstance, esame);
    }
}

/// Whether the numbers of somebody's nucleus are needed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numeri {
    Servono,
    Possono,
}

/// Who stands outside the nucleus: both parts speak of the same person, and are there if they are said to be complete.
fn outside(
    own: &CodiceFiscale,
    (sheet, numbers): (Option<&FoglioComponente>, &ComponenteAggiuntiva),
    (sheet_name, numbers_name): (&str, &str),
    path: &str,
    (check, needed): (&str, Numeri),
    circumstance: &Circumstance<'_>,
    esame: &mut Esame,
) {
    let (code_rule, complete_rule) =
        if check == "K14" { ("K14.dettaglio", "K14.completezza") } else { ("K15.dettaglio", "K15.completezza") };
    let text = "il codice fiscale non è quello della persona a cui i dati si riferiscono";
    if let Some(sheet) = sheet {
        let path = format!("{path}/{sheet_name}");
        if sheet.codice_fiscale != *own {
            esame.refuse(code_rule, format!("{path}/@CodiceFiscale"), text);
        }
        super::nucleo::sheet(sheet, &path, esame);
        super::nucleo::disability(sheet, &path, circumstance, esame);
        patrimonio::sheet(sheet, &path, circumstance, esame);
    }
    if numbers.codice_fiscale != *own {
        esame.refuse(code_rule, format!("{path}/{numbers_name}/@CodiceFiscale"), text);
    }
    let estate_path = format!("{path}/{sheet_name}/PatrimonioImmobiliare");
    let path = format!("{path}/{numbers_name}");
    if let Some(home) = &numbers.abitazione_componente_aggiuntiva {
        let estate = sheet.and_then(|sheet| sheet.patrimonio_immobiliare.as_ref());
        casa::outside(home, &format!("{path}/AbitazioneComponenteAggiuntiva"), estate, &estate_path, esame);
    }
    let missing = numbers.nucleo_familiare_componente_aggiuntiva.is_none() && needed == Numeri::Servono;
    if numbers.flag_completezza_dati && (sheet.is_none() || missing) {
        let text = "dati detti completi, ma manca il foglio della persona o il suo nucleo";
        esame.refuse(complete_rule, format!("{path}/@FlagCompletezzaDati"), text);
    }
    if let Some(nucleo) = &numbers.nucleo_familiare_componente_aggiuntiva {
        let path = format!("{path}/NucleoFamiliareComponenteAggiuntiva");
        let hosted =
            [(nucleo.flag_presenza_ricoverato, nucleo.numero_ricoverati), (nucleo.flag_presenza_convivente, nucleo.numero_conviventi)];
        let disabled = [
            (nucleo.flag_disabilita_media, nucleo.numero_disabili_media),
            (nucleo.flag_disabilita_grave, nucleo.numero_disabili_grave),
            (nucleo.flag_non_autosufficienti, nucleo.numero_non_autosuff),
        ];
        let sum = |numbers: &[(bool, Option<u32>)]| numbers.iter().map(|(_, number)| u64::from(number.unwrap_or_default())).sum::<u64>();
        let members = u64::from(nucleo.numero_componenti);
        let children = u64::from(nucleo.numero_figli.unwrap_or_default());
        let together = hosted.iter().chain(&disabled).any(|(flag, number)| *flag != number.is_some_and(|number| number > 0));
        if members == 0 || sum(&hosted) > members || sum(&disabled) > members || children > members || together {
            esame.refuse(complete_rule, path, "i numeri del nucleo non vanno insieme: componenti, figli, ricoverati, disabili");
        }
    }
}

/// K15.
fn residenziale(dsu: &Dichiarazione, each: &Residenziale, path: &str, circumstance: &Circumstance<'_>, esame: &mut Esame) {
    if !member(dsu, &each.codice_fiscale_beneficiario) {
        esame.refuse("K15.beneficiario", format!("{path}/@CodiceFiscaleBeneficiario"), "il beneficiario non fa parte del nucleo");
    }
    if each.data_richiesta_ricovero > circumstance.today {
        esame.refuse("K15.data", format!("{path}/@DataRichiestaRicovero"), "data della richiesta di ricovero nel futuro");
    }
    if each.flag_figli_non_compresi == each.figlio_non_compreso_nel_nucleo.is_empty() {
        let text = "FlagFigliNonCompresi e l'elenco dei figli devono andare insieme";
        esame.refuse("K15.figli", format!("{path}/@FlagFigliNonCompresi"), text);
    }
    let given = [each.flag_donazioni_successive, each.flag_donazioni_precedenti_alimenti, each.flag_donazioni_precedenti_no_alimenti];
    let kind = given.contains(&Some(true));
    if each.flag_donazioni == each.donazione.is_empty() || each.flag_donazioni != kind {
        let text = "FlagDonazioni, il tipo di donazioni e il loro elenco devono andare insieme";
        esame.refuse("K15.donazioni", format!("{path}/@FlagDonazioni"), text);
    }
    for (place, donation) in each.donazione.iter().enumerate() {
        let path = step(path, "Donazione", place, each.donazione.len());
        if donation.quota_donata > donation.quota_posseduta
            || donation.quota_donata.is_sign_negative()
            || donation.quota_posseduta.is_zero()
        {
            esame.refuse("K15.quota", format!("{path}/@QuotaDonata"), "quota donata maggiore di quella posseduta, o quote non valide");
        }
        code(&donation.codice_fiscale_ricevente, &format!("{path}/@CodiceFiscaleRicevente"), esame);
    }
    for (place, child) in each.figlio_non_compreso_nel_nucleo.iter().enumerate() {
        let path = step(path, "FiglioNonCompresoNelNucleo", place, each.figlio_non_compreso_nel_nucleo.len());
        let own = format!("{path}/@CodiceFiscale");
        code(&child.codice_fiscale, &own, esame);
        if dsu.fogli().any(|foglio| foglio.codice_fiscale == child.codice_fiscale) {
            esame.refuse("K15.figlio", own, "il figlio fa parte del nucleo");
        }
        let document = child.estremi_esclusione.as_deref().is_some_and(|text| !text.trim().is_empty());
        if child.condizione_esclusione.is_some() != document {
            let text = "condizione di esclusione ed estremi del documento devono andare insieme";
            esame.refuse("K15.esclusione", format!("{path}/@CondizioneEsclusione"), text);
        }
        if let Some(DatiFiglio::Dettaglio(detail)) = &child.dati {
            let path = format!("{path}/DettaglioFiglio");
            let data = (detail.foglio_componente_figlio.as_ref(), &detail.componente_aggiuntiva_figlio);
            let names = ("FoglioComponenteFiglio", "ComponenteAggiuntivaFiglio");
            outside(&child.codice_fiscale, data, names, &path, ("K15", Numeri::Servono), circumstance, esame);
        }
    }
}

/// K16.
fn ristretto(dsu: &Dichiarazione, form: usize, nucleo: &NucleoRistretto, path: &str, esame: &mut Esame) {
    if !matches!(dsu.operazione.tipo, TipoOperazione::N | TipoOperazione::R) {
        return;
    }
    let members = &nucleo.componente_nucleo_ristretto;
    for (place, each) in members.iter().enumerate() {
        let path = step(path, "ComponenteNucleoRistretto", place, members.len());
        if !member(dsu, &each.codice_fiscale) {
            esame.refuse("K16.componente", format!("{path}/@CodiceFiscale"), "il componente non fa parte del nucleo familiare");
        }
        if members.iter().take(place).any(|earlier| earlier.codice_fiscale == each.codice_fiscale) {
            esame.refuse("K16.componente", format!("{path}/@CodiceFiscale"), "componente ripetuto nel nucleo ristretto");
        }
        if each.flag_beneficiario != (each.relazione_con_beneficiario == Relazione::B) {
            let text = "FlagBeneficiario e la relazione B devono andare insieme";
            esame.refuse("K16.beneficiario", format!("{path}/@FlagBeneficiario"), text);
        }
    }
    if members.iter().filter(|each| each.flag_beneficiario).count() != 1 {
        esame.refuse("K16.beneficiario", path, "nel nucleo ristretto serve esattamente un beneficiario");
    }
    let own = dsu.modello_base.get(form).and_then(ModelloBase::beneficiario);
    let mut earlier = dsu.modello_base.iter().take(form).filter(|modello| modello.tipo == TipoModello::Rid);
    if own.is_some() && earlier.any(|modello| modello.beneficiario() == own) {
        esame.refuse("K16.doppio", path, "per questo beneficiario c'è già un nucleo ristretto");
    }
}
