//! Tokens to a moment: each piece is understood by its kind and neighbours.

mod meaning;

use jiff::Timestamp;
use jiff::civil::Date;

use super::lexer::{Kind, Token, is_unit};
use super::{Parts, Zone, words, zone};

/// Words without a meaning that a date may hold: a weekday, "Uhr", a label.
/// More is a sentence.
const STRANGE_WORDS: usize = 4;

/// A number that is part of the date, not of the time.
#[derive(Clone, Copy, Debug)]
struct Field {
    value: u64,
    digits: usize,
    /// The sign before it, or a space.
    after: char,
}

#[derive(Debug, Default)]
struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    fields: Vec<Field>,
    /// By unit words (`2026年11月3日`).
    year: Option<u64>,
    day: Option<u64>,
    month: Option<i8>,
    /// A weekday's name that is a month's too (`mar.`).
    weak_month: Option<i8>,
    weekday: Option<i8>,
    time: Option<(u64, u64, u64, u32)>,
    afternoon: Option<bool>,
    named_zone: Option<Zone>,
    offset: Option<i32>,
    strange: Vec<&'a str>,
    era: u64,
    /// The token after the last part of the date.
    date_until: usize,
}

/// Reads the tokens of a date.
pub(super) fn read(tokens: &[Token]) -> Option<Timestamp> {
    let mut reader = Reader { tokens, ..Reader::default() };
    if let Some(when) = reader.week_date() {
        return Some(when);
    }
    while let Some(token) = tokens.get(reader.at) {
        match &token.kind {
            Kind::Number(value, digits) => reader.number(*value, *digits),
            Kind::Word(word) => reader.word(word),
            Kind::Sign(sign) => reader.sign(*sign),
        }
        reader.at += 1;
    }
    reader.finish()
}

