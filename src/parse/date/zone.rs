//! Names of time zones.

use jiff::tz::TimeZone;

use super::Zone;

/// Abbreviations that mean one offset, with minutes east of Greenwich; sorted.
/// Where one means several (`IST`, `BST`, `CST`), the reading of news feeds.
const FIXED: [(&str, i16); 74] = [
    ("acdt", 630),
    ("acst", 570),
    ("adt", -180),
    ("aedt", 660),
    ("aest", 600),
    ("akdt", -480),
    ("akst", -540),
    ("art", -180),
    ("ast", -240),
    ("awst", 480),
    ("bdt", 360),
    ("bnt", 480),
    ("brt", -180),
    ("bst", 60),
    ("cat", 120),
    ("cdt", -300),
    ("cest", 120),
    ("cet", 60),
    ("chst", 600),
    ("clst", -180),
    ("clt", -240),
    ("cot", -300),
    ("cst", -360),
    ("eat", 180),
    ("ect", -300),
    ("edt", -240),
    ("eest", 180),
    ("eet", 120),
    ("est", -300),
    ("gmt", 0),
    ("gst", 240),
    ("hadt", -540),
    ("hast", -600),
    ("hkt", 480),
    ("hst", -600),
    ("ict", 420),
    ("idt", 180),
    ("irdt", 270),
    ("irst", 210),
    ("ist", 330),
    ("jst", 540),
    ("kst", 540),
    ("mdt", -360),
    ("mest", 120),
    ("mesz", 120),
    ("met", 60),
    ("mez", 60),
    ("mmt", 390),
    ("msd", 240),
    ("msk", 180),
    ("mst", -420),
    ("myt", 480),
    ("ndt", -150),
    ("npt", 345),
    ("nst", -210),
    ("nzdt", 780),
    ("nzst", 720),
    ("pdt", -420),
    ("pht", 480),
    ("pkt", 300),
    ("pst", -480),
    ("sast", 120),
    ("sgt", 480),
    ("sst", -660),
    ("trt", 180),
    ("ut", 0),
    ("utc", 0),
    ("uyt", -180),
    ("wast", 120),
    ("wat", 60),
    ("west", 60),
    ("wet", 0),
    ("wib", 420),
    ("z", 0),
];

/// American names that leave open whether it is summer; sorted.
const PLACES: [(&str, &str, i16); 4] = [
    ("ct", "America/Chicago", -360),
    ("et", "America/New_York", -300),
    ("mt", "America/Denver", -420),
    ("pt", "America/Los_Angeles", -480),
];

/// Seconds east of Greenwich of an abbreviation with one meaning.
pub(super) fn fixed(name: &str) -> Option<i32> {
    let mut lower = [0_u8; 4];
    let bytes = lower.get_mut(..name.len())?;
    bytes.copy_from_slice(name.as_bytes());
    bytes.make_ascii_lowercase();
    let found = FIXED.binary_search_by(|(known, _)| known.as_bytes().cmp(bytes)).ok()?;
    Some(i32::from(FIXED[found].1) * 60)
}

/// The zone of a lower-case word: an abbreviation, a military letter, or an
/// IANA name.
pub(super) fn named(word: &str) -> Option<Zone> {
    if let Some(offset) = fixed(word) {
        return Some(Zone::Fixed(offset));
    }
    if let [b'a'..=b'i' | b'k'..=b'y'] = word.as_bytes() {
        // RFC 5322 section 4.3: their signs were printed wrongly once, so that
        // nobody knows what a sender means; they count as UTC.
        return Some(Zone::Fixed(0));
    }
    if let Some((_, place, standard)) = PLACES.iter().find(|(name, ..)| *name == word) {
        let zone = TimeZone::get(place).map(Zone::Place);
        return Some(zone.unwrap_or(Zone::Fixed(i32::from(*standard) * 60)));
    }
    word.contains('/').then(|| TimeZone::get(word).ok().map(Zone::Place))?
}

/// A zone by the old POSIX name of two abbreviations around a number (`EST5EDT`).
pub(super) fn posix(name: &str) -> Option<Zone> {
    TimeZone::get(name).or_else(|_| TimeZone::posix(name)).ok().map(Zone::Place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_so_that_they_can_be_searched() {
        assert!(FIXED.is_sorted_by(|a, b| a.0 < b.0));
        assert!(PLACES.is_sorted_by(|a, b| a.0 < b.0));
    }
}
