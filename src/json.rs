//! JSON, written into a text that grows: what an exchange writes of it is small and frequent. Reading is
//! serde_json's.

use std::fmt::{self, Write};

use serde_json::Value;

/// Writes a text with its quotes.
pub fn text(out: &mut String, text: &str) {
    out.push('"');
    escape(out, text);
    out.push('"');
}

/// Writes a text without quotes: `"`, `\` and control characters escaped, as serde_json does.
fn escape(out: &mut String, text: &str) {
    // Most texts have none of these. A piece is looked at to its end, so that a processor takes many bytes at
    // once.
    let special = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    let mut pieces = text.as_bytes().chunks(64);
    if pieces.all(|piece| !piece.iter().fold(false, |found, byte| found | special(*byte))) {
        out.push_str(text);
        return;
    }
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if !special(byte) {
            continue;
        }
        out.push_str(text.get(from..at).unwrap_or_default());
        from = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            byte => {
                // Writing to a text does not fail.
                let _ = write!(out, "\\u{byte:04x}");
            }
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
}

/// Writes what is shown, as a text without quotes.
pub struct Escaped<'a>(pub &'a mut String);

impl fmt::Debug for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Escaped(..)")
    }
}

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(self.0, text);
        Ok(())
    }
}

/// Writes a whole number.
pub fn number(out: &mut String, number: u64) {
    let mut digits = [0; 20];
    let (mut at, mut rest) = (digits.len(), number);
    loop {
        at -= 1;
        if let Some(digit) = digits.get_mut(at) {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        }
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend(digits.iter().skip(at).map(|digit| char::from(*digit)));
}

/// Writes a value, compact.
pub fn value(out: &mut String, of: &Value) {
    match of {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(of) => match of.as_u64() {
            Some(of) => number(out, of),
            None => {
                let _ = write!(out, "{of}");
            }
        },
        Value::String(of) => text(out, of),
        Value::Array(all) => {
            out.push('[');
            for (place, of) in all.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                value(out, of);
            }
            out.push(']');
        }
        Value::Object(all) => {
            out.push('{');
            for (place, (name, of)) in all.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                text(out, name);
                out.push(':');
                value(out, of);
            }
            out.push('}');
        }
    }
}

/// Members of an object, being written: each behind its comma.
#[derive(Debug)]
pub struct Members<'a> {
    out: &'a mut String,
    begun: bool,
}

impl<'a> Members<'a> {
    /// Begins an object.
    pub fn begin(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, begun: false }
    }

    /// Goes on with an object that has members already, or is without its opening brace.
    pub fn after(out: &'a mut String, begun: bool) -> Self {
        Self { out, begun }
    }

    /// Writes a name; the caller writes the value. The name needs no escape.
    pub fn name(&mut self, name: &str) -> &mut String {
        if std::mem::replace(&mut self.begun, true) {
            self.out.push(',');
        }
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
        self.out
    }

    /// A member with a text.
    pub fn text(&mut self, name: &str, of: &str) {
        text(self.name(name), of);
    }

    /// A member with a text that needs no escape: a name of ours, digits.
    pub fn plain(&mut self, name: &str, of: &str) {
        let out = self.name(name);
        out.push('"');
        out.push_str(of);
        out.push('"');
    }

    /// A member with a text, if there is one.
    pub fn optional(&mut self, name: &str, of: Option<&str>) {
        if let Some(of) = of {
            self.text(name, of);
        }
    }

    /// A member with a number.
    pub fn number(&mut self, name: &str, of: u64) {
        number(self.name(name), of);
    }

    /// A member with a list of texts, unless the list is empty.
    pub fn texts(&mut self, name: &str, all: &[String]) {
        if all.is_empty() {
            return;
        }
        let out = self.name(name);
        out.push('[');
        for (place, of) in all.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            text(out, of);
        }
        out.push(']');
    }

    /// Ends the object.
    pub fn end(self) {
        self.out.push('}');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e9..1e9).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_is_what_serde_json_writes(any in any_value()) {
            let mut out = String::new();
            value(&mut out, &any);
            prop_assert_eq!(out, serde_json::to_string(&any).unwrap());
        }
    }

    #[test]
    fn every_character_below_a_blank_is_escaped() {
        for code in 0..0x80 {
            let said = char::from(code).to_string();
            let mut out = String::new();
            text(&mut out, &said);
            assert_eq!(out, serde_json::to_string(&said).unwrap());
        }
        let mut out = String::new();
        Members::begin(&mut out).end();
        assert_eq!(out, "{}");
    }
}
