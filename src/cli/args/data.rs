//! What can be said of the database, and of the machine it is on.

use std::path::PathBuf;

use clap::ValueEnum;

use super::duration;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct BackupArgs {
    /// The file to make; it must not exist
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RestoreArgs {
    /// A backup, or what `recover` saved
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RecoverArgs {
    /// The file to make of what can be read; it must not exist
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,
    /// A damaged database other than the configured one
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) from: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ExportArgs {
    /// Only these
    #[arg(value_enum)]
    pub(in crate::cli) what: Vec<What>,
    /// Stories last carried, matches and deliveries made within this: 90m, 2h, 3d
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(in crate::cli) since: Option<jiff::SignedDuration>,
}

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum What {
    /// Stories with the entries that tell them
    Stories,
    /// Matches with their evidence and alert
    Matches,
    /// Deliveries with each try
    Deliveries,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct DoctorArgs {
    /// Connect to nobody: no names are looked up, no mail server is asked
    #[arg(long)]
    pub(in crate::cli) offline: bool,
}
