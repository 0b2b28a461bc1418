//! How many heaps the C library keeps for the daemon.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What glibc reads when a program starts (mallopt(3), `M_ARENA_MAX`).
const LIMIT: &str = "MALLOC_ARENA_MAX";
/// One for what runs at the same time on two cores.
const HEAPS: &str = "2";

/// Starts the program once more with few heaps, unless the environment says
/// how many there shall be. The process stays the same.
///
/// glibc gives threads heaps of their own, up to eight for each core, and what
/// was freed in one is of no use to the others: a daemon with a dozen threads
/// grows by that for days. There is no safe call to set the limit later on.
pub(super) fn keep_few() {
    if cfg!(not(target_env = "gnu")) || env::var_os(LIMIT).is_some() {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut args = env::args_os();
    let mut again = Command::new(program);
    if let Some(name) = args.next() {
        again.arg0(name);
    }
    let error = again.args(args).env(LIMIT, HEAPS).exec();
    tracing::debug!(%error, "the number of heaps cannot be limited");
}
