//! What an attestation says of each person, short: questions about an indicator are answered from it alone.
//!
//! Its bytes are kept in the ledger (`docs/ledger.md`, "The summary of an attestation").

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::attestazione::{Assente, Attestazione};
use super::codes::{Importo, TipoIndicatore, TipoIndicatoreSoglia as Caso};
use super::codice_fiscale::CodiceFiscale;
use super::valori::Valori;
use crate::binary::{ByteIn, ByteOut};

/// The first byte.
const VERSION: u8 = 1;
/// Length of an amount.
const AMOUNT: usize = 16;

/// The summary of an attestation.
#[derive(Clone, PartialEq)]
pub struct Sintesi {
    /// The declarant's codice fiscale, as sent.
    pub dichiarante: CodiceFiscale,
    /// Protocol of the DSU.
    pub numero_protocollo_dsu: String,
    /// Protocol of the substitute form. `None`: not a current ISEE.
    pub modulo_sostitutivo: Option<String>,
    /// When the DSU was presented.
    pub data_presentazione: Date,
    /// Whether the Revenue Agency found omissions or differences.
    pub difformita: bool,
    /// The codici fiscali of all persons in it, canonical.
    pub persone: Vec<String>,
    /// The members of the ordinary nucleus, then those of restricted nuclei alone.
    pub membri: Vec<MembroAttestato>,
    /// The values of all indicators, each once.
    valori: Vec<Valori>,
    /// The indicators that are there, or that cannot be computed.
    voci: Vec<VoceDiMembro>,
}

/// A member of a nucleus.
#[derive(Clone, PartialEq)]
pub struct MembroAttestato {
    /// Its codice fiscale, as sent.
    pub codice_fiscale: CodiceFiscale,
    /// Surname, in capitals.
    pub cognome: String,
    /// First name, in capitals.
    pub nome: String,
    /// Whether it is a member of the ordinary nucleus.
    pub ordinario: bool,
}

/// An indicator of a member.
#[derive(Clone, Copy, PartialEq)]
struct VoceDiMembro {
    membro: u16,
    tipo: TipoIndicatore,
    /// The case, and the place of the values. `None`: it cannot be computed.
    trovata: Option<(Caso, u16)>,
}

/// It holds personal data.
impl std::fmt::Debug for Sintesi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sintesi(..)")
    }
}

/// It holds personal data.
impl std::fmt::Debug for MembroAttestato {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MembroAttestato(..)")
    }
}

/// Every kind of indicator.
fn tipi() -> impl Iterator<Item = TipoIndicatore> {
    let codes = TipoIndicatore::ALL.iter();
    codes.filter_map(|code| TipoIndicatore::from_code(code))
}

impl Sintesi {
    /// The summary of an attestation. `persone`: the codici fiscali of all persons in it, canonical.
    pub fn of(attestazione: &Attestazione, persone: Vec<String>) -> Self {
        let ordinario = attestazione.ordinario.as_ref();
        let mut membri = Vec::new();
        let nucleo = ordinario.map(|ordinario| &ordinario.nucleo_familiare.componente_nucleo);
        for member in nucleo.into_iter().flatten() {
            membri.push(MembroAttestato {
                codice_fiscale: member.codice_fiscale.clone(),
                cognome: member.cognome.clone(),
                nome: member.nome.clone(),
                ordinario: true,
            });
        }
        let ridotti = attestazione.ridotto.iter();
        for member in ridotti.flat_map(|ridotto| &ridotto.nucleo_ristretto.componente_nucleo_ristretto) {
            if membri
                .iter()
                .all(|known| known.codice_fiscale != member.codice_fiscale)
            {
                membri.push(MembroAttestato {
                    codice_fiscale: member.codice_fiscale.clone(),
                    cognome: member.cognome.clone(),
                    nome: member.nome.clone(),
                    ordinario: false,
                });
            }
        }
        let mut sintesi = Self {
            dichiarante: attestazione.codice_fiscale_dichiarante.clone(),
            numero_protocollo_dsu: attestazione.numero_protocollo_dsu.clone(),
            modulo_sostitutivo: ordinario
                .and_then(|ordinario| ordinario.protocollo_dsu_modulo_sostitutivo.clone()),
            data_presentazione: attestazione.data_presentazione,
            difformita: !attestazione.omissione_difformita.is_empty(),
            persone,
            membri: Vec::new(),
            valori: Vec::new(),
            voci: Vec::new(),
        };
        for (membro, member) in (0..).zip(&membri) {
            for tipo in tipi() {
                sintesi.add(attestazione, membro, tipo, &member.codice_fiscale);
            }
        }
        sintesi.membri = membri;
        sintesi
    }

    fn add(
        &mut self,
        attestazione: &Attestazione,
        membro: u16,
        tipo: TipoIndicatore,
        codice: &CodiceFiscale,
    ) {
        let trovata = match attestazione.indicatore(tipo, codice) {
            Ok(found) => {
                let known = self.valori.iter().position(|known| known == found.valori);
                let place = known.unwrap_or_else(|| {
                    self.valori.push(found.valori.clone());
                    self.valori.len() - 1
                });
                Some((found.caso, u16::try_from(place).unwrap_or(u16::MAX)))
            }
            Err(Assente::NonCalcolabile) => None,
            Err(Assente::Nessuno) => return,
        };
        self.voci.push(VoceDiMembro {
            membro,
            tipo,
            trovata,
        });
    }

