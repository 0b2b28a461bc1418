//! HTML to readable text: entities resolved once, tags gone, block elements as
//! paragraph breaks, nothing that a reader would not see.
//!
//! Two tokenizers, one result: `scan` reads ordinary markup fast and gives up
//! on anything unusual; then html5ever, the tokenizer of the HTML standard,
//! reads all of it again.
//!
//! Not an article extractor: it keeps every visible word it is given.

mod scan;
mod sink;

use std::cell::RefCell;

use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};

use super::plain::paragraphs;
use crate::markup::tokenize;
use sink::{Element, Text};

/// The visible text of an HTML fragment; paragraphs are divided by one `\n`.
///
/// Scripts, styles, comments, frames, buttons, lists to select from and hidden
/// elements leave nothing. Text without any markup is folded like plain text.
pub fn html_to_text(html: &str) -> String {
    if memchr::memchr2(b'<', b'&', html.as_bytes()).is_none() {
        return paragraphs(html);
    }
    scan::text(html).unwrap_or_else(|| by_the_standard(html))
}

/// The same by html5ever, whatever the markup.
fn by_the_standard(html: &str) -> String {
    tokenize(html, Sink::default()).text.take().finish()
}

#[derive(Default)]
struct Sink {
    text: RefCell<Text>,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::CharacterTokens(run) => self.text.borrow_mut().push(&run),
            Token::TagToken(tag) => return self.tag(&tag),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Sink {
    fn tag(&self, tag: &Tag) -> TokenSinkResult<()> {
        let name = tag.name.as_ref();
        let mut text = self.text.borrow_mut();
        if tag.kind == TagKind::EndTag {
            text.end(name);
            return TokenSinkResult::Continue;
        }
        let hidden = tag
            .attrs
            .iter()
            .any(|attribute| sink::hides(attribute.name.local.as_ref(), &attribute.value));
        text.start(Element { name, hidden, closed: tag.self_closing });
        match name {
            // `<script/>` is what XML writes for an empty element.
            _ if tag.self_closing => TokenSinkResult::Continue,
            "script" => TokenSinkResult::RawData(RawKind::ScriptData),
            "style" => TokenSinkResult::RawData(RawKind::Rawtext),
            _ => TokenSinkResult::Continue,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, expected: &str) {
        assert_eq!(html_to_text(html), expected, "{html:?}");
    }

    #[test]
    fn tags_go_and_entities_are_resolved_once() {
        check("A <b>bold</b> &amp; title", "A bold & title");
        check("AT&amp;amp;T", "AT&amp;T");
        check("caf&eacute;&nbsp;&mdash; 5 &lt; 6", "café — 5 < 6");
        check("bare & stays, &nosuch; too", "bare & stays, &nosuch; too");
        check("un<wbr>broken <i>w</i>ord", "unbroken word");
    }

    #[test]
    fn blocks_become_paragraphs_and_breaks_become_spaces() {
        check("<p>One\n two</p>\n<p>three<br>four</p>", "One two\nthree four");
        check("<ul><li>a</li><li>b</li></ul>", "a\nb");
        check("<td>1</td><td>2</td>", "1 2");
    }

    #[test]
    fn scripts_styles_and_comments_leave_nothing() {
        check("a<script>if (1 < 2) document.write('<p>x')</script>b", "ab");
        check("a<style>p { color: red }</style> b", "a b");
        check("a<!-- hidden -->b", "ab");
        check("a<script>never closed", "a");
        check("</script>a", "a");
        check("<div hidden>a<script>var b;", "a");
        check("<div hidden>a<script><p></script>&copy b", "a© b");
    }

    #[test]
    fn broken_markup_still_gives_its_words() {
        check("a <b unclosed", "a");
        check("x < y and y > z", "x < y and y > z");
        check("&#0;&#x1b;ok&#xD83D;", "\u{fffd}ok\u{fffd}");
    }

    #[test]
    fn what_nobody_sees_leaves_nothing() {
        check("a <button>Subscribe</button> b", "a b");
        check("a<iframe src='x'>no frames</iframe>b", "ab");
        check("a <noscript><img> no scripts</noscript> b", "a b");
        check("a<p hidden>x</p>b", "a\nb");
        check("a<div style='color:red; DISPLAY : none !important'>x<div>y</div>z</div>b", "a\nb");
        check("a <span aria-hidden=true>x</span>b", "a b");
        check("a <span aria-hidden=\"false\">x</span>b", "a xb");
        check("<p hidden>x<p>seen", "seen");
        check("<figure><img><figcaption>A caption</figcaption></figure>b", "A caption\nb");
        check("a<svg><title>icon</title></svg> b<iframe/> c", "a b c");
    }

    #[test]
    fn what_is_hidden_without_an_end_is_shown() {
        check("a <span hidden>b<p>c", "a b\nc");
        check("a <noscript>b", "a b");
    }

    #[test]
    fn two_breaks_end_a_paragraph() {
        check("a<br><br>b<br/>c", "a\nb c");
    }

    proptest::proptest! {
        #[test]
        fn both_tokenizers_read_the_same(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec![
                    "<p>", "</p>", "<b>", "word", " ", "é", "日本", "\u{a0}", "\n", "&amp;", "&#8217;",
                    "&#x2014;", "&nbsp;", "&", "&lt;", "&copy", "&nosuch;", "<br/>", "<br>", "<", ">",
                    "/", "=", "\"", "'", "<a href=\"x>y\">", "<a href=x/>", "<a b=c d>", "</a >",
                    "<img src='a' alt='b>c'/>", "<!-- c -->", "<!-->", "<!--", "--!>", "<!doctype html>",
                    "<?xml?>", "<script>", "</script>", "<script src=x>", "<style>", "</style>", "var a<b;",
                    "<div hidden>", "</div>", "<DIV>", "<div style='display:none'>", "<iframe>",
                    "</iframe>", "<svg/>", "<input value=a", "</", "</3", "<x\0y>", "\u{200b}", "\r\n",
                ]),
                0..16,
            ),
        ) {
            let html = pieces.concat();
            if let Some(fast) = scan::text(&html) {
                proptest::prop_assert_eq!(fast, by_the_standard(&html), "{}", html);
            }
        }

        #[test]
        fn no_markup_makes_it_panic(html in "[<>/a-z&;#x0-9 \"'=!\\[\\]é-]{0,80}") {
            let _ = html_to_text(&html);
            if let Some(fast) = scan::text(&html) {
                proptest::prop_assert_eq!(fast, by_the_standard(&html), "{}", html);
            }
        }
    }
}
