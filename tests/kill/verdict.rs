//! What the kills hit, and what became of the stories.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::desk::{Attempt, Desk};
use super::feeds::{Feeds, Poll};
use super::post::{self, Post};

/// From so many kills on, the share that hit something is not left to chance.
const ENOUGH_KILLS: usize = 50;
/// A delivery is still being recorded for a while after its answer, and a document read.
const RECORDING: Duration = Duration::from_millis(5);
const READING: Duration = Duration::from_millis(20);
/// Feeds are configured with one second; the rest is for the way from decision to socket.
///
/// The interval is a second from claim to claim, but what is seen here is the arrival: on a busy
/// machine the first request of a pair can come late. A restart that forgot its schedule shows as
/// a gap of a few hundredths.
const SHORTEST_GAP: Duration = Duration::from_millis(500);
/// From exec to the first request, however the process before ended.
const STARTUP_LIMIT: Duration = Duration::from_secs(10);

/// One kill.
pub(crate) struct Kill {
    pub(crate) run: usize,
    pub(crate) at: Instant,
    /// From exec to the first request of the process that was killed.
    pub(crate) startup: Duration,
}

/// Everyone who is told.
pub(crate) struct Receivers {
    pub(crate) desk: Desk,
    pub(crate) post: Post,
}

impl Receivers {
    /// From now on all accept everything.
    pub(crate) fn behave(&self) {
        self.desk.behave();
        self.post.behave();
    }

    pub(crate) fn last_attempt(&self) -> Option<Instant> {
        self.desk.last_attempt().max(self.post.last_attempt())
    }

    /// The public ids of all deliveries that somebody has now.
    #[allow(dead_code, reason = "only the power cuts ask")]
    pub(crate) fn kept(&self) -> BTreeSet<String> {
        let all = self.attempts().into_iter().flat_map(|(_, _, attempts)| attempts);
        let kept = all.filter(Attempt::kept);
        // A Message-ID has the sender's domain behind it.
        kept.map(|one| one.id.split('@').next().unwrap_or_default().to_owned()).collect()
    }

    /// By receiver: its name, how many deliveries may be on their way at once, and all attempts.
    fn attempts(&self) -> [(&'static str, usize, Vec<Attempt>); 3] {
        [
            ("webhook", 1, self.desk.attempts()),
            ("mail", 4, self.post.attempts(post::PLAIN)),
            ("mail, grouped", 4, self.post.attempts(post::GROUPED)),
        ]
    }
}

/// The figures of a campaign, and what is wrong with them.
pub(crate) struct Verdict {
    pub(crate) summary: String,
    pub(crate) problems: Vec<String>,
}

impl Verdict {
    /// Compares what was published with what was kept; the daemon must have ended.
    pub(crate) fn reach(kills: &[Kill], feeds: &Feeds, told: &Receivers, database: &Path) -> Self {
        let (published, polls) = (feeds.published(), feeds.polls());
        let mut verdict = Self { summary: format!("kills={}", kills.len()), problems: Vec::new() };
        let to_tell = published.iter().filter(|(_, is_told)| *is_told);
        let to_tell: BTreeSet<&str> = to_tell.map(|(token, _)| token.as_str()).collect();
        let to_read = published.iter().map(|(token, _)| token.as_str()).collect();
        verdict.note("published", to_tell.len());
        verdict.demand(!to_tell.is_empty(), || "nothing was published".to_owned());
        let mut attempts = Vec::new();
        for (name, at_once, of_one) in told.attempts() {
            verdict.compare(name, &to_tell, &of_one, at_once * kills.len());
            verdict.check_contents(&of_one);
            attempts.extend(of_one);
        }
        verdict.check_coverage(kills, &attempts, &polls);
        verdict.check_gaps(&polls);
        verdict.check_startup(kills);
        let db = Connection::open(database).unwrap();
        verdict.check_entries(&db, &to_read);
        verdict.check_database(&db, to_tell.len());
        verdict.check_files(database.parent().unwrap());
        verdict
    }

