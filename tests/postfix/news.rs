//! The news of the trials: headlines and texts of all sorts, and what a reader is to see of them.

use serde_json::json;

use super::random::Random;

/// The rule's name for people, which stands before each headline in a subject.
pub(crate) const RULE: &str = "Odd markers";

/// What a subject may have.
const SUBJECT: usize = 200;
const SYLLABLES: [&str; 20] = [
    "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va",
    "we", "xi", "yo", "zu",
];
const ACCENTED: [&str; 12] = ["ä", "öß", "ü", "é", "ñ", "ø", "łą", "ş", "č", "å", "ő", "e\u{301}"];
/// A family, a flag, a skin colour, a flag by tags, a heart that is drawn as emoji.
const EMOJI: [&str; 5] = [
    "👩\u{200d}👩\u{200d}👧",
    "🇺🇦",
    "👍🏽",
    "🏴\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
    "❤\u{fe0f}",
];

/// A story as its feed tells it.
#[derive(Clone)]
pub(crate) struct Story {
    pub(crate) link: String,
    pub(crate) title: String,
    pub(crate) text: String,
}

impl Story {
    pub(crate) fn new(number: usize, title: &str, text: &str) -> Self {
        let link = format!("https://news.example.org/{number}");
        Self { link, title: title.to_owned(), text: text.to_owned() }
    }

    /// The headline that a reader is to see.
    pub(crate) fn headline(&self) -> String {
        shown(&self.title)
    }

    /// The subject of its mail. A headline that could be taken for an encoded word gets a space,
    /// and one that is too long ends with dots.
    pub(crate) fn subject(&self) -> String {
        let whole = format!("{RULE}: {}", self.headline()).replace("=?", "= ?");
        if whole.chars().count() <= SUBJECT {
            return whole;
        }
        let cut: String = whole.chars().take(SUBJECT - 1).collect();
        format!("{}…", cut.trim_end())
    }

    /// What the text of its mail begins with. The text is one sentence with one hit.
    pub(crate) fn beginning(&self) -> String {
        let sentence = shown(&self.text).replace("marker", "«marker»");
        format!("{}\n\n{}\n\n{sentence}\n\nCarried by\n", self.headline(), self.link)
    }
}

/// A JSON Feed, in which a text is what it is, control characters included.
pub(crate) fn feed(stories: &[Story]) -> String {
    let item = |story: &Story| {
        json!({
            "id": story.link, "url": story.link, "title": story.title, "content_text": story.text,
        })
    };
    let items: Vec<_> = stories.iter().map(item).collect();
    json!({
        "version": "https://jsonfeed.org/version/1.1", "title": "Näws & Wire", "items": items,
    })
    .to_string()
}

/// Stories of ten kinds in turn. Nearly all words are made up: what the stories have in common
/// would make them tellings of one event.
pub(crate) fn odd(count: usize, random: &mut Random) -> Vec<Story> {
    let story = |number: usize| {
        let (title, text) = match number % 10 {
            0 => (many(random, 4, accented), format!("{} marker", many(random, 3, accented))),
            1 => (han(random, 12), format!("{} marker {}", han(random, 8), han(random, 8))),
            2 => (many(random, 4, hebrew), format!("{} marker", many(random, 3, hebrew))),
            3 => (many(random, 4, pictured), format!("{} marker", many(random, 3, pictured))),
            4 => (exactly(random, 300), format!("{} marker", many(random, 4, word))),
            5 => dots(random),
            6 => (encoded(random), format!("{} marker", encoded(random))),
            7 => broken(random),
            8 => (quoted(random), format!("{} marker", quoted(random))),
            _ => (long_word(random, 700), format!("marker {}", long_word(random, 250))),
        };
        Story::new(number, &title, &text)
    };
    (0..count).map(story).collect()
}

/// Plain stories.
pub(crate) fn plain(count: usize, random: &mut Random) -> Vec<Story> {
    let story = |number: usize| {
        let text = format!("{} marker", many(random, 4, word));
        Story::new(number, &many(random, 4, word), &text)
    };
    (0..count).map(story).collect()
}

fn word(random: &mut Random) -> String {
    (0..4).map(|_| random.choose(&SYLLABLES)).collect()
}

fn accented(random: &mut Random) -> String {
    word(random) + random.choose(&ACCENTED) + random.choose(&SYLLABLES)
}

fn hebrew(random: &mut Random) -> String {
    letters(random, 0x5d0..0x5eb, 6) + "\u{200f}"
}

fn han(random: &mut Random, length: usize) -> String {
    letters(random, 0x4e00..0x9fa5, length)
}

fn pictured(random: &mut Random) -> String {
    random.choose(&EMOJI).to_owned() + &word(random)
}

fn letters(random: &mut Random, from: std::ops::Range<u32>, length: usize) -> String {
    let letter = |random: &mut Random| {
        let number = random.below(u64::from(from.end - from.start));
        char::from_u32(from.start + u32::try_from(number).unwrap()).unwrap()
    };
    (0..length).map(|_| letter(random)).collect()
}

fn many(random: &mut Random, count: usize, one: fn(&mut Random) -> String) -> String {
    (0..count).map(|_| one(random)).collect::<Vec<_>>().join(" ")
}

/// So many characters, the last of them no space.
fn exactly(random: &mut Random, length: usize) -> String {
    let mut text = many(random, length / 8, word);
    text.truncate(length - 1);
    text + "x"
}

/// Lines that begin with dots, of which SMTP takes one away if it is not doubled.
fn dots(random: &mut Random) -> (String, String) {
    let title = random.choose(&[".", "..", "...", ". "]).to_owned() + &many(random, 3, word) + " .";
    let text = random.choose(&[".", "..", "..."]).to_owned() + &word(random);
    (title, format!("{text} marker {}", many(random, 2, word)))
}

/// What looks like an encoded word (RFC 2047), whole or in part.
fn encoded(random: &mut Random) -> String {
    let [a, b, c, d, e, f] = [(); 6].map(|()| word(random));
    format!("=?utf-8?q?=42{a}_{b}?= {c} {d} =?{e}?b?{f}")
}

/// Characters that end a line, ring a bell, colour a terminal or turn the text around.
fn broken(random: &mut Random) -> (String, String) {
    let [a, b, c, d, e, f] = [(); 6].map(|()| word(random));
    let title =
        format!("{a}\r\nX-{b}: {c}\r\n\r\n{d}\0\u{7}\u{1b}[3{e}\t{f}\u{202e}{a}\u{2028}{b}\r.\r\n");
    (title, format!("{c}\r\n..{d}\0 marker\n{e}\u{b}{f}"))
}

/// Characters that mean something to headers, markup, templates or shells.
fn quoted(random: &mut Random) -> String {
    let [a, b, c, d, e, f] = [(); 6].map(|()| word(random));
    format!(
        "\"{a}\" '{b}' „{c}“ \\{d} <{e}>{f}</{e}> &amp; {{{{ {a} }}}} $({b}, `{c}`) <{d}@{e}.{f}>; =3D{a}"
    )
}

/// No space to fold a line at, for about so many octets.
fn long_word(random: &mut Random, length: usize) -> String {
    if random.below(2) == 0 {
        return han(random, length / 3);
    }
    (0..length / 8).map(|_| word(random)).collect()
}

/// White space is one space, and what nobody can see is left out.
fn shown(text: &str) -> String {
    let seen: String = text
        .chars()
        .filter(|c| c.is_whitespace() || !(c.is_control() || *c == '\u{202e}'))
        .collect();
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}
