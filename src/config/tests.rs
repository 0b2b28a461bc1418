//! What is read, what is refused and in which words.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;
use crate::deliver::{BodyFormat, ChatService, Tls};
use crate::model::{Auth, Backfill, Interval, Secret};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A folder with files and nothing else from outside.
struct Folder {
    directory: TempDir,
    env: Environment,
}

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let env =
            Environment { working_directory: directory.path().to_path_buf(), ..Default::default() };
        let folder = Self { directory, env };
        for (name, text) in files {
            folder.write(name, text.as_bytes(), 0o600);
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8], mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn load(&self, name: &str) -> Result<Config, Problems> {
        load(Path::new(name), &self.env)
    }

    /// All problems, a line each: `error 3:7 message | hint`.
    fn problems(&self, name: &str) -> Vec<String> {
        let list = match self.load(name) {
            Ok(config) => config.warnings,
            Err(problems) => problems.list,
        };
        list.iter().map(|problem| self.line(problem)).collect()
    }

    fn line(&self, problem: &Problem) -> String {
        let file = match problem.file.to_str().unwrap() {
            "watch.toml" => String::new(),
            other => format!("{other}:"),
        };
        let place = match problem.span {
            Some(_) => format!("{file}{}:{}", problem.line, problem.column),
            None => format!("{file}-"),
        };
        let hint = problem.hint.as_ref().map_or(String::new(), |hint| format!(" | {hint}"));
        let line = format!("{} {place} {}{hint}", problem.severity.as_str(), problem.message);
        line.replace(&self.directory.path().display().to_string(), "DIR")
    }
}

/// What a complete configuration needs besides the part under test.
const REST: [(&str, &str); 3] = [
    ("feed", "feed.wire.url = 'https://example.org/wire'\n"),
    ("rule", "rule.any = { match = 'storm', channels = ['out'] }\n"),
    ("channel", "channel.out.console = {}\n"),
];

/// A folder with a configuration that consists of `toml`, with a feed, a rule
/// and a channel from another file unless it has its own.
fn folder_of(toml: &str) -> Folder {
    let has_own = |name: &str| {
        toml.lines().any(|line| {
            let line = line.trim_start_matches('[');
            line.starts_with(&format!("{name}.")) || line.starts_with(&format!("{name}]"))
        })
    };
    let rest: String =
        REST.iter().filter(|(name, _)| !has_own(name)).map(|(_, text)| *text).collect();
    let folder = Folder::new(&[
        ("main.toml", "include = ['watch.toml', 'rest.toml']"),
        ("watch.toml", toml),
        ("rest.toml", &rest),
        ("news.xml", "<rss/>"),
        ("password", "hunter2\n"),
        ("secret", SECRET),
        ("empty", "\n"),
        ("bad-secret", "hunter2"),
        ("mail.txt", "fine"),
        ("two-lines", "one\ntwo\n"),
        ("spaced", " one\n"),
        ("umlaut", "schlüssel\n"),
        ("ca.pem", "-----BEGIN CERTIFICATE-----"),
    ]);
    folder.write("open-secret", SECRET.as_bytes(), 0o644);
    folder
}

/// `testdata/problems.txt`: cases of `=== title`, a configuration, `---` and
/// all its problems. `UPDATE=1` rewrites the problems.
#[test]
fn every_wrong_configuration_is_told_its_problems() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config/testdata/problems.txt");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut actual = String::new();
    let mut count = 0;
    for case in text.split("=== ").skip(1) {
        let (title, rest) = case.split_once('\n').unwrap();
        let (toml, _) = rest.split_once("---\n").unwrap();
        let problems = folder_of(toml).problems("main.toml");
        actual.push_str(&format!("=== {title}\n{toml}---\n{}\n\n", problems.join("\n")));
        count += 1;
    }
    assert!(count >= 40, "{count}");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, actual.trim_end().to_owned() + "\n").unwrap();
        return;
    }
    assert_eq!(actual.trim_end().lines().count(), text.trim_end().lines().count());
    for (line, (is, should)) in actual.lines().zip(text.lines()).enumerate() {
        assert_eq!(is, should, "problems.txt:{}", line + 1);
    }
}

