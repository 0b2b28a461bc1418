//! Where documents are taken apart: a few at a time, however many have come.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;

/// Documents read at the same time, by processors.
const PLACES: std::ops::RangeInclusive<usize> = 2..=4;

/// A bounded number of places to read at; clones share them.
///
/// What came from strangers may take much memory and a processor for as long
/// as it is read. Documents that wait are held by whoever brought them.
#[derive(Clone, Debug)]
pub struct Desk(Arc<Semaphore>);

/// A place at the desk, free again when this is dropped. What was made of a
/// document may keep it.
#[derive(Debug)]
pub struct Seat {
    _permit: OwnedSemaphorePermit,
}

impl Desk {
    /// As many places as there are processors, but 2 at least and 4 at most.
    pub fn of_this_machine() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::new(cores.clamp(*PLACES.start(), *PLACES.end()))
    }

    /// So many places.
    pub fn new(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places)))
    }

    /// Does the work off the executor, once there is a place for it. The place
    /// comes back with what came of it; if nobody waits for that any more, it
    /// is free when the work ends.
    ///
    /// # Errors
    /// When the work panicked.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(T, Option<Seat>), JoinError> {
        // Nobody closes the semaphore, so there is always a place in the end.
        let permit = Arc::clone(&self.0).acquire_owned().await.ok();
        tokio::task::spawn_blocking(move || {
            let seat = permit.map(|permit| Seat { _permit: permit });
            (work(), seat)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn work_keeps_its_place_until_it_ends_even_if_nobody_waits_for_it() {
        let desk = Desk::new(1);
        let (go, gone) = mpsc::channel();
        let (begun, begins) = tokio::sync::oneshot::channel();
        let mut first = tokio::task::JoinSet::new();
        first.spawn({
            let desk = desk.clone();
            async move {
                desk.read(move || {
                    begun.send(()).unwrap();
                    gone.recv().unwrap();
                })
                .await
            }
        });
        begins.await.unwrap();
        first.shutdown().await;
        assert_eq!(desk.0.available_permits(), 0);
        go.send(()).unwrap();
        assert_eq!(desk.read(|| 7).await.unwrap().0, 7);
    }

    #[tokio::test]
    async fn a_panic_gives_the_place_back() {
        let desk = Desk::new(1);
        assert!(desk.read(|| panic!("a bug")).await.unwrap_err().is_panic());
        assert_eq!(desk.read(|| 7).await.unwrap().0, 7);
    }

    #[tokio::test]
    async fn what_was_read_may_keep_its_place() {
        let desk = Desk::new(1);
        let (seven, seat) = desk.read(|| 7).await.unwrap();
        assert_eq!((seven, desk.0.available_permits()), (7, 0));
        drop(seat);
        assert_eq!(desk.0.available_permits(), 1);
    }
}
