//! What sites add to every article, taken out of an entry's body:
//! advertisement marks, buttons, comment boxes, "read more".
//!
//! Only a paragraph that is nothing else may go, or the end of the last one
//! after its last sentence. In doubt it stays: an odd line costs a reader a
//! second, a lost sentence may cost an alert.

mod phrases;

use phrases::{ANYWHERE, AT_THE_END, BUTTONS, LEADS_ON, THINGS};

/// Bytes of the longest paragraph that can be boilerplate.
const LONGEST: usize = 300;

/// A text, its paragraphs divided by `\n`, without the paragraphs that are no
/// part of the article. What stays is unchanged, but that the last paragraph
/// may lose its "read more".
pub fn without_boilerplate(mut text: String) -> String {
    let first = text.split('\n').any(is_widget);
    if first {
        let kept: Vec<&str> = text.split('\n').filter(|paragraph| !is_widget(paragraph)).collect();
        text = kept.join("\n");
    }
    // Each cut may uncover another: "Read more" under "Comments".
    for _ in 0..10 {
        let last = text.rfind('\n').map_or(0, |at| at + 1);
        let paragraph = &text[last..];
        let keep = if leads_on(paragraph) { 0 } else { without_tail(paragraph).len() };
        if keep == paragraph.len() {
            break;
        }
        text.truncate(if keep == 0 { last.saturating_sub(1) } else { last + keep });
    }
    text
}

/// A paragraph in lower case without the signs around it, if it is short.
fn bare(paragraph: &str) -> Option<String> {
    (paragraph.len() <= LONGEST).then(|| trim_signs(paragraph).to_lowercase())
}

fn trim_signs(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphanumeric())
}

/// Bytes of the longest word that a button can hold, with signs around it.
const LONGEST_BUTTON: usize = 24;

/// Whether a paragraph's length, first letters and words allow a widget: most
/// paragraphs of news are told apart here, before anything is copied.
fn may_be_a_widget(paragraph: &str) -> bool {
    const LONGEST_PHRASE: usize = 80;
    const BEGINNINGS: [&str; 12] = [
        "advertisement",
        "bookmark",
        "click to",
        "email",
        "follow",
        "get our",
        "print",
        "save",
        "share",
        "sign up",
        "subscribe",
        "tweet",
    ];
    if paragraph.len() <= LONGEST_PHRASE || paragraph.len() > LONGEST {
        return paragraph.len() <= LONGEST;
    }
    let start = paragraph.trim_start_matches(|c: char| !c.is_alphanumeric()).as_bytes();
    let begins = |with: &&str| {
        start.get(..with.len()).is_some_and(|bytes| bytes.eq_ignore_ascii_case(with.as_bytes()))
    };
    BEGINNINGS.iter().any(begins) || start.split(u8::is_ascii_whitespace).take(4).all(is_button)
}

/// Whether a word of a text is a button's; signs around it do not matter.
fn is_button(word: &[u8]) -> bool {
    let Ok(word) = std::str::from_utf8(word) else { return true };
    let parts = word.split(['|', '·', '/', '•']).map(trim_signs);
    parts.filter(|part| !part.is_empty()).all(|part| {
        part.len() <= LONGEST_BUTTON && BUTTONS.binary_search(&part.to_lowercase().as_str()).is_ok()
    })
}

/// Whether a paragraph is an advertisement's mark, a button or a form's title.
fn is_widget(paragraph: &str) -> bool {
    if !may_be_a_widget(paragraph) {
        return false;
    }
    let Some(text) = bare(paragraph) else { return false };
    if ANYWHERE.binary_search(&text.as_str()).is_ok() {
        return true;
    }
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || matches!(c, '|' | '·' | '/' | '•')).collect();
    let words: Vec<&str> = words.into_iter().map(trim_signs).filter(|w| !w.is_empty()).collect();
    // What is said about an advertisement is a sentence with a verb; what it
    // says itself is this.
    let scroll = text.starts_with("advertisement") && text.ends_with("scroll to continue");
    scroll && words.len() <= 6
        || is_button_row(&words)
        || is_button_for(&words)
        || is_newsletter(&text, words.len())
        || is_comment_count(&words)
}

/// `Share Tweet Email`, `Facebook Twitter LinkedIn`.
fn is_button_row(words: &[&str]) -> bool {
    let verbs = words.iter().any(|word| matches!(*word, "share" | "tweet" | "print" | "email"));
    words.len() >= if verbs { 2 } else { 3 }
        && words.len() <= 20
        && words.iter().all(|word| BUTTONS.binary_search(word).is_ok())
}

