//! What a chat message says, in paragraphs, before any service's markup.

use crate::deliver::message::{Digest, Message, Sentence};
use crate::deliver::text::one_line;
use crate::model::DeliveryId;

/// Longer headlines are cut everywhere.
const MAX_HEADLINE: usize = 300;

/// What a paragraph is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::deliver::channel) enum Role {
    /// The rule, and how urgent.
    Heading,
    /// What is new of a story that was told.
    Update,
    /// The story's headline and link: never left out.
    Headline,
    /// A sentence that matched.
    Quote,
    /// The subject of a notice.
    Subject,
    /// Anything else.
    Plain,
}

impl Role {
    /// Where room is short, the least is served first.
    pub(super) fn rank(self) -> u8 {
        match self {
            Self::Headline => 0,
            Self::Heading => 1,
            Self::Update => 2,
            Self::Quote | Self::Subject | Self::Plain => 3,
        }
    }
}

/// A run of text that is a hit, or is not. No part of it calls anybody or is
/// taken for a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::deliver::channel) struct Run {
    pub(in crate::deliver::channel) text: String,
    pub(in crate::deliver::channel) hit: bool,
}

/// A line of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::deliver::channel) struct Paragraph {
    pub(in crate::deliver::channel) role: Role,
    pub(in crate::deliver::channel) runs: Vec<Run>,
    /// Where it leads; `http:` or `https:`, all ASCII.
    pub(in crate::deliver::channel) link: Option<String>,
}

/// A message in paragraphs, and what services want to know besides.
#[derive(Clone, Debug)]
pub(in crate::deliver::channel) struct Telling {
    /// The delivery's id, the same at every attempt.
    pub(super) delivery: DeliveryId,
    /// The same for a rule and story, updates included.
    pub(super) alert: String,
    pub(super) rule: String,
    pub(super) rule_title: String,
    pub(super) severity: &'static str,
    pub(super) event: &'static str,
    pub(super) time: String,
    pub(super) title: String,
    pub(super) link: Option<String>,
    pub(super) outlets: String,
    pub(super) paragraphs: Vec<Paragraph>,
}

impl Telling {
    /// `repeated` when an earlier attempt may have arrived.
    pub(in crate::deliver::channel) fn of(
        message: &Message,
        delivery: &DeliveryId,
        repeated: bool,
    ) -> Self {
        let paragraphs = match (&message.notices, &message.digest) {
            (Some(_), _) => notices(message, repeated),
            (None, Some(digest)) => several(message, digest, repeated),
            (None, None) => news(message, repeated),
        };
        Self {
            delivery: delivery.clone(),
            alert: message.alert.clone(),
            rule: message.rule.clone(),
            rule_title: message.rule_title.clone(),
            severity: message.severity,
            event: message.event(),
            time: message.time(),
            title: message.title.text(),
            link: message.url.clone(),
            outlets: message.outlet_names(),
            paragraphs,
        }
    }

    /// All of it.
    pub(in crate::deliver::channel) fn paragraphs(&self) -> &[Paragraph] {
        &self.paragraphs
    }

    /// The paragraphs of these roles.
    pub(super) fn only(&self, wanted: impl Fn(Role) -> bool) -> Vec<Paragraph> {
        self.paragraphs.iter().filter(|one| wanted(one.role)).cloned().collect()
    }
}

fn heading(message: &Message, repeated: bool) -> Paragraph {
    let severity = match message.severity {
        "normal" => String::new(),
        other => format!(" ({other})"),
    };
    let mark = if repeated { " (may be repeated)" } else { "" };
    plain(Role::Heading, &format!("{}{severity}{mark}", message.rule_title))
}

fn headline(message: &Message) -> Paragraph {
    let mut runs = runs(&message.title);
    if runs.iter().all(|run| run.text.trim().is_empty()) {
        runs = vec![run("(no headline)", false)];
    }
    let runs = super::fit::cut_runs(&runs, MAX_HEADLINE, &|text| text.chars().count(), 0);
    Paragraph { role: Role::Headline, runs, link: message.url.clone() }
}

fn news(message: &Message, repeated: bool) -> Vec<Paragraph> {
    let mut all = vec![heading(message, repeated)];
    if let Some(update) = &message.update {
        let text = format!("Update: {} ({}: {})", update.text, update.outlet, update.title);
        let link = update.url.clone().filter(|url| message.url.as_ref() != Some(url));
        all.push(Paragraph { link, ..plain(Role::Update, &text) });
    }
    all.push(headline(message));
    if !message.headline_only {
        all.extend(message.sentences.iter().map(|sentence| Paragraph {
            role: Role::Quote,
            runs: runs(sentence),
            link: None,
        }));
    }
    let outlets = message.outlet_names();
    if !outlets.is_empty() {
        all.push(plain(Role::Plain, &outlets));
    }
    if message.capitals_only {
        let doubt = "Doubtful: it matched by capitals alone, in a headline all in capitals";
        all.push(plain(Role::Plain, doubt));
    }
    all
}

fn notices(message: &Message, repeated: bool) -> Vec<Paragraph> {
    let mut all = vec![heading(message, repeated), headline(message)];
    let lines = message.notices.iter().flatten();
    let single = message.outlets_total == 1;
    for notice in lines {
        // Of a single notice the headline is the subject.
        if !single {
            all.push(plain(Role::Subject, &notice.subject));
        }
        all.push(plain(Role::Plain, &notice.text));
    }
    all
}

/// A digest: the rules, and under each its headlines with their links.
fn several(message: &Message, digest: &Digest, repeated: bool) -> Vec<Paragraph> {
    let mut all = vec![heading(message, repeated), headline(message)];
    if !digest.reason.is_empty() {
        all.push(plain(Role::Plain, &digest.reason));
    }
    for rule in &digest.rules {
        all.push(plain(Role::Subject, &rule.title));
        for line in &rule.lines {
            let news = line.news.as_ref().map_or_else(String::new, |news| format!(" ({news})"));
            let text = match line.outlets.as_str() {
                "" => format!("{}{news}", line.title),
                outlets => format!("{}{news}, {outlets}", line.title),
            };
            all.push(Paragraph { link: line.url.clone(), ..plain(Role::Plain, &text) });
        }
    }
    let hidden = digest.total.saturating_sub(digest.shown());
    if hidden > 0 {
        all.push(plain(Role::Plain, &format!("and {hidden} more; `wirewatch alerts` lists all")));
    }
    all
}

fn plain(role: Role, text: &str) -> Paragraph {
    Paragraph { role, runs: vec![run(text, false)], link: None }
}

fn runs(sentence: &Sentence) -> Vec<Run> {
    sentence.runs().filter(|(text, _)| !text.is_empty()).map(|(text, hit)| run(text, hit)).collect()
}

fn run(text: &str, hit: bool) -> Run {
    // A mark before or after a space would be shown instead of meant.
    Run { text: disarmed(text), hit: hit && text.trim() == text }
}

/// A text in which no service sees a name to call or an address to link: an
/// empty space stands after "@" and within "://", wherever a run may end.
fn disarmed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(c);
        let next = chars.peek();
        if c == '@' || (c == ':' && next.is_none_or(|next| *next == '/')) {
            out.push('\u{200b}');
        }
    }
    out
}

/// A text for services that neither call nor link: as it is, on one line.
pub(super) fn bare(text: &str, max: usize) -> String {
    one_line(text, max)
}
