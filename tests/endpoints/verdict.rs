//! Whether what the laboratory saw is what the endpoints may expect.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use super::Findings;
use super::lab::{Observed, Seen};
use super::scripts::{ENDPOINTS, SECOND, WAITS};

/// Counted over all endpoints.
#[derive(Default)]
struct Counts {
    early: usize,
    late: usize,
    missing: usize,
    /// Tries of a delivery that had ended.
    beyond: usize,
    /// The same, after a 410.
    after_gone: usize,
    /// Requests while the receiver wanted none.
    held: usize,
    /// By the number of the wait: how long it was, in per cent of what the schedule says.
    waits: BTreeMap<usize, Vec<f64>>,
}

/// Holds every request against the schedule.
pub(crate) fn reach(observed: &Observed) -> Findings {
    let mut findings = Findings::default();
    let mut counts = Counts::default();
    for (number, (name, _)) in ENDPOINTS.iter().enumerate() {
        let mine: Vec<&Seen> = observed.log.iter().filter(|one| one.endpoint == number).collect();
        let mut endpoint = Endpoint { name, mine, observed, findings: &mut findings };
        endpoint.check_holds(&mut counts);
        endpoint.check_script(&mut counts);
        endpoint.check_others(&mut counts);
        endpoint.check_messages();
    }
    let followed = observed.followed;
    findings.demand(followed == 0, || format!("{followed} requests where redirects led"));
    for (wait, ratios) in &counts.waits {
        let all: BTreeSet<String> = ratios.iter().map(|ratio| format!("{ratio:.3}")).collect();
        let varies = all.len() > 1 || ratios.len() < 3;
        findings.demand(varies, || format!("wait {wait} does not vary: {all:?}"));
    }
    findings.figures = figures(observed, &counts);
    findings
}

fn figures(observed: &Observed, counts: &Counts) -> String {
    let days = (observed.rounds.last().unwrap() - observed.rounds[0]) / SECOND / 86_400;
    let Counts { early, late, missing, beyond, after_gone, held, waits } = counts;
    let mut text = format!(
        "{} endpoints, {} requests, {} starts in {days} virtual days: early={early} late={late} \
         missing={missing} after_the_end={beyond} after_410={after_gone} during_retry_after={held} \
         at_a_location={}",
        ENDPOINTS.len(),
        observed.log.len(),
        observed.rounds.len(),
        observed.followed
    );
    for (wait, ratios) in waits {
        let shortest = ratios.iter().copied().fold(f64::MAX, f64::min);
        let longest = ratios.iter().copied().fold(f64::MIN, f64::max);
        let (seconds, count) = (WAITS[*wait], ratios.len());
        write!(text, "\n  wait of {seconds} s: {shortest:.1} to {longest:.1} % ({count} waits)")
            .unwrap();
    }
    text
}

/// What one endpoint saw, in the order of arrival.
struct Endpoint<'a> {
    name: &'a str,
    mine: Vec<&'a Seen>,
    observed: &'a Observed,
    findings: &'a mut Findings,
}

impl Endpoint<'_> {
    /// Nothing comes while the receiver wants to be left alone, whichever delivery it is.
    fn check_holds(&mut self, counts: &mut Counts) {
        let mut until = i64::MIN;
        for seen in &self.mine {
            if seen.at < until {
                counts.held += 1;
                let (early, name) = (until - seen.at, self.name);
                self.findings.problems.push(format!("{name}: {early} ms before Retry-After"));
            }
            until = until.max(seen.hold().unwrap_or(until));
        }
    }

    /// The delivery that the script is for: each try in the window that the one before opened.
    fn check_script(&mut self, counts: &mut Counts) {
        let tries: Vec<&Seen> =
            self.mine.iter().filter(|seen| seen.script.is_some()).copied().collect();
        let first = tries.first().map(|seen| seen.at);
        let is_prompt = first == Some(self.observed.published[0]);
        self.findings.demand(is_prompt, || format!("{}: first try at {first:?}", self.name));
        for (index, seen) in tries.iter().enumerate() {
            let name = self.name;
            match (seen.next(), tries.get(index + 1)) {
                (None, None) => {}
                (None, Some(_)) => {
                    counts.beyond += 1;
                    let is_gone = seen.script.is_some_and(|answer| answer.is_gone());
                    counts.after_gone += usize::from(is_gone);
                    let answer = seen.script;
                    self.findings.problems.push(format!("{name}: tried again after {answer:?}"));
                }
                (Some(_), None) => {
                    counts.missing += 1;
                    self.findings.problems.push(format!("{name}: no try {}", index + 2));
                }
                (Some(window), Some(next)) => {
                    let latest = self.observed.first_round(window.to);
                    counts.early += usize::from(next.at < window.from);
                    counts.late += usize::from(next.at > latest);
                    let is_within = (window.from..=latest).contains(&next.at);
                    let (at, base) = (next.at - seen.at, seen.at);
                    self.findings.demand(is_within, || {
                        let (from, to) = (window.from - base, window.to - base);
                        format!("{name}: try {} after {at} ms, due {from} to {to}", index + 2)
                    });
                    if seen.hold().is_none() {
                        counts.note_wait(index, at);
                    }
                }
            }
        }
    }

    /// The other deliveries are accepted: once each, at once or when the receiver's hold is over.
    fn check_others(&mut self, counts: &mut Counts) {
        let others: Vec<&Seen> =
            self.mine.iter().filter(|seen| seen.script.is_none()).copied().collect();
        let name = self.name;
        let count = others.len();
        self.findings.demand(count == 2, || format!("{name}: {count} requests of others"));
        let published = &self.observed.published[1..];
        for (seen, published) in others.iter().zip(published) {
            let holds = self.mine.iter().filter(|one| one.at <= *published);
            let due = holds.filter_map(|one| one.hold()).max().unwrap_or(*published);
            let due = due.max(*published);
            counts.early += usize::from(seen.at < due);
            counts.late += usize::from(seen.at > due);
            let off = seen.at - due;
            self.findings.demand(off == 0, || format!("{name}: another comes {off} ms off"));
        }
    }

    /// One id for each story, and every try says the same, with its own time.
    fn check_messages(&mut self) {
        let mut bodies: HashMap<&str, &[u8]> = HashMap::new();
        let name = self.name;
        for seen in &self.mine {
            let body = *bodies.entry(&seen.id).or_insert(&seen.body);
            self.findings.demand(body == seen.body, || format!("{name}: a try says another thing"));
            let is_now = seen.stamp == Some(seen.at.div_euclid(SECOND));
            self.findings.demand(is_now, || format!("{name}: stamped {:?}", seen.stamp));
        }
        let ids = bodies.len();
        self.findings.demand(ids == 3, || format!("{name}: {ids} ids for 3 stories"));
    }
}

impl Counts {
    fn note_wait(&mut self, index: usize, millis: i64) {
        // Far below the 52 bits that are exact.
        #[expect(clippy::cast_precision_loss, reason = "a few days in milliseconds")]
        let ratio = millis as f64 / (WAITS[index] * SECOND) as f64 * 100.0;
        self.waits.entry(index).or_default().push(ratio);
    }
}

impl Observed {
    /// The first time the program could do what was due by then.
    fn first_round(&self, due: i64) -> i64 {
        self.rounds.iter().copied().find(|round| *round >= due).unwrap_or(i64::MAX)
    }
}
