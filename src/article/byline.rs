//! Who signs an article and when it came out, where a page only shows it to
//! its readers: microdata, `rel=author`, names of classes, "By Ida Berg".

use std::collections::HashSet;
use std::sync::LazyLock;

use ego_tree::iter::Edge;
use ego_tree::{NodeId, NodeRef};
use scraper::node::Element;
use scraper::{Html, Node};

use super::{meta, prune, tree};

/// A longer text is no byline, in characters.
const LONGEST: usize = 120;
/// A longer part of one is no name, in characters and in words.
const LONGEST_NAME: usize = 50;
const MOST_WORDS: usize = 5;
/// Names of an article at most.
const MOST_NAMES: usize = 8;
/// Nodes of a byline that are looked at, and bylines.
const NODES: usize = 60;
const MOST_SHOWN: usize = 40;
/// A text run of so many characters is prose; after so many runs of it no line
/// that begins with "By" is a byline.
const PROSE: usize = 100;
const PROSE_BEFORE: usize = 3;

/// What a page shows of an article besides its text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) authors: Vec<String>,
    /// As the page writes it.
    pub(super) published: Option<String>,
}

/// Reads a tree.
pub(super) fn read(tree: &Html) -> Shown {
    let mut reader = Reader::default();
    for edge in tree.tree.root().traverse() {
        match edge {
            Edge::Open(node) => reader.open(node),
            Edge::Close(node) => reader.close(node),
        }
    }
    let authors = [reader.stated, reader.labelled, reader.written].into_iter();
    let authors = authors.map(|names| names.names).find(|names| !names.is_empty());
    Shown { authors: authors.unwrap_or_default(), published: reader.published }
}

/// Names of one byline: prose after it ends it, since another article may follow.
#[derive(Default)]
struct Names {
    names: Vec<String>,
    ended: bool,
}

#[derive(Default)]
struct Reader {
    /// The outermost element around that is beside the article.
    beside: Option<NodeId>,
    /// Runs of prose so far.
    prose: usize,
    /// Bylines looked at so far.
    looked_at: usize,
    headed: bool,
    /// The last text was a word for "by".
    after_by: bool,
    /// By microdata or `rel=author`, by a label, and by "By".
    stated: Names,
    labelled: Names,
    written: Names,
    published: Option<String>,
    /// How sure `published` is; higher is surer.
    surety: u8,
}

impl Reader {
    fn open(&mut self, node: NodeRef<'_, Node>) {
        match node.value() {
            _ if self.beside.is_some() => {}
            Node::Element(element) if is_beside(element) => self.beside = Some(node.id()),
            Node::Element(element) => {
                self.headed |= element.name() == "h1";
                self.date(node, element);
                self.byline(node, element);
            }
            Node::Text(text) => self.text(text.trim()),
            _ => {}
        }
    }

    fn close(&mut self, node: NodeRef<'_, Node>) {
        if self.beside == Some(node.id()) {
            self.beside = None;
        }
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        // "By" and the name, which is a link, are two texts.
        let after_by = std::mem::take(&mut self.after_by);
        if text.len() >= PROSE && text.chars().count() >= PROSE {
            self.prose += 1;
            for names in [&mut self.stated, &mut self.labelled] {
                names.ended |= !names.names.is_empty();
            }
        } else if self.prose <= PROSE_BEFORE
            && self.written.names.is_empty()
            && let Some(signed) = without_by(text).or(after_by.then_some(text))
        {
            self.after_by = signed.is_empty();
            let names = names(signed);
            if names.iter().all(|name| is_full(name)) {
                self.written.names = names;
            }
        }
    }

    fn byline(&mut self, node: NodeRef<'_, Node>, element: &Element) {
        let is_stated = ["itemprop", "rel"].iter().any(|key| {
            element.attr(key).is_some_and(|said| said.split_whitespace().any(|one| one == "author"))
        });
        if self.looked_at >= MOST_SHOWN {
            return;
        }
        let place = if is_stated { &mut self.stated } else { &mut self.labelled };
        if place.ended || !(is_stated || is_labelled(element)) {
            return;
        }
        self.looked_at += 1;
        for name in shown_names(node) {
            let known = place.names.iter().any(|known| known.contains(&name));
            if place.names.len() < MOST_NAMES && !known && is_full(&name) {
                place.names.push(name);
            }
        }
    }