#[test]
fn ten_problems_in_four_files_are_all_reported_at_once() {
    let folder = Folder::new(&[
        (
            "main.toml",
            "include = ['a.toml', 'b.toml', 'c.toml']\n[store]\npth = 'x'\nretention = 7\n",
        ),
        ("a.toml", "[feed.x]\nurl = 'ftp://example.org/'\ninterval = 'soon'\nbackfil = 'all'\n"),
        (
            "b.toml",
            "[rule.r]\nseverity = 'hihg'\nmatch = 'storm'\nchannels = ['dekk']\nfeeds = ['y']\n",
        ),
        ("c.toml", "[channel.desk.email]\nfrom = 'nobody'\nto = []\nsmtp = 'localhost'\n"),
    ]);
    let problems = folder.load("main.toml").unwrap_err();
    assert_eq!(problems.errors(), 10, "{problems}");
}

#[test]
fn a_problem_is_shown_with_its_line_a_caret_and_help() {
    let toml = "[feed.a]\nurl = 'file:watch.toml'\n\n[rule.mergers]\nmatch = 'merger'\n\
                channels = [\"dekk\"]\n\n[channel.desk.console]\n";
    let folder = Folder::new(&[("watch.toml", toml)]);
    let problems = folder.load("watch.toml").unwrap_err();
    let expected = "error: rule \"mergers\": no channel is named \"dekk\"\n\
                    \x20--> watch.toml:6:13\n\
                    \x20 |\n\
                    6 | channels = [\"dekk\"]\n\
                    \x20 |             ^^^^^^\n\
                    \x20 |\n\
                    help: did you mean \"desk\"?";
    assert_eq!(problems.list[0].render(false), expected);
    assert!(problems.list[0].render(true).contains("\u{1b}["));
}

#[test]
fn what_a_file_says_does_not_steer_the_terminal() {
    let toml = "[rule.\"\\u001b[31m\"]\nmatch = 'storm'\nchannels = []  # \u{202e}\n\
                \"\\u001b]0;title\\u0007\" = 1\n";
    let problems = folder_of(toml).load("main.toml").unwrap_err();
    let shown = problems.render(false);
    assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{shown:?}");
}

