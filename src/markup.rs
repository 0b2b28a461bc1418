//! The tokenizer of the HTML standard, with a bound on its work. Pure.
//!
//! It compares each attribute of a tag with all before it, so that a tag with a
//! million of them would keep a processor busy for an hour.

use std::cell::Cell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// Comparisons of attributes that one text may cost: some 2,000 attributes of a
/// tag, or two milliseconds.
const MOST_COMPARISONS: u64 = 2_000_000;
/// The first ones of a tag cost nothing to speak of.
const FEW: u64 = 64;
/// Bytes of a step at the most.
const STEP: usize = 512;
/// What ends a tag, and what only looks like one: a comment.
const END: &str = "-->";

/// Reads a text to its end, as [`by_steps`] feeds it.
pub(crate) fn tokenize<S: TokenSink>(html: &str, sink: S) -> S {
    let sink = Watched { sink, told: Cell::new(Told::Nothing) };
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let input = BufferQueue::default();
    by_steps(html, |step, _| {
        input.push_back(StrTendril::from_slice(step));
        // `feed` pauses after a script element; the rest must still be read.
        while !input.is_empty() {
            let _ = tokenizer.feed(&input);
        }
        Some(tokenizer.sink.told.replace(Told::Nothing))
    });
    tokenizer.end();
    tokenizer.sink.sink
}

/// Feeds a tokenizer. Once the tags of the text have cost too much, those of
/// many attributes are cut short; what follows them is fed all the same. The
/// same text is always fed in the same way. `feed` gives the most of what the
/// tokenizer told of meanwhile, or nothing to stop; it is given how many
/// attributes there were so far. Whether all was fed.
pub(crate) fn by_steps(html: &str, mut feed: impl FnMut(&str, u64) -> Option<Told>) -> bool {
    let (mut rest, mut cost) = (html, Cost::default());
    while !rest.is_empty() {
        let (step, after) = next_step(rest);
        let Some(told) = feed(step, cost.attributes) else { return false };
        cost.add(step, told);
        rest = after;
        if cost.comparisons > MOST_COMPARISONS
            && let Some(end) = cost.cut()
        {
            if feed(&end, cost.attributes).is_none() {
                return false;
            }
            rest = memchr::memchr(b'>', rest.as_bytes()).map_or("", |at| &rest[at + 1..]);
        }
    }
    true
}

/// What is fed at once, and the rest: whatever begins with `<` begins a step.
/// The text must not be empty.
fn next_step(text: &str) -> (&str, &str) {
    let end = text.ceil_char_boundary(STEP.min(text.len()));
    let end = memchr::memchr(b'<', &text.as_bytes()[1..end]).map_or(end, |at| at + 1);
    text.split_at(end)
}

fn begins_tag(step: &str) -> bool {
    let name = step.strip_prefix('<').map(|rest| rest.strip_prefix('/').unwrap_or(rest));
    name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// What the tags of a text cost a tokenizer that is fed by steps.
#[derive(Debug, Default)]
struct Cost {
    /// Attributes compared with one before them in their tag.
    comparisons: u64,
    /// Attributes of all tags.
    attributes: u64,
    open: Option<Attributes>,
}

impl Cost {
    /// Counts a step that was fed; `told` is the most of what the tokenizer
    /// told of meanwhile.
    fn add(&mut self, step: &str, told: Told) {
        let begins = || begins_tag(step).then(Attributes::default);
        // A tag is told when it is whole, and text before the tag that follows.
        let tag = match (told, self.open.take()) {
            (Told::Text, _) | (_, None) => begins(),
            (_, open) => open,
        };
        let Some(mut tag) = tag else { return };
        let before = tag.count;
        self.comparisons += tag.read(step);
        self.attributes += tag.count - before;
        // At its end it would have been told: then it was something else.
        self.open = Some(tag).filter(|tag| told != Told::Markup && tag.at != At::End);
    }

    /// Gives up the open tag if it has many attributes: what ends it.
    fn cut(&mut self) -> Option<String> {
        let tag = self.open.take_if(|tag| tag.count >= FEW)?;
        let quote = if let At::Quoted(quote) = tag.at {
            String::from(char::from(quote))
        } else {
            String::new()
        };
        Some(quote + END)
    }
}

/// Where in a tag one is (HTML standard, sections 13.2.5.8 to 13.2.5.40).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    TagName,
    Between,
    Name,
    AfterName,
    BeforeValue,
    Bare,
    Quoted(u8),
    End,
}

/// The attributes of an open tag, counted.
#[derive(Debug, Default)]
struct Attributes {
    at: At,
    count: u64,
}

impl Attributes {
    /// Goes on through the tag, and gives the comparisons that it costs.
    fn read(&mut self, step: &str) -> u64 {
        let mut comparisons = 0;
        let from = if self.at == At::TagName {
            step.len() - step.trim_start_matches(['<', '/']).len()
        } else {
            0
        };
        for byte in &step.as_bytes()[from..] {
            let next = self.at.after(*byte);
            if next == At::Name && self.at != At::Name {
                self.count += 1;
                comparisons += if self.count < FEW { 0 } else { self.count };
            }
            self.at = next;
        }
        comparisons
    }
}

