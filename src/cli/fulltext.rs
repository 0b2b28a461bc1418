//! `fulltext`: what would be read of a page.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use super::args::FulltextArgs;
use super::parse::read;
use super::{CliError, Context, FAILED, output};
use crate::article::{self, Article, ArticleError};
use crate::fetch::{self, Body, Fetcher, Request};
use crate::model::{Clock, Document, RequestOptions};

/// Largest page after decoding, in bytes.
const MAX_PAGE: u64 = 4 << 20;

/// What a page gave: an article, or a word and a sentence for why not.
type Outcome = Result<Article, (String, String)>;

pub(super) async fn run(mut context: Context, args: FulltextArgs) -> Result<ExitCode, CliError> {
    let mut failed = false;
    for page in &args.pages {
        let is_url = page.starts_with("http://") || page.starts_with("https://");
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
    let request =
        Request { url, home: url, allow_private, validators: None, options: &own, page: true };
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
        article::read(&document.bytes, kind, url)
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
    let article = outcome.as_ref().ok().cloned().unwrap_or_default();
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
        "words": article.text.split_whitespace().count(),
        "bytes": bytes,
        "text": article.text,
    })
}

fn print(context: &mut Context, page: &str, outcome: &Outcome) -> Result<(), CliError> {
    let article = match outcome {
        Ok(article) => article,
        Err((_, reason)) => {
            output::remark(&format!("{page}: {reason}"));
            return Ok(());
        }
    };
    let published = article.published.map(|when| when.to_string());
    let authors = Some(article.authors.join(", ")).filter(|names| !names.is_empty());
    let words = article.text.split_whitespace().count().to_string();
    let facts = [
        ("title", article.title.as_ref()),
        ("authors", authors.as_ref()),
        ("published", published.as_ref()),
        ("site", article.site.as_ref()),
        ("lang", article.lang.as_ref()),
        ("canonical", article.canonical.as_ref()),
        ("words", Some(&words)),
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
