//! `varco spiega CODICE`: what a code means, what to do, where it stands. One page a code, from the tables
//! behind the answers.

use anyhow::Result;

use super::terminale::{Stile, Uscita};
use super::uso::Uso;
use crate::contract::SchemaRule;
use crate::contract::consultazione::Esito;
use crate::gateway::fault::{CODES, row, status};
use crate::gateway::gathered::Stretta;
use crate::isee::checks::Check;
use crate::refusal::{Code, Regola};
use crate::services::esiti::Motivo;
use crate::soap::Version;

/// A code, explained in five lines.
struct Spiegazione {
    codice: &'static str,
    /// The kind of refusal.
    genere: &'static str,
    significato: String,
    rimedio: String,
    /// What the client reads.
    risposta: String,
    /// How to find it in the ledger.
    registro: String,
}

impl std::fmt::Display for Spiegazione {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = Uscita::Normale.styled(Stile::Titolo, self.codice);
        writeln!(f, "{code}: {}", self.genere)?;
        writeln!(f, "  significato       {}", self.significato)?;
        writeln!(f, "  che cosa fare     {}", self.rimedio)?;
        writeln!(f, "  chi chiama vede   {}", self.risposta)?;
        writeln!(f, "  nel registro      {}", self.registro)
    }
}

/// Explains a code, all codes of a family (`K05`), or the codes with a type of problem.
#[allow(clippy::print_stdout, reason = "a command")]
pub(super) fn run(codice: &str) -> Result<()> {
    let all = tutte();
    let wanted = codice.trim().trim_end_matches('.').to_lowercase();
    let is = |page: &&Spiegazione| page.codice.to_lowercase() == wanted;
    if let Some(page) = all.iter().find(is) {
        print!("{page}");
        return Ok(());
    }
    let of_type = format!(
        "urn:varco:problem:{}",
        wanted.trim_start_matches("urn:varco:problem:")
    );
    let family = |page: &&Spiegazione| {
        let name = page.codice.to_lowercase();
        let of_family = name.split_once('.').is_some_and(|(family, _)| family == wanted);
        let of_text = format!("faultstring {wanted},");
        of_family
            || page.risposta.split([' ', ',']).any(|word| word == of_type)
            || page.risposta.to_lowercase().contains(&of_text)
    };
    let found: Vec<_> = all.iter().filter(family).collect();
    match found[..] {
        [] => {
            let near = vicini(&all, &wanted);
            let text = format!(
                "il codice {codice} non c'è{near}; varco errori li elenca tutti, e varco catalogo elenca prestazioni e operazioni"
            );
            return Err(Uso(text).into());
        }
        [page] => print!("{page}"),
        _ => {
            for page in found {
                println!("{:<24} {}", page.codice, page.significato);
            }
        }
    }
    Ok(())
}

/// The remedy of a code. None: there is no such code.
pub(super) fn rimedio_di(codice: &str) -> Option<String> {
    let page = tutte().into_iter().find(|page| page.codice == codice)?;
    Some(page.rimedio)
}

/// The codes that begin as a wrong one does.
fn vicini(all: &[Spiegazione], wanted: &str) -> String {
    let begins = |length: usize| {
        let start: String = wanted.chars().take(length).collect();
        let codes = all.iter().map(|page| page.codice);
        let near: Vec<_> = codes
            .filter(|code| code.to_lowercase().starts_with(&start))
            .take(5)
            .collect();
        near
    };
    let near = (2..wanted.chars().count())
        .rev()
        .map(begins)
        .find(|near| !near.is_empty());
    near.map_or_else(String::new, |near| format!(" (forse {})", near.join(", ")))
}

/// Where a refusal in great numbers is.
const CONTATA: &str = "contata: varco ledger list --tipo gathered";

fn di_outcome(outcome: &str) -> String {
    format!("varco ledger list --esito {outcome}")
}

/// Every code, in the order of the reference.
fn tutte() -> Vec<Spiegazione> {
    let faults = CODES.iter().map(|code| fault(*code));
    let motives = Motivo::ALL
        .iter()
        .map(|motivo| di_esito(motivo.row(), motivo.esito()));
    let schema = SchemaRule::ALL
        .iter()
        .map(|rule| violazione(rule.row(), "una regola dello schema"));
    let checks = Check::ALL
        .iter()
        .map(|check| violazione(check.row(), "un controllo formale della DSU"));
    let refused = Stretta::ALL.iter().map(|reason| contata(*reason));
    let all = faults.chain(motives).chain(schema).chain(checks).chain(refused);
    all.chain(ESITI.iter().map(esito)).collect()
}

