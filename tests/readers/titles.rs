//! News whose headlines try to be something else: a header, the end of a message, markup.
//!
//! The same seed gives the same news. Each item has words of its own, so that none is taken for
//! another telling of the same story.

use std::collections::HashMap;

use encoding_rs::WINDOWS_1252;

use super::random::Random;

const SEED: u64 = 20_260_301;
const CONSONANTS: [&str; 16] =
    ["b", "br", "d", "f", "g", "gr", "k", "l", "m", "n", "p", "r", "st", "t", "v", "z"];
const VOWELS: [&str; 6] = ["a", "e", "i", "o", "u", "ou"];
const ADDRESS: &str = "evil@example.net";

/// One story.
pub(crate) struct Item {
    /// Stands in the link, by which a message is recognised.
    pub(crate) token: String,
    pub(crate) kind: &'static str,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) link: String,
}

/// A kind of headline: its name, how it is made, and whether it is so long that the word of the
/// rule has to come first.
type Kind = (&'static str, fn(&mut Random) -> String, bool);

const KINDS: [Kind; 18] = [
    ("plain", |random| words(8, random), false),
    ("planes", planes, false),
    ("controls", controls, false),
    ("injected header", injected_header, false),
    ("no spaces", |random| repeated(3_000, random, |random| one_of("abcdefXYZ0189", random)), true),
    (
        "ideographs",
        |random| repeated(2_000, random, |random| between(0x4e00, 0x9fff, random)),
        true,
    ),
    ("emoji", emoji, true),
    ("right to left", right_to_left, false),
    ("dots", dots, false),
    ("encoded words", encoded_words, false),
    ("quotes", quotes, false),
    ("markup", markup, false),
    ("written surrogates", written_surrogates, false),
    ("halves of pairs", |random| format!("{} \u{fffd}{0}\u{fffd} end", word(random)), false),
    ("many accents", accents, false),
    ("template", template, false),
    ("MIME", mime, false),
    (
        "spaces",
        |random| format!("{}\t \u{a0}\u{3000} {}\u{2003}", word(random), word(random)),
        false,
    ),
];

/// So many items. Another stream gives others.
pub(crate) fn items(count: usize, stream: u64) -> Vec<Item> {
    let mut random = Random::new(SEED, stream);
    (0..count).map(|number| item(number, stream, &mut random)).collect()
}

/// What is compared of a text: all but what wirewatch folds or drops, which is white space,
/// controls, soft hyphens, byte-order marks, what is no character, and directional overrides.
pub(crate) fn bare(text: &str) -> String {
    let is_dropped = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{ad}' | '\u{200b}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(as_meant).filter(|c| !is_dropped(*c)).collect()
}

/// Feeds that have a control character from 128 on mean the one of windows-1252.
fn as_meant(c: char) -> char {
    match u8::try_from(c) {
        Ok(byte @ 0x80..=0x9f) => WINDOWS_1252.decode(&[byte]).0.chars().next().unwrap_or(c),
        _ => c,
    }
}

/// Whether a text is the wanted one, or the beginning of it with at least so many characters.
pub(crate) fn tells(shown: &str, wanted: &str, least: usize) -> bool {
    let is_enough = shown.trim().chars().count() >= least;
    let (shown, wanted) = (bare(shown), bare(wanted));
    let start = shown.strip_suffix('…').unwrap_or(&shown);
    shown == wanted || (is_enough && wanted.starts_with(start))
}

/// What is wrong with what was told of the items, which are known by their links.
pub(crate) fn untold<'a>(
    items: &[Item],
    told: impl Iterator<Item = (&'a str, &'a str)>,
    least: usize,
) -> Vec<String> {
    let told: HashMap<&str, &str> = told.collect();
    let fault = |item: &Item| match told.get(item.link.as_str()) {
        None => Some(format!("{} ({}): not told", item.token, item.kind)),
        Some(title) if tells(title, &item.title, least) => None,
        Some(title) => Some(format!("{} ({}): told as {title:?}", item.token, item.kind)),
    };
    items.iter().filter_map(fault).collect()
}

