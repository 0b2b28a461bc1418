//! Alerts as an Atom file that feed readers and web servers take. The file is
//! all the state there is: entries stand on lines of their own, and are kept
//! when a new one comes.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::chat::{Telling, html};
use super::file::sync_folder;
use super::probe;
use crate::deliver::message::Message;
use crate::deliver::text::one_line;
use crate::deliver::{BuildError, Channel, try_again};
use crate::model::{Delivery, Manners, Outcome, RetryPolicy};

const MAX_TITLE: usize = 300;
const MAX_CONTENT: usize = 20_000;
/// A file larger than this is not ours: a thousand of the largest entries.
const MAX_FILE: u64 = 100 << 20;
/// The file's second line, by which we know it.
const MARK: &str = "<!-- written by wirewatch; do not edit -->";

/// What a feed channel is built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedOptions {
    /// The file.
    pub path: PathBuf,
    /// The feed's title.
    pub title: Option<String>,
    /// Entries kept, at most.
    pub entries: usize,
}

impl Default for FeedOptions {
    fn default() -> Self {
        Self { path: PathBuf::new(), title: None, entries: 100 }
    }
}

/// Keeps one file.
pub struct AtomFile {
    options: FeedOptions,
}

impl fmt::Debug for AtomFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AtomFile").field("path", &self.options.path).finish_non_exhaustive()
    }
}

/// Why a file was not written.
enum Failure {
    Io(io::Error),
    NotOurs,
}

impl AtomFile {
    /// Nothing is written yet.
    ///
    /// # Errors
    ///
    /// When no entry may be kept.
    pub fn new(options: &FeedOptions) -> Result<Self, BuildError> {
        if options.entries == 0 {
            return Err(BuildError::Unsafe("a feed has at least one entry"));
        }
        Ok(Self { options: options.clone() })
    }

    async fn write(&self, delivery: &Delivery, now: Timestamp) -> Outcome {
        let (id, entry) = entry(delivery);
        let options = self.options.clone();
        let title = options.title.clone().unwrap_or_else(|| format!("{}", delivery.channel));
        let head = Head { title, name: delivery.channel.to_string(), now };
        // A disk may be slow, or a network share.
        let written =
            tokio::task::spawn_blocking(move || update(&options, &head, (&id, &entry))).await;
        match written {
            Ok(Ok(())) => Outcome::Sent("written".to_owned()),
            Ok(Err(Failure::Io(error))) => try_again(format!("cannot write: {error}")),
            Ok(Err(Failure::NotOurs)) => try_again("the file is not one of ours"),
            Err(_) => try_again("cannot write: stopping"),
        }
    }
}

struct Head {
    title: String,
    name: String,
    now: Timestamp,
}

/// Puts an entry first, in place of one with the same id, and replaces the
/// file as a whole.
fn update(options: &FeedOptions, head: &Head, (id, entry): (&str, &str)) -> Result<(), Failure> {
    let old = read(&options.path)?;
    let same = format!("<id>{id}</id>");
    let others = old.lines().filter(|line| line.starts_with("<entry>") && !line.contains(&same));
    let lines: Vec<&str> = std::iter::once(entry).chain(others).take(options.entries).collect();
    let feed = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{MARK}\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\">\n<id>urn:wirewatch:feed:{name}</id>\n\
         <title>{title}</title>\n<updated>{updated}</updated>\n\
         <author><name>wirewatch</name></author>\n<generator>wirewatch</generator>\n\
         {entries}\n</feed>\n",
        name = xml(&head.name),
        title = xml(&head.title),
        updated = head.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        entries = lines.join("\n"),
    );
    replace(&options.path, &feed).map_err(Failure::Io)
}

/// The file as it is; nothing if there is none.
fn read(path: &Path) -> Result<String, Failure> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.len() > MAX_FILE => return Err(Failure::NotOurs),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(Failure::Io(error)),
    }
    let bytes = std::fs::read(path).map_err(Failure::Io)?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::NotOurs)?;
    let is_ours = text.is_empty() || text.lines().nth(1) == Some(MARK);
    if is_ours { Ok(text) } else { Err(Failure::NotOurs) }
}

