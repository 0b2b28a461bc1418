//! Records by number, on paper: at hand is only where each of them stands.

use std::collections::VecDeque;
use std::io;
use std::num::NonZeroU32;
use std::sync::Arc;

use super::paper::{Paper, Sheet};

/// Bytes after which another sheet is begun. A sheet goes when nothing on it
/// is valid any more.
const SHEET: u32 = 64 << 20;
/// Bytes read at first: most records are shorter.
const GLANCE: usize = 1_024;
/// Numbers on a page of places.
const PAGE: usize = 256;
/// Records begin at multiples of so many bytes, so that a place is short.
const UNIT: u32 = 16;
/// Bits that say where on its sheet a record begins, in these units.
const PLACE_BITS: u32 = (SHEET / UNIT).trailing_zeros();
/// So many sheets there may be, 64 GiB; their numbers go round.
const SHEETS: u32 = (1 << (32 - PLACE_BITS)) - 1;

/// Records by number, in the order in which they were put there.
#[derive(Debug)]
pub(super) struct Shelf {
    paper: Arc<dyn Paper>,
    sheets: VecDeque<Filled>,
    /// The number of the first of them.
    first: u32,
    places: Places,
    next: u32,
    sheet_bytes: u32,
}

#[derive(Debug)]
struct Filled {
    sheet: Box<dyn Sheet>,
    bytes: u32,
    /// Records on it that are valid.
    valid: u32,
}

/// Where a record stands: one more than its sheet's number, and where there.
/// There is one for each story and text, so it is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place(NonZeroU32);

impl Place {
    fn new(sheet: u32, at: u32) -> Option<Self> {
        NonZeroU32::new(((sheet + 1) << PLACE_BITS) | (at / UNIT)).map(Self)
    }

    fn sheet(self) -> u32 {
        (self.0.get() >> PLACE_BITS) - 1
    }

    /// In bytes.
    fn at(self) -> u32 {
        (self.0.get() & ((1 << PLACE_BITS) - 1)) * UNIT
    }
}

impl Shelf {
    pub(super) fn new(paper: Arc<dyn Paper>) -> Self {
        Self {
            paper,
            sheets: VecDeque::new(),
            first: 0,
            places: Places::default(),
            next: 0,
            sheet_bytes: SHEET,
        }
    }

    /// The number that the next record gets.
    pub(super) fn next(&self) -> u32 {
        self.next
    }

    /// Puts one more record there and gives its number.
    pub(super) fn push(&mut self, record: &[u8]) -> io::Result<u32> {
        let place = self.write(record)?;
        let number = self.next;
        self.next += 1;
        self.places.set(number, Some(place));
        Ok(number)
    }

    /// Puts another record in the place of one.
    pub(super) fn replace(&mut self, number: u32, record: &[u8]) -> io::Result<()> {
        let place = self.write(record)?;
        let before = self.places.set(number, Some(place));
        self.leave(before);
        Ok(())
    }

    pub(super) fn has(&self, number: u32) -> bool {
        self.places.get(number).is_some()
    }

    /// The record of a number, if it is there still.
    pub(super) fn get(&self, number: u32) -> io::Result<Option<Vec<u8>>> {
        let Some(place) = self.places.get(number) else { return Ok(None) };
        let filled = self.sheets.get(self.sheet(place)).ok_or(io::ErrorKind::NotFound)?;
        let at = place.at();
        let mut bytes = vec![0; GLANCE.min(filled.bytes.saturating_sub(at) as usize)];
        filled.sheet.read(at.into(), &mut bytes)?;
        let (length, record) = bytes.split_first_chunk().ok_or(io::ErrorKind::InvalidData)?;
        let (length, seen) = (u32::from_le_bytes(*length) as usize, record.len());
        let mut record = record.to_vec();
        // What follows is of the next one, or fills up.
        record.resize(length, 0);
        if let Some(rest) = record.get_mut(seen..).filter(|rest| !rest.is_empty()) {
            filled.sheet.read(u64::from(at) + 4 + seen as u64, rest)?;
        }
        Ok(Some(record))
    }

    /// Takes a record away.
    pub(super) fn remove(&mut self, number: u32) {
        let before = self.places.set(number, None);
        self.leave(before);
    }