/// `Share this article`, `Share on Facebook`, `Email this story to a friend`,
/// `Click to share on X (Opens in new window)`.
fn is_button_for(words: &[&str]) -> bool {
    let target =
        |word: &&str| BUTTONS.binary_search(word).is_ok() || *word == "a" || *word == "friend";
    let verb =
        |word: &str| matches!(word, "share" | "email" | "print" | "tweet" | "save" | "bookmark");
    match words {
        ["click", "to", rest @ .., "opens", "in", "new", "window"] => rest.len() <= 8,
        [first, "this", thing, rest @ ..] if verb(first) && THINGS.contains(thing) => match rest {
            [] => true,
            ["on" | "via" | "to" | "with", targets @ ..] => targets.iter().all(target),
            _ => false,
        },
        [first, "on" | "via", targets @ ..] if verb(first) || *first == "follow" => {
            !targets.is_empty() && targets.iter().all(target)
        }
        ["follow", "us", "on", targets @ ..] => !targets.is_empty() && targets.iter().all(target),
        _ => false,
    }
}

/// `Sign up for our weekly newsletter`; a sentence about one has more to say.
fn is_newsletter(text: &str, words: usize) -> bool {
    let begins = ["sign up for our ", "sign up to our ", "subscribe to our ", "get our "];
    let ends = [" newsletter", " newsletters", " newsletter here", " newsletter today"];
    words <= 10
        && !text.contains(['.', ',', ';'])
        && begins.iter().any(|begin| text.starts_with(begin))
        && ends.iter().any(|end| text.ends_with(end))
}

/// `12 comments`.
fn is_comment_count(words: &[&str]) -> bool {
    let noun = |word: &str| {
        matches!(
            word,
            "comment" | "comments" | "commentaires" | "kommentare" | "comentarios" | "комментариев"
        )
    };
    match words {
        [count, word] => count.bytes().all(|b| b.is_ascii_digit()) && noun(word),
        _ => false,
    }
}

/// Whether a last paragraph only leads to the rest of the article.
fn leads_on(paragraph: &str) -> bool {
    let Some(text) = bare(paragraph) else { return false };
    if AT_THE_END.binary_search(&text.as_str()).is_ok() || is_footer(&text) {
        return true;
    }
    // Dots inside are sentences, or the name of a site.
    let sentences = text.contains(". ") || text.contains(['!', '?']);
    let words = text.split_whitespace().count();
    let fits = |(begin, most): &(&str, usize)| words <= *most && text.starts_with(begin);
    !sentences && LEADS_ON.iter().any(fits)
}

/// WordPress' `The post X appeared first on Y.`
fn is_footer(lower: &str) -> bool {
    lower.starts_with("the post ") && lower.contains(" appeared first on ")
        || lower.starts_with("l’article ") && lower.contains(" est apparu en premier sur ")
        || lower.starts_with("der beitrag ") && lower.contains(" erschien zuerst auf ")
        || lower.starts_with("la entrada ") && lower.contains(" se publicó primero en ")
        || lower.starts_with("l'articolo ") && lower.contains(" proviene da ")
}

/// The paragraph without what stands after its last sentence: `… Read more`,
/// `[…]`, `The post X appeared first on Y.`
fn without_tail(paragraph: &str) -> &str {
    for cut in ["[…]", "[...]", "[&#8230;]", "[&hellip;]", "(more…)", "(more...)"] {
        if let Some(rest) = paragraph.strip_suffix(cut) {
            return rest.trim_end();
        }
    }
    if let Some(at) = paragraph.rfind(" The post ")
        && paragraph.len() - at <= LONGEST
        && ends_sentence(&paragraph[..at])
        && is_footer(&paragraph[at + 1..].to_lowercase())
    {
        return &paragraph[..at];
    }
    let trimmed = paragraph.trim_end_matches(|c: char| !c.is_alphanumeric());
    let Some(last) = trimmed.chars().next_back() else { return paragraph };
    let ends = |phrase: &str| {
        phrase.chars().next_back().is_some_and(|end| last.to_lowercase().last() == Some(end))
    };
    let phrases = AT_THE_END.iter().filter(|phrase| phrase.contains(' ') || phrase.len() > 8);
    for phrase in phrases.filter(|phrase| ends(phrase)) {
        let Some((at, _)) = trimmed.char_indices().rev().nth(phrase.chars().count() - 1) else {
            continue;
        };
        let same = trimmed.is_char_boundary(at) && trimmed[at..].to_lowercase() == **phrase;
        let before =
            paragraph[..at].trim_end_matches([' ', '(', '[', '-', '–', '—', '>', '»', '|']);
        if same && ends_sentence(before) {
            return before;
        }
    }
    paragraph
}

