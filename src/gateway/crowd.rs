//! Places taken: an ente's requests under way, a certificate's connections. A flood from one must not take
//! the places of others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Numbers of places taken, by owner.
#[derive(Clone, Debug, Default)]
pub struct Crowd {
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

/// One place; given back when dropped.
#[derive(Debug)]
pub struct Seat {
    crowd: Crowd,
    whose: String,
}

impl Crowd {
    /// One more place. None if its owner has `most` already.
    pub fn enter(&self, whose: &str, most: usize) -> Option<Seat> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(whose.to_owned()).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Seat {
            crowd: self.clone(),
            whose: whose.to_owned(),
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.crowd.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.whose) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.whose);
            }
        }
    }
}
