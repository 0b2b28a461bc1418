//! What can be said on the command line, with its help.

use std::path::PathBuf;

mod data;
mod lists;
mod people;

use clap::{Parser, Subcommand, ValueEnum};

pub(super) use data::{BackupArgs, DoctorArgs, ExportArgs, RecoverArgs, RestoreArgs, What};
pub(super) use lists::{
    DeliveriesAction, DeliveriesArgs, ListArgs, NoticesArgs, StoriesAction, StoriesArgs, StoryList,
};
pub(super) use people::{
    FeedbackArgs, MuteArgs, SilenceAction, SilenceArgs, SnoozeArgs, Spared, WhyArgs,
};

use super::feeds::FeedsArgs;

/// Watches news feeds and tells you about stories that match your rules.
///
/// Without a command: runs the daemon, like `wirewatch run`.
#[derive(Debug, Parser)]
#[command(
    version,
    long_about = None,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 64 database too new, 65 database damaged, \
    78 wrong configuration.\n\n\
    Examples:\n  wirewatch check\n  wirewatch --config /etc/wirewatch/wirewatch.toml run\n  \
    wirewatch alerts --since 2h --json"
)]
pub(super) struct Args {
    /// Configuration file [default: config/wirewatch.toml, wirewatch.toml, /etc/wirewatch/wirewatch.toml]
    #[arg(long, short, global = true, value_name = "FILE", env = "WIREWATCH_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// Print JSON: one object a line
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Log more: -v debug, -vv trace
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// How logs are written to standard error; without it the journal gets them where there is one
    #[arg(long, global = true, value_name = "FORMAT", value_enum, env = "WIREWATCH_LOG_FORMAT")]
    pub(super) log_format: Option<LogFormat>,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Lines for people
    Text,
    /// A JSON object a line
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the daemon until Ctrl-C or SIGTERM; SIGHUP reloads the configuration
    #[command(after_help = "Example:\n  wirewatch --config watch.toml run")]
    Run,
    /// Poll every feed now, deliver what is due, print a summary and exit
    ///
    /// A feed or delivery that fails is in the summary and is tried again next time; the exit code
    /// is 1 only when wirewatch itself could not do its work.
    #[command(after_help = "Example:\n  wirewatch once --json")]
    Once,
    /// List every problem of the configuration, run the rules' examples, say what would be done
    #[command(after_help = "Example:\n  wirewatch --config watch.toml check")]
    Check,
    /// Say what is healthy and what is not
    #[command(after_help = "Example:\n  wirewatch status --quiet && echo healthy")]
    Status(StatusArgs),
    /// Say in a word whether the daemon is well; exit 0 if so, else 1
    ///
    /// Asks the HTTP endpoint if `[http]` has one, else does what `status --quiet` does.
    #[command(after_help = "Example:\n  wirewatch healthcheck || systemctl restart wirewatch")]
    Healthcheck,
    /// Look at configuration, clock, database, disk, names, mail servers and receivers, and say
    /// what to do
    ///
    /// Tells nobody anything: mail servers are asked as far as the login, web servers for their
    /// front page. The exit code is 1 if there is a problem.
    #[command(
        after_help = "Example:\n  sudo wirewatch --config /etc/wirewatch/wirewatch.toml doctor"
    )]
    Doctor(DoctorArgs),
    /// Copy the database to a new file while it is in use
    ///
    /// The file appears when it is whole, on disk and proved to be sound.
    #[command(after_help = "Example:\n  wirewatch backup /backup/wirewatch-$(date +%F).db")]
    Backup(BackupArgs),
    /// Put a backup in the place of the database, which is kept under another name
    ///
    /// The daemon must not run.
    #[command(after_help = "Example:\n  wirewatch restore /backup/wirewatch-2026-11-22.db")]
    Restore(RestoreArgs),
    /// Save what can be read of a damaged database to a new file
    #[command(after_help = "Example:\n  wirewatch recover saved.db && wirewatch restore saved.db")]
    Recover(RecoverArgs),
    /// Print stories, matches and deliveries: a JSON object a line
    #[command(
        after_help = "Example:\n  wirewatch export stories matches --since 30d | gzip > news.jsonl.gz"
    )]
    Export(ExportArgs),
    /// List, show, test, add, import, export, remove and revive feeds
    ///
    /// Without a further command: lists them.
    #[command(after_help = "Examples:\n  wirewatch feeds --health failing\n  \
        wirewatch feeds add https://example.org/ --group news/asia\n  \
        wirewatch feeds import subscriptions.opml --dry-run")]
    Feeds(FeedsArgs),
    /// List stories, the newest first; show who tells one and why it is one, or correct it
    #[command(after_help = "Examples:\n  wirewatch stories --since 2h --rule sanctions\n  \
        wirewatch stories show s0123456789abcdef\n  \
        wirewatch stories split s0123456789abcdef 3 5\n  \
        wirewatch stories merge s0123456789abcdef sfedcba9876543210")]
    Stories(StoriesArgs),
    /// List alerts, the newest first
    #[command(after_help = "Example:\n  wirewatch alerts --since 1d --json")]
    Alerts(ListArgs),
    /// List deliveries, or try failed ones again
    #[command(
        after_help = "Examples:\n  wirewatch deliveries --state failed\n  wirewatch deliveries retry --all"
    )]
    Deliveries(DeliveriesArgs),
    /// Say what became of a story in every stage, with times; also by an alert's id or a link
    #[command(after_help = "Examples:\n  wirewatch why s0123456789abcdef\n  \
        wirewatch why https://example.org/story --json")]
    Why(WhyArgs),
    /// Add, list and end silences: alerts that are recorded and not told
    #[command(after_help = "Examples:\n  \
        wirewatch silence add --rule sanctions --for 2h --comment 'known, desk is on it'\n  \
        wirewatch silence list\n  wirewatch silence end x0123456789abcdef")]
    Silence(SilenceArgs),
    /// Tell nobody of a story any more
    #[command(after_help = "Example:\n  wirewatch mute s0123456789abcdef")]
    Mute(MuteArgs),
    /// Acknowledge alerts: they are not repeated and not escalated
    #[command(after_help = "Example:\n  wirewatch ack a0123456789abcdef --comment 'on it'")]
    Ack(FeedbackArgs),
    /// Be told of an alert again later, and not before
    #[command(after_help = "Example:\n  wirewatch snooze a0123456789abcdef --for 2h")]
    Snooze(SnoozeArgs),
    /// Record that alerts were false: they are not repeated, and count for their rules
    #[command(after_help = "Example:\n  wirewatch false-positive a0123456789abcdef")]
    FalsePositive(FeedbackArgs),
    /// List what operators are told: of feeds (down, silent, gone, gaps), channels and rules
    #[command(after_help = "Example:\n  wirewatch notices --since 7d")]
    Notices(NoticesArgs),
    /// Show what is understood of a feed document: a JSON object a line per entry
    #[command(after_help = "Example:\n  curl -s https://example.org/rss | wirewatch parse -")]
    Parse(ParseArgs),
    /// Show what would be read of web pages: the article, and what they say of it
    Fulltext(FulltextArgs),
    /// Try rules on items: a JSON object a line per match
    ///
    /// Items are JSON lines with `id`, `title`, `text` and optionally `url`, `feed`, `author`,
    /// `categories`, `lang`, `published`.
    #[command(
        after_help = "Example:\n  wirewatch parse feed.xml | wirewatch match --rules rules.toml"
    )]
    Match(MatchArgs),
    /// List, show and test the rules
    ///
    /// Without a further command: lists them.
    #[command(after_help = "Examples:\n  wirewatch rules\n  wirewatch rules show sanctions\n  \
        wirewatch rules test")]
    Rules(RulesArgs),
    /// Say why a rule matches a story, or why not and what came closest
    #[command(after_help = "Examples:\n  wirewatch explain sanctions s0123456789abcdef\n  \
        wirewatch explain sanctions https://example.org/story\n  \
        wirewatch explain sanctions story.txt")]
    Explain(ExplainArgs),
    /// Search the stored entries in the language of rules, the newest first
    ///
    /// Words side by side are all wanted. Lists of the configuration can be used.
    #[command(after_help = "Example:\n  wirewatch search 'hotline @china' --since 30d")]
    Search(SearchArgs),
    /// Say what rules would have found among the stored entries
    #[command(after_help = "Examples:\n  wirewatch backtest sanctions --since 30d\n  \
        wirewatch backtest --rules edited.toml")]
    Backtest(BacktestArgs),
    /// Compare the rules in force with an edited file: stories gained and lost
    #[command(after_help = "Example:\n  wirewatch plan edited.toml --since 30d")]
    Plan(PlanArgs),
    /// Run the whole decision path over items in time order: a JSON object a line per item
    ///
    /// Items are JSON lines as for `match`, with `feed` and `published` or `seen`; no network and
    /// no lasting database are used.
    #[command(after_help = "Example:\n  wirewatch --config watch.toml replay --input items.jsonl")]
    Replay(ReplayArgs),
    /// Print the versions of the program, of SQLite in it, and of the database's schema
    Version,
    /// Print shell completions, the man pages, the JSON schema or the reference configuration
    #[command(
        after_help = "Examples:\n  wirewatch generate completions bash\n  wirewatch generate man --dir man/"
    )]
    Generate(GenerateArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    /// Print nothing; exit 0 when the daemon runs and is healthy, else 1
    #[arg(long, short)]
    pub(super) quiet: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ParseArgs {
    /// The document, or - for standard input
    pub(super) file: PathBuf,
    /// Its Content-Type, as the server stated it
    #[arg(long, value_name = "TYPE")]
    pub(super) content_type: Option<String>,
    /// The URL it came from: the base of relative links
    #[arg(long, value_name = "URL")]
    pub(super) base_url: Option<String>,
    /// Print first a line about the feed itself: format, encoding, repairs, hints
    #[arg(long)]
    pub(super) feed: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct FulltextArgs {
    /// Web addresses or files; - for standard input
    #[arg(required = true, value_name = "URL|FILE")]
    pub(super) pages: Vec<String>,
    /// The Content-Type of files
    #[arg(long, value_name = "TYPE")]
    pub(super) content_type: Option<String>,
    /// The URL that a file came from: the base of relative links
    #[arg(long, value_name = "URL")]
    pub(super) base_url: Option<String>,
    /// Private and loopback addresses may be asked
    #[arg(long)]
    pub(super) allow_private: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct MatchArgs {
    /// TOML file with terms and rules
    #[arg(long, value_name = "FILE")]
    pub(super) rules: PathBuf,
    /// JSON lines, or - for standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(super) input: PathBuf,
    /// Print a line for each rule and item, and why those that do not match do not
    #[arg(long)]
    pub(super) explain: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct RulesArgs {
    #[command(subcommand)]
    pub(super) action: Option<RulesAction>,
}

#[derive(Debug, Subcommand)]
pub(super) enum RulesAction {
    /// List the rules
    List,
    /// Show a rule in its canonical form, with its lists, filters and examples
    Show {
        /// The rule's name
        name: String,
    },
    /// Run the rules' own examples
    Test {
        /// Only of this rule
        name: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct ExplainArgs {
    /// The rule's name
    pub(super) rule: String,
    /// A story's id, the link of a stored entry, or a file with items or a plain text
    pub(super) what: String,
    /// Rules of this file instead of the configuration's
    #[arg(long, value_name = "FILE")]
    pub(super) rules: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct SearchArgs {
    /// What to look for
    pub(super) query: String,
    /// Not older than this: 90m, 2h, 3d
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) since: Option<jiff::SignedDuration>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) limit: usize,
}

#[derive(Debug, clap::Args)]
pub(super) struct BacktestArgs {
    /// Only this rule
    pub(super) rule: Option<String>,
    /// Rules of this file instead of the configuration's
    #[arg(long, value_name = "FILE")]
    pub(super) rules: Option<PathBuf>,
    /// Only entries not older than this: 90m, 2h, 3d
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) since: Option<jiff::SignedDuration>,
}

#[derive(Debug, clap::Args)]
pub(super) struct PlanArgs {
    /// TOML file with the edited terms and rules
    pub(super) rules: PathBuf,
    /// Only entries not older than this: 90m, 2h, 3d
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) since: Option<jiff::SignedDuration>,
}

#[derive(Debug, clap::Args)]
pub(super) struct ReplayArgs {
    /// JSON lines, or - for standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(super) input: PathBuf,
    /// Rules of this file instead of the configuration's
    #[arg(long, value_name = "FILE")]
    pub(super) rules: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct GenerateArgs {
    #[command(subcommand)]
    pub(super) what: Generate,
}

#[derive(Debug, Subcommand)]
pub(super) enum Generate {
    /// Completions for a shell, on standard output
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Man pages: the main one on standard output, or all into a folder
    Man {
        /// Folder for all pages
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// JSON schema of the configuration, for editors
    Schema,
    /// Every configuration key with its default
    Reference,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

/// A span of time as the configuration writes it, days included.
pub(super) fn duration(text: &str) -> Result<jiff::SignedDuration, String> {
    let span: jiff::Span = text.parse().map_err(|_| "write it like 90m, 2h or 3d".to_string())?;
    span.to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .map_err(|_| "days, hours, minutes and seconds only".to_string())
}
