//! Documents that grow, wherever the schemas let them: each step costs as much a byte in a large one as in a
//! small one.

use std::collections::{BTreeMap, HashSet};

use varco::contract::Contract;
use varco::contract::catalogue::Operation;
use varco::xml::schema::{ElementId, Particle, SchemaSet, Term, Type};

use super::{Counted, counts, names};

/// Instructions a byte of all above reading. Measured on 30 November 2026: at most 147 (a small lot of
/// students, its messages made included).
const ABOVE: f64 = 150.0;
/// Of the formal checks alone. Measured: at most 24.
const CHECKS: f64 = 25.0;
/// How many times as much the larger of two documents may cost a byte. Its own instructions a byte, for what
/// costs next to nothing.
const GROWTH: (f64, f64) = (1.1, 0.5);

/// What its names say of a case: the document without its size, the size in KiB, the step.
fn parts(name: &str) -> (&str, usize, &str) {
    let (document, step) = name.rsplit_once(':').unwrap();
    let (place, size) = document.rsplit_once('@').unwrap();
    (place, size.parse().unwrap(), step)
}

/// With `VARCO_WORK=full` in the sizes that the port takes.
#[test]
fn every_step_costs_as_much_a_byte_in_a_large_document_as_in_a_small_one() {
    let full = std::env::var_os("VARCO_WORK").is_some_and(|value| value == "full");
    let mut sizes: BTreeMap<(String, String), BTreeMap<usize, f64>> = BTreeMap::new();
    for Counted {
        name,
        instructions,
        sha256,
        bytes,
    } in counts(if full { "documents-full" } else { "documents" })
    {
        let (place, size, step) = parts(&name);
        // On a processor with instructions for it SHA-256 costs next to nothing; under callgrind it costs
        // thirty instructions a byte.
        let each =
            (instructions - sha256) as f64 / bytes.unwrap_or_else(|| panic!("{name}: no length")) as f64;
        println!("{each:8.1} {name}");
        sizes
            .entry((place.to_owned(), step.to_owned()))
            .or_default()
            .insert(size, each);
    }
    // An enclosed document is read above: its reading is subtracted.
    let enclosed: Vec<_> = sizes
        .iter()
        .filter(|((_, step), _)| step == "enclosed")
        .map(|((place, _), each)| (place.clone(), each.clone()))
        .collect();
    for (place, reading) in enclosed {
        let above = sizes.get_mut(&(place, "above".to_owned())).unwrap();
        above.iter_mut().for_each(|(size, each)| *each -= reading[size]);
    }
    let mut wrong = Vec::new();
    for ((place, step), sizes) in &sizes {
        let [small, large] = sizes.values().copied().collect::<Vec<_>>()[..] else {
            panic!("{place}: {sizes:?}")
        };
        let bar = match step.as_str() {
            "parse" | "enclosed" => f64::INFINITY,
            "above" => ABOVE,
            _ => CHECKS,
        };
        if small.max(large) > bar || large > small * GROWTH.0 + GROWTH.1 {
            wrong.push(format!(
                "{place} {step}: {small:.1} and {large:.1} instructions a byte; at most {bar}"
            ));
        }
    }
    assert!(sizes.len() > 100, "only {} steps", sizes.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_element_that_may_be_repeated_is_repeated_in_a_document() {
    let contract = Contract::compile().unwrap();
    let schemas = contract.schemas();
    let roots =
        Operation::ALL.map(|operation| schemas.root(operation.namespace(), operation.root()).unwrap());
    let (mut repeated, mut seen) = (HashSet::new(), HashSet::new());
    for root in roots {
        reach(schemas, root, &mut seen, &mut repeated);
    }
    let cases = names("documents");
    let places = cases
        .iter()
        .filter(|name| name.starts_with('/') && name.ends_with(":above"));
    let places = places.map(|name| name.split(':').next().unwrap().split('@').next().unwrap());
    let covered: HashSet<ElementId> = places
        .filter_map(|place| roots.into_iter().find_map(|root| at(schemas, root, place)))
        .filter(|id| repeated.contains(id))
        .collect();
    assert_eq!(
        covered.len(),
        repeated.len(),
        "{:?}",
        repeated
            .difference(&covered)
            .map(|id| &schemas.element(*id).name)
            .collect::<Vec<_>>()
    );
    // What the files say, without the compiler of schemas: all of the DSU, and the lot.
    let written = include_str!("../../../wsdl/ISEE_Dichiarazione.xsd")
        .matches("maxOccurs")
        .count();
    assert_eq!(repeated.len(), written + 1);
}

/// The elements below one that may be repeated.
fn reach(
    schemas: &SchemaSet,
    id: ElementId,
    seen: &mut HashSet<ElementId>,
    repeated: &mut HashSet<ElementId>,
) {
    if !seen.insert(id) {
        return;
    }
    let Type::Complex(complex) = schemas.ty(schemas.element(id).ty) else {
        return;
    };
    let mut particles: Vec<(&Particle, bool)> = complex
        .particle
        .iter()
        .map(|particle| (particle, false))
        .collect();
    while let Some((particle, around)) = particles.pop() {
        let repeats = around || particle.max != Some(1);
        match &particle.term {
            Term::Element(id) => {
                if repeats {
                    repeated.insert(*id);
                }
                reach(schemas, *id, seen, repeated);
            }
            Term::Sequence(parts) | Term::Choice(parts) => {
                particles.extend(parts.iter().map(|part| (part, repeats)))
            }
        }
    }
}

/// The element at the end of a path from a root.
fn at(schemas: &SchemaSet, root: ElementId, path: &str) -> Option<ElementId> {
    let mut steps = path.split('/').skip(1);
    let mut id = (steps.next() == Some(&schemas.element(root).name)).then_some(root)?;
    for step in steps {
        let Type::Complex(complex) = schemas.ty(schemas.element(id).ty) else {
            return None;
        };
        let mut particles: Vec<&Particle> = complex.particle.iter().collect();
        id = loop {
            match &particles.pop()?.term {
                Term::Element(id) if schemas.element(*id).name == step => break *id,
                Term::Element(_) => {}
                Term::Sequence(parts) | Term::Choice(parts) => particles.extend(parts),
            }
        };
    }
    Some(id)
}
