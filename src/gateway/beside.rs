//! Long steps run beside the serving threads, a few at a time, at most half of them for one ente. Many long
//! requests of one ente delay no other ente.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use crate::sii::Returned;

/// A body of this length or more, bytes, is read beside. A serving thread takes no step longer than about 15
/// million instructions, and reading a DSU costs some 250 a byte.
pub(super) const LONG: usize = 32 << 10;

/// The limits of long steps at the same time, in all and for each ente.
#[derive(Debug)]
pub(super) struct Beside {
    all: Arc<Semaphore>,
    own: Mutex<HashMap<String, Arc<Semaphore>>>,
    /// Places of one ente, at most.
    each: usize,
}

/// A place for a long step; given back when dropped.
#[derive(Debug)]
pub(super) struct Held(
    #[allow(dead_code, reason = "held as long as the step takes")] [OwnedSemaphorePermit; 2],
);

impl Default for Beside {
    /// As many places as processors, two at least; half of them for one ente.
    fn default() -> Self {
        let all = std::thread::available_parallelism().map_or(2, usize::from).max(2);
        Self {
            all: Arc::new(Semaphore::new(all)),
            own: Mutex::default(),
            each: all / 2,
        }
    }
}

impl Beside {
    /// Waits for a place: first among the ente's own, then among everybody's. So an ente never has more steps
    /// waiting among everybody's than it has places. None once the semaphores are closed, and nothing closes
    /// them.
    pub(super) async fn enter(&self, ente: &str) -> Option<Held> {
        let own = {
            let mut all = self.own.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry(ente.to_owned())
                .or_insert_with(|| Arc::new(Semaphore::new(self.each)))
                .clone()
        };
        let own = own.acquire_owned().await.ok()?;
        Some(Held([own, self.all.clone().acquire_owned().await.ok()?]))
    }
}

/// The work on one request. It goes beside as soon as it turns out to be long.
#[derive(Debug)]
pub(super) struct Work {
    /// Whether it is long.
    pub(super) long: bool,
    /// Its place, while it holds one.
    pub(super) held: Option<Held>,
    /// Replies of other systems to its questions.
    pub(super) returned: Vec<Returned>,
}

impl Work {
    /// The work on a body of so many bytes, with a place if it is long.
    pub(super) async fn on(beside: &Beside, ente: &str, bytes: usize) -> Self {
        let mut work = Self {
            long: bytes >= LONG,
            held: None,
            returned: Vec::new(),
        };
        work.enter(beside, ente).await;
        work
    }

    /// Waits for a place, if the work is long and has none.
    pub(super) async fn enter(&mut self, beside: &Beside, ente: &str) {
        if self.long && self.held.is_none() {
            self.held = beside.enter(ente).await;
        }
    }

    /// Carries a step out, beside if the work holds a place.
    pub(super) fn step<T>(&self, work: impl FnOnce() -> T) -> T {
        step(self.held.as_ref(), work)
    }
}

/// Carries a step out, beside with a place in `held`. The runtime then moves the other tasks of this thread
/// to another one.
pub(super) fn step<T>(held: Option<&Held>, work: impl FnOnce() -> T) -> T {
    match held {
        Some(_) => tokio::task::block_in_place(work),
        None => work(),
    }
}

/// The same for an asynchronous step.
pub(super) async fn wait<F: Future>(held: Option<&Held>, work: Pin<&mut F>) -> F::Output {
    match held {
        Some(_) => tokio::task::block_in_place(|| Handle::current().block_on(work)),
        None => work.await,
    }
}

/// Carries out work of our own on a thread apart from the serving ones: it may take long.
pub(crate) fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(work))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn one_ente_takes_half_and_the_rest_is_there_for_others() {
        let beside = Beside {
            all: Arc::new(Semaphore::new(4)),
            own: Mutex::default(),
            each: 2,
        };
        let now = |ente: &'static str| {
            let waits = beside.enter(ente);
            tokio::time::timeout(std::time::Duration::from_millis(20), waits)
        };
        let held = [now("uno").await.unwrap(), now("uno").await.unwrap()];
        assert!(now("uno").await.is_err(), "a third of one ente waits");
        let other = now("due").await.unwrap();
        assert_eq!(step(other.as_ref(), || 3), 3);
        assert_eq!(wait(other.as_ref(), std::pin::pin!(async { 4 })).await, 4);
        drop(held);
        assert!(now("uno").await.is_ok());
    }
}
