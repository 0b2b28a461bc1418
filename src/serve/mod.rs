//! The HTTP endpoint: is the daemon alive, is it ready, how does it do; and the
//! addresses that hubs bring news to. It says nothing that is secret.

mod answer;
mod callback;
mod connections;
mod manager;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::model::{Delivered, HubAnswer, HubQuestion, Receipt, Secret};

pub use connections::MAX_CONNECTIONS;
pub use manager::{has_manager, tell_manager, tell_manager_surely};

/// What the endpoint needs to know of the daemon.
pub trait Daemon: Send + Sync {
    /// How it does now; answers in bounded time.
    fn health(&self) -> BoxFuture<'_, Health>;
    /// Its figures in the Prometheus text format (version 0.0.4).
    fn metrics(&self) -> BoxFuture<'_, Result<String, String>>;
}

/// Who answers hubs (WebSub), by the token in the address they were given.
pub trait Callbacks: Send + Sync {
    /// A hub asks whether it was asked.
    fn verify(&self, token: String, question: HubQuestion) -> BoxFuture<'_, HubAnswer>;
    /// How many bytes may be brought; an answer if none may.
    fn admits(&self, token: String) -> BoxFuture<'_, Result<u64, Receipt>>;
    /// A hub brings a document.
    fn receive(&self, token: String, delivered: Delivered) -> BoxFuture<'_, Receipt>;
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
    /// A further name, by which only hubs may ask, at their addresses.
    pub public_host: Option<String>,
}

/// What the answers are made from.
struct Desk {
    options: Options,
    daemon: Arc<dyn Daemon>,
    callbacks: Arc<dyn Callbacks>,
    /// Documents that may be on their way in at once.
    arriving: Semaphore,
}

/// Answers until stopped.
pub async fn serve(
    listener: TcpListener,
    options: Options,
    (daemon, callbacks): (Arc<dyn Daemon>, Arc<dyn Callbacks>),
    stop: CancellationToken,
) {
    let arriving = Semaphore::new(callback::AT_ONCE);
    let desk = Arc::new(Desk { options, daemon, callbacks, arriving });
    let router = Router::new()
        .route("/healthz", get(answer::healthz))
        .route("/readyz", get(answer::healthz))
        .route("/metrics", get(answer::metrics))
        .route("/push/{token}", get(callback::verify).post(callback::receive))
        .fallback(answer::unknown)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&desk), answer::guard))
        .with_state(desk);
    connections::accept(listener, router, stop).await;
}
