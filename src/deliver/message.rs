//! What a message says: an alert's content chosen, cleaned and cut to size.
//! How it looks is the templates' business.

mod digest;
mod sentence;
mod update;

use jiff::Timestamp;
use minijinja::{Value, context};
use url::Url;

use super::text::{cut, one_line};
use crate::model::{
    AlertContent, Content, DigestContent, Field, Notice, NoticeContent, NoticeKind, Outlet, Role,
};

pub(super) use digest::Digest;
pub(super) use sentence::Sentence;
use update::{UpdateLine, update_line};

const MAX_TITLE: usize = 1_000;
const MAX_NAME: usize = 200;
const MAX_URL: usize = 2_048;
const MAX_OUTLETS: usize = 100;
const MAX_MATCHES: usize = 20;
const MAX_MATCH: usize = 100;
const MAX_NOTICE: usize = 2_000;
const MAX_SENTENCES: usize = 3;
/// So many outlets are named in a row before the rest is only counted.
const NAMED_OUTLETS: usize = 6;

/// An alert's content, safe to be shown.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) alert: String,
    pub(super) rule: String,
    pub(super) rule_title: String,
    pub(super) severity: &'static str,
    pub(super) story: String,
    pub(super) title: Sentence,
    pub(super) sentences: Vec<Sentence>,
    pub(super) headline_only: bool,
    pub(super) matches: Vec<String>,
    pub(super) capitals_only: bool,
    pub(super) url: Option<String>,
    published: Option<Timestamp>,
    pub(super) created_at: Timestamp,
    outlets: Vec<OutletLine>,
    pub(super) outlets_total: usize,
    /// What is new, where the alert itself was told before.
    pub(super) update: Option<UpdateLine>,
    /// Why it is told once more, where it was told before.
    pub(super) role: Role,
    /// Instead of all the above: word about feeds.
    pub(super) notices: Option<Vec<NoticeLine>>,
    /// Or several alerts.
    pub(super) digest: Option<Digest>,
}

/// A notice as a message shows it.
#[derive(Clone, Debug)]
pub(super) struct NoticeLine {
    pub(super) kind: &'static str,
    pub(super) feed: String,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) at: Timestamp,
}

/// An outlet as a message shows it.
#[derive(Clone, Debug)]
struct OutletLine {
    name: String,
    url: Option<String>,
    published: Option<Timestamp>,
    first_seen: Timestamp,
}

impl Message {
    pub(super) fn new(content: &AlertContent) -> Self {
        let in_title = sentence::ranges(content, Field::Title);
        let in_text = sentence::ranges(content, Field::Text);
        let title = sentence::whole(&content.title, &in_title, MAX_TITLE);
        let mut sentences = sentence::best(&content.text, &in_text, MAX_SENTENCES);
        let headline_only = sentences.is_empty();
        if headline_only && title.has_hit() {
            sentences.push(title.clone());
        }
        Self {
            alert: content.alert.to_string(),
            rule: one_line(content.rule.as_str(), MAX_NAME),
            rule_title: one_line(&content.rule_title, MAX_NAME),
            severity: content.severity.as_str(),
            story: content.story.to_string(),
            title,
            sentences,
            headline_only,
            matches: matched_words(content),
            capitals_only: content.capitals_only,
            url: content.url.as_deref().and_then(web_link),
            published: content.published,
            created_at: content.created_at,
            outlets: content.outlets.iter().take(MAX_OUTLETS).map(outlet_line).collect(),
            outlets_total: content.outlets.len(),
            update: content.update.as_ref().map(update_line),
            role: content.role,
            notices: None,
            digest: None,
        }
    }

    /// The message of a delivery.
    pub(super) fn of(content: &Content) -> Self {
        match content {
            Content::Alert(alert) => Self::new(alert),
            Content::Notices(notices) => Self::of_notices(notices),
            Content::Digest(digest) => Self::of_digest(digest),
        }
    }

