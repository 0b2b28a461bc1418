//! Mails about hostile news, from senders and rules with hostile names, read by Python.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use libtest_mimic::{Failed, Trial};

use super::feeds;
use super::letters::{Expected, Letter, Reading};
use super::peers::{Peer, trial};
use super::station::{Station, quoted};
use super::support::http::FeedServer;
use super::support::smtp::{Message, SmtpSink};
use super::titles::{self, Item};
use super::{judged, say, wait_for, wire};

/// Each of as many desks has a feed, a rule, a sender and a recipient of its own.
const NAMES: [&str; 10] = [
    "Naval encounters",
    "Evil\r\nBcc: evil@example.net",
    "=?utf-8?q?=0D=0ABcc:_evil=40example.net?=",
    "<script>alert(1)</script> & 'so' \"on\" <b>",
    "\u{202e}שלום\u{2066} عاجل (\u{200f}12)",
    "電力の夜 {{ 7*7 }} {% raw %}",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "👩‍👩‍👧‍👦🏴󠁧󠁢󠁳󠁣󠁴󠁿🇺🇳👍🏿❤️‍🔥👩‍👩‍👧‍👦🏴󠁧󠁢󠁳󠁣󠁴󠁿🇺🇳👍🏿❤️‍🔥",
    "nul\0bell\u{7}tab\tline\u{2028}sep\u{2029}del\u{7f}",
    ". .. \\ ( ) , ; : @ [ ] é",
];
/// Addresses in the form that stands in a mail. One domain is not ASCII in the configuration.
const DOMAIN: &str = "xn--bcher-kva.example";
const CONFIGURED_DOMAIN: &str = "bücher.example";
const ITEMS: usize = 50;
/// How many faults are printed.
const SHOWN: usize = 30;

/// What the sink has received, and what it ought to have.
struct Post {
    desks: Vec<Desk>,
    messages: Vec<Message>,
    /// Recipients named to the server, over all connections.
    recipients: usize,
}

struct Desk {
    number: usize,
    items: Vec<Item>,
}

/// Sent once, for all trials. What it holds is plain data, so it needs no server any more.
static POST: LazyLock<Post> = LazyLock::new(|| wait_for(Post::send()));

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("mail_is_read_by_python_without_a_defect", Peer::Python, is_read),
        trial("what_is_wrong_with_a_mail_is_found", Peer::Python, damage_is_found),
    ]
}

fn is_read(python: Peer) -> Result<(), Failed> {
    let post = &*POST;
    let reading = read(python, post.messages.iter().map(|message| message.data.as_slice()));
    let mut faults = Vec::new();
    let mut unknown: HashSet<&str> = post.items().map(|(_, item)| item.token.as_str()).collect();
    let mut ids = HashSet::new();
    for (message, letter) in post.messages.iter().zip(&reading.letters) {
        let Some((desk, item)) = post.items().find(|(_, item)| letter.is_about(item)) else {
            faults.push(format!("about nothing: {}", String::from_utf8_lossy(&message.data)));
            continue;
        };
        if !unknown.remove(item.token.as_str()) {
            faults.push(format!("{}: told twice", item.token));
        }
        if !ids.insert(letter.header("Message-ID")) {
            faults.push(format!("{}: its Message-ID was there before", item.token));
        }
        let about = format!("{} ({}), desk {}", item.token, item.kind, desk.number);
        let found = desk.faults(item, message, letter).into_iter();
        faults.extend(found.map(|fault| format!("{about}: {fault}")));
    }
    faults.extend(unknown.iter().map(|token| format!("{token}: not told")));
    if post.recipients != post.messages.len() {
        faults.push(format!("{} recipients were named to the server", post.recipients));
    }
    let defects: usize = reading.letters.iter().map(|letter| letter.defects.len()).sum();
    let count = post.messages.len();
    let (reader, ids) = (reading.reader, ids.len());
    say(&format!("{reader}: {count} messages, {defects} defects, {ids} Message-IDs"));
    judged(faults, SHOWN)
}