    fn date(&mut self, node: NodeRef<'_, Node>, element: &Element) {
        let is_time = element.name() == "time";
        let is_stated = element.attr("itemprop").is_some_and(|name| name == "datePublished");
        let says_so = || {
            let labels = labels(element).flat_map(prune::words);
            labels.into_iter().any(|word| PUBLISHED.contains(&word.as_str()))
        };
        let surety = match (is_stated, is_time) {
            (true, _) => 3,
            (false, true) if element.attr("pubdate").is_some() || says_so() => 2,
            (false, true) if self.headed => 1,
            _ => return,
        };
        if surety <= self.surety {
            return;
        }
        let stated = ["datetime", "content"].iter().find_map(|key| element.attr(key));
        let date = stated.map(str::to_owned).or_else(|| is_stated.then(|| text(node)));
        if let Some(date) = date.filter(|date| !date.trim().is_empty()) {
            (self.surety, self.published) = (surety, Some(date));
        }
    }
}

/// The names that an element shows: those of its links, or its text's.
fn shown_names(node: NodeRef<'_, Node>) -> Vec<String> {
    let whole = text(node);
    if whole.chars().count() > LONGEST {
        return Vec::new();
    }
    let is_link = |node: &NodeRef<'_, Node>| {
        node.value().as_element().is_some_and(|element| element.name() == "a")
    };
    let links = node.descendants().skip(1).take(NODES).filter(is_link);
    let linked: Vec<String> = links.flat_map(|link| names(&text(link))).collect();
    let linked: Vec<String> = linked.into_iter().filter(|name| is_full(name)).collect();
    if linked.is_empty() { names(without_by(&whole).unwrap_or(&whole)) } else { linked }
}

/// What follows a word for "by" at the beginning of a text.
fn without_by(text: &str) -> Option<&str> {
    const BY: [&str; 16] = [
        "written by",
        "reported by",
        "posted by",
        "story by",
        "words by",
        "by",
        "von",
        "par",
        "por",
        "di",
        "door",
        "av",
        "af",
        "autor:",
        "text:",
        "автор:",
    ];
    let folded = text.to_lowercase();
    BY.iter().find_map(|by| {
        let rest = folded.strip_prefix(by)?;
        let parted =
            rest.is_empty() || by.ends_with(':') || rest.starts_with([' ', ':', '\u{a0}', '\n']);
        // Lowering may change the length of a letter, but not of these.
        let rest = parted.then(|| text.get(by.len()..)).flatten()?;
        Some(rest.trim_start_matches(|c: char| c == ':' || c.is_whitespace()))
    })
}

/// The names in a byline; what follows a date, a bar or a bracket is none.
fn names(text: &str) -> Vec<String> {
    let end =
        |c: char| c.is_numeric() || matches!(c, '|' | '•' | '·' | '(' | '/' | '@' | '—' | '–');
    let cut = text.find(end).unwrap_or(text.len());
    let before_date = text.get(cut..).is_some_and(|rest| rest.starts_with(char::is_numeric));
    let text = text.get(..cut).unwrap_or_default();
    let mut parts: Vec<Vec<&str>> = vec![Vec::new()];
    for word in text.split_whitespace() {
        let bare = word.trim_end_matches([',', ';']);
        if AND.contains(&bare) {
            parts.push(Vec::new());
            continue;
        }
        if let Some(part) = parts.last_mut() {
            part.push(bare);
        }
        if bare.len() < word.len() {
            parts.push(Vec::new());
        }
    }
    let is_month = |word: &&str| MONTHS.contains(word.to_lowercase().trim_matches('.'));
    while before_date && let Some(part) = parts.last_mut() {
        if part.pop_if(|word| is_month(&&**word)).is_none() && !part.is_empty() {
            break;
        }
        if part.is_empty() {
            parts.pop();
        }
    }
    let parts = parts.into_iter().map(|part| part.join(" "));
    parts.filter(|part| is_name(part)).take(MOST_NAMES).collect()
}

fn is_name(text: &str) -> bool {
    let words = || text.split_whitespace();
    let first = text.chars().next().unwrap_or(' ');
    let says_else = words().any(|word| ELSE.contains(word.to_lowercase().trim_matches('.')));
    meta::is_name(text)
        && text.chars().count() <= LONGEST_NAME
        && words().count() <= MOST_WORDS
        && first.is_alphabetic()
        && !first.is_lowercase()
        && text.chars().count() > 1
        && words().all(|word| !word.starts_with(char::is_lowercase) || PARTICLES.contains(word))
        && !says_else
}