/// The place of a problem is the text it is about, whatever the quotes.
#[test]
fn a_wrong_rule_is_marked_at_the_very_place() {
    let check = |rule: &str, expected: &str| {
        let toml = format!("[rule.r]\nchannels = []\nmatch = {rule}\n");
        let problems = folder_of(&toml).load("main.toml").unwrap_err();
        let problem = problems.list.iter().find(|p| p.severity == Gravity::Error).unwrap();
        assert!(problem.message.starts_with("rule \"r\": "), "{problem}");
        let span = problem.span.clone().unwrap();
        assert_eq!(&toml[span], expected, "{toml}\n{problem}");
    };
    check("'storm AND @nolist'", "@nolist");
    check("'''\n  storm\n  AND @nolist\n'''", "@nolist");
    check(r#""\"storm \u00e9\" AND @nolist""#, "@nolist");
    check("\"\"\"\nstorm AND \\\n   @nolist\"\"\"", "@nolist");
}

#[test]
fn a_wrong_example_is_marked_with_the_reason() {
    let toml = "[rule.r]\nchannels = []\nmatch = 'storm'\n\
                matches = ['Storm at sea', 'Calm sea']\nignores = ['A storm', 'A calm']\n";
    let problems = folder_of(toml).load("main.toml").unwrap_err();
    let errors: Vec<&Problem> =
        problems.list.iter().filter(|problem| problem.severity == Gravity::Error).collect();
    let marked: Vec<(&str, &str)> = errors
        .iter()
        .map(|problem| (&toml[problem.span.clone().unwrap()], problem.message.as_str()))
        .collect();
    assert_eq!(
        marked,
        [
            ("'Calm sea'", "rule \"r\": this example does not match, but should"),
            ("'A storm'", "rule \"r\": this example matches, but should not"),
        ]
    );
    assert!(errors.iter().all(|problem| problem.hint.is_some()));
}

#[test]
fn a_file_that_cannot_be_read_is_one_clear_error() {
    let check = |bytes: &[u8], expected: &[&str]| {
        let folder = Folder::new(&[]);
        folder.write("watch.toml", bytes, 0o600);
        assert_eq!(folder.problems("watch.toml"), expected);
    };
    check(b"[store]\npath = '\xff'\n", &["error - line 2 is not UTF-8"]);
    check(&vec![b'#'; (8 << 20) + 1], &["error - the file is larger than 8 MiB"]);
    let folder = Folder::new(&[("watch.toml/x", "")]);
    let expected = "error - this is a directory, not a file";
    assert_eq!(folder.problems("watch.toml"), [expected]);
    assert_eq!(
        folder.problems("none.toml"),
        [format!("error none.toml:- there is no such file | {NO_FILE}")]
    );
}

const NO_FILE: &str = "name another with --config FILE; without it config/wirewatch.toml, \
    wirewatch.toml and /etc/wirewatch/wirewatch.toml are looked for; \
    `wirewatch generate reference` prints one to begin with";

#[test]
fn a_byte_order_mark_and_windows_line_ends_do_no_harm() {
    let toml = "\u{feff}[store]\r\npth = 'x'\r\n";
    let expected = "error 2:1 [store]: unknown key \"pth\" | did you mean \"path\"?";
    assert_eq!(folder_of(toml).problems("main.toml"), [expected]);
}

#[test]
fn includes_are_read_in_the_order_of_their_names_and_each_once() {
    let folder = Folder::new(&[
        ("watch.toml", "include = ['d/*.toml', 'watch.toml', 'd/1.toml']\nrule = {}"),
        ("d/2.toml", "include = ['../watch.toml']\nfeed.b.url = 'file:b.xml'"),
        ("d/1.toml", "include = ['2.toml']\nfeed.a.url = 'file:a.xml'"),
        ("d/.#1.toml", "nonsense"),
        ("d/a.xml", ""),
        ("d/b.xml", ""),
    ]);
    let config = folder.load("watch.toml").unwrap_or_else(|problems| panic!("{problems}"));
    let files: Vec<&str> = config.files.iter().map(|file| file.to_str().unwrap()).collect();
    assert_eq!(files, ["watch.toml", "d/1.toml", "d/2.toml"]);
    let urls: Vec<&str> = config.feeds.iter().map(|feed| feed.url.as_str()).collect();
    let url = |name: &str| format!("file:{}", folder.path("d").join(name).display());
    assert_eq!(urls, [url("a.xml"), url("b.xml")]);
}

#[test]
fn what_two_files_give_names_both_places() {
    let folder = Folder::new(&[
        ("watch.toml", "include = ['a.toml', 'b.toml']\nfeed.w.url = 'https://example.org/'"),
        ("a.toml", "[store]\npath = 'a'\n[rule.r]\nmatch = 'storm'\nchannels = []"),
        ("b.toml", "[store]\npath = 'b'\n[rule.r]\nmatch = 'storm'\nchannels = []"),
    ]);
    assert_eq!(
        folder.problems("watch.toml"),
        [
            "error b.toml:2:1 [store]: \"path\" is given twice | the other is at a.toml:2",
            "error b.toml:3:7 [rule.NAME]: \"r\" is given twice | the other is at a.toml:3",
        ]
    );
}

const COMPLETE: &str = "
[store]
path = 'x.db'
retention = '30d'
[defaults]
interval = '20m'
backfill = '24h'
gather = '5s'
[fetch]
contact = 'https://example.org'
timeout = '20s'
max_body = '1MiB'
concurrency = 3
ca_file = 'ca.pem'
[feed.a]
url = 'file:news.xml'
[feed.b]
url = 'http://127.0.0.1:8080/rss'
title = 'B'
interval = '1s'
backfill = 'all'
allow_private = true
[rule.r]
match = 'storm'
channels = ['out', 'mail', 'hook']
feeds = ['a']
languages = ['EN']
severity = 'high'
[channel.out.console]
[channel.mail.email]
from = 'Wire <w@example.org>'
to = ['a@example.org', 'b@example.org']
smtp = '[::1]:2525'
tls = 'none'
username = 'w'
password_file = 'password'
text_template = 'mail.txt'
[channel.hook.webhook]
url = 'http://localhost/hook'
allow_private = true
secret_file = 'secret'
";

#[test]
fn every_value_arrives() {
    let folder = folder_of(COMPLETE);
    let config = folder.load("main.toml").unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.warnings, []);
    assert_eq!(config.store, folder.path("x.db"));
    assert_eq!(config.retention.as_hours(), 30 * 24);
    assert_eq!(config.gather.as_secs(), 5);
    assert_eq!(config.contact.as_deref(), Some("https://example.org"));
    let fetch = FetchSettings {
        timeout: Duration::from_secs(20),
        connect_timeout: Duration::from_secs(10),
        header_timeout: Duration::from_secs(15),
        idle_timeout: Duration::from_secs(15),
        max_body: 1 << 20,
        concurrency: 3,
        ca_file: Some(folder.path("ca.pem")),
    };
    assert_eq!(config.fetch, fetch);
    assert_eq!(config.feeds[0].interval.at_first().as_mins(), 20);
    assert_eq!(config.feeds[0].backfill, Backfill::Within(SignedDuration::from_hours(24)));
    assert_eq!(config.feeds[1].interval.at_first().as_secs(), 1);
    assert_eq!(config.feeds[1].backfill, Backfill::All);
    assert_eq!(config.feeds[1].title.as_deref(), Some("B"));
    let rule = &config.rules[0];
    assert_eq!((rule.title.as_str(), rule.severity.as_str()), ("r", "high"));
    assert_eq!(rule.channels.len(), 3);
    assert_eq!(rule.rule.feeds.as_ref().unwrap()[0].as_str(), "a");
    assert_eq!(rule.rule.languages, ["en"]);
}

