//! Connections: a bounded number, each for a bounded time.

use std::collections::VecDeque;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::{Request, server::conn::http1};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// So many at once. One more ends the oldest: whoever has had his answer is
/// gone by then, and whoever sends a byte a second holds up nobody.
pub const MAX_CONNECTIONS: usize = 256;
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

pub(super) async fn accept(listener: TcpListener, router: Router, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    let mut oldest_first: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                oldest_first.retain(|connection| !connection.is_finished());
                if oldest_first.len() >= MAX_CONNECTIONS
                    && let Some(oldest) = oldest_first.pop_front()
                {
                    oldest.abort();
                }
                oldest_first.push_back(connections.spawn(converse(stream, router.clone())));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // Who has asked is answered.
    let drained = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(DRAIN, drained).await;
}

async fn converse(stream: TcpStream, router: Router) {
    let service = TowerToHyperService::new(tower_service(router));
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

/// The router, for hyper's kind of body.
fn tower_service(
    router: Router,
) -> impl tower::Service<
    Request<Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send,
> + Clone {
    tower::ServiceExt::map_request(router, |request: Request<Incoming>| request.map(Body::new))
}
