//! `generate`: what packagers and editors need.

use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory;

use super::args::{Args, Generate, GenerateArgs, Shell};
use super::{CliError, Context};
use crate::config;
use crate::store;

pub(super) fn run(mut context: Context, args: GenerateArgs) -> Result<ExitCode, CliError> {
    match args.what {
        Generate::Completions { shell } => context.out.raw(&completions(shell))?,
        Generate::Man { dir: Some(dir) } => man_pages(&dir)?,
        Generate::Man { dir: None } => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Args::command()).render(&mut page)?;
            context.out.raw(&page)?;
        }
        Generate::Schema => {
            let schema = config::json_schema();
            let text = serde_json::to_string_pretty(&schema).map_err(std::io::Error::other)?;
            context.out.line(text)?;
        }
        Generate::Reference => context.out.raw(config::reference().as_bytes())?,
    }
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// `version`: what is in this program.
pub(super) fn version(mut context: Context) -> Result<ExitCode, CliError> {
    let (own, sqlite, schema) =
        (env!("CARGO_PKG_VERSION"), store::sqlite_version(), store::schema());
    if context.json {
        let versions = serde_json::json!({ "wirewatch": own, "sqlite": sqlite, "schema": schema });
        context.out.json(&versions)?;
    } else {
        context.out.line(format!("wirewatch {own} (SQLite {sqlite}, schema {schema})"))?;
    }
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn completions(shell: Shell) -> Vec<u8> {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Elvish => clap_complete::Shell::Elvish,
        Shell::Fish => clap_complete::Shell::Fish,
        Shell::Powershell => clap_complete::Shell::PowerShell,
        Shell::Zsh => clap_complete::Shell::Zsh,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "wirewatch", &mut script);
    script
}

fn man_pages(dir: &Path) -> Result<(), CliError> {
    let failed = |error: std::io::Error| {
        CliError::Failed(format!("cannot write man pages to \"{}\": {error}", dir.display()))
    };
    std::fs::create_dir_all(dir).map_err(failed)?;
    clap_mangen::generate_to(Args::command(), dir).map_err(failed)
}