#[test]
fn every_value_of_a_channel_arrives() {
    let config = folder_of(COMPLETE).load("main.toml").unwrap();
    let Some(ChannelOptions::Email(mail)) = config.channels.get(&ChannelName::new("mail")) else {
        panic!("no mail channel");
    };
    assert_eq!((mail.host.as_str(), mail.port), ("::1", 2525));
    assert!(matches!(mail.tls, Tls::None));
    assert_eq!(mail.from, "Wire <w@example.org>");
    assert_eq!(mail.password.as_ref().unwrap().expose(), "hunter2");
    assert_eq!(mail.templates.text.as_deref(), Some("fine"));
    assert_eq!(mail.timeout, Duration::from_secs(30));
    let Some(ChannelOptions::Webhook(hook)) = config.channels.get(&ChannelName::new("hook")) else {
        panic!("no webhook channel");
    };
    assert_eq!(hook.secret.as_ref().unwrap().expose(), SECRET);
    assert!(hook.allow_private);
}

const CHATS: &str = "
[rule.all]
match = 'storm'
channels = ['slack', 'discord', 'teams', 'mm', 'tg', 'push', 'topic', 'room', 'bell', 'oncall', 'run', 'log', 'atom', 'events']
[channel.slack.slack]
url_file = 'hook'
[channel.discord.discord]
url_file = 'hook'
timeout = '5s'
[channel.teams.teams]
url_file = 'hook'
[channel.mm.mattermost]
url_file = 'hook'
channel = 'desk'
[channel.tg.telegram]
token_file = 'password'
chat = '-100123'
topic = 7
[channel.push.ntfy]
topic = 'storms'
[channel.topic.ntfy]
base_url = 'http://127.0.0.1:8080'
allow_private = true
topic_file = 'password'
token_file = 'password'
[channel.room.matrix]
homeserver = 'https://matrix.example.org'
room = '!a:example.org'
token_file = 'password'
[channel.bell.gotify]
base_url = 'https://gotify.example.org/push'
token_file = 'password'
[channel.oncall.pagerduty]
routing_key_file = 'password'
[channel.run.exec]
command = ['/bin/cat', '-u']
[channel.log.file]
path = 'alerts.jsonl'
[channel.atom.feed]
path = 'alerts.xml'
entries = 7
[channel.events.webhook]
url = 'https://example.org/hook'
secret_file = 'secret'
old_secret_file = 'secret'
format = 'cloudevents'
source = '/desk'
";

