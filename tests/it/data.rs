//! The database as a whole: copies of it, what is saved of a damaged one, and
//! what it says about the machine.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;
use wirewatch::model::{FeedName, Notice, NoticeKind};
use wirewatch::pipeline::Inspector;
use wirewatch::store::{Exported, Store};

use crate::cli::{lines, stderr, stdout, wirewatch};
use crate::world::{World, rss};

const ITEMS: [(&str, &str, &str); 4] = [
    ("1", "Ferry marker sinks near Puerto Alba", "a marker"),
    ("2", "Olive harvest halved, marker of drought", "a marker"),
    ("3", "Rocket launch scrubbed at the marker", "a marker"),
    ("4", "Nothing of note", "x"),
];

struct Kept {
    world: World,
    database: PathBuf,
    toml: String,
}

impl Kept {
    /// Polls a feed of so many entries that the database has hundreds of pages.
    async fn poll_many(&self) {
        let items: Vec<(String, String)> = (0..400)
            .map(|n| (format!("g{n}"), format!("Item {n} {}", "filler ".repeat(60))))
            .collect();
        let items: Vec<_> = items.iter().map(|(id, title)| (&**id, &**title, "y")).collect();
        self.world.feeds.serve("/a", "text/xml", rss(&items));
        self.poll().await;
    }

    /// A world that was polled once.
    async fn new() -> Self {
        let world = World::new().await;
        world.feeds.serve("/a", "text/xml", rss(&ITEMS));
        let toml = world.toml(&world.feed("a"));
        let config = world.config(&toml);
        assert_eq!(world.once(&config).await.drained.sent, 3);
        Self { world, database: config.store, toml }
    }

    fn file(&self, name: &str) -> String {
        self.world.dir.path().join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> std::process::Output {
        let config = self.file("watch.toml");
        let all = [&["--config", config.as_str()], arguments].concat();
        wirewatch(self.world.dir.path(), &all, "")
    }

    fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        lines(&output)
    }

    /// What became of each table.
    fn recover(&self, saved: &str, code: i32) -> Value {
        let output = self.run(&["recover", saved, "--json"]);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        assert!(!stderr(&output).contains('\u{1b}'), "{}", stderr(&output));
        let is_said = stderr(&output).contains("recovered with losses");
        assert_eq!(is_said, code == 1, "{}", stderr(&output));
        let tables = lines(&output)[0]["tables"].as_array().unwrap().clone();
        let named = tables.into_iter().map(|of| (of["table"].as_str().unwrap().to_owned(), of));
        Value::Object(named.collect())
    }

    /// Overwrites pages of the database, as `sql` names them.
    fn destroy(&self, sql: &str) {
        let db = rusqlite::Connection::open(&self.database).unwrap();
        db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        let mut select = db.prepare(sql).unwrap();
        let pages = select.query_map([], |row| row.get::<_, u32>(0)).unwrap();
        let pages: Vec<usize> = pages.map(|page| page.unwrap() as usize).collect();
        drop(select);
        drop(db);
        assert!(!pages.is_empty());
        let mut bytes = std::fs::read(&self.database).unwrap();
        for page in pages {
            bytes[(page - 1) * 4096..page * 4096].fill(0xa5);
        }
        std::fs::write(&self.database, &bytes).unwrap();
    }

