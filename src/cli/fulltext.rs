//! `fulltext`: what would be read of a page.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use super::args::FulltextArgs;
use super::parse::read;
use super::{CliError, Context, FAILED, output};
use crate::article::{self, Article, ArticleError};
use crate::fetch::{self, Body, Fetcher, Request, RequestKind};
use crate::model::{Clock, Document, RequestOptions};
use crate::story::{self, About};
use crate::text::credit;

/// Largest page after decoding, in bytes.
const MAX_PAGE: u64 = 4 << 20;

/// What a page gave: an article, or a word and a sentence for why not.
type Outcome = Result<Found, (String, String)>;

/// An article, and who tells it.
#[derive(Default)]
struct Found {
    article: Article,
    /// Where the page was in the end, after redirects.
    url: Option<String>,
    /// The outlet's owner or domain, if the address is known.
    outlet: Option<String>,
    /// The agency that the text is credited to.
    agency: Option<&'static str>,
    /// `BERLIN (Reuters) -` at the beginning of the text.
    dateline: Option<String>,
    /// Who wrote and edited it, at the end of the text.
    credits: Option<String>,
}

impl Found {
    fn of(article: Article, url: Option<String>) -> Self {
        let text = article.text.as_str();
        let part = |part: Option<&str>| {
            part.map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned)
        };
        let body = credit::body(text);
        let (dateline, credits) = (part(text.get(..body.start)), part(text.get(body.end..)));
        let link = article.canonical.as_deref().or(url.as_deref());
        let about = About { link, authors: &article.authors, text, ..About::default() };
        let origin = story::origin(&about);
        // Without a domain it is named by the feed, of which nothing is known here.
        let outlet = link.map(|_| origin.outlet).filter(|name| !name.starts_with("feed:"));
        Self { agency: origin.agency, outlet, dateline, credits, url, article }
    }
}

