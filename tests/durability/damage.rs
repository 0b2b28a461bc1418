//! A database is damaged, and the program is asked to work with it.
//!
//! Each wound is given to the daemon, to a single round and to commands that look. What must hold:
//! whoever refuses says so in one line, with code 65, and leaves the bytes as they were; nobody
//! begins with an empty database in place of a damaged one; nobody is told again of what the
//! database knows to be told; and whoever goes on tells what is new. SQLite does not notice damage
//! in what nobody reads, and what the log alone knew is lost with it: an alert that is not in what
//! is left may come again, under the id that it had.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::daemon::{Ended, Home, tail};
use super::random::{self, Random};
use super::scene::{compare, some, until};
use super::ward::{Sight, Ward};
use super::wounds::{Body, Wound};
use super::{count, say};

/// Wounds that are looked after at once.
const AT_ONCE: usize = 3;
/// A daemon that goes on tells what is new within this time, or ends.
const LIMIT: Duration = Duration::from_secs(20);
/// Exit code for damage.
const DAMAGED: i32 = 65;
/// What looks and changes nothing, besides `status`.
const LOOKS: [&str; 5] = ["stories", "alerts", "deliveries", "feeds", "notices"];

/// One wound and what was made of it.
#[derive(Default)]
struct Finding {
    problems: Vec<String>,
    /// Processes that would not begin.
    refused: usize,
    /// Processes that worked as if nothing was wrong.
    went_on: usize,
    /// Processes that met the damage while they worked, and ended.
    ended_later: usize,
    /// Alerts that came again because what was left did not know them.
    repeats: usize,
}

/// A wounded database in an installation of its own.
struct Patient {
    ward: Arc<Ward>,
    home: Home,
    wound: Wound,
    body: Body,
    sight: Sight,
    finding: Finding,
}

pub(crate) async fn trial() -> Result<(), String> {
    let wounds = count("WIREWATCH_DAMAGES", 40);
    let seed = random::seed();
    say(&format!("{wounds} damages, WIREWATCH_SEED={seed}"));
    let ward = Arc::new(Ward::open(seed).await?);
    let mut random = Random::new(seed, 70);
    let (mut work, mut all) = (JoinSet::new(), Finding::default());
    for number in 0..wounds {
        if work.len() >= AT_ONCE {
            all.add(work.join_next().await.unwrap().unwrap());
        }
        let patient = Patient::admit(ward.clone(), number, random.below(1 << 40));
        work.spawn(patient.treat(number));
    }
    while let Some(finding) = work.join_next().await {
        all.add(finding.unwrap());
    }
    say(&format!(
        "damages={wounds} refused={} ended_later={} went_on={} repeats_of_lost_rows={}",
        all.refused, all.ended_later, all.went_on, all.repeats
    ));
    let published = ward.told.keys().chain(&ward.news).map(|token| (token.clone(), true));
    all.problems.extend(compare(&published.collect::<Vec<_>>(), &ward.all_attempts()));
    if all.problems.is_empty() {
        return Ok(());
    }
    Err(format!("seed {seed}:\n{}", all.problems.join("\n")))
}

impl Finding {
    fn add(&mut self, other: Self) {
        self.problems.extend(other.problems);
        self.refused += other.refused;
        self.went_on += other.went_on;
        self.ended_later += other.ended_later;
        self.repeats += other.repeats;
    }
}

impl Patient {
    fn admit(ward: Arc<Ward>, number: usize, seed: u64) -> Self {
        let mut random = Random::new(seed, 0);
        let wound = Wound::choose(number, &mut random);
        let body = wound.inflict(&ward.specimens, &mut random);
        let home = ward.home();
        let sight = ward.see(&home, &body);
        Self { ward, home, wound, body, sight, finding: Finding::default() }
    }

    /// Everything that is tried with one wound.
    async fn treat(mut self, number: usize) -> Finding {
        let run = 1_000 + 10 * number;
        self.try_daemon(run).await;
        if self.wound.is_plain() && self.finding.refused == 0 {
            self.complain("the daemon does not refuse it");
        }
        self.try_once(run + 1).await;
        for (at, look) in ["status", LOOKS[number % LOOKS.len()]].into_iter().enumerate() {
            self.try_look(run + 2 + at, look).await;
        }
        let named = |problem| format!("damage {number}, {:?}: {problem}", self.wound);
        self.finding.problems = self.finding.problems.into_iter().map(named).collect();
        self.finding
    }

    fn complain(&mut self, problem: impl Into<String>) {
        self.finding.problems.push(problem.into());
    }

