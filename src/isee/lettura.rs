//! Reading a declaration: its members, its forms, the persons and protocols that it names.

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

    /// The signature that counts: the declarant's, or the first if the declarant did not sign (check K19).
    pub fn sottoscrizione_del_dichiarante(&self) -> Option<&Sottoscrizione> {
        let own = |s: &&Sottoscrizione| s.codice_fiscale_sottoscrittore == self.codice_fiscale_dichiarante;
        self.sottoscrizione
            .iter()
            .find(own)
            .or(self.sottoscrizione.first())
    }

    /// The day of presentation: that of the signature before the receiving body, which then has four working
    /// days to transmit.
    pub fn presentata(&self) -> Option<Date> {
        self.sottoscrizione_del_dichiarante()
            .map(|sottoscrizione| sottoscrizione.data_sottoscrizione)
    }

    /// The members' sheets.
    pub fn fogli(&self) -> impl Iterator<Item = &FoglioComponente> {
        self.nucleo_familiare
            .iter()
            .flat_map(|nucleo| &nucleo.componente_nucleo)
            .map(|componente| &componente.foglio_componente_nucleo)
    }

    /// The protocols of the DSU that its computation needs, each with the parent or child outside the nucleus
    /// for whom it stands.
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

    /// The same, each pair once; the persons by their canonical codes.
    pub fn riferimenti_distinti(&self) -> BTreeSet<(&str, Option<String>)> {
        self.riferimenti()
            .map(|(protocollo, persona)| (protocollo, persona.map(CodiceFiscale::canonical)))
            .collect()
    }

    /// How many protocols of other DSU it names: as its own reference, and for persons.
    pub fn protocolli_nominati(&self) -> u32 {
        let named = self.riferimenti_distinti().len()
            + usize::from(self.operazione.numero_protocollo_riferimento.is_some());
        u32::try_from(named).unwrap_or(u32::MAX)
    }

    /// The members of the nucleus: all but a parent who does not live with it (role GNC).
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

    /// The codici fiscali of the members, to look up many.
    pub fn codici_dei_membri(&self) -> HashSet<&CodiceFiscale> {
        self.membri()
            .map(|member| &member.foglio_componente_nucleo.codice_fiscale)
            .collect()
    }

    /// Whether a codice fiscale is that of a member: to look up one.
    pub fn is_membro(&self, codice: &CodiceFiscale) -> bool {
        self.membri()
            .any(|member| member.foglio_componente_nucleo.codice_fiscale == *codice)
    }

    /// The sheets of persons outside the nucleus who count in an indicator, where their data stand here and
    /// are complete: of parents who are not excluded; of children who are neither excluded nor have a
    /// disability, nor live with who has one.
    pub fn fogli_esterni(&self) -> impl Iterator<Item = &FoglioComponente> {
        let parents = self
            .genitori_non_conviventi()
            .filter(|parent| !parent.flag_genitore_escluso)
            .filter_map(|parent| match &parent.dati {
                Some(DatiGenitore::Dettaglio(detail)) => {
                    Esterno::genitore(detail, self).map(|outside| outside.foglio)
                }
                Some(DatiGenitore::Protocollo(_)) => None,
                // Of who adds a component the nucleus must be known too.
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

    /// The sheet of a parent who does not live with the family, where it stands among the members' (role
    /// GNC).
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

    /// How many children of the family a parent has who does not live with it, in whatever form they are
    /// named.
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

    /// The parents who do not live with the family, of all forms: those of the ordinary one first.
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