    fn write(&mut self, record: &[u8]) -> io::Result<Place> {
        if self.sheets.back().is_none_or(|last| last.bytes >= self.sheet_bytes) {
            if self.sheets.len() >= SHEETS as usize {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let sheet = self.paper.sheet()?;
            self.sheets.push_back(Filled { sheet, bytes: 0, valid: 0 });
            self.drop_sheets();
        }
        let sheet = (self.first + self.sheets.len() as u32 - 1) % SHEETS;
        let last = self.sheets.back_mut().ok_or(io::ErrorKind::NotFound)?;
        let length = (4 + record.len()).next_multiple_of(UNIT as usize);
        let mut bytes = Vec::with_capacity(length);
        bytes.extend((record.len() as u32).to_le_bytes());
        bytes.extend(record);
        bytes.resize(length, 0);
        last.sheet.write(last.bytes.into(), &bytes)?;
        let place = Place::new(sheet, last.bytes).ok_or(io::ErrorKind::StorageFull)?;
        last.bytes += length as u32;
        last.valid += 1;
        Ok(place)
    }

    fn leave(&mut self, place: Option<Place>) {
        let Some(sheet) = place.map(|place| self.sheet(place)) else { return };
        if let Some(filled) = self.sheets.get_mut(sheet) {
            filled.valid -= 1;
        }
        self.drop_sheets();
    }

    fn sheet(&self, place: Place) -> usize {
        ((place.sheet() + SHEETS - self.first) % SHEETS) as usize
    }

    /// Drops the oldest sheets while nothing on them is valid, but not the last.
    fn drop_sheets(&mut self) {
        while self.sheets.len() > 1 && self.sheets.front().is_some_and(|first| first.valid == 0) {
            self.sheets.pop_front();
            self.first = (self.first + 1) % SHEETS;
        }
    }
}

/// Places by number. A page without any takes no room.
#[derive(Debug, Default)]
struct Places {
    first: u32,
    pages: VecDeque<Option<Box<Page>>>,
}

#[derive(Debug)]
struct Page {
    places: [Option<Place>; PAGE],
    taken: usize,
}

impl Places {
    fn page(&self, number: u32) -> Option<usize> {
        (number / PAGE as u32).checked_sub(self.first).map(|page| page as usize)
    }

    fn get(&self, number: u32) -> Option<Place> {
        let page = self.pages.get(self.page(number)?)?.as_ref()?;
        *page.places.get(number as usize % PAGE)?
    }

    /// Sets a place, and gives what it was before.
    fn set(&mut self, number: u32, place: Option<Place>) -> Option<Place> {
        let at = self.page(number)?;
        if place.is_some() && at >= self.pages.len() {
            self.pages.resize_with(at + 1, || None);
        }
        let slot = self.pages.get_mut(at)?;
        if place.is_some() && slot.is_none() {
            *slot = Some(Box::new(Page { places: [None; PAGE], taken: 0 }));
        }
        let page = slot.as_mut()?;
        let before = std::mem::replace(page.places.get_mut(number as usize % PAGE)?, place);
        page.taken += usize::from(place.is_some());
        page.taken -= usize::from(before.is_some());
        if page.taken == 0 {
            *slot = None;
            self.close_up();
        }
        before
    }

    /// Drops what is empty at the beginning, but not the page that is filled.
    fn close_up(&mut self) {
        while self.pages.len() > 1 && self.pages.front().is_some_and(Option::is_none) {
            self.pages.pop_front();
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::paper::MemoryPaper;
    use super::*;

    #[test]
    fn records_keep_their_number_while_older_ones_go() {
        let mut shelf = Shelf::new(Arc::new(MemoryPaper));
        let text = |n: u32| vec![n as u8; 40 * n as usize];
        for n in 0..600 {
            assert_eq!(shelf.push(&text(n)).unwrap(), n);
        }
        for n in 0..500 {
            shelf.remove(n);
        }
        shelf.replace(555, b"another").unwrap();
        assert!(!shelf.has(499) && shelf.has(500));
        assert_eq!(shelf.get(499).unwrap(), None);
        assert_eq!(shelf.get(555).unwrap().unwrap(), b"another");
        assert_eq!(shelf.get(599).unwrap().unwrap(), text(599));
        assert_eq!(shelf.push(b"").unwrap(), 600);
        assert_eq!(shelf.get(600).unwrap().unwrap(), b"");
    }

    #[test]
    fn a_shelf_may_be_emptied_and_filled_again() {
        let mut shelf = Shelf::new(Arc::new(MemoryPaper));
        for n in 0..700 {
            shelf.push(&[1]).unwrap();
            shelf.remove(n);
            assert_eq!(shelf.places.pages.len(), 1);
        }
        let last = shelf.push(&[2]).unwrap();
        assert_eq!(shelf.get(last).unwrap().unwrap(), [2]);
    }

    #[test]
    fn sheets_go_when_nothing_on_them_is_valid() {
        let mut shelf = Shelf::new(Arc::new(MemoryPaper));
        shelf.sheet_bytes = 4_000;
        // So many that their numbers go round.
        let long = |n: u32| vec![n as u8; 1_000 + n as usize % 7];
        for n in 0..4 * SHEETS + 40 {
            shelf.push(&long(n)).unwrap();
            if n >= 8 {
                assert_eq!(shelf.get(n - 8).unwrap().unwrap(), long(n - 8));
                shelf.remove(n - 8);
            }
            assert!(shelf.sheets.len() <= 4, "{} sheets", shelf.sheets.len());
        }
        let place = Place::new(SHEETS - 1, SHEET - UNIT).unwrap();
        assert_eq!((place.sheet(), place.at()), (SHEETS - 1, SHEET - UNIT));
    }
}
