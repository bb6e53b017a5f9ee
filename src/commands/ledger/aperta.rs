//! An opened sealed part, as `varco ledger show --apri` prints it.

use crate::isee::CodiceFiscale;
use crate::isee::attestazione::Assente;
use crate::isee::codes::TipoIndicatore;
use crate::isee::sintesi::Sintesi;
use crate::ledger::Secret;

/// Its members, and the summary of the attestation in words: from it questions about an indicator are
/// answered.
pub(super) fn aperta(secret: &Secret) -> serde_json::Result<serde_json::Value> {
    let mut content = serde_json::to_value(secret)?;
    if let (Some(bytes), Some(members)) = (&secret.indicatori, content.as_object_mut()) {
        members.insert("indicatori".to_owned(), sintesi(bytes));
    }
    Ok(content)
}

/// The summary of an attestation, in words. Null: it cannot be read.
fn sintesi(bytes: &[u8]) -> serde_json::Value {
    let Some(sintesi) = Sintesi::decode(bytes) else {
        return serde_json::Value::Null;
    };
    let tipi = TipoIndicatore::ALL.iter();
    let tipi: Vec<_> = tipi.filter_map(|code| TipoIndicatore::from_code(code)).collect();
    let voce = |tipo: TipoIndicatore, persona: &CodiceFiscale| match sintesi.indicatore(tipo, persona) {
        Ok((valori, caso)) => Some(serde_json::json!({
            "tipo": tipo.code(),
            "caso": caso.code(),
            "ise": valori.ise.to_string(),
            "scalaEquivalenza": valori.scala_equivalenza.to_string(),
            "isee": valori.isee.to_string(),
            "isr": valori.isr.to_string(),
            "isp": valori.isp.to_string(),
        })),
        Err(Assente::NonCalcolabile) => {
            Some(serde_json::json!({ "tipo": tipo.code(), "calcolabile": false }))
        }
        Err(Assente::Nessuno) => None,
    };
    let membri = sintesi.membri.iter().map(|membro| {
        let persona = &membro.codice_fiscale;
        serde_json::json!({
            "codiceFiscale": persona.as_sent(),
            "cognome": membro.cognome,
            "nome": membro.nome,
            "nucleoOrdinario": membro.ordinario,
            "indicatori": tipi.iter().filter_map(|tipo| voce(*tipo, persona)).collect::<Vec<_>>(),
        })
    });
    serde_json::json!({
        "dichiarante": sintesi.dichiarante.as_sent(),
        "protocollo": sintesi.numero_protocollo_dsu,
        "moduloSostitutivo": sintesi.modulo_sostitutivo,
        "dataPresentazione": sintesi.data_presentazione.to_string(),
        "omissioniDifformita": sintesi.difformita,
        "persone": sintesi.persone,
        "membri": membri.collect::<Vec<_>>(),
    })
}
