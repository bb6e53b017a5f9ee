//! `varco errori`: the reference of every refusal, generated from the tables behind the answers.
//! `docs/it/errori.md` is its output.

use std::fmt::Write as _;

use uuid::Uuid;

use crate::contract;
use crate::contract::consultazione::Esito;
use crate::gateway::fault::{CODES, render, row, status};
use crate::gateway::gathered::Stretta;
use crate::isee::checks::Check;
use crate::refusal::{Code, Refusal, Regola};
use crate::services::esiti::Motivo;
use crate::soap::Version;

/// The reference, in Markdown.
pub fn reference() -> String {
    let mut text = String::from(INTRODUZIONE);
    text.push_str(
        "| codice | HTTP | HTTP, SOAP 1.2 | status | faultcode | faultstring | type | testo |\n|---|---|---|---|---|---|---|---|\n",
    );
    for &code in CODES {
        let row = row(code);
        let (http, http12) = (
            status(code, Version::V11).as_u16(),
            status(code, Version::V12).as_u16(),
        );
        let _ = writeln!(
            text,
            "| {} | {http} | {http12} | {} | `SOAP-ENV:{}` | {} | `urn:varco:problem:{}` | {} |",
            row.ledger, row.status, row.faultcode, row.faultstring, row.slug, row.detail
        );
    }
    text.push_str(RISPOSTE);
    for version in [Version::V11, Version::V12] {
        let _ = write!(
            text,
            "\n```xml\n{}\n```\n",
            render(&Refusal::new(Code::NotAuthorized, ""), Uuid::nil(), version)
        );
    }
    for (esito, title, introduction) in ESITI {
        let motives = Motivo::ALL.iter().filter(|motivo| motivo.esito() == esito);
        section(&mut text, title, introduction, motives.map(|motivo| motivo.row()));
    }
    section(
        &mut text,
        "Violazioni dello schema",
        SCHEMA,
        contract::SchemaRule::ALL.iter().map(|rule| rule.row()),
    );
    // The first check, K01, stands among the rules of the schema.
    let of_dsu = Check::ALL.iter().filter(|check| **check != Check::K01Intervallo);
    section(
        &mut text,
        "Controlli formali della DSU",
        CONTROLLI,
        of_dsu.map(|check| check.row()),
    );
    section(
        &mut text,
        "Connessioni rifiutate",
        STRETTA,
        Stretta::ALL.iter().map(|reason| reason.row()),
    );
    text
}

/// The outcomes of an operation that is not performed: title and introduction of each.
const ESITI: [(Esito, &str, &str); 3] = [
    (
        Esito::RichiestaInvalida,
        "Esito RICHIESTA_INVALIDA",
        "La richiesta è valida per lo schema, ma non ha senso o non è permessa.",
    ),
    (
        Esito::DatiNonTrovati,
        "Esito DATI_NON_TROVATI",
        "Non c'è ciò che si cerca, o non è di chi lo cerca.",
    ),
    (Esito::ErroreInterno, "Esito ERRORE_INTERNO", "IdRichiesta è 0."),
];

fn section(text: &mut String, title: &str, introduction: &str, rules: impl Iterator<Item = Regola>) {
    let _ = write!(
        text,
        "\n## {title}\n\n{introduction}\n\n| codice | significato | che cosa fare |\n|---|---|---|\n"
    );
    for Regola {
        codice,
        significato,
        rimedio,
    } in rules
    {
        let _ = writeln!(text, "| {codice} | {significato} | {rimedio} |");
    }
}

/// Prints the reference on standard output.
#[allow(clippy::print_stdout, reason = "a command")]
pub fn run() {
    print!("{}", reference());
}

const INTRODUZIONE: &str = "\
# Errori

<!-- Generato da `varco errori`: si cambia nel codice. -->

Che cosa risponde la porta quando non risponde con i dati. Nessuna risposta ripete un valore della richiesta; ogni risposta porta l'identificativo dello
scambio (`X-Request-Id`), con cui chi gestisce la porta lo ritrova nel registro (`varco ledger list`); solo F18, F19, F22, F24 e i certificati che non sono di nessuno
non hanno una voce loro. Il codice è quello del registro.

Tre famiglie:

- **fault SOAP**: lo scambio è rifiutato prima che l'operazione possa rispondere (trasporto, formato, autorizzazione). In SOAP 1.1 con HTTP 500, in SOAP 1.2
  con 400 se l'errore è di chi chiama, nella forma del frontale dell'INPS, con lo status di RFC 7807 all'interno; ciò che riguarda HTTP ha uno stato HTTP suo;
- **Esito**: HTTP 200 con un `Esito` diverso da `OK` e una `DescrizioneErrore` (`DescErrore` nel dialetto della porta di dominio);
- **Violazioni** di una DSU: HTTP 200 con Esito `RICHIESTA_INVALIDA` e tutte le violazioni insieme (le prime cento, e quante altre; in un lotto le prime venti
  di ciascuna, finché sono duemila in tutto), ciascuna con codice, percorso, riga, colonna e testo.

`DATABASE_OFFLINE` e `RISCONTRO_NON_VALIDO` sono nel contratto e non vengono mai emessi: quando il registro non si può scrivere la risposta è F19, senza dati.

## Fault

";

const RISPOSTE: &str = "
F18, F19, F22 e F24 portano `Retry-After`. F01 e F02 hanno la stessa risposta, byte per byte salvo l'identificativo, per chi è sconosciuto, sospeso, revocato o scaduto: chi
chiama non ne impara di più. Per intero, in SOAP 1.1 e in SOAP 1.2:
";

const SCHEMA: &str = "\
In TrasmissioneDSU, e nelle singole Dichiarazione di un lotto, sono Violazioni della risposta; altrove (anche nel lotto come tale) un fault F17, che elenca
le prime dieci.";

const CONTROLLI: &str = "\
Le avvertenze non fanno rifiutare la DSU: sono nella ricevuta.";

const STRETTA: &str = "\
Prima di HTTP non c'è risposta: la connessione si chiude. Il registro le conta insieme (voci `gathered`).";