#[test]
fn every_kind_of_channel_is_read_with_its_secrets() {
    let folder = folder_of(CHATS);
    folder.write("hook", b"https://hooks.example.org/services/T0/x\n", 0o600);
    let config = folder.load("main.toml").unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.warnings, []);
    let channel = |name: &str| config.channels[&ChannelName::new(name)].clone();
    let chat = |name: &str| match channel(name) {
        ChannelOptions::Chat(chat) => chat,
        other => panic!("{name}: {other:?}"),
    };
    let (hook, password) =
        (Secret::new("https://hooks.example.org/services/T0/x"), Secret::new("hunter2"));
    assert_eq!(chat("slack").service, ChatService::Slack { url: hook.clone() });
    assert_eq!(chat("discord").timeout.as_secs(), 5);
    assert_eq!(chat("teams").service, ChatService::Teams { url: hook.clone() });
    let channel_name = Some("desk".to_owned());
    assert_eq!(chat("mm").service, ChatService::Mattermost { url: hook, channel: channel_name });
    let telegram = ChatService::Telegram {
        base_url: "https://api.telegram.org/".to_owned(),
        token: password.clone(),
        chat: "-100123".to_owned(),
        topic: Some(7),
    };
    assert_eq!(chat("tg").service, telegram);
    let ntfy = ChatService::Ntfy {
        base_url: "https://ntfy.sh/".to_owned(),
        topic: Secret::new("storms"),
        token: None,
    };
    assert_eq!(chat("push").service, ntfy);
    assert!(chat("topic").allow_private);
    assert_eq!(chat("room").service.origin(), "https://matrix.example.org");
    assert_eq!(chat("bell").service.kind(), "gotify");
    let base_url = "https://events.pagerduty.com/".to_owned();
    assert_eq!(chat("oncall").service, ChatService::PagerDuty { base_url, routing_key: password });
    let ChannelOptions::Exec(exec) = channel("run") else { panic!("no program") };
    assert_eq!(exec.command, ["/bin/cat", "-u"]);
    let ChannelOptions::File(file) = channel("log") else { panic!("no file") };
    assert_eq!(file.path, folder.path("alerts.jsonl"));
    let ChannelOptions::Feed(feed) = channel("atom") else { panic!("no feed") };
    assert_eq!((feed.path, feed.entries), (folder.path("alerts.xml"), 7));
    let ChannelOptions::Webhook(events) = channel("events") else { panic!("no webhook") };
    assert_eq!(events.format, BodyFormat::CloudEvents(Some("/desk".to_owned())));
    assert_eq!(events.old_secret, events.secret);
    assert!(!format!("{:?}", config.channels).contains("T0"), "a secret shows");
}

const FEEDS: &str = "
[defaults]
interval = '20m'
[fetch]
proxy = 'socks5://[::1]:1080'
user_agent = 'general'
[group.news]
interval = 'auto'
backfill = '24h'
tags = ['paper']
ignore_hints = true
[group.'news/asia']
interval = '10m'
tags = ['asia']
proxy = 'none'
[feed.a]
url = 'https://a.example/'
group = 'news/asia'
tags = ['wire', 'paper']
ignore_hints = false
user_agent = 'own'
headers = { Accept-Language = 'fr', X-Api-Key = { file = 'password' } }
username = 'desk'
password_file = 'password'
max_body = '1MiB'
[feed.b]
url = 'https://b.example/'
group = ['sport', 'news']
bearer_token_file = 'password'
[feed.c]
url = 'exec:run.sh'
args = ['-x', 'a b']
interval = '5s'
[feed.d]
url = 'https://d.example/'
enabled = false
proxy_file = 'proxy'
[operator]
quiet = ['degraded']
";

