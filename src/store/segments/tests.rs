//! Segments in the tables, against a map of what was remembered last.

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;

use super::super::error::is_damage;
use super::*;
use crate::model::KnownEntry;
use crate::store::migrate;

const FEED: i64 = 1;

fn database() -> Connection {
    let mut db = Connection::open_in_memory().unwrap();
    migrate::migrate(&mut db, std::path::Path::new(":memory:")).unwrap();
    db.execute_batch(
        "PRAGMA foreign_keys = ON; INSERT INTO feed (id, name, url, host, interval_ms, next_due) \
         VALUES (1, 'wire', 'https://wire.example/', 'wire.example', 1, 0)",
    )
    .unwrap();
    db
}

fn mark(n: u16) -> Mark {
    // Sorted otherwise than the numbers.
    let bytes = (u64::from(n) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    Mark(bytes)
}

/// What is known by one key.
fn known(db: &Connection, kind: i64, n: u16) -> rusqlite::Result<Option<KnownEntry>> {
    let name = (kind, mark(n));
    Ok(find(db, FEED, BTreeSet::from([name]))?.remove(&name))
}

/// Entry `n`, with keys that others may have, too.
fn entry(id: u16, n: u16) -> Remembered {
    Remembered {
        id: i64::from(id) + 1,
        has_guid: n.is_multiple_of(2),
        published: n.is_multiple_of(3).then(|| i64::from(n) * 1_000),
        link: Some(mark(n)),
        title: mark(n / 2),
        keys: vec![(1, mark(n)), (2, mark(n / 3)), (3, mark(n / 5))],
    }
}

fn add(db: &Connection, at: i64, entries: &[Remembered]) {
    let new = New::of(entries, Span { oldest: at, newest: at }).unwrap();
    new.insert(db, FEED).unwrap();
}

fn count(db: &Connection, table: &str) -> i64 {
    db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn merged_or_not_the_last_entry_with_a_key_is_found(
        numbers in prop::collection::vec(prop::collection::vec(0..900_u16, 1..900), 1..8),
    ) {
        let db = database();
        let mut map: HashMap<(i64, Mark), Remembered> = HashMap::new();
        for (at, numbers) in numbers.iter().enumerate() {
            let entries: Vec<Remembered> = numbers.iter().map(|n| entry(*n, *n)).collect();
            add(&db, at as i64, &entries);
            for entry in entries {
                map.extend(entry.keys.iter().map(|key| (*key, entry.clone())));
            }
        }
        loop {
            // Many keys are found in another way than few.
            let all = (0..900).flat_map(|n| (1..=3).map(move |kind| (kind, mark(n))));
            let found = find(&db, FEED, all.collect()).unwrap();
            prop_assert_eq!(found.len(), map.len());
            for (name, entry) in &map {
                let found = found.get(name).map(|found| (found.id.0, found.title));
                prop_assert_eq!(found, Some((entry.id, entry.title)));
            }
            for n in (0..900).step_by(30) {
                for kind in 1..=3 {
                    let found = known(&db, kind, n).unwrap().map(|found| found.id.0);
                    prop_assert_eq!(found, map.get(&(kind, mark(n))).map(|entry| entry.id));
                }
            }
            match Merging::find(&db).unwrap() {
                Some(merging) => prop_assert!(merging.run(&db).unwrap() > 0),
                None => break,
            }
        }
    }
}

#[test]
fn many_segments_become_few_and_nothing_is_left_of_them() {
    let db = database();
    for at in 0..100_u16 {
        let entries: Vec<Remembered> = (at * 512..(at + 1) * 512).map(|n| entry(n, n)).collect();
        add(&db, i64::from(at), &entries);
        while let Some(merging) = Merging::find(&db).unwrap() {
            merging.run(&db).unwrap();
        }
    }
    assert!(count(&db, "segment") <= 10, "{}", count(&db, "segment"));
    assert_eq!(known(&db, GUID, 7).unwrap().unwrap().id.0, 8);
    for segment in expired(&db, 1_000).unwrap() {
        assert!(forget(&db, segment).unwrap() > 0);
    }
    assert_eq!((count(&db, "segment"), count(&db, "segment_part")), (0, 0));
}

#[test]
fn segments_whose_times_lie_far_apart_stay_as_they_are() {
    let db = database();
    let day = 86_400_000;
    add(&db, 0, &[entry(1, 1)]);
    add(&db, 91 * day, &[entry(2, 2)]);
    assert!(Merging::find(&db).unwrap().is_none());
    add(&db, 92 * day, &[entry(3, 3)]);
    assert_eq!(Merging::find(&db).unwrap().unwrap().run(&db).unwrap(), 1);
}

#[test]
fn guids_that_do_not_count_are_not_found_and_do_not_come_back_by_merging() {
    let db = database();
    (0..4).for_each(|n| add(&db, i64::from(n), &[entry(n, n)]));
    let late = Merging::find(&db).unwrap().unwrap();
    forget_guids(&db, FEED).unwrap();
    assert_eq!(late.run(&db).unwrap(), 0, "it was read before");
    let found = |kind| known(&db, kind, 0).unwrap().is_some();
    assert_eq!((found(1), found(2)), (false, true));
    Merging::find(&db).unwrap().unwrap().run(&db).unwrap();
    assert_eq!((count(&db, "segment"), found(1), found(2)), (1, false, true));
}

#[test]
fn a_damaged_part_is_damage_and_not_news() {
    for (kind, how) in [(0, "body = x'01'"), (1, "body = x'02'"), (0, "kind = 9")] {
        let db = database();
        add(&db, 0, &[entry(1, 1), entry(2, 2)]);
        db.execute(&format!("UPDATE segment_part SET {how} WHERE kind = ?"), [kind]).unwrap();
        let found = known(&db, GUID, 1);
        assert!(is_damage(&found.unwrap_err()), "{how}");
        add(&db, 1, &[entry(3, 3), entry(4, 4)]);
        assert!(is_damage(&Merging::find(&db).unwrap_err()), "{how}");
    }
}

#[test]
fn of_a_segment_with_lost_parts_the_rest_is_kept() {
    let all: Vec<Remembered> = (0..500).map(|n| entry(n, n)).collect();
    for (lost, keep, left) in
        [("kind = 1", true, 0), ("kind = 0", true, 500), ("kind = 0", false, 0)]
    {
        let db = database();
        add(&db, 0, &all);
        db.execute(&format!("DELETE FROM segment_part WHERE {lost}"), []).unwrap();
        // As a stub has it.
        db.execute("UPDATE segment SET last_entry = 1790000000000", []).unwrap();
        mend(&db, keep).unwrap();
        let found = |n: &u16| known(&db, GUID, *n).unwrap().is_some();
        assert_eq!((0..500).filter(found).count(), left, "{lost}, {keep}");
        let words = (0..100).filter(|n| known(&db, 3, *n).unwrap().is_some()).count();
        assert_eq!(words, if keep { 100 } else { 0 }, "{lost}, {keep}");
    }
    let db = database();
    add(&db, 0, &all);
    db.execute("DELETE FROM segment_part WHERE kind = 0 AND first > zeroblob(8)", []).unwrap();
    mend(&db, false).unwrap();
    let found = (0..500).filter(|n| known(&db, GUID, *n).unwrap().is_some()).count();
    assert!((20..100).contains(&found), "{found} are there still");
}
