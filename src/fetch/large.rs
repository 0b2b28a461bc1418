//! Large documents: only a few are held at a time, however many requests are
//! under way. What is small needs no place, so large ones never hold it up.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::FetchError;

/// Places for large documents, given in the order of asking; clones share them.
///
/// Who has a place asks for no second one, so nobody waits for ever.
#[derive(Clone, Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    /// Longest wait for one.
    wait: Duration,
}

/// A large document's place. Keep it as long as the document, or what was made
/// of it; it is given back when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Place {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl Places {
    pub(super) fn new(count: usize, wait: Duration) -> Self {
        Self { free: Arc::new(Semaphore::new(count)), wait }
    }

    /// Waits for a place, but not for ever.
    pub(super) async fn take(&self) -> Result<Place, FetchError> {
        timeout(self.wait, self.wait_for()).await.unwrap_or(Err(FetchError::Busy))
    }

    /// Waits for a place.
    pub(super) async fn wait_for(&self) -> Result<Place, FetchError> {
        let permit = Arc::clone(&self.free).acquire_owned().await;
        let permit = permit.map_err(|_| FetchError::Busy)?;
        Ok(Place { _permit: Arc::new(permit) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_place_is_given_back_with_its_last_clone_and_waited_for_no_longer_than_allowed() {
        let places = Places::new(1, WAIT);
        let place = places.take().await.unwrap();
        let clone = place.clone();
        drop(place);
        let begun = tokio::time::Instant::now();
        let error = places.take().await.unwrap_err();
        assert_eq!(error.to_string(), "too many large documents are being read");
        assert_eq!(begun.elapsed().as_secs(), WAIT.as_secs());
        drop(clone);
        places.take().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_waiting_takes_no_place_with_him() {
        let places = Places::new(1, WAIT);
        let place = places.take().await.unwrap();
        let mut waiting = tokio::task::JoinSet::new();
        waiting.spawn({
            let places = places.clone();
            async move { places.take().await.map(drop) }
        });
        tokio::task::yield_now().await;
        waiting.shutdown().await;
        drop(place);
        places.take().await.unwrap();
    }
}