#[test]
fn a_feed_has_what_it_says_then_what_its_groups_say_then_the_general() {
    let folder = folder_of(FEEDS);
    folder.write("run.sh", b"#!/bin/sh\n", 0o700);
    folder.write("proxy", b"socks5://u:p@127.0.0.1:1080\n", 0o600);
    let config = folder.load("main.toml").unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.warnings, []);
    let [a, b, c] = config.feeds.as_slice() else { panic!("{:?}", config.feeds) };
    let minutes = |minutes| Interval::Fixed(SignedDuration::from_mins(minutes));
    let day = Backfill::Within(SignedDuration::from_hours(24));
    assert_eq!((a.interval, a.backfill, a.ignore_hints), (minutes(10), day, false));
    assert_eq!((b.interval, b.backfill, b.ignore_hints), (Interval::Adaptive, day, true));
    assert_eq!(c.interval, Interval::Fixed(SignedDuration::from_secs(5)));
    assert_eq!(a.groups, ["news/asia"]);
    assert_eq!(a.tags, ["wire", "paper", "asia"]);
    assert_eq!((b.groups.len(), b.tags.as_slice()), (2, ["paper".to_owned()].as_slice()));
    assert_eq!(c.url, format!("exec:{}", folder.path("run.sh").display()));
    assert_eq!(c.request.args, ["-x", "a b"]);
    let secret = |text: &str| Secret::new(text);
    assert_eq!(a.request.user_agent.as_deref(), Some("own"));
    assert_eq!(a.request.proxy, None);
    assert_eq!(a.request.max_body, Some(1 << 20));
    let user = "desk".to_owned();
    assert_eq!(a.request.auth, Some(Auth::Basic { user, password: secret("hunter2") }));
    let headers = [("Accept-Language", "fr"), ("X-Api-Key", "hunter2")];
    assert_eq!(a.request.headers, headers.map(|(name, value)| (name.to_owned(), secret(value))));
    assert_eq!(b.request.user_agent.as_deref(), Some("general"));
    assert_eq!(b.request.proxy, Some(secret("socks5://[::1]:1080")));
    assert_eq!(b.request.auth, Some(Auth::Bearer(secret("hunter2"))));
    assert_eq!((&c.request.proxy, &c.request.user_agent), (&None, &None));
    assert_eq!(config.paused[0].request.proxy, Some(secret("socks5://u:p@127.0.0.1:1080")));
    assert_eq!(config.operator.notify, [ChannelName::new("out")]);
    assert_eq!(config.operator.quiet, ["degraded"]);
    assert_eq!(config.general.proxy, Some(secret("socks5://[::1]:1080")));
    assert_eq!(config.general.user_agent.as_deref(), Some("general"));
}

#[test]
fn an_edit_is_checked_before_it_is_written() {
    let folder = folder_of("include = ['feeds.d/*.toml']");
    let new = folder.path("feeds.d/added.toml");
    assert!(includes(Path::new("main.toml"), &folder.env, &new));
    assert!(!includes(Path::new("main.toml"), &folder.env, &folder.path("other.toml")));
    let load = |text: &str| {
        let mut edits = Edits::default();
        edits.set(new.clone(), text.to_owned());
        load_edited(Path::new("main.toml"), &folder.env, &edits)
    };
    let config = load("[feed.x]\nurl = 'https://x.example/'").unwrap();
    assert!(config.feeds.iter().any(|feed| feed.url == "https://x.example/"));
    assert!(load("[feed.wire]\nurl = 'https://x.example/'").is_err(), "a name that is taken");
    assert!(!new.exists());
}

#[test]
fn a_systemd_credential_goes_before_a_file_of_the_same_name() {
    let toml = "[channel.out.email]\nfrom = 'a@b.org'\nto = ['a@b.org']\nsmtp = 'b.org'\n\
                username = 'a'\npassword_file = 'sub/open-secret'";
    let mut folder = folder_of(toml);
    folder.write("credentials/open-secret", b"from systemd\r\n", 0o440);
    folder.env.credentials_directory = Some(folder.path("credentials"));
    let config = folder.load("main.toml").unwrap_or_else(|problems| panic!("{problems}"));
    let Some(ChannelOptions::Email(mail)) = config.channels.into_values().next() else {
        panic!("no mail channel");
    };
    assert_eq!(mail.password.unwrap().expose(), "from systemd");
}

