//! One database, one daemon: another process is turned away at once, a dead one is not in the way,
//! and nobody but the owner can read what is stored.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use super::say;
use super::scene::Scene;

/// Within this time another process must have said that it is one too many.
const TURNED_AWAY: Duration = Duration::from_secs(1);
/// How often the owner is killed and followed.
const KILLS: usize = 3;

pub(crate) async fn instance() -> Result<(), String> {
    let mut scene = Scene::set(110).await;
    scene.publish();
    let mut problems = Vec::new();
    let mut life = scene.home.start(1, &[]);
    for kill in 1..=KILLS {
        let told = scene.desk.attempts().len();
        scene.told(told + 5, &mut life).await?;
        for (at, command) in ["run", "once"].into_iter().enumerate() {
            let ended = scene.home.ask(100 * kill + at, &[command]).await;
            let is_said = ended.stderr.lines().count() == 1 && ended.stderr.contains("in use");
            if ended.code != Some(1) || !is_said || ended.took > TURNED_AWAY {
                problems.push(format!("a second `{command}` is not turned away: {ended:?}"));
            }
            say(&format!("a second `{command}` was turned away after {:.0?}", ended.took));
        }
        problems.extend(from_elsewhere(&scene, 100 * kill + 40).await);
        let beside = scene.home.ask(100 * kill + 50, &["--json", "status"]).await;
        if beside.code != Some(0) {
            problems.push(format!("nobody can look beside the daemon: {beside:?}"));
        }
        life.kill().await;
        life = scene.home.start(1 + kill, &[]);
    }
    scene.hush().await;
    problems.extend(scene.all_told(&mut life).await.err());
    problems.extend(life.stop().await.err());
    problems.extend(scene.verdict());
    scene.end(problems)
}

/// The same from other namespaces, where the owner's process cannot be seen, if there can be any.
async fn from_elsewhere(scene: &Scene, run: usize) -> Option<String> {
    let words = ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--mount-proc"];
    let behind = words.map(str::to_owned);
    let version = scene.home.ask_behind(run, &behind, &["version"]).await;
    if version.code != Some(0) {
        say(&format!("skipped: no other namespaces: {}", version.stderr.trim()));
        return None;
    }
    let ended = scene.home.ask_behind(run + 1, &behind, &["run"]).await;
    say(&format!("one of other namespaces was turned away after {:.0?}", ended.took));
    let is_right = ended.code == Some(1) && ended.stderr.contains("in use");
    (!is_right || ended.took > TURNED_AWAY)
        .then(|| format!("a second daemon of other namespaces is not turned away: {ended:?}"))
}

pub(crate) async fn files() -> Result<(), String> {
    let mut scene = Scene::set(120).await;
    scene.publish();
    // A careless umask: what the program makes is private by its own doing.
    let careless = ["sh", "-c", "umask 000; exec \"$@\"", "sh"].map(str::to_owned);
    let mut life = scene.home.start(1, &careless);
    scene.told(5, &mut life).await?;
    let mut problems = Vec::new();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    if mode(&scene.home.data()) != 0o700 {
        problems.push(format!("the folder has mode {:o}", mode(&scene.home.data())));
    }
    let mut names = Vec::new();
    for file in fs::read_dir(scene.home.data()).unwrap() {
        let path = file.unwrap().path();
        if mode(&path) != 0o600 {
            problems.push(format!("{} has mode {:o}", path.display(), mode(&path)));
        }
        names.push(path.file_name().unwrap().to_string_lossy().into_owned());
    }
    if !["wirewatch.db", "wirewatch.db-wal", "wirewatch.db-shm"]
        .iter()
        .all(|name| names.contains(&(*name).to_owned()))
    {
        problems.push(format!("void: there are only {names:?}"));
    }
    scene.hush().await;
    problems.extend(scene.all_told(&mut life).await.err());
    problems.extend(life.stop().await.err());
    problems.extend(scene.verdict());
    scene.end(problems)
}
