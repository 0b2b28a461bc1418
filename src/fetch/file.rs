//! Documents from the file system.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::{Body, FetchError, Fetched, hash};
use crate::model::{Document, ServerHints};

/// Reads a whole regular file of at most `max` bytes.
pub(super) async fn read(path: &str, max: u64) -> Result<Fetched, FetchError> {
    let path = PathBuf::from(path);
    let reading = tokio::task::spawn_blocking(move || read_now(&path, max));
    reading.await.map_err(|_| FetchError::Failed("reading the file was interrupted".to_string()))?
}

fn read_now(path: &Path, max: u64) -> Result<Fetched, FetchError> {
    let failed = |reason: &dyn std::fmt::Display| {
        FetchError::Failed(format!("cannot read \"{}\": {reason}", path.display()))
    };
    // A pipe or device could block for ever or never end.
    let metadata = std::fs::metadata(path).map_err(|error| failed(&error))?;
    if !metadata.is_file() {
        return Err(failed(&"not a regular file"));
    }
    let file = std::fs::File::open(path).map_err(|error| failed(&error))?;
    let mut bytes = Vec::new();
    file.take(max + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    if bytes.len() as u64 > max {
        return Err(failed(&format!("larger than {max} bytes")));
    }
    let hash = hash(&bytes);
    let document = Document { bytes, content_type: None, base_url: None };
    Ok(Fetched {
        body: Body::Document { document, hash, partial: false },
        validators: None,
        hints: ServerHints::default(),
        moved_to: None,
        place: None,
    })
}