/// In how many of the 17 planes of Unicode a text has characters, as a set of bits.
pub(crate) fn planes_of(text: &str) -> u32 {
    text.chars().fold(0, |planes, c| planes | 1 << (u32::from(c) >> 16))
}

fn item(number: usize, stream: u64, random: &mut Random) -> Item {
    let (kind, make, is_long) = KINDS[number % KINDS.len()];
    let token = format!("t{stream}x{number:04}");
    let made = make(random);
    let title = match (is_long, (number / KINDS.len()).is_multiple_of(2)) {
        // What begins a headline begins a line of the mail, too.
        (false, true) => format!("{made} marker story {token} {}", word(random)),
        (_, _) => format!("marker story {token} {made}"),
    };
    // One text in three repeats the headline, to be quoted as a sentence that matched.
    let quoted = if number.is_multiple_of(3) { &made } else { "" };
    let (before, after) = (words(50, random), words(50, random));
    let text = format!("{before}. The marker {token} {quoted} is told. {after}.");
    Item { link: link(number, &token, random), token, kind, title, text }
}

/// Every seventh is too long for a line of a mail.
fn link(number: usize, token: &str, random: &mut Random) -> String {
    let length = if number.is_multiple_of(7) { 120 } else { 2 };
    let parts: Vec<String> =
        (0..length).map(|_| format!("{}={}", word(random), word(random))).collect();
    format!("https://news.example.org/{token}/%E9%9B%BB.=-_~?{}", parts.join("&"))
}

fn word(random: &mut Random) -> String {
    (0..3).map(|_| random.choose(&CONSONANTS).to_owned() + random.choose(&VOWELS)).collect()
}

fn words(count: usize, random: &mut Random) -> String {
    let words: Vec<String> = (0..count).map(|_| word(random)).collect();
    words.join(" ")
}

fn one_of(letters: &str, random: &mut Random) -> char {
    let at = random.below(letters.chars().count() as u64);
    letters.chars().nth(usize::try_from(at).unwrap()).unwrap()
}

/// A character from a range, both ends included; surrogates are none.
fn between(first: u32, last: u32, random: &mut Random) -> char {
    loop {
        let code = first + u32::try_from(random.below(u64::from(last - first) + 1)).unwrap();
        if let Some(c) = char::from_u32(code) {
            return c;
        }
    }
}

fn repeated(count: usize, random: &mut Random, make: fn(&mut Random) -> char) -> String {
    (0..count).map(|_| make(random)).collect()
}

/// Three characters of each plane, assigned or not, and those that are none.
fn planes(random: &mut Random) -> String {
    let mut text = String::new();
    for plane in 0..=16 {
        let first = (plane << 16).max(0x21);
        text.extend((0..3).map(|_| between(first, (plane << 16) + 0xffff, random)));
        text.extend(char::from_u32((plane << 16) + 0xfffe));
    }
    text + &word(random)
}

fn controls(random: &mut Random) -> String {
    let codes = (0..0x20).chain(0x7f..=0x9f).chain([0xad, 0x200b, 0x2028, 0x2029, 0xfeff]);
    let mut text = String::new();
    for c in codes.filter_map(char::from_u32) {
        text += &format!("{}{c}", word(random));
    }
    text
}

fn injected_header(random: &mut Random) -> String {
    let ends = ["\r\n", "\n", "\r", "\r\n\r\n", "\u{2028}", "\u{85}", "\0\r\n", "%0d%0a", "\\r\\n"];
    let headers = ["Bcc", "To", "Subject", "From", "Content-Type", "X-Evil", "Resent-To"];
    let (end, header) = (random.choose(&ends), random.choose(&headers));
    let (end, header) = (end, format!("{header}: {ADDRESS}"));
    format!("{}{end}{header}{end} {header}{end}{end}{}", word(random), words(3, random))
}

