//! Alerts appended to a file as lines of JSON. The file is opened for every
//! line, so that one which was moved away is begun anew.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::body::Bodies;
use super::probe;
use crate::deliver::{BuildError, Channel, try_again};
use crate::model::{Delivery, Manners, Outcome, RetryPolicy};

/// What a file channel is built from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileOptions {
    /// The file.
    pub path: PathBuf,
}

/// Appends to one file.
pub struct JsonLines {
    path: PathBuf,
    bodies: Bodies,
}

impl fmt::Debug for JsonLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLines").field("path", &self.path).finish_non_exhaustive()
    }
}

impl JsonLines {
    /// Nothing is opened yet.
    ///
    /// # Errors
    ///
    /// Never, so far.
    pub fn new(options: &FileOptions) -> Result<Self, BuildError> {
        Ok(Self { path: options.path.clone(), bodies: Bodies::new(None)? })
    }

    async fn write(&self, delivery: &Delivery) -> Outcome {
        let line = match self.bodies.line(delivery) {
            Ok(line) => line + "\n",
            Err(error) => return try_again(format!("template: {error}")),
        };
        let path = self.path.clone();
        // A disk may be slow, or a network share.
        let written = tokio::task::spawn_blocking(move || append(&path, &line)).await;
        match written {
            Ok(Ok(())) => Outcome::Sent("written".to_owned()),
            Ok(Err(error)) => try_again(format!("cannot write: {error}")),
            Err(_) => try_again("cannot write: stopping"),
        }
    }
}

/// Adds a line and waits until the disk has it.
fn append(path: &Path, line: &str) -> io::Result<()> {
    let is_new = !path.exists();
    let mut file =
        OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    // A crash may have cut the last line short: it shall not spoil this one.
    let text = if ends_a_line(&mut file)? { line.to_owned() } else { format!("\n{line}") };
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    if is_new { sync_folder(path) } else { Ok(()) }
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    // A pipe or device has no end to look at.
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Waits until the disk has the name of a file that is new in its folder.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

impl Channel for JsonLines {
    fn kind(&self) -> &'static str {
        "file"
    }

    fn recipients(&self) -> Vec<String> {
        vec![String::new()]
    }

    fn manners(&self) -> Manners {
        Manners::in_order(RetryPolicy::Webhook)
    }

    fn probe(&self) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async { probe::file(&self.path) })
    }

    fn send<'a>(&'a self, delivery: &'a Delivery, _now: Timestamp) -> BoxFuture<'a, Outcome> {
        Box::pin(self.write(delivery))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::tests::delivery;
    use std::os::unix::fs::PermissionsExt;

    #[tokio::test]
    async fn each_delivery_is_a_line_of_its_own_whatever_became_of_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("alerts.jsonl");
        let channel = JsonLines::new(&FileOptions { path: path.clone() }).unwrap();
        let write = async || {
            let outcome = channel.send(&delivery(""), Timestamp::UNIX_EPOCH).await;
            assert_eq!(outcome, Outcome::Sent("written".to_owned()));
        };
        let ids = |path: &Path| -> Vec<String> {
            let text = std::fs::read_to_string(path).unwrap();
            assert!(text.ends_with('\n'));
            let id = |line| {
                let line: Option<serde_json::Value> = serde_json::from_str(line).ok();
                line.map_or_else(|| "?".to_owned(), |line| line["id"].as_str().unwrap().to_owned())
            };
            text.lines().map(id).collect()
        };
        write().await;
        write().await;
        let id = delivery("").id.to_string();
        assert_eq!(ids(&path), [id.as_str(), &id]);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::rename(&path, dir.path().join("alerts.jsonl.1")).unwrap();
        write().await;
        assert_eq!(ids(&path), [id.as_str()]);
        // As a power cut would leave it.
        std::fs::write(&path, "{\"id\":\"d7").unwrap();
        write().await;
        assert_eq!(ids(&path), ["?", &id]);
    }

    #[tokio::test]
    async fn a_folder_that_is_missing_is_waited_for() {
        let channel = JsonLines::new(&FileOptions { path: "/no/such/folder/a".into() }).unwrap();
        let outcome = channel.send(&delivery(""), Timestamp::UNIX_EPOCH).await;
        assert!(matches!(outcome, Outcome::TryAgain { .. }), "{outcome:?}");
    }
}