    fn count(&self, sql: &str) -> i64 {
        let db = rusqlite::Connection::open(&self.database).unwrap();
        db.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// What the receiver was told by one more poll.
    async fn poll(&self) -> usize {
        let before = self.world.hook.accepted().len();
        self.world.once(&self.world.config(&self.toml)).await;
        self.world.hook.accepted().len() - before
    }
}

#[tokio::test]
async fn a_backup_is_made_while_the_daemon_runs_and_comes_back_without_repeats() {
    let kept = Kept::new().await;
    let copy = kept.file("copy.db");
    let app = kept.world.start(&kept.world.config(&kept.toml)).await;
    let report = kept.json(&["backup", &copy]);
    assert_eq!((&report[0]["entries"], &report[0]["alerts"]), (&4.into(), &3.into()));
    let mode = std::fs::metadata(&copy).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let twice = kept.run(&["backup", &copy]);
    assert_eq!(twice.status.code(), Some(1));
    assert!(stderr(&twice).contains("exists"), "{}", stderr(&twice));
    // Nothing is put in the place of a database in use.
    let refused = kept.run(&["restore", &copy]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("in use"), "{}", stderr(&refused));
    assert!(app.stop().await);

    std::fs::write(&kept.database, b"no database at all").unwrap();
    let restored = kept.json(&["restore", &copy]);
    assert_eq!(restored[0]["alerts"], 3);
    let before = restored[0]["before"].as_str().unwrap();
    assert_eq!(std::fs::read(before).unwrap(), b"no database at all");
    assert_eq!(kept.poll().await, 0, "what was told before the backup is not told again");
    let mut items = ITEMS.to_vec();
    items.push(("5", "Verdict of Malmo overturned: a marker", "x"));
    kept.world.feeds.serve("/a", "text/xml", rss(&items));
    assert_eq!(kept.poll().await, 1);
}

#[tokio::test]
async fn what_is_no_sound_backup_changes_nothing() {
    let kept = Kept::new().await;
    let before = std::fs::read(&kept.database).unwrap();
    let garbage = kept.file("garbage.db");
    std::fs::write(&garbage, b"SQLite format 3\0 but no more").unwrap();
    let output = kept.run(&["restore", &garbage]);
    assert_eq!(output.status.code(), Some(65), "{}", stderr(&output));
    let output = kept.run(&["restore", &kept.file("missing.db")]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("missing.db"));
    assert!(std::fs::read(&kept.database).unwrap() == before);
    assert_eq!(kept.poll().await, 0);
}

#[tokio::test]
async fn a_lost_or_damaged_database_is_never_begun_anew() {
    let kept = Kept::new().await;
    let whole = std::fs::read(&kept.database).unwrap();
    let mut no_magic = whole.clone();
    no_magic[0] ^= 0xff;
    let cases: [(&str, Vec<u8>); 3] = [
        ("empty", Vec::new()),
        ("no database", b"hello".to_vec()),
        ("another first byte", no_magic),
    ];
    for (what, bytes) in cases {
        std::fs::write(&kept.database, &bytes).unwrap();
        for command in ["once", "run", "status", "alerts"] {
            let output = kept.run(&[command]);
            let said = stderr(&output);
            let code = output.status.code();
            assert!(code == Some(65), "{what}, {command}: {code:?}, {said}");
            assert_eq!(said.matches("error:").count(), 1, "{what}, {command}: {said}");
        }
        assert!(std::fs::read(&kept.database).unwrap() == bytes, "{what}");
    }
    std::fs::write(&kept.database, &whole).unwrap();
    assert_eq!(kept.poll().await, 0);
}

#[tokio::test]
async fn a_damaged_database_is_saved_as_far_as_it_can_be_read() {
    let kept = Kept::new().await;
    kept.poll_many().await;
    let sound = rusqlite::Connection::open(&kept.database).unwrap();
    sound.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let entries: i64 = sound.query_row("SELECT count(*) FROM entry", [], |r| r.get(0)).unwrap();
    let page: i64 = sound
        .query_row(
            "SELECT pageno FROM dbstat WHERE name = 'entry' AND pagetype = 'leaf' \
             ORDER BY path LIMIT 1 OFFSET 5",
            [],
            |row| row.get(0),
        )
        .unwrap_or(40);
    drop(sound);
    let mut bytes = std::fs::read(&kept.database).unwrap();
    let start = usize::try_from(page - 1).unwrap() * 4096;
    bytes[start..start + 4096].fill(0xa5);
    std::fs::write(&kept.database, &bytes).unwrap();
    let doctor = kept.run(&["doctor", "--offline"]);
    assert_eq!(doctor.status.code(), Some(1), "{}", stdout(&doctor));
    assert!(stdout(&doctor).contains("problem: database:"), "{}", stdout(&doctor));

    // The daemon finds it too, when it reads everything.
    let store = Store::attach(&kept.database).unwrap();
    let inspector = Inspector { store: store.clone(), clock: kept.world.clock.clone() };
    inspector.look(true).await;
    drop((inspector, store));
    let notices = kept.json(&["notices"]);
    assert_eq!(notices[0]["kind"], "database-damaged", "{notices:?}");

    let bytes = std::fs::read(&kept.database).unwrap();
    let saved = kept.file("saved.db");
    let report = kept.recover(&saved, 1);
    let entry = &report["entry"];
    let rows = entry["rows"].as_i64().unwrap();
    assert!(rows >= entries - 40 && rows < entries, "{rows} of {entries}: {report:?}");
    let (lost, stubs) = (&entry["lost"], &entry["stubs"]);
    assert_eq!((lost, stubs), (&(entries - rows).into(), &(entries - rows).into()));
    assert!(std::fs::read(&kept.database).unwrap() == bytes, "the damaged one stays as it is");
    assert_eq!(kept.json(&["restore", &saved])[0]["entries"], entries);
    let doctor = kept.run(&["doctor", "--offline"]);
    assert!(stdout(&doctor).contains("is sound"), "{}", stdout(&doctor));
    kept.poll().await;
}

#[tokio::test]
async fn what_is_exported_is_whole_and_in_order() {
    let kept = Kept::new().await;
    let all = kept.json(&["export"]);
    let of = |kind: &str| all.iter().filter(|object| object["type"] == kind).count();
    assert_eq!((of("story"), of("match"), of("delivery")), (4, 3, 3));
    let story = &all[0];
    assert_eq!(story["entries"][0]["title"], ITEMS[3].1, "the oldest first: {story}");
    let found = all.iter().find(|object| object["type"] == "match").unwrap();
    assert!(found["alert"]["id"].as_str().unwrap().starts_with('a'));
    assert!(found["spans"].is_array() && found["matched_at"].as_str().unwrap().ends_with('Z'));
    let told = all.iter().rfind(|object| object["type"] == "delivery").unwrap();
    assert_eq!((&told["state"], &told["attempts"][0]["outcome"]), (&"sent".into(), &"sent".into()));
    assert_eq!(kept.json(&["export", "matches"]).len(), 3);
    assert_eq!(kept.json(&["export", "stories", "--since", "365d"]).len(), 4);
    let store = Store::attach(&kept.database).unwrap();
    for what in [Exported::Stories, Exported::Matches, Exported::Deliveries] {
        let tomorrow = kept.world.clock.now().as_millisecond() + 86_400_000;
        assert_eq!(store.export(what, 0, tomorrow).await.unwrap(), (Vec::new(), None));
    }
}

/// The receiver answers while this thread waits for the command.
#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_looks_at_everything_and_says_what_to_do() {
    let kept = Kept::new().await;
    // Any answer of a server will do.
    let there = kept.toml.replace(&kept.world.hook.url(), &kept.world.feeds.url("/hook"));
    kept.world.write("watch.toml", &there);
    let found = kept.run(&["doctor", "--json"]);
    let found = lines(&found);
    let result = |check: &str| {
        let finding = found.iter().find(|finding| finding["check"] == check);
        finding.unwrap_or_else(|| panic!("no {check} in {found:?}"))["result"].clone()
    };
    for check in ["configuration", "clock", "database", "disk", "channel hook"] {
        assert_eq!(result(check), "ok", "{check}: {:?}", found.last());
    }
    assert_eq!(result("daemon"), "warning");
    // A receiver that is not there.
    let gone = kept.toml.replace(&kept.world.hook.url(), "http://127.0.0.1:9/hook");
    kept.world.write("watch.toml", &gone);
    let output = kept.run(&["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("problem: channel hook: 127.0.0.1: "), "{}", stdout(&output));
}

#[tokio::test]
async fn a_copy_of_the_files_is_restored_with_its_log_and_nothing_is_saved_of_nothing() {
    let kept = Kept::new().await;
    // As `cp` of both files would be, while somebody writes.
    let copy = kept.file("copied.db");
    let writer = rusqlite::Connection::open(&kept.database).unwrap();
    writer.execute_batch("PRAGMA wal_autocheckpoint = 0; UPDATE story SET last_seen = 7").unwrap();
    std::fs::copy(&kept.database, &copy).unwrap();
    std::fs::copy(kept.file("watch.db-wal"), kept.file("copied.db-wal")).unwrap();
    drop(writer);
    assert_eq!(kept.json(&["restore", &copy])[0]["stories"], 4);
    let restored = rusqlite::Connection::open(&kept.database).unwrap();
    let seen: i64 =
        restored.query_row("SELECT max(last_seen) FROM story", [], |r| r.get(0)).unwrap();
    assert_eq!(seen, 7, "what was only in the log came along");
    drop(restored);
    for nothing in [Vec::new(), b"hello".to_vec()] {
        let lost = kept.file("lost.db");
        std::fs::write(&lost, nothing).unwrap();
        let output = kept.run(&["recover", "--from", &lost, &kept.file("saved.db")]);
        assert!(!output.status.success(), "{}", stdout(&output));
        assert!(!std::path::Path::new(&kept.file("saved.db")).exists());
    }
}

const ALL_CHILDREN: [&str; 7] =
    ["entry", "story", "match", "alert", "delivery", "attempt", "entry_key"];

#[tokio::test]
async fn a_lost_parent_takes_no_child_along() {
    let root = |table: &str| format!("SELECT rootpage FROM sqlite_schema WHERE name = '{table}'");
    for lost in ["feed", "story", "entry", "match", "alert"] {
        let kept = Kept::new().await;
        let counts = ALL_CHILDREN.map(|table| kept.count(&format!("SELECT count(*) FROM {table}")));
        kept.destroy(&root(lost));
        let saved = kept.file("saved.db");
        let report = kept.recover(&saved, 1);
        let stubs = report[lost]["stubs"].as_i64().unwrap();
        assert!(stubs > 0 && report[lost]["lost"].as_i64().unwrap() >= stubs, "{lost}: {report}");
        kept.json(&["restore", &saved]);
        for (table, count) in ALL_CHILDREN.into_iter().zip(counts) {
            let found = kept.count(&format!("SELECT count(*) FROM {table}"));
            // What has no match now may be news again.
            let keys = table == "entry_key" && lost == "match";
            assert!(keys || found == count, "{lost}, {table}: {found} of {count}");
        }
        assert_eq!(kept.poll().await, 0, "{lost}: told again");
        assert_eq!(kept.count("SELECT count(*) FROM feed WHERE active = 1"), 1, "{lost}");
        assert_eq!(kept.count("SELECT count(*) FROM feed WHERE name LIKE 'lost%'"), 0, "{lost}");
        let mut items = ITEMS.to_vec();
        items.push(("5", "Verdict of Malmo overturned: a marker", "x"));
        kept.world.feeds.serve("/a", "text/xml", rss(&items));
        let told = kept.poll().await;
        assert_eq!(told, 1, "{lost}: what is new is told");
        for command in ["status", "alerts", "stories", "deliveries", "feeds", "export"] {
            let output = kept.run(&[command]);
            assert!(stderr(&output).is_empty(), "{lost}, {command}: {}", stderr(&output));
        }
    }
}

/// The names of feeds are gone with their index, too.
#[tokio::test]
async fn a_feed_without_a_name_keeps_what_it_brought() {
    let kept = Kept::new().await;
    kept.destroy(
        "SELECT rootpage FROM sqlite_schema WHERE name IN ('feed', 'sqlite_autoindex_feed_1')",
    );
    let saved = kept.file("saved.db");
    assert_eq!(kept.recover(&saved, 1)["feed"]["stubs"], 1);
    kept.json(&["restore", &saved]);
    assert_eq!(kept.count("SELECT count(*) FROM feed WHERE name = 'lost-feed-1'"), 1);
    assert_eq!(kept.count("SELECT count(*) FROM delivery WHERE state = 'sent'"), 3);
    assert_eq!(kept.poll().await, 0);
}

#[tokio::test]
async fn what_is_sound_is_recovered_without_losses() {
    let kept = Kept::new().await;
    let report = kept.recover(&kept.file("saved.db"), 0);
    for table in ALL_CHILDREN {
        assert_eq!((&report[table]["lost"], &report[table]["stubs"]), (&0.into(), &0.into()));
    }
}

/// Lets what the feed showed so far be forgotten and packed.
async fn pack(kept: &Kept) {
    kept.world.wait(3 * DAY);
    kept.world.feeds.serve("/a", "text/xml", rss(&[("9", "Nothing of note, again", "x")]));
    kept.poll().await;
    let store = Store::open(&kept.database).unwrap();
    for _ in 0..2 {
        kept.world.wait(33 * DAY);
        for _ in 0..=24 {
            kept.world.wait(DAY / 24);
            while store.sweep(kept.world.clock.now(), DAY, 1_000).await.unwrap() > 0 {}
        }
    }
}

const DAY: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

#[tokio::test]
async fn what_was_packed_is_recovered_around_what_was_lost() {
    for lost in ["segment", "segment_part"] {
        let kept = Kept::new().await;
        kept.poll_many().await;
        pack(&kept).await;
        assert_eq!(kept.count("SELECT entries FROM segment"), 404, "void: {lost}");
        let parts = kept.count("SELECT count(*) FROM segment_part");
        kept.destroy(&format!(
            "SELECT pageno FROM dbstat WHERE name = '{lost}' AND pagetype = 'leaf' LIMIT 1"
        ));
        let saved = kept.file("saved.db");
        kept.recover(&saved, 1);
        kept.json(&["restore", &saved]);
        assert_eq!(kept.count("SELECT count(*) FROM segment"), 1, "{lost}");
        let left = kept.count("SELECT count(*) FROM segment_part");
        assert_eq!(left < parts, lost == "segment_part", "{lost}: {left} of {parts}");
        // Other keys of the same entries may be lost with a page.
        let mut items = ITEMS.to_vec();
        items.push(("5", "Verdict of Malmo overturned: a marker", "x"));
        kept.world.feeds.serve("/a", "text/xml", rss(&items));
        assert_eq!(kept.poll().await, 1, "{lost}: what is new is told, and nothing else");
    }
}

#[tokio::test]
async fn of_a_file_that_was_cut_off_all_that_is_there_is_read() {
    let kept = Kept::new().await;
    kept.poll_many().await;
    kept.destroy("SELECT max(pageno) FROM dbstat");
    let bytes = std::fs::read(&kept.database).unwrap();
    let pages = bytes.len() / 4096;
    for whole in [pages * 2 / 3, pages * 5 / 6] {
        let saved = kept.file(&format!("saved-{whole}.db"));
        std::fs::write(&kept.database, &bytes).unwrap();
        let there = kept.count(&format!(
            "SELECT coalesce(sum(ncell), 0) FROM dbstat WHERE name = 'entry' AND pagetype = 'leaf' \
             AND pageno <= {whole}"
        ));
        let all = kept.count("SELECT count(*) FROM entry");
        assert!(there > 20 && there < all, "void: {there} of {all} entries are there");
        // As if it were cut within a page.
        std::fs::write(&kept.database, &bytes[..whole * 4096 + 1000]).unwrap();
        let rows = kept.recover(&saved, 1)["entry"]["rows"].as_i64().unwrap();
        assert!(rows >= there, "{rows} of {there} that are there, of {all}");
        let now = std::fs::metadata(&kept.database).unwrap().len();
        assert_eq!(now, u64::try_from(whole * 4096 + 1000).unwrap(), "it stays as it is");
    }
}

#[tokio::test]
async fn errors_of_copies_name_the_file_that_is_at_fault() {
    let kept = Kept::new().await;
    let bad = kept.file("bad.db");
    std::fs::write(&bad, b"SQLite format 3\0 but no more").unwrap();
    let missing = kept.file("missing/x.db");
    let (folder, x, db) = (kept.file("missing"), kept.file("x.db"), kept.file("watch.db"));
    let wrong = kept.file("wrong.db");
    let cases: [(&[&str], &str, &str); 6] = [
        (&["recover", &missing], &folder, &db),
        (&["backup", &missing], &folder, &db),
        (&["recover", "--from", &bad, &x], &bad, ".source"),
        (&["recover", "--from", &wrong, &x], &wrong, "x.db"),
        (&["restore", &bad], &bad, ".new"),
        (&["restore", &wrong], &wrong, ".new"),
    ];
    for (arguments, named, not_named) in cases {
        let output = kept.run(arguments);
        let said = stderr(&output);
        assert!(!output.status.success());
        assert!(said.contains(&format!("\"{named}\"")), "{arguments:?}: {said}");
        assert!(!said.contains(not_named), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
    }
    assert!(stderr(&kept.run(&["backup", &missing])).contains("does not exist; make it"));
    // What others hold is not blamed on the target either.
    std::fs::write(&kept.database, b"SQLite format 3\0 but no more").unwrap();
    let said = stderr(&kept.run(&["backup", &x]));
    assert!(said.contains(&format!("\"{db}\"")) && !said.contains(".part"), "{said}");
    assert!(!std::path::Path::new(&kept.file("x.db.part")).exists());
}

#[tokio::test]
async fn the_last_error_is_json_where_the_log_is() {
    let kept = Kept::new().await;
    std::fs::write(&kept.database, b"hello").unwrap();
    let last = |arguments: &[&str]| {
        let output = kept.run(&[&["--log-format", "json"], arguments].concat());
        let said = stderr(&output);
        let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{said}"));
        let records: Vec<Value> = said.lines().map(read).collect();
        (output.status.code(), records.last().unwrap().clone())
    };
    for command in ["run", "once", "status"] {
        let (code, record) = last(&[command]);
        assert_eq!((code, &record["exit_code"]), (Some(65), &65.into()), "{record}");
        assert_eq!(record["level"], "ERROR");
        assert!(record["message"].as_str().unwrap().contains("watch.db"), "{record}");
        assert!(record["timestamp"].as_str().unwrap().ends_with('Z'), "{record}");
    }
    kept.world.write("watch.toml", "[stor]\npath = 1\n[feed.x]\nurl = 3\n");
    for command in ["run", "once"] {
        let (code, record) = last(&[command]);
        assert_eq!((code, &record["exit_code"]), (Some(78), &78.into()), "{record}");
        let problem = &record["problems"][0];
        assert!(problem["file"].as_str().unwrap().ends_with("watch.toml"), "{record}");
        assert!(problem["line"].is_number() && problem["message"].is_string(), "{record}");
    }
}

#[tokio::test]
async fn a_lists_filters_are_heeded_or_refused() {
    let kept = Kept::new().await;
    let store = Store::attach(&kept.database).unwrap();
    let now = kept.world.clock.now();
    // One name for three things.
    let notices = [
        (NoticeKind::Down, "a"),
        (NoticeKind::DeadLetter, "a"),
        (NoticeKind::NoisyRule, "a"),
        (NoticeKind::DeliveryStalled, "hook"),
        (NoticeKind::DiskLow, ""),
    ];
    let notices = notices.map(|(kind, about)| Notice {
        kind,
        feed: FeedName::new(about),
        subject: kind.as_str().to_owned(),
        text: String::new(),
        at: now,
    });
    store.add_notices(notices.into()).await.unwrap();
    let check = |filter: &[&str], expected: &[&str]| {
        let found = kept.json(&[&["notices"], filter].concat());
        let kinds: Vec<&str> = found.iter().map(|one| one["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, expected, "{filter:?}");
    };
    check(&[], &["disk-low", "delivery-stalled", "noisy-rule", "dead-letter", "down"]);
    check(&["--feed", "a"], &["down"]);
    check(&["--channel", "a"], &["dead-letter"]);
    check(&["--channel", "hook", "--since", "1h"], &["delivery-stalled"]);
    check(&["--rule", "a"], &["noisy-rule"]);
    check(&["--rule", "hook"], &[]);
    for (arguments, option) in [
        (["notices", "--state", "failed"].as_slice(), "--state"),
        (&["notices", "--feed", "a", "--channel", "hook"], "--channel"),
        (&["stories", "--state", "failed"], "--state"),
        (&["stories", "--channel", "hook"], "--channel"),
    ] {
        let refused = kept.run(arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&refused).contains(option), "{}", stderr(&refused));
    }
}
