//! A daemon that hubs can reach, a publisher and a hub.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use tokio::net::TcpStream;
use wirewatch::app::App;
use wirewatch::config::Config;
use wirewatch::model::Subscription;
use wirewatch::store::Store;

use super::hub::{Asked, Hub};
use super::support::http::Reply;
use super::world::{World, rss};

pub struct Scene {
    pub world: World,
    pub hub: Hub,
    pub address: SocketAddr,
    pub more: String,
}

impl Scene {
    pub async fn new() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        Self { world: World::new().await, hub: Hub::start().await, address, more: String::new() }
    }

    /// A publisher's feed at /a that names the hub in its header.
    pub fn publish(&self, items: &[(&str, &str, &str)]) {
        let own = self.world.feeds.url("/a");
        let reply = Reply::ok(rss(items))
            .header("Content-Type", "application/rss+xml")
            .header("Link", format!("<{}>; rel=\"hub\", <{own}>; rel=\"self\"", self.hub.url()));
        self.world.feeds.script("/a", vec![reply]);
    }

    /// With the feed `a`, polled at this interval.
    pub fn config(&self, interval: &str) -> Config {
        let feed = self.world.feed("a").replace("\"1s\"", &format!("{interval:?}"));
        let toml = self.world.toml(&format!(
            "{feed}{}[http]\nlisten = \"{address}\"\npublic_url = \"http://{address}\"\n",
            self.more,
            address = self.address
        ));
        self.world.config(&toml)
    }

    pub async fn start(&self, config: &Config) -> App {
        let app = self.world.start(config).await;
        let open = async {
            while TcpStream::connect(self.address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        super::support::timeout(open, "an open port").await;
        app
    }

    /// Started, and subscribed.
    pub async fn subscribed(&self, interval: &str) -> (App, Asked) {
        let config = self.config(interval);
        let app = self.start(&config).await;
        let held = self.hub.wait_held(1).await;
        (app, held)
    }

    pub fn store(&self) -> Store {
        Store::attach(&self.world.dir.path().join("watch.db")).unwrap()
    }

    pub async fn subscription(&self) -> Subscription {
        self.store().subscriptions().await.unwrap().remove(0)
    }

    /// A count of rows.
    pub fn count(&self, sql: &str) -> i64 {
        count(&self.world.dir.path().join("watch.db"), sql)
    }
}

/// A count of rows of a database.
pub fn count(path: &std::path::Path, sql: &str) -> i64 {
    let db = rusqlite::Connection::open(path).unwrap();
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Waits until something is so.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    super::support::timeout(waiting, what).await;
}
