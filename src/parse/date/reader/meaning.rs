//! What the fields of a date mean, once all of them are read.

use super::*;

impl Reader<'_> {
    /// ISO 8601 week dates (`2026-W45-2`, `2026W452`), whose week 1 holds 4 January.
    pub(super) fn week_date(&self) -> Option<Timestamp> {
        let mut rest = self.tokens.iter().filter(|token| !token.is('-'));
        let (year, 4) = rest.next()?.number()? else { return None };
        if rest.next()?.word() != "w" {
            return None;
        }
        let (week, day) = match (rest.next()?.number()?, rest.next().and_then(Token::number)) {
            ((both, 3), None) => (both / 10, both % 10),
            ((week, 1 | 2), Some((day, 1))) => (week, day),
            ((week, 1 | 2), None) => (week, 1),
            _ => return None,
        };
        if !(1..=53).contains(&week) || !(1..=7).contains(&day) {
            return None;
        }
        let fourth = Date::new(i16::try_from(year).ok()?, 1, 4).ok()?;
        let monday = i64::from(fourth.weekday().to_monday_zero_offset());
        let days = (week.cast_signed() - 1) * 7 + day.cast_signed() - 1 - monday;
        let date = fourth.checked_add(jiff::SignedDuration::from_hours(days * 24)).ok()?;
        let parts =
            Parts { year: date.year(), month: date.month(), day: date.day(), ..Parts::default() };
        parts.instant(&Zone::Fixed(0))
    }

    pub(super) fn finish(self) -> Option<Timestamp> {
        if self.strange.len() > STRANGE_WORDS {
            return None;
        }
        let (year, month, day) = self.date()?;
        let (hour, minute, second, nanosecond) = self.time.unwrap_or_default();
        let hour = match self.afternoon {
            Some(true) if hour < 12 => hour + 12,
            Some(false) if hour == 12 => 0,
            _ => hour,
        };
        let parts = Parts {
            year: i16::try_from(year).ok()?,
            month: i8::try_from(month).ok()?,
            day: i8::try_from(day).ok()?,
            hour: u8::try_from(hour).ok()?,
            minute: u8::try_from(minute).ok()?,
            second: u8::try_from(second).ok()?,
            nanosecond,
        };
        let zone = self.offset.map(Zone::Fixed).or(self.named_zone).unwrap_or(Zone::Fixed(0));
        parts.instant(&zone)
    }

    /// Year, month and day.
    pub(super) fn date(&self) -> Option<(u64, u64, u64)> {
        let misspelt = || self.strange.iter().find_map(|word| words::misspelt_month(word));
        let needed = self.fields.len() < 3;
        let month = self
            .month
            .or(self.weak_month.filter(|_| needed))
            .or_else(|| misspelt().filter(|_| needed));
        if let Some(year) = self.year {
            let month = month.and_then(|month| u64::try_from(month).ok());
            return Some((year, month.unwrap_or(1), self.day.unwrap_or(1)));
        }
        // `listed 2026-11-03`: three numbers in a row need no word for a month.
        let row = matches!(*self.fields.as_slice(), [_, b, c, ..]
            if b.after == c.after && matches!(b.after, '-' | '/' | '.'));
        match month.and_then(|month| u64::try_from(month).ok()) {
            Some(month) if !row => self.named(month),
            _ => self.numeric(),
        }
    }

    /// The month is named, so the numbers are day and year.
    pub(super) fn named(&self, month: u64) -> Option<(u64, u64, u64)> {
        let years = self.fields.iter().position(|field| field.digits > 2 || field.value > 31);
        let at = years.or((self.fields.len() > 1).then_some(1))?;
        let day = self.fields.iter().enumerate().find(|(index, _)| *index != at);
        let day = day.map_or(self.day.unwrap_or(1), |(_, field)| field.value);
        Some((full_year(self.fields[at]), month, day))
    }

    pub(super) fn numeric(&self) -> Option<(u64, u64, u64)> {
        match *self.fields.as_slice() {
            [year] if self.tokens.len() == 1 && year.digits == 4 => {
                (1990..=2100).contains(&year.value).then_some((year.value, 1, 1))
            }
            [year, day] if year.digits == 4 && day.digits == 3 && day.after == '-' => {
                let first = Date::new(i16::try_from(year.value).ok()?, 1, 1).ok()?;
                let hours = i64::try_from(day.value).ok()?.checked_sub(1)?.checked_mul(24)?;
                let date = first.checked_add(jiff::SignedDuration::from_hours(hours)).ok()?;
                let known = date.year() == first.year() && day.value > 0;
                known.then_some((year.value, date.month() as u64, date.day() as u64))
            }
            [year, month] if year.digits == 4 && self.strange.is_empty() => {
                Some((year.value, month.value, 1))
            }
            // One digit is no year, but the end of a version or a score.
            [a, b, c, ..] if c.digits > 1 || a.digits > 2 => Some(self.three(a, b, c)),
            _ => None,
        }
    }

    /// Three numbers: which is which.
    pub(super) fn three(&self, a: Field, b: Field, c: Field) -> (u64, u64, u64) {
        let iso = (full_year(a), b.value, c.value);
        if a.digits > 2 || a.value > 31 {
            return iso;
        }
        let year = full_year(c);
        let (european, american) = ((year, b.value, a.value), (year, a.value, b.value));
        let two_digits = c.digits <= 2 && b.after == '-';
        if two_digits && is_date(iso) {
            return iso;
        }
        let (first, second) = match b.after {
            '.' | ' ' => (european, american),
            _ => (american, european),
        };
        let right_day = |date| self.weekday.is_none_or(|day| weekday_of(date) == Some(day));
        match (is_date(first), is_date(second)) {
            (true, true) if !right_day(first) && right_day(second) => second,
            (false, true) => second,
            _ => first,
        }
    }
}
