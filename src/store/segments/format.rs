//! What is in the parts of a segment: bytes, and no SQL.
//!
//! A part begins with the version of its form. One of keys holds pairs of a key
//! (8 bytes) and the place of its entry in the segment (2 bytes, the highest
//! first), sorted by key. One of entries holds, for places that follow one
//! another: flags, what was added to the number of the entry before, the title's
//! key, the link's, and the claimed date as a difference to the one before.
//! Numbers have 7 bits in a byte, the lowest first, and a high bit where more follow.

use std::collections::BTreeMap;

use crate::model::Mark;

/// The form of the parts that are written, and of all that are read.
const VERSION: u8 = 1;
/// Four rows of parts fill a page.
const LARGEST: usize = 980;
/// A key and its place.
const PAIR: usize = 10;
/// Keys of a part that is full.
pub(super) const KEYS_OF_A_PART: usize = (LARGEST - 1) / PAIR;
/// A varint of 64 bits.
const LONGEST_NUMBER: usize = 10;
/// Places are numbers of 16 bits.
pub(super) const MOST_ENTRIES: usize = 1 << 16;
/// The kind of parts that hold entries, beside those of keys.
pub(super) const ENTRIES: i64 = 0;

const HAS_GUID: u8 = 1;
const HAS_LINK: u8 = 2;
const HAS_DATE: u8 = 4;
const WHOLE_SECONDS: u8 = 8;

/// A forgotten entry: what it was, and what it is recognised by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct Remembered {
    /// The number of its row; never negative.
    pub(in crate::store) id: i64,
    /// Whether its feed gave it a GUID.
    pub(in crate::store) has_guid: bool,
    /// The date that it claimed, in milliseconds since 1970.
    pub(in crate::store) published: Option<i64>,
    /// Of its canonical link.
    pub(in crate::store) link: Option<Mark>,
    /// Of its title.
    pub(in crate::store) title: Mark,
    /// Kinds (1 and up) and keys.
    pub(in crate::store) keys: Vec<(i64, Mark)>,
}

/// A row of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// [`ENTRIES`], or the kind of the keys.
    pub(super) kind: i64,
    /// The key that it begins with, or the place of its first entry.
    pub(super) first: [u8; 8],
    /// What is in it.
    pub(super) body: Vec<u8>,
}

/// A part that is not as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damaged;

/// The parts of a segment of these entries, of which there are at most
/// [`MOST_ENTRIES`]. Of entries that share a key the last one has it.
pub(super) fn encode(entries: &[Remembered]) -> Vec<Part> {
    let mut keys: BTreeMap<(i64, Mark), u16> = BTreeMap::new();
    for (place, entry) in (0..=u16::MAX).zip(entries) {
        keys.extend(entry.keys.iter().map(|key| (*key, place)));
    }
    let mut parts: Vec<Part> = Vec::new();
    for ((kind, key), place) in keys {
        match parts.last_mut() {
            Some(part) if part.kind == kind && part.body.len() + PAIR <= LARGEST => {
                part.body.extend(key.0);
            }
            _ => {
                let body = [&[VERSION][..], &key.0].concat();
                parts.push(Part { kind, first: key.0, body });
            }
        }
        if let Some(part) = parts.last_mut() {
            part.body.extend(place.to_be_bytes());
        }
    }
    encode_entries(entries, &mut parts);
    parts
}

fn encode_entries(entries: &[Remembered], parts: &mut Vec<Part>) {
    let mut before = Before::default();
    let mut body = Vec::new();
    for (place, entry) in (0_u64..).zip(entries) {
        let mut after = before;
        let mut record = after.encode(entry);
        if body.len() + record.len() > LARGEST || body.is_empty() {
            after = Before::default();
            record = after.encode(entry);
            let body = std::mem::replace(&mut body, vec![VERSION]);
            push_entries(parts, body);
            parts.push(Part { kind: ENTRIES, first: place.to_be_bytes(), body: Vec::new() });
        }
        before = after;
        body.extend(record);
    }
    push_entries(parts, body);
}

/// Gives the part that was begun last its body.
fn push_entries(parts: &mut [Part], body: Vec<u8>) {
    if let Some(part) = parts.last_mut().filter(|part| part.body.is_empty()) {
        part.body = body;
    }
}

