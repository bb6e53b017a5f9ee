//! Every particle and attribute of the compiled schemas has its field, and every field its particle.

use std::collections::HashSet;

use super::bind::{Field, Occurs, Shape};
use super::*;
use crate::xml::schema::{Particle, SchemaSet, Term, Type, TypeId};

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
                assert!(
                    builtins.contains(&simple.builtin),
                    "{path}: the schema says {:?}",
                    simple.builtin
                );
                let expected = simple
                    .enumeration
                    .as_ref()
                    .map(|values| values.iter().map(String::as_str).collect::<Vec<_>>());
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
                        Field::Attribute {
                            name,
                            required,
                            shape,
                        } => Some((*name, *required, shape)),
                        _ => None,
                    })
                    .collect();
                let declared: Vec<_> = complex
                    .attributes
                    .iter()
                    .map(|a| (a.name.as_str(), a.required))
                    .collect();
                let bound: Vec<_> = attributes
                    .iter()
                    .map(|(name, required, _)| (*name, *required))
                    .collect();
                assert_eq!(declared, bound, "attributes of {path}");
                for (attribute, (_, _, shape)) in complex.attributes.iter().zip(&attributes) {
                    self.compared += 1;
                    self.compare(attribute.ty, shape, &format!("{path}/@{}", attribute.name));
                }
                let elements: Vec<Field> = fields
                    .into_iter()
                    .filter(|field| !matches!(field, Field::Attribute { .. }))
                    .collect();
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
        assert_eq!(
            declared.len(),
            bound.len(),
            "children of {path}: {declared:?} against {bound:?}"
        );
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
                (
                    Term::Choice(alternatives),
                    Field::Choice {
                        optional,
                        alternatives: bound,
                    },
                ) => {
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
    let roots = roots::all();
    assert_eq!(
        schemas.roots().count(),
        roots.len(),
        "a global element is not bound"
    );
    let mut comparison = Comparison {
        schemas,
        seen: HashSet::new(),
        compared: 0,
    };
    for root in roots {
        let declared = schemas.root(root.namespace, root.name).unwrap();
        comparison.compare(schemas.element(declared).ty, &root.shape(), root.name);
    }
    assert!(comparison.compared > 400, "only {} compared", comparison.compared);
}
