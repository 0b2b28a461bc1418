//! `healthcheck`: one word and an exit code, for containers and scripts.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use super::args::StatusArgs;
use super::{CliError, Context, FAILED, status};
use crate::config::HttpConfig;
use crate::net;

/// For the whole question.
const TIME: Duration = Duration::from_secs(8);

pub(super) async fn run(mut context: Context) -> Result<ExitCode, CliError> {
    let config = context.load()?;
    if config.http.listen.is_none() {
        return status::run(context, StatusArgs { quiet: true }).await;
    }
    let answer = ask(&config.http).await;
    let (word, well) = match answer {
        Ok(text) => (text, true),
        Err(reason) => (reason, false),
    };
    context.out.line(word.trim_end())?;
    context.out.flush()?;
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// What listens everywhere can be asked at home.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

/// What the daemon says of itself, or why it says nothing good.
pub(super) async fn ask(config: &HttpConfig) -> Result<String, String> {
    let address = config.listen.map(reachable).ok_or("it does not listen for HTTP")?;
    let client = net::client(&net::ClientOptions::local("wirewatch healthcheck", TIME))
        .map_err(|error| error.to_string())?;
    let mut request = client.get(format!("http://{address}/healthz"));
    if let Some(host) = config.hosts.first().filter(|_| !address.ip().is_loopback()) {
        let is_bare = host.contains(':') && !host.starts_with('[');
        let host = if is_bare { format!("[{host}]") } else { host.clone() };
        request = request.header("host", host);
    }
    if let Some(token) = &config.token {
        request = request.bearer_auth(token.expose());
    }
    let answer = request.send().await.map_err(|error| net::short_error(&error))?;
    let well = answer.status().is_success();
    let text = answer.text().await.map_err(|error| net::short_error(&error))?;
    if well { Ok(text) } else { Err(text) }
}