/// The place that a part of keys has for one of them.
pub(super) fn place_of(body: &[u8], key: Mark) -> Result<Option<u16>, Damaged> {
    let pairs = pairs(body)?;
    let found = pairs.binary_search_by_key(&key, |(key, _)| *key);
    Ok(found.ok().map(|at| pairs[at].1))
}

/// All that a part of keys holds, sorted by key.
pub(super) fn pairs(body: &[u8]) -> Result<Vec<(Mark, u16)>, Damaged> {
    let (chunks, []) = unversioned(body)?.as_chunks::<PAIR>() else { return Err(Damaged) };
    let pair = |[a, b, c, d, e, f, g, h, high, low]: &[u8; PAIR]| {
        (Mark([*a, *b, *c, *d, *e, *f, *g, *h]), u16::from_be_bytes([*high, *low]))
    };
    let pairs: Vec<(Mark, u16)> = chunks.iter().map(pair).collect();
    if pairs.is_sorted_by(|one, next| one.0 < next.0) { Ok(pairs) } else { Err(Damaged) }
}

/// The entries of a part, without their keys.
pub(super) fn entries(body: &[u8]) -> Result<Vec<Remembered>, Damaged> {
    let mut rest = unversioned(body)?;
    let mut before = Before::default();
    let mut entries = Vec::new();
    while !rest.is_empty() {
        entries.push(before.decode(&mut rest)?);
    }
    Ok(entries)
}

fn unversioned(body: &[u8]) -> Result<&[u8], Damaged> {
    match body.split_first() {
        Some((&VERSION, rest)) if !rest.is_empty() => Ok(rest),
        _ => Err(Damaged),
    }
}

/// What an entry's numbers are differences to.
#[derive(Clone, Copy, Default)]
struct Before {
    id: i64,
    published: i64,
}

impl Before {
    fn encode(&mut self, entry: &Remembered) -> Vec<u8> {
        let later = entry.published.map(|published| published.wrapping_sub(self.published));
        let seconds = later.is_some_and(|later| later % 1000 == 0);
        let flag = |flag: u8, is_set: bool| if is_set { flag } else { 0 };
        let mut bytes = vec![
            flag(HAS_GUID, entry.has_guid)
                | flag(HAS_LINK, entry.link.is_some())
                | flag(HAS_DATE, later.is_some())
                | flag(WHOLE_SECONDS, seconds),
        ];
        push_number(entry.id.wrapping_sub(self.id), &mut bytes);
        bytes.extend(entry.title.0);
        bytes.extend(entry.link.iter().flat_map(|link| link.0));
        if let Some(later) = later {
            push_number(if seconds { later / 1000 } else { later }, &mut bytes);
        }
        self.note(entry);
        bytes
    }

    fn decode(&mut self, bytes: &mut &[u8]) -> Result<Remembered, Damaged> {
        let [flags] = take(bytes)?;
        if flags & !(HAS_GUID | HAS_LINK | HAS_DATE | WHOLE_SECONDS) != 0 {
            return Err(Damaged);
        }
        let id = self.id.wrapping_add(take_number(bytes)?);
        let title = Mark(take(bytes)?);
        let link = if flags & HAS_LINK == 0 { None } else { Some(Mark(take(bytes)?)) };
        let published = if flags & HAS_DATE == 0 {
            None
        } else {
            let unit = if flags & WHOLE_SECONDS == 0 { 1 } else { 1000 };
            Some(self.published.wrapping_add(take_number(bytes)?.wrapping_mul(unit)))
        };
        let has_guid = flags & HAS_GUID != 0;
        let entry = Remembered { id, has_guid, published, link, title, keys: Vec::new() };
        self.note(&entry);
        Ok(entry)
    }

