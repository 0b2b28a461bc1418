//! A date's text as numbers, words and signs.

use icu_normalizer::DecomposingNormalizer;

/// One piece of a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Value (as far as 18 digits go) and count of digits.
    Number(u64, usize),
    /// Lower case, without accents.
    Word(String),
    /// Anything else that is seen.
    Sign(char),
}

/// A piece and whether it touches the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) touches: bool,
}

impl Token {
    /// The word, or nothing.
    pub(super) fn word(&self) -> &str {
        match &self.kind {
            Kind::Word(word) => word,
            _ => "",
        }
    }

    /// Whether it is this sign.
    pub(super) fn is(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }

    /// The number and its digits.
    pub(super) fn number(&self) -> Option<(u64, usize)> {
        match self.kind {
            Kind::Number(value, digits) => Some((value, digits)),
            _ => None,
        }
    }
}

/// Cuts a text into tokens.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { rest: text, found: Vec::new(), touches: false };
    while let Some(c) = lexer.rest.chars().next() {
        lexer.step(c);
    }
    lexer.found
}

struct Lexer<'a> {
    rest: &'a str,
    found: Vec<Token>,
    touches: bool,
}

impl Lexer<'_> {
    fn step(&mut self, c: char) {
        if let Some(length) = blank(self.rest, c) {
            self.rest = &self.rest[length..];
            self.touches = false;
        } else if digit(c).is_some() {
            self.number();
        } else if is_unit(c) {
            self.push(Kind::Word(c.to_string()), c.len_utf8());
        } else if is_letter(c) {
            self.word(c);
        } else {
            let plain = match c {
                '−' | '–' | '—' | '‐' | '‑' => '-',
                '：' => ':',
                '．' => '.',
                '，' | '、' | '،' => ',',
                '／' => '/',
                other => other,
            };
            self.push(Kind::Sign(plain), c.len_utf8());
        }
    }

    fn push(&mut self, kind: Kind, length: usize) {
        self.rest = &self.rest[length..];
        self.found.push(Token { kind, touches: self.touches });
        self.touches = true;
    }

    fn number(&mut self) {
        let (mut value, mut digits, mut length) = (0_u64, 0, 0);
        for (c, d) in self.rest.chars().map_while(|c| Some((c, digit(c)?))) {
            if digits < 18 {
                value = value * 10 + u64::from(d);
            }
            digits += 1;
            length += c.len_utf8();
        }
        self.push(Kind::Number(value, digits), length);
    }

    fn word(&mut self, first: char) {
        let letters = |text: &str| text.find(|c| !is_letter(c) || is_unit(c)).unwrap_or(text.len());
        let mut length = letters(self.rest);
        if first.is_ascii_alphabetic() {
            length = zone_name(self.rest, length).unwrap_or(length);
        }
        let (word, after) = self.rest.split_at(length);
        // `a.m.`, `p. m.`
        let half = after.strip_prefix('.').map(|after| (after.len(), after.trim_start()));
        if let Some((_, after)) = half
            && matches!(fold(word).as_str(), "a" | "p" | "π" | "μ")
            && after.starts_with(['m', 'M', 'μ'])
            && letters(after) == after.chars().next().map_or(0, char::len_utf8)
        {
            let end = after.trim_start_matches(['m', 'M', 'μ']);
            let word = if matches!(fold(word).as_str(), "a" | "π") { "am" } else { "pm" };
            let length = self.rest.len() - end.strip_prefix('.').unwrap_or(end).len();
            return self.push(Kind::Word(word.to_string()), length);
        }
        self.push(Kind::Word(fold(word)), length);
    }
}

/// Length of white space, or of a line break that somebody wrote as `\n`.
fn blank(text: &str, c: char) -> Option<usize> {
    let escaped = ["\\n", "\\t", "\\r"].iter().any(|escape| text.starts_with(escape));
    let seen = !c.is_whitespace() && !c.is_control() && !matches!(c, '\u{200b}'..='\u{200f}');
    match (escaped, seen) {
        (true, _) => Some(2),
        (false, true) => None,
        (false, false) => Some(c.len_utf8()),
    }
}

/// Length of an IANA zone name (`America/New_York`, `Etc/GMT+5`) whose first
/// part is `length` bytes long.
fn zone_name(text: &str, length: usize) -> Option<usize> {
    let after = text[length..].strip_prefix('/')?;
    after.starts_with(|c: char| c.is_ascii_alphabetic()).then(|| {
        let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
        text.find(|c: char| !inside(c)).unwrap_or(text.len())
    })
}

/// Decimal digits of Latin, Arabic, Persian, Devanagari and full width.
fn digit(c: char) -> Option<u32> {
    let zero = match c {
        '0'..='9' => '0',
        '٠'..='٩' => '٠',
        '۰'..='۹' => '۰',
        '०'..='९' => '०',
        '０'..='９' => '０',
        _ => return None,
    };
    Some(u32::from(c) - u32::from(zero))
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '\u{300}'..='\u{36f}' | 'º' | 'ª' | '\'' | '’')
}

/// Letters that end a number where words are not divided by spaces.
pub(super) fn is_unit(c: char) -> bool {
    matches!(
        c,
        '年' | '月'
            | '日'
            | '号'
            | '號'
            | '时'
            | '時'
            | '点'
            | '點'
            | '分'
            | '秒'
            | '년'
            | '월'
            | '일'
            | '시'
            | '분'
            | '초'
    )
}

/// Lower case without accents; Hangul stays composed.
fn fold(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    if word.chars().any(|c| matches!(c, '가'..='힣')) {
        return word.to_string();
    }
    let lower = word.to_lowercase();
    let plain = DecomposingNormalizer::new_nfd().normalize(&lower).into_owned();
    plain
        .chars()
        .filter(|c| !matches!(c, '\u{300}'..='\u{36f}' | '\u{653}'..='\u{655}'))
        .map(|c| match c {
            'ı' => 'i',
            'ς' => 'σ',
            'ł' => 'l',
            'ø' => 'o',
            other => other,
        })
        .collect()
}