impl Post {
    async fn send() -> Self {
        let (sink, server, station) =
            (SmtpSink::start().await, FeedServer::start().await, Station::new());
        let desks: Vec<Desk> = (0..NAMES.len()).map(Desk::new).collect();
        let config: Vec<String> =
            desks.iter().map(|desk| desk.open(&server, sink.port())).collect();
        station.configure(&config.concat());
        let summary = station.once().await;
        let expected = desks.iter().map(|desk| desk.items.len()).sum::<usize>();
        assert_eq!(summary["deliveries"]["sent"], expected, "{summary}\n{}", station.log_tail());
        let commands = sink.commands();
        let recipients = commands.iter().filter(|line| line.starts_with("RCPT")).count();
        Self { desks, messages: sink.accepted(), recipients }
    }

    fn items(&self) -> impl Iterator<Item = (&Desk, &Item)> {
        self.desks.iter().flat_map(|desk| desk.items.iter().map(move |item| (desk, item)))
    }
}

impl Desk {
    fn new(number: usize) -> Self {
        Self { number, items: titles::items(ITEMS, number as u64) }
    }

    /// Publishes the desk's feed; returns its part of the configuration.
    fn open(&self, server: &FeedServer, port: u16) -> String {
        let (number, path) = (self.number, format!("/{}", self.number));
        if number.is_multiple_of(2) {
            let feed = feeds::json_feed(self.outlet(), &self.items);
            server.serve(&path, "application/feed+json", feed);
        } else {
            server.serve(&path, "application/rss+xml", feeds::rss(self.outlet(), &self.items));
        }
        let address = |who: (&str, &str)| {
            // The configuration refuses people with control characters in their names.
            let name = who.0.replace(char::is_control, " ");
            let name = name.replace('\\', "\\\\").replace('"', "\\\"");
            quoted(&format!("\"{name}\" <{}>", who.1.replace(DOMAIN, CONFIGURED_DOMAIN)))
        };
        let (from, to) = (self.from(), self.to());
        format!(
            "[feed.wire-{number}]\nurl = \"{}\"\nallow_private = true\n\
             [rule.rule-{number}]\nname = {}\nmatch = 'marker'\nfeeds = [\"wire-{number}\"]\n\
             channels = [\"desk-{number}\"]\n\
             [channel.desk-{number}.email]\nfrom = {}\nto = [{}]\n\
             smtp = \"127.0.0.1:{port}\"\ntls = \"none\"\n",
            server.url(&path),
            quoted(self.rule()),
            address((from.0, &from.1)),
            address((to.0, &to.1)),
        )
    }

    fn name(&self, shift: usize) -> &'static str {
        NAMES[(self.number + shift) % NAMES.len()]
    }

    fn rule(&self) -> &'static str {
        self.name(0)
    }

    fn outlet(&self) -> &'static str {
        self.name(3)
    }

    fn from(&self) -> (&'static str, String) {
        (self.name(5), format!("wire-{}@{DOMAIN}", self.number))
    }

    fn to(&self) -> (&'static str, String) {
        (self.name(8), format!("desk-{}@example.org", self.number))
    }

    /// What is wrong with a message about one of the desk's items.
    fn faults(&self, item: &Item, message: &Message, letter: &Letter) -> Vec<String> {
        let (from, to) = (self.from(), self.to());
        let expected = Expected {
            item,
            rule: self.rule(),
            outlet: self.outlet(),
            from: (from.0, &from.1),
            to: (to.0, &to.1),
        };
        let mut faults = wire::faults(&message.data);
        faults.extend(letter.faults(&expected));
        if message.mail_from != from.1 || message.rcpt_to != [to.1] {
            faults.push(format!("the envelope: {} {:?}", message.mail_from, message.rcpt_to));
        }
        faults
    }
}

/// Lets Python read messages.
fn read<'a>(python: Peer, messages: impl Iterator<Item = &'a [u8]>) -> Reading {
    let folder = tempfile::tempdir().unwrap();
    for (number, data) in messages.enumerate() {
        fs::write(folder.path().join(format!("{number:04}.eml")), data).unwrap();
    }
    python.read("mail.py", &[folder.path() as &Path])
}

