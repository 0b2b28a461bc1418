//! The kernel says that a sync or a write has failed, at any moment, once, for a while or for ever.
//!
//! strace answers in its place. What must hold: nothing was told whose commit was not synced at the
//! first attempt, or that is not stored; the process ends with a code other than 0, or goes on
//! telling once the fault has passed; it neither panics nor tries again without a pause; and after
//! a start without faults everything was told, under one id.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use super::daemon::Life;
use super::random::Random;
use super::scene::{Scene, copy, unstored, until};
use super::trace::{Trace, judge};
use super::{count, say};

/// A fault must strike within this time; one that has not tells nothing.
const STRIKE: Duration = Duration::from_secs(15);
/// After a fault that passes, something must be told within this time.
const RECOVERY: Duration = Duration::from_secs(30);
/// How long one that stays is watched.
const WATCH: Duration = Duration::from_secs(6);
/// Share of one processor that is too much for waiting: a tight loop takes all of it.
const BUSY_PERCENT: u128 = 25;
/// Failed calls a second that no loop with a pause makes.
const BUSY_CALLS: usize = 20;

/// What goes wrong, from which call of a thread on, and for how long.
struct Fault {
    calls: &'static str,
    error: &'static str,
    first: u64,
    lasting: Lasting,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lasting {
    Once,
    For(u64),
    Forever,
}

impl Fault {
    /// Syncs that fail, a full disk and writes that fail, in turn. There is one sync for some ten writes, and a few of each when the
    /// database is opened; the rest is the writer's.
    fn draw(number: usize, random: &mut Random) -> Self {
        let (calls, error, range) = match number % 3 {
            0 => ("fsync,fdatasync", "EIO", 40),
            1 => ("pwrite64", "ENOSPC", 400),
            _ => ("pwrite64", "EIO", 400),
        };
        let early = random.below(4) == 0;
        let first = 1 + random.below(if early { range / 10 } else { range });
        let lasting = match random.below(3) {
            0 => Lasting::Once,
            // Each try that fails is followed by a pause of seconds.
            1 => Lasting::For(1 + random.below(2)),
            _ => Lasting::Forever,
        };
        Self { calls, error, first, lasting }
    }

    fn spell(&self) -> String {
        let Self { calls, error, first, lasting } = self;
        let when = match lasting {
            Lasting::Once => first.to_string(),
            Lasting::For(count) => format!("{first}..{}", first + count),
            Lasting::Forever => format!("{first}+"),
        };
        format!("{calls}:error={error}:when={when}")
    }
}

/// What came of one fault.
#[derive(Default)]
struct Outcome {
    struck: bool,
    ended: bool,
    problems: Vec<String>,
}

pub(crate) async fn trial() -> Result<(), String> {
    let faults = count("WIREWATCH_FAULTS", 6);
    let mut scene = Scene::set(30).await;
    say(&format!("{faults} faults, WIREWATCH_SEED={}", scene.seed));
    let mut random = Random::new(scene.seed, 33);
    scene.publish();
    begin(&scene).await?;
    let (mut struck, mut ended, mut problems) = (0, 0, Vec::new());
    for run in 1..=faults {
        let fault = Fault::draw(run, &mut random);
        let outcome = live(run, &fault, &scene).await;
        struck += usize::from(outcome.struck);
        ended += usize::from(outcome.ended);
        let of_fault = |problem| format!("run {run}, {}: {problem}", fault.spell());
        problems.extend(outcome.problems.into_iter().map(of_fault));
    }
    scene.hush().await;
    let mut life = scene.home.start(faults + 1, &[]);
    problems.extend(scene.all_told(&mut life).await.err());
    problems.extend(life.stop().await.err());
    problems.extend(scene.verdict());
    let told = scene.desk.attempts().len();
    say(&format!("faults={faults} struck={struck} ended_by_them={ended} told={told}"));
    if 2 * struck < faults {
        problems.push(format!("void: only {struck} of {faults} faults struck"));
    }
    scene.end(problems)
}

/// A life without faults makes the database, which takes more writes than a start does.
async fn begin(scene: &Scene) -> Result<(), String> {
    let mut life = scene.home.start(0, &[]);
    scene.told(10, &mut life).await?;
    life.stop().await.map(drop)
}

/// One life of the daemon with one fault.
async fn live(run: usize, fault: &Fault, scene: &Scene) -> Outcome {
    let mut trace = Trace::new(scene.home.file(run, "trace"));
    let mut life = scene.home.start(run, &trace.words(&[fault.spell()]));
    let mut outcome = Outcome::default();
    let strike = until(STRIKE, &mut life, || trace.injected() > 0).await;
    outcome.struck = strike.is_ok();
    if outcome.struck && life.ended().is_none() {
        let watched = match fault.lasting {
            Lasting::Forever => watch(&mut life, &mut trace).await,
            Lasting::Once | Lasting::For(_) => recovers(&mut life, scene).await,
        };
        outcome.problems.extend(watched.err());
    }
    let by_itself = life.ended();
    outcome.ended = by_itself.is_some();
    outcome.problems.extend(by_itself.filter(ExitStatus::success).map(|_| "ended with 0".into()));
    outcome.problems.extend(life.stop().await.err());
    let log = life.log();
    let panic = log.lines().find(|line| line.contains("panicked"));
    outcome.problems.extend(panic.map(|line| format!("panic: {line}")));
    match trace.calls().await {
        Ok(calls) => outcome.problems.extend(judge(&calls).problems),
        Err(problem) => outcome.problems.push(problem),
    }
    let (_folder, database) = copy(&scene.home.database());
    if database.exists() {
        outcome.problems.extend(unstored(&database, &scene.desk.attempts()));
    }
    if outcome.problems.is_empty() {
        trace.discard();
    }
    outcome
}

/// After a fault that passes, the process goes on telling, or ends.
async fn recovers(life: &mut Life, scene: &Scene) -> Result<(), String> {
    let (run, struck) = (life.run, Instant::now());
    let is_told = || {
        let attempts = scene.desk.attempts();
        attempts.iter().any(|attempt| attempt.run == run && attempt.at > struck)
    };
    match until(RECOVERY, life, is_told).await {
        Err(_) if life.ended().is_none() => {
            Err(format!("lives and tells nothing for {RECOVERY:?}:\n{}", life.log_tail()))
        }
        _ => Ok(()),
    }
}

/// Under a fault that stays, nothing is tried without a pause.
async fn watch(life: &mut Life, trace: &mut Trace) -> Result<(), String> {
    let (begun, used, failed) = (Instant::now(), life.processor_time(), trace.injected());
    if life.end_within(WATCH).await.is_some() {
        return Ok(());
    }
    let watched = begun.elapsed();
    let used = life.processor_time().saturating_sub(used);
    let failed = trace.injected() - failed;
    let percent = 100 * used.as_millis() / watched.as_millis();
    say(&format!(
        "run {}: {percent} % of a processor, {failed} failed calls in {watched:.0?}",
        life.run
    ));
    if percent > BUSY_PERCENT || failed > BUSY_CALLS * WATCH.as_secs() as usize {
        return Err(format!("busy: {percent} % of a processor, {failed} calls in {watched:.0?}"));
    }
    Ok(())
}
