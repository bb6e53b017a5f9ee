//! The facets of a simple type, for makers of values, such as the tests. Validation does not pass through
//! here.

use super::simple::{self, Builtin, SimpleType, Value};

/// The facets of a simple type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facets<'s> {
    /// The members of a union; one is enough. Empty if it is no union.
    pub members: &'s [Builtin],
    /// The patterns as written in the schema; one must match. Empty if any text does.
    pub patterns: Vec<&'s str>,
    /// The least number of characters.
    pub min_length: Option<usize>,
    /// The greatest number of characters.
    pub max_length: Option<usize>,
    /// The least value, as written.
    pub min: Option<String>,
    /// The greatest value, as written.
    pub max: Option<String>,
    /// The most digits after the point.
    pub fraction_digits: Option<usize>,
    /// The most digits in all.
    pub total_digits: Option<usize>,
}

impl SimpleType {
    /// Its facets, beside its built-in type and its enumeration.
    pub fn facets(&self) -> Facets<'_> {
        let written = |value: Option<Value>| match value? {
            Value::Number(number) => Some(number.to_string()),
            Value::Date(day) => Some(simple::written(day)),
        };
        Facets {
            members: &self.members,
            // No type with patterns is restricted further, so there is one group at most.
            patterns: self
                .patterns
                .iter()
                .flatten()
                .map(|pattern| pattern.source())
                .collect(),
            min_length: self.min_length,
            max_length: self.max_length,
            min: written(self.min_inclusive),
            max: written(self.max_inclusive),
            fraction_digits: self.fraction_digits,
            total_digits: self.total_digits,
        }
    }
}
