//! An installation with a secret of every kind, and all that it lets people see.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::search::{STEM, Search};
use super::support::closed_addr;
use super::town::{BAD, Town, password};

/// Until everything was tried at least once. Unoptimised, and on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);
/// A key for signatures: base64 of 24 bytes.
const SIGNING: &str = "whsec_Kanarie7signingAAAAAAAAAAAAAAAAA";
const CHATS: [&str; 9] = [
    "slack",
    "discord",
    "teams",
    "mattermost",
    "telegram",
    "ntfy",
    "matrix",
    "gotify",
    "pagerduty",
];

pub(crate) struct House {
    folder: TempDir,
    config: String,
    http: u16,
}

impl House {
    pub(crate) fn furnish(town: &Town) -> Self {
        let folder = tempfile::Builder::new().prefix("wirewatch-canaries-").tempdir().unwrap();
        let mut house = Self { folder, config: String::new(), http: closed_addr().port() };
        town.ca.write_ca(house.folder.path());
        for kind in ["basic", "bearer", "cookie", "header", "post", "parrot", "http", "chat"] {
            house.secret(kind, &password(kind));
        }
        house.secret("signing", SIGNING);
        house.general(town);
        house.feeds(town);
        house.channels(town);
        house
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn secret(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn add(&mut self, text: &str) {
        self.config.push_str(text);
        self.config.push('\n');
    }

    fn general(&mut self, town: &Town) {
        let (scheme, port) = town.place("s500");
        self.secret("ping", &format!("{scheme}://127.0.0.1:{port}/{}", password("ping")));
        self.add(&format!(
            "[store]\npath = \"data/wirewatch.db\"\n\
             [defaults]\ninterval = \"1s\"\nbackfill = \"all\"\ngather = \"0s\"\n\
             [fetch]\nconcurrency = 32\n\
             [operator]\nnotify = [\"ear\", \"post\"]\nping_url_file = \"ping\"\n\
             allow_private = true\n\
             [http]\nlisten = \"127.0.0.1:{}\"\ntoken_file = \"http\"",
            self.http
        ));
    }

    /// Feeds that fail in all ways with all kinds of credentials, and one that does not.
    fn feeds(&mut self, town: &Town) {
        let mut host = 1;
        let mut feed = |house: &mut Self, name: &str, place: &str, more: &str| {
            host += 1;
            let (scheme, port) = town.place(place);
            let query = password("query");
            house.add(&format!(
                "[feed.{name}]\nallow_private = true\n\
                 url = \"{scheme}://127.0.0.{host}:{port}/f?api_key={query}&token={query}\"\n{more}"
            ));
        };
        let cookie = "headers = { X-Session = { file = \"cookie\" } }";
        let key = "headers = { X-Api-Key = { file = \"header\" } }";
        let basic = format!("username = \"desk\"\npassword_file = \"basic\"\n{cookie}");
        let bearer = format!("bearer_token_file = \"bearer\"\n{key}");
        feed(self, "news", "news", &bearer);
        for (place, _) in BAD {
            feed(self, &format!("{place}-basic"), place, &basic);
            feed(self, &format!("{place}-bearer"), place, &bearer);
        }
        for (place, _) in BAD {
            let (_, port) = town.place(place);
            for scheme in ["http", "socks5"] {
                let file = format!("proxy-{scheme}-{place}");
                self.secret(
                    &file,
                    &format!("{scheme}://desk:{}@127.0.0.1:{port}", password("proxy")),
                );
                let more = format!("proxy_file = \"{file}\"");
                feed(self, &file, "news", &more);
            }
        }
    }

    /// Channels that fail in all ways, and some that tell.
    fn channels(&mut self, town: &Town) {
        let mut names =
            ["ear", "post", "parrot", "log", "atom", "terminal"].map(str::to_owned).to_vec();
        let (scheme, port) = town.place("yes");
        let mail = |name: &str, port: u16| {
            format!(
                "[channel.{name}.email]\nfrom = \"watch@example.org\"\nto = [\"desk@example.org\"]\n\
                 smtp = \"localhost:{port}\"\ntls = \"implicit\"\nusername = \"desk\"\n\
                 password_file = \"{name}\"\nca_file = \"ca.pem\""
            )
        };
        self.add(&webhook("ear", &format!("{scheme}://127.0.0.1:{port}/ear")));
        self.add(&mail("post", town.post.port()));
        self.add(&mail("parrot", town.parrot.port()));
        let folder = self.folder.path().display().to_string();
        self.add(&format!("[channel.log.file]\npath = \"{folder}/alerts.jsonl\""));
        self.add(&format!("[channel.atom.feed]\npath = \"{folder}/alerts.xml\""));
        self.add("[channel.terminal.console]");
        for (place, _) in BAD {
            let (scheme, port) = town.place(place);
            let base = format!("{scheme}://127.0.0.1:{port}");
            let token = password("path");
            self.add(&webhook(&format!("w-{place}"), &format!("{base}/{token}?token={token}")));
            names.push(format!("w-{place}"));
            for kind in CHATS {
                let name = format!("{kind}-{place}");
                let url = format!("{name}-url");
                self.secret(&url, &format!("{base}/{}", password("chat")));
                self.add(&chat(kind, &name, &base, &url));
                names.push(name);
            }
        }
        self.add(&format!("[rule.marked]\nmatch = 'marker'\nchannels = {names:?}"));
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wirewatch"));
        command.current_dir(self.folder.path()).args(["--config", "watch.toml"]);
        for variable in
            ["STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "JOURNAL_STREAM"]
        {
            command.env_remove(variable);
        }
        // A hundred clients read all authorities of the system, unoptimised.
        command.env("SSL_CERT_FILE", self.path("ca.pem")).env("SSL_CERT_DIR", self.folder.path());
        command.env("WIREWATCH_LOG", "trace").env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1");
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    pub(crate) fn start(&self, log_format: &str) -> Child {
        fs::write(self.path("watch.toml"), &self.config).unwrap();
        let file = |name: &str| File::create(self.path(name)).unwrap();
        let mut command = self.command();
        command.args(["--log-format", log_format, "run"]);
        command.stdout(file("daemon.out")).stderr(file("daemon.log"));
        command.spawn().expect("the program starts")
    }

    async fn run(&self, line: &str) -> (Vec<u8>, Vec<u8>) {
        let mut command = self.command();
        command.args(line.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = command.output().await.unwrap();
        (output.stdout, output.stderr)
    }

    async fn rows(&self, line: &str) -> Vec<Value> {
        let (out, _) = self.run(line).await;
        let text = String::from_utf8(out).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits for a try of each feed and each delivery, and for the first notices.
    pub(crate) async fn until_everything_was_tried(&self, town: &Town, daemon: &mut Child) {
        let start = Instant::now();
        loop {
            tokio::time::sleep(Duration::from_secs(2)).await;
            assert_eq!(daemon.try_wait().unwrap(), None, "{}", self.log_tail());
            let feeds = self.rows("feeds --json --limit 1000").await;
            let deliveries = self.rows("deliveries --json --limit 1000").await;
            let notices = self.rows("notices --json").await;
            let fresh = |row: &&Value| row["state"] == "new";
            let waiting = |row: &&Value| row["attempts"].as_u64().unwrap_or(1) == 0;
            let left =
                feeds.iter().filter(fresh).count() + deliveries.iter().filter(waiting).count();
            if left == 0 && deliveries.len() > 100 && town.told_of_feeds() {
                return;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "{left} left of {} and {}, {:?}: {}",
                feeds.len(),
                deliveries.len(),
                notices,
                self.log_tail()
            );
        }
    }

    fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.path("daemon.log")).unwrap_or_default();
        let mut lines: Vec<&str> = log.lines().filter(|line| line.contains("error")).collect();
        lines.dedup();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }

    /// What monitoring sees, with the token, without it and with a wrong one.
    pub(crate) async fn endpoint(&self, search: &mut Search) {
        for path in ["/healthz", "/readyz", "/metrics", "/else?token=x"] {
            for token in ["", "wrong", &password("http")] {
                let mut stream = TcpStream::connect(("127.0.0.1", self.http)).await.unwrap();
                let request = format!(
                    "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
                );
                stream.write_all(request.as_bytes()).await.unwrap();
                let mut answer = Vec::new();
                stream.read_to_end(&mut answer).await.unwrap();
                search.text(path, &answer);
            }
        }
    }

    /// What every command prints, and says of itself at trace level.
    pub(crate) async fn commands(&self, search: &mut Search) {
        let story = self.rows("stories --json").await[0]["id"].as_str().unwrap().to_owned();
        let alert = self.rows("alerts --json").await[0]["id"].as_str().unwrap().to_owned();
        let mut lines: Vec<String> = [
            "check",
            "status",
            "healthcheck",
            "feeds --limit 1000",
            "stories",
            "alerts",
            "deliveries --limit 1000",
            "notices",
            "rules",
            "doctor",
            "search marker",
            "backtest",
            "export stories matches deliveries",
            "backup copy.db",
            "version",
            "silence list",
        ]
        .map(str::to_owned)
        .to_vec();
        lines.extend([
            format!("why {story}"),
            format!("why {alert}"),
            format!("explain marked {story}"),
            format!("stories show {story}"),
        ]);
        let feeds: BTreeSet<String> = self
            .rows("feeds --json --limit 1000")
            .await
            .iter()
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect();
        lines.extend(
            feeds
                .iter()
                .filter(|name| name.ends_with("-basic") || name.ends_with("s407"))
                .map(|name| format!("feeds show {name}")),
        );
        for name in ["s401-bearer", "r301-basic", "page-bearer", "tls-basic", "closed-basic"] {
            lines.push(format!("feeds test {name}"));
        }
        for line in &lines {
            for line in [line.clone(), format!("{line} --json")] {
                if line == "backup copy.db --json" {
                    continue;
                }
                let (out, err) = self.run(&line).await;
                search.text(&format!("output of {line}"), &out);
                search.text(&format!("errors of {line}"), &err);
            }
        }
    }

    /// A secret where none belongs must not be quoted by who complains.
    pub(crate) async fn reload_what_is_wrong(&self, daemon: &Child, search: &mut Search) {
        let wrong = format!(
            "{}[feed.wrong]\nurl = \"https://desk:{STEM}@feeds.example.org/?key={STEM}\"\n\
             [feed.wrong-too]\nurl = \"ftp://desk:{STEM}@feeds.example.org/\"\n\
             [channel.wrong.slack]\nurl = \"https://hooks.example.org/{STEM}\"\n\
             [channel.wrong-too.webhook]\nurl = \"https://desk:{STEM}@127.0.0.1/{STEM}\"\n\
             secret = \"{STEM}\"\n[http]\ntoken = \"{STEM}\"\n",
            self.config
        );
        fs::write(self.path("watch.toml"), wrong).unwrap();
        let id = daemon.id().expect("it runs").to_string();
        Command::new("kill").args(["-HUP", &id]).status().await.unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        for line in ["check", "check --json", "status"] {
            let (out, err) = self.run(line).await;
            assert!(!err.is_empty() || !out.is_empty(), "{line} complains");
            search.text(&format!("output of {line}, wrong"), &out);
            search.text(&format!("errors of {line}, wrong"), &err);
        }
        fs::write(self.path("watch.toml"), &self.config).unwrap();
    }

    /// What is left on the disk. The URLs of feeds are needed as they are: they are told apart by
    /// them, and asked.
    pub(crate) fn files(&self, search: &mut Search) {
        for name in ["daemon.log", "daemon.out", "alerts.jsonl", "alerts.xml"] {
            let text = fs::read(self.path(name)).unwrap();
            assert!(!text.is_empty(), "{name} is written");
            search.text(name, &text);
        }
        for name in ["data/wirewatch.db", "copy.db"] {
            let database = rusqlite::Connection::open(self.path(name)).unwrap();
            for (table, column) in columns(&database) {
                let sql = format!(
                    "SELECT CAST(\"{column}\" AS BLOB) FROM \"{table}\" WHERE \"{column}\" IS NOT NULL"
                );
                let Ok(mut query) = database.prepare(&sql) else { continue };
                let values = query.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
                for value in values.map_while(Result::ok) {
                    let text = String::from_utf8_lossy(&value).into_owned();
                    let own = format!("api_key={0}&token={0}", password("query"));
                    search.text(
                        &format!("{name} {table}.{column}"),
                        text.replace(&own, "").as_bytes(),
                    );
                }
            }
        }
    }
}

fn columns(database: &rusqlite::Connection) -> Vec<(String, String)> {
    let sql = "SELECT tables.name, columns.name FROM sqlite_schema tables, \
               pragma_table_info(tables.name) columns WHERE tables.type = 'table'";
    let mut query = database.prepare(sql).unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn webhook(name: &str, url: &str) -> String {
    format!(
        "[channel.{name}.webhook]\nurl = \"{url}\"\nsecret_file = \"signing\"\nallow_private = true\n"
    )
}

fn chat(kind: &str, name: &str, base: &str, url: &str) -> String {
    let mut text = format!("[channel.{name}.{kind}]\nallow_private = true\n");
    let more = match kind {
        "telegram" => format!("token_file = \"chat\"\nchat = \"-1\"\nbase_url = \"{base}\""),
        "ntfy" => format!("topic_file = \"chat\"\ntoken_file = \"chat\"\nbase_url = \"{base}\""),
        "matrix" => {
            format!("token_file = \"chat\"\nroom = \"!a:example.org\"\nhomeserver = \"{base}\"")
        }
        "gotify" => format!("token_file = \"chat\"\nbase_url = \"{base}\""),
        "pagerduty" => format!("routing_key_file = \"chat\"\nbase_url = \"{base}\""),
        _ => format!("url_file = \"{url}\""),
    };
    writeln!(text, "{more}").unwrap();
    text
}

/// Ends the program as a service manager does.
pub(crate) async fn stop(process: &mut Child) {
    let id = process.id().expect("it runs").to_string();
    Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(30), process.wait()).await;
    assert!(ended.expect("it ends").unwrap().success());
}
