//! Changes to the configuration's files: planned, checked as a whole, shown,
//! confirmed, and only then written.

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::lists::say;
use crate::cli::{CliError, Context, output};
use crate::config::{self, Config, Edits, Environment, NewFeed};

/// Where new feeds go.
pub(super) struct Target {
    /// The main file as the user names it.
    main: PathBuf,
    env: Environment,
    /// The file to write.
    pub(super) file: PathBuf,
    /// What the main file's `include` needs to name it, if it does not yet.
    pub(super) include: Option<String>,
}

impl Target {
    /// The file that was asked for; otherwise the usual one, which is either
    /// included already, or is to be, or gives way to the main file.
    pub(super) fn new(
        context: &Context,
        asked: Option<&Path>,
        (usual, or_main): (&str, bool),
    ) -> Result<Self, CliError> {
        let main = context.config_path()?;
        let env = Environment::from_process();
        let real_main = env.working_directory.join(&main);
        let folder = real_main.parent().unwrap_or(Path::new("/")).to_path_buf();
        let file = match asked {
            Some(file) => env.working_directory.join(file),
            None => folder.join(usual),
        };
        if config::includes(&main, &env, &file) {
            return Ok(Self { main, env, file, include: None });
        }
        if or_main && asked.is_none() {
            return Ok(Self { main, env, file: real_main, include: None });
        }
        let named = file.strip_prefix(&folder).unwrap_or(&file).to_string_lossy().into_owned();
        Ok(Self { main, env, file, include: Some(named) })
    }

    /// What the files would contain with these feeds.
    pub(super) fn plan(&self, feeds: &[NewFeed]) -> Result<Edits, CliError> {
        let mut edits = Edits::default();
        let text = if self.file.exists() { read(&self.file)? } else { String::new() };
        edits.set(self.file.clone(), config::add_feeds(&text, feeds));
        if let Some(name) = &self.include {
            let main = self.env.working_directory.join(&self.main);
            let text = config::add_include(&read(&main)?, name)
                .map_err(|error| CliError::Failed(format!("{}: {error}", self.main.display())))?;
            // The new file is written first: until the main one names it, it means nothing.
            edits.set(main, text);
        }
        Ok(edits)
    }

    /// Reads the configuration as it would be.
    pub(super) fn check(&self, edits: &Edits) -> Result<Config, CliError> {
        config::load_edited(&self.main, &self.env, edits).map_err(|problems| {
            let list = problems.render(false);
            CliError::Failed(format!("nothing is written, for the result would be wrong:\n{list}"))
        })
    }

    /// Writes all files, each atomically.
    pub(super) fn write(&self, edits: &Edits) -> Result<(), CliError> {
        let main = self.env.working_directory.join(&self.main);
        for (path, text) in edits.files() {
            replace(path, text, &main).map_err(|error| {
                CliError::Failed(format!("cannot write \"{}\": {error}", path.display()))
            })?;
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path)
        .map_err(|error| CliError::Failed(format!("cannot read \"{}\": {error}", path.display())))
}

/// Puts a new text in a file's place at once, so that no reader sees half of
/// it. It keeps the mode and owner it had, or gets those of `like`.
fn replace(path: &Path, text: &str, like: &Path) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&temporary)?;
    let done = (|| {
        file.write_all(text.as_bytes())?;
        keep_owner(&file, if path.exists() { path } else { like })?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    })();
    if done.is_err() {
        // What is left is of no use; the first error is the one to tell.
        let _ = std::fs::remove_file(&temporary);
    }
    done?;
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(unix)]
fn keep_owner(file: &std::fs::File, like: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let (old, new) = (std::fs::metadata(like)?, file.metadata()?);
    if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
        std::os::unix::fs::fchown(file, Some(old.uid()), Some(old.gid()))?;
    }
    file.set_permissions(old.permissions())
}

#[cfg(not(unix))]
fn keep_owner(file: &std::fs::File, like: &Path) -> std::io::Result<()> {
    file.set_permissions(std::fs::metadata(like)?.permissions())
}

/// Whether to go on: as said on the command line, or as a person at the
/// terminal says now.
pub(super) fn confirm(yes: bool, question: &str) -> Result<bool, CliError> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        let message = "nothing is written; give --yes to write without being asked";
        return Err(CliError::Failed(message.to_string()));
    }
    output::remark(&format!("{question} [y/N]"));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// What to do after a change.
pub(super) const RELOAD: &str =
    "a running daemon takes it over with `systemctl reload wirewatch` (or SIGHUP)";

pub(super) fn remove(context: Context, name: &str, yes: bool) -> Result<ExitCode, CliError> {
    let config = context.load()?;
    if !config.feeds.iter().chain(&config.paused).any(|feed| feed.name.as_str() == name) {
        return Err(CliError::Failed(format!("no feed is named \"{name}\"")));
    }
    let target = Target::new(&context, None, ("", true))?;
    for file in &config.files {
        let path = target.env.working_directory.join(file);
        let failed = |reason: &str| CliError::Failed(format!("{}: {reason}", file.display()));
        let edited = config::remove_feed(&read(&path)?, name);
        let Some(text) = edited.map_err(|error| failed(&error.to_string()))? else { continue };
        let mut edits = Edits::default();
        edits.set(path, text);
        target.check(&edits)?;
        let question = format!("take feed \"{name}\" out of {}?", file.display());
        if !confirm(yes, &question)? {
            return say(context, "nothing is written".to_string());
        }
        target.write(&edits)?;
        return say(context, format!("feed \"{name}\" is out of {}; {RELOAD}", file.display()));
    }
    Err(CliError::Failed(format!("feed \"{name}\" stands in none of the files")))
}
