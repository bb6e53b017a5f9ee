//! Bytes written and read field by field. Numbers are little-endian; texts and lists have their length first.
//!
//! Reading never panics and takes no more memory than the bytes themselves. `None`: the bytes are something
//! else.

/// Bytes being written.
#[derive(Debug, Default)]
pub struct ByteOut(pub Vec<u8>);

impl ByteOut {
    /// A number of two bytes.
    pub fn number(&mut self, number: u16) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// A number of four bytes; a larger one is cut to the largest.
    pub fn count(&mut self, number: usize) {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// A number of eight bytes.
    pub fn long(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// A text of at most 65,535 bytes; the length of a longer one is cut, so that reading fails.
    pub fn text(&mut self, text: &str) {
        self.number(u16::try_from(text.len()).unwrap_or(u16::MAX));
        self.0.extend_from_slice(text.as_bytes());
    }

    /// A list of at most 65,535 items.
    pub fn all<T>(&mut self, list: &[T], each: impl Fn(&mut Self, &T)) {
        self.number(u16::try_from(list.len()).unwrap_or(u16::MAX));
        list.iter().for_each(|item| each(self, item));
    }
}

/// Bytes being read: the rest of them.
#[derive(Debug)]
pub struct ByteIn<'a>(pub &'a [u8]);

impl<'a> ByteIn<'a> {
    /// The next `length` bytes.
    pub fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// A number of two bytes.
    pub fn number(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_le_bytes)
    }

    /// A number of four bytes.
    pub fn count(&mut self) -> Option<usize> {
        let number = self.take(4)?.try_into().ok().map(u32::from_le_bytes)?;
        usize::try_from(number).ok()
    }

    /// A number of eight bytes.
    pub fn long(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }

    /// A text.
    pub fn text(&mut self) -> Option<&'a str> {
        let length = self.number()?;
        std::str::from_utf8(self.take(length.into())?).ok()
    }

    /// A list.
    pub fn all<T>(&mut self, each: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let number = self.number()?;
        // No item is shorter than two bytes: there are never more than that.
        let mut all = Vec::with_capacity(usize::from(number).min(self.0.len() / 2));
        for _ in 0..number {
            all.push(each(self)?);
        }
        Some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_shorter() {
        let mut out = ByteOut::default();
        out.number(7);
        out.count(70_000);
        out.long(u64::MAX);
        out.text("città");
        out.all(&["a", "b"], |out, text| out.text(text));
        let read = |bytes: &[u8]| {
            let mut from = ByteIn(bytes);
            let numbers = (from.number()?, from.count()?, from.long()?);
            let text = from.text()?.to_owned();
            let all = from.all(|from| Some(from.text()?.to_owned()))?;
            from.0.is_empty().then_some((numbers, text, all))
        };
        let found = read(&out.0).unwrap();
        assert_eq!(found.0, (7, 70_000, u64::MAX));
        assert_eq!((found.1.as_str(), found.2.concat()), ("città", "ab".to_owned()));
        for length in 0..out.0.len() {
            assert!(read(&out.0[..length]).is_none(), "{length}");
        }
    }
}
