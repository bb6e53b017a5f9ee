//! Every particle and attribute of the compiled schemas has its field, and every field its particle.

use std::collections::HashSet;

use super::bind::{Content, Field, Occurs, Shape};
use super::*;
use crate::xml::schema::{Particle, Term, Type, TypeId};

struct Comparison<'a> {
    schemas: &'a SchemaSet,
    seen: HashSet<(TypeId, &'static str)>,
    compared: usize,
}

impl Comparison<'_> {
    fn compare(&mut self, ty: TypeId, shape: &Shape, path: &str) {
        match (self.schemas.ty(ty), shape) {
            (Type::Any, Shape::Anything) => {}
            (Type::Simple(simple), Shape::Text(builtins, values)) => {
                assert!(builtins.contains(&simple.builtin), "{path}: the schema says {:?}", simple.builtin);
                let expected = simple.enumeration.as_ref().map(|values| values.iter().map(String::as_str).collect::<Vec<_>>());
                if let Some(values) = values {
                    assert_eq!(expected.as_deref(), Some(*values), "{path}");
                }
            }
            (Type::Complex(complex), Shape::Complex(name, fields)) => {
                if !self.seen.insert((ty, name)) {
                    return;
                }
                let fields = fields();
                let attributes: Vec<_> = fields
                    .iter()
                    .filter_map(|field| match field {
                        Field::Attribute { name, required, shape } => Some((*name, *required, shape)),
                        _ => None,
                    })
                    .collect();
                let declared: Vec<_> = complex.attributes.iter().map(|a| (a.name.as_str(), a.required)).collect();
                let bound: Vec<_> = attributes.iter().map(|(name, required, _)| (*name, *required)).collect();
                assert_eq!(declared, bound, "attributes of {path}");
                for (attribute, (_, _, shape)) in complex.attributes.iter().zip(&attributes) {
                    self.compared += 1;
                    self.compare(attribute.ty, shape, &format!("{path}/@{}", attribute.name));
                }
                let elements: Vec<Field> = fields.into_iter().filter(|field| !matches!(field, Field::Attribute { .. })).collect();
                let mut declared = Vec::new();
                if let Some(particle) = &complex.particle {
                    flatten(particle, false, &mut declared);
                }
                self.children(&declared, &elements, path);
            }
            (_, shape) => panic!("{path}: the schema's type is not {shape:?}"),
        }
    }

    fn children(&mut self, declared: &[Particle], bound: &[Field], path: &str) {
        assert_eq!(declared.len(), bound.len(), "children of {path}: {declared:?} against {bound:?}");
        for (particle, field) in declared.iter().zip(bound) {
            self.compared += 1;
            match (&particle.term, field) {
                (Term::Element(id), Field::Element { name, occurs, shape }) => {
                    let element = self.schemas.element(*id);
                    let path = format!("{path}/{name}");
                    assert_eq!(element.name, *name, "{path}");
                    let expected = match (particle.min, particle.max) {
                        (_, None) => Occurs::Many,
                        (0, Some(1)) => Occurs::Optional,
                        (1, Some(1)) => Occurs::One,
                        other => panic!("{path}: occurrences {other:?}"),
                    };
                    assert_eq!(*occurs, expected, "{path}");
                    self.compare(element.ty, shape, &path);
                }
                (Term::Choice(alternatives), Field::Choice { optional, alternatives: bound }) => {
                    assert_eq!(*optional, particle.min == 0, "{path}");
                    self.children(alternatives, bound, path);
                }
                (_, field) => panic!("{path}: {field:?} is not what the schema has"),
            }
        }
    }
}

/// Sequences inside sequences hold fields of the same struct; an optional sequence makes its parts optional.
fn flatten(particle: &Particle, optional: bool, out: &mut Vec<Particle>) {
    match &particle.term {
        Term::Sequence(parts) => {
            assert_eq!(particle.max, Some(1));
            for part in parts {
                flatten(part, optional || particle.min == 0, out);
            }
        }
        _ => {
            let mut particle = particle.clone();
            if optional {
                particle.min = 0;
            }
            out.push(particle);
        }
    }
}