#[test]
fn a_secret_in_the_environment_is_used_and_one_that_is_unset_refused() {
    let toml = "[channel.out.webhook]\nurl = 'https://b.org'\nsecret_env = 'HOOK'";
    let mut folder = folder_of(toml);
    let expected = "error 3:14 channel \"out\": the environment variable \"HOOK\" is not set";
    assert_eq!(folder.problems("main.toml"), [expected]);
    folder.env.variables.insert("HOOK".to_owned(), SECRET.to_owned());
    assert_eq!(folder.problems("main.toml"), [""; 0]);
}

#[test]
fn a_wrong_secret_is_not_repeated_in_the_message() {
    let toml = "[channel.out.webhook]\nurl = 'https://b.org'\nsecret_file = 'bad-secret'";
    let problems = folder_of(toml).load("main.toml").unwrap_err();
    assert_eq!(problems.list[0].line, 3);
    assert!(!format!("{problems} {problems:?}").contains("hunter2"));
}

#[test]
fn a_wrong_template_is_refused_with_its_line() {
    let toml = "[channel.out.console]\ntemplate = 'bad.txt'";
    let folder = folder_of(toml);
    folder.write("bad.txt", b"fine\n{{ nonsense nonsense\n", 0o600);
    let problems = folder.load("main.toml").unwrap_err();
    let start = "channel \"out\": the template \"bad.txt\", line 2: ";
    assert!(problems.list[0].message.starts_with(start), "{problems}");
}

#[test]
fn the_store_is_under_the_state_directory_when_there_is_one() {
    let mut folder = folder_of("");
    let store = folder.load("main.toml").unwrap().store;
    assert_eq!(store, folder.path("wirewatch-data/wirewatch.db"));
    folder.env.state_directory = Some(PathBuf::from("/var/lib/wirewatch"));
    let store = folder.load("main.toml").unwrap().store;
    assert_eq!(store, Path::new("/var/lib/wirewatch/wirewatch-data/wirewatch.db"));
}

#[test]
fn rules_alone_need_neither_their_channels_nor_their_feeds() {
    let toml = "[terms]\nwind = 'storm OR gale'\n[store]\npath = 'x'\n\
                [rule.a]\nmatch = '@wind'\nchannels = ['nobody']\nfeeds = ['nowhere']\n\
                [rule.b]\nmatch = 'calm'\n";
    let folder = Folder::new(&[("rules.toml", toml)]);
    let rules = load_rules(Path::new("rules.toml"), &folder.env).unwrap().rules;
    assert_eq!(rules.len(), 2);
    let folder = Folder::new(&[("rules.toml", "[rule.b]\nmatsch = 'calm'\n")]);
    let problems = load_rules(Path::new("rules.toml"), &folder.env).unwrap_err();
    assert_eq!(problems.errors(), 1, "{problems}");
    let folder = Folder::new(&[("rules.toml", "[rule.b]\nseverity = 'high'\n")]);
    let problems = load_rules(Path::new("rules.toml"), &folder.env).unwrap_err();
    assert_eq!(problems.errors(), 1, "{problems}");
}

#[test]
fn the_sample_configuration_loads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let env = Environment { working_directory: root.to_path_buf(), ..Default::default() };
    let config = load(Path::new("config/wirewatch.toml"), &env).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(config.warnings, []);
    assert!(!config.feeds.is_empty() && !config.rules.is_empty() && !config.channels.is_empty());
}

#[test]
fn the_example_of_public_feeds_loads_beside_the_sample() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let env = Environment { working_directory: root.to_path_buf(), ..Default::default() };
    let path = Path::new("config/examples/public-feeds.toml");
    let config = load(path, &env).unwrap_or_else(|e| panic!("{e}"));
    let minutes = |name: &str| {
        let feed = config.feeds.iter().find(|feed| feed.name.as_str() == name).unwrap();
        (feed.interval, feed.groups[0].clone())
    };
    let half_hour = Interval::Fixed(SignedDuration::from_mins(30));
    assert_eq!(minutes("un-news"), (half_hour, "public".to_owned()));
    assert_eq!(minutes("nhk"), (Interval::Adaptive, "languages".to_owned()));
}