    fn note(&mut self, entry: &Remembered) {
        self.id = entry.id;
        self.published = entry.published.unwrap_or(self.published);
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Damaged> {
    let (taken, rest) = bytes.split_first_chunk().ok_or(Damaged)?;
    *bytes = rest;
    Ok(*taken)
}

/// Small numbers of either sign are short.
fn push_number(number: i64, bytes: &mut Vec<u8>) {
    let mut rest = ((number << 1) ^ (number >> 63)).cast_unsigned();
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

fn take_number(bytes: &mut &[u8]) -> Result<i64, Damaged> {
    let mut number: u64 = 0;
    for at in 0..LONGEST_NUMBER {
        let [byte] = take(bytes)?;
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok((number >> 1).cast_signed() ^ -((number & 1).cast_signed()));
        }
    }
    Err(Damaged)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn any_mark() -> impl Strategy<Value = Mark> {
        // Few, so that entries share some.
        prop_oneof![any::<[u8; 8]>().prop_map(Mark), (0..20_u8).prop_map(|n| Mark([n; 8]))]
    }

    fn any_entry() -> impl Strategy<Value = Remembered> {
        let date = prop_oneof![
            any::<i64>(),
            0..2_000_000_000_000_i64,
            (0..2_000_000_000_i64).prop_map(|seconds| seconds * 1000)
        ];
        let keys = prop::collection::vec((1..=3_i64, any_mark()), 0..4);
        let all = (0..=i64::MAX, any::<bool>(), prop::option::of(date));
        (all, prop::option::of(any_mark()), any_mark(), keys).prop_map(
            |((id, has_guid, published), link, title, keys)| Remembered {
                id,
                has_guid,
                published,
                link,
                title,
                keys,
            },
        )
    }

    /// What a look-up finds, as it is done in the tables.
    fn find(parts: &[Part], kind: i64, key: Mark) -> Option<Remembered> {
        let part = |kind: i64, first: [u8; 8]| {
            parts.iter().rfind(|part| part.kind == kind && part.first <= first)
        };
        let place = place_of(&part(kind, key.0)?.body, key).unwrap()?;
        let part = part(ENTRIES, u64::from(place).to_be_bytes())?;
        let within = u64::from(place) - u64::from_be_bytes(part.first);
        entries(&part.body).unwrap().into_iter().nth(usize::try_from(within).unwrap())
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_a_map_would_find(
            all in prop::collection::vec(any_entry(), 0..300),
            strange in any_mark(),
        ) {
            let mut map: HashMap<(i64, Mark), Remembered> = HashMap::new();
            for entry in &all {
                let bare = Remembered { keys: Vec::new(), ..entry.clone() };
                map.extend(entry.keys.iter().map(|key| (*key, bare.clone())));
            }
            let parts = encode(&all);
            for part in &parts {
                prop_assert!(part.body.len() <= LARGEST && part.body.len() > 1);
            }
            for ((kind, key), entry) in &map {
                prop_assert_eq!(find(&parts, *kind, *key), Some(entry.clone()));
            }
            for kind in 1..=3 {
                let known = map.get(&(kind, strange)).cloned();
                prop_assert_eq!(find(&parts, kind, strange), known);
            }
        }

        #[test]
        fn damage_is_said_and_nothing_panics(
            all in prop::collection::vec(any_entry(), 1..50),
            noise in prop::collection::vec(any::<u8>(), 0..100),
            at in any::<prop::sample::Index>(),
            flip in 1..=255_u8,
        ) {
            let _ = (pairs(&noise), entries(&noise), place_of(&noise, Mark([7; 8])));
            for mut part in encode(&all) {
                let cut = at.index(part.body.len());
                let _ = (pairs(&part.body[..cut]), entries(&part.body[..cut]));
                part.body[cut] ^= flip;
                let _ = (pairs(&part.body), entries(&part.body));
                part.body[0] = VERSION + 1;
                prop_assert_eq!(pairs(&part.body), Err(Damaged));
                prop_assert_eq!(entries(&part.body), Err(Damaged));
            }
        }
    }

    #[test]
    fn an_entry_of_every_day_takes_little() {
        let mark = |n: u64| Mark(n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        let entry = |n: u64| Remembered {
            id: n.cast_signed() + 1_000_000,
            has_guid: true,
            published: Some(1_790_000_000_000 + n.cast_signed() * 17_000),
            link: Some(mark(n + 10_000)),
            title: mark(n + 20_000),
            keys: (1..=3_i64).map(|kind| (kind, mark(n + 30_000 * kind.cast_unsigned()))).collect(),
        };
        let all: Vec<Remembered> = (0..2_000).map(entry).collect();
        let bytes: usize = encode(&all).iter().map(|part| part.body.len()).sum();
        assert!(bytes / all.len() < 52, "{} bytes", bytes / all.len());
    }
}