impl<'a> Reader<'a> {
    fn peek(&self, ahead: usize) -> Option<&'a Token> {
        self.tokens.get(self.at + ahead)
    }

    /// The token `ahead` if nothing divides it from the one before.
    fn adjacent(&self, ahead: usize) -> Option<&'a Token> {
        self.peek(ahead).filter(|token| token.touches)
    }

    fn before(&self) -> Option<&'a Token> {
        self.tokens.get(self.at.checked_sub(1)?)
    }

    fn number(&mut self, value: u64, digits: usize) {
        if digits <= 2 && self.clock(value, ':') {
            return;
        }
        let next = self.peek(1);
        let unit = next.map_or("", Token::word);
        match unit {
            _ if unit.chars().count() == 1 && unit.chars().all(is_unit) => self.unit(value, unit),
            // `10h30`, `10 h`, `10 Uhr`
            "h" | "uhr" | "hs" | "hrs" if digits <= 2 && self.time.is_none() => self.hours(value),
            _ if digits <= 2 && self.time.is_none() && self.only_hour(unit) => {
                self.time = Some((value, 0, 0, 0));
            }
            _ if digits <= 2 && words::is_ordinal(unit) && self.adjacent(1).is_some() => {
                self.field(value, digits);
                self.at += 1;
            }
            _ => self.bare(value, digits),
        }
    }

    /// `10:00[:00[.123]]`, or with dots. Reads nothing if it is not there.
    fn clock(&mut self, hour: u64, colon: char) -> bool {
        let part = |at: usize| {
            let (value, digits) = self.adjacent(at + 1)?.number()?;
            let colon = self.peek(at).is_some_and(|token| token.is(colon));
            (colon && digits <= 2).then_some(value)
        };
        let Some(minute) = part(1) else { return false };
        let second = part(3);
        let mut length = if second.is_some() { 4 } else { 2 };
        let mut nanosecond = 0;
        let point = self.adjacent(length + 1).is_some_and(|t| t.is('.') || t.is(','));
        if second.is_some()
            && point
            && let Some((value, digits)) = self.adjacent(length + 2).and_then(Token::number)
        {
            nanosecond = nanoseconds(value, digits);
            length += 2;
        } else if second.is_some()
            && self.adjacent(length + 1).is_some_and(|t| t.is(':'))
            && self.adjacent(length + 2).and_then(Token::number).is_some()
        {
            // `10:00:00:123`, as some databases print.
            length += 2;
        }
        self.at += length;
        self.time.get_or_insert((hour, minute, second.unwrap_or(0), nanosecond));
        true
    }

    fn unit(&mut self, value: u64, unit: &str) {
        self.at += 1;
        let time = self.time.unwrap_or_default();
        match unit {
            "年" | "년" => self.year = Some(value.saturating_add(self.era)),
            "月" | "월" => self.month = i8::try_from(value).ok(),
            "日" | "号" | "號" | "일" => self.day = Some(value),
            "分" | "분" => self.time = Some((time.0, value, time.2, 0)),
            "秒" | "초" => self.time = Some((time.0, time.1, value, 0)),
            _ => self.time = Some((value, 0, 0, 0)),
        }
    }

    /// The word for hours stands next, perhaps minutes after it.
    fn hours(&mut self, hour: u64) {
        let minute = self.peek(2).and_then(Token::number).filter(|(_, digits)| *digits == 2);
        // `10h 03.11.2026`: what a sign follows is a date.
        let date = self.peek(3).is_some_and(|t| matches!(t.kind, Kind::Sign(_)) && t.touches);
        let minute = minute.filter(|_| !date);
        self.time = Some((hour, minute.map_or(0, |(value, _)| value), 0, 0));
        self.at += if minute.is_some() { 2 } else { 1 };
    }

    /// `3 pm`; but in `03 오후 10:00` the word belongs to the next number.
    fn only_hour(&self, word: &str) -> bool {
        words::half_of_day(word).is_some() && self.peek(2).and_then(Token::number).is_none()
            || matches!(word, "am" | "pm")
    }

    /// A number that no word explains.
    fn bare(&mut self, value: u64, digits: usize) {
        match digits {
            14 | 12 if self.fields.is_empty() => {
                let time = if digits == 14 { 1_000_000 } else { 10_000 };
                self.date_as_one(value / time);
                self.time_as_one(value % time, digits - 8);
            }
            8 if self.fields.is_empty() => self.date_as_one(value),
            6 | 4 if self.time.is_none() && (self.after_t() || self.has_date()) => {
                self.time_as_one(value, digits);
            }
            2 if self.time.is_none() && self.after_t() => self.time = Some((value, 0, 0, 0)),
            1 | 2 if self.time.is_none() && self.has_date() && self.clock(value, '.') => {}
            _ => self.field(value, digits),
        }
    }

    fn date_as_one(&mut self, value: u64) {
        for (value, digits) in [(value / 10_000, 4), (value / 100 % 100, 2), (value % 100, 2)] {
            self.fields.push(Field { value, digits, after: '-' });
        }
    }

    fn time_as_one(&mut self, value: u64, digits: usize) {
        let value = if digits == 4 { value * 100 } else { value };
        self.time = Some((value / 10_000, value / 100 % 100, value % 100, 0));
        if self.adjacent(1).is_some_and(|t| t.is('.') || t.is(','))
            && let Some((value, digits)) = self.adjacent(2).and_then(Token::number)
        {
            self.time = self.time.map(|(h, m, s, _)| (h, m, s, nanoseconds(value, digits)));
            self.at += 2;
        }
    }

    /// Whether the `T` of ISO 8601 stands before this number.
    fn after_t(&self) -> bool {
        self.tokens[self.at].touches && self.before().is_some_and(|token| token.word() == "t")
    }

    /// Whether day, month and year have been seen.
    fn has_date(&self) -> bool {
        let month = self.month.or(self.weak_month).is_some();
        let year = self.fields.iter().any(|field| field.digits > 2 || field.value > 31);
        self.fields.len() >= 3
            || self.fields.len() == 2 && month && year
            || self.year.is_some() && self.day.is_some()
    }

    fn field(&mut self, value: u64, digits: usize) {
        let after = match self.before().map(|token| &token.kind) {
            Some(Kind::Sign(sign)) => *sign,
            _ => ' ',
        };
        self.fields.push(Field { value, digits, after });
        self.date_until = self.at + 1;
    }

    fn word(&mut self, word: &'a str) {
        let half = words::half_of_day(word);
        // In East Asia it stands before the time; "am" before it is German.
        if let Some(afternoon) = half.filter(|_| self.time.is_some() || !word.is_ascii()) {
            self.afternoon = Some(afternoon);
        } else if word == "令和" {
            self.era = 2018;
        } else if let Some(zone) = self.zone(word) {
            self.named_zone.get_or_insert(zone);
        } else if self.month.is_none()
            && let Some(month) = words::month_of_two(word, self.peek(1).map_or("", Token::word))
        {
            self.month = Some(month);
            self.at += 1;
        } else if let Some(month) = words::doubtful_month(word) {
            self.weak_month.get_or_insert(month);
            self.date_until = self.at + 1;
        } else if let Some(month) = words::month(word) {
            self.month.get_or_insert(month);
            self.date_until = self.at + 1;
        } else if let Some(weekday) = words::weekday(word) {
            self.weekday = Some(weekday);
        } else if !(words::says_nothing(word) || word == "t" && self.touched_by_number()) {
            self.strange.push(word);
        }
    }

    fn touched_by_number(&self) -> bool {
        self.tokens[self.at].touches || self.before().is_none()
    }

    /// A zone's name, where one may stand: after the time or a whole date.
    fn zone(&mut self, word: &str) -> Option<Zone> {
        if self.time.is_none() && !self.has_date() {
            return None;
        }
        let next = self.adjacent(1).and_then(Token::number);
        if let (Some((hours, 1)), Some(summer)) = (next, self.adjacent(2).map(Token::word))
            && zone::fixed(word).is_some()
            && zone::fixed(summer).is_some()
        {
            self.at += 2;
            return zone::posix(&format!("{word}{hours}{summer}").to_uppercase());
        }
        // One letter is a zone at the end only: `T` and "a" are more.
        (word.len() > 1 || self.peek(1).is_none() || word == "z").then(|| zone::named(word))?
    }

    fn sign(&mut self, sign: char) {
        let dated = self.time.is_some() || self.has_date();
        match sign {
            '+' if dated => self.offset(1),
            '-' if self.time.is_some() && self.adjacent(1).is_some() && !self.ends_date() => {
                self.offset(-1);
            }
            '(' if dated => self.comment(),
            _ => {}
        }
    }

    /// Whether the minus here divides two parts of the date (`10:00 3-11-2026`).
    fn ends_date(&self) -> bool {
        let sign = |at| self.adjacent(at).is_some_and(|t| t.is('-') || t.is('/') || t.is('.'));
        let touches = self.tokens[self.at].touches && self.date_until == self.at;
        !self.has_date() && (sign(2) || touches)
    }

    /// An offset: `+0200`, `+02:00`, `+2`. A second one says nothing new.
    fn offset(&mut self, sign: i32) {
        let Some((value, digits)) = self.peek(1).and_then(Token::number) else { return };
        self.at += 1;
        let minutes = self
            .adjacent(2)
            .and_then(Token::number)
            .filter(|_| self.adjacent(1).is_some_and(|token| token.is(':')));
        let (hours, minutes) = match (digits, minutes) {
            (1 | 2, Some((minutes, 2))) => {
                self.at += 2;
                (value, minutes)
            }
            (1 | 2, _) => (value, 0),
            (3 | 4, _) => (value / 100, value % 100),
            (6, _) => (value / 10_000, value / 100 % 100),
            _ => return,
        };
        // What no place on earth has is a mistake; then UTC is the best guess.
        if hours < 16 && minutes < 60 {
            let seconds = hours as i32 * 3600 + minutes as i32 * 60;
            self.offset.get_or_insert(sign * seconds);
        }
    }

    /// `(CET)` may name the zone; any other comment repeats what was said.
    fn comment(&mut self) {
        let inside = self.tokens[self.at + 1..].iter().take_while(|token| !token.is(')')).count();
        if inside == 1
            && let Some(zone) = self.peek(1).and_then(|t| zone::named(t.word()))
        {
            self.named_zone.get_or_insert(zone);
        }
        self.at += inside;
    }
}

fn is_date(date: (u64, u64, u64)) -> bool {
    weekday_of(date).is_some()
}

/// The weekday (0 is Monday) of a date that exists.
fn weekday_of((year, month, day): (u64, u64, u64)) -> Option<i8> {
    let (year, month) = (i16::try_from(year).ok()?, i8::try_from(month).ok()?);
    let date = Date::new(year, month, i8::try_from(day).ok()?).ok()?;
    Some(date.weekday().to_monday_zero_offset())
}

/// Years of two and three digits as RFC 5322 section 4.3 reads them.
fn full_year(field: Field) -> u64 {
    match (field.digits, field.value) {
        (..=2, value @ ..50) => 2000 + value,
        (..=3, value) => 1900 + value,
        (_, value) => value,
    }
}

/// The digits after the point of a second.
fn nanoseconds(value: u64, digits: usize) -> u32 {
    let digits = u32::try_from(digits.min(18)).unwrap_or(18);
    let scaled = match digits {
        ..=9 => value * 10_u64.pow(9 - digits),
        _ => value / 10_u64.pow(digits - 9),
    };
    u32::try_from(scaled).unwrap_or(0)
}