    /// Word about feeds: each kind of notice keeps its own subject while they
    /// are few, and all of them are counted when they are many.
    fn of_notices(content: &NoticeContent) -> Self {
        let severity = content.notices.iter().map(|notice| notice.kind.severity()).max();
        let subject = match content.notices.as_slice() {
            [only] => only.subject.clone(),
            several => summary(several),
        };
        Self {
            alert: content.id.clone(),
            rule: "wirewatch".to_owned(),
            rule_title: "wirewatch".to_owned(),
            severity: severity.unwrap_or_default().as_str(),
            story: content.id.clone(),
            title: Sentence::plain(one_line(&subject, MAX_TITLE)),
            sentences: Vec::new(),
            headline_only: true,
            matches: Vec::new(),
            capitals_only: false,
            url: None,
            published: None,
            created_at: content.created_at,
            outlets: Vec::new(),
            outlets_total: content.notices.len(),
            update: None,
            role: Role::Notice,
            digest: None,
            notices: Some(content.notices.iter().take(MAX_OUTLETS).map(notice_line).collect()),
        }
    }

    /// Several alerts at once.
    fn of_digest(content: &DigestContent) -> Self {
        let digest = Digest::new(content);
        let severity = content.alerts.iter().map(|alert| alert.severity).max();
        let empty = NoticeContent {
            id: content.id.clone(),
            notices: Vec::new(),
            created_at: content.created_at,
        };
        Self {
            severity: severity.unwrap_or_default().as_str(),
            title: Sentence::plain(one_line(&digest.subject(), MAX_TITLE)),
            outlets_total: content.total,
            role: Role::Digest,
            notices: None,
            digest: Some(digest),
            ..Self::of_notices(&empty)
        }
    }

    /// What kind of message it is.
    pub(super) fn shape(&self) -> Shape {
        match (&self.notices, &self.digest) {
            (Some(_), _) => Shape::Notices,
            (_, Some(_)) => Shape::Digest,
            (None, None) => Shape::Alert,
        }
    }

    /// What happened, as a webhook's type says it.
    pub(super) fn event(&self) -> &'static str {
        match (self.shape(), &self.update) {
            (Shape::Notices, _) => "feed.notice",
            (Shape::Digest, _) => "alert.digest",
            (Shape::Alert, Some(_)) => "alert.updated",
            (Shape::Alert, None) => "alert.raised",
        }
    }

    /// When it happened.
    pub(super) fn time(&self) -> String {
        rfc3339(self.update.as_ref().map_or(self.created_at, |update| update.at))
    }

    /// A shorter telling: step 0 is this message, each step says less, and
    /// `None` means that nothing more can be left out.
    pub(super) fn shortened(&self, step: usize) -> Option<Self> {
        /// Outlets kept by each step.
        const OUTLETS: [usize; 8] = [MAX_OUTLETS, MAX_OUTLETS, 50, 20, 10, 5, 1, 0];
        /// Alerts of a digest, likewise; those left out are counted.
        const ALERTS: [usize; 8] = [usize::MAX, 150, 110, 80, 60, 40, 15, 1];
        let mut message = self.clone();
        message.outlets.truncate(*OUTLETS.get(step)?);
        if let Some(notices) = &mut message.notices {
            notices.truncate(*OUTLETS.get(step)?);
        }
        if let Some(digest) = &mut message.digest {
            digest.keep(*ALERTS.get(step)?);
            if step > 0 {
                digest.shorten();
            }
        }
        if step > 0 {
            message.title = Sentence::plain(cut(&self.title.text(), 300));
            message.sentences.truncate(1);
            message.matches.truncate(5);
        }
        Some(message)
    }

    /// The values that templates may use.
    pub(super) fn context(&self) -> Value {
        let outlets: Vec<Value> = self.outlets.iter().map(OutletLine::context).collect();
        let sentences: Vec<Value> = self.sentences.iter().map(Sentence::context).collect();
        let notices: Vec<Value> = self.notices.iter().flatten().map(NoticeLine::context).collect();
        context! {
            alert => &self.alert,
            rule => &self.rule,
            rule_title => &self.rule_title,
            severity => self.severity,
            story => &self.story,
            title => self.title.text(),
            title_parts => self.title.parts_context(),
            sentences => sentences,
            headline_only => self.headline_only,
            matches => &self.matches,
            capitals_only => self.capitals_only,
            url => optional(self.url.as_deref()),
            published => optional(self.published.map(rfc3339)),
            created_at => rfc3339(self.created_at),
            outlets => outlets,
            outlets_total => self.outlets_total,
            outlet_names => self.outlet_names(),
            update => self.update.as_ref().map_or(Value::from(()), UpdateLine::context),
            notices => notices,
            role => self.role.as_str(),
            digest => self.digest.as_ref().map_or(Value::from(()), Digest::context),
        }
    }

    /// "Harbour Wire, Pacific Ledger and The Meridian Post".
    pub(super) fn outlet_names(&self) -> String {
        // Outlets that were cut before may repeat a name, but hardly do.
        let uncounted = self.outlets_total.saturating_sub(self.outlets.len());
        named(self.outlets.iter().map(|outlet| outlet.name.clone()), uncounted)
    }
}

