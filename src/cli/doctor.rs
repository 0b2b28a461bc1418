//! `doctor`: looks at the machine, and says what to do.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::args::DoctorArgs;
use super::{CliError, Context, FAILED, healthcheck};
use crate::config::Config;
use crate::deliver;
use crate::fetch::host_of;
use crate::model::Clock;
use crate::net;
use crate::store::{self, Store};

/// Hosts of feeds that are looked up; the first ones stand for all.
const HOSTS: usize = 5;
const LOOKUP_TIME: Duration = Duration::from_secs(5);
/// A receiver that takes longer is no use for alerts.
const PROBE_TIME: Duration = Duration::from_secs(30);
/// Less is too little for the database to grow in.
const ROOM: u64 = 200 << 20;
/// When this program was young: a clock that says less is wrong.
const EPOCH: &str = "2026-01-01T00:00:00Z";
/// Where systems keep the authorities that they trust.
const AUTHORITIES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Well,
    Doubtful,
    Ill,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::Doubtful => "warning",
            Self::Ill => "problem",
        }
    }
}

/// What was looked at, what was found, and what to do about it.
struct Finding {
    about: String,
    verdict: Verdict,
    found: String,
    advice: Option<String>,
}

/// What a look came to: what is well, or what is wrong and what to do.
type Look = Result<String, (Verdict, String, &'static str)>;

fn ill<T>(
    found: impl Into<String>,
    advice: &'static str,
) -> Result<T, (Verdict, String, &'static str)> {
    Err((Verdict::Ill, found.into(), advice))
}

fn doubtful<T>(
    found: impl Into<String>,
    advice: &'static str,
) -> Result<T, (Verdict, String, &'static str)> {
    Err((Verdict::Doubtful, found.into(), advice))
}

/// Prints each finding as soon as it is there.
struct Report {
    context: Context,
    worst: Verdict,
}

impl Report {
    fn add(&mut self, about: impl Into<String>, look: Look) -> Result<(), CliError> {
        let about = about.into();
        let finding = match look {
            Ok(found) => Finding { about, verdict: Verdict::Well, found, advice: None },
            Err((verdict, found, advice)) => {
                Finding { about, verdict, found, advice: Some(advice.to_owned()) }
            }
        };
        if finding.verdict == Verdict::Ill || self.worst == Verdict::Well {
            self.worst = finding.verdict;
        }
        if self.context.json {
            self.context.out.json(&json!({
                "check": finding.about, "result": finding.verdict.word(),
                "found": finding.found, "advice": finding.advice,
            }))?;
        } else {
            let word = format!("{}:", finding.verdict.word());
            self.context.out.line(format!("{word:9}{}: {}", finding.about, finding.found))?;
            if let Some(advice) = &finding.advice {
                self.context.out.line(format!("{:9}→ {advice}", ""))?;
            }
        }
        Ok(self.context.out.flush()?)
    }
}

pub(super) async fn run(context: Context, args: DoctorArgs) -> Result<ExitCode, CliError> {
    let mut report = Report { context, worst: Verdict::Well };
    let config = report.context.load()?;
    let now = Clock::System.now();
    report.add("configuration", configuration(&config))?;
    report.add("clock", clock(&config, now).await)?;
    report.add("database folder", folder(&config.store))?;
    report.add("database", database(&config.store).await)?;
    report.add("disk", disk(&config.store))?;
    report.add("trusted authorities", authorities())?;
    report.add("daemon", daemon(&config).await)?;
    if let Some(url) = &config.http.public_url {
        report.add("public_url", public_url(url, &config))?;
    }
    if !args.offline {
        for host in hosts(&config) {
            report.add(format!("name {host}"), lookup(&host).await)?;
        }
    }
    channels(&mut report, &config, args.offline).await?;
    let code = if report.worst == Verdict::Ill { FAILED } else { 0 };
    Ok(ExitCode::from(code))
}

fn configuration(config: &Config) -> Look {
    let size = format!(
        "{} feeds, {} rules, {} channels",
        config.feeds.len(),
        config.rules.len(),
        config.channels.len()
    );
    match config.warnings.as_slice() {
        [] => Ok(size),
        [first, ..] => doubtful(
            format!("{size}; {} warnings, the first: {first}", config.warnings.len()),
            "run `wirewatch check` for all of them",
        ),
    }
}

/// Whether hubs can reach what they are given; nobody is asked.
fn public_url(url: &url::Url, config: &Config) -> Look {
    if net::check_url(url, false).is_err() || url.host_str() == Some("localhost") {
        return doubtful(
            format!("{url} is no address of the public internet"),
            "hubs of public feeds cannot reach it; give the name that your proxy answers to",
        );
    }
    if config.http.listen.is_none() {
        return doubtful(
            format!("{url}, but [http] has no \"listen\""),
            "give \"listen\", unless systemd passes a socket",
        );
    }
    if url.scheme() != "https" {
        return doubtful(
            format!("{url} is not https:"),
            "others on the way can read what hubs send; have your proxy speak TLS",
        );
    }
    let pushed = config.feeds.iter().filter(|feed| feed.websub).count();
    Ok(format!("{url}, for {pushed} feeds that may name a hub or a cloud"))
}

/// A clock that is wrong breaks certificates, schedules and quiet hours.
async fn clock(config: &Config, now: Timestamp) -> Look {
    const ADVICE: &str = "have the time set by NTP (systemd-timesyncd, chrony)";
    let young = EPOCH.parse::<Timestamp>().is_ok_and(|epoch| now < epoch);
    if young {
        return ill(format!("it says {now}"), ADVICE);
    }
    let last = match Store::attach(&config.store) {
        Ok(store) => store.gauges(now).await.ok().and_then(|gauges| gauges.last_success),
        Err(_) => None,
    };
    match last {
        Some(last) if last.duration_since(now) > SignedDuration::from_mins(5) => {
            ill(format!("it says {now}, but a feed was read at {last}"), ADVICE)
        }
        _ => Ok(now.to_string()),
    }
}

fn folder(database: &Path) -> Look {
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let Ok(metadata) = std::fs::metadata(folder) else {
        return Ok(format!("{} will be made at the first start", folder.display()));
    };
    let shown = folder.display().to_string();
    if rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_err() {
        return ill(
            format!("{shown} cannot be written by this user"),
            "run as the daemon's user, or give the folder to it",
        );
    }
    match metadata.permissions().mode() & 0o077 {
        0 => Ok(format!("{shown} is private to its owner")),
        _ => doubtful(format!("{shown} is open to other users"), "chmod 700 it"),
    }
}

async fn database(path: &Path) -> Look {
    if !path.exists() {
        return Ok(format!("{} will be made at the first start", path.display()));
    }
    let (copy, shown) = (path.to_path_buf(), path.display().to_string());
    let checked = tokio::task::spawn_blocking(move || store::check(&copy)).await;
    match checked {
        Ok(Ok(held)) => Ok(format!(
            "{shown} is sound: {} entries, {} stories, {} alerts, {} KiB",
            held.entries,
            held.stories,
            held.alerts,
            held.bytes.div_ceil(1024)
        )),
        Ok(Err(error)) => ill(
            error.to_string(),
            "restore a backup (`wirewatch restore`), or save what can be read (`wirewatch recover`)",
        ),
        Err(error) => ill(error.to_string(), "try again"),
    }
}

fn disk(database: &Path) -> Look {
    let place = database
        .ancestors()
        .find(|path| path.exists())
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    let Ok(stat) = rustix::fs::statvfs(&place) else {
        return doubtful("its free room is not known", "look at it with df");
    };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let shown = format!("{} MiB free", free >> 20);
    if free < ROOM {
        return ill(shown, "make room: alerts stop while nothing can be stored");
    }
    if stat.f_files > 0 && stat.f_favail == 0 {
        return ill("no file can be made (no inodes are left)", "remove files");
    }
    Ok(shown)
}

fn authorities() -> Look {
    let own = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().filter_map(std::env::var_os);
    let known = AUTHORITIES.into_iter().map(Into::into);
    match own.chain(known).find(|path: &std::ffi::OsString| Path::new(path).exists()) {
        Some(path) => Ok(Path::new(&path).display().to_string()),
        None => ill(
            "none are found, so that nothing can be read by HTTPS or sent by SMTP",
            "install ca-certificates",
        ),
    }
}

async fn daemon(config: &Config) -> Look {
    if !Store::is_served(&config.store) {
        return doubtful("it is not running", "systemctl start wirewatch");
    }
    if config.http.listen.is_none() {
        return Ok("it is running".to_owned());
    }
    match healthcheck::ask(&config.http).await {
        Ok(_) => Ok("it is running, and well by its own account".to_owned()),
        Err(reason) => ill(
            format!("it is running, but: {}", reason.trim_end().replace('\n', "; ")),
            "see its log (journalctl -u wirewatch) and `wirewatch status`",
        ),
    }
}

fn hosts(config: &Config) -> Vec<String> {
    let hosts: BTreeSet<String> = config
        .feeds
        .iter()
        .filter(|feed| feed.url.starts_with("http"))
        .map(|feed| host_of(&feed.url))
        .collect();
    hosts.into_iter().take(HOSTS).collect()
}

async fn lookup(host: &str) -> Look {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::time::timeout(LOOKUP_TIME, tokio::net::lookup_host((literal, 443))).await;
    const ADVICE: &str = "check /etc/resolv.conf, and the feed's URL";
    match found {
        Ok(Ok(mut addresses)) => match addresses.next() {
            Some(address) => Ok(address.ip().to_string()),
            None => ill("it has no address", ADVICE),
        },
        Ok(Err(error)) => ill(error.to_string(), ADVICE),
        Err(_) => ill("no answer within 5 s", ADVICE),
    }
}

async fn channels(report: &mut Report, config: &Config, offline: bool) -> Result<(), CliError> {
    const ADVICE: &str = "mend the channel's settings, or the receiver; alerts wait until then";
    for (name, options) in &config.channels {
        let about = format!("channel {name}");
        let look = match deliver::build(name, options, "wirewatch doctor") {
            Err(error) => ill(error.to_string(), ADVICE),
            Ok(_) if offline => Ok("its settings are in order".to_owned()),
            Ok(channel) => match tokio::time::timeout(PROBE_TIME, channel.probe()).await {
                Ok(Ok(found)) => Ok(found),
                Ok(Err(reason)) => ill(reason, ADVICE),
                Err(_) => ill("no answer within 30 s", ADVICE),
            },
        };
        report.add(about, look)?;
    }
    Ok(())
}