/// A fault: its text is for the client, its remedy here is for who runs the porta.
fn fault(code: Code) -> Spiegazione {
    let row = row(code);
    let (http, http12) = (
        status(code, Version::V11).as_u16(),
        status(code, Version::V12).as_u16(),
    );
    let significato = match code {
        Code::NotAuthorized => {
            "Nessun ente ha registrato il certificato, o il suo ente non è accreditato oggi."
        }
        Code::PeerInvalid => "Il certificato è scaduto o revocato, o la sua revoca non si può sapere.",
        _ => row.detail,
    };
    Spiegazione {
        codice: row.ledger,
        genere: "la richiesta è rifiutata prima dell'operazione (fault SOAP)",
        significato: significato.to_owned(),
        rimedio: rimedio(code).to_owned(),
        risposta: format!(
            "HTTP {http} (in SOAP 1.2 {http12}), faultcode SOAP-ENV:{}, faultstring {}, type urn:varco:problem:{}",
            row.faultcode, row.faultstring, row.slug
        ),
        registro: match code {
            Code::TooManyRequests | Code::Quota | Code::Attempts => CONTATA.to_owned(),
            Code::Unavailable => "nessuna voce: il registro non si può scrivere".to_owned(),
            _ => di_outcome("FAULT"),
        },
    }
}

/// What who runs the porta does about a fault.
fn rimedio(code: Code) -> &'static str {
    match code {
        Code::NotAuthorized => {
            "varco ente certificato prova FILE.pem dice come sarebbe ammesso; varco ente mostra CODICE dice lo stato dell'ente"
        }
        Code::PeerInvalid => {
            "rinnovare il certificato; se non è scaduto, controllare le liste di revoca con varco status e varco crl fetch"
        }
        Code::OperationNotGranted => {
            "varco ente abilita CODICE --operazioni OPERAZIONE --prestazioni PRESTAZIONE --motivo PERCHÉ; per la DSU nel dettaglio anche --controlli"
        }
        Code::IdentityMismatch => {
            "chi chiama corregge o toglie CodiceEnte; un altro codice dell'ente si registra con varco ente aggiorna --codice-inps"
        }
        Code::Office => {
            "chi chiama indica CodiceUfficio; un ufficio si registra con varco ente ufficio CODICE UFFICIO"
        }
        Code::NotFound | Code::WrongPath => {
            "usare l'indirizzo del WSDL, che la porta dà con GET INDIRIZZO?wsdl"
        }
        Code::MethodNotAllowed => "mandare la richiesta con POST",
        Code::UnknownOperation => "confrontare nome e namespace dell'elemento con il WSDL (?wsdl)",
        Code::BodyTooLarge => {
            "dividere il messaggio; i limiti sono limits.body_bytes e limits.lot_bytes di varco.toml"
        }
        Code::BodyTimeout => {
            "controllare la rete di chi chiama; il tempo è limits.body_seconds di varco.toml"
        }
        Code::BodyInterrupted => "controllare la rete di chi chiama, e riprovare",
        Code::UnsupportedMedia => "correggere Content-Type e codifica del client, e togliere la compressione",
        Code::Package => "correggere il messaggio MTOM: confini, parti, riferimenti cid:",
        Code::Xml => "correggere il messaggio alla riga e alla colonna indicate",
        Code::Envelope => {
            "mandare un Envelope con un solo elemento nel Body; i testi di Identity hanno una lunghezza massima"
        }
        Code::Version => "configurare il client per SOAP 1.1 o SOAP 1.2",
        Code::MustUnderstand => "togliere l'intestazione indicata, o il suo mustUnderstand",
        Code::Schema => "correggere il messaggio in ciascuno dei punti indicati",
        Code::Malformed => {
            "correggere il client, o il bilanciatore che sta davanti: un solo Host, una sola lunghezza"
        }
        Code::Fields => "togliere intestazioni HTTP: spesso le aggiunge una piattaforma di integrazione",
        Code::TooManyRequests => "mandare meno richieste insieme; il limite è limits.per_ente di varco.toml",
        Code::Quota => "attendere Retry-After; le quote si cambiano con varco ente quota CODICE",
        Code::Attempts => {
            "controllare i protocolli indicati: nessuna DSU di quelle persone li ha; attendere Retry-After"
        }
        Code::Unavailable => "varco status dice perché il registro non si scrive: spazio, disco, danno",
    }
}

