//! Binds types to the wire. Each element and each attribute has one line; decoding, encoding and a
//! description of the shape are made from it. A test compares every shape with the compiled schema, both
//! ways: no line can be missing, superfluous or wrong.
//!
//! Decoding expects valid elements, found clean by
//! [`SchemaSet::validate`](crate::xml::schema::SchemaSet::validate). On others it fails, without panicking.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::isee::CodiceFiscale;
use crate::isee::codes::{self, Importo, Vuoto};
use crate::xml::schema::{self, Builtin};
use crate::xml::writer::Writer;
use crate::xml::{Cursor, Element};

/// An element decoded without prior validation: the name of its unreadable part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot decode {0}")]
pub struct Undecodable(pub &'static str);

/// The content of an element.
pub trait ElementContent: Sized {
    /// Reads it from an element.
    fn decode(element: Element<'_, '_>) -> Result<Self, Undecodable>;
    /// Writes it into the open element.
    fn encode(&self, writer: &mut Writer);
    /// Its shape, for the comparison with the schema.
    fn shape() -> Shape;
}

/// The text of an attribute, or of an element without attributes and children.
pub trait SimpleContent: Sized {
    /// The schema's built-in types for this text.
    const BUILTINS: &'static [Builtin];
    /// The values of the schema's enumeration, if it is one.
    const VALUES: Option<&'static [&'static str]> = None;
    /// Parses a valid value. `None`: not a value of this type.
    fn parse(text: &str) -> Option<Self>;
    /// Its text on the wire.
    fn write(&self) -> Cow<'_, str>;
}