    /// What one receiver has, against what it ought to have.
    fn compare(
        &mut self,
        receiver: &str,
        published: &BTreeSet<&str>,
        attempts: &[Attempt],
        hits: usize,
    ) {
        let tokens = |attempt: &'_ Attempt| attempt.tokens.clone();
        let kept: Vec<&Attempt> = attempts.iter().filter(|attempt| attempt.kept()).collect();
        let told: BTreeSet<String> = kept.iter().flat_map(|attempt| tokens(attempt)).collect();
        let lost: Vec<_> = published.iter().filter(|token| !told.contains(**token)).collect();
        let phantom: Vec<_> =
            told.iter().filter(|token| !published.contains(token.as_str())).collect();
        let forced = attempts.iter().filter(|attempt| attempt.forces_repeat()).count();
        let ids: BTreeSet<&str> = kept.iter().map(|attempt| attempt.id.as_str()).collect();
        // Attempts that were refused count here: their repeats must come under the same id too.
        let all: BTreeSet<String> = attempts.iter().flat_map(tokens).collect();
        let names: BTreeSet<(String, &str)> = attempts
            .iter()
            .flat_map(|one| tokens(one).into_iter().map(|token| (token, one.id.as_str())))
            .collect();
        let (same, new) = (kept.len() - ids.len(), names.len() - all.len());

        self.summary.push_str(&format!("\n  {receiver}:"));
        self.note("attempts", attempts.len());
        self.note("messages", ids.len());
        let notices = attempts.iter().filter(|attempt| attempt.is_notice);
        self.note("notices", notices.map(|one| one.id.as_str()).collect::<BTreeSet<_>>().len());
        self.note("lost", lost.len());
        self.note("phantom", phantom.len());
        self.note("dup_same_id", format!("{same} (forced {forced})"));
        self.note("dup_new_id", new);
        self.demand(lost.is_empty(), || format!("{receiver}: lost: {lost:?}"));
        self.demand(phantom.is_empty(), || {
            format!("{receiver}: told but not published: {phantom:?}")
        });
        self.demand(new == 0, || format!("{receiver}: {new} stories came again under a new id"));
        // A kill repeats what was on its way at most.
        self.demand(same <= forced + hits, || {
            format!("{receiver}: {same} repeats; {forced} forced ones and kills explain fewer")
        });
    }

    fn check_contents(&mut self, attempts: &[Attempt]) {
        let of_nothing = |attempt: &&Attempt| attempt.tokens.is_empty() && !attempt.is_notice;
        for attempt in attempts.iter().filter(of_nothing) {
            let text = String::from_utf8_lossy(&attempt.body);
            self.problems.push(format!("{} tells of no story: {text}", attempt.id));
        }
        let mut first: HashMap<&str, &Attempt> = HashMap::new();
        for attempt in attempts {
            let id = &attempt.id;
            if let Err(error) = &attempt.signature {
                self.problems.push(format!("the signature of {id} is wrong: {error}"));
            }
            let before = *first.entry(id.as_str()).or_insert(attempt);
            let is_same = before.body == attempt.body && before.names == attempt.names;
            self.demand(is_same, || format!("an attempt of {id} says something else"));
        }
    }

    fn check_coverage(&mut self, kills: &[Kill], attempts: &[Attempt], polls: &[Poll]) {
        let sending = |kill: &Kill| attempts.iter().any(|attempt| is_hit(kill, attempt));
        let reading = |kill: &Kill| polls.iter().any(|poll| is_read(kill, poll));
        let count = |hit: &dyn Fn(&Kill) -> bool| {
            100 * kills.iter().filter(|kill| hit(kill)).count() / kills.len().max(1)
        };
        let (in_flight, processing) = (count(&sending), count(&reading));
        self.summary.push_str("\n  all:");
        self.note("in_flight", format!("{in_flight}%"));
        self.note("processing", format!("{processing}%"));
        self.note("idle", format!("{}%", count(&|kill| !sending(kill) && !reading(kill))));
        if kills.len() >= ENOUGH_KILLS {
            self.demand(in_flight >= 20, || "void: too few kills hit a delivery".to_owned());
            self.demand(processing >= 10, || "void: too few kills hit a document".to_owned());
        }
    }

