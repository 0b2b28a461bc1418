//! How many heaps the C library keeps for the daemon.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What glibc reads when a program starts (mallopt(3), `M_ARENA_MAX`).
const LIMIT: &str = "MALLOC_ARENA_MAX";
/// One for what runs at the same time on two cores.
const HEAPS: &str = "2";
/// Says that this was done: what glibc reads is taken from the environment of
/// programs with capabilities of their own.
const DONE: &str = "WIREWATCH_STARTED_AGAIN";

/// Starts the program once more with few heaps, unless the environment says
/// how many there shall be. The process stays the same.
///
/// glibc gives threads heaps of their own, up to eight for each core, and what
/// was freed in one is of no use to the others: a daemon with a dozen threads
/// grows by that for days. There is no safe call to set the limit later on.
pub(super) fn keep_few() {
    let is_set = |name| env::var_os(name).is_some();
    if cfg!(not(target_env = "gnu")) || is_set(LIMIT) || is_set(DONE) {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    // Started by name of the loader: that is no program to start again.
    if program.file_name().is_none_or(|name| name.to_string_lossy().starts_with("ld")) {
        return;
    }
    let mut args = env::args_os();
    let mut again = Command::new(program);
    if let Some(name) = args.next() {
        again.arg0(name);
    }
    let error = again.args(args).env(LIMIT, HEAPS).env(DONE, "1").exec();
    tracing::debug!(%error, "the number of heaps cannot be limited");
}
