//! Is a receiver there? Asked without telling it anything.

use std::path::Path;

use reqwest::Client;
use url::Url;

use crate::net;

/// Asks a server for its front page: any answer shows that names, ways,
/// certificates and clocks are in order. Path and query may hold secrets, or
/// set something off, and are left out.
pub(super) async fn server(
    client: &Client,
    url: &Url,
    allow_private: bool,
) -> Result<String, String> {
    let mut front = url.clone();
    front.set_path("/");
    front.set_query(None);
    front.set_fragment(None);
    // Cannot fail: a URL with a host may have no login.
    let _ = front.set_username("");
    let _ = front.set_password(None);
    net::check_url(&front, allow_private).map_err(|blocked| blocked.to_string())?;
    let host = front.host_str().unwrap_or_default().to_owned();
    match client.head(front).send().await {
        Ok(_) => Ok(format!("{host} answers")),
        Err(error) => Err(format!("{host}: {}", net::short_error(&error))),
    }
}

/// Whether a program can be started.
pub(super) fn program(path: &Path) -> Result<String, String> {
    let can = rustix::fs::access(path, rustix::fs::Access::EXEC_OK);
    let shown = path.display();
    match can {
        Ok(()) if path.is_file() => Ok(format!("{shown} can be started")),
        Ok(()) => Err(format!("{shown} is no program")),
        Err(error) => Err(format!("{shown} cannot be started: {error}")),
    }
}

/// Whether a file can be written to, or made.
pub(super) fn file(path: &Path) -> Result<String, String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let place = if path.exists() { path } else { folder.unwrap_or(Path::new(".")) };
    match rustix::fs::access(place, rustix::fs::Access::WRITE_OK) {
        Ok(()) => Ok(format!("{} can be written", path.display())),
        Err(error) => Err(format!("{} cannot be written: {error}", place.display())),
    }
}
