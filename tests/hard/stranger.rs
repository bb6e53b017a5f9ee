//! What a stranger says of a ledger, after whatever happened to its gateway.

use std::ffi::OsString;
use std::path::Path;

use varco::evidence::checkpoint;
use varco_verify::said::{Answer, answer};

/// Checkpoints that were on the disk at some time: whoever was shown one may ask for it again.
#[derive(Default)]
pub struct Kept(Vec<String>);

impl Kept {
    /// Takes the last checkpoint of a data directory in.
    pub fn take(&mut self, data: &Path) {
        if let Some(signed) = checkpoint::last(&data.join("evidence")).unwrap()
            && self.0.last() != Some(&signed.note)
        {
            self.0.push(signed.note);
        }
    }

    /// Whether the ledger contains the tree of each of them. All are of one origin: nothing happened after which
    /// a new one begins.
    pub fn are_contained(&self, data: &Path) {
        let home = tempfile::tempdir().unwrap();
        let mut arguments = vec![OsString::from("registro"), data.into()];
        for (number, note) in self.0.iter().enumerate() {
            assert_eq!(note.lines().next(), self.0[0].lines().next(), "another origin");
            let path = home.path().join(number.to_string());
            std::fs::write(&path, note).unwrap();
            arguments.extend([OsString::from("--checkpoint"), path.into()]);
        }
        let Answer { text, status } = answer(&arguments);
        assert_eq!(status, 0, "{text}");
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
