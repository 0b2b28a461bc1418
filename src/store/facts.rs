//! What a feed's row remembers as JSON: its health, and what its last
//! document said of itself.

use jiff::{SignedDuration, Timestamp};
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use super::rows::{from_millis, json, millis, optional_time};
use crate::model::{Decoding, DocumentFacts, FeedHealth, FeedHints, HealthState, HealthWarning};

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct StateJson {
    failing_since: Option<i64>,
    challenges: u32,
    repairs: u32,
    quiet_since: Option<i64>,
    told: String,
    warned: Option<(String, i64)>,
}

/// The part of the health that has no column of its own.
pub(super) fn health_to_json(state: &HealthState) -> String {
    json(&StateJson {
        failing_since: state.failing_since.map(millis),
        challenges: state.challenges,
        repairs: state.repairs,
        quiet_since: state.quiet_since.map(millis),
        told: state.told.as_str().to_string(),
        warned: state.warned.map(|warned| (warned.health.as_str().to_string(), millis(warned.at))),
    })
}

/// The health of a feed's row.
pub(super) fn health(row: &Row<'_>) -> rusqlite::Result<HealthState> {
    let text: Option<String> = row.get("health_state")?;
    let rest: StateJson =
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let health = FeedHealth::from_word(&row.get::<_, String>("health")?);
    let told = match rest.told.as_str() {
        "" => FeedHealth::Ok,
        word => FeedHealth::from_word(word),
    };
    Ok(HealthState {
        health,
        since: optional_time(row, "health_since")?.unwrap_or(Timestamp::UNIX_EPOCH),
        failures: row.get("failures")?,
        failing_since: rest.failing_since.map(from_millis),
        challenges: rest.challenges,
        repairs: rest.repairs,
        quiet_since: rest.quiet_since.map(from_millis),
        told,
        warned: rest.warned.map(|(word, at)| HealthWarning {
            health: FeedHealth::from_word(&word),
            at: from_millis(at),
        }),
    })
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct FactsJson {
    format: String,
    encoding: String,
    decided_by: String,
    lossy: bool,
    repairs: Vec<String>,
    ttl_ms: Option<i64>,
    skip_hours: u32,
    skip_days: u8,
    update_period_ms: Option<i64>,
    update_base: Option<i64>,
    hubs: Vec<String>,
    self_link: Option<String>,
    cloud: Option<String>,
    older: Option<String>,
    lang: Option<String>,
    site: Option<String>,
}

/// What a document said of itself, as a JSON column.
pub(super) fn facts_to_json(facts: &DocumentFacts) -> String {
    let span = |span: SignedDuration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    let hints = facts.hints.clone();
    json(&FactsJson {
        format: facts.format.clone(),
        encoding: facts.decoding.encoding.to_string(),
        decided_by: facts.decoding.decided_by.to_string(),
        lossy: facts.decoding.lossy,
        repairs: facts.repairs.clone(),
        ttl_ms: hints.ttl.map(span),
        skip_hours: hints.skip_hours,
        skip_days: hints.skip_days,
        update_period_ms: hints.update_period.map(span),
        update_base: hints.update_base.map(millis),
        hubs: hints.hubs,
        self_link: hints.self_link,
        cloud: hints.cloud,
        older: hints.older,
        lang: hints.lang,
        site: hints.site,
    })
}

/// Reads [`facts_to_json`].
pub(super) fn facts_from_json(text: &str) -> DocumentFacts {
    let facts: FactsJson = serde_json::from_str(text).unwrap_or_default();
    DocumentFacts {
        format: facts.format,
        decoding: Decoding {
            encoding: facts.encoding.into(),
            decided_by: facts.decided_by.into(),
            lossy: facts.lossy,
        },
        repairs: facts.repairs,
        hints: FeedHints {
            ttl: facts.ttl_ms.map(SignedDuration::from_millis),
            skip_hours: facts.skip_hours,
            skip_days: facts.skip_days,
            update_period: facts.update_period_ms.map(SignedDuration::from_millis),
            update_base: facts.update_base.map(from_millis),
            hubs: facts.hubs,
            self_link: facts.self_link,
            cloud: facts.cloud,
            older: facts.older,
            lang: facts.lang,
            site: facts.site,
        },
    }
}
