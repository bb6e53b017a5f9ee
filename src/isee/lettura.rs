//! Reading a declaration: its members, its forms, the persons and protocols named in it.

use super::compute::componente::Esterno;
use super::dsu::{
    ComponenteNucleo, DatiFiglio, DatiGenitore, Dichiarazione, GenitoreNonConvivente, ModelloBase,
    Sottoscrizione,
};
use super::foglio::FoglioComponente;
use jiff::civil::Date;
use std::collections::{BTreeSet, HashSet};

use super::CodiceFiscale;

impl Dichiarazione {
    /// The basic form of the ordinary nucleus.
    pub fn ordinario(&self) -> Option<&ModelloBase> {
        self.modello_base
            .iter()
            .find(|modello| modello.tipo == super::codes::TipoModello::Ord)
    }

    /// The decisive signature: the declarant's, or the first if the declarant did not sign (check K19).
    pub fn sottoscrizione_del_dichiarante(&self) -> Option<&Sottoscrizione> {
        let own = |s: &&Sottoscrizione| s.codice_fiscale_sottoscrittore == self.codice_fiscale_dichiarante;
        self.sottoscrizione
            .iter()
            .find(own)
            .or(self.sottoscrizione.first())
    }

    /// The day of presentation: the date of the signature before the receiving body. From it the body has
    /// four working days to transmit.
    pub fn presentata(&self) -> Option<Date> {
        self.sottoscrizione_del_dichiarante()
            .map(|sottoscrizione| sottoscrizione.data_sottoscrizione)
    }

    /// The sheets in the nucleus, in order, a parent's of role GNC included.
    pub fn fogli(&self) -> impl Iterator<Item = &FoglioComponente> {
        self.nucleo_familiare
            .iter()
            .flat_map(|nucleo| &nucleo.componente_nucleo)
            .map(|componente| &componente.foglio_componente_nucleo)
    }

    /// The protocols of other DSU needed for the computation, each with its parent or child outside the
    /// nucleus. `None`: the student's parent is not named.
    pub fn riferimenti(&self) -> impl Iterator<Item = (&str, Option<&CodiceFiscale>)> {
        self.modello_base.iter().flat_map(|modello| {
            let students = modello.universitario.iter().filter_map(|student| {
                let protocollo = student.numero_protocollo_rif_genitore.as_deref()?;
                Some((protocollo, student.codice_fiscale_genitore.as_ref()))
            });
            let parents = modello
                .genitore_non_convivente
                .iter()
                .filter_map(|parent| match &parent.dati {
                    Some(DatiGenitore::Protocollo(protocollo)) => {
                        Some((protocollo.as_str(), Some(&parent.codice_fiscale)))
                    }
                    _ => None,
                });
            let children = modello
                .residenziale
                .iter()
                .flat_map(|each| &each.figlio_non_compreso_nel_nucleo);
            let children = children.filter_map(|child| match &child.dati {
                Some(DatiFiglio::Protocollo(protocollo)) => {
                    Some((protocollo.as_str(), Some(&child.codice_fiscale)))
                }
                _ => None,
            });
            students.chain(parents).chain(children)
        })
    }

    /// The same pairs, each once; persons by their canonical codes.
    pub fn riferimenti_distinti(&self) -> BTreeSet<(&str, Option<String>)> {
        self.riferimenti()
            .map(|(protocollo, persona)| (protocollo, persona.map(CodiceFiscale::canonical)))
            .collect()
    }

    /// Number of protocols of other DSU named here: the declaration's own reference, and those for persons.
    pub fn protocolli_nominati(&self) -> u32 {
        let named = self.riferimenti_distinti().len()
            + usize::from(self.operazione.numero_protocollo_riferimento.is_some());
        u32::try_from(named).unwrap_or(u32::MAX)
    }

