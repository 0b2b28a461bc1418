//! The command line: one file a command, and the only code that prints
//! (besides the console channel, whose message is the printing).

mod archive;
mod arenas;
mod args;
mod check;
mod data;
mod doctor;
mod failure;
mod feeds;
mod fulltext;
mod generate;
mod healthcheck;
mod items;
mod latency;
mod lists;
mod logging;
mod matching;
mod notices;
mod once;
mod output;
mod parse;
mod plain;
mod replay;
mod rules;
mod run;
mod silences;
mod status;
mod stories;
mod why;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::app::AppError;
use crate::config::{self, Config, Environment, Problems};
use crate::store::StoreError;
use args::{Args, Command};
use output::Out;

/// Exit code: something that was asked for could not be done.
const FAILED: u8 = 1;
/// Exit code: the database is of a newer version (sysexits.h `EX_USAGE`): this
/// is the wrong program for it.
const TOO_NEW: u8 = 64;
/// Exit code: the database is damaged (sysexits.h `EX_DATAERR`).
const DAMAGED: u8 = 65;
/// Exit code: the configuration is wrong (sysexits.h `EX_CONFIG`).
const BAD_CONFIG: u8 = 78;

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
enum CliError {
    /// Said on stderr as it is, with every problem.
    #[error("the configuration is wrong")]
    Config(Box<Problems>),
    /// There is none in the usual places.
    #[error(
        "no configuration found ({0}); name one with --config FILE, or begin with what \
             `wirewatch generate reference` prints"
    )]
    NoConfig(String),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Everything that goes wrong later.
    #[error("{0}")]
    Failed(String),
    /// The reader of our output has gone, which is its right.
    #[error("output: {0}")]
    Output(#[from] std::io::Error),
}

impl From<AppError> for CliError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Store(error) => Self::Store(error),
            error => Self::Failed(error.to_string()),
        }
    }
}

impl CliError {
    fn code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::NoConfig(_) => BAD_CONFIG,
            Self::Store(StoreError::TooNew { .. }) => TOO_NEW,
            Self::Store(error) if error.is_damage() => DAMAGED,
            Self::Store(_) | Self::Failed(_) | Self::Output(_) => FAILED,
        }
    }
}

/// What every command gets.
struct Context {
    config: Option<PathBuf>,
    json: bool,
    out: Out,
}

/// Reads the command line, does what it says, and gives the exit code:
/// 0 done, 1 failed, 2 wrong usage, 64 and 65 a database that is too new or
/// damaged, 78 wrong configuration.
pub fn main() -> ExitCode {
    let args = Args::parse();
    logging::start(&args.command, args.verbose, args.log_format);
    if matches!(args.command, None | Some(Command::Run)) {
        arenas::keep_few();
    }
    no_core_dumps();
    let context = Context { config: args.config, json: args.json, out: Out::new() };
    let command = args.command.unwrap_or(Command::Run);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failure::cannot_start(&error, args.log_format),
    };
    let result = runtime.block_on(dispatch(command, context));
    // A blocking read of a dead disk must not hold up the exit.
    runtime.shutdown_background();
    failure::exit_code(result, args.log_format)
}

/// A dump of this process would hold passwords, and lie around for years.
fn no_core_dumps() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::debug!(%error, "core dumps cannot be switched off");
    }
}

async fn dispatch(command: Command, context: Context) -> Result<ExitCode, CliError> {
    match command {
        Command::Run => run::run(context).await,
        Command::Once => once::run(context).await,
        Command::Check => check::run(context).await,
        Command::Healthcheck => healthcheck::run(context).await,
        Command::Doctor(args) => doctor::run(context, args).await,
        Command::Backup(args) => data::backup(context, args).await,
        Command::Restore(args) => data::restore(context, args).await,
        Command::Recover(args) => data::recover(context, args).await,
        Command::Export(args) => data::export(context, args).await,
        Command::Status(args) => status::run(context, args).await,
        Command::Feeds(args) => feeds::run(context, args).await,
        Command::Stories(args) => stories::run(context, args).await,
        Command::Alerts(args) => lists::alerts(context, args).await,
        Command::Deliveries(args) => lists::deliveries(context, args).await,
        Command::Why(args) => why::run(context, args).await,
        Command::Silence(args) => silences::run(context, args).await,
        Command::Mute(args) => silences::mute(context, args).await,
        Command::Ack(args) => silences::feedback(context, args, "acknowledged").await,
        Command::Snooze(args) => silences::snooze(context, args).await,
        Command::FalsePositive(args) => silences::feedback(context, args, "false-positive").await,
        Command::Notices(args) => notices::run(context, args).await,
        Command::Parse(args) => parse::run(context, args),
        Command::Fulltext(args) => fulltext::run(context, args).await,
        Command::Match(args) => matching::run(context, args),
        Command::Rules(args) => rules::run(context, args),
        Command::Explain(args) => archive::explain::run(context, args).await,
        Command::Search(args) => archive::search::run(context, args).await,
        Command::Backtest(args) => archive::backtest::run(context, args).await,
        Command::Plan(args) => archive::plan::run(context, args).await,
        Command::Replay(args) => replay::run(context, args).await,
        Command::Version => generate::version(context),
        Command::Generate(args) => generate::run(context, args),
    }
}

impl Context {
    /// The configuration file: as named, else the first of the usual places.
    fn config_path(&self) -> Result<PathBuf, CliError> {
        if let Some(path) = &self.config {
            return Ok(path.clone());
        }
        let usual = ["config/wirewatch.toml", "wirewatch.toml", "/etc/wirewatch/wirewatch.toml"];
        usual
            .iter()
            .map(PathBuf::from)
            .find(|path| path.exists())
            .ok_or_else(|| CliError::NoConfig(usual.join(", ")))
    }

    fn load(&self) -> Result<Config, CliError> {
        let path = self.config_path()?;
        config::load(&path, &Environment::from_process())
            .map_err(|problems| CliError::Config(Box::new(problems)))
    }
}
