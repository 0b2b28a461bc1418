//! Single damages of a database, as disks, people and programs make them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::daemon::files;
use super::random::Random;

const PAGE: usize = 4096;
/// The header of the first page of a database.
const HEADER: usize = 100;

/// The bytes of a database's files, by what their names add to its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Body(pub(crate) BTreeMap<&'static str, Vec<u8>>);

impl Body {
    pub(crate) fn read(database: &Path) -> Self {
        Self(
            files(database)
                .into_iter()
                .map(|(name, path)| (name, fs::read(path).unwrap()))
                .collect(),
        )
    }

    /// Puts the files into an empty folder.
    pub(crate) fn lay(&self, database: &Path) {
        let folder = database.parent().unwrap();
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).unwrap();
        for (suffix, bytes) in &self.0 {
            let mut path = database.as_os_str().to_owned();
            path.push(suffix);
            fs::write(path, bytes).unwrap();
        }
    }

    /// What must not change when the program refuses; the index of the log and the lock are made
    /// anew by whoever looks.
    pub(crate) fn lasting(&self) -> Vec<(&'static str, &[u8])> {
        ["", "-wal"]
            .into_iter()
            .filter_map(|name| Some((name, self.0.get(name)?.as_slice())))
            .collect()
    }

    fn file(&mut self, name: &'static str) -> &mut Vec<u8> {
        self.0.entry(name).or_default()
    }
}

/// The databases that wounds are made of.
pub(crate) struct Specimens {
    /// Killed with commits in its log.
    pub(crate) grown: Body,
    /// Killed before its log was ever folded into it.
    pub(crate) young: Body,
    /// Another wirewatch's, likewise.
    pub(crate) stranger: Body,
    /// Another application's.
    pub(crate) other: Vec<u8>,
}

/// What was done to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wound {
    FlippedBit,
    FlippedBitInHeader,
    FlippedBitInLog,
    ZeroedPage,
    GarbledPage,
    ShortFile,
    ShortByPages,
    ShortLog,
    ForeignLog,
    NoLog,
    NoLogWhileYoung,
    EmptyLog,
    GarbledIndex,
    WrongMagic,
    WrongMagicWithoutLog,
    OtherApplication,
    OtherApplicationWithLog,
    EmptyFile,
    EmptyFileWithoutLog,
    NoFile,
}

use Wound::{
    EmptyFile, EmptyFileWithoutLog, EmptyLog, FlippedBit, FlippedBitInHeader, FlippedBitInLog,
    ForeignLog, GarbledIndex, GarbledPage, NoFile, NoLog, NoLogWhileYoung, OtherApplication,
    OtherApplicationWithLog, ShortByPages, ShortFile, ShortLog, WrongMagic, WrongMagicWithoutLog,
    ZeroedPage,
};

/// Each once, before chance has its say.
const ALL: [Wound; 20] = [
    EmptyFile,
    EmptyFileWithoutLog,
    NoFile,
    NoLog,
    NoLogWhileYoung,
    EmptyLog,
    ForeignLog,
    ShortLog,
    FlippedBitInLog,
    GarbledIndex,
    WrongMagic,
    WrongMagicWithoutLog,
    OtherApplication,
    OtherApplicationWithLog,
    ShortFile,
    ShortByPages,
    FlippedBitInHeader,
    ZeroedPage,
    GarbledPage,
    FlippedBit,
];
/// Where it matters which page or byte is hit.
const BY_CHANCE: [Wound; 10] = [
    FlippedBit,
    FlippedBit,
    FlippedBitInHeader,
    FlippedBitInLog,
    ZeroedPage,
    ZeroedPage,
    GarbledPage,
    ShortFile,
    ShortByPages,
    ShortLog,
];

impl Wound {
    /// The kind of the wound of that number, from 0.
    pub(crate) fn choose(number: usize, random: &mut Random) -> Self {
        ALL.get(number).copied().unwrap_or_else(|| BY_CHANCE[below(random, BY_CHANCE.len())])
    }