/// Readers see the old file or the new one, never a part.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let mut file = File::create(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    sync_folder(path)
}

/// The entry on one line, and its id: the alert's, and the update's if it is
/// one, so that a repeat takes its place.
fn entry(delivery: &Delivery) -> (String, String) {
    let message = Message::of(&delivery.content);
    let telling = Telling::of(&message, &delivery.id, false);
    let update = message.update.as_ref().map(|update| format!(":{}", update.id));
    let id = xml(&format!("urn:wirewatch:{}{}", message.alert, update.unwrap_or_default()));
    let prefix = message
        .update
        .as_ref()
        .map_or(String::new(), |update| format!("Update: {}: ", update.text));
    let title = one_line(&format!("{prefix}{}", message.title.text()), MAX_TITLE);
    let link = message
        .url
        .as_ref()
        .map_or(String::new(), |url| format!("<link rel=\"alternate\" href=\"{}\"/>", xml(url)));
    let entry = format!(
        "<entry><id>{id}</id><title>{}</title>{link}<updated>{}</updated>\
         <category term=\"{}\" label=\"{}\"/><content type=\"html\">{}</content></entry>",
        xml(&title),
        message.time(),
        xml(&message.rule),
        xml(&message.rule_title),
        xml(&html(telling.paragraphs(), MAX_CONTENT)),
    );
    (id, entry)
}

/// A text within XML 1.0, which has no place for some characters.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

impl Channel for AtomFile {
    fn kind(&self) -> &'static str {
        "feed"
    }

    fn recipients(&self) -> Vec<String> {
        vec![String::new()]
    }

    fn manners(&self) -> Manners {
        Manners::in_order(RetryPolicy::Webhook)
    }

    fn probe(&self) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async { probe::file(&self.options.path) })
    }

    fn send<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> BoxFuture<'a, Outcome> {
        Box::pin(self.write(delivery, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::tests::{alert, delivery};
    use crate::model::AlertId;

    async fn write(path: &Path, alert_id: usize, title: &str) -> Outcome {
        let options = FeedOptions { path: path.to_owned(), entries: 3, ..Default::default() };
        let mut delivery = delivery("");
        let content = alert(&mut delivery);
        content.alert = AlertId::new(format!("a{alert_id}"));
        content.title = title.to_owned();
        AtomFile::new(&options).unwrap().send(&delivery, Timestamp::UNIX_EPOCH).await
    }

    fn entries(path: &Path) -> Vec<(String, String)> {
        let bytes = std::fs::read(path).unwrap();
        let feed = feed_rs::parser::parse(bytes.as_slice()).unwrap();
        let entry = |entry: feed_rs::model::Entry| (entry.id, entry.title.unwrap().content);
        feed.entries.into_iter().map(entry).collect()
    }

    #[tokio::test]
    async fn the_newest_entries_are_kept_and_a_repeat_takes_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("alerts.xml");
        for number in 1..=4 {
            let title = format!("News <{number}> & \"more\" ]]> \u{1}\u{ffff}");
            assert_eq!(write(&path, number, &title).await, Outcome::Sent("written".to_owned()));
        }
        write(&path, 3, "Again").await;
        let found = entries(&path);
        let ids: Vec<&str> = found.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ids, ["urn:wirewatch:a3", "urn:wirewatch:a4", "urn:wirewatch:a2"]);
        assert_eq!(found[0].1, "Again");
        assert_eq!(found[1].1, "News <4> & \"more\" ]]> \u{fffd}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_file_of_somebody_elses_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.txt");
        std::fs::write(&path, "dear diary\n").unwrap();
        assert_eq!(write(&path, 1, "News").await, try_again("the file is not one of ours"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "dear diary\n");
    }
}