/// A name as a publisher states it, without "By" and what was escaped twice.
/// Words for it in other languages begin family names, too.
pub(super) fn stated(name: &str) -> String {
    let decoded = if name.contains('&') { tree::fragment_lines(name) } else { name.to_owned() };
    let line = tree::one_line(&decoded);
    let is_by = |rest: &&str| {
        let before = line.get(..line.len() - rest.len()).unwrap_or_default().to_lowercase();
        before.trim_end().ends_with("by") || before.contains(':')
    };
    let rest = without_by(&line).filter(|rest| is_full(rest)).filter(is_by);
    rest.unwrap_or(&line).to_owned()
}

/// Whether it is more than a word, or written without spaces.
fn is_full(name: &str) -> bool {
    name.contains(' ')
        || name.chars().all(|c| c.is_alphabetic() && !c.is_lowercase() && !c.is_uppercase())
}

/// Whether an element holds what is no part of the article.
fn is_beside(element: &Element) -> bool {
    const PLACES: [&str; 12] = [
        "aside",
        "footer",
        "nav",
        "form",
        "script",
        "style",
        "noscript",
        "template",
        "iframe",
        "head",
        "svg",
        "blockquote",
    ];
    if PLACES.contains(&element.name()) {
        return true;
    }
    // What holds the article says what else it holds.
    if matches!(element.name(), "html" | "body" | "main" | "article") {
        return false;
    }
    labels(element).map(prune::words).any(|words| {
        let says = |set: &HashSet<&str>| words.iter().any(|word| set.contains(word.as_str()));
        says(&BESIDE) && !says(&HOLDING)
    })
}

/// Whether its class or id says that it holds a byline.
fn is_labelled(element: &Element) -> bool {
    let words: Vec<String> = labels(element).flat_map(prune::words).collect();
    let says = |set: &HashSet<&str>| words.iter().any(|word| set.contains(word.as_str()));
    !matches!(element.name(), "html" | "body" | "main" | "article" | "img" | "figure")
        && says(&BYLINE)
        && !says(&NO_BYLINE)
}

fn labels(element: &Element) -> impl Iterator<Item = &str> {
    let labels = ["class", "id"].into_iter().filter_map(|key| element.attr(key));
    labels.flat_map(|label| label.split_whitespace().take(prune::MOST_LABELS))
}

fn text(node: NodeRef<'_, Node>) -> String {
    let mut out = String::new();
    for node in node.descendants().take(NODES) {
        if let Node::Text(part) = node.value() {
            // A longer one is no byline, and is not needed to its end.
            let end = part.floor_char_boundary(4 * LONGEST);
            tree::push(&mut out, part.get(..end).unwrap_or(part));
            tree::space(&mut out);
        }
        if out.len() > 4 * LONGEST {
            break;
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn set(words: &'static str) -> HashSet<&'static str> {
    words.split_whitespace().collect()
}

/// Words between names.
const AND: [&str; 10] = ["and", "And", "&", "und", "et", "y", "e", "i", "og", "och"];
/// Words of labels that go with the date of an article.
const PUBLISHED: [&str; 6] = ["published", "publish", "pubdate", "posted", "entry", "post"];
static BYLINE: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    set("byline bylines author authors autor autore autori autores auteur auteurs autoren \
         verfasser redakteur skribent forfatter writer writers")
});
/// With these a label is of something about an author.
static NO_BYLINE: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    set("bio image img avatar photo picture thumb thumbnail icon follow social twitter email \
         contact description desc about box role title position job timestamp date time comment")
});
/// With these a label tells of what else an element holds.
static HOLDING: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| set("with has no without wrap wrapper container layout page"));
static BESIDE: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    set("related recommended recommendations recirc trending popular sidebar comments comment \
         commentlist disqus newsletter teaser teasers promo caption menu")
});
/// Words that no name has.
static ELSE: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    set("follow share more editor editors staff writer correspondent reporter reporters updated \
         published posted contributor columnist comments comment kommentar kommentare comentarios \
         commentaires hinterlasse subscribe read view profile \
         author authors archive email written edited photo photos photograph photography video \
         senior executive chief journalist redakteur redakteurin korrespondent min minutes ago \
         today yesterday january the this our all your my post article associate producer ma phd \
         md")
});
/// Words of names that are written small.
static PARTICLES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    set("van von de der den del della delle dello degli di da do dos das du la le el al bin ibn \
         ben ter ten te zu zur zum af av y i e et")
});
static MONTHS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    set("january february march april june july august september october november december jan \
         feb mar apr jun jul aug sep sept oct nov dec januar februar märz juni juli oktober \
         dezember janvier février mars avril juin juillet août septembre octobre novembre \
         décembre monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat \
         sun")
});

