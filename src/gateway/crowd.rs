//! How many requests of each ente are under way: one ente's flood must not take the others' place.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Requests under way, by ente.
#[derive(Clone, Debug, Default)]
pub struct Crowd {
    under_way: Arc<Mutex<HashMap<String, usize>>>,
}

/// One request's place; given back when dropped.
#[derive(Debug)]
pub struct Place {
    crowd: Crowd,
    ente: String,
}

impl Crowd {
    /// A place for one more request of an ente, if it has fewer than `most` under way.
    pub fn enter(&self, ente: &str, most: usize) -> Option<Place> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let count = under_way.entry(ente.to_owned()).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place { crowd: self.clone(), ente: ente.to_owned() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut under_way = self.crowd.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = under_way.get_mut(&self.ente) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.ente);
            }
        }
    }
}
