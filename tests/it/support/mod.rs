//! Servers that stand in for the outside world: feeds, a webhook receiver and a mail server.
//!
//! Every server listens on a free port of 127.0.0.1, runs on the runtime of the test that started
//! it, and ends when it is dropped. Nothing here sleeps in order to synchronise: a test waits for
//! a count with one of the `wait_for` methods, which panic with what they saw after [`LIMIT`].
//! A record is made just before the answer that belongs to it is sent: the client has perhaps not
//! read that answer yet when a wait returns, but whoever has read it will find the record.
//! The limit is real time, so these servers do not suit tests that pause tokio's clock.

#![allow(dead_code, reason = "each test uses only a part of the support code")]

pub mod collector;
pub mod http;
pub mod smtp;
pub mod tls;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// How long a test waits for anything before it fails.
///
/// It is generous because the machines that run the tests may be small and busy; a passing test
/// never waits this long.
pub const LIMIT: Duration = Duration::from_secs(20);

/// Runs a future to its end, and panics with `what` when that takes longer than [`LIMIT`].
pub async fn timeout<F: Future>(work: F, what: &str) -> F::Output {
    match tokio::time::timeout(LIMIT, work).await {
        Ok(output) => output,
        Err(_) => panic!("gave up after {} s: {what}", LIMIT.as_secs()),
    }
}

/// Returns an address on which nothing listens, for tests of a refused connection.
///
/// The port was free a moment ago. Another process could take it, though the kernel does not hand
/// out a port again soon.
pub fn closed_addr() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Tells waiting tests that a server has recorded something.
#[derive(Debug, Default)]
pub struct Changes {
    version: watch::Sender<u64>,
}

impl Changes {
    /// Wakes everyone who waits, so that they look again.
    pub fn announce(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    /// Waits until `look` finds something; `missing` describes what was seen instead.
    pub async fn wait<T>(
        &self,
        mut look: impl FnMut() -> Option<T>,
        missing: impl FnOnce() -> String,
    ) -> T {
        // Subscribing comes before the first look, so a change in between still wakes the loop.
        let mut version = self.version.subscribe();
        let search = async {
            loop {
                if let Some(found) = look() {
                    return found;
                }
                version.changed().await.unwrap();
            }
        };
        match tokio::time::timeout(LIMIT, search).await {
            Ok(found) => found,
            Err(_) => panic!("gave up after {} s: {}", LIMIT.as_secs(), missing()),
        }
    }
}

/// A listener and its connections, which all end when this value is dropped.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Listens on a free local port and gives every connection to `serve`.
    pub async fn start<F, Fut>(serve: F) -> Self
    where
        F: Fn(TcpStream) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self::start_at(Ipv4Addr::LOCALHOST.into(), serve).await
    }

    /// The same at an address of its own, such as 127.0.0.2: another host to a client.
    pub async fn start_at<F, Fut>(ip: IpAddr, serve: F) -> Self
    where
        F: Fn(TcpStream) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let task = tokio::spawn(accept_all(listener, serve));
        Self { addr, task }
    }

    /// The address the server listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Ends the server and returns once its port is closed.
    ///
    /// Dropping the server ends it too, but only when the runtime next gets to its task.
    pub async fn stop(mut self) {
        self.task.abort();
        // The task reports that it was cancelled, which is what was asked for.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Accepts connections for ever; the set it owns ends them together with this task.
async fn accept_all<F, Fut>(listener: TcpListener, serve: F)
where
    F: Fn(TcpStream) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("accepting a connection");
        // Without this, a reply in several small writes could wait for the client's delayed
        // acknowledgement. It fails only when the client has already gone.
        let _ = stream.set_nodelay(true);
        connections.spawn(serve(stream));
        while connections.try_join_next().is_some() {}
    }
}
