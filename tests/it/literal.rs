//! Words of template languages in a story stay words, from the feed to every receiver.

use mail_parser::MessageParser;
use serde_json::{Value, json};

use crate::chat::payloads::PAYLOADS;
use crate::cli::{lines, stderr, stdout, wirewatch};
use crate::support::smtp::SmtpSink;
use crate::world::{World, own_words};

const CHANNELS: &str = "\
[channel.run.exec]
command = ['/bin/sh', '-c', 'cat >> FOLDER/run.jsonl; echo >> FOLDER/run.jsonl']
[channel.log.file]
path = 'log.jsonl'
[channel.atom.feed]
path = 'atom.xml'
[channel.event.webhook]
url = 'HOOK'
format = 'cloudevents'
secret_file = 'hook-secret'
allow_private = true
[channel.terminal.console]
[channel.post.email]
from = 'watch@example.org'
to = ['desk@example.org']
smtp = '127.0.0.1:PORT'
tls = 'none'
";

/// A feed of one story, of which every text is the payload, with words of its own beside it.
fn feed(number: usize, payload: &str) -> String {
    let own = own_words(number);
    // Much that is its own, so that none is taken for another telling of a story.
    let more = |part: usize| {
        let words = (1..9).map(|word| own_words(1_000 * (number + 1) + 10 * part + word));
        words.collect::<String>().replace("marker", "of ")
    };
    json!({
        "version": "https://jsonfeed.org/version/1.1", "title": format!("Desk {payload}"),
        "items": [{
            "id": own, "url": format!("https://news.example.org/{number}"),
            "title": format!("{own} {payload}"),
            "content_text": format!("{}. A marker {payload} again. {}.", more(1), more(2)),
            "authors": [{ "name": payload }], "tags": [payload],
        }],
    })
    .to_string()
}

/// What markup says, once its entities are resolved.
fn unescaped(text: &str) -> String {
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'")];
    let pairs = pairs.into_iter().chain([("&#x27;", "'"), ("&#x2f;", "/"), ("&amp;", "&")]);
    pairs.fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Which payloads are not in any of the texts, behind the word before them.
fn missing<'a>(texts: &[String], before: &str) -> Vec<&'a str> {
    let is_there = |payload: &str| {
        let wanted = format!("{before}{payload}");
        texts.iter().any(|text| text.contains(&wanted))
    };
    PAYLOADS.into_iter().filter(|payload| !is_there(payload)).collect()
}

/// Every text in JSON, however deep.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::Object(map) => map.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

fn texts_of_lines(text: &str) -> Vec<String> {
    let rows = text.lines().filter(|line| !line.is_empty());
    rows.flat_map(|line| texts(&serde_json::from_str(line).unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_words_of_template_languages_stay_words_in_every_output() {
    let world = World::new().await;
    let sink = SmtpSink::start().await;
    let mut more = String::new();
    for (number, payload) in PAYLOADS.iter().enumerate() {
        let name = format!("f{number}");
        world.feeds.serve(&format!("/{name}"), "application/feed+json", feed(number, payload));
        more.push_str(&world.feed(&name));
    }
    more.push_str(
        &CHANNELS
            .replace("FOLDER", &world.dir.path().display().to_string())
            .replace("HOOK", &world.hook.url())
            .replace("PORT", &sink.port().to_string()),
    );
    let all = "['hook', 'event', 'run', 'log', 'atom', 'terminal', 'post']";
    let config = world.config(&world.toml(&more).replace("[\"hook\"]", all));
    let report = world.once(&config).await;
    assert_eq!(report.drained.failed, 0);
    world.hook.wait_for(2 * PAYLOADS.len()).await;
    let dir = world.dir.path().to_path_buf();
    let print = |arguments: &[&str]| {
        let output = wirewatch(&dir, &[&["--config", "watch.toml"], arguments].concat(), "");
        assert!(output.status.success(), "{}", stderr(&output));
        output
    };
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
    let hook: Vec<String> =
        world.hook.accepted().iter().flat_map(|delivery| texts(&delivery.json)).collect();
    let (mut plain, mut html, mut subjects) = (Vec::new(), Vec::new(), Vec::new());
    for message in sink.wait_for(PAYLOADS.len()).await {
        let parsed = MessageParser::default().parse(&message.data).unwrap();
        subjects.push(parsed.subject().unwrap().to_owned());
        // A line of a mail is no longer than it should be.
        let text = parsed.body_text(0).unwrap();
        plain.push(text.split_whitespace().collect::<Vec<_>>().join(" "));
        html.push(unescaped(
            &parsed.body_html(0).unwrap().replace("<mark>", "").replace("</mark>", ""),
        ));
    }
    let json = |name: &str| lines(&print(&[name, "--json"])).iter().flat_map(texts).collect();
    // Behind an @ stands an empty space, so that nobody is called.
    let outputs: [(&str, Vec<String>); 10] = [
        ("webhook", hook),
        ("subject", subjects),
        ("text of a mail", plain),
        ("HTML of a mail", html),
        ("program", texts_of_lines(&read("run.jsonl"))),
        ("file", texts_of_lines(&read("log.jsonl"))),
        ("Atom", vec![unescaped(&unescaped(&read("atom.xml"))).replace('\u{200b}', "")]),
        ("alerts --json", json("alerts")),
        ("stories --json", json("stories")),
        ("alerts", vec![stdout(&print(&["alerts", "--limit", "100"]))]),
    ];
    for (name, texts) in &outputs {
        assert_eq!(
            missing(texts, "marker "),
            Vec::<&str>::new(),
            "titles: {name}: {:?}",
            texts.first()
        );
    }
    for (name, texts) in outputs.iter().filter(|(name, _)| !matches!(*name, "subject" | "alerts")) {
        let untold = missing(texts, "Desk ");
        assert_eq!(untold, Vec::<&str>::new(), "names of outlets: {name}: {:?}", texts.first());
    }
}
