//! What the store knows of one feed, as lines of `feeds show`.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::parse::hints_json;
use crate::model::{DocumentFacts, FeedMemory, Subscription, shown};
use crate::store::{FeedDetail, FeedRow};

/// A fact's name and what is known.
pub(super) type Fact = (&'static str, Value);

/// The facts of a feed that was polled, in the order of showing.
pub(super) fn facts(state: &FeedRow, detail: Option<&FeedDetail>, never: bool) -> Vec<Fact> {
    let mut facts = vec![
        ("own title", json!(state.title)),
        ("entries", json!(state.entries)),
        ("last entry", time(state.last_entry)),
        ("last success", time(state.last_success)),
        ("last attempt", time(state.last_attempt)),
        ("next poll", time(Some(state.next_due).filter(|_| !never))),
        ("failures", json!(state.failures)),
        ("last error", json!(state.last_error)),
        ("guids", json!(state.guids)),
    ];
    if let Some(detail) = detail {
        facts.extend(of_detail(detail));
        facts.extend(detail.subscription.iter().flat_map(of_hub));
        facts.extend(detail.memory.facts.iter().flat_map(of_document));
    }
    facts
}

fn of_detail(detail: &FeedDetail) -> Vec<Fact> {
    let memory = &detail.memory;
    let gaps = detail.gaps.iter().map(|(gap, recovered)| {
        json!({
            "since": gap.since.to_string(), "until": gap.until.to_string(),
            "recovered": recovered,
        })
    });
    vec![
        ("guids since", time(detail.guids_since)),
        ("state since", time(since(memory))),
        ("failing since", time(memory.health.failing_since)),
        ("polled every", json!(format!("{:#}", detail.interval))),
        ("paused until", time(detail.blocked_until)),
        ("moved to", json!(detail.moved_to)),
        ("redirect seen", redirect(memory)),
        ("validators", validators(memory)),
        ("last document", time(memory.last_document)),
        ("last full", time(memory.last_full)),
        ("unchanged", json!(memory.unchanged_run)),
        ("older pages", json!(memory.older_pages)),
        ("gaps", Value::Array(gaps.collect())),
    ]
}

/// How its news are brought, if its hub is asked to.
fn of_hub(subscription: &Subscription) -> Vec<Fact> {
    vec![
        ("push", json!(subscription.state.as_str())),
        ("protocol", json!(subscription.protocol.as_str())),
        ("hub", json!(subscription.hub)),
        ("topic", json!(subscription.topic)),
        ("lease until", time(subscription.lease_until)),
        ("hub asked next", time(subscription.next_try)),
        ("last push", time(subscription.last_push)),
        ("pushes", json!(subscription.pushes)),
        ("not relied on until", time(subscription.distrust_until)),
        ("push error", json!(subscription.last_error)),
    ]
}

fn since(memory: &FeedMemory) -> Option<Timestamp> {
    Some(memory.health.since).filter(|since| *since > Timestamp::UNIX_EPOCH)
}

fn redirect(memory: &FeedMemory) -> Value {
    json!(memory.sighting.as_ref().map(|seen| {
        let times = if seen.count == 1 { "once" } else { "times" };
        let url = shown(&seen.url);
        match seen.count {
            1 => format!("{times} to {url}, {}", seen.since),
            count => format!("{count} {times} to {url} since {}", seen.since),
        }
    }))
}

/// Which validators the next request carries; what they say is the server's.
fn validators(memory: &FeedMemory) -> Value {
    let Some(validators) = &memory.validators else { return json!([]) };
    let etag = validators.etag.as_ref().map(|_| "ETag");
    let modified = validators.last_modified.as_ref().map(|_| "Last-Modified");
    json!(etag.into_iter().chain(modified).collect::<Vec<_>>())
}

fn of_document(facts: &DocumentFacts) -> Vec<Fact> {
    let decoding = &facts.decoding;
    vec![
        ("format", json!(facts.format)),
        ("encoding", json!(decoding.encoding)),
        ("decided by", json!(decoding.decided_by)),
        ("lossy", json!(decoding.lossy)),
        ("repairs", json!(facts.repairs)),
        ("hints", hints(facts)),
    ]
}

/// What the document asks for; what it leaves out is not shown.
fn hints(facts: &DocumentFacts) -> Value {
    let mut hints = serde_json::to_value(hints_json(&facts.hints)).unwrap_or_default();
    if let Some(object) = hints.as_object_mut() {
        object.retain(|_, value| {
            !value.is_null() && !value.as_array().is_some_and(|list| list.is_empty())
        });
    }
    hints
}

fn time(when: Option<Timestamp>) -> Value {
    json!(when.map(|when| when.to_string()))
}
