//! What can be said after `wirewatch feeds`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::cli::args::duration;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct FeedsArgs {
    #[command(flatten)]
    pub(super) list: ListArgs,
    #[command(subcommand)]
    pub(super) action: Option<Action>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// List feeds by name
    #[command(after_help = "Example:\n  wirewatch feeds list --group news --health failing")]
    List(ListArgs),
    /// Show everything that is known of a feed
    #[command(after_help = "Example:\n  wirewatch feeds show bbc-world")]
    Show {
        /// The feed's name
        name: String,
    },
    /// Fetch a feed once and say what is understood of it; nothing is stored
    ///
    /// Given a web page, the feeds that it names are looked for and the best is tested. The exit
    /// code is 0 when a feed could be read.
    #[command(after_help = "Examples:\n  wirewatch feeds test https://example.org/rss\n  \
        wirewatch feeds test bbc-world --json")]
    Test(TestArgs),
    /// Find the feed behind an address, test it and write it to the configuration
    #[command(
        after_help = "Example:\n  wirewatch feeds add https://example.org/ --group news/asia --tag wire"
    )]
    Add(AddArgs),
    /// Take feeds over from another reader's OPML file; nothing is fetched
    ///
    /// Folders become groups, categories become tags. Feeds that are configured already are left
    /// out.
    #[command(after_help = "Examples:\n  wirewatch feeds import subscriptions.opml --dry-run\n  \
        wirewatch feeds import subscriptions.opml --yes")]
    Import(ImportArgs),
    /// Print the configured feeds as OPML, with folders
    #[command(after_help = "Example:\n  wirewatch feeds export --group news > news.opml")]
    Export {
        /// Only of this group and the groups inside it
        #[arg(long, value_name = "GROUP")]
        group: Option<String>,
    },
    /// Take a feed out of the configuration; its stories are kept
    #[command(after_help = "Example:\n  wirewatch feeds remove bbc-world --yes")]
    Remove {
        /// The feed's name
        name: String,
        /// Write without asking
        #[arg(long, short)]
        yes: bool,
    },
    /// Poll a feed again that is gone or waiting after failures
    #[command(after_help = "Example:\n  wirewatch feeds revive old-feed")]
    Revive {
        /// The feed's name
        name: String,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// Only of this group and the groups inside it
    #[arg(long, value_name = "GROUP")]
    pub(super) group: Option<String>,
    /// Only with this tag
    #[arg(long, value_name = "TAG")]
    pub(super) tag: Option<String>,
    /// Only in this state: new, ok, degraded, failing, down, challenged, silent, gone, paused
    #[arg(long, visible_alias = "state", value_name = "HEALTH")]
    pub(super) health: Option<String>,
    /// Only what brought something new since then: 90m, 2h, 3d
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) since: Option<jiff::SignedDuration>,
    /// Only this feed
    #[arg(long, value_name = "NAME")]
    pub(super) feed: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(super) limit: usize,
}

#[derive(Debug, clap::Args)]
pub(super) struct TestArgs {
    /// URL of a feed or page, or the name of a configured feed
    pub(super) url: String,
    /// Ask by way of this proxy
    #[arg(long, value_name = "URL")]
    pub(super) proxy: Option<String>,
    /// It may live on a private or loopback address
    #[arg(long)]
    pub(super) allow_private: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct AddArgs {
    /// URL of a feed, or of a page that names one
    pub(super) url: String,
    /// Its name in the configuration; otherwise made of its title
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// The folder it is to stand in
    #[arg(long, value_name = "GROUP")]
    pub(super) group: Option<String>,
    /// A word to select it by; may be given several times
    #[arg(long, value_name = "TAG")]
    pub(super) tag: Vec<String>,
    /// The outlet's name in alerts; otherwise the feed's own title
    #[arg(long, value_name = "TITLE")]
    pub(super) title: Option<String>,
    /// Ask by way of this proxy, now and later
    #[arg(long, value_name = "URL")]
    pub(super) proxy: Option<String>,
    /// It may live on a private or loopback address
    #[arg(long)]
    pub(super) allow_private: bool,
    /// File to write it to [default: feeds.d/added.toml if that is included, else the main file]
    #[arg(long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// Write without asking
    #[arg(long, short)]
    pub(super) yes: bool,
    /// Write it even if it cannot be read now, or is configured already
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    /// The OPML file, or - for standard input
    #[arg(value_name = "FILE")]
    pub(super) list: PathBuf,
    /// File to write the feeds to [default: feeds.d/imported.toml beside the main file]
    #[arg(long, value_name = "OUT")]
    pub(super) file: Option<PathBuf>,
    /// Folder to put everything into
    #[arg(long, value_name = "GROUP")]
    pub(super) group: Option<String>,
    /// Refuse files with more feeds than this
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(super) limit: usize,
    /// Write without asking
    #[arg(long, short)]
    pub(super) yes: bool,
    /// Only say what would be done
    #[arg(long)]
    pub(super) dry_run: bool,
}
