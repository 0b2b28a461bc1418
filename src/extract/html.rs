//! HTML to readable text by the tokenizer of the HTML standard: entities
//! resolved once, tags gone, block elements as paragraph breaks.
//!
//! Not an article extractor: it keeps every visible word it is given.

use std::cell::{Cell, RefCell};

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use super::plain::{Folder, paragraphs};

/// The visible text of an HTML fragment; paragraphs are divided by one `\n`.
///
/// Scripts, styles, comments and templates leave nothing. Text without any
/// markup is folded like plain text.
pub fn html_to_text(html: &str) -> String {
    if !html.contains(['<', '&']) {
        return paragraphs(html);
    }
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    let tokenizer = Tokenizer::new(TextSink::default(), TokenizerOpts::default());
    // `feed` pauses after a script element; the rest must still be read.
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink.text.take().finish()
}

#[derive(Default)]
struct TextSink {
    text: RefCell<Folder>,
    /// Depth inside elements whose content nobody sees.
    hidden: Cell<u32>,
}

impl TokenSink for TextSink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::CharacterTokens(run) if self.hidden.get() == 0 => {
                let mut text = self.text.borrow_mut();
                run.chars().for_each(|c| text.push(c));
            }
            Token::TagToken(tag) => return self.tag(&tag),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl TextSink {
    fn tag(&self, tag: &Tag) -> TokenSinkResult<()> {
        let name = tag.name.as_ref();
        let opens = tag.kind == TagKind::StartTag;
        match name {
            "script" | "style" if opens => {
                self.hidden.set(self.hidden.get() + 1);
                let kind = if name == "script" { RawKind::ScriptData } else { RawKind::Rawtext };
                return TokenSinkResult::RawData(kind);
            }
            // An end tag without a start hides nothing.
            "script" | "style" => self.hidden.set(self.hidden.get().saturating_sub(1)),
            "br" | "hr" => self.text.borrow_mut().push('\n'),
            "td" | "th" => self.text.borrow_mut().push(' '),
            _ if is_block(name) => self.text.borrow_mut().break_paragraph(),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// Elements that begin and end on a line of their own (HTML standard,
/// section 15.3 "Flow content").
fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "center"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hgroup"
            | "html"
            | "legend"
            | "li"
            | "main"
            | "nav"
            | "ol"
            | "p"
            | "pre"
            | "search"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "tfoot"
            | "thead"
            | "title"
            | "tr"
            | "ul"
    )
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
    }

    #[test]
    fn broken_markup_still_gives_its_words() {
        check("a <b unclosed", "a");
        check("x < y and y > z", "x < y and y > z");
        check("&#0;&#x1b;ok&#xD83D;", "\u{fffd}ok\u{fffd}");
    }
}
