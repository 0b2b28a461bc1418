//! `feeds import` and `feeds export`: OPML.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::args::ImportArgs;
use super::write::{RELOAD, Target, confirm};
use super::{identity, is_in};
use crate::cli::{CliError, Context, output};
use crate::config::{self, Config, NewFeed};
use crate::net;
use crate::opml::{self, Complaint, Outline};

/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;
/// Complaints shown to a person.
const SHOWN: usize = 20;

/// What would come of an import.
#[derive(Default)]
struct Import {
    feeds: Vec<NewFeed>,
    /// In the list more than once.
    repeated: usize,
    /// Configured already.
    known: usize,
    complaints: Vec<Complaint>,
    bad: usize,
}

pub(super) fn import(mut context: Context, args: &ImportArgs) -> Result<ExitCode, CliError> {
    let config = context.load()?;
    let shown = args.list.display();
    let list = opml::read(&read(&args.list)?, args.limit)
        .map_err(|error| CliError::Failed(format!("{shown}: {error}")))?;
    if list.total > args.limit {
        return Err(CliError::Failed(format!(
            "{shown} lists {} feeds; more than {} are taken only with --limit {}",
            list.total, args.limit, list.total
        )));
    }
    let mut import = sort_out(list.feeds, &config, args.group.as_deref());
    import.bad += list.bad;
    import.complaints.splice(0..0, list.complaints);
    import.complaints.sort_by_key(|complaint| complaint.line);
    let target = Target::new(&context, args.file.as_deref(), ("feeds.d/imported.toml", false))?;
    summary(&mut context, &import, &target)?;
    if import.feeds.is_empty() || args.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    let edits = target.plan(&import.feeds)?;
    target.check(&edits)?;
    let file = target.file.display();
    let question = format!("write {} feeds to {file}?", import.feeds.len());
    let done = confirm(args.yes, &question)?;
    if done {
        target.write(&edits)?;
    }
    if !context.json {
        let count = import.feeds.len();
        context.out.line(if done {
            format!("{count} feeds are written to {file}; {RELOAD}")
        } else {
            "nothing is written".to_string()
        })?;
    }
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    let failed = |error: std::io::Error| {
        CliError::Failed(format!("cannot read \"{}\": {error}", file.display()))
    };
    let mut bytes = Vec::new();
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(file).map_err(failed)?)
    };
    source.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        let message = format!("\"{}\" is larger than {MAX_FILE} bytes", file.display());
        return Err(CliError::Failed(message));
    }
    Ok(bytes)
}

/// Leaves out what is there already or cannot be used, and gives names.
fn sort_out(list: Vec<Outline>, config: &Config, folder: Option<&str>) -> Import {
    let configured = || config.feeds.iter().chain(&config.paused);
    let known: HashSet<String> = configured().map(|feed| identity(&feed.url)).collect();
    let mut taken: HashSet<String> =
        configured().map(|feed| feed.name.as_str().to_string()).collect();
    let mut seen = HashSet::new();
    let mut import = Import::default();
    for outline in list {
        let url = match check_url(&outline.url) {
            Ok(url) => url,
            Err(reason) => {
                import.bad += 1;
                import.complaints.push(Complaint { line: outline.line, reason });
                continue;
            }
        };
        let identity = identity(&url);
        if known.contains(&identity) {
            import.known += 1;
        } else if !seen.insert(identity) {
            import.repeated += 1;
        } else {
            let host = crate::fetch::host_of(&url);
            let host = host.trim_start_matches("www.");
            let title = outline.title.as_deref().unwrap_or_default();
            let name = config::feed_name(&[title, host], &mut taken);
            let groups = place(outline.groups, folder);
            let (title, tags) = (outline.title, outline.tags);
            import.feeds.push(NewFeed { name, url, title, groups, tags, ..NewFeed::default() });
        }
    }
    import
}

/// The groups, all inside a folder if one was named.
fn place(groups: Vec<String>, folder: Option<&str>) -> Vec<String> {
    match folder.map(|folder| folder.trim_matches('/')) {
        None => groups,
        Some(folder) if groups.is_empty() => vec![folder.to_string()],
        Some(folder) => groups.into_iter().map(|group| format!("{folder}/{group}")).collect(),
    }
}

/// A list from a stranger may name what is on the web, and nothing else.
fn check_url(text: &str) -> Result<String, &'static str> {
    let text = match text.strip_prefix("feed:") {
        Some(rest) if rest.starts_with("//") => format!("http:{rest}"),
        Some(rest) => rest.to_string(),
        None => text.to_string(),
    };
    let url = url::Url::parse(&text).map_err(|_| "not a URL")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("not an http: or https: URL");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL with a user name or password; add this feed by hand");
    }
    if url.host_str() == Some("localhost") || net::check_url(&url, false).is_err() {
        return Err("a private address or a port that is not for the web");
    }
    Ok(url.into())
}

fn summary(context: &mut Context, import: &Import, target: &Target) -> Result<(), CliError> {
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    for feed in &import.feeds {
        *groups.entry(feed.groups.first().map_or("", String::as_str)).or_default() += 1;
    }
    if context.json {
        let complaints = import
            .complaints
            .iter()
            .map(|complaint| json!({ "line": complaint.line, "reason": complaint.reason }));
        context.out.json(&json!({
            "new": import.feeds.len(), "known": import.known, "repeated": import.repeated,
            "bad": import.bad, "problems": complaints.collect::<Vec<_>>(), "groups": groups,
            "file": target.file.display().to_string(), "include": target.include,
        }))?;
        return Ok(context.out.flush()?);
    }
    for complaint in import.complaints.iter().take(SHOWN) {
        output::remark(&format!("line {}: {}", complaint.line, complaint.reason));
    }
    if import.bad > SHOWN {
        output::remark(&format!("... and {} more", import.bad - SHOWN));
    }
    context.out.line(format!(
        "{} new feeds; left out: {} configured already, {} repeated, {} unusable",
        import.feeds.len(),
        import.known,
        import.repeated,
        import.bad
    ))?;
    for (group, count) in groups.iter().take(SHOWN) {
        let group = if group.is_empty() { "(no group)" } else { group };
        context.out.line(format!("  {group}: {count}"))?;
    }
    if groups.len() > SHOWN {
        context.out.line(format!("  ... and {} more groups", groups.len() - SHOWN))?;
    }
    context.out.line(format!("to be written to {}", target.file.display()))?;
    if let Some(name) = &target.include {
        context.out.line(format!("\"{name}\" is added to the include of the main file"))?;
    }
    Ok(context.out.flush()?)
}

pub(super) fn export(mut context: Context, group: Option<&str>) -> Result<ExitCode, CliError> {
    let config = context.load()?;
    let chosen = config.feeds.iter().chain(&config.paused);
    let chosen = chosen.filter(|feed| group.is_none_or(|group| is_in(feed, group)));
    let mut feeds = Vec::new();
    let mut local = 0;
    for feed in chosen {
        if feed.url.starts_with("http") {
            feeds.push(Outline {
                url: feed.url.clone(),
                title: Some(feed.title.clone().unwrap_or_else(|| feed.name.to_string())),
                groups: feed.groups.clone(),
                tags: feed.tags.clone(),
                line: 0,
            });
        } else {
            local += 1;
        }
    }
    if local > 0 {
        output::remark(&format!("{local} feeds are left out: files and programs of this machine"));
    }
    context.out.raw(opml::write("wirewatch feeds", &feeds).as_bytes())?;
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}
