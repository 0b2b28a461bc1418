//! What a reader makes of the mail that arrived.

use std::collections::{BTreeMap, BTreeSet};

use mail_parser::{HeaderValue, MessageParser};

use super::imap::Kept;
use super::news::Story;

/// A mail as its reader sees it.
pub(crate) struct Mail {
    pub(crate) uid: u32,
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    html: String,
    pub(crate) in_reply_to: Vec<String>,
    pub(crate) references: Vec<String>,
}

impl Mail {
    pub(crate) fn read(kept: &Kept) -> Self {
        let mail = MessageParser::default().parse(&kept.bytes).expect("a mail");
        let body = |body: Option<std::borrow::Cow<'_, str>>| body.unwrap().replace("\r\n", "\n");
        Self {
            uid: kept.uid,
            id: mail.message_id().expect("a Message-ID").to_owned(),
            subject: mail.subject().expect("a subject").to_owned(),
            text: body(mail.body_text(0)),
            html: body(mail.body_html(0)),
            in_reply_to: ids(mail.in_reply_to()),
            references: ids(mail.references()),
        }
    }

    /// The third line is the link of the story.
    fn link(&self) -> &str {
        self.text.lines().nth(2).unwrap_or_default()
    }
}

fn ids(header: &HeaderValue<'_>) -> Vec<String> {
    header.as_text_list().into_iter().flatten().map(ToString::to_string).collect()
}

/// Each story is there once and as it was published, and nothing else is.
pub(crate) fn compare(stories: &[Story], kept: &[Kept]) {
    let mails: Vec<Mail> = kept.iter().map(Mail::read).collect();
    let mut problems = Vec::new();
    let mut by_link: BTreeMap<&str, Vec<&Mail>> = BTreeMap::new();
    for mail in &mails {
        by_link.entry(mail.link()).or_default().push(mail);
    }
    for story in stories {
        match by_link.remove(story.link.as_str()).as_deref() {
            Some([mail]) => problems.extend(differences(story, mail)),
            Some(several) => problems.push(format!("{} came {} times", story.link, several.len())),
            None => problems.push(format!("{} is missing: {:?}", story.link, story.title)),
        }
    }
    for (link, mails) in by_link {
        problems.push(format!("{link:?} was not published: {:?}", mails[0].text));
    }
    let ids: BTreeSet<&str> = mails.iter().map(|mail| mail.id.as_str()).collect();
    if ids.len() < mails.len() {
        problems.push(format!("{} mails have {} ids", mails.len(), ids.len()));
    }
    let first = problems.len().min(20);
    assert!(problems.is_empty(), "{}:\n{}", problems.len(), problems[..first].join("\n"));
}

/// Where a mail says something else than its story.
fn differences(story: &Story, mail: &Mail) -> Vec<String> {
    let mut found = Vec::new();
    if mail.subject != story.subject() {
        found.push(format!("subject {:?}\n  instead of {:?}", mail.subject, story.subject()));
    }
    if !mail.text.starts_with(&story.beginning()) {
        found.push(format!("text {:?}\n  instead of {:?}", mail.text, story.beginning()));
    }
    let title = format!("<title>{}</title>", in_html(&story.headline()));
    if !mail.html.contains(&title) {
        found.push(format!("html {:?}\n  without {title:?}", mail.html));
    }
    found
}

/// A text as the HTML of our mails has it.
fn in_html(text: &str) -> String {
    let escapes = [
        ('&', "&amp;"),
        ('<', "&lt;"),
        ('>', "&gt;"),
        ('"', "&quot;"),
        ('\'', "&#x27;"),
        ('/', "&#x2f;"),
    ];
    escapes.iter().fold(text.to_owned(), |text, (c, escape)| text.replace(*c, escape))
}
