//! Feeds with many stories, two receivers, and the program between them.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::PATIENCE;
use super::random::Random;
use super::support::http::{FeedServer, Reply, handler};
use super::support::smtp::SmtpSink;

pub(crate) const HOOK: &str = "/hook";
const FEEDS: usize = 20;
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SYLLABLES: [&str; 24] = [
    "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va",
    "we", "xi", "yo", "zu", "bra", "cle", "dri", "flo",
];

pub(crate) struct Town {
    pub(crate) http: FeedServer,
    pub(crate) smtp: SmtpSink,
    folder: TempDir,
}

impl Town {
    /// Serves so many stories, spread over the feeds.
    pub(crate) async fn build(stories: usize, random: &mut Random) -> Self {
        let http = FeedServer::start().await;
        for feed in 0..FEEDS {
            let mine = (feed..stories).step_by(FEEDS);
            http.serve(&path(feed), "application/rss+xml", document(feed, mine, random));
        }
        http.route(HOOK, handler(|_| Reply::ok("kept")));
        let folder = tempfile::Builder::new().prefix("wirewatch-storm-").tempdir().unwrap();
        let secret = folder.path().join("secret");
        fs::write(&secret, SECRET).unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        Self { http, smtp: SmtpSink::start().await, folder }
    }

    /// Writes the configuration, with a budget for each receiver.
    pub(crate) fn configure(&self, budget: usize) {
        let mut config = format!(
            "[store]\npath = {:?}\n[defaults]\ninterval = \"1s\"\nbackfill = \"all\"\n\
             gather = \"0s\"\n\
             [rule.storm]\nmatch = 'storm'\nchannels = [\"hook\", \"post\"]\n\
             [channel.hook.webhook]\nurl = \"{}\"\nsecret_file = \"secret\"\n\
             allow_private = true\n\
             [channel.hook.policy]\nmax_per_hour = {budget}\n\
             [channel.post.email]\nfrom = \"watch@example.org\"\nto = [\"desk@example.org\"]\n\
             smtp = \"127.0.0.1:{}\"\ntls = \"none\"\n\
             [channel.post.policy]\nmax_per_hour = {budget}\n",
            self.database(),
            self.http.url(HOOK),
            self.smtp.port()
        );
        for feed in 0..FEEDS {
            let url = self.http.url(&path(feed));
            let feed = format!("[feed.f{feed}]\nurl = \"{url}\"\nallow_private = true\n");
            config.push_str(&feed);
        }
        fs::write(self.config(), config).unwrap();
    }

    /// Starts the program; it dies with the returned value.
    pub(crate) fn start(&self) -> Child {
        let usual = env!("CARGO_BIN_EXE_wirewatch").into();
        let binary = env::var_os("WIREWATCH_BIN").unwrap_or(usual);
        let path = self.folder.path().join("log");
        let log = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        Command::new(fs::canonicalize(binary).unwrap())
            .current_dir(self.folder.path())
            .arg("--config")
            .arg(self.config())
            .arg("run")
            .env_remove("NOTIFY_SOCKET")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    /// Looks until something holds: the database of another process tells nobody when it does.
    pub(crate) async fn until(&self, what: &str, begun: Instant, holds: impl Fn() -> bool) {
        while !holds() {
            if begun.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap();
                let tail: Vec<&str> = log.lines().rev().take(20).collect();
                let known = self.count("SELECT count(*) FROM entry");
                let alerts = self.count("SELECT count(*) FROM alert");
                let tail = tail.join("\n");
                panic!("waited in vain until {what}; {known} entries, {alerts} alerts:\n{tail}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// How often the program has got so far that it watches.
    pub(crate) fn lives(&self) -> usize {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        log.lines().filter(|line| line.contains(" watching ")).count()
    }

    /// A number from the database, 0 while there is none.
    pub(crate) fn count(&self, sql: &str) -> usize {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let Ok(db) = Connection::open_with_flags(self.database(), flags) else { return 0 };
        db.busy_timeout(Duration::from_secs(5)).unwrap();
        let count: i64 = db.query_row(sql, [], |row| row.get(0)).unwrap_or(0);
        usize::try_from(count).unwrap()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("watch.db")
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("wirewatch.toml")
    }
}

/// Has the program read its configuration again.
pub(crate) async fn reload(process: &Child) {
    signal(process, "HUP").await;
}

/// Ends the program as a service manager does.
pub(crate) async fn stop(process: &mut Child) {
    signal(process, "TERM").await;
    let status = tokio::time::timeout(Duration::from_secs(10), process.wait()).await;
    assert!(status.expect("it stops in time").unwrap().success());
}

async fn signal(process: &Child, name: &str) {
    let command = format!("kill -{name} {}", process.id().expect("the program is running"));
    assert!(Command::new("sh").args(["-c", &command]).status().await.unwrap().success());
}

fn path(feed: usize) -> String {
    format!("/{feed}.xml")
}

fn document(feed: usize, stories: impl Iterator<Item = usize>, random: &mut Random) -> String {
    let mut text = format!("<rss version=\"2.0\"><channel><title>Feed {feed}</title>");
    for number in stories {
        let (title, body) = (words(7, random), words(40, random));
        text.push_str(&format!(
            "<item><title>storm story {number} {title}</title>\
             <link>https://example.org/{feed}/{number}</link><guid>{number}</guid>\
             <description>{body}</description></item>\n"
        ));
    }
    text + "</channel></rss>"
}

/// Words of their own for each story: none is to be taken for another.
fn words(count: usize, random: &mut Random) -> String {
    let words: Vec<String> =
        (0..count).map(|_| (0..4).map(|_| random.choose(&SYLLABLES)).collect::<String>()).collect();
    words.join(" ")
}
