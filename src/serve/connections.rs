//! Connections: a bounded number, each for a bounded time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::{Request, server::conn::http1};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// So many at once. One more ends the oldest that has asked nothing yet: who
/// sends a byte a second holds up nobody, and who has asked is answered.
pub const MAX_CONNECTIONS: usize = 256;
/// With few descriptors this share of them is enough: feeds need some, too.
const SHARE: usize = 4;
/// A process that may open fewer files has other worries.
const FEWEST_CONNECTIONS: usize = 4;
/// For the head of a request.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// For a connection as a whole; each answers one request.
const WHOLE_TIME: Duration = Duration::from_secs(30);
const MAX_HEAD: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
/// For answers under way when the daemon stops.
const DRAIN: Duration = Duration::from_secs(1);
/// After the system could not accept (no descriptors are left): try again then.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// That is said so often at most.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

pub(super) async fn accept(listener: TcpListener, router: Router, stop: CancellationToken) {
    let mut open = Open::default();
    let most = most_connections();
    let mut complaint = Complaint::default();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = open.tasks.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                open.make_room(most).await;
                open.take(stream, &router);
            }
            Err(error) => {
                complaint.say(&error);
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // Who has asked is answered.
    let drained = async { while open.tasks.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(DRAIN, drained).await;
}

/// How many connections this process can afford.
fn most_connections() -> usize {
    let descriptors = getrlimit(Resource::Nofile).current;
    let Some(descriptors) = descriptors.and_then(|count| usize::try_from(count).ok()) else {
        return MAX_CONNECTIONS;
    };
    let most = affordable(descriptors);
    if most < MAX_CONNECTIONS {
        tracing::info!(
            descriptors,
            connections = most,
            "few files may be open at once, so the HTTP endpoint takes fewer connections"
        );
    }
    most
}

fn affordable(descriptors: usize) -> usize {
    (descriptors / SHARE).clamp(FEWEST_CONNECTIONS, MAX_CONNECTIONS)
}

/// The connections that are open.
#[derive(Default)]
struct Open {
    tasks: JoinSet<()>,
    oldest_first: VecDeque<Connection>,
}

struct Connection {
    task: AbortHandle,
    /// Whether the head of its request has come.
    has_asked: Arc<AtomicBool>,
}

impl Open {
    async fn make_room(&mut self, most: usize) {
        if self.tasks.len() >= most {
            // Whoever came last has a look at what he sent before he may have to go.
            tokio::task::yield_now().await;
        }
        self.oldest_first.retain(|connection| !connection.task.is_finished());
        while self.tasks.len() >= most {
            let silent = |one: &Connection| !one.has_asked.load(Ordering::Relaxed);
            let at = self.oldest_first.iter().position(silent).unwrap_or(0);
            if let Some(oldest) = self.oldest_first.remove(at) {
                oldest.task.abort();
            }
            // Its socket is closed by then, or another has ended.
            if self.tasks.join_next().await.is_none() {
                break;
            }
        }
    }

    fn take(&mut self, stream: TcpStream, router: &Router) {
        let has_asked = Arc::new(AtomicBool::new(false));
        let task = self.tasks.spawn(converse(stream, router.clone(), Arc::clone(&has_asked)));
        self.oldest_first.push_back(Connection { task, has_asked });
    }
}

/// Tells now and then that no connection can be accepted: without descriptors
/// it fails five times a second.
#[derive(Default)]
struct Complaint {
    said: Option<Instant>,
    unsaid: u64,
}

impl Complaint {
    fn say(&mut self, error: &std::io::Error) {
        if self.said.is_some_and(|said| said.elapsed() < COMPLAIN_EVERY) {
            self.unsaid += 1;
            return;
        }
        tracing::warn!(%error, unsaid = self.unsaid, "cannot accept a connection");
        *self = Self { said: Some(Instant::now()), unsaid: 0 };
    }
}

async fn converse(stream: TcpStream, router: Router, has_asked: Arc<AtomicBool>) {
    let service = TowerToHyperService::new(tower_service(router, has_asked));
    let answered = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    if let Ok(Err(error)) = tokio::time::timeout(WHOLE_TIME, answered).await {
        tracing::debug!(%error, "a connection to the HTTP endpoint failed");
    }
}

/// The router, for hyper's kind of body; it notes that a request came.
fn tower_service(
    router: Router,
    has_asked: Arc<AtomicBool>,
) -> impl tower::Service<
    Request<Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send,
> + Clone {
    tower::ServiceExt::map_request(router, move |request: Request<Incoming>| {
        has_asked.store(true, Ordering::Relaxed);
        request.map(Body::new)
    })
}

#[cfg(test)]
mod tests {
    use super::affordable;

    #[test]
    fn few_descriptors_mean_few_connections() {
        for (descriptors, expected) in [(20_000, 256), (1024, 256), (256, 64), (64, 16), (8, 4)] {
            assert_eq!(affordable(descriptors), expected, "{descriptors}");
        }
    }
}
