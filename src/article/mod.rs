//! A web page to the article on it: the text and nothing else, with what the
//! page says of itself. Pure: all bounds are counts, so that one page has one
//! answer on every machine.
//!
//! A library finds the article; around it stand a guard against pages that
//! are made to hurt, rules for what the page's markup says is none, a sieve
//! that adds what was missed, the publisher's own JSON-LD, and rules for the
//! lines that are left over. docs/decisions/articles.md says why.

mod blocks;
mod byline;
mod cards;
mod clean;
mod decode;
mod guard;
mod linked;
mod meta;
mod parted;
mod prune;
mod sieve;
mod tree;
mod wall;

use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use scraper::Html;
use trafilatura::{ExtractionFocus, HtmlDateMode, Options};
use url::Url;

use crate::parse::parse_date;
use blocks::Page;
use byline::Shown;
use guard::Tree;
use linked::Linked;
use meta::Meta;
use wall::wall;

/// More of a page is not looked at, in bytes.
const LARGEST: usize = 4 << 20;
/// A shorter text is no article, in characters.
const SHORTEST: usize = 120;
/// A shorter text of the publisher's own does not stand for the page's, in bytes.
const STATED: usize = 500;
/// Of a page that would hurt, lines at least so long are taken for prose.
const PROSE: usize = 80;
/// And at most so many.
const MOST_LINES: usize = 2000;

/// An article.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Article {
    /// The headline.
    pub title: Option<String>,
    /// Names as stated.
    pub authors: Vec<String>,
    /// When it was published, as the page states it.
    pub published: Option<Timestamp>,
    /// The outlet's name.
    pub site: Option<String>,
    /// BCP 47, in lower case, as the page states it.
    pub lang: Option<String>,
    /// The page's own address, absolute.
    pub canonical: Option<String>,
    /// Paragraphs, one a line.
    pub text: String,
    /// What `text` was taken from.
    pub basis: Basis,
}

/// What an article's text was taken from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Basis {
    /// The page as a reader sees it.
    #[default]
    Page,
    /// The publisher's JSON-LD (schema.org `articleBody`): the page shows little of it.
    Stated,
    /// The long lines of a page that is too large or too deep to look at.
    Lines,
}

impl Basis {
    /// The word used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Stated => "json-ld",
            Self::Lines => "lines",
        }
    }
}

/// Why a page gives no article. The feed's text then stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArticleError {
    /// A picture, a film, a PDF.
    #[error("no web page, but {0}")]
    NotText(String),
    /// Only for subscribers; at most a teaser is there.
    #[error("a paywall: only {words} words can be read")]
    Paywall {
        /// Words of the teaser.
        words: usize,
    },
    /// The page wants consent to cookies first.
    #[error("a consent page stands before the article")]
    Consent,
    /// The page wants to see a browser or a person.
    #[error("a bot check stands before the article")]
    BotCheck,
    /// Nothing on it is long enough.
    #[error("no article was found on the page")]
    NoArticle,
}

impl ArticleError {
    /// The word used in output.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NotText(_) => "not-text",
            Self::Paywall { .. } => "paywall",
            Self::Consent => "consent",
            Self::BotCheck => "bot-check",
            Self::NoArticle => "no-article",
        }
    }
}

/// Finds the article on a page. `content_type` is the header's value, `url`
/// where the page came from.
///
/// # Errors
/// When there is none; see [`ArticleError`].
pub fn read(
    page: &[u8],
    content_type: Option<&str>,
    url: Option<&str>,
) -> Result<Article, ArticleError> {
    read_with(page, (content_type, url), byline::read)
}

/// The same, without writers and dates that the page only shows: they take
/// time, and rules do not ask for them.
///
/// # Errors
/// When there is none; see [`ArticleError`].
pub fn read_text(
    page: &[u8],
    content_type: Option<&str>,
    url: Option<&str>,
) -> Result<Article, ArticleError> {
    read_with(page, (content_type, url), |_| Shown::default())
}

