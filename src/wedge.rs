//! A loop that hangs, for tests of the watchdog. Builds that are not for
//! debugging have nothing of it.

/// Hangs this thread for good if the file that `WIREWATCH_WEDGE` names says so.
#[cfg(debug_assertions)]
#[expect(clippy::disallowed_methods, reason = "to block the thread is what it is for")]
pub(crate) fn wedge(name: &str) {
    let Some(path) = std::env::var_os("WIREWATCH_WEDGE") else { return };
    while std::fs::read_to_string(&path).is_ok_and(|named| named == name) {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub(crate) fn wedge(_name: &str) {}
