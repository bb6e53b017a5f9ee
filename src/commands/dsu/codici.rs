//! `varco dsu codici`: the page of the manual about the DSU: every code of its layout with its meaning, and
//! every check, from the tables that the checks use.

use std::fmt::Write as _;

use crate::isee::checks::Check;
use crate::refusal::Regola;

/// A list of codes: where it stands in a DSU, the checks that look at it, its codes.
struct Elenco {
    titolo: &'static str,
    /// The attribute or element, as in the layout.
    dove: &'static str,
    /// The families of checks, besides K01: a code that is not in the list is K01.valore.
    controlli: &'static [&'static str],
    /// Every code, in the order of the schema.
    significati: &'static [(&'static str, &'static str)],
}

const ELENCHI: [Elenco; 15] = [
    Elenco {
        titolo: "Che cosa fa la dichiarazione",
        dove: "Operazione/@Tipo",
        controlli: &["K02", "K03"],
        significati: &[
            ("N", "DSU nuova"),
            (
                "A",
                "componente aggiuntiva: i dati di un genitore o di un figlio fuori dal nucleo",
            ),
            ("I", "integrazione dei redditi (FC8)"),
            ("S", "integrazione dei dati residenziali di un beneficiario"),
            ("C", "ISEE corrente (modulo sostitutivo)"),
            ("R", "rettifica di tutta la DSU"),
            ("X", "annullamento"),
        ],
    },
    Elenco {
        titolo: "Che cos'è un componente per il dichiarante",
        dove: "ComponenteNucleo/@RapportoConDichiarante",
        controlli: &["K04", "K06"],
        significati: &[
            ("D", "dichiarante: uno, e uno solo"),
            ("C", "coniuge"),
            ("F", "figlio minorenne"),
            ("MA", "minore in affidamento preadottivo"),
            ("FC", "figlio maggiorenne convivente"),
            ("FNC", "figlio maggiorenne non convivente, a carico"),
            ("P", "altra persona nel nucleo"),
            (
                "GNC",
                "genitore non coniugato e non convivente, attratto nel nucleo",
            ),
        ],
    },
    Elenco {
        titolo: "Quale modello base",
        dove: "ModelloBase/@Tipo",
        controlli: &["K04"],
        significati: &[
            ("ORD", "del nucleo familiare: uno, e uno solo"),
            (
                "RID",
                "di un nucleo ristretto: prestazioni sociosanitarie, dottorato",
            ),
        ],
    },
    Elenco {
        titolo: "Che cos'è un componente per il beneficiario di un nucleo ristretto",
        dove: "ComponenteNucleoRistretto/@RelazioneConBeneficiario",
        controlli: &["K16"],
        significati: &[
            ("B", "il beneficiario"),
            ("C", "coniuge"),
            ("F", "figlio minorenne"),
            ("FC", "figlio maggiorenne convivente"),
            ("FNC", "figlio maggiorenne non convivente"),
            ("MA", "minore in affidamento preadottivo"),
        ],
    },
    Elenco {
        titolo: "Dove sono i genitori di uno studente",
        dove: "Universitario/@PresenzaGenitori",
        controlli: &["K13"],
        significati: &[
            ("TuttiPresenti", "tutti e due nel nucleo"),
            ("SoloUno", "uno solo nel nucleo"),
            ("ConiugatiNonPresenti", "nessuno nel nucleo; coniugati fra loro"),
            (
                "NonConiugatiNonPresenti",
                "nessuno nel nucleo; non coniugati fra loro",
            ),
        ],
    },
    Elenco {
        titolo: "Che cosa è cambiato, per un ISEE corrente",
        dove: "ModuloSostitutivo: @TipoVariazione",
        controlli: &["K17"],
        significati: &[
            (
                "A",
                "variazione della situazione lavorativa o dei redditi, primo caso",
            ),
            ("B", "secondo caso"),
            ("C", "terzo caso"),
            ("D", "variazione del patrimonio"),
            ("AD", "primo caso e patrimonio"),
            ("BD", "secondo caso e patrimonio"),
            ("CD", "terzo caso e patrimonio"),
        ],
    },
    Elenco {
        titolo: "Che cosa fa una persona",
        dove: "@AttivitaSoggetto",
        controlli: &[],
        significati: &[
            ("LAVIND", "lavoro a tempo indeterminato"),
            ("LAVDET", "lavoro a tempo determinato"),
            ("LAVINT", "lavoro in somministrazione (interinale)"),
            ("LAVCIG", "cassa integrazione"),
            ("LAVPAR", "lavoro parasubordinato"),
            ("LAVOCC", "lavoro occasionale"),
            ("LAVAUT", "lavoro autonomo"),
            ("DISOCC", "disoccupazione"),
            ("PENSIO", "pensione"),
            ("CASLNG", "lavoro di casa"),
            ("STUDNT", "studio"),
            ("ALTRO", "altro"),
        ],
    },
    Elenco {
        titolo: "Quale veicolo",
        dove: "@TipoVeicolo",
        controlli: &[],
        significati: &[
            ("A", "autoveicolo"),
            ("M", "motoveicolo"),
            ("N", "nave"),
            ("I", "imbarcazione da diporto"),
        ],
    },
    Elenco {
        titolo: "Quale disabilità",
        dove: "@GradoDisabilita (DPCM 159/2013, allegato 3)",
        controlli: &["K12"],
        significati: &[("DIM", "media"), ("DIG", "grave"), ("NAS", "non autosufficienza")],
    },
    Elenco {
        titolo: "A che titolo il nucleo abita la casa",
        dove: "Abitazione/@TipoAbitazione",
        controlli: &["K08"],
        significati: &[
            ("000", "proprietà"),
            ("001", "locazione: con i dati del contratto"),
            ("999", "altro titolo"),
        ],
    },
    Elenco {
        titolo: "Di chi è la residenza di riferimento",
        dove: "Abitazione/@ResidenzaRiferimento",
        controlli: &["K08"],
        significati: &[("D", "del dichiarante"), ("C", "del coniuge")],
    },
    Elenco {
        titolo: "Perché un figlio fuori dal nucleo non conta",
        dove: "@CondizioneEsclusione",
        controlli: &["K15"],
        significati: &[
            ("A", "prima condizione (nessuna fonte pubblica dice quale)"),
            ("B", "seconda condizione"),
        ],
    },
    Elenco {
        titolo: "Quale immobile",
        dove: "@TipoPatrimonio",
        controlli: &["K08", "K11"],
        significati: &[
            ("F", "fabbricato"),
            ("TE", "terreno agricolo"),
            ("TA", "area fabbricabile"),
        ],
    },
    Elenco {
        titolo: "Quale rapporto finanziario",
        dove: "@TipoRapporto",
        controlli: &["K09"],
        significati: &[
            ("01", "conto corrente: saldo e consistenza media"),
            ("02", "conto deposito titoli e obbligazioni"),
            ("03", "deposito a risparmio: saldo e consistenza media"),
            ("04", "rapporto fiduciario"),
            ("05", "gestione collettiva del risparmio"),
            ("06", "gestione patrimoniale"),
            ("07", "certificati di deposito e buoni fruttiferi"),
            ("09", "conto terzi: saldo e consistenza media"),
            ("23", "prodotto finanziario emesso da imprese di assicurazione"),
            ("99", "altro"),
        ],
    },
    Elenco {
        titolo: "Sesso",
        dove: "@Sesso",
        controlli: &["K05"],
        significati: &[("M", "maschio"), ("F", "femmina")],
    },
];