impl At {
    fn after(self, byte: u8) -> Self {
        let is_space = matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c' | b'\r');
        match (self, byte) {
            (Self::Quoted(quote), _) if byte != quote => self,
            (Self::Quoted(_), _) => Self::Between,
            (Self::End, _) | (_, b'>') => Self::End,
            (Self::Bare, _) if !is_space => Self::Bare,
            (Self::BeforeValue, b'"' | b'\'') => Self::Quoted(byte),
            (Self::BeforeValue, _) if is_space => self,
            (Self::BeforeValue, _) => Self::Bare,
            (_, b'/') => Self::Between,
            (Self::Name | Self::AfterName, _) if is_space => Self::AfterName,
            (Self::Name | Self::AfterName, b'=') => Self::BeforeValue,
            (_, _) if is_space => Self::Between,
            (Self::TagName, _) => Self::TagName,
            (_, _) => Self::Name,
        }
    }
}

/// What came of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    /// Nothing, or errors inside of a tag.
    #[default]
    Nothing,
    /// Characters.
    Text,
    /// A tag, a comment or the like, which ended.
    Markup,
}

/// Notes which tokens come.
struct Watched<S> {
    sink: S,
    told: Cell<Told>,
}

impl<S: TokenSink> TokenSink for Watched<S> {
    type Handle = S::Handle;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<S::Handle> {
        let told = match token {
            // A repeated attribute is an error inside of its tag.
            Token::ParseError(_) => Told::Nothing,
            Token::CharacterTokens(_) | Token::NullCharacterToken => Told::Text,
            _ => Told::Markup,
        };
        self.told.set(self.told.get().max(told));
        self.sink.process_token(token, line)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// Names of tags with the number of their attributes, and how much text there was.
    #[derive(Default)]
    struct Seen(RefCell<(Vec<(String, usize)>, usize)>);

    impl TokenSink for Seen {
        type Handle = ();

        fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
            let mut seen = self.0.borrow_mut();
            match token {
                Token::TagToken(tag) => seen.0.push((tag.name.to_string(), tag.attrs.len())),
                Token::CharacterTokens(text) => seen.1 += text.len(),
                _ => {}
            }
            TokenSinkResult::Continue
        }
    }

    fn seen(html: &str) -> (Vec<(String, usize)>, usize) {
        tokenize(html, Seen::default()).0.into_inner()
    }

    #[test]
    fn what_is_ordinary_is_read_to_its_end() {
        let row = "<tr class=\"a b\" id='x'><td>one two</td></tr>\n";
        let (tags, text) = seen(&row.repeat(20_000));
        assert_eq!((tags.len(), text), (80_000, 8 * 20_000));
        assert_eq!(tags[0], ("tr".to_owned(), 2));
        let data = "A+/b".repeat(200_000);
        let long = format!("<img alt='{}' src='data:{data}'>é", "x < y ".repeat(10_000));
        assert_eq!(seen(&long), (vec![("img".to_owned(), 2)], 2));
        let many: String = (0..1_500).map(|n| format!(" a{n}=1")).collect();
        assert_eq!(seen(&format!("<p{many}>x")), (vec![("p".to_owned(), 1_500)], 1));
        let comment = "<!-- <o:p > a 'b \" -->".to_owned() + &"<!-- a b c -->".repeat(20_000);
        assert_eq!(seen(&format!("{comment}<b>x")), (vec![("b".to_owned(), 0)], 1));
        let comment = format!("<!--{}-->", " a b <o:p>c".repeat(20_000));
        assert_eq!(seen(&format!("{comment}<b>x")), (vec![("b".to_owned(), 0)], 1));
    }

    #[test]
    fn attributes_without_number_cost_no_more_than_some() {
        let names = |end: &str| (0..30_000).map(|n| format!(" a{n:x}{end}")).collect::<String>();
        let tight: String = (0..30_000).map(|n| format!("a{n:x}=''")).collect();
        let small: String = (0..30_000).map(|n| format!(" <{n:x}")).collect();
        for many in [names(""), names("=1"), names("/"), names(" b"), names("=' '"), tight, small] {
            for html in [
                format!("<p{many}>x"),
                format!("</p{many}>x"),
                format!("<script>a<b =\"</script><p{many}>x"),
                format!("<!-- <p \" --><p{many}>x"),
                format!("x &am<p{many}>x"),
                format!("x &lt<p{many}>x"),
                format!("x <<p{many}>x"),
            ] {
                let (tags, _) = seen(&html);
                let most = tags.iter().map(|(_, attributes)| *attributes).max().unwrap_or(0);
                assert!(most < 2_600, "{most} in {}", &html[..40]);
                let (tags, _) = seen(&(html.clone() + "<i>the end"));
                assert_eq!(tags.last().unwrap().0, "i", "{}", &html[..40]);
            }
        }
    }
}
