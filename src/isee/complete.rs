//! The DSU as retrieved: the declarant's data with INPS's additions.
//!
//! Every member living with the family gets a sheet FC8 with the figures of the Revenue Agency and of INPS,
//! all flags false, unless the declaration has one of its own that counts. An Operazione N carries both
//! reference attributes, filled with the declarant and the protocol given to the DSU.

use std::collections::HashMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::codes::{Ruolo, TipoOperazione};
use super::dsu::Dichiarazione;
use super::feed::FeedRecord;
use super::foglio::AltriRedditi;

impl Dichiarazione {
    /// Completes the declaration with its protocol and with the SII's data on its members for a year.
    pub fn complete(&mut self, protocollo: &str, known: &[FeedRecord], anno: i16) {
        if self.operazione.tipo == TipoOperazione::N {
            self.operazione.codice_fiscale_riferimento = Some(self.codice_fiscale_dichiarante.clone());
            self.operazione.numero_protocollo_riferimento = Some(protocollo.to_owned());
        }
        let mut of_year: HashMap<&str, &FeedRecord> = HashMap::new();
        for record in known.iter().filter(|record| record.anno == anno) {
            of_year.entry(&record.codice_fiscale).or_insert(record);
        }
        // Not for a parent living apart from the family: the Agency's data on persons outside do not go to
        // it.
        let members = self
            .nucleo_familiare
            .iter_mut()
            .flat_map(|nucleo| &mut nucleo.componente_nucleo);
        let members = members.filter(|member| member.rapporto_con_dichiarante != Ruolo::Gnc);
        let tipo = self.operazione.tipo;
        for sheet in members.map(|member| &mut member.foglio_componente_nucleo) {
            let declared = sheet.altri_redditi.as_ref();
            if declared.is_none_or(|redditi| !redditi.counts(tipo)) {
                let figures = agency(of_year.get(sheet.codice_fiscale.canonical().as_str()).copied());
                // Home help stands in FC8 for want of another place.
                let help = declared.and_then(|redditi| redditi.spese_collab_domestici);
                sheet.altri_redditi = Some(AltriRedditi {
                    spese_collab_domestici: help,
                    ..figures
                });
            }
        }
    }
}

/// The sheet FC8 of the known figures; empty without a record.
fn agency(record: Option<&FeedRecord>) -> AltriRedditi {
    let whole = |amount: fn(&FeedRecord) -> Option<Decimal>| {
        record.and_then(amount).and_then(|amount| amount.to_u32())
    };
    AltriRedditi {
        flag_esonerato: false,
        flag_integrazione: false,
        flag_rettifica: false,
        reddito_irpef: record.and_then(|record| record.reddito_irpef),
        lavoro_dipendente: whole(|record| record.lavoro_dipendente),
        pensione: whole(|record| record.pensione),
        redditi_agrari: whole(|record| record.redditi_agrari),
        redditi_imp_sost: whole(|record| record.redditi_imposta_sostitutiva),
        trattamenti_assistenziali: record.and_then(|record| record.trattamenti),
        spese_detrazione: whole(|record| record.spese_detrazione),
        spese_deduzione: whole(|record| record.spese_deduzione),
        spese_collab_domestici: None,
    }
}