    /// No feed is asked twice within its interval, whoever was killed in between.
    fn check_gaps(&mut self, polls: &[Poll]) {
        let mut last: BTreeMap<usize, &Poll> = BTreeMap::new();
        let (mut early, mut shortest) = (0, Duration::MAX);
        for poll in polls {
            let Some(before) = last.insert(poll.feed, poll) else { continue };
            let gap = poll.at - before.at;
            shortest = shortest.min(gap);
            if gap < SHORTEST_GAP {
                early += 1;
                let (feed, first, second) = (poll.feed, before.run, poll.run);
                let runs = format!("in runs {first} and {second}");
                self.problems.push(format!("feed {feed} was asked twice in {gap:?}, {runs}"));
            }
        }
        self.note("polls", polls.len());
        self.note("early_polls", format!("{early} (shortest gap {shortest:.3?})"));
    }

    fn check_startup(&mut self, kills: &[Kill]) {
        let mut startups: Vec<Duration> = kills.iter().map(|kill| kill.startup).collect();
        startups.sort_unstable();
        let Some(slowest) = startups.last().copied() else { return };
        let median = startups[startups.len() / 2];
        self.note("startup", format!("median {median:.0?} max {slowest:.0?}"));
        self.demand(slowest <= STARTUP_LIMIT, || format!("a start took {slowest:?}"));
    }

    /// What is not told must have been read all the same.
    fn check_entries(&mut self, db: &Connection, published: &BTreeSet<&str>) {
        let mut select = db.prepare("SELECT guid FROM entry").unwrap();
        let guids = select.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let read: BTreeSet<String> = guids.map(|guid| guid.unwrap()).collect();
        let is_unread = |token: &&&str| !read.contains(&format!("story-{token}"));
        let unread: Vec<_> = published.iter().filter(is_unread).collect();
        self.note("items", published.len());
        self.note("unread", unread.len());
        self.demand(unread.is_empty(), || format!("published but not stored: {unread:?}"));
        self.demand(read.len() <= published.len(), || format!("{} entries", read.len()));
    }

    fn check_database(&mut self, db: &Connection, published: usize) {
        let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        let integrity: String =
            db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        let orphans = count("SELECT count(*) FROM pragma_foreign_key_check");
        let unsent = count("SELECT count(*) FROM delivery WHERE state NOT IN ('sent', 'gathered')");
        let alerts = count("SELECT count(*) FROM alert");
        self.note("unsent", unsent);
        self.note("integrity", &integrity);
        self.demand(integrity == "ok", || format!("integrity_check: {integrity}"));
        self.demand(orphans == 0, || format!("foreign_key_check: {orphans} rows"));
        self.demand(unsent == 0, || format!("{unsent} deliveries are not sent"));
        let is_each_alerted = usize::try_from(alerts) == Ok(published);
        self.demand(is_each_alerted, || format!("{alerts} alerts for {published} stories"));
    }

    /// A process that is killed while it writes must not litter.
    fn check_files(&mut self, folder: &Path) {
        let mut strangers = Vec::new();
        for file in fs::read_dir(folder).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            let suffix = name.strip_prefix("wirewatch.db");
            if !suffix.is_some_and(|suffix| ["", "-wal", "-shm", ".lock"].contains(&suffix)) {
                strangers.push(name);
            }
        }
        self.demand(strangers.is_empty(), || format!("files left over: {strangers:?}"));
    }

    fn note(&mut self, name: &str, value: impl std::fmt::Display) {
        self.summary.push_str(&format!(" {name}={value}"));
    }

    fn demand(&mut self, holds: bool, complaint: impl FnOnce() -> String) {
        if !holds {
            self.problems.push(complaint());
        }
    }
}

/// Whether a kill hit a delivery on its way, or its answer while it was being recorded.
fn is_hit(kill: &Kill, attempt: &Attempt) -> bool {
    let over = attempt.answered.map(|answered| answered + RECORDING);
    attempt.run == kill.run && attempt.at <= kill.at && over.is_none_or(|over| kill.at <= over)
}

/// Whether a kill hit a document that was being sent, read or stored.
fn is_read(kill: &Kill, poll: &Poll) -> bool {
    let over = poll.at + poll.delay + READING;
    poll.document && poll.run == kill.run && poll.at <= kill.at && kill.at <= over
}
