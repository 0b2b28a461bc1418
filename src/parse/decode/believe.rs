//! Whether bytes can be in an encoding that somebody says they are in.

use encoding_rs::{Encoding, REPLACEMENT};
use encoding_rs::{ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// What the bytes look like as UTF-8.
pub(super) struct Census {
    /// Bytes above 7F.
    high: usize,
    /// Whole sequences of two bytes or more.
    sequences: usize,
    /// Bytes that belong to no sequence.
    bad: usize,
}

impl Census {
    /// Counts.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let high = bytes.iter().map(|b| usize::from(*b > 0x7f)).sum();
        let (mut sequences, mut bad) = (0, 0);
        if high > 0 {
            for chunk in bytes.utf8_chunks() {
                let valid = chunk.valid().as_bytes();
                sequences += valid.iter().map(|b| usize::from(*b >= 0xc0)).sum::<usize>();
                bad += chunk.invalid().len();
            }
        }
        Self { high, sequences, bad }
    }

    /// No byte above 7F.
    pub(super) fn is_ascii(&self) -> bool {
        self.high == 0
    }

    /// UTF-8 without a fault, or with so few that any other encoding would
    /// turn more characters into nonsense than it saved. Text in another
    /// encoding forms valid sequences by chance only.
    pub(super) fn is_mostly_utf8(&self) -> bool {
        self.bad == 0 || self.sequences >= 2 * self.bad
    }

    /// Valid UTF-8 with more sequences than chance makes.
    fn is_surely_utf8(&self, sequences: usize) -> bool {
        self.bad == 0 && self.sequences >= sequences
    }
}

/// Whether a stated encoding is to be believed.
pub(super) fn believable(encoding: &'static Encoding, bytes: &[u8], census: &Census) -> bool {
    if encoding == UTF_8 {
        return census.is_mostly_utf8();
    }
    // The zeros of UTF-16 were looked for before.
    if encoding == UTF_16LE || encoding == UTF_16BE || encoding == REPLACEMENT {
        return false;
    }
    if census.is_ascii() {
        return encoding != ISO_2022_JP;
    }
    // Two characters of GBK can be valid UTF-8; one of Latin-1 is not.
    let sure = if encoding == WINDOWS_1252 { 1 } else { 3 };
    if census.is_surely_utf8(sure) {
        return false;
    }
    if encoding.is_single_byte() {
        return !looks_like_utf8(census);
    }
    let (text, lossy) = encoding.decode_without_bom_handling(bytes);
    !lossy || text.matches('\u{fffd}').count() * 20 <= census.high
}

/// Not valid, but so nearly that it is damaged UTF-8.
fn looks_like_utf8(census: &Census) -> bool {
    census.sequences >= 20 && census.sequences >= 10 * census.bad
}
