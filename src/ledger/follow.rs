//! Followers of the log: everything derived from it, in its order. The committer has each follower apply the
//! entries appended here, and those of other writers of the same log.
//!
//! A follower copies. It computes nothing another build would compute otherwise, and reads no clock: made
//! again from the log, it is the same.

use super::leaf::Entry;

/// The process that appended the entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This process, since the follower was added.
    Here,
    /// Another process, or this one before.
    Elsewhere,
}

/// A follower cannot be read or written. If it is the views, nothing is appended until they have recovered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("viste: {0}")]
pub struct ViewError(pub String);

/// Something kept up to the log by the committer: the views, or an index.
pub trait Follower: Send {
    /// Its name, in messages.
    fn name(&self) -> &'static str;
    /// Sequence of the last entry applied; 0 for none.
    fn applied(&self) -> u64;
    /// Applies durable entries, all or none. They come after those applied before.
    fn apply(&mut self, entries: &[Entry], origin: Origin) -> Result<(), ViewError>;
    /// Called when no submission waits.
    fn idle(&mut self) -> Result<(), ViewError> {
        Ok(())
    }
    /// Called once, at a clean stop.
    fn close(&mut self) -> Result<(), ViewError> {
        Ok(())
    }
}