/// A reply with an Esito other than OK.
fn di_esito(regola: Regola, esito: Esito) -> Spiegazione {
    let esito = esito.code();
    Spiegazione {
        risposta: format!("HTTP 200, Esito {esito}, con la ragione nella descrizione dell'errore"),
        registro: di_outcome(esito),
        ..di_regola(regola, "l'operazione risponde con un Esito, senza dati")
    }
}

/// A violation of a DSU; a warning stands in the receipt of a DSU that was accepted.
fn violazione(regola: Regola, genere: &'static str) -> Spiegazione {
    let (risposta, outcome) = match regola.significato.starts_with("Avvertenza") {
        true => ("HTTP 200, Esito OK, l'avvertenza nella ricevuta", Esito::Ok),
        false => (
            "HTTP 200, Esito RICHIESTA_INVALIDA, una Violazione con percorso, riga e colonna",
            Esito::RichiestaInvalida,
        ),
    };
    Spiegazione {
        risposta: risposta.to_owned(),
        registro: di_outcome(outcome.code()),
        ..di_regola(regola, genere)
    }
}

/// Before HTTP, after the reply, or in great numbers: counted together.
fn contata(reason: Stretta) -> Spiegazione {
    let risposta = match reason {
        Stretta::E98NonConsegnata => "niente: non ha preso la risposta, che è nel registro",
        Stretta::E99Interno => "HTTP 503 senza corpo",
        Stretta::H06Http => "HTTP 400, 414 o 431 senza corpo, e la connessione si chiude",
        Stretta::H10TentativiEnte | Stretta::H11TentativiDichiarante => {
            "HTTP 429 a ogni richiesta che nomina un protocollo: varco spiega attempts"
        }
        Stretta::H01SenzaCertificato
        | Stretta::H02Certificato
        | Stretta::H03Tls
        | Stretta::H04Tempo
        | Stretta::H05Interrotto
        | Stretta::H07Posto
        | Stretta::H08Connessioni
        | Stretta::H09Proxy => "nessuna risposta: la connessione si chiude",
    };
    Spiegazione {
        risposta: risposta.to_owned(),
        registro: CONTATA.to_owned(),
        ..di_regola(reason.row(), "ciò che il registro conta insieme")
    }
}

fn di_regola(regola: Regola, genere: &'static str) -> Spiegazione {
    Spiegazione {
        codice: regola.codice,
        genere,
        significato: regola.significato.to_owned(),
        rimedio: regola.rimedio.to_owned(),
        risposta: String::new(),
        registro: String::new(),
    }
}

/// The Esiti: name, meaning, remedy.
const ESITI: [(&str, &str, &str); 6] = [
    ("OK", "L'operazione è riuscita.", "niente"),
    (
        "RICHIESTA_INVALIDA",
        "La richiesta è valida per lo schema, ma non ha senso o non è permessa; o la DSU ha violazioni.",
        "leggere la descrizione dell'errore, o le violazioni: ciascuna ha un codice, che varco spiega spiega",
    ),
    (
        "DATI_NON_TROVATI",
        "Non c'è ciò che si cerca, o non è di chi lo cerca.",
        "controllare codice fiscale, protocollo e data; i codici sono D01, D02, D03 e D04",
    ),
    (
        "ERRORE_INTERNO",
        "Un errore della porta.",
        "riprovare; se resta, cercare l'X-Request-Id della risposta nel log della porta",
    ),
    (
        "DATABASE_OFFLINE",
        "È nel contratto, e la porta non lo emette: quando il registro non si scrive la risposta è F19.",
        "niente",
    ),
    (
        "RISCONTRO_NON_VALIDO",
        "È nel contratto, e la porta non lo emette.",
        "niente",
    ),
];

fn esito((codice, significato, rimedio): &(&'static str, &'static str, &'static str)) -> Spiegazione {
    Spiegazione {
        codice,
        genere: "un Esito delle operazioni",
        significato: (*significato).to_owned(),
        rimedio: (*rimedio).to_owned(),
        risposta: "HTTP 200, l'elemento Esito della risposta".to_owned(),
        registro: di_outcome(codice),
    }
}
