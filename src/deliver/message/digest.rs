//! Several alerts as one message shows them: by rule, the most urgent first.

use jiff::Timestamp;
use minijinja::{Value, context};

use super::sentence::{self, Sentence};
use super::{MAX_NAME, MAX_TITLE, optional, rfc3339, web_link};
use crate::deliver::text::one_line;
use crate::model::{AlertContent, DigestContent, Field, Role};

/// What a digest says, cut to size.
#[derive(Clone, Debug)]
pub(in crate::deliver) struct Digest {
    /// `digest`, `quiet`, `storm` or `rule:NAME`.
    key: String,
    pub(in crate::deliver) reason: String,
    pub(in crate::deliver) rules: Vec<RuleLines>,
    pub(in crate::deliver) total: usize,
}

/// The alerts of one rule.
#[derive(Clone, Debug)]
pub(in crate::deliver) struct RuleLines {
    pub(in crate::deliver) title: String,
    rule: String,
    pub(in crate::deliver) lines: Vec<Line>,
}

/// One alert.
#[derive(Clone, Debug)]
pub(in crate::deliver) struct Line {
    alert: String,
    story: String,
    severity: &'static str,
    pub(in crate::deliver) title: String,
    pub(in crate::deliver) url: Option<String>,
    sentence: Option<Sentence>,
    pub(in crate::deliver) outlets: String,
    at: Timestamp,
    /// `update: ...` where it is none of a new story.
    pub(in crate::deliver) news: Option<String>,
}

impl Digest {
    pub(super) fn new(content: &DigestContent) -> Self {
        let mut alerts: Vec<&AlertContent> = content.alerts.iter().collect();
        alerts.sort_by_key(|alert| std::cmp::Reverse(alert.severity));
        let mut rules: Vec<RuleLines> = Vec::new();
        for alert in alerts {
            let line = line(alert);
            match rules.iter_mut().find(|rule| rule.rule == alert.rule.as_str()) {
                Some(rule) => rule.lines.push(line),
                None => rules.push(RuleLines {
                    title: one_line(&alert.rule_title, MAX_NAME),
                    rule: alert.rule.to_string(),
                    lines: vec![line],
                }),
            }
        }
        Self {
            key: content.key.clone(),
            reason: one_line(&content.reason, MAX_TITLE),
            rules,
            total: content.total,
        }
    }

    /// Alerts that are shown.
    pub(in crate::deliver) fn shown(&self) -> usize {
        self.rules.iter().map(|rule| rule.lines.len()).sum()
    }

    /// Keeps the first lines of each rule, no more than so many in all.
    pub(super) fn keep(&mut self, most: usize) {
        let mut left = most;
        for rule in &mut self.rules {
            rule.lines.truncate(left);
            left = left.saturating_sub(rule.lines.len());
        }
        self.rules.retain(|rule| !rule.lines.is_empty());
    }

    /// Says of each alert no more than its headline.
    pub(super) fn shorten(&mut self) {
        for line in self.rules.iter_mut().flat_map(|rule| &mut rule.lines) {
            line.sentence = None;
        }
    }

    /// "12 alerts: 8 Naval encounters, 4 Sanctions".
    pub(super) fn subject(&self) -> String {
        let what = if self.key == "storm" { "storm, " } else { "" };
        let counts: Vec<String> =
            self.rules.iter().map(|rule| format!("{} {}", rule.lines.len(), rule.title)).collect();
        format!("{what}{} alerts: {}", self.total, counts.join(", "))
    }

    pub(super) fn context(&self) -> Value {
        let rules: Vec<Value> = self.rules.iter().map(RuleLines::context).collect();
        context! {
            key => &self.key,
            reason => &self.reason,
            rules => rules,
            total => self.total,
            shown => self.shown(),
        }
    }
}

impl RuleLines {
    fn context(&self) -> Value {
        let lines: Vec<Value> = self.lines.iter().map(Line::context).collect();
        context! { rule => &self.rule, title => &self.title, alerts => lines }
    }
}

impl Line {
    fn context(&self) -> Value {
        context! {
            alert => &self.alert,
            story => &self.story,
            severity => self.severity,
            title => &self.title,
            url => optional(self.url.as_deref()),
            sentence => self.sentence.as_ref().map_or(Value::from(()), Sentence::context),
            outlets => &self.outlets,
            at => rfc3339(self.at),
            news => optional(self.news.as_deref()),
        }
    }
}

fn line(alert: &AlertContent) -> Line {
    let in_text = sentence::ranges(alert, Field::Text);
    let news = match (&alert.update, alert.role) {
        (Some(update), _) => Some(format!("update: {}", one_line(&update.text, MAX_TITLE))),
        (None, Role::Repeat | Role::Escalation) => Some("not acknowledged yet".to_owned()),
        (None, Role::Reminder) => Some("a reminder".to_owned()),
        _ => None,
    };
    Line {
        alert: alert.alert.to_string(),
        story: alert.story.to_string(),
        severity: alert.severity.as_str(),
        title: one_line(&alert.title, MAX_TITLE),
        url: alert.url.as_deref().and_then(web_link),
        sentence: sentence::best(&alert.text, &in_text, 1).into_iter().next(),
        outlets: super::names(&alert.outlets),
        at: alert.created_at,
        news,
    }
}
