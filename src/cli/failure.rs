//! The last word of a command that failed: for people, or as the log is written.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::args::LogFormat;
use super::{CliError, output};
use crate::config::Gravity;
use crate::model::Clock;

/// The exit code of a command, after saying why it failed if it did.
pub(super) fn exit_code(result: Result<ExitCode, CliError>, format: Option<LogFormat>) -> ExitCode {
    let error = match result {
        Ok(code) => return code,
        // `wirewatch alerts | head` has got what it wanted.
        Err(CliError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            return ExitCode::SUCCESS;
        }
        Err(error) => error,
    };
    match &error {
        _ if format == Some(LogFormat::Json) => output::complain_as_json(&record(&error)),
        CliError::Config(problems) => output::problems(problems),
        error => output::complain(&error.to_string()),
    }
    ExitCode::from(error.code())
}

/// What cannot even be begun.
pub(super) fn cannot_start(error: &std::io::Error, format: Option<LogFormat>) -> ExitCode {
    exit_code(Err(CliError::Failed(format!("cannot start: {error}"))), format)
}

/// The keys of a log line, so that who reads the log reads this too.
fn record(error: &CliError) -> Value {
    let mut record = json!({
        "timestamp": Clock::System.now().to_string(),
        "level": "ERROR",
        "message": error.to_string(),
        "exit_code": error.code(),
    });
    if let CliError::Config(problems) = error {
        let problems = problems.list.iter().map(|problem| {
            json!({
                "severity": if problem.severity == Gravity::Error { "error" } else { "warning" },
                "file": problem.file.display().to_string(),
                "line": problem.line, "column": problem.column,
                "message": problem.message, "hint": problem.hint,
            })
        });
        record["problems"] = problems.collect();
    }
    record
}