pub(super) async fn run(mut context: Context, args: FulltextArgs) -> Result<ExitCode, CliError> {
    let mut failed = false;
    for page in &args.pages {
        let is_url = page.contains("://");
        let (outcome, bytes) = if is_url {
            match fetched(&context, page, args.allow_private).await? {
                Ok(document) => extracted(document).await,
                Err(reason) => (Err(("failed".to_owned(), reason)), 0),
            }
        } else {
            let base_url = args.base_url.clone();
            let content_type = args.content_type.clone();
            extracted(Document { bytes: read(Path::new(page))?, content_type, base_url }).await
        };
        failed |= outcome.is_err();
        if context.json {
            context.out.json(&as_json(page, &outcome, bytes))?;
        } else {
            print(&mut context, page, &outcome)?;
        }
    }
    context.out.flush()?;
    Ok(if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

async fn fetched(
    context: &Context,
    url: &str,
    allow_private: bool,
) -> Result<Result<Document, String>, CliError> {
    // Without a configuration the usual limits hold.
    let options =
        context.load().map_or_else(|_| usual(), |config| crate::app::fetch_options(&config));
    let fetcher = Fetcher::new(&options).map_err(|error| CliError::Failed(error.to_string()))?;
    let own = RequestOptions { max_body: Some(MAX_PAGE), ..RequestOptions::default() };
    let request = Request {
        url,
        home: url,
        allow_private,
        validators: None,
        options: &own,
        kind: RequestKind::Page,
    };
    Ok(match Box::pin(fetcher.fetch(request, Clock::System.now())).await {
        Ok(fetched) => match fetched.body {
            Body::Document { document, .. } => Ok(document),
            Body::NotModified => Err("\"not modified\" to a first request".to_owned()),
        },
        Err(fetch::FetchError::Blocked(reason)) => {
            Err(format!("{reason}; give --allow-private if that is meant"))
        }
        Err(error) => Err(error.to_string()),
    })
}

fn usual() -> fetch::Options {
    fetch::Options {
        user_agent: concat!("wirewatch/", env!("CARGO_PKG_VERSION"), " (news feed monitor)").into(),
        connect_timeout: Duration::from_secs(10),
        timeout: Duration::from_secs(30),
        max_body: MAX_PAGE,
        ca_file: None,
        limits: fetch::Limits::default(),
    }
}

async fn extracted(document: Document) -> (Outcome, usize) {
    let bytes = document.bytes.len();
    let read = tokio::task::spawn_blocking(move || {
        let (kind, url) = (document.content_type.as_deref(), document.base_url.as_deref());
        let read = article::read(&document.bytes, kind, url);
        read.map(|article| Found::of(article, document.base_url))
    });
    let why = |error: ArticleError| (error.as_str().to_owned(), error.to_string());
    let outcome = match read.await {
        Ok(read) => read.map_err(why),
        Err(_) => Err(("failed".to_owned(), "the reader failed; please report it".to_owned())),
    };
    (outcome, bytes)
}

fn as_json(page: &str, outcome: &Outcome, bytes: usize) -> Value {
    let (status, reason) = match outcome {
        Ok(_) => ("read", None),
        Err((status, reason)) => (status.as_str(), Some(reason)),
    };
    let none = Found::default();
    let found = outcome.as_ref().unwrap_or(&none);
    let article = &found.article;
    json!({
        "page": page,
        "status": status,
        "reason": reason,
        "title": article.title,
        "authors": article.authors,
        "published": article.published.map(|when| when.to_string()),
        "site": article.site,
        "lang": article.lang,
        "canonical": article.canonical,
        "url": found.url,
        "outlet": found.outlet,
        "agency": found.agency,
        "dateline": found.dateline,
        "credits": found.credits,
        "basis": outcome.is_ok().then(|| article.basis.as_str()),
        "words": article.text.split_whitespace().count(),
        "bytes": bytes,
        "text": article.text,
    })
}

fn print(context: &mut Context, page: &str, outcome: &Outcome) -> Result<(), CliError> {
    let found = match outcome {
        Ok(found) => found,
        Err((_, reason)) => {
            output::remark(&format!("{page}: {reason}"));
            return Ok(());
        }
    };
    let article = &found.article;
    let published = article.published.map(|when| when.to_string());
    let authors = Some(article.authors.join(", ")).filter(|names| !names.is_empty());
    let words = article.text.split_whitespace().count().to_string();
    let facts = [
        ("title", article.title.as_deref()),
        ("authors", authors.as_deref()),
        ("published", published.as_deref()),
        ("site", article.site.as_deref()),
        ("lang", article.lang.as_deref()),
        ("canonical", article.canonical.as_deref()),
        ("url", found.url.as_deref().filter(|url| article.canonical.as_deref() != Some(*url))),
        ("outlet", found.outlet.as_deref()),
        ("agency", found.agency),
        ("dateline", found.dateline.as_deref()),
        ("credits", found.credits.as_deref()),
        ("basis", Some(article.basis.as_str())),
        ("words", Some(words.as_str())),
    ];
    for (name, fact) in facts {
        if let Some(fact) = fact {
            context.out.line(format!("{name}: {fact}"))?;
        }
    }
    context.out.line(String::new())?;
    for line in article.text.lines() {
        context.out.line(line.to_owned())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datelines_and_credits_are_told_apart_from_the_text() {
        let text = "BERLIN, March 2 (Reuters) - Ships met in the strait.\nNobody was hurt.\n\
                    (Reporting by A Writer; Editing by B Editor)";
        let article = Article {
            text: text.to_owned(),
            canonical: Some("https://www.harbourpost.example/a".to_owned()),
            ..Article::default()
        };
        let found = Found::of(article, None);
        assert_eq!(found.dateline.as_deref(), Some("BERLIN, March 2 (Reuters) -"));
        let credits = found.credits.as_deref();
        assert_eq!(credits, Some("(Reporting by A Writer; Editing by B Editor)"));
        assert_eq!(found.agency, Some("Reuters"));
        assert_eq!(found.outlet.as_deref(), Some("harbourpost.example"));
        let plain =
            Found::of(Article { text: "Ships met.".to_owned(), ..Article::default() }, None);
        let none = (plain.dateline, plain.credits, plain.agency, plain.outlet);
        assert_eq!(none, (None, None, None, None));
        let numbered = Article { text: "Ships met.".to_owned(), ..Article::default() };
        assert_eq!(Found::of(numbered, Some("http://192.0.2.1/a".to_owned())).outlet, None);
    }
}