fn read_with(
    page: &[u8],
    (content_type, url): (Option<&str>, Option<&str>),
    shown: impl FnOnce(&Html) -> Shown,
) -> Result<Article, ArticleError> {
    let page = &page[..page.len().min(LARGEST)];
    let html = decode::text(page, content_type)?;
    let url = url.and_then(|url| Url::parse(url).ok());
    let linked = linked::read(&html);
    let (meta, shown, mut text, mut basis) = match guard::parse(&html) {
        Tree::Hostile(tree) => {
            let meta = meta::read(&tree, url.as_ref());
            (meta, Shown::default(), prose(&tree::lines(&tree)), Basis::Lines)
        }
        Tree::Whole(tree) => {
            let (meta, shown) = (meta::read(&tree, url.as_ref()), shown(&tree));
            let text = text(tree, url.as_ref(), (&meta, &linked));
            (meta, shown, text, Basis::Page)
        }
    };
    if let Some(body) = &linked.body
        && body.len() > STATED
        && body.len() > 2 * text.len()
    {
        text.clone_from(body);
        basis = Basis::Stated;
    }
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    let title = meta.title(host).or_else(|| linked.headline.clone());
    let text = clean::clean(&text, title.as_deref());
    if let Some(error) = wall(&html, (title.as_deref(), &text), linked.paid) {
        return Err(error);
    }
    if text.chars().count() < SHORTEST {
        return Err(ArticleError::NoArticle);
    }
    let dates = [linked.published, meta.published, shown.published];
    let line = |text: Option<String>| text.map(|text| tree::one_line(&text));
    Ok(Article {
        title: line(title),
        authors: authors([linked.authors, meta.author.into_iter().collect(), shown.authors]),
        published: dates.into_iter().flatten().find_map(|date| parse_date(&date)),
        site: line(meta.site.or(linked.publisher).or(meta.application)),
        lang: line(meta.lang),
        canonical: meta.canonical,
        text,
        basis,
    })
}

/// The names of the first source that has any.
fn authors(sources: [Vec<String>; 3]) -> Vec<String> {
    let named = |names: Vec<String>| -> Vec<String> {
        let names = names.iter().map(|name| byline::stated(name));
        names.filter(|name| meta::is_name(name)).collect()
    };
    sources.into_iter().map(named).find(|names| !names.is_empty()).unwrap_or_default()
}

/// The text of the article on a page that is not hostile.
fn text(mut tree: Html, url: Option<&Url>, (meta, linked): (&Meta, &Linked)) -> String {
    prune::prune(&mut tree);
    let html = tree.html();
    drop(tree);
    // What was taken apart and put together may have become another page.
    let tree = match guard::parse(&html) {
        Tree::Whole(tree) => tree,
        Tree::Hostile(tree) => return prose(&tree::lines(&tree)),
    };
    let found = found(&html, url, &tree);
    let (body, summary) = (linked.body.as_deref(), meta.summary.as_deref());
    let known = sieve::Known { found: &found, body, summary };
    let sifted = sieve::sieve(&Page::of(&tree), &known);
    sifted.filter(|text| !text.is_empty()).unwrap_or(found)
}

/// The article's text by the library, which may give up but not take us along.
fn found(html: &str, url: Option<&Url>, tree: &scraper::Html) -> String {
    let mut options = Options::default()
        .with_fallback(true)
        .with_exclude_comments(true)
        .with_html_date_mode(HtmlDateMode::Disabled)
        .with_focus(ExtractionFocus::FavorRecall);
    if let Some(url) = url {
        options = options.with_url(url.clone());
    }
    let result = catch_unwind(AssertUnwindSafe(|| trafilatura::extract(html, &options)));
    match result {
        Ok(Ok(found)) => {
            let lines = parted::once(&tree::fragment_lines(&found.content_html));
            parted::parted(&lines, &tree::lines(tree))
        }
        // It gives up on pages of little text, of which prose may be some.
        _ => prose(&tree::lines(tree)),
    }
}

fn prose(lines: &str) -> String {
    let lines = lines.lines().filter(|line| line.len() > PROSE).take(MOST_LINES);
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
