//! What strangers write reaches no terminal and no log as it is: no control character, and nothing
//! that turns the reading direction, whichever command prints it.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::cli::{lines, wirewatch};
use crate::support::http::{FeedServer, Reply};
use crate::support::smtp::{SmtpSink, Stage};
use crate::world::World;

/// Every control character, then what turns or breaks a line.
fn nasty() -> Vec<char> {
    let controls = (0..=0x9f).filter_map(char::from_u32).filter(|c| c.is_control());
    let turns = ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');
    controls.chain(turns).chain(['\u{2028}', '\u{2029}']).collect()
}

/// A text with all of it, between words.
fn text() -> String {
    format!("A{}marker \u{1b}]0;owned\u{7} \u{9b}31m", String::from_iter(nasty()))
}

/// Nothing of it is left but the ends of lines.
fn assert_plain(what: &str, bytes: &[u8]) {
    // Colours of the program's own.
    let text = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[33m"]
        .iter()
        .fold(String::from_utf8_lossy(bytes).into_owned(), |text, own| text.replace(own, ""));
    let nasty = nasty();
    let raw = |c: &char| *c != '\n' && nasty.contains(c);
    let is_raw = |line: &str| line.contains(|c| raw(&c));
    let found: Vec<&str> = text.lines().filter(|line| is_raw(line)).collect();
    assert!(found.is_empty(), "{what}: {:?}", found.first());
}

/// A JSON text literal; JSON has an escape for each character.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        ' '..='~' if c != '"' && c != '\\' => c.to_string(),
        c => format!("\\u{:04x}", u32::from(c)),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

fn json_feed() -> String {
    let text = quoted(&text());
    format!(
        "{{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":{text},\"description\":{text},\
         \"language\":{text},\"home_page_url\":{text},\"authors\":[{{\"name\":{text}}}],\
         \"items\":[{{\"id\":{text},\"title\":{text},\"content_text\":{text},\"language\":{text},\
         \"authors\":[{{\"name\":{text}}}],\"tags\":[{text}],\"date_published\":{text},\
         \"url\":\"https://news.example.org/\\u009b\\u202e/1\"}}]}}"
    )
}

fn rss_feed() -> String {
    // XML cannot say most controls; a feed may try.
    let said: String = text().chars().map(|c| format!("&#{};", u32::from(c))).collect();
    let raw = text().replace('\u{0}', "");
    format!(
        "<rss version=\"2.0{said}\"><channel><title>{raw}</title><ttl>{raw}</ttl>\
         <language>{said}</language><generator>{said}</generator>\
         <item><guid>{said}</guid><title>{said} two</title><author>{said}</author>\
         <category>{said}</category><description><![CDATA[{raw}]]></description>\
         <pubDate>{said}</pubDate><link>https://news.example.org/{said}</link></item>"
    )
}

/// Answers whose headers, addresses and bodies are as bad as HTTP lets them be.
fn serve(feeds: &FeedServer) {
    let high = b"x\x9b31m\x85y\xe2\x80\xae".to_vec();
    feeds.serve("/json", "application/feed+json", json_feed());
    feeds.serve("/rss", "text/xml", rss_feed());
    let reply = |status: u16| {
        let mut reply = Reply::status(status).body(text());
        for name in ["Content-Type", "ETag", "Retry-After", "Server", "WWW-Authenticate"] {
            reply = reply.header(name, high.clone());
        }
        reply
    };
    for status in [200, 204, 301, 400, 401, 403, 407, 429, 500, 503] {
        feeds.script(&format!("/s{status}"), vec![reply(status)]);
    }
    for (name, place) in [("/to-ftp", "ftp://x\u{9b}\u{202e}/"), ("/to-nowhere", "http://[\u{85}")]
    {
        feeds.script(name, vec![Reply::status(302).header("Location", place)]);
    }
    feeds.script("/coded", vec![Reply::ok("x").header("Content-Encoding", high)]);
    let links: String = (1..4)
        .map(|number| {
            let text = text().replace('\u{0}', "");
            format!(
                "<link rel=alternate type='text/xml' title='{text}' href='/none{number}{text}'>"
            )
        })
        .collect();
    let page = format!("<html><head><title>{}</title>{links}</head><body>x", text());
    feeds.serve("/page", "text/html", page);
}

const PLACES: [&str; 16] = [
    "json",
    "rss",
    "s200",
    "s204",
    "s301",
    "s400",
    "s401",
    "s403",
    "s407",
    "s429",
    "s500",
    "s503",
    "to-ftp",
    "to-nowhere",
    "coded",
    "page",
];

/// A folder whose feeds, programs and receivers all say what they should not.
async fn furnish(world: &World, sink: &SmtpSink) -> String {
    serve(&world.feeds);
    let script = text().replace('\u{0}', "");
    world.write("bad.sh", &format!("cat <<'END' >&2\n{script}\nEND\nexit 3\n"));
    world.write("broken.xml", &text());
    world.feeds.script("/chat", vec![Reply::status(400).body(text())]);
    world.secret("chat-url", &world.feeds.url("/chat"));
    sink.script(Stage::Mail, vec![format!("550 {}", script.replace(['\r', '\n'], "")).into()]);
    let feeds: String = PLACES.iter().map(|place| world.feed(place)).collect();
    let more = format!(
        "{feeds}[feed.program]\nurl = 'exec:/bin/sh bad.sh'\n\
         [feed.file]\nurl = 'file:broken.xml'\n\
         [channel.run.exec]\ncommand = ['/bin/sh', 'bad.sh']\n\
         [channel.terminal.console]\n\
         [channel.chat.slack]\nurl_file = 'chat-url'\nallow_private = true\n\
         [channel.post.email]\nfrom = 'watch@example.org'\nto = ['desk@example.org']\n\
         smtp = '127.0.0.1:{}'\ntls = 'none'\n",
        sink.port()
    );
    let all = "[\"hook\", \"run\", \"chat\", \"terminal\", \"post\"]";
    world.toml(&more).replace("[\"hook\"]", all)
}

/// What a command prints, on both streams.
async fn check(dir: &Path, arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wirewatch"));
    command.current_dir(dir).env("WIREWATCH_CONFIG", "watch.toml");
    // As on a terminal, where colours are not taken out on the way.
    command.env("CLICOLOR_FORCE", "1").stdin(Stdio::null());
    let output = command.args(arguments).output().await.unwrap();
    assert_plain(&format!("output of {arguments:?}"), &output.stdout);
    assert_plain(&format!("errors of {arguments:?}"), &output.stderr);
    output
}

#[tokio::test]
async fn no_command_and_no_log_prints_what_strangers_wrote_as_it_is() {
    let world = World::new().await;
    let sink = SmtpSink::start().await;
    let toml = furnish(&world, &sink).await;
    world.config(&toml);
    let dir = world.dir.path();
    for format in ["json", "text"] {
        let _ = std::fs::remove_file(dir.join("watch.db"));
        let once = check(dir, &["-vv", "--log-format", format, "once"]).await;
        assert!(once.stderr.len() > 1_000, "a log was written");
    }
    let known = check(dir, &["alerts", "--json"]).await;
    let alerts = lines(&known);
    assert!(!alerts.is_empty(), "{}", String::from_utf8_lossy(&known.stderr));
    let alert = alerts[0]["id"].as_str().unwrap();
    let story = lines(&check(dir, &["stories", "--json"]).await)[0]["id"].clone();
    let story = story.as_str().unwrap();
    let mut commands = vec![
        vec!["check"],
        vec!["status"],
        vec!["feeds"],
        vec!["stories"],
        vec!["alerts"],
        vec!["deliveries"],
        vec!["notices"],
        vec!["rules"],
        vec!["doctor"],
        vec!["search", "marker"],
        vec!["backtest"],
        vec!["export", "stories", "matches", "deliveries"],
        vec!["why", story],
        vec!["why", alert],
        vec!["explain", "marked", story],
        vec!["stories", "show", story],
        vec!["feeds", "export"],
        vec!["parse", "broken.xml"],
    ];
    commands.extend(PLACES.iter().map(|name| vec!["feeds", "show", name]));
    commands.extend(PLACES.iter().map(|name| vec!["feeds", "test", name]));
    for name in ["program", "file"] {
        commands.push(vec!["feeds", "show", name]);
        commands.push(vec!["feeds", "test", name]);
    }
    for command in commands {
        check(dir, &command).await;
        check(dir, &[&command[..], &["--json"]].concat()).await;
    }
}

#[test]
fn what_is_piped_in_is_printed_plainly() {
    let dir = tempfile::tempdir().unwrap();
    let (text, nasty) = (text(), quoted(&text()));
    let item = format!("{{\"id\":{nasty},\"feed\":{nasty},\"title\":{nasty},\"text\":{nasty}}}\n");
    std::fs::write(dir.path().join("rules.toml"), "[rule.r]\nmatch = 'marker'\nchannels = []\n")
        .unwrap();
    std::fs::write(dir.path().join("watch.toml"), "").unwrap();
    let list = format!(
        "<opml><outline text='{0}'><outline text='{0}' category='/{0}' \
         xmlUrl='https://a.example/'/></outline><outline xmlUrl='{0}'/></opml>",
        text.replace('\u{0}', "")
    );
    let rules = ["--rules", "rules.toml"];
    let check = |arguments: &[&str], input: &str| {
        for more in [&[][..], &["--json"]] {
            let arguments = [arguments, more].concat();
            let output = wirewatch(dir.path(), &arguments, input);
            assert_plain(&format!("output of {arguments:?}"), &output.stdout);
            assert_plain(&format!("errors of {arguments:?}"), &output.stderr);
        }
    };
    for input in [&item, &text, &format!("{item}{{{text}\n")] {
        check(&[&["match"][..], &rules].concat(), input);
        check(&[&["replay"][..], &rules].concat(), input);
    }
    for input in [&json_feed(), &rss_feed(), &text] {
        check(&["parse", "-"], input);
        check(&["parse", "-", "--feed"], input);
    }
    check(&["--config", "watch.toml", "feeds", "import", "-", "--dry-run"], &list);
}