/// A field made of an attribute: required or optional.
pub trait AttributeField: Sized {
    /// Whether the attribute is required.
    const REQUIRED: bool;
    /// The shape of its value.
    fn shape() -> Shape;
    /// Reads the attribute. Fails if it is unreadable, or required and missing.
    fn decode(at: &mut Cursor<'_, '_>, name: &'static str) -> Result<Self, Undecodable>;
    /// Writes the attribute, or nothing for an absent one.
    fn encode(&self, name: &'static str, writer: &mut Writer);
}

/// A field made of an element: one, at most one, or any number.
pub trait ElementField: Sized {
    /// How often the element may occur.
    const OCCURS: Occurs;
    /// The shape of the element's content.
    fn shape() -> Shape;
    /// Reads the element, or all elements of this name.
    fn decode(at: &mut Cursor<'_, '_>, name: &'static str) -> Result<Self, Undecodable>;
    /// Writes the element, or all of them.
    fn encode(&self, name: &'static str, writer: &mut Writer);
}

/// A field made of one of several elements.
pub trait ChoiceField: Sized {
    /// Whether there may be none.
    const OPTIONAL: bool;
    /// The elements to choose from.
    fn alternatives() -> Vec<Field>;
    /// Reads the alternative found in the element.
    fn decode(at: &mut Cursor<'_, '_>) -> Result<Self, Undecodable>;
    /// Writes the chosen alternative as an element.
    fn encode(&self, writer: &mut Writer);
}

/// How often an element occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurs {
    /// Exactly once.
    One,
    /// At most once.
    Optional,
    /// Any number of times.
    Many,
}

/// The shape of a type, to be compared with the schema's.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A simple type: its built-in types, and the values of its enumeration, if it is one.
    Text(&'static [Builtin], Option<&'static [&'static str]>),
    /// Attributes and elements; the name is the Rust type's.
    Complex(&'static str, fn() -> Vec<Field>),
    /// `xs:anyType`.
    Anything,
}

/// One field of a shape.
#[derive(Clone, Debug)]
pub enum Field {
    /// An attribute of the element.
    Attribute {
        /// Its name on the wire.
        name: &'static str,
        /// Whether it must be there.
        required: bool,
        /// The shape of its value.
        shape: Shape,
    },
    /// A child element.
    Element {
        /// Its name on the wire.
        name: &'static str,
        /// How often it may occur.
        occurs: Occurs,
        /// The shape of its content.
        shape: Shape,
    },
    /// One of several elements.
    Choice {
        /// Whether there may be none.
        optional: bool,
        /// The elements to choose from.
        alternatives: Vec<Field>,
    },
}

/// Implements [`ElementContent`] for a struct, or [`ChoiceField`] for an enumeration: `@` is an attribute,
/// `>` an element, `|` a choice. Debug prints the type's name alone: messages are made of personal data.
macro_rules! bind {
    (struct $type:ident { $($kind:tt $field:ident $name:literal),* $(,)? }) => {
        impl $crate::contract::bind::ElementContent for $type {
            fn decode(element: $crate::xml::Element<'_, '_>) -> Result<Self, $crate::contract::bind::Undecodable> {
                let mut at = element.cursor();
                Ok(Self { $($field: $crate::contract::bind::bind!(@decode $kind at $name)?),* })
            }
            fn encode(&self, writer: &mut $crate::xml::writer::Writer) {
                // Attributes are part of the start tag: they are written before any element.
                $($crate::contract::bind::bind!(@attribute $kind self $field $name writer);)*
                $($crate::contract::bind::bind!(@element $kind self $field $name writer);)*
            }
            fn shape() -> $crate::contract::bind::Shape {
                fn fields() -> Vec<$crate::contract::bind::Field> {
                    fn typed<T>(_: fn(&$type) -> &T) -> std::marker::PhantomData<T> { std::marker::PhantomData }
                    vec![$($crate::contract::bind::bind!(@shape $kind (typed(|value: &$type| &value.$field)) $name)),*]
                }
                $crate::contract::bind::Shape::Complex(stringify!($type), fields)
            }
        }
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($type), "(..)"))
            }
        }
    };
    (enum $type:ident { $($variant:ident $name:literal),+ $(,)? }) => {
        impl $crate::contract::bind::ChoiceField for $type {
            const OPTIONAL: bool = false;
            fn alternatives() -> Vec<$crate::contract::bind::Field> {
                fn typed<T>(_: fn(T) -> $type) -> std::marker::PhantomData<T> { std::marker::PhantomData }
                vec![$($crate::contract::bind::bind!(@shape > (typed($type::$variant)) $name)),+]
            }
            fn decode(at: &mut $crate::xml::Cursor<'_, '_>) -> Result<Self, $crate::contract::bind::Undecodable> {
                for child in at.element().children() {
                    match child.local() {
                        $($name => return Ok(Self::$variant($crate::contract::bind::ElementContent::decode(child)?)),)+
                        _ => {}
                    }
                }
                Err($crate::contract::bind::Undecodable(stringify!($type)))
            }
            fn encode(&self, writer: &mut $crate::xml::writer::Writer) {
                match self {
                    $(Self::$variant(value) => {
                        writer.open($name);
                        $crate::contract::bind::ElementContent::encode(value, writer);
                        writer.close();
                    })+
                }
            }
        }
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($type), "(..)"))
            }
        }
    };
    (@decode @ $at:ident $name:literal) => { $crate::contract::bind::AttributeField::decode(&mut $at, $name) };
    (@decode > $at:ident $name:literal) => { $crate::contract::bind::ElementField::decode(&mut $at, $name) };
    (@decode | $at:ident $name:literal) => { $crate::contract::bind::ChoiceField::decode(&mut $at) };
    (@attribute @ $self:ident $field:ident $name:literal $writer:ident) => {
        $crate::contract::bind::AttributeField::encode(&$self.$field, $name, $writer)
    };
    (@attribute $kind:tt $self:ident $field:ident $name:literal $writer:ident) => {};
    (@element > $self:ident $field:ident $name:literal $writer:ident) => {
        $crate::contract::bind::ElementField::encode(&$self.$field, $name, $writer)
    };
    (@element | $self:ident $field:ident $name:literal $writer:ident) => {
        $crate::contract::bind::ChoiceField::encode(&$self.$field, $writer)
    };
    (@element $kind:tt $self:ident $field:ident $name:literal $writer:ident) => {};
    (@shape @ $typed:tt $name:literal) => { $crate::contract::bind::attribute_field($typed, $name) };
    (@shape > $typed:tt $name:literal) => { $crate::contract::bind::element_field($typed, $name) };
    (@shape | $typed:tt $name:literal) => { $crate::contract::bind::choice_field($typed) };
}
pub(super) use bind;

/// The shape of an attribute field of type `T`.
pub(super) fn attribute_field<T: AttributeField>(
    _: std::marker::PhantomData<T>,
    name: &'static str,
) -> Field {
    Field::Attribute {
        name,
        required: T::REQUIRED,
        shape: T::shape(),
    }
}

/// The shape of an element field of type `T`.
pub(super) fn element_field<T: ElementField>(_: std::marker::PhantomData<T>, name: &'static str) -> Field {
    Field::Element {
        name,
        occurs: T::OCCURS,
        shape: T::shape(),
    }
}

/// The shape of a choice field of type `T`.
pub(super) fn choice_field<T: ChoiceField>(_: std::marker::PhantomData<T>) -> Field {
    Field::Choice {
        optional: T::OPTIONAL,
        alternatives: T::alternatives(),
    }
}

