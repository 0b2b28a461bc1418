//! OPML 1 and 2: lists of feeds that readers exchange. Pure.
//!
//! Reading is lenient, for such files are written by hand and by old programs,
//! and safe, for they come from strangers: no DTD, no entities of the file's
//! own, and every size has a bound.

mod read;
mod write;

pub use read::read;
pub use write::write;

/// Folders kept of a feed's path.
pub const MAX_DEPTH: usize = 64;
/// Characters kept of a title or the name of a folder.
pub const MAX_TITLE: usize = 300;
/// Bytes of the longest URL that is taken.
pub const MAX_URL: usize = 4_096;
/// Tags kept of a feed.
pub const MAX_TAGS: usize = 32;
/// Complaints kept; further ones are only counted.
pub const MAX_COMPLAINTS: usize = 1_000;

/// A feed of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// `xmlUrl` as stated, white space taken off.
    pub url: String,
    /// `title`, or else `text`.
    pub title: Option<String>,
    /// Folders it stands in, outermost first, divided by slashes; the first is
    /// where it stands, further ones come from categories with slashes.
    pub groups: Vec<String>,
    /// Categories without slashes.
    pub tags: Vec<String>,
    /// Line of the file, from 1.
    pub line: u64,
}

/// An outline that gives no feed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Line of the file, from 1.
    pub line: u64,
    /// For people.
    pub reason: &'static str,
}

/// What a file lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opml {
    /// The feeds in the order of the file, as many as were asked for.
    pub feeds: Vec<Outline>,
    /// How many feeds there are, also beyond what was asked for.
    pub total: usize,
    /// Outlines that could not be used.
    pub complaints: Vec<Complaint>,
    /// How many those are.
    pub bad: usize,
}

/// Why a file gives nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpmlError {
    /// Neither `<opml>` nor `<outline>` is in it.
    #[error("this is no OPML: there is no <outline> in it")]
    NotOpml,
}

#[cfg(test)]
mod tests;