/// The same of outlets as they are stored.
fn names(outlets: &[Outlet]) -> String {
    named(outlets.iter().map(|outlet| one_line(&outlet.name, MAX_NAME)), 0)
}

fn named(all: impl Iterator<Item = String>, uncounted: usize) -> String {
    let mut names: Vec<String> = Vec::new();
    for name in all {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let hidden = names.len().saturating_sub(NAMED_OUTLETS) + uncounted;
    names.truncate(NAMED_OUTLETS);
    if hidden > 0 {
        names.push(format!("{hidden} more"));
    }
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
    }
}

/// What kind of message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// An alert, or news of one.
    Alert,
    /// Word about feeds.
    Notices,
    /// Several alerts.
    Digest,
}

impl NoticeLine {
    fn context(&self) -> Value {
        context! {
            kind => self.kind,
            feed => &self.feed,
            subject => &self.subject,
            text => &self.text,
            at => rfc3339(self.at),
        }
    }
}

fn notice_line(notice: &Notice) -> NoticeLine {
    NoticeLine {
        kind: notice.kind.as_str(),
        feed: notice.feed.to_string(),
        subject: one_line(&notice.subject, MAX_TITLE),
        text: one_line(&notice.text, MAX_NOTICE),
        at: notice.at,
    }
}

/// "12 notices: 9 down, 3 gone".
fn summary(notices: &[Notice]) -> String {
    let counts: Vec<String> = NoticeKind::ALL
        .into_iter()
        .map(|kind| (notices.iter().filter(|n| n.kind == kind).count(), kind))
        .filter(|(count, _)| *count > 0)
        .map(|(count, kind)| format!("{count} {}", kind.as_str()))
        .collect();
    format!("{} notices: {}", notices.len(), counts.join(", "))
}

impl OutletLine {
    fn context(&self) -> Value {
        context! {
            name => &self.name,
            url => optional(self.url.as_deref()),
            published => optional(self.published.map(rfc3339)),
            first_seen => rfc3339(self.first_seen),
        }
    }
}

/// `none` in a template, so that `{% if url %}` works while a misspelt name
/// is an error.
fn optional<T: Into<Value>>(value: Option<T>) -> Value {
    value.map_or(Value::from(()), Into::into)
}

