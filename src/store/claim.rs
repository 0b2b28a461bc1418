//! What a channel has to send now. A delivery that is due for the first time
//! is routed here, in one transaction with its claim: sent, kept back, put into
//! a digest, or not told. The store only asks; `trait Gate` decides.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};

use super::content::delivery;
use super::due::{Found, RELEASED, due, found, gathered_in, told, told_of_rule};
use super::pauses::paused_until;
use super::rows::{json, millis};
use super::silences::active_silences;
use super::{Store, StoreError};
use crate::model::{ChannelName, Delivery, DeliveryId, Due, Route, RuleName, Silence};

/// Deliveries routed in one transaction; the rest comes with the next claim.
const ROUTED: usize = 1_000;

/// Decides what becomes of deliveries that are due.
pub trait Gate: Send + Sync {
    /// How many messages of the last hour it wants to know of.
    fn budget(&self) -> usize;
    /// Since when it wants to know whether a receiver was told of a rule.
    fn groups_since(&self) -> Option<Timestamp>;
    /// Decides about one.
    fn route(&self, due: &Due, silences: &[Silence]) -> Route;
    /// Why one that was tried before is not tried again, if so.
    fn suppressed(&self, due: &Due, silences: &[Silence]) -> Option<String>;
    /// The key of the group that one is part of: what waits there goes with it.
    fn group(&self, due: &Due) -> Option<String>;
    /// The id of a digest's delivery, from those it gathers.
    fn digest(&self, channel: &ChannelName, recipient: &str, members: &[DeliveryId]) -> DigestIds;
}

/// What a claim found.
#[derive(Debug, Default)]
pub struct Claimed {
    /// To be sent.
    pub deliveries: Vec<Delivery>,
    /// Until when the channel's receiver wants nothing; then there are none.
    pub paused_until: Option<Timestamp>,
}

/// The ids of a digest and of its delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestIds {
    /// `g` and 16 hexadecimal digits.
    pub digest: String,
    /// The delivery's.
    pub delivery: DeliveryId,
}

impl Store {
    /// Claims what a channel has to send now, oldest first. A delivery's list
    /// of outlets is fixed by its first claim, so that every attempt says the
    /// same.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_deliveries(
        &self,
        channel: ChannelName,
        gate: Box<dyn Gate>,
        now: Timestamp,
        (lease, limit): (SignedDuration, usize),
    ) -> Result<Claimed, StoreError> {
        let until = millis(now.checked_add(lease).unwrap_or(now));
        let gate: Arc<dyn Gate> = Arc::from(gate);
        // What is put off in thousands is so in several transactions.
        loop {
            let (channel, gate) = (channel.clone(), Arc::clone(&gate));
            let job = move |db: &Connection| {
                let gate = gate.as_ref();
                let known = RefCell::default();
                let claims = Claims { db, channel: &channel, gate, now, until, known };
                if let Some(paused_until) = paused_until(db, &channel, now)? {
                    let paused_until = Some(paused_until);
                    return Ok((Claimed { paused_until, ..Claimed::default() }, true));
                }
                let (deliveries, all) = claims.take(limit)?;
                Ok((Claimed { deliveries, paused_until: None }, all))
            };
            let (claimed, all) = self.write(job).await?;
            if all || !claimed.deliveries.is_empty() {
                return Ok(claimed);
            }
        }
    }
}

struct Claims<'a> {
    db: &'a Connection,
    channel: &'a ChannelName,
    gate: &'a dyn Gate,
    now: Timestamp,
    until: i64,
    /// What receivers were told, until a claim changes it.
    known: RefCell<Known>,
}

/// Answers that a transaction need not ask for again.
#[derive(Default)]
struct Known {
    /// By recipient, and how many were asked for.
    told: HashMap<(String, usize), Vec<Timestamp>>,
    /// By recipient and rule.
    told_of_rule: HashMap<(String, RuleName), Option<Timestamp>>,
}