    /// The members of the nucleus: all except a parent living elsewhere (role GNC).
    pub fn membri(&self) -> impl Iterator<Item = &ComponenteNucleo> {
        let members = self
            .nucleo_familiare
            .iter()
            .flat_map(|nucleo| &nucleo.componente_nucleo);
        members.filter(|member| member.rapporto_con_dichiarante != super::codes::Ruolo::Gnc)
    }

    /// The codici fiscali of the members, canonical.
    pub fn codici(&self) -> Vec<String> {
        self.membri()
            .map(|member| member.foglio_componente_nucleo.codice_fiscale.canonical())
            .collect()
    }

    /// The codici fiscali of the members, for many look-ups.
    pub fn codici_dei_membri(&self) -> HashSet<&CodiceFiscale> {
        self.membri()
            .map(|member| &member.foglio_componente_nucleo.codice_fiscale)
            .collect()
    }

    /// Whether a codice fiscale is a member's: for a single look-up.
    pub fn is_membro(&self, codice: &CodiceFiscale) -> bool {
        self.membri()
            .any(|member| member.foglio_componente_nucleo.codice_fiscale == *codice)
    }

    /// The sheets of persons outside the nucleus with a part in an indicator, if their data are complete and
    /// stand here. Excluded parents and children are left out. So is a child with a disability, or living
    /// with a person with one.
    pub fn fogli_esterni(&self) -> impl Iterator<Item = &FoglioComponente> {
        let parents = self
            .genitori_non_conviventi()
            .filter(|parent| !parent.flag_genitore_escluso)
            .filter_map(|parent| match &parent.dati {
                Some(DatiGenitore::Dettaglio(detail)) => {
                    Esterno::genitore(detail, self).map(|outside| outside.foglio)
                }
                Some(DatiGenitore::Protocollo(_)) => None,
                // For an additional component the parent's nucleus must be known too.
                None if parent.flag_coniugato_con_persona_diversa => None,
                None => self.foglio_non_convivente(&parent.codice_fiscale),
            });
        let residential = self.modello_base.iter().flat_map(|modello| &modello.residenziale);
        let children = residential.flat_map(|each| &each.figlio_non_compreso_nel_nucleo);
        let children = children
            .filter(|child| child.condizione_esclusione.is_none())
            .filter_map(|child| match &child.dati {
                Some(DatiFiglio::Dettaglio(detail)) => {
                    Esterno::figlio(detail, self).filter(|outside| !outside.has_disability())
                }
                _ => None,
            });
        parents.chain(children.map(|outside| outside.foglio))
    }

    /// The sheet of a parent living elsewhere, if it stands among the members' (role GNC).
    pub fn foglio_non_convivente(&self, codice: &CodiceFiscale) -> Option<&FoglioComponente> {
        let members = self
            .nucleo_familiare
            .iter()
            .flat_map(|nucleo| &nucleo.componente_nucleo);
        let mut sheets = members.filter(|member| member.rapporto_con_dichiarante == super::codes::Ruolo::Gnc);
        sheets
            .find(|member| member.foglio_componente_nucleo.codice_fiscale == *codice)
            .map(|member| &member.foglio_componente_nucleo)
    }

    /// Number of a parent's children in the family, over all forms. The parent lives elsewhere.
    pub fn figli_di(&self, genitore: &CodiceFiscale) -> usize {
        let of = self
            .genitori_non_conviventi()
            .filter(|parent| parent.codice_fiscale == *genitore);
        let children: HashSet<_> = of
            .flat_map(|parent| &parent.beneficiario)
            .map(|child| &child.codice_fiscale)
            .collect();
        children.len()
    }

    /// The parents living elsewhere, of all forms: those of the ordinary one first.
    pub fn genitori_non_conviventi(&self) -> impl Iterator<Item = &GenitoreNonConvivente> {
        let of = |tipo| {
            self.modello_base
                .iter()
                .filter(move |modello| modello.tipo == tipo)
        };
        of(super::codes::TipoModello::Ord)
            .chain(of(super::codes::TipoModello::Rid))
            .flat_map(|modello| &modello.genitore_non_convivente)
    }
}
