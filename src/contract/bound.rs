//! A global element of a schema, with its type.

use super::bind::{ElementContent, Shape, Undecodable};
use crate::xml::Document;

/// A global element and its type.
#[derive(Clone, Copy, Debug)]
pub struct Root {
    /// Target namespace of its schema.
    pub namespace: &'static str,
    /// Its local name.
    pub name: &'static str,
    shape: fn() -> Shape,
    rewrite: fn(&Self, &Document<'_>) -> Result<String, Undecodable>,
}

impl Root {
    /// Binds an element to its type.
    pub(super) fn of<T: ElementContent>(namespace: &'static str, name: &'static str) -> Self {
        let rewrite: fn(&Self, &Document<'_>) -> Result<String, Undecodable> = |root, document| {
            Ok(super::message(
                root.name,
                root.namespace,
                &super::decode::<T>(document)?,
                false,
            ))
        };
        Self {
            namespace,
            name,
            shape: T::shape,
            rewrite,
        }
    }

    /// The shape of its type.
    pub fn shape(&self) -> Shape {
        (self.shape)()
    }

    /// Reads a document of this root into its type and writes the value again, all in the root's namespace.
    pub fn rewrite(&self, document: &Document<'_>) -> Result<String, Undecodable> {
        (self.rewrite)(self, document)
    }
}