/// Families, flags and skins: sequences that are one letter each to their readers.
fn emoji(random: &mut Random) -> String {
    let all = ["👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🇺🇳", "👍🏿", "❤️‍🔥", "1️⃣", "🌊"];
    let mut text = String::new();
    while text.chars().count() < 2_000 {
        text += random.choose(&all);
    }
    text
}

fn right_to_left(random: &mut Random) -> String {
    let marks = ["\u{202e}", "\u{202d}", "\u{2066}", "\u{2067}", "\u{200f}", "\u{61c}", "\u{200e}"];
    let (first, last) = (random.choose(&marks), random.choose(&marks));
    let hebrew = repeated(20, random, |random| between(0x5d0, 0x5ea, random));
    let arabic = repeated(30, random, |random| between(0x627, 0x63a, random));
    format!("{first}{hebrew} {}{last}gpj.exe {arabic}{first} (12)", word(random))
}

fn dots(random: &mut Random) -> String {
    let starts =
        [".", "..", ".\r\n", "\r\n.\r\n", "\n.\n", ".\r\nMAIL FROM:<a@b>\r\n", "\r\n..\r\n"];
    let (first, last) = (random.choose(&starts), random.choose(&starts));
    format!("{first}{last} {} {last}{}{}", word(random), word(random), " .".repeat(60))
}

/// Decoded they would be line breaks, or letters in a character set that is none. Some are hidden
/// behind characters that are dropped later.
fn encoded_words(random: &mut Random) -> String {
    let all = [
        "=?utf-8?q?=0D=0ABcc:_evil=40example.net?=",
        "=?utf-8?b?DQpCY2M6IGV2aWxAZXhhbXBsZS5uZXQ=?=",
        "=?iso-8859-1?Q?=A4?= =?none?x?y?=",
        "=?utf-8?q?broken",
        "=\u{ad}?utf-8?q?=0D=0AX:_y?=",
        "=\u{202e}?utf-8?q?=0D=0AX:_y?=",
        "=\u{0}?utf-8?q?=0D=0AX:_y?=",
        "=?=?=?= ?= =?",
    ];
    let (first, last) = (random.choose(&all), random.choose(&all));
    format!("{first} {} é {last}{}", word(random), word(random))
}

fn quotes(random: &mut Random) -> String {
    let all = ["\"", "\\\"", "'", "“", "«", "`", "\\", "\"\\"];
    let (first, last) = (random.choose(&all), random.choose(&all));
    format!("{first}{}{last} <{ADDRESS}>, (comment{last} [x]; @:,{first}", word(random))
}

fn markup(random: &mut Random) -> String {
    let all = [
        "<script>alert(1)</script>",
        "<img src=\"http://203.0.113.9/pixel.gif\" onerror='alert(1)'>",
        "</title></h1></a><script src=//example.net></script>",
        "\" onmouseover=\"alert(1)",
        "<a href=\"javascript:alert(1)\">x</a>",
        "&lt;script&gt; &#60;b&#62; &amp;amp;",
        "<!-- <style>@import 'http://example.net'</style> -->",
        "]]><![CDATA[<iframe src='http://example.net'>",
    ];
    let (first, last) = (random.choose(&all), random.choose(&all));
    format!("{first}{} {last}", word(random))
}

fn written_surrogates(random: &mut Random) -> String {
    format!("\\ud83d {}\\uDE00 &#xD800; &#55357; %ED%A0%80 \\u0000 \\x00", word(random))
}

fn accents(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..12 {
        text.push(one_of("aeiouAEIOU", random));
        text.extend((0..12).map(|_| between(0x300, 0x36f, random)));
    }
    text + &word(random)
}

fn template(random: &mut Random) -> String {
    format!("{{{{ 7*7 }}}} {{% for x in y %}} {} {{# x #}} ${{HOME}} %s %n", word(random))
}

fn mime(random: &mut Random) -> String {
    let boundary = "--boundary\r\nContent-Type: text/html\r\n\r\n<b>x</b>\r\n--boundary--\r\n";
    format!("{boundary}From {} \n>From me =3D =\r\n begin 644 x", word(random))
}