#[test]
fn every_particle_and_attribute_is_bound_both_ways() {
    let contract = Contract::compile().unwrap();
    let schemas = contract.schemas();
    let isee = ISEE_NS;
    let consultazione = Operation::ConsultazioneIndicatore.namespace();
    let trasmissione = Operation::TrasmissioneDsu.namespace();
    let roots = [
        (isee, "Dichiarazione", Dichiarazione::shape()),
        (isee, "EsitoAttestazione", EsitoAttestazione::shape()),
        (isee, "EsitoDichiarazione", EsitoDichiarazione::shape()),
        (isee, "Indicatore", Indicatore::shape()),
        (consultazione, "ConsultazioneIndicatore", ConsultazioneIndicatore::shape()),
        (consultazione, "ConsultazioneIndicatoreResponse", consultazione::ConsultazioneIndicatoreResponse::shape()),
        (consultazione, "ConsultazioneAttestazione", ConsultazioneAttestazione::shape()),
        (consultazione, "ConsultazioneAttestazioneResponse", consultazione::ConsultazioneAttestazioneResponse::shape()),
        (consultazione, "ConsultazioneAttestazioneResidenti", ConsultazioneAttestazioneResidenti::shape()),
        (consultazione, "ConsultazioneAttestazioneResidentiResponse", consultazione::ConsultazioneAttestazioneResidentiResponse::shape()),
        (consultazione, "ConsultazioneDichiarazione", ConsultazioneDichiarazione::shape()),
        (consultazione, "ConsultazioneDichiarazioneResponse", consultazione::ConsultazioneDichiarazioneResponse::shape()),
        (consultazione, "ConsultazioneSogliaIndicatore", ConsultazioneSogliaIndicatore::shape()),
        (consultazione, "ConsultazioneSogliaIndicatoreResponse", consultazione::ConsultazioneSogliaIndicatoreResponse::shape()),
        (trasmissione, "ConsultazioneEsitoDSU", ConsultazioneEsitoDsu::shape()),
        (trasmissione, "ConsultazioneEsitoDSUResponse", trasmissione::ConsultazioneEsitoDsuResponse::shape()),
        (trasmissione, "TrasmissioneLotto", trasmissione::TrasmissioneLotto::shape()),
        (trasmissione, "TrasmissioneLottoResponse", trasmissione::TrasmissioneLottoResponse::shape()),
        (trasmissione, "ConsultazioneEsitoLotto", ConsultazioneEsitoLotto::shape()),
        (trasmissione, "ConsultazioneEsitoLottoResponse", trasmissione::ConsultazioneEsitoLottoResponse::shape()),
        (Operation::PddAttestazione.namespace(), "ConsultazioneAttestazione", pdd::ConsultazioneAttestazione::shape()),
        (Operation::PddAttestazione.namespace(), "ConsultazioneAttestazioneRisposta", pdd::ConsultazioneAttestazioneRisposta::shape()),
        (Operation::PddDichiarazione.namespace(), "ConsultazioneDichiarazione", pdd::ConsultazioneDichiarazione::shape()),
        (Operation::PddDichiarazione.namespace(), "ConsultazioneDichiarazioneRisposta", pdd::ConsultazioneDichiarazioneRisposta::shape()),
        (Operation::PddProtocollo.namespace(), "VerificaEsistenzaProtocollo", pdd::VerificaEsistenzaProtocollo::shape()),
        (Operation::PddProtocollo.namespace(), "VerificaEsistenzaProtocolloRisposta", pdd::VerificaEsistenzaProtocolloRisposta::shape()),
        (trasmissione, "TrasmissioneDSU", trasmissione::TrasmissioneDsu::shape()),
        (trasmissione, "TrasmissioneDSUResponse", trasmissione::TrasmissioneDsuResponse::shape()),
        (RICEVUTA_NS, "Ricevuta", trasmissione::Ricevuta::shape()),
    ];
    assert_eq!(schemas.roots().count(), roots.len(), "a global element is not bound");
    let mut comparison = Comparison { schemas, seen: HashSet::new(), compared: 0 };
    for (namespace, name, shape) in roots {
        let root = schemas.root(namespace, name).unwrap();
        comparison.compare(schemas.element(root).ty, &shape, name);
    }
    assert!(comparison.compared > 400, "only {} compared", comparison.compared);
}
