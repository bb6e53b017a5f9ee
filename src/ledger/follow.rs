//! Followers of the log: all that is derived from it, in its order. The committer has each apply what is
//! appended, and what others append to the same log.
//!
//! A follower copies. It computes nothing that another build would compute otherwise, and reads no clock:
//! made again from the log, it is the same.

use super::leaf::Entry;

/// Who appended entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This process, since it follows.
    Here,
    /// Another process, or this one before.
    Elsewhere,
}

/// A follower cannot be read or written. Of the views: nothing is appended until they have recovered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("viste: {0}")]
pub struct ViewError(pub String);

/// Follows the log.
pub trait Follower: Send {
    /// Its name, in messages.
    fn name(&self) -> &'static str;
    /// Sequence of the last entry applied; 0 for none.
    fn applied(&self) -> u64;
    /// Applies entries that are durable, all or none, after those applied before.
    fn apply(&mut self, entries: &[Entry], origin: Origin) -> Result<(), ViewError>;
    /// Called when nothing waits.
    fn idle(&mut self) -> Result<(), ViewError> {
        Ok(())
    }
    /// Called once, at a clean stop.
    fn close(&mut self) -> Result<(), ViewError> {
        Ok(())
    }
}