#[cfg(test)]
mod tests {
    use super::*;

    fn authors(html: &str) -> Vec<String> {
        read(&Html::parse_document(html)).authors
    }

    #[test]
    fn bylines_are_read_where_pages_show_them() {
        let check = |html: &str, expected: &[&str]| assert_eq!(authors(html), expected, "{html}");
        check("<p class=byline>By Ida Berg</p>", &["Ida Berg"]);
        check("<div class='article__author-name'>Ida Berg, Political Editor</div>", &["Ida Berg"]);
        check(
            "<span class=byline>By Ida Berg and Jo O'Neil | 3 May 2026</span>",
            &["Ida Berg", "Jo O'Neil"],
        );
        check("<p class=byline>By Ida Berg March 25, 2015</p>", &["Ida Berg"]);
        check("<a rel=author href=/p/ib>IDA BERG</a>", &["IDA BERG"]);
        check("<a rel='author external' href=/p/ib>Ida Berg</a>", &["Ida Berg"]);
        check("<div itemprop=author><span itemprop=name>Ida Berg</span></div>", &["Ida Berg"]);
        check(
            "<p class=autor>Von Ida Berg und Jan van der Aa</p>",
            &["Ida Berg", "Jan van der Aa"],
        );
        check(
            "<div class=authors><a>Ida Berg</a> in Hanoi, <a>Jo Lim</a></div>",
            &["Ida Berg", "Jo Lim"],
        );
        check("<h1>Ferry sinks</h1><p>By Ida Berg</p><p>Text</p>", &["Ida Berg"]);
        check("<h1>Ferry sinks</h1><p>By <a href=/p/ib>Ida Berg</a></p>", &["Ida Berg"]);
        check("<span class=author>小山 花子</span>", &["小山 花子"]);
        check("<body class=has-sidebar><p class=byline>By Ida Berg</p>", &["Ida Berg"]);
        check("<div class=page-with-comments><p class=byline>By Ida Berg</p></div>", &["Ida Berg"]);
    }

    #[test]
    fn what_is_no_byline_is_left_alone() {
        let prose = format!("<p>{}</p>", "A sentence of the story. ".repeat(9));
        for html in [
            "<aside><p class=byline>By Ida Berg</p></aside>",
            "<div class=comment><a rel=author>Ida Berg</a></div>",
            "<div class=author-bio>Ida Berg</div>",
            "<div class=byline>By our staff</div>",
            "<div class=author>admin</div>",
            "<p>By Monday evening all were safe</p>",
            "<p>By <b>Monday evening</b></p>",
            "<p>Von Ida Berg aus dem Jahr 2010</p>",
            "<p class=author>Follow Author</p>",
            "<a rel=author>reader17</a>",
        ] {
            assert_eq!(authors(html), [""; 0], "{html}");
        }
        // Another article's.
        let two = format!("<p class=byline>By Ida Berg</p>{prose}<p class=byline>By Jo Lim</p>");
        assert_eq!(authors(&two), ["Ida Berg"]);
        let long = format!("<div class=author>{prose}</div>");
        assert_eq!(authors(&long), [""; 0]);
    }

    #[test]
    fn stated_names_lose_what_is_no_name() {
        let check = |name: &str, expected: &str| assert_eq!(stated(name), expected);
        check("By Ida Berg", "Ida Berg");
        check("Autor: Ida Berg", "Ida Berg");
        check("Von Trapp Family", "Von Trapp Family");
        check("  Ida\n Berg ", "Ida Berg");
        check("Redacci&oacute;n Diario", "Redacción Diario");
        check("Di Canio", "Di Canio");
        check("Por", "Por");
    }

    #[test]
    fn the_date_is_the_articles_own() {
        let check = |html: &str, expected: Option<&str>| {
            let shown = read(&Html::parse_document(html));
            assert_eq!(shown.published.as_deref(), expected, "{html}");
        };
        check("<time datetime=2026-01-01>", None);
        check("<h1>Ferry</h1><time datetime=2026-01-02>2 Jan</time>", Some("2026-01-02"));
        check(
            "<h1>Ferry</h1><time datetime=2026-01-02></time><time class=entry-date \
             datetime=2026-01-03></time>",
            Some("2026-01-03"),
        );
        check("<span itemprop=datePublished>2026-01-04</span>", Some("2026-01-04"));
        check("<h1>Ferry</h1><aside><time datetime=2026-01-02></time></aside>", None);
    }
}