    /// The protocol of the attested declaration. For a current ISEE: the protocol of the substitute form.
    pub fn protocollo(&self) -> &str {
        self.modulo_sostitutivo
            .as_deref()
            .unwrap_or(&self.numero_protocollo_dsu)
    }

    /// A person's indicator of a kind: its values and its case, as
    /// [`Attestazione::indicatore`] finds them.
    pub fn indicatore(
        &self,
        tipo: TipoIndicatore,
        persona: &CodiceFiscale,
    ) -> Result<(&Valori, Caso), Assente> {
        let mut membri = self.membri.iter();
        let membro = membri.position(|member| member.codice_fiscale == *persona);
        let mut voci = self.voci.iter();
        let voce = voci.find(|voce| Some(usize::from(voce.membro)) == membro && voce.tipo == tipo);
        let VoceDiMembro { trovata, .. } = voce.ok_or(Assente::Nessuno)?;
        let (caso, place) = trovata.ok_or(Assente::NonCalcolabile)?;
        let valori = self.valori.get(usize::from(place)).ok_or(Assente::Nessuno)?;
        Ok((valori, caso))
    }

    /// The kinds of indicator computed for a person.
    pub fn indicatori(&self, persona: &CodiceFiscale) -> Vec<TipoIndicatore> {
        tipi()
            .filter(|tipo| self.indicatore(*tipo, persona).is_ok())
            .collect()
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = ByteOut(Vec::with_capacity(512));
        out.0.push(VERSION);
        out.text(self.dichiarante.as_sent());
        out.text(&self.numero_protocollo_dsu);
        out.text(self.modulo_sostitutivo.as_deref().unwrap_or_default());
        out.text(&self.data_presentazione.to_string());
        out.0.push(self.difformita.into());
        out.all(&self.persone, |out, code| out.text(code));
        out.all(&self.membri, |out, member| {
            out.0.push(member.ordinario.into());
            out.text(member.codice_fiscale.as_sent());
            out.text(&member.cognome);
            out.text(&member.nome);
        });
        out.all(&self.valori, |out, valori| {
            let Valori {
                ise,
                scala_equivalenza,
                isee,
                isr,
                isp,
            } = valori;
            for amount in [ise, scala_equivalenza, isee, isr, isp] {
                out.0.extend_from_slice(&amount.0.serialize());
            }
        });
        out.all(&self.voci, |out, voce| {
            out.number(voce.membro);
            out.text(voce.tipo.code());
            let (caso, place) = voce.trovata.map_or(("", 0), |(caso, place)| (caso.code(), place));
            out.text(caso);
            out.number(place);
        });
        out.0
    }

    /// Reads its bytes. `None`: they are none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        (*version == VERSION).then_some(())?;
        let mut from = ByteIn(rest);
        let sintesi = Self {
            dichiarante: CodiceFiscale::new(from.text()?),
            numero_protocollo_dsu: from.text()?.to_owned(),
            modulo_sostitutivo: Some(from.text()?.to_owned()).filter(|text| !text.is_empty()),
            data_presentazione: from.text()?.parse().ok()?,
            difformita: from.byte()? != 0,
            persone: from.all(|from| Some(from.text()?.to_owned()))?,
            membri: from.all(|from| {
                Some(MembroAttestato {
                    ordinario: from.byte()? != 0,
                    codice_fiscale: CodiceFiscale::new(from.text()?),
                    cognome: from.text()?.to_owned(),
                    nome: from.text()?.to_owned(),
                })
            })?,
            valori: from.all(|from| {
                Some(Valori {
                    ise: amount(from)?,
                    scala_equivalenza: amount(from)?,
                    isee: amount(from)?,
                    isr: amount(from)?,
                    isp: amount(from)?,
                })
            })?,
            voci: from.all(|from| {
                let membro = from.number()?;
                let tipo = TipoIndicatore::from_code(code(from, TipoIndicatore::ALL)?)?;
                let caso = code(from, Caso::ALL)?;
                let place = from.number()?;
                let trovata = match caso {
                    "" => None,
                    code => Some((Caso::from_code(code)?, place)),
                };
                Some(VoceDiMembro {
                    membro,
                    tipo,
                    trovata,
                })
            })?,
        };
        from.0.is_empty().then_some(sintesi)
    }
}

/// One of these codes, or an empty one.
fn code(from: &mut ByteIn<'_>, codes: &'static [&'static str]) -> Option<&'static str> {
    let length = from.number()?;
    let bytes = from.take(length.into())?;
    let mut known = codes.iter().copied();
    match bytes {
        [] => Some(""),
        bytes => known.find(|code| code.as_bytes() == bytes),
    }
}

fn amount(from: &mut ByteIn<'_>) -> Option<Importo> {
    let bytes = from.take(AMOUNT)?.try_into().ok()?;
    Some(Importo(Decimal::deserialize(bytes)))
}
