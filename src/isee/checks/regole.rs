//! Every formal check, for the reference of all refusals. A test compares the list with the checks.

use crate::refusal::regole;

regole! {
    /// Checks K02 to K19, in their order; before them a rule of the schema without a type to hold it.
    enum Check {
        K01Intervallo: "K01.intervallo", "Valore fuori dall'intervallo ammesso", "correggerlo";
        K02Annullata: "K02.annullata", "La DSU di riferimento è stata annullata", "presentare una DSU nuova";
        K02CodiceRiferimento: "K02.codice-riferimento",
            "CodiceFiscaleRiferimento che non è del dichiarante della DSU di riferimento",
            "correggerlo, o toglierlo";
        K02Corrente: "K02.corrente",
            "La DSU di riferimento è un modulo sostitutivo, che questa operazione non riguarda",
            "riferirsi alla DSU";
        K02Insieme: "K02.insieme",
            "Dati che non vanno insieme con la DSU di un altro dichiarante, o di un altro ente",
            "concordarli con l'altro";
        K02Lotto: "K02.lotto", "Nello stesso lotto c'è già un'operazione sulla stessa DSU", "trasmetterla dopo, o in un altro lotto";
        K02Protocolli: "K02.protocolli",
            "Più di dieci protocolli indicati non sono di DSU che riguardino quelle persone",
            "controllare i protocolli di genitori, figli e studenti";
        K02Riferimento: "K02.riferimento",
            "DSU nuova con un protocollo di riferimento, o altra operazione senza",
            "togliere o indicare NumeroProtocolloRiferimento";
        K02Riferito: "K02.riferito",
            "Nessuna DSU con quel protocollo che la dichiarazione possa riguardare",
            "controllare protocollo e dichiarante";
        K02Sostitutivo: "K02.sostitutivo",
            "Un ISEE corrente valido riguarda chi la rettifica toglie dal nucleo",
            "annullare prima il modulo sostitutivo";
        K02Tentativi: "K02.tentativi",
            "In un lotto, dopo troppi protocolli indicati invano: la DSU non è stata confrontata con nessun'altra",
            "ritrasmetterla più tardi, in un altro lotto";
        K02Termini: "K02.termini",
            "Redditi dichiarati (I) prima che i termini per l'attestazione siano passati",
            "attendere quindici giorni lavorativi dalla presentazione";
        K02Versione: "K02.versione", "La DSU di riferimento ha una versione successiva", "rettificare quella";
        K02Versioni: "K02.versioni", "La DSU di riferimento ha già 89 versioni, o otto fatte da altri enti", "presentare una DSU nuova";
        K03Componente: "K03.componente", "Integrazione per chi non ha un foglio nella DSU, o ripetuta", "correggere il codice fiscale";
        K03Documento: "K03.documento", "Altro documento senza descrizione", "indicare DescDocAltro";
        K03Mancante: "K03.mancante", "Manca la sezione del tipo di operazione", "aggiungerla";
        K03Sezione: "K03.sezione", "Sezione di un altro tipo di operazione", "togliere la sezione";
        K04Componenti: "K04.componenti", "Nucleo con più di 60 componenti", "controllare i componenti";
        K04Coniuge: "K04.coniuge", "Più di un coniuge del dichiarante", "correggere RapportoConDichiarante";
        K04Dichiarante: "K04.dichiarante",
            "Il dichiarante manca, è più d'uno o non è quello indicato",
            "indicare un solo componente D, con il codice fiscale della Dichiarazione";
        K04Modello: "K04.modello", "Manca il ModelloBase di tipo ORD, o è più d'uno", "indicare esattamente un ModelloBase di tipo ORD";
        K04Nucleo: "K04.nucleo", "Manca il nucleo familiare", "aggiungere NucleoFamiliare";
        K05Controllo: "K05.controllo", "Codice fiscale con carattere di controllo errato", "correggere il codice fiscale";
        K05Data: "K05.data", "Codice fiscale con un giorno di nascita inesistente", "correggere il codice fiscale";
        K05Doppio: "K05.doppio", "Codice fiscale ripetuto nel nucleo", "togliere la ripetizione";
        K05Forma: "K05.forma", "Codice fiscale né di 16 caratteri né di 11 cifre", "correggere il codice fiscale";
        K05Luogo: "K05.luogo", "Avvertenza: il codice fiscale non corrisponde al comune di nascita", "controllare il comune di nascita";
        K05Nascita: "K05.nascita", "Il codice fiscale non corrisponde alla data di nascita", "correggere l'uno o l'altra";
        K05Sesso: "K05.sesso", "Il codice fiscale non corrisponde al sesso", "correggere l'uno o l'altro";
        K06Adulto: "K06.adulto",
            "Dichiarante o coniuge minorenne, senza rappresentanza legale",
            "far sottoscrivere chi lo rappresenta, o correggere il ruolo";
        K06AssenzaReddito: "K06.assenza-reddito",
            "Assenza di reddito dichiarata per un maggiorenne, o per chi in FC8 ha redditi",
            "FlagAssenzaReddito false";
        K06Genitore: "K06.genitore",
            "Il dichiarante non è più anziano di chi è detto suo figlio",
            "correggere RapportoConDichiarante o le date di nascita";
        K06Maggiorenne: "K06.maggiorenne", "Ruolo dei figli maggiorenni per un minorenne", "correggere RapportoConDichiarante";
        K06Minore: "K06.minore", "Ruolo dei minorenni per un maggiorenne", "correggere RapportoConDichiarante";
        K06Nascita: "K06.nascita", "Nascita successiva alla presentazione", "correggere la data di nascita";
        K06NonConvivente: "K06.non-convivente", "Figlio non convivente oltre l'età prevista", "togliere il componente, che fa nucleo a sé";
        K07Conviventi: "K07.conviventi",
            "Più figli conviventi che figli, o di quanti possono esserlo nel nucleo",
            "correggere NumeroFigliConviventi";
        K07Figli: "K07.figli",
            "Numero di figli minore di 3 (di 2 dal 2026), o che non va con i componenti e i loro ruoli",
            "correggere NumeroFigli";
        K07Genitore: "K07.genitore", "Unico genitore, ma nel nucleo c'è il coniuge", "correggere FlagUnicoGenitore";
        K08Casa: "K08.casa",
            "Casa di abitazione che non va con il tipo di abitazione o di immobile",
            "correggere FlagAbitazione, TipoPatrimonio o TipoAbitazione";
        K08Comune: "K08.comune",
            "Avvertenza: la casa di abitazione è in un comune diverso da quello dell'abitazione",
            "controllare CodiceComuneStato e CodiceComune";
        K08Comuni: "K08.comuni", "Case di abitazione in più comuni", "indicare come abitazione una casa sola";
        K08Contratto: "K08.contratto", "Manca un dato del contratto di locazione", "completare Locazione";
        K08Estero: "K08.estero", "Casa di abitazione all'estero", "correggere FlagAbitazione o CodiceComuneStato";
        K08Locazione: "K08.locazione",
            "Locazione senza contratto, o contratto senza locazione",
            "TipoAbitazione 001 e Locazione insieme, o nessuno dei due";
        K08Proprieta: "K08.proprieta",
            "Avvertenza: abitazione di proprietà, senza un fabbricato che lo sia",
            "controllare FlagAbitazione; nulla, se la casa non era ancora del nucleo";
        K08Quote: "K08.quote", "Avvertenza: quote della casa di abitazione oltre il 100 per cento", "controllare QuotaPosseduta";
        K08Residenza: "K08.residenza", "Residenza di riferimento senza coniuge", "togliere ResidenzaRiferimento";
        K09Anno: "K09.anno",
            "Rapporto che nell'anno di riferimento non era aperto",
            "togliere il rapporto, o correggere DataInizio e DataFine";
        K09Date: "K09.date", "Rapporto con date in disordine o nel futuro", "correggere DataInizio e DataFine";
        K09Dati: "K09.dati", "Rapporto senza operatore o senza identificativo", "indicare CodiceFiscaleOperatore e Identificativo";
        K09Doppio: "K09.doppio", "Rapporto indicato due volte per la stessa persona", "togliere la ripetizione";
        K09Importi: "K09.importi",
            "Rapporto con importi che il suo tipo non ha",
            "01, 03 e 09: saldo e consistenza media; gli altri: valore";
        K09Possesso: "K09.possesso",
            "Possesso di rapporti e rapporti dichiarati non vanno insieme",
            "correggere FlagPossessoRapportoFinanziario o i rapporti";
        K09Saldo: "K09.saldo", "Conto o deposito senza saldo o consistenza media", "indicare Saldo3112 e ConsistenzaMedia";
        K09Valore: "K09.valore", "Rapporto senza valore", "indicare Valore";
        K10Incremento: "K10.incremento", "FlagIncremento senza Incremento, o il contrario; Incremento senza importi", "indicarli insieme";
        K11Mutuo: "K11.mutuo", "Avvertenza: mutuo superiore al valore dell'immobile", "controllare MutuoResiduo";
        K11Quota: "K11.quota", "Avvertenza: quota posseduta fuori da 0-100", "controllare QuotaPosseduta";
        K12Certificato: "K12.certificato", "Disabilità senza ente o documento che la certifica", "indicare EnteCertif e DocCertif";
        K12Data: "K12.data", "Certificato di disabilità con data futura, o di un anno precedente alla nascita", "correggere DataCertif";
        K12Nascita: "K12.nascita", "Avvertenza: certificato di disabilità dell'anno della nascita, ma precedente", "correggere DataCertif";
        K13Autonomia: "K13.autonomia", "Studente senza genitori nel nucleo, senza le due condizioni di autonomia", "indicarle entrambe";
        K13Beneficiario: "K13.beneficiario", "Lo studente non fa parte del nucleo", "correggere CodiceFiscaleBeneficiario";
        K13Dati: "K13.dati",
            "Studente non autonomo senza DSU né dati del genitore",
            "indicare NumeroProtocolloRifGenitore, o i dati del genitore";
        K13Doppio: "K13.doppio", "Studente indicato due volte", "togliere la ripetizione";
        K13Eta: "K13.eta", "Studente che non ha l'età di chi frequenta l'università", "correggere CodiceFiscaleBeneficiario";
        K13Genitore: "K13.genitore", "Studente non autonomo senza codice fiscale di un genitore", "indicare CodiceFiscaleGenitore";
        K13Genitori: "K13.genitori", "Genitori dello studente che non vanno con il nucleo", "correggere PresenzaGenitori o i componenti";
        K14Beneficiario: "K14.beneficiario", "Beneficiario fuori dal nucleo, o maggiorenne che non è studente", "correggere Beneficiario";
        K14Completezza: "K14.completezza",
            "Dati di un genitore detti completi che non lo sono, o numeri che non vanno insieme",
            "completarli, o FlagCompletezzaDati false";
        K14Condizioni: "K14.condizioni", "Condizioni del genitore non convivente che si contraddicono", "correggere le tre condizioni";
        K14Convivente: "K14.convivente",
            "Il genitore non convivente è un componente del nucleo",
            "togliere GenitoreNonConvivente, o correggere il codice fiscale";
        K14Dettaglio: "K14.dettaglio", "Dati di un'altra persona che il genitore", "correggere i codici fiscali";
        K14Doppio: "K14.doppio", "Due genitori non conviventi, non esclusi, per lo stesso minorenne", "indicarne uno";
        K14Escluso: "K14.escluso", "Dati di un genitore escluso", "toglierli";
        K14Eta: "K14.eta", "Genitore non convivente minorenne, o non più anziano del figlio", "correggere la persona o la data di nascita";
        K15Beneficiario: "K15.beneficiario",
            "Beneficiario fuori dal nucleo, ripetuto, o diverso da quello del nucleo ristretto",
            "correggere CodiceFiscaleBeneficiario";
        K15Completezza: "K15.completezza",
            "Dati di un figlio detti completi che non lo sono, o numeri che non vanno insieme",
            "completarli, o FlagCompletezzaDati false";
        K15Data: "K15.data", "Richiesta di ricovero nel futuro, o precedente alla nascita", "correggere DataRichiestaRicovero";
        K15Dettaglio: "K15.dettaglio", "Dati di un'altra persona che il figlio", "correggere i codici fiscali";
        K15Disabilita: "K15.disabilita",
            "Avvertenza: il beneficiario di prestazioni residenziali non ha un foglio della disabilità",
            "controllare FC7";
        K15Donazioni: "K15.donazioni",
            "Donazioni dichiarate e donazioni elencate non vanno insieme",
            "correggere FlagDonazioni, il tipo o l'elenco";
        K15Esclusione: "K15.esclusione", "Condizione di esclusione senza estremi, o il contrario", "indicarli insieme";
        K15Eta: "K15.eta", "Figlio non compreso che non è più giovane del beneficiario", "correggere la persona o la data di nascita";
        K15Figli: "K15.figli", "Figli dichiarati e figli elencati non vanno insieme", "correggere FlagFigliNonCompresi o l'elenco";
        K15Figlio: "K15.figlio", "Il figlio fa parte del nucleo, o è già indicato", "togliere FiglioNonCompresoNelNucleo";
        K15Quota: "K15.quota", "Quota donata maggiore di quella posseduta", "correggere le quote";
        K15Ricevente: "K15.ricevente", "Donazione del beneficiario a sé stesso", "correggere CodiceFiscaleRicevente";
        K16Beneficiario: "K16.beneficiario",
            "Nucleo ristretto senza un solo beneficiario con relazione B",
            "correggere FlagBeneficiario o RelazioneConBeneficiario";
        K16Componente: "K16.componente", "Componente del nucleo ristretto fuori dal nucleo, o ripetuto", "correggere i componenti";
        K16Coniuge: "K16.coniuge", "Più di un coniuge nel nucleo ristretto", "correggere RelazioneConBeneficiario";
        K16Doppio: "K16.doppio", "Due nuclei ristretti per lo stesso beneficiario", "indicarne uno";
        K16Eta: "K16.eta",
            "Relazione con il beneficiario che non va con le età, o beneficiario minorenne",
            "correggere RelazioneConBeneficiario";
        K16Figlio: "K16.figlio",
            "Avvertenza: nel nucleo ristretto non c'è un figlio che potrebbe appartenervi",
            "aggiungerlo, se è figlio del beneficiario e, da maggiorenne, a suo carico";
        K16Manca: "K16.manca",
            "Nel nucleo ristretto manca chi vi appartiene: coniuge, figli minorenni o a carico",
            "aggiungere il componente";
        K16Nucleo: "K16.nucleo", "ModelloBase RID senza nucleo ristretto, o ORD con uno", "correggere il tipo o aggiungere NucleoRistretto";
        K16Relazione: "K16.relazione",
            "Relazione con il beneficiario che non va con il rapporto con il dichiarante",
            "correggere RelazioneConBeneficiario";
        K17Base: "K17.base", "La DSU di riferimento non ha un ISEE valido alla presentazione", "presentare una DSU nuova";
        K17Componente: "K17.componente", "Variazione di chi non è nel nucleo della DSU di riferimento", "correggere il codice fiscale";
        K17Data: "K17.data", "Data della variazione successiva alla presentazione", "correggere DataVariazione";
        K17Documenti: "K17.documenti", "Variazione senza documenti", "indicare Documentazione";
        K17Doppio: "K17.doppio", "Due variazioni della stessa persona", "unirle";
        K17Mesi: "K17.mesi", "Redditi di dodici mesi e di due per la stessa categoria", "indicarne uno";
        K17Numero: "K17.numero", "La DSU di riferimento ha già otto ISEE correnti validi del suo ente, o otto di tutti gli altri insieme", "annullarne uno";
        K17Patrimonio: "K17.patrimonio", "Tipo di variazione e patrimoni non vanno insieme", "correggere TipoVariazione o i patrimoni";
        K17Periodo: "K17.periodo", "Variazione del patrimonio in un periodo che non la ammette", "presentarla da aprile";
        K17Protocollo: "K17.protocollo", "Protocollo diverso da quello della DSU di riferimento", "correggere ProtocolloInpsDSUCorrente";
        K17Redditi: "K17.redditi", "Tipo di variazione e redditi correnti non vanno insieme", "correggere TipoVariazione o i redditi";
        K17Scostamento: "K17.scostamento", "Variazione minore di quella che la legge chiede", "non spetta l'ISEE corrente";
        K17Termine: "K17.termine", "Avvertenza: variazione di più di diciotto mesi prima della presentazione", "controllare DataVariazione";
        K18Anno: "K18.anno",
            "Avvertenza: sottoscritta prima dell'anno che precede quello della trasmissione",
            "controllare DataSottoscrizione";
        K18Data: "K18.data", "Sottoscrizione nel futuro", "correggere DataSottoscrizione";
        K18Delegato: "K18.delegato", "Autorizzazione al ritiro senza delegato, o il contrario", "indicarli insieme";
        K18Pec: "K18.pec", "Invio per PEC senza indirizzo", "indicare IndirizzoPEC";
        K18Periodo: "K18.periodo", "Nessun insieme di regole per la data di presentazione", "controllare DataSottoscrizione";
        K18Sottoscrittore: "K18.sottoscrittore",
            "Chi sottoscrive non è del nucleo né rappresentante",
            "correggere CodiceFiscaleSottoscrittore o FlagRappresentanzaLegale";
        K18Termine: "K18.termine", "Avvertenza: trasmessa dopo quattro giorni lavorativi", "trasmettere entro il termine";
        K19Contenuto: "K19.contenuto", "Protocollo del mittente già usato per una DSU diversa",
            "se è la stessa DSU riscritta, anche solo negli spazi, chiedere che cosa ne è stato (ConsultazioneEsitoDSU con quel ProtocolloMittente); altrimenti un protocollo nuovo";
        K19Protocollo: "K19.protocollo",
            "Protocollo del mittente mancante, o diverso tra le sottoscrizioni",
            "indicare un solo ProtocolloMittente";
    }
}
