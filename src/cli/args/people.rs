//! Arguments of what people ask about alerts and say of them.

use clap::Subcommand;

use super::duration;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct WhyArgs {
    /// A story's or alert's id, or the link of a stored entry
    pub(in crate::cli) what: String,
    /// Name every rule that did not match
    #[arg(long)]
    pub(in crate::cli) all: bool,
}

/// What a person says, as one line that lists can show.
#[expect(clippy::unnecessary_wraps, reason = "what clap wants of a parser")]
pub(super) fn one_line(text: &str) -> Result<String, std::convert::Infallible> {
    let visible = text.replace(char::is_control, " ");
    Ok(visible.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Who says something of alerts, and why.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Spared {
    /// Why, for those who look later
    #[arg(long, value_name = "TEXT", value_parser = one_line)]
    pub(in crate::cli) comment: Option<String>,
    /// Who, if not the user of this shell
    #[arg(long, value_name = "NAME", value_parser = one_line)]
    pub(in crate::cli) author: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct SilenceArgs {
    #[command(subcommand)]
    pub(in crate::cli) action: SilenceAction,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SilenceAction {
    /// Tell nobody of alerts that fit all that is named
    Add {
        /// Alerts of this rule
        #[arg(long, value_name = "NAME")]
        rule: Option<String>,
        /// Alerts of this story
        #[arg(long, value_name = "ID")]
        story: Option<String>,
        /// What this feed brought
        #[arg(long, value_name = "NAME")]
        feed: Option<String>,
        /// On this channel
        #[arg(long, value_name = "NAME")]
        channel: Option<String>,
        /// For so long: 90m, 2h, 3d; otherwise until it is ended
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        r#for: Option<jiff::SignedDuration>,
        #[command(flatten)]
        spared: Spared,
    },
    /// List silences in force, the newest first
    List {
        /// Those that are over, too
        #[arg(long)]
        all: bool,
    },
    /// End a silence now
    End {
        /// Its id
        id: String,
    },
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct MuteArgs {
    /// The story's id
    pub(in crate::cli) story: String,
    #[command(flatten)]
    pub(in crate::cli) spared: Spared,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct FeedbackArgs {
    /// Ids of alerts
    #[arg(required = true, value_name = "ALERT")]
    pub(in crate::cli) alerts: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) spared: Spared,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct SnoozeArgs {
    /// The alert's id
    pub(in crate::cli) alert: String,
    /// For how long: 90m, 2h, 3d
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(in crate::cli) r#for: jiff::SignedDuration,
    #[command(flatten)]
    pub(in crate::cli) spared: Spared,
}
