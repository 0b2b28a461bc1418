//! A hub of other people's making brings news: subscribed, brought, renewed.
//!
//! ```sh
//! scripts/install-hub        # once: packages of Python, into target/peers/hub
//! cargo test --test hubs
//! ```
//!
//! Without the packages the trial is reported as ignored, and a line says what is missing. With
//! `WIREWATCH_PEERS=required` it fails instead.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test may stop where it cannot go on, and its servers end with it"
)]
#![allow(dead_code, reason = "only a part of the world is used")]

#[path = "websub/hub.rs"]
mod hub;
#[path = "websub/scene.rs"]
mod scene;
#[path = "it/support/mod.rs"]
mod support;
#[path = "it/support/trial.rs"]
mod trial;
#[path = "it/world.rs"]
mod world;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use libtest_mimic::Arguments;
use tokio::process::{Child, Command};
use url::Url;

use scene::{Scene, until};
use support::http::Reply;
use world::rss;

fn python() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    target.unwrap_or_else(|| root.join("target")).join("peers/hub/bin/python")
}

fn is_possible() -> Result<(), String> {
    let mut probe = std::process::Command::new(python());
    probe.args(["-c", "import flask_websub, celery"]);
    probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match probe.status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err("flask-websub is missing; scripts/install-hub installs it".to_owned()),
    }
}

fn main() {
    let arguments = Arguments::from_args();
    let brings = || trial::run(brings_and_renews());
    let trials = vec![trial::trial("flask_websub_brings_news_and_renews", is_possible(), brings)];
    libtest_mimic::run(&arguments, trials).exit();
}

fn start_hub(scene: &Scene, port: u16) -> Child {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hubs/hub.py");
    let memory = scene.world.dir.path().join("hub.sqlite3");
    let mut command = Command::new(python());
    command.arg("-B").arg(script).arg(port.to_string()).arg(memory);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.kill_on_drop(true).spawn().unwrap()
}

async fn brings_and_renews() -> Result<(), String> {
    let scene = Scene::new().await;
    let port = support::closed_addr().port();
    let _hub = start_hub(&scene, port);
    let at = Url::parse(&format!("http://127.0.0.1:{port}/hub")).unwrap();
    until("the hub listens", async || hub::get(&at).await.status != 0).await;
    let topic = scene.world.feeds.url("/a");
    let publish = |n: usize| {
        let body = rss(&[(&format!("n{n}"), &format!("A marker {n}"), "x")]);
        let link = format!("<{at}>; rel=\"hub\", <{topic}>; rel=\"self\"");
        scene.world.feeds.script("/a", vec![Reply::ok(body).header("Link", link)]);
    };
    publish(0);
    let app = scene.start(&scene.config("1h")).await;
    scene.world.hook.wait_for(1).await;
    let active = async || {
        let all = scene.store().subscriptions().await.unwrap();
        all.first().is_some_and(|one| one.state.as_str() == "active")
    };
    until("the hub confirms", active).await;
    let mut ping = at.join("/pub").unwrap();
    ping.query_pairs_mut().append_pair("topic", &topic);
    let begun = Instant::now();
    let first = scene.subscription().await.lease_until;
    // Over more than two leases of 20 s.
    for n in 1..=5 {
        publish(n);
        let sent = Instant::now();
        assert_eq!(hub::get(&ping).await.status, 200);
        let told = scene.world.hook.wait_for(n + 1).await;
        eprintln!("hubs: alert {n} after {} ms", (told[n].at - sent).as_millis());
        tokio::time::sleep(std::time::Duration::from_secs(9)).await;
    }
    let subscription = scene.subscription().await;
    eprintln!("hubs: {subscription:?} after {:?}", begun.elapsed());
    let renewed = subscription.lease_until > first && subscription.state.as_str() == "active";
    app.stop().await;
    if renewed { Ok(()) } else { Err(format!("not renewed: {subscription:?}")) }
}
