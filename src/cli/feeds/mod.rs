//! `feeds`: everything about the configured feeds.

mod add;
mod args;
mod import;
mod known;
mod list;
mod probe;
mod report;
mod write;

use std::process::ExitCode;

use self::args::Action;
use super::{CliError, Context};
use crate::model::Feed;

pub(super) use self::args::FeedsArgs;

pub(super) async fn run(context: Context, args: FeedsArgs) -> Result<ExitCode, CliError> {
    match args.action {
        None => list::list(context, args.list).await,
        Some(Action::List(list)) => list::list(context, list).await,
        Some(Action::Show { name }) => list::show(context, &name).await,
        Some(Action::Revive { name }) => list::revive(context, &name).await,
        Some(Action::Test(test)) => report::test(context, test).await,
        Some(Action::Add(add)) => add::add(context, add).await,
        Some(Action::Import(import)) => import::import(context, &import),
        Some(Action::Export { group }) => import::export(context, group.as_deref()),
        Some(Action::Remove { name, yes }) => write::remove(context, &name, yes),
    }
}

/// Whether a feed stands in a group or in one inside it.
fn is_in(feed: &Feed, group: &str) -> bool {
    let group = group.trim_matches('/');
    feed.groups.iter().any(|own| {
        own.strip_prefix(group).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// What tells two feeds apart: their URL, spelled in the shortest way.
fn identity(url: &str) -> String {
    crate::extract::canonical_link(url).unwrap_or_else(|| {
        let url = url.split('#').next().unwrap_or_default().trim_end_matches('/');
        url.split_once("://").map_or(url, |(_, rest)| rest).to_lowercase()
    })
}