impl Claims<'_> {
    /// What was claimed, and whether all that was due was looked at.
    fn take(&self, limit: usize) -> rusqlite::Result<(Vec<Delivery>, bool)> {
        let silences = active_silences(self.db, self.now)?;
        let mut claimed = self.others(limit, &silences)?;
        let mut routed = 0;
        while claimed.len() < limit && routed < ROUTED {
            // Mostly the first ones are sent; where they are put off, more are
            // read at a time.
            let left = limit - claimed.len();
            let found = self.find(left.max(routed).min(ROUTED))?;
            if found.is_empty() {
                return Ok((claimed, true));
            }
            for found in found {
                routed += 1;
                if claimed.len() >= limit {
                    break;
                }
                if let Some(delivery) = self.one(found, &silences)? {
                    claimed.push(delivery);
                }
            }
        }
        Ok((claimed, false))
    }

    /// Notices and digests; they go before alerts, and are few.
    fn others(&self, limit: usize, silences: &[Silence]) -> rusqlite::Result<Vec<Delivery>> {
        let mut select = self.db.prepare_cached(
            "SELECT id, digest_id, first_try FROM delivery WHERE channel = ?1 AND state = 'waiting' AND due_at <= ?2 \
             AND alert_id IS NULL AND (leased_until IS NULL OR leased_until <= ?2) \
             ORDER BY due_at, id LIMIT ?3",
        )?;
        let arguments = params![self.channel.as_str(), millis(self.now), limit as i64];
        let rows = select.query_map(arguments, |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, Option<i64>>(2)?.is_some()))
        })?;
        let rows = rows.collect::<rusqlite::Result<Vec<(i64, Option<i64>, bool)>>>()?;
        let mut claimed = Vec::new();
        for (row, digest, tried) in rows {
            match digest.filter(|_| tried) {
                Some(digest) if self.is_silenced(digest, silences)? => {
                    let reason = "all of its alerts are silenced or settled since".to_owned();
                    self.put_off(row, Route::Suppress(reason))?;
                }
                _ => claimed.push(self.claim(row)?),
            }
        }
        Ok(claimed)
    }

    /// Whether nobody wants any alert of a digest any more. One of which some
    /// are wanted is repeated whole, under its id.
    fn is_silenced(&self, digest: i64, silences: &[Silence]) -> rusqlite::Result<bool> {
        let members = gathered_in(self.db, self.channel, digest, self.now)?;
        let silent = |found: &Found| self.gate.suppressed(&found.due, silences).is_some();
        Ok(!members.is_empty() && members.iter().all(silent))
    }

    /// Deliveries of alerts that are due, the oldest first.
    fn find(&self, limit: usize) -> rusqlite::Result<Vec<Found>> {
        let mut select = self.db.prepare_cached(&format!(
            "{} AND delivery.due_at <= ?2 ORDER BY delivery.due_at, delivery.id LIMIT ?3",
            due()
        ))?;
        let arguments = params![self.channel.as_str(), millis(self.now), limit as i64];
        select.query_map(arguments, |row| found(self.channel, row))?.collect()
    }

    /// All that a receiver's digest of this key waits for, due or not: the
    /// first one that is due takes the others along.
    fn kept_back(&self, key: &str, recipient: &str) -> rusqlite::Result<Vec<Found>> {
        let mut select = self.db.prepare_cached(&format!(
            "{} AND delivery.recipient = ?3 AND delivery.gather = ?4 \
             AND delivery.first_try IS NULL ORDER BY delivery.due_at, delivery.id",
            due()
        ))?;
        let arguments = params![self.channel.as_str(), millis(self.now), recipient, key];
        select.query_map(arguments, |row| found(self.channel, row))?.collect()
    }

    /// Routes one; gives what is to be sent because of it.
    fn one(&self, found: Found, silences: &[Silence]) -> rusqlite::Result<Option<Delivery>> {
        if !found.new {
            // What it was put off for is over; what people said since counts.
            return match self.gate.suppressed(&found.due, silences) {
                Some(reason) => self.put_off(found.row, Route::Suppress(reason)).map(|()| None),
                None => self.claim(found.row).map(Some),
            };
        }
        // A digest may have taken it along, or routed it, in this very claim.
        let waits: bool = self
            .db
            .prepare_cached(
                "SELECT state = 'waiting' AND due_at <= ?2 AND leased_until IS NOT ?3 \
                 FROM delivery WHERE id = ?1",
            )?
            .query_row(params![found.row, millis(self.now), self.until], |row| row.get(0))?;
        if !waits {
            return Ok(None);
        }
        match self.route(found.due.clone(), silences)? {
            Route::Send => match found.due.gathered.clone() {
                Some(key) => self.gather(&key, None, &found.due, silences),
                // What waits in its group goes along, or it would follow at once.
                None => match self.gate.group(&found.due) {
                    Some(key) => {
                        self.gather(&key, Some((found.row, found.id)), &found.due, silences)
                    }
                    None => self.claim(found.row).map(Some),
                },
            },
            route => self.put_off(found.row, route).map(|()| None),
        }
    }

    fn route(&self, mut due: Due, silences: &[Silence]) -> rusqlite::Result<Route> {
        let receiver = (self.channel.as_str(), due.recipient.as_str());
        let budget = self.gate.budget();
        let mut known = self.known.borrow_mut();
        if budget > 0 {
            let about = (due.recipient.clone(), budget);
            due.told = match known.told.entry(about) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(new) => new.insert(told(self.db, receiver, budget)?).clone(),
            };
        }
        if let Some(since) = self.gate.groups_since() {
            let about = (due.recipient.clone(), due.rule.clone());
            due.told_of_rule = match known.told_of_rule.entry(about) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => {
                    *new.insert(told_of_rule(self.db, receiver, &due.rule, since)?)
                }
            };
        }
        Ok(self.gate.route(&due, silences))
    }

    fn put_off(&self, row: i64, route: Route) -> rusqlite::Result<()> {
        match route {
            Route::Send => Ok(()),
            Route::Hold { until, reason } => self.wait(row, until, None, &reason),
            Route::Gather { at, key, reason } => self.wait(row, at, Some(&key), &reason),
            Route::Suppress(reason) => self
                .db
                .prepare_cached(
                    "UPDATE delivery SET state = 'suppressed', reason = ?2, finished_at = ?3 \
                     WHERE id = ?1",
                )?
                .execute(params![row, reason, millis(self.now)])
                .map(drop),
        }
    }

    fn wait(
        &self,
        row: i64,
        at: Timestamp,
        key: Option<&str>,
        reason: &str,
    ) -> rusqlite::Result<()> {
        // Never at once again, whatever the gate says: a loop would not end.
        let at = millis(at).max(millis(self.now) + 1_000);
        self.db
            .prepare_cached(
                "UPDATE delivery SET due_at = ?2, gather = coalesce(?3, gather), reason = ?4 \
                 WHERE id = ?1",
            )?
            .execute(params![row, at, key, reason])
            .map(drop)
    }

    /// Puts all that waited for the same digest into one message. One that
    /// waited alone goes out as it is.
    fn gather(
        &self,
        key: &str,
        newcomer: Option<(i64, DeliveryId)>,
        first: &Due,
        silences: &[Silence],
    ) -> rusqlite::Result<Option<Delivery>> {
        let recipient = first.recipient.as_str();
        let mut members = Vec::new();
        for found in self.kept_back(key, recipient)? {
            match self.route(found.due.clone(), silences)? {
                Route::Send => members.push((found.row, found.id)),
                route => self.put_off(found.row, route)?,
            }
        }
        members.extend(newcomer);
        match members.as_slice() {
            [] => Ok(None),
            [(row, _)] => self.claim(*row).map(Some),
            members => self.digest(key, recipient, members).map(Some),
        }
    }

    fn digest(
        &self,
        key: &str,
        recipient: &str,
        members: &[(i64, DeliveryId)],
    ) -> rusqlite::Result<Delivery> {
        let ids: Vec<DeliveryId> = members.iter().map(|(_, id)| id.clone()).collect();
        let rows: Vec<i64> = members.iter().map(|(row, _)| *row).collect();
        let ids = self.gate.digest(self.channel, recipient, &ids);
        let shown_key = key.strip_prefix(RELEASED).unwrap_or(key);
        let digest: i64 = self.db.query_row(
            "INSERT INTO digest (uid, created_at, key, reason) \
             SELECT ?1, ?2, ?3, coalesce((SELECT reason FROM delivery WHERE id = ?4), '') \
             RETURNING id",
            params![ids.digest, millis(self.now), shown_key, rows.first()],
            |row| row.get(0),
        )?;
        self.db.execute(
            "UPDATE delivery SET state = 'gathered', gathered_in = ?2, first_try = ?3, \
             finished_at = ?3 WHERE id IN (SELECT value FROM json_each(?1))",
            params![json(&rows), digest, millis(self.now)],
        )?;
        let row: i64 = self.db.query_row(
            "INSERT INTO delivery (uid, digest_id, role, channel, recipient, created_at, due_at) \
             VALUES (?1, ?2, 'digest', ?3, ?4, ?5, ?5) RETURNING id",
            params![
                ids.delivery.as_str(),
                digest,
                self.channel.as_str(),
                recipient,
                millis(self.now)
            ],
            |row| row.get(0),
        )?;
        self.claim(row)
    }

    /// Leases a delivery and reads what it carries.
    fn claim(&self, row: i64) -> rusqlite::Result<Delivery> {
        self.known.take();
        self.db
            .prepare_cached(
                "UPDATE delivery SET leased_until = ?2, first_try = coalesce(first_try, ?3), \
                 reason = NULL WHERE id = ?1",
            )?
            .execute(params![row, self.until, millis(self.now)])?;
        delivery(self.db, row)
    }
}