impl<T: SimpleContent> AttributeField for T {
    const REQUIRED: bool = true;
    fn shape() -> Shape {
        Shape::Text(T::BUILTINS, T::VALUES)
    }
    fn decode(at: &mut Cursor<'_, '_>, name: &'static str) -> Result<Self, Undecodable> {
        at.attribute(name).and_then(T::parse).ok_or(Undecodable(name))
    }
    fn encode(&self, name: &'static str, writer: &mut Writer) {
        writer.attribute(name, &self.write());
    }
}

impl<T: SimpleContent> AttributeField for Option<T> {
    const REQUIRED: bool = false;
    fn shape() -> Shape {
        <T as AttributeField>::shape()
    }
    fn decode(at: &mut Cursor<'_, '_>, name: &'static str) -> Result<Self, Undecodable> {
        at.attribute(name)
            .map(|text| T::parse(text).ok_or(Undecodable(name)))
            .transpose()
    }
    fn encode(&self, name: &'static str, writer: &mut Writer) {
        if let Some(value) = self {
            AttributeField::encode(value, name, writer);
        }
    }
}

impl<T: ElementContent> ElementField for T {
    const OCCURS: Occurs = Occurs::One;
    fn shape() -> Shape {
        <T as ElementContent>::shape()
    }
    fn decode(at: &mut Cursor<'_, '_>, name: &'static str) -> Result<Self, Undecodable> {
        <T as ElementContent>::decode(at.child(name).ok_or(Undecodable(name))?)
    }
    fn encode(&self, name: &'static str, writer: &mut Writer) {
        writer.open(name);
        ElementContent::encode(self, writer);
        writer.close();
    }
}

impl<T: ElementContent> ElementField for Option<T> {
    const OCCURS: Occurs = Occurs::Optional;
    fn shape() -> Shape {
        <T as ElementContent>::shape()
    }
    fn decode(at: &mut Cursor<'_, '_>, name: &'static str) -> Result<Self, Undecodable> {
        at.child(name).map(<T as ElementContent>::decode).transpose()
    }
    fn encode(&self, name: &'static str, writer: &mut Writer) {
        if let Some(value) = self {
            ElementField::encode(value, name, writer);
        }
    }
}

impl<T: ElementContent> ElementField for Vec<T> {
    const OCCURS: Occurs = Occurs::Many;
    fn shape() -> Shape {
        <T as ElementContent>::shape()
    }
    fn decode(at: &mut Cursor<'_, '_>, name: &'static str) -> Result<Self, Undecodable> {
        // There may be tens of thousands: room is made once.
        let mut all = Self::with_capacity(at.all(name).count());
        for each in at.all(name) {
            all.push(<T as ElementContent>::decode(each)?);
        }
        Ok(all)
    }
    fn encode(&self, name: &'static str, writer: &mut Writer) {
        for value in self {
            ElementField::encode(value, name, writer);
        }
    }
}

impl<T: ChoiceField> ChoiceField for Option<T> {
    const OPTIONAL: bool = true;
    fn alternatives() -> Vec<Field> {
        T::alternatives()
    }
    fn decode(at: &mut Cursor<'_, '_>) -> Result<Self, Undecodable> {
        let names: Vec<&str> = T::alternatives()
            .iter()
            .filter_map(|field| match field {
                Field::Element { name, .. } => Some(*name),
                _ => None,
            })
            .collect();
        let present = at
            .element()
            .children()
            .any(|child| names.contains(&child.local()));
        present.then(|| T::decode(at)).transpose()
    }
    fn encode(&self, writer: &mut Writer) {
        if let Some(value) = self {
            value.encode(writer);
        }
    }
}

impl<T: ElementContent> ElementContent for Box<T> {
    fn decode(element: Element<'_, '_>) -> Result<Self, Undecodable> {
        <T as ElementContent>::decode(element).map(Box::new)
    }
    fn encode(&self, writer: &mut Writer) {
        ElementContent::encode(&**self, writer);
    }
    fn shape() -> Shape {
        <T as ElementContent>::shape()
    }
}

impl ElementContent for Vuoto {
    fn decode(_: Element<'_, '_>) -> Result<Self, Undecodable> {
        Ok(Self)
    }
    fn encode(&self, _: &mut Writer) {}
    fn shape() -> Shape {
        Shape::Anything
    }
}

/// A day sent with or without a time. Only the day counts, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Giorno(pub Date);

/// Bytes, in base64 on the wire. Debug prints their number alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Base64(pub Vec<u8>);

impl std::fmt::Debug for Base64 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Base64({} bytes)", self.0.len())
    }
}

