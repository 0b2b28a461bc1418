//! What operators read: what happened, since when, what wirewatch does now,
//! and what they can do.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::model::{NoticeKind, shown};

/// What is known about the matter. What is unknown is left out of the text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// The feed's address as configured.
    pub url: &'a str,
    /// Since when it is so; for a recovery and a gap, when the trouble began.
    pub since: Option<Timestamp>,
    /// When the notice is written.
    pub now: Option<Timestamp>,
    /// The last error, or what was wrong with the document.
    pub reason: Option<&'a str>,
    /// Failed visits in a row, repaired or new entries, or entries missed:
    /// whatever the kind counts.
    pub count: Option<u64>,
    /// The next visit.
    pub next: Option<Timestamp>,
    /// The feed's usual time between entries.
    pub usual_gap: Option<SignedDuration>,
    /// Where it lives now.
    pub new_url: Option<&'a str>,
}

/// A notice in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// One line, without the program's name.
    pub subject: String,
    /// Plain text, a thought a line.
    pub text: String,
}

/// The words of a notice about the feed that people know as `name`.
pub fn sentence(kind: NoticeKind, name: &str, facts: &Facts<'_>) -> Sentence {
    let (subject, what, then) = match kind {
        NoticeKind::Degraded => degraded(facts),
        NoticeKind::Down => down(facts),
        NoticeKind::Challenged => challenged(facts),
        NoticeKind::Silent => silent(facts),
        NoticeKind::Gone => gone(facts),
        NoticeKind::Recovered => recovered(facts),
        NoticeKind::MassChange => mass_change(facts),
        NoticeKind::RandomGuids => random_guids(),
        NoticeKind::Gap => gap(facts),
        NoticeKind::Moved => moved(facts),
        // Worded in `system` and `host`; of a feed there is nothing to add.
        NoticeKind::HostDown
        | NoticeKind::HostUp
        | NoticeKind::DeliveryStalled
        | NoticeKind::DeliveryResumed
        | NoticeKind::DeadLetter
        | NoticeKind::NoisyRule
        | NoticeKind::DiskLow
        | NoticeKind::DatabaseDamaged
        | NoticeKind::Heartbeat => ("has news", String::new(), Vec::new()),
    };
    let mut lines = vec![what];
    if let Some(reason) = facts.reason {
        lines.push(format!("Reason: {reason}."));
    }
    lines.extend(then);
    if !facts.url.is_empty() {
        lines.push(format!("Address: {}", shown(facts.url)));
    }
    Sentence { subject: format!("feed \"{name}\" {subject}"), text: lines.join("\n") }
}

