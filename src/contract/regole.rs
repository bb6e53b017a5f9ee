//! Check K01, the schema: every rule of it, for the reference of all refusals.

use crate::refusal::{Regola, regola};

/// Check K01.
pub const REGOLE: &[Regola] = &[
    regola("K01.attributo", "Attributo non previsto", "toglierlo, o correggerne il nome"),
    regola("K01.attributo-mancante", "Manca un attributo obbligatorio", "aggiungerlo"),
    regola("K01.cifre", "Numero con troppe cifre", "arrotondarlo"),
    regola("K01.contenuto", "Elemento dove è atteso un valore semplice", "toglierlo"),
    regola("K01.elemento", "Elemento non previsto in quel punto", "controllare nome, namespace e ordine"),
    regola("K01.elemento-mancante", "Manca un elemento obbligatorio", "aggiungerlo prima del punto indicato"),
    regola("K01.formato", "Valore che non ha il formato del suo tipo", "correggerlo"),
    regola("K01.intervallo", "Valore fuori dall'intervallo ammesso", "correggerlo"),
    regola("K01.lotto", "Lotto con più di 500 Dichiarazione", "dividerlo"),
    regola("K01.lunghezza", "Valore troppo corto o troppo lungo", "correggerlo"),
    regola("K01.testo", "Testo tra gli elementi", "toglierlo"),
    regola("K01.tipo", "Valore che non è del suo tipo (data, numero, base64)", "correggerlo"),
    regola("K01.valore", "Valore che non è tra quelli ammessi", "usare uno dei valori elencati nello schema"),
    regola("K01.xml", "XmlDichiarazione, o una Dichiarazione di un lotto, che non è XML leggibile", "correggere il documento"),
    regola("K01.xsi", "xsi:type o xsi:nil dove non è ammesso", "toglierlo"),
];
