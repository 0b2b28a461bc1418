//! `parse`: what is understood of a feed document.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::args::ParseArgs;
use super::{CliError, Context, output};
use crate::dedup::entry_keys;
use crate::model::{Document, Entry, EntryKeys, FeedHints};
use crate::parse::{ParsedFeed, parse_feed};

/// Largest document that is read, in bytes.
const MAX_DOCUMENT: u64 = 64 * 1024 * 1024;

#[derive(Serialize)]
struct EntryJson<'a> {
    id: String,
    url: &'a Option<String>,
    title: &'a str,
    text: &'a str,
    published: Option<String>,
    updated: Option<String>,
    authors: &'a [String],
    categories: &'a [String],
    lang: &'a Option<String>,
    source: Option<SourceJson<'a>>,
}

#[derive(Serialize)]
struct SourceJson<'a> {
    title: &'a Option<String>,
    url: &'a Option<String>,
}

/// The line about the feed itself, with `--feed`.
#[derive(Serialize)]
struct FeedLine<'a> {
    feed: FeedJson<'a>,
}

#[derive(Serialize)]
struct FeedJson<'a> {
    title: &'a Option<String>,
    format: &'a str,
    encoding: &'a str,
    decided_by: &'a str,
    lossy: bool,
    degraded: bool,
    repairs: &'a [String],
    hints: HintsJson<'a>,
}

/// Spans are in seconds; `skip_days` has the names of days.
#[derive(Serialize)]
pub(super) struct HintsJson<'a> {
    ttl: Option<i64>,
    skip_hours: Vec<u8>,
    skip_days: Vec<&'static str>,
    update_period: Option<i64>,
    update_base: Option<String>,
    hubs: &'a [String],
    self_link: &'a Option<String>,
    cloud: &'a Option<String>,
    older: &'a Option<String>,
    lang: &'a Option<String>,
    site: &'a Option<String>,
}

pub(super) fn run(mut context: Context, args: ParseArgs) -> Result<ExitCode, CliError> {
    if let Some(base) = &args.base_url
        && let Err(error) = url::Url::parse(base)
    {
        let message = format!("--base-url \"{base}\" is not a URL: {error}");
        return Err(CliError::Failed(message));
    }
    let bytes = read(&args.file)?;
    let document = Document { bytes, content_type: args.content_type, base_url: args.base_url };
    let feed = parse_feed(&document)
        .map_err(|error| CliError::Failed(format!("{}: {error}", args.file.display())))?;
    for warning in &feed.warnings {
        output::remark(&format!("warning: {warning}"));
    }
    for repair in &feed.repairs {
        output::remark(&format!("degraded: {repair}"));
    }
    if args.feed {
        context.out.json(&FeedLine { feed: feed_json(&feed) })?;
    }
    for (entry, keys) in feed.entries.iter().zip(entry_keys(&feed.entries)) {
        context.out.json(&as_json(entry, &keys))?;
    }
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The bytes of a file, or of standard input.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    let failed = |error: std::io::Error| {
        CliError::Failed(format!("cannot read \"{}\": {error}", file.display()))
    };
    let mut bytes = Vec::new();
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(file).map_err(failed)?)
    };
    source.take(MAX_DOCUMENT + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_DOCUMENT {
        let message = format!("\"{}\" is larger than {MAX_DOCUMENT} bytes", file.display());
        return Err(CliError::Failed(message));
    }
    Ok(bytes)
}

fn as_json<'a>(entry: &'a Entry, keys: &EntryKeys) -> EntryJson<'a> {
    let fingerprint = || {
        let hex: String = keys.last_resort.0.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("fingerprint:{hex}")
    };
    EntryJson {
        id: entry.guid.clone().or_else(|| entry.url.clone()).unwrap_or_else(fingerprint),
        url: &entry.url,
        title: &entry.title,
        text: &entry.text,
        published: entry.published.map(|when| when.to_string()),
        updated: entry.updated.map(|when| when.to_string()),
        authors: &entry.authors,
        categories: &entry.categories,
        lang: &entry.lang,
        source: entry
            .source
            .as_ref()
            .map(|source| SourceJson { title: &source.title, url: &source.url }),
    }
}

fn feed_json(feed: &ParsedFeed) -> FeedJson<'_> {
    FeedJson {
        title: &feed.title,
        format: &feed.format,
        encoding: &feed.decoding.encoding,
        decided_by: &feed.decoding.decided_by,
        lossy: feed.decoding.lossy,
        degraded: !feed.repairs.is_empty(),
        repairs: &feed.repairs,
        hints: hints_json(&feed.hints),
    }
}

pub(super) fn hints_json(hints: &FeedHints) -> HintsJson<'_> {
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let named = days.into_iter().enumerate();
    HintsJson {
        ttl: hints.ttl.map(|span| span.as_secs()),
        skip_hours: (0..24).filter(|hour| hints.skip_hours & (1 << hour) != 0).collect(),
        skip_days: named
            .filter_map(|(day, name)| (hints.skip_days & (1 << day) != 0).then_some(name))
            .collect(),
        update_period: hints.update_period.map(|span| span.as_secs()),
        update_base: hints.update_base.map(|when| when.to_string()),
        hubs: &hints.hubs,
        self_link: &hints.self_link,
        cloud: &hints.cloud,
        older: &hints.older,
        lang: &hints.lang,
        site: &hints.site,
    }
}
