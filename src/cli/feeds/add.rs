//! `feeds add`: from an address to a table in the configuration.

use std::collections::HashSet;
use std::process::ExitCode;

use super::args::AddArgs;
use super::identity;
use super::probe::{Found, Prober};
use super::report::{absolute, as_text, rules};
use super::write::{RELOAD, Target, confirm};
use crate::cli::{CliError, Context};
use crate::config::{self, Config, NewFeed};
use crate::model::RequestOptions;

pub(super) async fn add(mut context: Context, args: AddArgs) -> Result<ExitCode, CliError> {
    let config = context.load()?;
    let asked = absolute(&args.url)?;
    if asked.starts_with("file:") {
        return Err(CliError::Failed("write a file: source into the configuration by hand".into()));
    }
    refuse_known(&config, &asked, args.force)?;
    let target = Target::new(&context, args.file.as_deref(), ("feeds.d/added.toml", true))?;
    let options = options(&config, &args, &asked, &target)?;
    let mut prober = Prober::new(&config, options, args.allow_private)?;
    let found = match prober.find(&asked).await {
        Ok(found) => Some(found),
        Err(reason) if args.force => {
            context.out.line(format!("cannot be read now: {reason}"))?;
            None
        }
        Err(reason) => return Err(CliError::Failed(format!("{asked}: {reason}"))),
    };
    if let Some(found) = &found {
        refuse_known(&config, &found.url, args.force)?;
        for line in as_text(&asked, found, &rules(&config, "", found)) {
            context.out.line(line)?;
        }
    }
    let feed = new_feed(&config, &args, &asked, found.as_ref());
    let edits = target.plan(std::slice::from_ref(&feed))?;
    target.check(&edits)?;
    context
        .out
        .line(format!("\n{}", config::add_feeds("", std::slice::from_ref(&feed)).trim_end()))?;
    context.out.flush()?;
    if !confirm(args.yes, &format!("write this to {}?", target.file.display()))? {
        context.out.line("nothing is written")?;
        context.out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    target.write(&edits)?;
    let file = target.file.display();
    context.out.line(format!("\nfeed \"{}\" is written to {file}; {RELOAD}", feed.name))?;
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// What the feed's requests will carry by the configuration as it would be,
/// which is thereby found good before anybody is asked.
fn options(
    config: &Config,
    args: &AddArgs,
    asked: &str,
    target: &Target,
) -> Result<RequestOptions, CliError> {
    let feed = new_feed(config, args, asked, None);
    let edited = target.check(&target.plan(std::slice::from_ref(&feed))?)?;
    let feed = edited.feeds.into_iter().find(|other| other.name.as_str() == feed.name);
    Ok(feed.map(|feed| feed.request).unwrap_or_default())
}

fn refuse_known(config: &Config, url: &str, force: bool) -> Result<(), CliError> {
    let wanted = identity(url);
    let mut feeds = config.feeds.iter().chain(&config.paused);
    match feeds.find(|feed| identity(&feed.url) == wanted) {
        Some(feed) if !force => Err(CliError::Failed(format!(
            "feed \"{}\" has this URL already; --force adds it all the same",
            feed.name
        ))),
        _ => Ok(()),
    }
}

fn new_feed(config: &Config, args: &AddArgs, asked: &str, found: Option<&Found>) -> NewFeed {
    let url = found.map_or(asked, |found| found.url.as_str()).to_string();
    let own_title = found.and_then(|found| found.feed.title.clone());
    let host = crate::fetch::host_of(&url);
    let host = host.trim_start_matches("www.").to_string();
    let mut taken: HashSet<String> = config
        .feeds
        .iter()
        .chain(&config.paused)
        .map(|feed| feed.name.as_str().to_string())
        .collect();
    let name = match &args.name {
        // A name that is taken or none is told with the other problems of the result.
        Some(name) => name.clone(),
        None => {
            let title = args.title.as_deref().or(own_title.as_deref()).unwrap_or_default();
            config::feed_name(&[title, &host], &mut taken)
        }
    };
    NewFeed {
        name,
        url,
        title: args.title.clone().or(own_title).map(|title| crate::extract::one_line(&title)),
        groups: args.group.iter().map(|group| group.trim_matches('/').to_string()).collect(),
        tags: args.tag.clone(),
        allow_private: args.allow_private,
        proxy: args.proxy.clone(),
    }
}
