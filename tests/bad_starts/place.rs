//! An installation in surroundings that a test chooses.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use tempfile::TempDir;

/// What surrounds the program.
pub(crate) enum Surroundings {
    /// A network of its own, which is down at first or has only itself; files for names of its own.
    Isolated { network: bool },
    /// The folder of the configuration cannot be written, nor the one it is started in.
    ReadOnly,
    /// A clock at the beginning of 1970, made by this library.
    Time(String),
}

const START_OF_TIME: &str = "@1970-01-01 00:01:00";
const PAUSE: Duration = Duration::from_millis(200);

pub(crate) struct Place {
    folder: TempDir,
    host: String,
    feed: u16,
    http: u16,
    daemon: Option<Child>,
    server: Option<Child>,
    library: Option<String>,
    /// Whether the program has a network of its own.
    isolated: bool,
}

impl Place {
    /// An installation whose feed lies at a host.
    pub(crate) fn furnish(host: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("wirewatch-starts-").tempdir().unwrap();
        let (feed, http) = (free_port(), free_port());
        let place = Self {
            folder,
            host: host.to_owned(),
            feed,
            http,
            daemon: None,
            server: None,
            library: None,
            isolated: false,
        };
        for name in ["etc", "www", "data"] {
            fs::create_dir(place.path(name)).unwrap();
        }
        fs::write(
            place.path("resolv.conf"),
            "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
        )
        .unwrap();
        fs::write(place.path("hosts"), "127.0.0.1 localhost\n").unwrap();
        fs::write(place.path("etc/watch.toml"), place.config()).unwrap();
        place.publish("marker one");
        place
    }