/// Makes a simple type both text and content of elements.
macro_rules! text {
    ($($type:ty, [$($builtin:ident),+], $values:expr, $parse:expr, $write:expr;)+) => { $(
        impl SimpleContent for $type {
            const BUILTINS: &'static [Builtin] = &[$(Builtin::$builtin),+];
            const VALUES: Option<&'static [&'static str]> = $values;
            fn parse(text: &str) -> Option<Self> {
                let parse: fn(&str) -> Option<Self> = $parse;
                parse(text)
            }
            fn write(&self) -> Cow<'_, str> {
                let write: fn(&Self) -> Cow<'_, str> = $write;
                write(self)
            }
        }
        impl ElementContent for $type {
            fn decode(element: Element<'_, '_>) -> Result<Self, Undecodable> {
                Self::parse(&element.text()).ok_or(Undecodable("value"))
            }
            fn encode(&self, writer: &mut Writer) {
                let text = self.write();
                if !text.is_empty() {
                    writer.text(&text);
                }
            }
            fn shape() -> Shape {
                Shape::Text(Self::BUILTINS, Self::VALUES)
            }
        }
    )+ };
}

/// Makes enumerations of codes text.
macro_rules! codes {
    ($($type:ident),+ $(,)?) => { text! { $(
        codes::$type, [String], Some(codes::$type::ALL), |text| codes::$type::from_code(text), |code| Cow::Borrowed(code.code());
    )+ } };
}

text! {
    String, [String, AnySimpleType, AnyUri], None, |text| Some(text.to_owned()), |value| Cow::Borrowed(value);
    bool, [Boolean], None, |text| match text.trim() { "true" | "1" => Some(true), "false" | "0" => Some(false), _ => None },
        |value| Cow::Borrowed(if *value { "true" } else { "false" });
    u32, [UnsignedInt], None, |text| schema::decimal(text.trim())?.try_into().ok(), |value| Cow::Owned(value.to_string());
    i32, [Int], None, |text| schema::decimal(text.trim())?.try_into().ok(), |value| Cow::Owned(value.to_string());
    Decimal, [Integer, Decimal], None, |text| schema::decimal(text.trim()), |value| Cow::Owned(value.normalize().to_string());
    Importo, [Decimal], None, |text| schema::decimal(text.trim()).map(Importo), |value| Cow::Owned(value.to_string());
    Date, [Date], None, |text| schema::date(text.trim()), |value| Cow::Owned(schema::write_date(*value));
    Timestamp, [DateTime], None, |text| text.trim().parse().ok(), |value| Cow::Owned(format!("{value:.3}"));
    CodiceFiscale, [String], None, |text| Some(Self::new(text)), |value| Cow::Borrowed(value.as_sent());
    Giorno, [DateTime, Date], None, |text| schema::date(text.trim()).map(Giorno), |value| Cow::Owned(schema::write_date(value.0));
    Base64, [Base64Binary], None, |text| schema::base64(text).map(Base64), |value| Cow::Owned(encode_base64(&value.0));
}

codes! {
    TipoOperazione, Ruolo, TipoModello, Relazione, PresenzaGenitori, TipoVariazione, Attivita, TipoVeicolo, GradoDisabilita,
    TipoAbitazione, Residente, CondizioneEsclusione, TipoImmobile, TipoRapporto, Sesso, Si, TipoVariazioneAttestazione, TipoOmissione,
    ModelloAe, StatoDomanda, TipoIndicatore, SiNo, TipoIndicatoreSoglia, StatoDsu,
}

/// Without line breaks, as INPS writes it.
fn encode_base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Makes an enumeration of outcomes, spelled as on the wire.
macro_rules! outcomes {
    (#[doc = $doc:literal] $name:ident { $($variant:ident = $code:literal),+ $(,)? }) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "named as on the wire")]
        pub enum $name { $($variant),+ }

        impl $name {
            /// All outcomes, in the order of their declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its spelling on the wire.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
        }

        impl $crate::contract::bind::ElementContent for $name {
            fn decode(element: $crate::xml::Element<'_, '_>) -> Result<Self, $crate::contract::bind::Undecodable> {
                match &*element.text() {
                    $($code => Ok(Self::$variant),)+
                    _ => Err($crate::contract::bind::Undecodable("Esito")),
                }
            }
            fn encode(&self, writer: &mut $crate::xml::writer::Writer) {
                writer.text(self.code());
            }
            fn shape() -> $crate::contract::bind::Shape {
                $crate::contract::bind::Shape::Text(&[$crate::xml::schema::Builtin::String], Some(&[$($code),+]))
            }
        }
    };
}
pub(super) use outcomes;
