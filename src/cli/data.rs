//! `backup`, `restore`, `recover`, `export`: the database as a whole.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::args::{BackupArgs, ExportArgs, RecoverArgs, RestoreArgs, What};
use super::lists::attach;
use super::{CliError, Context, output};
use crate::model::Clock;
use crate::store::{self, Copied, CopyError, Exported, Saved};

impl From<CopyError> for CliError {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Store(error) => Self::Store(error),
            error => Self::Failed(error.to_string()),
        }
    }
}

/// Long work on files, off the executor's threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CopyError> + Send + 'static,
) -> Result<T, CliError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| CliError::Failed(error.to_string()))??)
}

pub(super) async fn backup(mut context: Context, args: BackupArgs) -> Result<ExitCode, CliError> {
    let database = context.load()?.store;
    let target = args.file.clone();
    let copied = blocking(move || store::backup(&database, &target)).await?;
    report(&mut context, "backup", &args.file, copied, json!({}))
}

pub(super) async fn restore(mut context: Context, args: RestoreArgs) -> Result<ExitCode, CliError> {
    let database = context.load()?.store;
    let (copy, target) = (args.file, database.clone());
    let now = Clock::System.now();
    let restored = blocking(move || store::restore(&copy, &target, now)).await?;
    let name = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let (before, earlier) = (name(&restored.before), name(&restored.earlier));
    let more = json!({ "before": before, "before_earlier": earlier });
    report(&mut context, "restored", &database, restored.copied, more)?;
    if !context.json {
        if let Some(before) = before {
            context.out.line(format!("what was there before is \"{before}\""))?;
        }
        if let Some(earlier) = earlier {
            context.out.line(format!(
                "an earlier restore had been cut off; what was there before that is \"{earlier}\""
            ))?;
        }
        context.out.flush()?;
    }
    Ok(ExitCode::SUCCESS)
}

fn report(
    context: &mut Context,
    what: &str,
    file: &Path,
    copied: Copied,
    more: Value,
) -> Result<ExitCode, CliError> {
    if context.json {
        let mut object = json!({
            "file": file.display().to_string(), "bytes": copied.bytes,
            "entries": copied.entries, "stories": copied.stories, "alerts": copied.alerts,
        });
        if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
            object.extend(more);
        }
        context.out.json(&object)?;
    } else {
        context.out.line(format!(
            "{what}: \"{}\" with {} entries, {} stories, {} alerts ({} KiB), proved to be sound",
            file.display(),
            copied.entries,
            copied.stories,
            copied.alerts,
            copied.bytes.div_ceil(1024)
        ))?;
    }
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn recover(mut context: Context, args: RecoverArgs) -> Result<ExitCode, CliError> {
    let database = match args.from {
        Some(path) => path,
        None => context.load()?.store,
    };
    let target = args.file.clone();
    let now = Clock::System.now();
    let saved = blocking(move || {
        let progress = |what: &str| output::progress(&format!("reading {what}"));
        store::recover(&database, &target, now, progress)
    })
    .await;
    output::progress("");
    let saved = saved?;
    if context.json {
        let tables: Vec<Value> = saved.iter().map(table_json).collect();
        context.out.json(&json!({ "file": args.file.display().to_string(), "tables": tables }))?;
    } else {
        tell(&mut context, &args.file, &saved)?;
    }
    context.out.flush()?;
    if saved.iter().all(Saved::is_whole) {
        return Ok(ExitCode::SUCCESS);
    }
    Err(CliError::Failed(format!("recovered with losses: {}", losses(&saved))))
}

/// What was lost, table by table.
fn losses(saved: &[Saved]) -> String {
    let lost = saved.iter().filter(|table| !table.is_whole()).map(|table| match table.lost() {
        Some(lost) => format!("{lost} of {}", table.table),
        None => format!("{} as far as nobody knows", table.table),
    });
    lost.collect::<Vec<_>>().join(", ")
}

fn table_json(saved: &Saved) -> Value {
    json!({
        "table": saved.table, "rows": saved.rows, "refused": saved.refused, "holes": saved.holes,
        "stubs": saved.stubs, "lost": saved.lost(),
    })
}

fn tell(context: &mut Context, file: &Path, saved: &[Saved]) -> Result<(), CliError> {
    let is_news = |table: &&Saved| table.rows > 0 || !table.is_whole();
    for table in saved.iter().filter(is_news) {
        let lost = match table.lost() {
            Some(0) => String::new(),
            Some(lost) => format!(", {lost} lost"),
            None => ", nobody knows how many were lost".to_owned(),
        };
        let stubs = match table.stubs {
            0 => String::new(),
            stubs => format!(", {stubs} stand-ins for lost ones that others belong to"),
        };
        let refused = match table.refused {
            0 => String::new(),
            refused => format!(", {refused} left out because they make no sense"),
        };
        let holes = match table.holes {
            0 => String::new(),
            1 => ", 1 stretch could not be read".to_owned(),
            holes => format!(", {holes} stretches could not be read"),
        };
        let (name, rows) = (&table.table, table.rows);
        context.out.line(format!("{name}: {rows} rows{lost}{refused}{holes}{stubs}"))?;
    }
    context.out.line(format!(
        "saved to \"{0}\"; `wirewatch restore {0}` puts it in place",
        file.display()
    ))?;
    Ok(())
}

pub(super) async fn export(mut context: Context, args: ExportArgs) -> Result<ExitCode, CliError> {
    let store = attach(&context)?;
    let now = Clock::System.now();
    let since = args.since.and_then(|span| now.checked_sub(span).ok());
    let since = since.map_or(i64::MIN, jiff::Timestamp::as_millisecond);
    let all = [What::Stories, What::Matches, What::Deliveries];
    for what in all.into_iter().filter(|what| args.what.is_empty() || args.what.contains(what)) {
        let what = match what {
            What::Stories => Exported::Stories,
            What::Matches => Exported::Matches,
            What::Deliveries => Exported::Deliveries,
        };
        let mut after = 0;
        loop {
            let (objects, last) = store.export(what, after, since).await?;
            for object in &objects {
                context.out.json(object)?;
            }
            match last {
                Some(last) => after = last,
                None => break,
            }
        }
    }
    context.out.flush()?;
    Ok(ExitCode::SUCCESS)
}