    fn config(&self) -> String {
        let data = self.path("data").display().to_string();
        format!(
            "[store]\npath = \"{data}/w.db\"\n\
             [defaults]\nbackfill = \"all\"\ngather = \"0s\"\n\
             [http]\nlisten = \"127.0.0.1:{}\"\n\
             [feed.a]\nurl = \"http://{}:{}/news.xml\"\ninterval = \"2s\"\nallow_private = true\n\
             [rule.r]\nmatch = 'marker'\nchannels = [\"log\"]\n\
             [channel.log.file]\npath = \"{data}/alerts.jsonl\"\n",
            self.http, self.host, self.feed
        )
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts one more story into the feed.
    pub(crate) fn publish(&self, title: &str) {
        let path = self.path("www/stories");
        let mut stories = fs::read_to_string(&path).unwrap_or_default();
        let words = if title.ends_with("one") { "ferry sinks" } else { "olive harvest halved" };
        stories += &format!(
            "<item><guid>{title}</guid><title>{title}: {words}</title>\
             <link>https://news.example.org/{}</link></item>",
            title.replace(' ', "-")
        );
        let feed =
            format!("<rss version=\"2.0\"><channel><title>N</title>{stories}</channel></rss>");
        fs::write(path, stories).unwrap();
        fs::write(self.path("www/news.new"), feed).unwrap();
        fs::rename(self.path("www/news.new"), self.path("www/news.xml")).unwrap();
    }

    pub(crate) fn start(&mut self, surroundings: &Surroundings) {
        let names =
            "mount --bind ../resolv.conf /etc/resolv.conf && mount --bind ../hosts /etc/hosts";
        let furnish = match surroundings {
            Surroundings::Isolated { network: false } => names.to_owned(),
            Surroundings::Isolated { network: true } => format!("{names} && ip link set lo up"),
            Surroundings::ReadOnly => {
                "mount --bind . . && mount -o remount,ro,bind . && cd \"$PWD\" && \
                 ! touch written 2>/dev/null && ip link set lo up"
                    .to_owned()
            }
            Surroundings::Time(library) => {
                self.library = Some(library.clone());
                fs::write(self.path("time"), START_OF_TIME).unwrap();
                "true".to_owned()
            }
        };
        self.isolated = self.library.is_none();
        let mut command = Command::new(if self.isolated { "unshare" } else { "sh" });
        if self.isolated {
            command.args(["--net", "--mount", "sh"]);
        }
        let binary = env!("CARGO_BIN_EXE_wirewatch");
        command.args(["-c", &format!("{furnish} && exec {binary} --config watch.toml run")]);
        command.current_dir(self.path("etc"));
        self.surround(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(File::create(self.path("daemon.log")).unwrap());
        self.daemon = Some(command.spawn().expect("the program starts"));
    }

    fn surround(&self, command: &mut Command) {
        let others =
            ["STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "JOURNAL_STREAM"];
        for variable in others.into_iter().chain(["WIREWATCH_LOG"]) {
            command.env_remove(variable);
        }
        if let Some(library) = &self.library {
            command.env("LD_PRELOAD", library).env("TZ", "UTC").env("FAKETIME_NO_CACHE", "1");
            command.env("FAKETIME_TIMESTAMP_FILE", self.path("time"));
            command.env("DONT_FAKE_MONOTONIC", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
    }

    fn id(&self) -> String {
        self.daemon.as_ref().expect("it was started").id().to_string()
    }

    /// A command in the program's network.
    fn entered(&self, command: &str) -> Command {
        let mut entered = Command::new(if self.isolated { "nsenter" } else { "sh" });
        if self.isolated {
            entered.args(["-t", &self.id(), "--net", "sh"]);
        }
        entered.args(["-c", command]);
        entered
    }

    pub(crate) fn inside(&self, command: &str) {
        assert!(self.entered(command).status().unwrap().success(), "{command}");
    }

    /// Serves the feed where the program looks for it.
    pub(crate) fn open_feed(&mut self) {
        // Until the program is where it belongs.
        sleep(Duration::from_secs(1));
        let (folder, port) = (self.path("www").display().to_string(), self.feed);
        let mut command = self
            .entered(&format!("exec python3 -m http.server {port} --bind 127.0.0.1 -d {folder}"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.server = Some(command.spawn().unwrap());
    }

    /// Makes a name known.
    pub(crate) fn name(&self, name: &str) {
        fs::write(self.path("hosts"), format!("127.0.0.1 localhost {name}\n")).unwrap();
    }

    /// Brings the clock to the time that it is.
    pub(crate) fn set_clock(&self) {
        fs::write(self.path("time"), "+0").unwrap();
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.id()]).status();
        assert!(sent.unwrap().success());
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wirewatch"));
        command.current_dir(self.path("data")).arg("--config").arg(self.path("etc/watch.toml"));
        self.surround(&mut command);
        command.args(arguments).output().unwrap()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("daemon.log")).unwrap_or_default()
    }

    /// Whether it is the same process all the time.
    pub(crate) fn lives_for(&mut self, time: Duration) -> Result<(), Failed> {
        let start = Instant::now();
        while start.elapsed() < time {
            self.lives()?;
            sleep(PAUSE);
        }
        Ok(())
    }

    fn lives(&mut self) -> Result<(), Failed> {
        let ended = self.daemon.as_mut().expect("it was started").try_wait().unwrap();
        ended.map_or(Ok(()), |status| Err(format!("it ended: {status}: {}", self.log()).into()))
    }

    fn status(&self) -> String {
        let output = self.run(&["status", "--json"]);
        format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    }

    pub(crate) fn status_says(&self, words: &str) -> Result<(), Failed> {
        let status = self.status();
        let quiet = self.run(&["status", "--quiet"]).status.success();
        let told = status.contains(words) && !quiet;
        told.then_some(()).ok_or_else(|| format!("no \"{words}\" in {status}").into())
    }

    pub(crate) fn doctor_says(&self, words: &str) -> Result<(), Failed> {
        let output = self.run(&["doctor", "--offline"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let told = text.contains(words) && !output.status.success();
        told.then_some(()).ok_or_else(|| format!("no \"{words}\" in {text}").into())
    }

    /// What the endpoint says: loops and database are well, whatever the world is.
    pub(crate) fn answers_health(&mut self) -> Result<(), Failed> {
        let ask = format!(
            "python3 -c \"import urllib.request as u; \
             print(u.urlopen('http://127.0.0.1:{}/healthz', timeout=5).read())\"",
            self.http
        );
        let output = self.entered(&ask).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.contains("loops: ok")
            .then_some(())
            .ok_or_else(|| format!("/healthz: {said}{output:?} {}", self.log()).into())
    }

    fn told(&self) -> String {
        fs::read_to_string(self.path("data/alerts.jsonl")).unwrap_or_default()
    }

    pub(crate) fn is_told(&mut self, title: &str, limit: Duration) -> Result<(), Failed> {
        let start = Instant::now();
        while !self.told().contains(title) {
            self.lives()?;
            if start.elapsed() > limit {
                return Err(format!("\"{title}\" is not told: {}", self.log()).into());
            }
            sleep(PAUSE);
        }
        eprintln!("told of {title} after {} ms", start.elapsed().as_millis());
        Ok(())
    }

    pub(crate) fn told_once(&self, titles: &[&str]) -> Result<(), Failed> {
        let lines = self.told().lines().count();
        let right = lines == titles.len();
        right.then_some(()).ok_or_else(|| format!("{lines} messages: {}", self.told()).into())
    }

    pub(crate) fn is_well(&mut self, limit: Duration) -> Result<(), Failed> {
        let start = Instant::now();
        while !self.run(&["status", "--quiet"]).status.success() {
            self.lives()?;
            if start.elapsed() > limit {
                return Err(format!("not well: {} {}", self.status(), self.log()).into());
            }
            sleep(PAUSE);
        }
        Ok(())
    }

    pub(crate) fn stops(&mut self) -> Result<(), Failed> {
        self.signal("TERM");
        let status = self.daemon.as_mut().expect("it was started").wait().unwrap();
        status.success().then_some(()).ok_or_else(|| format!("{status}: {}", self.log()).into())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for child in [&mut self.daemon, &mut self.server].into_iter().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
