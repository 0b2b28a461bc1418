//! Pairs of a key and a number on one sheet, in order. At hand is only the key
//! that each page begins with.

use std::io;
use std::ops::Range;

use super::paper::{Paper, Sheet};

/// Pairs on a page.
const PAGE: usize = 256;
/// Bytes of a pair.
const PAIR: usize = 12;
/// Pages written or read at once where all are.
const AT_ONCE: usize = 4;

/// A key and one of its numbers.
pub(super) type Pair = (u64, u32);

/// Pairs in the order of their keys; those of one key in the order in which
/// they came.
#[derive(Debug)]
pub(super) struct Run {
    sheet: Box<dyn Sheet>,
    pairs: usize,
    /// The first key of each page.
    pages: Vec<u64>,
    /// When it was last looked through for what is not needed any more.
    pub(super) sifted: i64,
}

impl Run {
    pub(super) fn len(&self) -> usize {
        self.pairs
    }

    /// The pages that have numbers of a key.
    fn pages_of(&self, key: u64) -> Range<usize> {
        let first = self.pages.partition_point(|begin| *begin < key).saturating_sub(1);
        first..self.pages.partition_point(|begin| *begin <= key)
    }

    /// Shows the numbers of a key, the newest first or last, until enough are
    /// seen. Says whether there may be more to see.
    pub(super) fn visit(
        &self,
        key: u64,
        newest_first: bool,
        see: &mut impl FnMut(u32) -> io::Result<bool>,
    ) -> io::Result<bool> {
        let pages = self.pages_of(key);
        let count = pages.len();
        for n in 0..count {
            let page = if newest_first { pages.end - 1 - n } else { pages.start + n };
            let pairs = self.read(page..page + 1)?;
            let from = pairs.partition_point(|(other, _)| *other < key);
            let to = pairs.partition_point(|(other, _)| *other <= key);
            let found = pairs.get(from..to).unwrap_or_default();
            for n in 0..found.len() {
                let at = if newest_first { found.len() - 1 - n } else { n };
                if let Some((_, number)) = found.get(at)
                    && !see(*number)?
                {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn read(&self, pages: Range<usize>) -> io::Result<Vec<Pair>> {
        let end = self.pairs.min(pages.end * PAGE);
        let mut bytes = vec![0; end.saturating_sub(pages.start * PAGE) * PAIR];
        if bytes.is_empty() {
            return Ok(Vec::new());
        }
        self.sheet.read((pages.start * PAGE * PAIR) as u64, &mut bytes)?;
        let pair = |bytes: &[u8]| {
            let (key, number) = bytes.split_first_chunk()?;
            Some((u64::from_le_bytes(*key), u32::from_le_bytes(number.try_into().ok()?)))
        };
        Ok(bytes.chunks_exact(PAIR).filter_map(pair).collect())
    }
}

/// Reads a run from its beginning.
pub(super) struct Reader<'a> {
    run: &'a Run,
    page: usize,
    pairs: std::vec::IntoIter<Pair>,
    next: Option<Pair>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(run: &'a Run) -> io::Result<Self> {
        let mut reader = Self { run, page: 0, pairs: Vec::new().into_iter(), next: None };
        reader.advance()?;
        Ok(reader)
    }

    /// The pair that comes next.
    pub(super) fn next(&self) -> Option<Pair> {
        self.next
    }

    pub(super) fn advance(&mut self) -> io::Result<()> {
        if self.pairs.as_slice().is_empty() {
            let pages = self.page..self.run.pages.len().min(self.page + AT_ONCE);
            self.page = pages.end;
            self.pairs = self.run.read(pages)?.into_iter();
        }
        self.next = self.pairs.next();
        Ok(())
    }
}

/// Writes a run, pair by pair.
pub(super) struct Writer {
    run: Run,
    bytes: Vec<u8>,
    written: u64,
}

impl Writer {
    pub(super) fn new(paper: &dyn Paper, now: i64) -> io::Result<Self> {
        let run = Run { sheet: paper.sheet()?, pairs: 0, pages: Vec::new(), sifted: now };
        Ok(Self { run, bytes: Vec::with_capacity(AT_ONCE * PAGE * PAIR), written: 0 })
    }

    /// Writes a pair whose key is not below that of the last one.
    pub(super) fn write(&mut self, (key, number): Pair) -> io::Result<()> {
        if self.run.pairs.is_multiple_of(PAGE) {
            self.run.pages.push(key);
            if self.bytes.len() >= AT_ONCE * PAGE * PAIR {
                self.write_out()?;
            }
        }
        self.bytes.extend(key.to_le_bytes());
        self.bytes.extend(number.to_le_bytes());
        self.run.pairs += 1;
        Ok(())
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.run.sheet.write(self.written, &self.bytes)?;
        self.written += self.bytes.len() as u64;
        self.bytes.clear();
        Ok(())
    }

    pub(super) fn end(mut self) -> io::Result<Run> {
        self.write_out()?;
        self.run.pages.shrink_to_fit();
        Ok(self.run)
    }
}