    async fn try_daemon(&mut self, run: usize) {
        self.body.lay(&self.home.database());
        let mut life = self.home.start(run, &[]);
        let done = until(LIMIT, &mut life, || self.ward.knows_news(run)).await;
        let by_itself = life.ended().is_some();
        let status = match life.stop().await {
            Ok(status) => status,
            Err(problem) => return self.complain(format!("{problem}:\n{}", tail(&life.log(), 3))),
        };
        let ended = Ended {
            code: status.code(),
            stdout: String::new(),
            stderr: life.log(),
            took: Duration::ZERO,
        };
        match done {
            _ if by_itself => self.judge_end(&ended, run),
            Ok(()) => self.judge_going_on(run),
            Err(problem) => {
                let missing = self.ward.news.difference(&self.ward.tokens(run)).count();
                let tail = tail(&ended.stderr, 3);
                self.complain(format!("run: {missing} untold, and lives: {problem}:\n{tail}"));
            }
        }
        self.judge_told(&ended, run);
    }

    async fn try_once(&mut self, run: usize) {
        self.body.lay(&self.home.database());
        let ended = self.home.ask(run, &["once"]).await;
        if ended.code == Some(0) {
            self.judge_going_on(run);
            if !self.ward.knows_news(run) {
                self.complain(format!("once: ends well, and did not tell:\n{}", ended.stdout));
            }
        } else {
            self.judge_end(&ended, run);
        }
        self.judge_told(&ended, run);
    }

    /// A command that looks can, or it says that the database is damaged.
    async fn try_look(&mut self, run: usize, look: &str) {
        self.body.lay(&self.home.database());
        let ended = self.home.ask(run, &["--json", look]).await;
        let mut problems = Vec::new();
        if ended.code != Some(0) {
            problems.extend(judge_words(&ended, true));
            problems.extend(self.changed());
        } else if self.wound.is_plain() {
            problems.push(format!("can read it: {}", tail(&ended.stdout, 1)));
        }
        problems.into_iter().for_each(|problem| self.complain(format!("{look}: {problem}")));
    }

    /// Of a process that ended by itself: its code, its words, and the bytes if it never began.
    fn judge_end(&mut self, ended: &Ended, run: usize) {
        let began = self.ward.press.was_asked_by(run) || !self.ward.tokens(run).is_empty();
        if began {
            self.finding.ended_later += 1;
        } else {
            self.finding.refused += 1;
            let changed = self.changed();
            self.finding.problems.extend(changed);
        }
        self.finding.problems.extend(judge_words(ended, !began));
    }

    fn judge_going_on(&mut self, run: usize) {
        self.finding.went_on += 1;
        if self.sight.known == 0 && !self.wound.is_another_life() {
            let told = self.ward.tokens(run).len();
            self.complain(format!("begins anew, as if nothing had been, and tells {told}"));
        }
    }

    /// Whether what was told may be told, by whoever has told it.
    fn judge_told(&mut self, ended: &Ended, run: usize) {
        if let Some(panic) = ended.stderr.lines().find(|line| line.contains("panicked")) {
            self.complain(format!("panic: {panic}"));
        }
        let mut again = Vec::new();
        for attempt in self.ward.attempts(run) {
            let is_known = self.sight.sent.as_ref().is_none_or(|sent| sent.contains(&attempt.id));
            for token in &attempt.tokens {
                match self.ward.told.get(token) {
                    Some(id) if is_known || *id != attempt.id => again.push(token.clone()),
                    Some(_) => self.finding.repeats += 1,
                    None => {}
                }
            }
        }
        if !again.is_empty() {
            self.complain(format!("{} told again: {}", again.len(), some(&again)));
        }
    }

    /// Whether the bytes are not those that were there before.
    fn changed(&self) -> Option<String> {
        let now = Body::read(&self.home.database());
        let sizes = |body: &Body| -> Vec<_> {
            body.lasting().into_iter().map(|(name, bytes)| (name, bytes.len())).collect()
        };
        (now.lasting() != self.body.lasting()).then(|| {
            let (before, after) = (sizes(&self.body), sizes(&now));
            format!("refuses, and changes the files: {before:?} became {after:?}")
        })
    }
}

/// A refusal has its code and one line that names the file.
fn judge_words(ended: &Ended, is_all: bool) -> Vec<String> {
    let mut problems = Vec::new();
    if ended.code != Some(DAMAGED) {
        let tail = tail(&ended.stderr, 2);
        problems.push(format!("ends with {:?} instead of {DAMAGED}: {tail}", ended.code));
    }
    let lines: Vec<&str> = ended.stderr.lines().collect();
    let errors: Vec<&&str> = lines.iter().filter(|line| line.starts_with("error: ")).collect();
    let is_named = errors.iter().any(|line| line.contains("wirewatch.db"));
    if errors.len() != 1 || !is_named || (is_all && lines.len() != 1) {
        let lines = &lines[lines.len().saturating_sub(2)..];
        problems.push(format!("does not say why in one line that names the file: {lines:?}"));
    }
    problems
}
