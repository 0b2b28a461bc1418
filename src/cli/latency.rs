//! How long alerts take from one stage to the next.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::store::Passage;

/// Times from one stage to the next.
pub(super) struct Stage {
    name: &'static str,
    /// In ascending order.
    took: Vec<SignedDuration>,
}

impl Stage {
    /// The least time that so many per cent did not exceed.
    fn percentile(&self, percent: usize) -> SignedDuration {
        let rank = (self.took.len() * percent).div_ceil(100).max(1);
        self.took.get(rank - 1).copied().unwrap_or_default()
    }
}

/// The stages of accepted alerts; a claimed date in the future is none.
pub(super) fn latency(passages: &[Passage]) -> Vec<Stage> {
    type Ends = fn(&Passage) -> Option<(Timestamp, Timestamp)>;
    let stages: [(&'static str, Ends); 4] = [
        ("published_seen", |one| Some((one.published?, one.seen))),
        ("seen_matched", |one| Some((one.seen, one.matched))),
        ("matched_sent", |one| Some((one.matched, one.sent))),
        ("sent_accepted", |one| Some((one.sent, one.accepted))),
    ];
    let stage = |(name, ends): (&'static str, Ends)| {
        let took = passages.iter().filter_map(ends).map(|(from, to)| to.duration_since(from));
        let mut took: Vec<SignedDuration> = took.filter(|took| !took.is_negative()).collect();
        took.sort_unstable();
        Stage { name, took }
    };
    stages.into_iter().map(stage).collect()
}

/// For each stage its count and percentiles in seconds.
pub(super) fn latency_json(stages: &[Stage]) -> Value {
    let seconds = |took: SignedDuration| took.as_millis() as f64 / 1000.0;
    let stage = |stage: &Stage| {
        let value = json!({
            "count": stage.took.len(),
            "p50": seconds(stage.percentile(50)),
            "p90": seconds(stage.percentile(90)),
            "p99": seconds(stage.percentile(99)),
        });
        (stage.name.to_owned(), value)
    };
    Value::Object(stages.iter().map(stage).collect::<Map<_, _>>())
}

/// The middle and the slow end of each stage.
pub(super) fn latency_line(stages: &[Stage]) -> Option<String> {
    let count = stages.iter().map(|stage| stage.took.len()).max().filter(|count| *count > 0)?;
    let said = |took: SignedDuration| {
        let rounded = SignedDuration::from_millis(took.as_millis() as i64);
        format!("{rounded:#}")
    };
    let parts: Vec<String> = stages
        .iter()
        .filter(|stage| !stage.took.is_empty())
        .map(|stage| {
            let name = stage.name.replace('_', " to ");
            format!("{name} {} (99 %: {})", said(stage.percentile(50)), said(stage.percentile(99)))
        })
        .collect();
    Some(format!("latency of {count} alerts in 24 h, middle: {}", parts.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_taken() {
        let at = |second: i64| Timestamp::from_second(1_700_000_000 + second).unwrap();
        let passages: Vec<Passage> = (1..=100)
            .map(|took| Passage {
                published: (took % 2 == 0).then(|| at(5)),
                seen: at(0),
                matched: at(0),
                sent: at(2),
                accepted: at(2 + took),
            })
            .collect();
        let json = latency_json(&latency(&passages));
        assert_eq!(
            json["sent_accepted"],
            json!({"count": 100, "p50": 50.0, "p90": 90.0, "p99": 99.0})
        );
        assert_eq!(json["published_seen"]["count"], 0, "published after it was seen");
        assert_eq!(json["matched_sent"]["p99"], 2.0);
        assert_eq!(latency_line(&latency(&[])), None);
        assert!(latency_line(&latency(&passages)).unwrap().contains("sent to accepted 50s"));
    }
}
