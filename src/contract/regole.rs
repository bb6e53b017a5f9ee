//! Check K01, the schema: every rule of it, for the reference of all refusals.

use crate::refusal::regole;

regole! {
    /// A rule of check K01, the schema.
    enum SchemaRule {
        K01Attributo: "K01.attributo", "Attributo non previsto", "toglierlo, o correggerne il nome";
        K01AttributoMancante: "K01.attributo-mancante", "Manca un attributo obbligatorio", "aggiungerlo";
        K01Cifre: "K01.cifre", "Numero con troppe cifre", "arrotondarlo";
        K01Contenuto: "K01.contenuto", "Elemento dove è atteso un valore semplice", "toglierlo";
        K01Elemento: "K01.elemento", "Elemento non previsto in quel punto", "controllare nome, namespace e ordine";
        K01ElementoMancante: "K01.elemento-mancante", "Manca un elemento obbligatorio", "aggiungerlo prima del punto indicato";
        K01Formato: "K01.formato", "Valore che non ha il formato del suo tipo", "correggerlo";
        K01Intervallo: "K01.intervallo", "Valore fuori dall'intervallo ammesso", "correggerlo";
        K01Lotto: "K01.lotto", "Lotto con più di 500 Dichiarazione", "dividerlo";
        K01Lunghezza: "K01.lunghezza", "Valore troppo corto o troppo lungo", "correggerlo";
        K01Testo: "K01.testo", "Testo tra gli elementi", "toglierlo";
        K01Tipo: "K01.tipo", "Valore che non è del suo tipo (data, numero, base64)", "correggerlo";
        K01Valore: "K01.valore", "Valore che non è tra quelli ammessi", "usare uno dei valori elencati nello schema";
        K01Xml: "K01.xml", "XmlDichiarazione, o una Dichiarazione di un lotto, che non è XML leggibile", "correggere il documento";
        K01Xsi: "K01.xsi", "xsi:type o xsi:nil dove non è ammesso", "toglierlo";
    }
}
