//! What a cell should have come to, and its row in the table.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::cell::{FAULTS, Fault, LONG, MAILS};
use crate::trial::{Found, limit};

/// A stalled attempt ends so long after its limit at most.
const SLACK: Duration = Duration::from_secs(5);

pub const HEAD: &str = "stage    fault      kept lost dead repeated attempts early  seconds  \
                        what the failed attempts say";

/// How many mails the relay has, and how many of them more than once.
struct Kept {
    distinct: usize,
    lost: usize,
    repeated: usize,
}

/// A mail is known by its Message-ID, which is made of the delivery's id.
fn kept(found: &Found) -> Kept {
    let kept: Vec<&str> =
        found.seen.mails.iter().filter(|mail| mail.kept).map(|mail| mail.id.as_str()).collect();
    let distinct: HashSet<&str> = kept.iter().copied().collect();
    let has = |id: &str| distinct.contains(message_id(id).as_str());
    Kept {
        distinct: distinct.len(),
        lost: found.rows.iter().filter(|row| !has(&row.id)).count(),
        repeated: kept.len() - distinct.len(),
    }
}

fn message_id(delivery: &str) -> String {
    format!("{delivery}@example.org")
}

pub fn row(found: &Found) -> String {
    let kept = kept(found);
    let answers: Vec<String> =
        found.answers.iter().map(|(answer, count)| format!("{count} x {answer}")).collect();
    let mut row = format!(
        "{:8} {:10} {:4} {:4} {:4} {:8} {:8} {:5} {:8.1}  {}",
        format!("{:?}", found.cell.stage),
        format!("{:?}", found.cell.fault),
        kept.distinct,
        kept.lost,
        found.dead,
        kept.repeated,
        found.attempts,
        found.early,
        found.took.as_secs_f64(),
        answers.join("; ")
    );
    if found.cell.fault == Fault::LongLine {
        let taken = found.seen.taken >> 10;
        row += &format!("; {taken} KiB taken of it, {} KiB of memory", found.memory_kib);
    }
    row
}

/// What is not as it should be.
pub fn problems(found: &Found) -> Vec<String> {
    let mut problems = found.problems.clone();
    problems.extend(found.seen.complaints.iter().map(|line| format!("out of order: {line}")));
    problems.extend(counts(found));
    problems.extend(mails(found));
    problems.extend(ends(found));
    let cell = format!("{:?}/{:?}", found.cell.stage, found.cell.fault);
    problems.into_iter().map(|problem| format!("{cell}: {problem}")).collect()
}

/// The table's figures.
fn counts(found: &Found) -> Vec<String> {
    let (cell, kept) = (found.cell, kept(found));
    let unsaid = found.seen.mails.iter().filter(|mail| mail.kept && !mail.told).count();
    let dead = if cell.kills() { FAULTS } else { 0 };
    let sent = found.rows.iter().filter(|row| row.state == "sent").count();
    let figures = [
        ("faults", found.seen.faults, FAULTS),
        ("mails kept", kept.distinct, MAILS),
        ("mails lost", kept.lost, 0),
        ("mails kept again", kept.repeated, unsaid),
        ("deliveries called sent", sent, MAILS),
        ("deliveries given up", found.dead, dead),
        ("attempts", found.attempts, MAILS + FAULTS),
        ("connections", found.seen.connections, MAILS + FAULTS),
        ("early attempts", found.early, 0),
    ];
    let wrong = figures.into_iter().filter(|(_, is, should)| is != should);
    wrong.map(|(what, is, should)| format!("{is} {what}, not {should}")).collect()
}

/// Every mail that came, kept or not, is a delivery under its own id.
fn mails(found: &Found) -> Vec<String> {
    let recipients: HashMap<String, &str> =
        found.rows.iter().map(|row| (message_id(&row.id), row.recipient.as_str())).collect();
    let mails = found.seen.mails.iter();
    let strange = mails.filter(|mail| recipients.get(&mail.id) != Some(&mail.to.as_str()));
    strange.map(|mail| format!("mail {} came to {}", mail.id, mail.to)).collect()
}

/// How the spoilt attempts ended.
fn ends(found: &Found) -> Vec<String> {
    let mut problems = Vec::new();
    let timeouts = found.answers.get("timed out").copied().unwrap_or_default();
    let stalls = if found.cell.fault == Fault::Stall { FAULTS } else { 0 };
    if timeouts != stalls {
        problems.push(format!("{timeouts} attempts timed out, not {stalls}"));
    }
    if found.seen.longest_stall > limit(found.cell) + SLACK {
        problems.push(format!("an attempt waited for {:?}", found.seen.longest_stall));
    }
    let refusals = found.answers.iter().filter(|(answer, _)| answer.contains("554"));
    let refusals: usize = refusals.map(|(_, count)| count).sum();
    if found.cell.kills() && !(refusals == FAULTS && found.told_elsewhere) {
        let told = found.told_elsewhere;
        problems.push(format!("{refusals} errors are visible, told to operators: {told}"));
    }
    if found.memory_kib > (LONG >> 10) as u64 {
        problems.push(format!("a long line costs {} KiB of memory", found.memory_kib));
    }
    problems
}
