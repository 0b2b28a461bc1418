//! Fast receivers, and the loops that feed them.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wirewatch::config::{self, Environment};
use wirewatch::deliver::{self, Channel};
use wirewatch::model::{ChannelName, Clock, DeliveryId, Due, Outcome, Route, Silence};
use wirewatch::pipeline::{Dispatcher, Live, Meter};
use wirewatch::store::{DigestIds, Gate, Store};

use super::outbox::Outbox;
use super::support::http::{FeedServer, Reply, handler};
use super::support::smtp::{SmtpSink, Tls};
use super::support::tls::TestCa;

const HOOK: &str = "/hook";
const CHAT: &str = "/chat";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What is measured; the console is for people, and others are like `slack`.
pub const CHANNELS: [&str; 8] =
    ["webhook", "slack", "mail", "mail-starttls", "mail-implicit", "exec", "file", "feed"];

/// Receivers and a configuration that names them.
pub struct Rig {
    runtime: Runtime,
    folder: TempDir,
    channels: BTreeMap<ChannelName, Arc<dyn Channel>>,
    toml: String,
    http: FeedServer,
    _mail: [SmtpSink; 3],
}

impl Rig {
    pub fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (http, mail) = runtime.block_on(receivers(&folder));
        let toml = configuration(&http, &mail, &folder);
        let path = folder.path().join("wirewatch.toml");
        std::fs::write(&path, format!("{toml}[store]\npath = \"watch.db\"\n")).unwrap();
        let config = config::load(&path, &Environment::from_process())
            .unwrap_or_else(|problems| panic!("{}", problems.render(false)));
        let build = |(name, options)| {
            let channel = deliver::build(name, options, "bench").unwrap();
            (ChannelName::clone(name), channel)
        };
        let channels = config.channels.iter().map(build).collect();
        Self { runtime, folder, channels, toml, http, _mail: mail }
    }

    fn dispatcher(&self, store: Store, channel: &str) -> Dispatcher {
        let name = ChannelName::new(channel);
        let live = watch::channel(Arc::new(Live::default())).1;
        let channel = self.channels[&name].clone();
        Dispatcher { store, name, channel, live, clock: Clock::System, meter: Meter::default() }
    }

    fn recipient(&self, channel: &str) -> String {
        self.channels[&ChannelName::new(channel)].recipients().remove(0)
    }

    /// How long a channel takes to get rid of so many deliveries.
    pub fn drain(&self, channel: &str, count: u64) -> Duration {
        let mut outbox = Outbox::new();
        outbox.fill(channel, &self.recipient(channel), count);
        let dispatcher = self.dispatcher(outbox.open(), channel);
        let begun = Instant::now();
        let drained = self.runtime.block_on(dispatcher.drain(&CancellationToken::new())).unwrap();
        let taken = begun.elapsed();
        assert_eq!(drained.sent as u64, count, "{channel}: {drained:?}");
        taken
    }

    /// How long the sends alone take: the same delivery again and again.
    pub fn sends(&self, channel: &str, count: u64) -> Duration {
        let mut outbox = Outbox::new();
        outbox.fill(channel, &self.recipient(channel), 1);
        let name = ChannelName::new(channel);
        let (store, channel) = (outbox.open(), self.channels[&name].clone());
        self.runtime.block_on(async {
            let now = Clock::System.now();
            let lease = (SignedDuration::from_mins(15), 1);
            let claimed =
                store.claim_deliveries(name, Box::new(Open), now, lease).await.unwrap().deliveries;
            let begun = Instant::now();
            for _ in 0..count {
                let outcome = channel.send(&claimed[0], Clock::System.now()).await;
                assert!(matches!(outcome, Outcome::Sent(_)), "{outcome:?}");
            }
            begun.elapsed()
        })
    }

    /// How long the webhook takes to get rid of so many of a queue that goes on.
    pub fn some(&self, store: Store, count: usize) -> Duration {
        let dispatcher = self.dispatcher(store, "webhook");
        self.runtime.block_on(async {
            let (before, begun) = (self.http.count(HOOK), Instant::now());
            let stop = CancellationToken::new();
            let child = stop.clone();
            let drain = tokio::spawn(async move { dispatcher.drain(&child).await });
            // What counts is a rate: a hundredth of a second more or less does not.
            while self.http.count(HOOK) < before + count {
                assert!(!drain.is_finished(), "ended before its time");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let taken = begun.elapsed();
            stop.cancel();
            drain.await.unwrap().unwrap();
            taken
        })
    }

    /// How long the program takes from its start to the first delivery.
    pub fn first_of(&self, outbox: &Outbox) {
        let before = self.http.count(HOOK);
        let mut child = self.program(outbox).arg("run").spawn().unwrap();
        while self.http.count(HOOK) == before {
            assert!(child.try_wait().unwrap().is_none(), "ended before its time");
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn program(&self, outbox: &Outbox) -> Command {
        let path = self.folder.path().join("queue.toml");
        let store = format!("[store]\npath = {:?}\n", outbox.path());
        std::fs::write(&path, format!("{}{store}", self.toml)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_wirewatch"));
        command.arg("--config").arg(path).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Asks the program how things are.
    pub fn status(&self, outbox: &Outbox) {
        let output = self.program(outbox).arg("status").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Lets everything through.
struct Open;

impl Gate for Open {
    fn budget(&self) -> usize {
        0
    }

    fn groups_since(&self) -> Option<Timestamp> {
        None
    }

    fn route(&self, _: &Due, _: &[Silence]) -> Route {
        Route::Send
    }

    fn suppressed(&self, _: &Due, _: &[Silence]) -> Option<String> {
        None
    }

    fn group(&self, _: &Due) -> Option<String> {
        None
    }

    fn digest(&self, _: &ChannelName, _: &str, _: &[DeliveryId]) -> DigestIds {
        unreachable!("nothing is gathered")
    }
}

async fn receivers(folder: &TempDir) -> (FeedServer, [SmtpSink; 3]) {
    let http = FeedServer::start().await;
    for path in [HOOK, CHAT] {
        http.route(path, handler(|_| Reply::ok("ok")));
    }
    let authority = TestCa::new();
    authority.write_ca(folder.path());
    let encrypted = |tls| SmtpSink::builder().tls(tls, authority.acceptor()).start();
    let mail =
        [SmtpSink::start().await, encrypted(Tls::StartTls).await, encrypted(Tls::Implicit).await];
    (http, mail)
}

fn configuration(http: &FeedServer, mail: &[SmtpSink; 3], folder: &TempDir) -> String {
    let (hook, chat) = (http.url(HOOK), http.url(CHAT));
    let mut toml = format!(
        "[feed.wire]\nurl = \"http://127.0.0.1:9/\"\nallow_private = true\n\
         [rule.contact]\nmatch = 'ministers'\nchannels = [\"webhook\"]\n\
         [channel.webhook.webhook]\nurl = \"{hook}\"\nsecret_file = \"secret\"\n\
         allow_private = true\n\
         [channel.slack.slack]\nurl_file = \"slack\"\nallow_private = true\n\
         [channel.exec.exec]\ncommand = [\"/bin/cat\"]\n\
         [channel.file.file]\npath = \"alerts.jsonl\"\n\
         [channel.feed.feed]\npath = \"alerts.xml\"\n"
    );
    let kinds = [("mail", "none"), ("mail-starttls", "starttls"), ("mail-implicit", "implicit")];
    for ((name, tls), sink) in kinds.into_iter().zip(mail) {
        let host = if tls == "none" { "127.0.0.1" } else { "localhost" };
        let trust = if tls == "none" { "" } else { "ca_file = \"ca.pem\"\n" };
        toml.push_str(&format!(
            "[channel.{name}.email]\nfrom = \"watch@example.org\"\n\
             to = [\"desk@example.org\"]\nsmtp = \"{host}:{}\"\ntls = \"{tls}\"\n{trust}",
            sink.port()
        ));
    }
    for (name, text) in [("secret", SECRET), ("slack", chat.as_str())] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    toml
}
