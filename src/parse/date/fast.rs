//! The two forms that nearly all feeds use, read without looking twice. What
//! does not fit exactly is left to the wide grammar.

use jiff::Timestamp;

use super::{Parts, Zone, zone};

/// `2026-11-03T10:00:00[.123](Z|+01:00)` (RFC 3339).
pub(super) fn rfc3339(text: &[u8]) -> Option<Timestamp> {
    let (head, rest) = text.split_at_checked(19)?;
    let (date, time) = (&head[..10], &head[11..]);
    if date[4] != b'-' || date[7] != b'-' || !matches!(head[10], b'T' | b't' | b' ') {
        return None;
    }
    let (hour, minute, second) = clock(time)?;
    let (nanosecond, rest) = fraction(rest)?;
    let offset = match rest {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => offset(*sign, [*h1, *h2, *m1, *m2])?,
        _ => return None,
    };
    let year = i16::from(two(&date[..2])?) * 100 + i16::from(two(&date[2..4])?);
    let (month, day) = (two(&date[5..7])?.cast_signed(), two(&date[8..])?.cast_signed());
    Parts { year, month, day, hour, minute, second, nanosecond }.instant(&Zone::Fixed(offset))
}

/// `Tue, 03 Nov 2026 10:00:00 (+0100|GMT)` (RFC 2822, the zone a number or a
/// name of fixed meaning), weekday and leading zero optional.
pub(super) fn rfc2822(text: &[u8]) -> Option<Timestamp> {
    let text = match text {
        [a, b, c, b',', b' ', rest @ ..] if [a, b, c].iter().all(|b| b.is_ascii_alphabetic()) => {
            rest
        }
        _ => text,
    };
    let (day, rest) = match text {
        [a, b' ', rest @ ..] => (two(&[b'0', *a])?, rest),
        [a, b, b' ', rest @ ..] => (two(&[*a, *b])?, rest),
        _ => return None,
    };
    // `Nov 2026 10:00:00 `
    let (head, name) = rest.split_at_checked(18)?;
    if [head[3], head[8], head[17]] != *b"   " {
        return None;
    }
    let month = month([head[0], head[1], head[2]])?;
    let year = i16::from(two(&head[4..6])?) * 100 + i16::from(two(&head[6..8])?);
    let (hour, minute, second) = clock(&head[9..17])?;
    let offset = match name {
        b"GMT" | b"UTC" | b"Z" | b"UT" => 0,
        [sign @ (b'+' | b'-'), h1, h2, m1, m2] => offset(*sign, [*h1, *h2, *m1, *m2])?,
        _ => zone::fixed(std::str::from_utf8(name).ok()?)?,
    };
    let parts = Parts { year, month, day: day.cast_signed(), hour, minute, second, nanosecond: 0 };
    parts.instant(&Zone::Fixed(offset))
}

fn month(name: [u8; 3]) -> Option<i8> {
    const NAMES: [&[u8; 3]; 12] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec",
    ];
    (1..).zip(NAMES).find(|(_, known)| **known == name).map(|(number, _)| number)
}

/// `10:00:00`.
fn clock(text: &[u8]) -> Option<(u8, u8, u8)> {
    if text[2] != b':' || text[5] != b':' {
        return None;
    }
    Some((two(&text[..2])?, two(&text[3..5])?, two(&text[6..8])?))
}

/// Nanoseconds of a `.123` and what follows it.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let [b'.', rest @ ..] = text else { return Some((0, text)) };
    let length = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let digits = &rest[..length];
    let value = (0..9).fold(0, |value, at| {
        value * 10 + digits.get(at).map_or(0, |digit| u32::from(digit - b'0'))
    });
    (length > 0).then_some((value, &rest[length..]))
}

/// Seconds east of Greenwich, up to 15:59 either way.
fn offset(sign: u8, digits: [u8; 4]) -> Option<i32> {
    let (hours, minutes) = (i32::from(two(&digits[..2])?), i32::from(two(&digits[2..])?));
    let seconds = hours * 3600 + minutes * 60;
    (hours < 16 && minutes < 60).then_some(if sign == b'-' { -seconds } else { seconds })
}

fn two(digits: &[u8]) -> Option<u8> {
    match digits {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some((a - b'0') * 10 + (b - b'0')),
        _ => None,
    }
}