/// The rest of the subject, what happened, and what happens next.
type Words = (&'static str, String, Vec<String>);

fn degraded(facts: &Facts<'_>) -> Words {
    let what = format!("Its documents have been broken{}.", since(facts));
    let now = "wirewatch repairs them and reads every complete entry; \
               entries inside the broken part may be missing.";
    let advice = "You need not do anything. The publisher may be glad to know.";
    ("sends broken documents", what, vec![now.to_string(), advice.to_string()])
}

fn down(facts: &Facts<'_>) -> Words {
    let times = facts.count.map_or(String::new(), |count| format!("; {count} in a row failed"));
    let what = format!("No visit has gone well{}{times}.", since(facts));
    let now = format!(
        "wirewatch goes on trying, at least once a day{}, and tells you when it is back.",
        next(facts)
    );
    let advice = "Open the address in a browser. \
                  If the feed has moved, change its \"url\" in the configuration.";
    ("cannot be read", what, vec![now, advice.to_string()])
}

fn challenged(facts: &Facts<'_>) -> Words {
    let what = format!(
        "Its server has shown a page that tells people from robots instead of the feed{}.",
        since(facts)
    );
    let now = format!("wirewatch goes on trying, less and less often{}.", next(facts));
    let advice = "Ask the publisher to let the feed's address through, \
                  or look for another address of the same feed. \
                  A \"user_agent\" with a contact or a \"proxy\" for this feed may help too.";
    ("is behind a bot check", what, vec![now, advice.to_string()])
}

fn silent(facts: &Facts<'_>) -> Words {
    let usual = facts.usual_gap.map_or(String::new(), |gap| {
        format!("; until now something came every {} or so", span(gap))
    });
    let what =
        format!("It answers as it should, but has brought nothing new{}{usual}.", since(facts));
    let now = format!("wirewatch goes on visiting it{}.", next(facts));
    let advice = "Look at the publisher's site: \
                  the feed may have been given up, or replaced by another.";
    ("has fallen silent", what, vec![now, advice.to_string()])
}

fn gone(facts: &Facts<'_>) -> Words {
    let what = format!("Its server has said{} that it is gone for good (410).", since(facts));
    let now = "wirewatch has stopped visiting it. Its stories are kept.";
    let advice = "Remove the feed from the configuration, or give it its new \"url\".";
    ("is gone", what, vec![now.to_string(), advice.to_string()])
}

fn recovered(facts: &Facts<'_>) -> Words {
    let lasted = match (facts.since, facts.now) {
        (Some(since), Some(now)) if now > since => {
            format!(
                " The trouble lasted {}, since {}.",
                span(now.duration_since(since)),
                utc(since)
            )
        }
        (Some(since), _) => format!(" The trouble began at {}.", utc(since)),
        (None, _) => String::new(),
    };
    let what = format!("It is read again.{lasted}");
    let now = "What it still shows from that time is checked against your rules as usual; \
               what it no longer shows was missed.";
    ("is back", what, vec![now.to_string()])
}

fn mass_change(facts: &Facts<'_>) -> Words {
    let what = match facts.count {
        Some(count) => {
            format!("{count} entries looked new at once, because their identifiers changed.")
        }
        None => "Most of its entries looked new at once, because their identifiers changed.".into(),
    };
    let now = "wirewatch has taken them for what they are, known entries, and sent no alerts for \
               them. Entries that are truly new are alerted as usual.";
    let advice = "Compare \"wirewatch stories --feed NAME\" with its site if you want to be sure.";
    ("changed its identifiers", what, vec![now.to_string(), advice.to_string()])
}

fn random_guids() -> Words {
    let what = "The identifiers (GUIDs) of its entries are new at every visit.".to_string();
    let now = "wirewatch no longer uses them for this feed, \
               and tells entries apart by link, title and text.";
    ("has random identifiers", what, vec![now.to_string(), "You need not do anything.".to_string()])
}

fn gap(facts: &Facts<'_>) -> Words {
    let between = match (facts.since, facts.now) {
        (Some(from), Some(to)) => format!(" between {} and {}", utc(from), utc(to)),
        _ => String::new(),
    };
    let least = facts.count.filter(|&count| count > 0);
    let least = least.map_or(String::new(), |count| format!(", {count} or more,"));
    let what = format!(
        "Entries{least} may have come and gone unseen{between}: \
         nothing in its document was known from the visit before."
    );
    let now = "wirewatch visits it sooner now, and reads older pages where the feed offers them.";
    let advice = "If this happens often, set a shorter \"interval\" for this feed.";
    ("may have lost entries", what, vec![now.to_string(), advice.to_string()])
}

fn moved(facts: &Facts<'_>) -> Words {
    let to = facts.new_url.map_or(String::new(), |url| format!(" to {url}"));
    let what = format!("Its server has sent us on{to} for more than a day, for good (301 or 308).");
    let now = "wirewatch visits the new address from now on, and remembers the old one.";
    let advice = "Change its \"url\" in the configuration when you have checked it.";
    ("has moved", what, vec![now.to_string(), advice.to_string()])
}

fn since(facts: &Facts<'_>) -> String {
    facts.since.map_or(String::new(), |since| format!(" since {}", utc(since)))
}

fn next(facts: &Facts<'_>) -> String {
    facts.next.map_or(String::new(), |next| format!(" (next at {})", utc(next)))
}

fn utc(time: Timestamp) -> String {
    TimeZone::UTC.to_datetime(time).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A span in one unit, as people say it.
fn span(span: SignedDuration) -> String {
    let minutes = span.as_mins().max(1);
    let (number, unit) = match minutes {
        0..120 => (minutes, "minute"),
        120..2_880 => (minutes / 60, "hour"),
        _ => (minutes / 1_440, "day"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}
