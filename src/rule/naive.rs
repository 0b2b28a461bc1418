//! The meaning of rules straight from its definition, sharing no code with
//! the engine: slow, for a small vocabulary, and only for tests.

use proptest::prelude::*;
use proptest::sample::select;

use crate::model::{FeedName, Field, RuleName, Span};

use super::{Compiled, Item, Lists, Rule, RuleSet};

/// A rule that is evaluated without being parsed.
#[derive(Clone, Debug)]
enum Want {
    /// A small word, with its plural.
    Word(&'static str, &'static str),
    Capitals(&'static str),
    LongCapitals(&'static str, &'static str),
    Exact(&'static str),
    Form(&'static str),
    Prefix(&'static str),
    /// Two words, each with its plural.
    Phrase([(&'static str, &'static str); 2]),
    /// Two parts, joined by a sign.
    Hyphened(&'static str, &'static str, &'static str),
    /// A run of characters that are words by themselves.
    Run(&'static str),
    /// A Hangul word, with what is attached to its end.
    Particled(&'static str),
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    /// Left and right, at most so many words apart, perhaps in this order.
    Near(usize, bool, Box<[Self; 2]>),
    /// The left one without the right one so near.
    Alone(usize, Box<[Self; 2]>),
    /// Both in one paragraph.
    Para(Box<[Self; 2]>),
    Of(usize, Vec<Self>),
    AtLeast(usize, Box<Self>),
    In(Field, Box<Self>),
}

impl Want {
    /// The rule as somebody would write it.
    fn write(&self) -> String {
        let join = |parts: &[Self], operator: &str| {
            let parts: Vec<String> = parts.iter().map(Self::write).collect();
            format!("({})", parts.join(operator))
        };
        match self {
            Self::Word(word, _) | Self::Capitals(word) | Self::LongCapitals(word, _) => {
                (*word).to_owned()
            }
            Self::Run(word) | Self::Particled(word) => (*word).to_owned(),
            Self::Exact(word) => format!("{{{word}}}"),
            Self::Form(word) => format!("={word}"),
            Self::Prefix(word) => format!("{word}*"),
            Self::Phrase([(a, _), (b, _)]) => format!("\"{a} {b}\""),
            Self::Hyphened(a, sign, b) => format!("{a}{sign}{b}"),
            Self::And(parts) => join(parts, " AND "),
            Self::Or(parts) => join(parts, " OR "),
            Self::Not(inner) => format!("(NOT {})", inner.write()),
            Self::Near(words, ordered, pair) => {
                let operator = if *ordered { "PRE" } else { "NEAR" };
                format!("({} {operator}/{words} {})", pair[0].write(), pair[1].write())
            }
            Self::Alone(words, pair) => {
                format!("({} NOT NEAR/{words} {})", pair[0].write(), pair[1].write())
            }
            Self::Para(pair) => format!("({} PARA {})", pair[0].write(), pair[1].write()),
            Self::Of(count, parts) => {
                let parts: Vec<String> = parts.iter().map(Self::write).collect();
                format!("{count} OF ({})", parts.join(", "))
            }
            Self::AtLeast(count, inner) => format!("ATLEAST/{count} {}", inner.write()),
            Self::In(field, inner) => format!("{}:({})", field.as_str(), inner.write()),
        }
    }

    /// Evidence, or `None` when it does not hold.
    fn find(&self, story: &[Piece], fields: &[Field]) -> Option<Vec<Span>> {
        match self {
            Self::And(parts) => {
                let all: Option<Vec<_>> = parts.iter().map(|p| p.find(story, fields)).collect();
                all.map(|spans| spans.concat())
            }
            Self::Or(parts) => {
                let any: Vec<_> = parts.iter().filter_map(|p| p.find(story, fields)).collect();
                (!any.is_empty()).then(|| any.concat())
            }
            Self::Not(inner) => match &**inner {
                // Twice not is left out, so the evidence stays.
                Self::Not(twice) => twice.find(story, fields),
                _ => inner.find(story, fields).is_none().then(Vec::new),
            },
            Self::In(field, inner) => inner.find(story, &[*field]),
            Self::Of(count, parts) => {
                let met: Vec<_> = parts.iter().filter_map(|p| p.find(story, fields)).collect();
                (met.len() >= *count).then(|| met.concat())
            }
            Self::Near(..) | Self::Alone(..) | Self::Para(_) => {
                let of = |field: &Field| {
                    let places = self.pairs(story, *field, false);
                    (!places.is_empty()).then(|| told(story, &places))
                };
                let spans: Vec<_> = fields.iter().filter_map(of).collect();
                (!spans.is_empty()).then(|| spans.concat())
            }
            Self::AtLeast(count, inner) => {
                let of = |field: &Field| {
                    let mut places = inner.places(story, *field);
                    let all = places.clone();
                    places.retain(|(from, to, _)| {
                        !all.iter().any(|(a, b, _)| a <= from && to <= b && (a, b) != (from, to))
                    });
                    places.dedup_by_key(|(from, to, _)| (*from, *to));
                    places
                };
                let places: Vec<_> = fields.iter().map(of).collect();
                let enough = places.iter().map(Vec::len).sum::<usize>() >= *count;
                enough.then(|| places.iter().flat_map(|places| told(story, places)).collect())
            }
            _ => {
                let spans: Vec<Span> = (0..story.len())
                    .filter(|at| fields.contains(&story[*at].span.field))
                    .filter_map(|at| self.at(&story[at..]))
                    .take(8)
                    .collect();
                (!spans.is_empty()).then_some(spans)
            }
        }
    }

    /// Where it stands in a field: first and last piece, and its parts.
    fn places(&self, story: &[Piece], field: Field) -> Vec<Place> {
        let mut places: Vec<Place> = match self {
            Self::Or(parts) => parts.iter().flat_map(|part| part.places(story, field)).collect(),
            Self::Near(..) | Self::Alone(..) | Self::Para(_) => self.pairs(story, field, true),
            _ => {
                let from = (0..story.len()).filter(|at| story[*at].span.field == field);
                from.filter_map(|at| {
                    let end = self.at(&story[at..])?.end;
                    let last = (at..story.len()).find(|at| story[*at].span.end == end)?;
                    Some((at, last, vec![(at, last)]))
                })
                .collect()
            }
        };
        places.sort();
        places.dedup();
        places
    }

    /// The places of two operands together: each left one with every right
    /// one that fits, or with the nearest.
    fn pairs(&self, story: &[Piece], field: Field, all: bool) -> Vec<Place> {
        let (Self::Near(_, _, pair) | Self::Alone(_, pair) | Self::Para(pair)) = self else {
            return Vec::new();
        };
        let paragraph = |at: usize| (0..=at).filter(|at| !story[*at].same_paragraph).count();
        let (left, right) = (pair[0].places(story, field), pair[1].places(story, field));
        let mut found = Vec::new();
        for a in &left {
            let gap = |a: (usize, usize), b: (usize, usize)| {
                b.0.saturating_sub(a.1).max(a.0.saturating_sub(b.1))
            };
            let apart = |b: &&Place| match gap((a.0, a.1), (b.0, b.1)) {
                // One stands between the words of the other, or shares one.
                0 => {
                    let mut gaps = Vec::new();
                    for ours in &a.2 {
                        gaps.extend(b.2.iter().map(|theirs| gap(*ours, *theirs)));
                    }
                    gaps.into_iter().min().unwrap_or(0)
                }
                gap => gap,
            };
            let fits = |b: &&Place| match self {
                Self::Near(words, true, _) => b.0 > a.1 && apart(b) <= *words,
                Self::Near(words, false, _) => apart(b) > 0 && apart(b) <= *words,
                Self::Alone(words, _) => apart(b) <= *words && (a.0, a.1) != (b.0, b.1),
                _ => {
                    apart(b) > 0
                        && [a.1, b.0, b.1].iter().all(|at| paragraph(*at) == paragraph(a.0))
                }
            };
            let mut fitting: Vec<&Place> = right.iter().filter(fits).collect();
            if let Self::Alone(..) = self {
                found.extend(fitting.is_empty().then(|| a.clone()));
                continue;
            }
            fitting.sort_by_key(|b| if all { (0, 0) } else { (apart(b), b.0) });
            fitting.truncate(if all { usize::MAX } else { 1 });
            found.extend(fitting.into_iter().map(|b| {
                let mut parts = [a.2.clone(), b.2.clone()].concat();
                parts.sort();
                parts.dedup();
                (a.0.min(b.0), a.1.max(b.1), parts)
            }));
        }
        found
    }

    /// The evidence that begins with the first piece.
    fn at(&self, pieces: &[Piece]) -> Option<Span> {
        let first = &pieces[0];
        let second = pieces.get(1).filter(|second| second.same_paragraph);
        let small = |piece: &Piece| piece.word.to_lowercase().replace('é', "e");
        let is = |piece: &Piece, (word, plural): (&str, &str)| {
            !piece.dotted && (small(piece) == word || small(piece) == plural)
        };
        let upper = first.word.chars().all(char::is_uppercase);
        let holds = match self {
            Self::Word(word, plural) => is(first, (word, plural)),
            Self::Capitals(word) => {
                let common = ["US", "IT"].contains(word) && first.shouted && !first.dotted;
                first.word == *word && upper && !common
            }
            Self::LongCapitals(word, initial) => first.word == *word || first.word == *initial,
            Self::Exact(word) => first.word == *word && !first.dotted,
            Self::Form(word) => is(first, (word, word)),
            Self::Prefix(word) => !first.dotted && small(first).starts_with(word),
            Self::Particled(word) => first.word.starts_with(word),
            Self::Phrase([a, b]) => {
                let second = second.filter(|second| is(first, *a) && is(second, *b))?;
                return Some(Span { end: second.span.end, ..first.span });
            }
            Self::Hyphened(a, _, b) => {
                let (a, b) = (a.to_lowercase(), b.to_lowercase());
                let plural = format!("{b}s");
                if is(first, (&format!("{a}{b}"), &format!("{a}{plural}"))) {
                    return Some(first.span);
                }
                let second = second.filter(|second| {
                    second.gap.chars().all(|c| " -–/".contains(c))
                        && is(first, (&a, &a))
                        && is(second, (&b, &plural))
                })?;
                return Some(Span { end: second.span.end, ..first.span });
            }
            Self::Run(run) => {
                let mut last = first;
                for (at, wanted) in super::naive::pieces(Field::Title, run).iter().enumerate() {
                    last = pieces.get(at).filter(|piece| {
                        piece.word == wanted.word && (at == 0 || piece.gap.is_empty())
                    })?;
                    if at > 0 && last.span.field != first.span.field {
                        return None;
                    }
                }
                return Some(Span { end: last.span.end, ..first.span });
            }
            _ => false,
        };
        holds.then_some(first.span)
    }
}

/// First and last piece of something, and its parts.
type Place = (usize, usize, Vec<(usize, usize)>);

/// The evidence of the first places.
fn told(story: &[Piece], places: &[Place]) -> Vec<Span> {
    let parts = places.iter().take(8).flat_map(|(.., parts)| parts);
    parts.map(|(from, to)| Span { end: story[*to].span.end, ..story[*from].span }).collect()
}

/// A word of a story.
#[derive(Clone, Debug)]
struct Piece {
    span: Span,
    /// Without the dots of an abbreviation.
    word: String,
    dotted: bool,
    shouted: bool,
    same_paragraph: bool,
    gap: String,
}

/// Han and Kana: each a word.
fn is_han(c: char) -> bool {
    ('\u{4E00}'..='\u{9FFF}').contains(&c) || ('\u{3041}'..='\u{30FF}').contains(&c)
}

/// Thai: a letter and the marks on it are a word.
fn is_thai(c: char) -> bool {
    ('\u{0E01}'..='\u{0E5B}').contains(&c)
}

fn is_hangul(c: char) -> bool {
    ('\u{AC00}'..='\u{D7A3}').contains(&c)
}

fn is_thai_mark(c: char) -> bool {
    matches!(c, '\u{0E31}' | '\u{0E34}'..='\u{0E3A}' | '\u{0E47}'..='\u{0E4E}')
}

/// Words without spaces between them, and words with particles at the end.
fn is_dense(word: &str) -> bool {
    word.chars().all(|c| is_han(c) || is_thai(c) || is_hangul(c))
}

fn pieces(field: Field, text: &str) -> Vec<Piece> {
    let mut found: Vec<Piece> = Vec::new();
    let (mut rest, mut gap) = (text, String::new());
    while let Some(c) = rest.chars().next() {
        let touches = gap.is_empty() && found.last().is_some_and(|piece| !is_dense(&piece.word));
        let length = if rest.starts_with("U.S.") && !touches {
            4
        } else if is_han(c) {
            c.len_utf8()
        } else if is_thai(c) {
            let end = rest.char_indices().skip(1).find(|(_, c)| !is_thai_mark(*c));
            end.map_or(rest.len(), |(end, _)| end)
        } else if is_hangul(c) {
            rest.find(|c: char| !is_hangul(c)).unwrap_or(rest.len())
        } else {
            let ends = |c: char| !c.is_alphanumeric() || is_dense(&c.to_string());
            rest.find(ends).unwrap_or(rest.len())
        };
        if length == 0 {
            gap.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let start = text.len() - rest.len();
        let same_paragraph = !found.is_empty() && !gap.contains('\n');
        found.push(Piece {
            span: Span { field, start, end: start + length },
            word: rest[..length].replace('.', ""),
            dotted: rest[..length].contains('.'),
            shouted: false,
            same_paragraph,
            gap: std::mem::take(&mut gap),
        });
        rest = &rest[length..];
        if found.last().is_some_and(|piece| is_dense(&piece.word)) {
            continue;
        }
        rest = rest.strip_prefix("'s").or_else(|| rest.strip_prefix("’s")).unwrap_or(rest);
    }
    for at in 0..found.len() {
        let upper = |at: usize| {
            let letters = || found[at].word.chars().filter(|c| c.is_alphabetic());
            letters().count() > 0 && letters().all(char::is_uppercase)
        };
        let linked = |at: usize| found[at].same_paragraph && found[at].gap == " ";
        let before = (0..at).rev().take_while(|b| linked(b + 1) && upper(*b)).count();
        let after = (at + 1..found.len()).take_while(|a| linked(*a) && upper(*a)).count();
        found[at].shouted = upper(at) && before + after >= 2;
    }
    found
}

fn want() -> impl Strategy<Value = Want> {
    let word = || {
        select(vec![
            ("talk", "talks"),
            ("ally", "allies"),
            ("clash", "clashes"),
            ("us", "us"),
            ("emile", "emiles"),
            ("москва", "москва"),
            ("الصين", "الصين"),
        ])
    };
    let literal = prop_oneof![
        word().prop_map(|(word, plural)| Want::Word(word, plural)),
        (word(), word()).prop_map(|(a, b)| Want::Phrase([a, b])),
        select(vec!["US", "IT", "PLA", "США"]).prop_map(Want::Capitals),
        Just(Want::LongCapitals("NATO", "Nato")),
        select(vec!["China", "talk", "Émile", "Москва"]).prop_map(Want::Exact),
        select(vec!["china", "talks", "us", "москва"]).prop_map(Want::Form),
        select(vec!["ta", "all", "cla", "мос"]).prop_map(Want::Prefix),
        select(vec!["-", "–", "/"]).prop_map(|sign| Want::Hyphened("F", sign, "16")),
        select(vec!["中", "中国", "国中", "中国军", "カー", "ประ", "ที่นี่"]).prop_map(Want::Run),
        select(vec!["북", "북한"]).prop_map(Want::Particled),
    ];
    let operand = literal.clone().prop_recursive(2, 6, 2, |inner| {
        let pair = || (inner.clone(), inner.clone()).prop_map(|(a, b)| Box::new([a, b]));
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Want::Or),
            (1..5usize, any::<bool>(), pair()).prop_map(|(n, order, p)| Want::Near(n, order, p)),
            (1..4usize, pair()).prop_map(|(n, pair)| Want::Alone(n, pair)),
            pair().prop_map(Want::Para),
        ]
    });
    let placed = prop_oneof![
        literal,
        operand.clone(),
        (1..4usize, operand).prop_map(|(n, inner)| Want::AtLeast(n, Box::new(inner))),
    ];
    placed.prop_recursive(3, 12, 3, |inner| {
        let some = || proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            some().prop_map(Want::And),
            some().prop_map(Want::Or),
            (1..3usize, some()).prop_map(|(n, parts)| Want::Of(n, parts)),
            inner.clone().prop_map(|inner| Want::Not(Box::new(inner))),
            (select(vec![Field::Title, Field::Text]), inner.clone())
                .prop_map(|(field, inner)| Want::In(field, Box::new(inner))),
        ]
    })
}

fn text() -> impl Strategy<Value = String> {
    let words = select(vec![
        "talk",
        "Talk",
        "TALK",
        "talks",
        "Talks",
        "ally",
        "allies",
        "ALLIES",
        "clash",
        "Clashes",
        "us",
        "US",
        "Us",
        "U.S.",
        "IT",
        "it",
        "PLA",
        "pla",
        "NATO",
        "Nato",
        "nato",
        "China",
        "china",
        "CHINA",
        "Émile",
        "emile",
        "F",
        "f",
        "16",
        "16s",
        "F16",
        "f16s",
        "москва",
        "Москва",
        "США",
        "сша",
        "中",
        "国",
        "中国",
        "中国军",
        "スーパーカー",
        "북한",
        "북한은",
        "북",
        "ประเทศ",
        "ที่นี่",
        "الصين",
        "والصين",
        "a",
    ]);
    let endings = select(vec!["", "", "", "'s", "’s"]);
    let signs = select(vec![" ", " ", " ", " ", "-", "–", "/", ", ", ". ", "\n", " - "]);
    proptest::collection::vec((words, endings, signs), 0..14).prop_map(|words| {
        let glue = |(word, ending, sign)| {
            // A possessive only belongs to words; words without spaces touch the next.
            let han = is_dense(word);
            match (han, sign) {
                (true, "-") => word.to_owned(),
                (true, _) => format!("{word}{sign}"),
                (false, _) => format!("{word}{ending}{sign}"),
            }
        };
        words.into_iter().map(glue).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]
    #[test]
    fn the_engine_agrees_with_the_definition(want in want(), title in text(), text in text()) {
        let source = want.write();
        let compiled = match Compiled::new(&source, &Lists::default(), true) {
            Ok((compiled, _)) => compiled,
            Err(errors) => {
                // Only rules that make no sense may be refused.
                for error in errors {
                    prop_assert!(error.message.ends_with("can never match"), "{}: {}", source, error);
                }
                return Ok(());
            }
        };
        let canonical = compiled.canonical();
        let feeds: Option<Vec<FeedName>> = None;
        let rule = Rule { name: RuleName::new("r"), compiled, feeds, languages: Vec::new() };
        let item =
            Item { title: &title, text: &text, feed: "f", lang: Some("en"), ..Item::default() };
        let set = RuleSet::new(vec![rule]);
        let found = set.matches(&item);
        prop_assert_eq!(&found, &set.matches_one_by_one(&item), "{}", source);
        let found = found.into_iter().next();
        let mut story = pieces(Field::Title, &title);
        story.extend(pieces(Field::Text, &text));
        let mut expected = want.find(&story, &[Field::Title, Field::Text]);
        if let Some(spans) = &mut expected {
            spans.sort_by_key(|span| (span.field, span.start, span.end));
            spans.dedup();
            spans.truncate(64);
        }
        prop_assert_eq!(found.map(|m| m.spans), expected, "{} ({})\n{:?}\n{:?}", source, canonical, title, text);
    }
}