/// One thing that is done to a sound message, and a word of the complaint that must follow.
type Damage = (&'static str, fn(&str) -> String);

const DAMAGES: [Damage; 24] = [
    ("header auto-submitted stands there 0", |mail| without(mail, "Auto-Submitted: ")),
    ("header list-id stands there 0", |mail| without(mail, "List-Id: ")),
    ("header date stands there 0", |mail| without(mail, "Date: ")),
    ("header subject stands there 2", |mail| format!("Subject: Again\r\n{mail}")),
    ("header message-id stands there 2", |mail| format!("Message-ID: <a@b.example>\r\n{mail}")),
    ("somebody else's: Bcc", |mail| format!("Bcc: evil@example.net\r\n{mail}")),
    ("to names", |mail| mail.replacen("\r\nTo: ", "\r\nTo: evil@example.net, ", 1)),
    ("InvalidDateDefect", |mail| mail.replacen("\r\nDate: ", "\r\nDate: sometime ", 1)),
    ("InvalidHeaderDefect", |mail| mail.replacen("\r\nTo: ", "\r\nTo: @ ", 1)),
    ("CloseBoundaryNotFoundDefect", |mail| mail.trim_end().trim_end_matches('-').to_owned()),
    ("no end", |mail| mail.trim_end().to_owned()),
    ("charset of text/plain", |mail| mail.replacen("; charset=utf-8", "", 1)),
    ("UnicodeDecodeError", |mail| mail.replacen("\r\n\r\nmarker", "\r\n\r\n=FFmarker", 1)),
    ("for 7-bit mail", |mail| mail.replacen("Alert raised", "Älert raised", 1)),
    ("bare CR or LF", |mail| {
        mail.replacen("Rule:\r\n", "Rule:\n", 1).replace("\r\nRule", "\nRule")
    }),
    ("bare CR or LF", |mail| mail.replacen("\r\nRule: ", "\rRule: ", 1)),
    ("a line of 10", |mail| mail.replacen("Rule: ", &"Rule: ".repeat(167), 1)),
    ("could be folded", |mail| {
        mail.replacen("\r\nSubject: ", &format!("\r\nSubject: {} ", "x".repeat(80)), 1)
    }),
    ("encoded word of 76", |mail| {
        mail.replacen("\r\nSubject: ", &format!("\r\nSubject: =?utf-8?q?{}?= ", "x".repeat(64)), 1)
    }),
    ("the subject is", |mail| mail.replacen("\r\nSubject: ", "\r\nSubject: Not ", 1)),
    ("the text begins with", |mail| mail.replacen("\r\n\r\nmarker", "\r\n\r\nMaker", 1)),
    ("link is not whole", |mail| mail.replacen("https://news.", "https://\r\nnews.", 1)),
    ("an element in HTML: img", |mail| mail.replacen("<h1 ", "<img><h1 ", 1)),
    ("an attribute in HTML: onclick", |mail| mail.replacen("<h1 ", "<h1 onclick=3D'x' ", 1)),
];

/// A check that has never failed proves nothing.
fn damage_is_found(python: Peer) -> Result<(), Failed> {
    let desk = &POST.desks[0];
    let is_simple = |item: &&Item| item.kind == "plain" && item.title.starts_with("marker story");
    let item = desk.items.iter().find(is_simple).expect("there is a plain headline");
    let is_about =
        |message: &&Message| String::from_utf8_lossy(&message.data).contains(&item.token);
    let message = POST.messages.iter().find(is_about).expect("the item was told");
    let sound = String::from_utf8(message.data.clone()).unwrap();
    let mails: Vec<String> = DAMAGES.iter().map(|(_, damage)| damage(&sound)).collect();
    let reading = read(python, mails.iter().map(String::as_bytes));
    let mut envelope = message.clone();
    envelope.rcpt_to.push("evil@example.net".to_owned());
    let letter = &read(python, std::iter::once(sound.as_bytes())).letters[0];
    let before = desk.faults(item, message, letter);
    let mut cases = vec![("the envelope", desk.faults(item, &envelope, letter))];
    for (((complaint, _), mail), letter) in DAMAGES.iter().zip(mails).zip(&reading.letters) {
        let message = Message { data: mail.into_bytes(), ..message.clone() };
        cases.push((*complaint, desk.faults(item, &message, letter)));
    }
    let mut unfound = Vec::new();
    for (complaint, faults) in cases {
        let complains = |faults: &[String]| faults.iter().any(|fault| fault.contains(complaint));
        if complains(&before) || !complains(&faults) {
            unfound.push(format!("{complaint:?} before: {before:?}, after: {faults:?}"));
        }
    }
    judged(unfound, SHOWN)
}

fn without(mail: &str, header: &str) -> String {
    let kept: Vec<&str> = mail.split("\r\n").filter(|line| !line.starts_with(header)).collect();
    kept.join("\r\n")
}