    /// Whether no program can take this for a database of its own. A wrong first page is none of
    /// these while the log has a right one.
    pub(crate) fn is_plain(self) -> bool {
        matches!(
            self,
            WrongMagicWithoutLog
                | OtherApplication
                | OtherApplicationWithLog
                | EmptyFile
                | EmptyFileWithoutLog
                | NoFile
        )
    }

    /// Whether what is left is a sound database by all that can be read of it,
    /// only not the one that was there: a log that is gone, or another's that
    /// fits. Then its backlog may be told again, under the old ids.
    pub(crate) fn is_another_life(self) -> bool {
        matches!(self, ForeignLog | NoLogWhileYoung)
    }

    /// A wounded copy.
    pub(crate) fn inflict(self, of: &Specimens, random: &mut Random) -> Body {
        let mut body = if self == NoLogWhileYoung { &of.young } else { &of.grown }.clone();
        match self {
            FlippedBit => flip(body.file(""), random),
            FlippedBitInHeader => flip(&mut body.file("")[..HEADER], random),
            FlippedBitInLog => flip(body.file("-wal"), random),
            ZeroedPage => page(body.file(""), random).fill(0),
            GarbledPage => garble(page(body.file(""), random), random),
            GarbledIndex => garble(body.file("-shm"), random),
            ShortFile => shorten(body.file(""), 1, random),
            ShortByPages => shorten(body.file(""), PAGE, random),
            ShortLog => shorten(body.file("-wal"), 1, random),
            ForeignLog => *body.file("-wal") = of.stranger.0["-wal"].clone(),
            NoLog | NoLogWhileYoung => drop(body.0.remove("-wal")),
            EmptyLog => body.file("-wal").clear(),
            WrongMagic => spoil_magic(body.file("")),
            WrongMagicWithoutLog => spoil_magic(without_log(&mut body).file("")),
            OtherApplication => *without_log(&mut body).file("") = of.other.clone(),
            OtherApplicationWithLog => *body.file("") = of.other.clone(),
            EmptyFile => body.file("").clear(),
            EmptyFileWithoutLog => without_log(&mut body).file("").clear(),
            NoFile => drop(body.0.remove("")),
        }
        body
    }
}

fn spoil_magic(bytes: &mut [u8]) {
    bytes[..16].copy_from_slice(b"SQLite format 4\0");
}

fn without_log(body: &mut Body) -> &mut Body {
    body.0.remove("-wal");
    body.0.remove("-shm");
    body
}

fn flip(bytes: &mut [u8], random: &mut Random) {
    let at = below(random, bytes.len());
    bytes[at] ^= 1 << random.below(8);
}

fn page<'a>(bytes: &'a mut [u8], random: &mut Random) -> &'a mut [u8] {
    let number = below(random, bytes.len() / PAGE);
    &mut bytes[number * PAGE..(number + 1) * PAGE]
}

fn garble(bytes: &mut [u8], random: &mut Random) {
    bytes.fill_with(|| random.below(256) as u8);
}

/// Cuts a file to a shorter length, which is not nothing.
fn shorten(bytes: &mut Vec<u8>, unit: usize, random: &mut Random) {
    let units = bytes.len().div_ceil(unit);
    bytes.truncate((1 + below(random, units - 1)) * unit);
}

fn below(random: &mut Random, end: usize) -> usize {
    usize::try_from(random.below(end as u64)).unwrap()
}

/// A database that some other application keeps.
pub(crate) fn other_application() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bookmarks.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "PRAGMA application_id = 77; PRAGMA user_version = 3;
         CREATE TABLE bookmark (url TEXT); INSERT INTO bookmark VALUES ('https://example.org');",
    )
    .unwrap();
    db.close().unwrap();
    fs::read(path).unwrap()
}
