//! Stories and texts as they are written down.

use std::io;
use std::sync::Arc;

use super::growing::{Carried, Story, Told};
use super::sketch::Sketch;
use super::texts::Text;
use crate::model::{EntryId, StoryId};

/// In place of the number of an earlier telling with the same terms.
const OWN: u8 = u8::MAX;

/// What is read was not written by us.
fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a record of a story is damaged")
}

/// How much of a story is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All but its last tellings.
    Whole,
    /// Those, too.
    WithRecent,
}

pub(super) fn write_story(story: &Story) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + 8 * story.weight());
    out.extend(story.first.0.to_le_bytes());
    out.extend(story.begun.to_le_bytes());
    out.extend(story.last.to_le_bytes());
    out.extend(story.tellings.to_le_bytes());
    write_id(&mut out, &story.id);
    out.extend((story.hosts.len() as u32).to_le_bytes());
    for (host, times) in &story.hosts {
        out.extend(host.to_le_bytes());
        out.extend(times.to_le_bytes());
    }
    write_terms(&mut out, &story.terms);
    out.push(story.recent.len() as u8);
    for (at, told) in story.recent.iter().enumerate() {
        out.extend(told.host.to_le_bytes());
        let earlier = story.recent.iter().take(at);
        match earlier.enumerate().find(|(_, other)| Arc::ptr_eq(&other.terms, &told.terms)) {
            Some((same, _)) => out.push(same as u8),
            None => {
                out.push(OWN);
                write_terms(&mut out, &told.terms);
            }
        }
    }
    out
}

pub(super) fn read_story(bytes: &[u8], part: Part) -> io::Result<Story> {
    let mut read = Bytes(bytes);
    let first = EntryId(read.i64()?);
    let (begun, last) = (read.i64()?, read.i64()?);
    let tellings = read.u32()?;
    let id = read.id()?;
    let hosts = (0..read.u32()?).map(|_| Ok((read.u32()?, read.u32()?)));
    let hosts = hosts.collect::<io::Result<_>>()?;
    let terms = read.terms()?;
    let mut story = Story { id, first, begun, last, tellings, hosts, terms, recent: Vec::new() };
    if part == Part::WithRecent {
        for _ in 0..read.byte()? {
            let host = read.u32()?;
            let terms = match read.byte()? {
                OWN => read.terms()?.into(),
                same => {
                    let same: Option<&Told> = story.recent.get(usize::from(same));
                    Arc::clone(&same.ok_or_else(damaged)?.terms)
                }
            };
            story.recent.push(Told { host, terms });
        }
    }
    Ok(story)
}

pub(super) fn write_text(text: &Text) -> Vec<u8> {
    let mut out = Vec::with_capacity(192);
    out.extend(text.entry.0.to_le_bytes());
    out.extend(text.story.to_le_bytes());
    out.extend(text.host.to_le_bytes());
    write_id(&mut out, &text.id);
    text.sketch.write(&mut out);
    out
}

pub(super) fn read_text(bytes: &[u8]) -> io::Result<Text> {
    let mut read = Bytes(bytes);
    let entry = EntryId(read.i64()?);
    let (story, host) = (read.u32()?, read.u32()?);
    let id = read.id()?;
    let (sketch, _) = Sketch::read(read.0).ok_or_else(damaged)?;
    Ok(Text { entry, story, host, id, sketch })
}

fn write_id(out: &mut Vec<u8>, id: &StoryId) {
    out.extend((id.as_str().len() as u32).to_le_bytes());
    out.extend(id.as_str().as_bytes());
}

fn write_terms(out: &mut Vec<u8>, terms: &[Carried]) {
    out.extend((terms.len() as u32).to_le_bytes());
    out.extend(terms.iter().flat_map(|term| term.to_bytes()));
}

/// What is left to be read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk().ok_or_else(damaged)?;
        self.0 = rest;
        Ok(*array)
    }

    fn slice(&mut self, length: usize) -> io::Result<&'a [u8]> {
        let (slice, rest) = self.0.split_at_checked(length).ok_or_else(damaged)?;
        self.0 = rest;
        Ok(slice)
    }

    fn byte(&mut self) -> io::Result<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> io::Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn i64(&mut self) -> io::Result<i64> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    fn id(&mut self) -> io::Result<StoryId> {
        let length = self.u32()? as usize;
        let id = std::str::from_utf8(self.slice(length)?).map_err(|_| damaged())?;
        Ok(StoryId::new(id))
    }

    fn terms(&mut self) -> io::Result<Vec<Carried>> {
        let count = self.u32()? as usize;
        let bytes = self.slice(count.saturating_mul(8))?;
        Ok(bytes
            .chunks_exact(8)
            .filter_map(<[u8]>::first_chunk)
            .map(|chunk| Carried::from_bytes(*chunk))
            .collect())
    }
}
