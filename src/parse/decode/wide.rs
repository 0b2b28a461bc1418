//! UTF-16 and UTF-32, known by their byte-order mark or by the zeros that
//! markup and JSON have in them.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use crate::model::Decoding;

/// Bytes looked at for zeros.
const SAMPLE: usize = 128;

/// The text, if the bytes are in a wide encoding.
pub(super) fn decode(bytes: &[u8]) -> Option<(String, Decoding)> {
    let little = |b: [u8; 4]| u32::from_le_bytes(b);
    let big = |b: [u8; 4]| u32::from_be_bytes(b);
    match bytes {
        [0xff, 0xfe, 0, 0, rest @ ..] => return Some(utf_32(rest, little, "UTF-32LE", "bom")),
        [0, 0, 0xfe, 0xff, rest @ ..] => return Some(utf_32(rest, big, "UTF-32BE", "bom")),
        [0xff, 0xfe, rest @ ..] if !is_ascii(rest) => return Some(utf_16(rest, UTF_16LE, "bom")),
        [0xfe, 0xff, rest @ ..] if !is_ascii(rest) => return Some(utf_16(rest, UTF_16BE, "bom")),
        [1..=0x7f, 0, 0, 0, ..] => {
            return Some(utf_32(bytes, little, "UTF-32LE", "utf-32 pattern"));
        }
        [0, 0, 0, 1..=0x7f, ..] => return Some(utf_32(bytes, big, "UTF-32BE", "utf-32 pattern")),
        _ => {}
    }
    let encoding = zeros(&bytes[..bytes.len().min(SAMPLE)])?;
    Some(utf_16(bytes, encoding, "utf-16 pattern"))
}

/// A byte-order mark before plain ASCII is an accident.
fn is_ascii(rest: &[u8]) -> bool {
    let head = &rest[..rest.len().min(SAMPLE)];
    head.len() > 3 && head.iter().all(|b| b.is_ascii() && *b != 0)
}

/// On which side of the pairs the zeros are, if it begins with one of ASCII.
fn zeros(sample: &[u8]) -> Option<&'static Encoding> {
    let count = |side: usize| sample.iter().skip(side).step_by(2).filter(|b| **b == 0).count();
    let pairs = sample.len() / 2;
    match (sample, count(0), count(1)) {
        ([0, 1..=0x7f, ..], even, odd) if even * 4 > pairs && odd * 8 <= even => Some(UTF_16BE),
        ([1..=0x7f, 0, ..], even, odd) if odd * 4 > pairs && even * 8 <= odd => Some(UTF_16LE),
        _ => None,
    }
}

fn utf_16(bytes: &[u8], encoding: &'static Encoding, by: &'static str) -> (String, Decoding) {
    let (text, lossy) = encoding.decode_without_bom_handling(bytes);
    (text.into_owned(), Decoding { encoding: encoding.name().into(), decided_by: by.into(), lossy })
}

fn utf_32(
    bytes: &[u8],
    number: fn([u8; 4]) -> u32,
    name: &'static str,
    by: &'static str,
) -> (String, Decoding) {
    let (whole, rest) = bytes.as_chunks::<4>();
    let mut lossy = !rest.is_empty();
    let text = whole
        .iter()
        .map(|unit| {
            let c = char::from_u32(number(*unit));
            lossy |= c.is_none();
            c.unwrap_or(char::REPLACEMENT_CHARACTER)
        })
        .collect();
    (text, Decoding { encoding: name.into(), decided_by: by.into(), lossy })
}
