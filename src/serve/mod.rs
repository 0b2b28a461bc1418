//! The HTTP endpoint: is the daemon alive, is it ready, how does it do. It
//! changes nothing, and says nothing that is secret.

mod answer;
mod connections;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::model::Secret;

pub use connections::MAX_CONNECTIONS;

/// What the endpoint needs to know of the daemon.
pub trait Daemon: Send + Sync {
    /// How it does now; answers in bounded time.
    fn health(&self) -> BoxFuture<'_, Health>;
    /// Its figures in the Prometheus text format (version 0.0.4).
    fn metrics(&self) -> BoxFuture<'_, Result<String, String>>;
}

/// How the daemon does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// What must be well for it to watch at all.
    pub conditions: Vec<Condition>,
}

/// One thing that must be well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Its name.
    pub name: &'static str,
    /// What is wrong; none if it is well.
    pub problem: Option<String>,
}

impl Health {
    /// Whether all is well.
    pub fn is_well(&self) -> bool {
        self.conditions.iter().all(|condition| condition.problem.is_none())
    }
}

/// Who may ask, and by which name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Names in the `Host` header besides those of this machine itself.
    pub hosts: Vec<String>,
    /// What asking for more than "well" or "not well" takes, if anything.
    pub token: Option<Secret>,
}

/// What the answers are made from.
struct Desk {
    options: Options,
    daemon: Arc<dyn Daemon>,
}

/// Answers until stopped.
pub async fn serve(
    listener: TcpListener,
    options: Options,
    daemon: Arc<dyn Daemon>,
    stop: CancellationToken,
) {
    let desk = Arc::new(Desk { options, daemon });
    let router = Router::new()
        .route("/healthz", get(answer::healthz))
        .route("/readyz", get(answer::healthz))
        .route("/metrics", get(answer::metrics))
        .fallback(answer::unknown)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&desk), answer::guard))
        .with_state(desk);
    connections::accept(listener, router, stop).await;
}
