//! A backup is made while news comes, the daemon dies, and another lives on from the backup.
//!
//! What must hold: the successor tells nothing that the receiver had when the backup began, tells
//! everything that nobody was told of, and what it tells again has its old id.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::say;
use super::scene::{Scene, some};

/// How often that happens.
const DRILLS: usize = 3;
/// Stories told before each backup, and again between it and the end of the daemon.
const TOLD: usize = 20;
/// An answer of the receiver is on the disk within this time.
const WRITTEN: Duration = Duration::from_secs(1);

pub(crate) async fn trial() -> Result<(), String> {
    let mut scene = Scene::set(150).await;
    scene.publish();
    let mut problems = Vec::new();
    let mut life = scene.home.start(1, &[]);
    let (mut repeats, mut had_before) = (0, 0);
    for drill in 1..=DRILLS {
        scene.told(scene.desk.attempts().len() + TOLD, &mut life).await?;
        let had = told_before(&scene, Instant::now().checked_sub(WRITTEN).unwrap());
        let copy = scene.home.file(drill, "backup.db");
        let copy = copy.to_str().unwrap();
        let made = scene.home.ask(100 * drill, &["backup", copy]).await;
        scene.told(scene.desk.attempts().len() + TOLD, &mut life).await?;
        life.kill().await;
        let back = scene.home.ask(100 * drill + 1, &["restore", copy]).await;
        if made.code != Some(0) || back.code != Some(0) {
            return Err(format!("no backup, or no restore: {made:?}, {back:?}"));
        }
        let before = scene.desk.attempts().len();
        let run = drill + 1;
        life = scene.home.start(run, &[]);
        scene.told(before + TOLD, &mut life).await?;
        if drill == DRILLS {
            scene.hush().await;
            problems.extend(scene.all_told(&mut life).await.err());
        }
        let told = told_by(&scene, run);
        let again: Vec<&String> = told.intersection(&had).collect();
        if !again.is_empty() {
            problems.push(format!("told again from before the backup: {}", some(&again)));
        }
        let first = told_before_run(&scene, run);
        repeats += told.intersection(&first).count();
        had_before += had.len();
    }
    problems.extend(life.stop().await.err());
    problems.extend(scene.verdict().into_iter().filter(|problem| !is_of_a_lost_time(problem)));
    say(&format!(
        "{DRILLS} restores of backups before which {had_before} stories were told: none of those \
         again, {repeats} of the time after it, under their ids"
    ));
    if had_before == 0 || repeats == 0 {
        problems.push("void: nothing was told before the backups, or nothing again".to_owned());
    }
    scene.end(problems)
}

/// What was told after a backup and is in no document any more is not in the restored database.
fn is_of_a_lost_time(problem: &str) -> bool {
    problem.starts_with("told but not stored")
}

/// The stories that the receiver had accepted by then.
fn told_before(scene: &Scene, when: Instant) -> BTreeSet<String> {
    let attempts = scene.desk.attempts().into_iter();
    let kept = attempts.filter(|one| one.answered.is_some_and(|at| at <= when));
    kept.flat_map(|one| one.tokens).collect()
}

fn told_by(scene: &Scene, run: usize) -> BTreeSet<String> {
    let attempts = scene.desk.attempts().into_iter().filter(|one| one.run == run);
    attempts.flat_map(|one| one.tokens).collect()
}

fn told_before_run(scene: &Scene, run: usize) -> BTreeSet<String> {
    let attempts = scene.desk.attempts().into_iter().filter(|one| one.run < run);
    attempts.flat_map(|one| one.tokens).collect()
}
