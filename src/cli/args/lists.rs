//! What can be said of lists: stories, alerts, deliveries.

use clap::Subcommand;

use super::duration;
use super::people::one_line;

/// Of which stories.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct StoryList {
    /// Not older than this: 90m, 2h, 3d
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(in crate::cli) since: Option<jiff::SignedDuration>,
    /// Only of this rule
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) rule: Option<String>,
    /// Only of this feed
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) feed: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(in crate::cli) limit: usize,
}

/// Of which alerts or deliveries.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ListArgs {
    #[command(flatten)]
    pub(in crate::cli) stories: StoryList,
    /// Only of this channel
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) channel: Option<String>,
    /// Only in this state: waiting, sent, failed, suppressed, gathered
    #[arg(long, value_name = "STATE")]
    pub(in crate::cli) state: Option<String>,
}

/// Which notices. Each is about one thing.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct NoticesArgs {
    /// Not older than this: 90m, 2h, 3d
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(in crate::cli) since: Option<jiff::SignedDuration>,
    /// Only of this feed, or of this host of several
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) feed: Option<String>,
    /// Only of this channel
    #[arg(long, value_name = "NAME", conflicts_with = "feed")]
    pub(in crate::cli) channel: Option<String>,
    /// Only of this rule
    #[arg(long, value_name = "NAME", conflicts_with_all = ["feed", "channel"])]
    pub(in crate::cli) rule: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(in crate::cli) limit: usize,
}

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct StoriesArgs {
    #[command(flatten)]
    pub(in crate::cli) list: StoryList,
    #[command(subcommand)]
    pub(in crate::cli) action: Option<StoriesAction>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum StoriesAction {
    /// Show a story's tellings in order of time: who, which independent source, and why it joined
    Show {
        /// The story's id
        id: String,
    },
    /// Take tellings out of a story: they are another story from now on
    ///
    /// What they matched and raised goes with them. A running daemon follows; later entries
    /// join the one that they are more like.
    Split {
        /// The story's id
        id: String,
        /// Numbers of its tellings as `stories show` prints them, or their links
        #[arg(required = true, value_name = "NUMBER|LINK")]
        tellings: Vec<String>,
    },
    /// Make stories part of another one: they are one story from now on
    Merge {
        /// The story that the others become part of
        id: String,
        /// The others
        #[arg(required = true, value_name = "ID")]
        others: Vec<String>,
    },
}

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct DeliveriesArgs {
    #[command(flatten)]
    pub(in crate::cli) list: ListArgs,
    #[command(subcommand)]
    pub(in crate::cli) action: Option<DeliveriesAction>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum DeliveriesAction {
    /// Send failed deliveries again, with their old ids
    Retry {
        /// Ids of failed deliveries
        #[arg(required_unless_present = "all", value_name = "ID")]
        ids: Vec<String>,
        /// All failed deliveries
        #[arg(long, conflicts_with = "ids")]
        all: bool,
        /// Also those that wait for their next try, now that the receiver is back
        #[arg(long)]
        waiting: bool,
    },
    /// Lay failed deliveries aside: they are not sent, and `why` says who decided so
    Drop {
        /// Ids of failed deliveries
        #[arg(required_unless_present_any = ["all", "channel"], value_name = "ID")]
        ids: Vec<String>,
        /// All failed deliveries
        #[arg(long, conflicts_with = "ids")]
        all: bool,
        /// All failed deliveries of this channel, configured or not
        #[arg(long, value_name = "NAME", conflicts_with_all = ["ids", "all"])]
        channel: Option<String>,
        /// Also those that wait
        #[arg(long)]
        waiting: bool,
        /// Why, for those who ask later
        #[arg(long, value_name = "TEXT", value_parser = one_line)]
        comment: Option<String>,
    },
}