const INTRODUZIONE: &str = "\
# La DSU

<!-- Generato da `varco dsu codici`: si cambia nel codice. -->

Una `Dichiarazione` ha la forma che l'INPS le dà (schema 1.3 dell'8 giugno 2021). La porta la controlla due volte: contro lo schema (K01: forma, codici,
intervalli), poi nel merito (K02 e seguenti). Risponde con tutte le violazioni insieme, ciascuna con codice, percorso, riga e colonna.

Per provarla prima di trasmetterla, senza porta e senza certificati:

```sh
varco dsu check dsu.xml
varco dsu compute dsu.xml
```

Il primo comando elenca le violazioni, il secondo calcola l'ISEE riga per riga, con la norma accanto. `varco spiega K09.saldo` spiega un codice.

## I codici

Un codice fuori dal suo elenco è `K01.valore`. La colonna «controlli» dice quali famiglie guardano anche il resto: sono più sotto.
";

const CONTROLLI: &str = "
## I controlli

Un'avvertenza non impedisce di accettare la DSU: sta nella ricevuta.

| codice | significato | che cosa fare |
|---|---|---|
";

/// The page, in Markdown.
pub(super) fn page() -> String {
    let mut text = INTRODUZIONE.to_owned();
    for elenco in &ELENCHI {
        let mut families = vec!["K01"];
        families.extend(elenco.controlli);
        let _ = write!(
            text,
            "\n### {}\n\n`{}`; controlli {}.\n\n| codice | significato |\n|---|---|\n",
            elenco.titolo,
            elenco.dove,
            families.join(", ")
        );
        for (code, meaning) in elenco.significati {
            let _ = writeln!(text, "| `{code}` | {meaning} |");
        }
    }
    text.push_str(CONTROLLI);
    for check in Check::ALL {
        let Regola {
            codice,
            significato,
            rimedio,
        } = check.row();
        let _ = writeln!(text, "| {codice} | {significato} | {rimedio} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isee::codes::{
        Attivita, CondizioneEsclusione, GradoDisabilita, PresenzaGenitori, Relazione, Residente, Ruolo,
        Sesso, TipoAbitazione, TipoImmobile, TipoModello, TipoOperazione, TipoRapporto, TipoVariazione,
        TipoVeicolo,
    };

    /// The lists of the layout, in the order of the page.
    const DEL_TRACCIATO: [&[&str]; 15] = [
        TipoOperazione::ALL,
        Ruolo::ALL,
        TipoModello::ALL,
        Relazione::ALL,
        PresenzaGenitori::ALL,
        TipoVariazione::ALL,
        Attivita::ALL,
        TipoVeicolo::ALL,
        GradoDisabilita::ALL,
        TipoAbitazione::ALL,
        Residente::ALL,
        CondizioneEsclusione::ALL,
        TipoImmobile::ALL,
        TipoRapporto::ALL,
        Sesso::ALL,
    ];

    #[test]
    fn every_code_has_a_meaning_and_every_family_a_check() {
        let families: Vec<&str> = Check::ALL.iter().map(|check| check.row().codice).collect();
        for (elenco, all) in ELENCHI.iter().zip(DEL_TRACCIATO) {
            let codes: Vec<&str> = elenco.significati.iter().map(|(code, _)| *code).collect();
            assert_eq!(codes, all, "{}", elenco.titolo);
            for family in elenco.controlli {
                let begins = format!("{family}.");
                assert!(families.iter().any(|code| code.starts_with(&begins)), "{family}");
            }
        }
    }
}
