//! The daemon is killed while hubs bring news: what it thanked for is there.
//!
//! `WIREWATCH_KILLS` says how often, `WIREWATCH_SEED` repeats the moments of a run.

use std::collections::HashSet;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use super::hub::push;
use super::random::{self, Random};
use super::scene::Scene;
use super::world::rss;
use super::{say, scene};

pub fn start(scene: &Scene) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wirewatch"));
    for variable in ["STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET"] {
        command.env_remove(variable);
    }
    command.arg("--config").arg(scene.world.dir.path().join("watch.toml")).arg("run");
    command.current_dir(scene.world.dir.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.kill_on_drop(true).spawn().unwrap()
}

/// Brings documents until the other end is gone; those that it thanked for.
async fn bring(to: super::hub::Asked, names: impl Iterator<Item = String>) -> Vec<String> {
    let mut thanked = Vec::new();
    for name in names {
        let body = rss(&[(&name, &format!("A marker {name}"), &name)]);
        match push(&to, &body).await.status {
            202 => thanked.push(name),
            0 => break,
            _ => {}
        }
    }
    thanked
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_thanked_for_survives_a_kill() {
    let kills = super::count("WIREWATCH_KILLS", 10);
    let seed = random::seed();
    let mut random = Random::new(seed, 5);
    let scene = Scene::new().await;
    scene.publish(&[("0", "Quiet", "x")]);
    drop(scene.config("1h"));
    let (mut process, mut thanked) = (start(&scene), HashSet::new());
    let held = scene.hub.wait_held(1).await;
    for kill in 0..kills {
        let mut bringing = tokio::task::JoinSet::new();
        for line in 0..3 {
            let names = (0..10_000).map(move |n| format!("k{kill}-{line}-{n}"));
            bringing.spawn(bring(held.clone(), names));
        }
        tokio::time::sleep(Duration::from_micros(20_000 + random.below(300_000))).await;
        process.kill().await.unwrap();
        for names in bringing.join_all().await {
            thanked.extend(names);
        }
        process = start(&scene);
        let open = async || tokio::net::TcpStream::connect(scene.address).await.is_ok();
        scene::until("an open port", open).await;
    }
    let read = async || scene.count("SELECT count(*) FROM push") == 0;
    scene::until("nothing waits", read).await;
    process.kill().await.unwrap();
    let path = scene.world.dir.path().join("watch.db");
    let lost: Vec<&String> = thanked
        .iter()
        .filter(|name| {
            scene::count(&path, &format!("SELECT count(*) FROM entry WHERE guid = '{name}'")) != 1
        })
        .collect();
    say(&format!(
        "WIREWATCH_SEED={seed}: {kills} kills, {} thanked, {} lost",
        thanked.len(),
        lost.len()
    ));
    assert!(thanked.len() > kills, "only {} were thanked", thanked.len());
    assert!(lost.is_empty(), "{lost:?}");
    let alerts = scene.count("SELECT count(DISTINCT match_id) - count(*) FROM alert");
    assert_eq!(alerts, 0);
}
