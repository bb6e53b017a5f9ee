//! From a certificate's keys to the ente with this certificate, and to the key by which it comes in on a day.
//!
//! The keys come in ranks, the most particular first: the pin; issuer, organization and each unit; issuer and
//! organization. The first rank with a registered key decides the ente. Each key has its window: a key of the
//! same ente in its time counts, even if another is out of its time.

use jiff::civil::Date;

use super::ente::Ente;

/// The ente of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known<'a> {
    /// The ente's code in the registry.
    pub codice: String,
    /// The first registered key.
    pub key: &'a str,
    /// The rank of this key, and the ranks after it.
    ranks: &'a [Vec<String>],
}

/// The ente of a certificate with these keys; `holder` gives the ente of each key. If keys of one rank are of
/// different enti the certificate is nobody's: `Ambiguous`.
pub fn known<E>(
    ranks: &[Vec<String>],
    mut holder: impl FnMut(&str) -> Result<Option<String>, E>,
) -> Result<KeyMatch<'_>, E> {
    for (place, rank) in ranks.iter().enumerate() {
        let mut found: Option<Known<'_>> = None;
        for key in rank {
            let Some(codice) = holder(key)? else { continue };
            match &found {
                Some(known) if known.codice != codice => return Ok(KeyMatch::Ambiguous),
                Some(_) => {}
                None => {
                    found = Some(Known {
                        codice,
                        key,
                        ranks: &ranks[place..],
                    })
                }
            }
        }
        if let Some(known) = found {
            return Ok(KeyMatch::Known(known));
        }
    }
    Ok(KeyMatch::Nobody)
}

/// The result for a certificate's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyMatch<'a> {
    /// They are one ente's.
    Known(Known<'a>),
    /// Keys of one rank are of different enti.
    Ambiguous,
    /// No key is registered.
    Nobody,
}

impl<'a> Known<'a> {
    /// The first key of the ente in its time on a day. The search stops at a rank with a key of another ente.
    pub fn in_time<E>(
        &self,
        ente: &Ente,
        today: Date,
        mut holder: impl FnMut(&str) -> Result<Option<String>, E>,
    ) -> Result<Option<&'a str>, E> {
        for (place, rank) in self.ranks.iter().enumerate() {
            // The first rank is the ente's alone.
            for key in rank.iter().filter(|_| place > 0) {
                if holder(key)?.is_some_and(|codice| codice != ente.codice) {
                    return Ok(None);
                }
            }
            if let Some(key) = rank.iter().find(|key| ente.has_certificate(key, today)) {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use jiff::civil::date;

    use super::*;
    use crate::registry::ente::Segno;

    const PIN: &str = "aa";
    const TODAY: Date = date(2026, 6, 1);

    fn unit(name: &str) -> Segno {
        Segno::Emittente {
            emittente: "ca".to_owned(),
            organizzazione: "org".to_owned(),
            unita: (name != "-").then(|| name.to_owned()),
        }
    }

    /// The keys of a certificate with a pin and two units.
    fn ranks() -> Vec<Vec<String>> {
        vec![
            vec![PIN.to_owned()],
            vec![unit("A").key(), unit("B").key()],
            vec![unit("-").key()],
        ]
    }

    /// An ente with certificates: a sign each, and whether it is in its time.
    fn ente(codice: &str, signs: &[(Segno, bool)]) -> Ente {
        let certificates: Vec<serde_json::Value> = signs
            .iter()
            .map(|(sign, current)| {
                let mut value = serde_json::to_value(sign).unwrap();
                value["al"] = if *current { "2026-12-31" } else { "2026-05-31" }.into();
                value
            })
            .collect();
        serde_json::from_value(serde_json::json!({
            "codice": codice, "denominazione": codice, "codice_fiscale": "01234567897", "tipo": "comune", "stato": "accreditato",
            "richiesta": { "pec": "p", "base_giuridica": "b", "finalita": "f" }, "certificati": certificates,
        }))
        .unwrap()
    }

    /// The ente of the certificate, and the key by which it comes in.
    fn judged(enti: &[Ente]) -> Option<(String, Option<String>)> {
        let holder = |key: &str| {
            let holds = |ente: &&Ente| {
                ente.certificati
                    .iter()
                    .any(|certificate| certificate.segno.key() == key)
            };
            Ok::<_, Infallible>(enti.iter().find(holds).map(|ente| ente.codice.clone()))
        };
        let ranks = ranks();
        let Ok(KeyMatch::Known(known)) = known(&ranks, holder) else {
            return None;
        };
        let ente = enti.iter().find(|ente| ente.codice == known.codice).unwrap();
        let Ok(key) = known.in_time(ente, TODAY, holder);
        Some((known.codice, key.map(str::to_owned)))
    }

    #[test]
    fn a_key_in_its_time_counts_though_another_of_the_same_ente_is_not() {
        let pin = || Segno::Impronta {
            sha256: PIN.to_owned(),
        };
        let one = |key: Option<Segno>| Some(("uno".to_owned(), key.map(|sign| sign.key())));
        assert_eq!(
            judged(&[ente("uno", &[(pin(), true), (unit("-"), false)])]),
            one(Some(pin()))
        );
        assert_eq!(
            judged(&[ente("uno", &[(pin(), false), (unit("-"), true)])]),
            one(Some(unit("-")))
        );
        assert_eq!(
            judged(&[ente("uno", &[(unit("A"), false), (unit("B"), true)])]),
            one(Some(unit("B")))
        );
        assert_eq!(
            judged(&[ente("uno", &[(unit("A"), false), (unit("-"), true)])]),
            one(Some(unit("-")))
        );
        assert_eq!(
            judged(&[ente(
                "uno",
                &[(pin(), false), (unit("A"), false), (unit("-"), false)]
            )]),
            one(None)
        );
        assert_eq!(judged(&[ente("uno", &[])]), None);
    }

    #[test]
    fn what_another_ente_holds_does_not_count() {
        let pin = || Segno::Impronta {
            sha256: PIN.to_owned(),
        };
        let other = |sign: Segno| ente("due", &[(sign, true)]);
        let one = |key: Option<Segno>| Some(("uno".to_owned(), key.map(|sign| sign.key())));
        // A pin out of its time still decides the ente.
        assert_eq!(
            judged(&[ente("uno", &[(pin(), false)]), other(unit("-"))]),
            one(None)
        );
        assert_eq!(
            judged(&[
                ente("uno", &[(pin(), false), (unit("B"), true)]),
                other(unit("A"))
            ]),
            one(None)
        );
        assert_eq!(
            judged(&[
                ente("uno", &[(pin(), false), (unit("-"), true)]),
                other(unit("A"))
            ]),
            one(None)
        );
        assert_eq!(
            judged(&[ente("uno", &[(pin(), true)]), other(unit("A"))]),
            one(Some(pin()))
        );
        // Units of different enti: the certificate is nobody's.
        assert_eq!(
            judged(&[
                ente("uno", &[(unit("A"), true), (unit("-"), true)]),
                other(unit("B"))
            ]),
            None
        );
    }
}