fn ends_sentence(text: &str) -> bool {
    text.trim_end().ends_with(['.', '!', '?', '…', '”', '"', '»', ']', '。', '！', '？'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(without_boilerplate(text.to_string()), expected, "{text:?}");
    }

    proptest! {
        #[test]
        fn a_long_row_of_buttons_goes_too(
            picks in proptest::collection::vec(0..BUTTONS.len(), 10..20),
            sign in prop_oneof![Just(" "), Just(" | "), Just(" / ")],
        ) {
            let row: Vec<&str> = picks.iter().map(|pick| BUTTONS[*pick]).collect();
            check(&row.join(sign).to_uppercase(), "");
        }
    }

    #[test]
    fn the_lists_are_sorted_so_that_they_can_be_searched() {
        for list in [&ANYWHERE[..], &AT_THE_END, &BUTTONS, &THINGS] {
            let unsorted = list.windows(2).find(|pair| pair[0] >= pair[1]);
            assert_eq!(unsorted, None);
        }
        assert!(LEADS_ON.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn marks_buttons_and_boxes_go_wherever_they_stand() {
        for line in [
            "Advertisement",
            "ADVERTISEMENT",
            "— Advertisement —",
            "Advertisement - scroll to continue",
            "[Sponsored]",
            "Anzeige",
            "Publicité",
            "PUBLICIDAD",
            "Реклама",
            "广告",
            "Share",
            "Share this article",
            "Share this story on Facebook",
            "Share on Twitter",
            "Share via WhatsApp",
            "Tweet | Email | Print",
            "Facebook Twitter LinkedIn",
            "Click to share on Facebook (Opens in new window)",
            "Leave a comment",
            "12 Comments",
            "Comments are closed.",
            "Sign up for our newsletter!",
            "Sign up for our weekly politics newsletter",
        ] {
            check(&format!("First.\n{line}\nLast."), "First.\nLast.");
        }
    }

    #[test]
    fn a_sentence_of_news_stays() {
        for line in [
            "Advertisement spending fell 4 % in March.",
            "Print media share prices rose.",
            "Share prices fell.",
            "Facebook",
            "X",
            "Photo: Jane Doe / Getty Images",
            "Sign up for our army, the general told students, and get a newsletter.",
            "Read more than one book, he said.",
            "12 comments were removed by the ministry.",
            "Follow us on the road to Kyiv.",
            "The post office appeared first on the list of targets, police said.",
            "Email this week was down at the ministry.",
            "More",
        ] {
            check(&format!("First.\n{line}\nLast."), &format!("First.\n{line}\nLast."));
        }
    }

    #[test]
    fn the_end_loses_what_leads_to_the_rest() {
        for tail in [
            "Read more",
            "Read more…",
            "Read more »",
            "Continue reading A title of a story",
            "Continue reading “A title” →",
            "Read the full article at Example News",
            "Lire la suite",
            "Weiterlesen …",
            "Читать далее",
            "阅读全文",
            "The post A title. With dots appeared first on Example.",
            "[…]",
            "Comments",
        ] {
            check(&format!("First.\n{tail}"), "First.");
            check(&format!("First.\n{tail}\nAdvertisement\nShare"), "First.");
        }
        check("A minister said so. Read more", "A minister said so.");
        check("A minister said so. [Read more...]", "A minister said so.");
        check("A minister said that […]", "A minister said that");
        check("It is over. The post A title appeared first on Example.", "It is over.");
        check("He asked the pupils to read more", "He asked the pupils to read more");
        check("Read more\nIt goes on.", "Read more\nIt goes on.");
    }

    proptest! {
        #[test]
        fn what_stays_are_paragraphs_of_the_text(
            lines in prop::collection::vec(
                prop::sample::select(vec![
                    "Advertisement", "A sentence.", "Read more", "[…]", "Share Tweet", "x […]",
                    "Done. Read more", "12 comments", "é", "İ Read more",
                ]),
                0..8,
            ),
        ) {
            let text = lines.join("\n");
            let kept = without_boilerplate(text.clone());
            let mut all = text.split('\n');
            for paragraph in kept.split('\n').filter(|paragraph| !paragraph.is_empty()) {
                prop_assert!(all.any(|line| line.starts_with(paragraph)), "{paragraph}");
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}") {
            let _ = without_boilerplate(text);
        }
    }
}
