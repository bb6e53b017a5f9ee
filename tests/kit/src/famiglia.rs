//! A family whose DSU can be completed, corrected, made current and cancelled.

use jiff::civil::Date;
use varco::commands::famiglie::{Famiglia as Inventata, Famiglie};
use varco::contract::{ISEE_NS, message};
use varco::isee::CodiceFiscale;
use varco::isee::codes::{Ruolo, TipoOperazione, TipoRapporto, TipoVariazione};
use varco::isee::dsu::{
    ComponentePerIntegrazioneAggiuntiva, Dichiarazione, IntegrazioneComponenteAggiuntiva,
    IntegrazioneResidenziale, IseeCorrente,
};
use varco::isee::foglio::{FoglioComponente, PatrimonioMobiliare, RapportoFinanziario};

use super::caseta::{Caseta, conti, esonerato, numeri, redditi, referring, variazione};

/// All that refers to a DSU.
pub const OPERATIONS: [TipoOperazione; 6] = [
    TipoOperazione::A,
    TipoOperazione::I,
    TipoOperazione::S,
    TipoOperazione::C,
    TipoOperazione::R,
    TipoOperazione::X,
];

/// Seeds of families that have nothing to do with the others begin here.
const STRANGERS: u64 = 100;

/// A mother with a child and a grandmother, and the child's father, who lives elsewhere.
pub struct Famiglia {
    seed: u64,
    pub casa: Caseta,
    pub madre: CodiceFiscale,
    pub padre: FoglioComponente,
    /// Codici fiscali and names of all of them.
    pub segreti: Vec<String>,
}

impl Famiglia {
    pub fn new(seed: u64, today: Date) -> Self {
        let mut casa = Caseta::seeded(seed, today);
        let madre = casa.member(Ruolo::D, 40, 20_000);
        let child = casa.member(Ruolo::F, 8, 0);
        casa.member(Ruolo::P, 80, 12_000);
        let padre = casa.parent(&[child], (false, true), None);
        let sheets = casa.dsu.fogli().chain([&padre]);
        let segreti = sheets.flat_map(|foglio| {
            let anagrafica = &foglio.dati_componente.anagrafica;
            [
                foglio.codice_fiscale.canonical(),
                anagrafica.cognome.clone(),
                anagrafica.nome.clone(),
            ]
        });
        let segreti = segreti.collect();
        Self {
            seed,
            madre: casa.code(madre),
            padre,
            segreti,
            casa,
        }
    }

    /// The mother of another family, which has nothing to do with this one.
    pub fn stranger(&self) -> CodiceFiscale {
        self.strangers().madre
    }

    fn strangers(&self) -> Self {
        Self::new(STRANGERS + self.seed, self.casa.presented)
    }

    /// What a declarant sends about a protocol.
    pub fn operation(
        &mut self,
        tipo: TipoOperazione,
        dichiarante: &CodiceFiscale,
        protocol: &str,
    ) -> Dichiarazione {
        let today = self.casa.presented;
        let mut dsu = referring(tipo, dichiarante, protocol, today);
        match tipo {
            TipoOperazione::A => {
                let foglio = FoglioComponente {
                    altri_redditi: Some(esonerato(27_000)),
                    ..self.padre.clone()
                };
                dsu.integrazione_componente_aggiuntiva = Some(IntegrazioneComponenteAggiuntiva {
                    componente_per_integrazione_aggiuntiva: ComponentePerIntegrazioneAggiuntiva {
                        componente_aggiuntiva: numeri(&foglio, 1),
                        foglio_componente_aggiuntiva: foglio,
                    },
                });
            }
            TipoOperazione::I => dsu.integrazione_redditi = Some(redditi(&self.madre, 9000)),
            TipoOperazione::S => {
                let each = self.casa.residential(0, 2).clone();
                self.casa.form().residenziale.clear();
                dsu.integrazione_residenziale = Some(IntegrazioneResidenziale {
                    componente_per_integrazione_residenziale: vec![each],
                });
            }
            TipoOperazione::C => {
                let mut change = variazione(&mut self.casa, 0, TipoVariazione::A, (Some(6000), None));
                change.data_variazione = Some(today);
                dsu.isee_corrente = Some(IseeCorrente {
                    variazione: vec![change],
                });
            }
            TipoOperazione::R => {
                // A stranger sends a whole DSU too: of another family.
                let own = *dichiarante == self.madre;
                let whole = if own {
                    self.casa.dsu.clone()
                } else {
                    self.strangers().casa.dsu
                };
                dsu = Dichiarazione {
                    operazione: dsu.operazione,
                    ..whole
                };
                let members = &mut dsu.nucleo_familiare.as_mut().unwrap().componente_nucleo;
                members[0].foglio_componente_nucleo.patrimonio_mobiliare = Some(conti(56_000));
            }
            TipoOperazione::N | TipoOperazione::X => {}
        }
        dsu
    }
}

/// An invented family that names no DSU of a parent: there is none, and an ente may name few protocols in vain.
pub fn senza_genitore(famiglie: &mut Famiglie, protocollo: &str) -> (Inventata, String) {
    let mut all = std::iter::repeat_with(|| famiglie.famiglia(protocollo));
    all.find_map(|family| {
        let text = message("Dichiarazione", ISEE_NS, &family.dsu, false);
        (!text.contains("NumeroProtocolloRifGenitore")).then_some((family, text))
    })
    .unwrap()
}

/// The same, with a DSU of about 20 KB: it has as many accounts as that takes.
pub fn venti_kilobyte(famiglie: &mut Famiglie, protocollo: &str) -> (Inventata, String) {
    const BYTES: usize = 20_000;
    let (mut family, text) = senza_genitore(famiglie, protocollo);
    let length = text.len();
    let members = family.dsu.nucleo_familiare.as_mut().unwrap();
    let foglio = &mut members
        .componente_nucleo
        .first_mut()
        .unwrap()
        .foglio_componente_nucleo;
    let assets = foglio
        .patrimonio_mobiliare
        .get_or_insert_with(|| PatrimonioMobiliare {
            flag_possesso_rapporto_finanziario: true,
            flag_incremento: None,
            rapporto: Vec::new(),
            incremento: None,
        });
    assets.flag_possesso_rapporto_finanziario = true;
    for number in 0..BYTES.saturating_sub(length).div_ceil(140).max(1) {
        assets.rapporto.push(RapportoFinanziario {
            tipo_rapporto: TipoRapporto::ContoCorrente,
            identificativo: format!("IT00B{number:022}"),
            codice_fiscale_operatore: "01234567897".to_owned(),
            saldo_3112: Some(100),
            consistenza_media: Some(120),
            valore: None,
            data_inizio: None,
            data_fine: None,
        });
    }
    let text = message("Dichiarazione", ISEE_NS, &family.dsu, false);
    (family, text)
}
