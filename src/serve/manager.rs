//! What the service manager is told (sd_notify(3)). It never waits for one
//! that does not read.

use std::fmt::Write as _;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use sd_notify::NotifyState;

const SOCKET: &str = "NOTIFY_SOCKET";
/// A manager that is busy reads within this time.
const PATIENCE: (u32, Duration) = (20, Duration::from_millis(50));

/// Whether there is a manager to tell.
pub fn has_manager() -> bool {
    std::env::var_os(SOCKET).is_some()
}

/// Tells the manager, if there is one. What it has no room for is dropped:
/// another word follows, or it does not listen anyway.
pub fn tell_manager(state: &[NotifyState<'_>]) {
    if let Err(error) = tell(state) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}

/// Tells the manager what is said once only, and waits a moment for room.
pub async fn tell_manager_surely(state: &[NotifyState<'_>]) {
    let (tries, pause) = PATIENCE;
    for _ in 0..tries {
        match tell(state) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                tokio::time::sleep(pause).await;
            }
            Ok(()) => return,
            Err(error) => {
                tracing::debug!(%error, "the service manager cannot be told");
                return;
            }
        }
    }
    tracing::warn!("the service manager does not read what it is told");
}

fn tell(state: &[NotifyState<'_>]) -> io::Result<()> {
    let Some(path) = std::env::var_os(SOCKET) else { return Ok(()) };
    let mut message = String::new();
    for word in state {
        // Writing to a String cannot fail.
        let _ = writeln!(message, "{word}");
    }
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    match abstract_name(&path) {
        Some(name) => {
            use std::os::linux::net::SocketAddrExt as _;
            socket.connect_addr(&std::os::unix::net::SocketAddr::from_abstract_name(name)?)?;
        }
        None => socket.connect(path)?,
    }
    socket.send(message.as_bytes()).map(drop)
}

/// A name without a file: it begins with `@`.
fn abstract_name(path: &std::ffi::OsStr) -> Option<&[u8]> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_bytes().strip_prefix(b"@")
}