#[test]
fn the_example_of_chat_channels_loads_with_its_secrets() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = std::fs::read_to_string(root.join("config/examples/chat.toml")).unwrap();
    let folder = folder_of(&example);
    for name in ["slack-url", "discord-url", "teams-url", "mattermost-url"] {
        folder.write(name, b"https://hooks.example.org/x", 0o600);
    }
    for name in ["telegram-token", "ntfy-topic", "matrix-token", "gotify-token", "pagerduty-key"] {
        folder.write(name, b"hunter2", 0o600);
    }
    let rule = "[rule.all]\nmatch = 'storm'\nchannels = ['phone']";
    folder.write(
        "rest.toml",
        format!("[feed.a]\nurl = 'https://a.example/'\n{rule}").as_bytes(),
        0o600,
    );
    let config = folder.load("main.toml").unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.channels.len(), 12);
}

/// `UPDATE=1` writes the file anew.
#[test]
fn the_reference_file_is_what_the_key_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/reference.toml");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, reference()).unwrap();
    }
    assert!(std::fs::read_to_string(&path).unwrap() == reference(), "run again with UPDATE=1");
}

#[test]
fn the_reference_file_is_itself_a_configuration_without_errors() {
    // A chat channel is none without its secret, which has no default.
    let secrets = ["url_file", "token_file", "routing_key_file", "topic"];
    let text = secrets.iter().fold(reference(), |text, key| {
        text.replace(&format!("\n# {key} = "), &format!("\n{key} = "))
    });
    let folder = Folder::new(&[
        ("watch.toml", &text),
        ("hook-url", "https://hooks.example.org/x"),
        ("token", "hunter2"),
        ("pagerduty-key", "hunter2"),
        ("http-token", "hunter2"),
    ]);
    let config = folder.load("watch.toml").unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.channels.len(), 15);
}

#[test]
fn the_keys_in_the_comments_of_the_reference_file_are_right_too() {
    let mut all = String::new();
    for line in reference().lines() {
        let line = line.strip_prefix("# ").unwrap_or(line);
        let is_key = line.split_once(" = ").is_some_and(|(key, _)| {
            key.chars().all(|c| c.is_ascii_lowercase() || c == '_') && key != "us"
        });
        if is_key || line.starts_with('[') {
            all.push_str(&format!("{line}\n"));
        }
    }
    for key in keys::SECTIONS.iter().flat_map(|section| section.keys) {
        assert!(all.contains(&format!("\n{} = ", key.name)), "{}", key.name);
    }
    // What is left to complain of are files that are not there, and keys that exclude each other.
    let problems = Folder::new(&[("watch.toml", &all)]).load("watch.toml").unwrap_err();
    let fits = |m: &str| {
        let excluded = [
            " are given",
            "for exec: only",
            "only a CloudEvent has a source",
            "there is no program",
        ];
        m.contains("does not exist") || excluded.iter().any(|words| m.contains(words))
    };
    let others: Vec<&Problem> = problems.list.iter().filter(|p| !fits(&p.message)).collect();
    assert!(others.is_empty(), "{others:#?}");
}

#[test]
fn the_schema_knows_every_key_and_its_default() {
    let schema = json_schema();
    let at = |pointer: &str| schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer}")).clone();
    let name = "patternProperties/^[a-z0-9][a-z0-9_-]*$";
    assert_eq!(at("/properties/store/properties/retention/default"), "365d");
    assert_eq!(at("/properties/fetch/properties/concurrency/maximum"), 256);
    assert_eq!(at("/properties/include/default"), serde_json::json!([]));
    assert_eq!(at(&format!("/properties/feed/{name}/required/0")), "url");
    assert_eq!(at(&format!("/properties/rule/{name}/properties/severity/enum/2")), "high");
    let email = format!("/properties/channel/{name}/properties/email");
    assert_eq!(at(&format!("{email}/additionalProperties")), false);
    assert_eq!(at(&format!("{email}/properties/tls/default")), "starttls");
}