fn rfc3339(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn outlet_line(outlet: &Outlet) -> OutletLine {
    OutletLine {
        name: one_line(&outlet.name, MAX_NAME),
        url: outlet.url.as_deref().and_then(web_link),
        published: outlet.published,
        first_seen: outlet.first_seen,
    }
}

/// The link in its escaped, all-ASCII form; nothing but http and https is
/// offered to be clicked on.
fn web_link(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let text = url.as_str();
    (matches!(url.scheme(), "http" | "https") && text.len() <= MAX_URL).then(|| text.to_owned())
}

/// The matched words as they stand, each once.
fn matched_words(content: &AlertContent) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for (text, field) in [(&content.title, Field::Title), (&content.text, Field::Text)] {
        for range in sentence::ranges(content, field) {
            let word = one_line(&text[range], MAX_MATCH);
            if !words.contains(&word) {
                words.push(word);
            }
        }
    }
    words.truncate(MAX_MATCHES);
    words
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::{AlertId, RuleName, Severity, Span, StoryId};

    /// A story of three outlets, with hits in headline and text.
    pub(crate) fn content() -> AlertContent {
        let title = "Patrol boats face off near Serrano shoal".to_owned();
        let text =
            "Nobody was hurt. Two patrol boats came within 40 metres of each other near the \
                    shoal on Tuesday, the coast guard said.\nTalks go on."
                .to_owned();
        let span = |field, text: &str, word: &str| {
            let start = text.find(word).unwrap();
            Span { field, start, end: start + word.len() }
        };
        AlertContent {
            capitals_only: false,
            role: Role::Alert,
            update: None,
            alert: AlertId::new("a0123456789abcdef"),
            rule: RuleName::new("naval-encounter"),
            rule_title: "Naval encounters".to_owned(),
            severity: Severity::High,
            story: StoryId::new("s0123456789abcdef"),
            spans: vec![
                span(Field::Title, &title, "Patrol boats"),
                span(Field::Text, &text, "patrol boats"),
                span(Field::Text, &text, "shoal"),
            ],
            title,
            text,
            url: Some("https://harbour.example/serrano?a=1&b=2".to_owned()),
            published: Some("2026-03-01T09:30:00Z".parse().unwrap()),
            created_at: "2026-03-01T10:00:00.5Z".parse().unwrap(),
            outlets: vec![
                outlet("Harbour Wire", Some("https://harbour.example/serrano?a=1&b=2")),
                outlet("Pacific Ledger", Some("https://ledger.example/7")),
                outlet("The Meridian Post", None),
            ],
        }
    }

    fn outlet(name: &str, url: Option<&str>) -> Outlet {
        Outlet {
            feed: name.to_lowercase().replace(' ', "-"),
            name: name.to_owned(),
            url: url.map(str::to_owned),
            published: url.map(|_| "2026-03-01T09:30:00Z".parse().unwrap()),
            first_seen: "2026-03-01T09:59:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn outlets_are_named_in_a_sentence() {
        let check = |count: usize, expected: &str| {
            let mut content = content();
            content.outlets = (1..=count).map(|n| outlet(&format!("O{n}"), None)).collect();
            assert_eq!(Message::new(&content).outlet_names(), expected, "{count}");
        };
        check(0, "");
        check(1, "O1");
        check(2, "O1 and O2");
        check(3, "O1, O2 and O3");
        check(9, "O1, O2, O3, O4, O5, O6 and 3 more");
        check(130, "O1, O2, O3, O4, O5, O6 and 124 more");
    }

    #[test]
    fn only_web_links_are_shown() {
        let check = |url: &str, expected: Option<&str>| {
            assert_eq!(web_link(url).as_deref(), expected, "{url}");
        };
        check("https://example.org/ü\"<b>", Some("https://example.org/%C3%BC%22%3Cb%3E"));
        check("javascript:alert(1)", None);
        check("data:text/html,x", None);
        check("file:///etc/passwd", None);
        check("/relative", None);
        check(&format!("https://example.org/{}", "x".repeat(3000)), None);
    }

    #[test]
    fn matched_words_are_listed_once_as_they_stand() {
        let mut content = content();
        content.spans.push(content.spans[1]);
        assert_eq!(Message::new(&content).matches, ["Patrol boats", "patrol boats", "shoal"]);
    }

    #[test]
    fn a_headline_stands_for_the_sentence_when_only_it_matched() {
        let mut content = content();
        content.spans.truncate(1);
        let message = Message::new(&content);
        assert!(message.headline_only);
        assert_eq!(message.sentences.len(), 1);
        assert!(message.sentences[0].has_hit());
        content.spans.clear();
        assert!(Message::new(&content).sentences.is_empty());
    }

    #[test]
    fn shorter_tellings_end() {
        let message = Message::new(&content());
        let steps: Vec<usize> =
            (0..).map_while(|step| message.shortened(step)).map(|m| m.outlets.len()).collect();
        assert_eq!(steps, [3, 3, 3, 3, 3, 3, 1, 0]);
    }
}
