//! `[terms]` and `[rule.*]` as values, with the rules' own tests run.

use jiff::SignedDuration;

use super::document::{Document, Named, label};
use super::fields::{Fields, Text};
use super::fulltext;
use super::problem::{did_you_mean, quoted};
use super::source::Findings;
use crate::model::{ChannelName, FeedName, Fulltext, OnUpdate, RuleName, Severity};
use crate::rule::{Compiled, Lists, Rule, SyntaxError};

/// A rule, and what is done when it matches.
#[derive(Clone, Debug)]
pub struct RuleConfig {
    /// The rule's name for people.
    pub title: String,
    /// How urgent its alerts are.
    pub severity: Severity,
    /// Who is told; nobody when empty.
    pub channels: Vec<ChannelName>,
    /// Independent sources that a story must have before it is told.
    pub min_sources: u32,
    /// What is told again of a story that was told.
    pub on_update: OnUpdate,
    /// How often an unacknowledged alert is told again, and how many times.
    pub repeat: Option<(SignedDuration, u32)>,
    /// After how long an unacknowledged alert is told others, and whom.
    pub escalate: Option<(SignedDuration, Vec<ChannelName>)>,
    /// Headlines that it must match.
    pub matches: Vec<String>,
    /// Headlines that it must not match.
    pub ignores: Vec<String>,
    /// Whether it wants pages read, if it says.
    pub fulltext: Option<Fulltext>,
    /// What the feed's own text must satisfy for that.
    pub fulltext_if: Option<Compiled>,
    /// The rule itself.
    pub rule: Rule,
}

/// The names that rules may refer to; `None` when any name will do.
#[derive(Clone, Default)]
pub(super) struct Names {
    pub(super) feeds: Option<Vec<String>>,
    pub(super) channels: Option<Vec<String>>,
}

/// The rules, in the order of the files.
pub(super) fn rules(
    document: &Document,
    names: &Names,
    findings: &mut Findings,
) -> Vec<RuleConfig> {
    let (lists, broken) = lists(&document.terms, findings);
    let mut rules = Vec::new();
    for named in &document.rules {
        let label = label("rule", &named.name);
        if names.channels.is_some() {
            named.fields.require(&label, findings);
        } else if !named.fields.is_meant("match") && !findings.incomplete {
            let message = format!("{label}: \"match\" is missing");
            findings.error(&named.fields.at, message, None);
        }
        let reader = RuleReader { label, named, names };
        rules.extend(reader.read(&lists, &broken, findings));
    }
    if document.rules.is_empty() && !findings.has_errors() {
        findings.warn_all("there are no rules", "add a table [rule.NAME] with match and channels");
    }
    rules
}

/// Reads the lists; also says which of them are broken.
fn lists(terms: &[(String, Text)], findings: &mut Findings) -> (Lists, Vec<String>) {
    let texts: Vec<(String, String)> =
        terms.iter().map(|(name, text)| (name.clone(), text.text.clone())).collect();
    let (lists, errors) = Lists::parse(&texts);
    let place = |name: &str| terms.iter().find(|(other, _)| other == name).map(|(_, text)| text);
    let mut broken = Vec::new();
    for (name, error) in errors {
        if let Some(text) = place(&name)
            && !is_echo(&text.text, &broken, findings.incomplete)
        {
            let at = findings.inside(&text.at, error.span);
            let message = format!("{}: {}", label("list", &name), error.message);
            findings.error(&at, message, error.hint);
        }
        broken.push(name);
    }
    for (name, warning) in lists.warnings() {
        if let Some(text) = place(name) {
            let at = findings.inside(&text.at, warning.span.clone());
            let message = format!("{}: {}", label("list", name), warning.message);
            findings.warn(&at, message, warning.hint.clone());
        }
    }
    (lists, broken)
}

/// Whether an expression uses a list that is broken, or may be out of sight:
/// what is wrong with it then is most likely not its own fault.
fn is_echo(expression: &str, broken: &[String], incomplete: bool) -> bool {
    let uses = |name: &String| {
        expression.match_indices(&format!("@{name}")).any(|(at, found)| {
            let rest = &expression[at + found.len()..];
            !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '-')
        })
    };
    (incomplete && expression.contains('@')) || broken.iter().any(uses)
}

fn plain(texts: &[Text]) -> Vec<String> {
    texts.iter().map(|text| text.text.clone()).collect()
}

struct RuleReader<'a> {
    label: String,
    named: &'a Named,
    names: &'a Names,
}

impl RuleReader<'_> {
    fn fields(&self) -> &Fields {
        &self.named.fields
    }

    fn read(
        &self,
        lists: &Lists,
        broken: &[String],
        findings: &mut Findings,
    ) -> Option<RuleConfig> {
        let channels = self.known("channels", "channel", self.names.channels.as_ref(), findings);
        let escalate_to =
            self.known("escalate_to", "channel", self.names.channels.as_ref(), findings);
        let feeds = self.known("feeds", "feed", self.names.feeds.as_ref(), findings);
        let languages = self.languages(findings);
        let has_filter = !feeds.is_empty() || !languages.is_empty();
        self.report_idle(findings);
        let expression = self.fields().text("match")?;
        if is_echo(&expression.text, broken, findings.incomplete) {
            return None;
        }
        let fulltext_if = self.fulltext_if(lists, broken, findings);
        let compiled = self.compile(&expression, lists, has_filter, findings)?;
        self.run_examples(&compiled, findings);
        let severity = self.fields().text("severity");
        let on_update = self.fields().text("on_update");
        let name = self.named.name.as_str();
        let feeds: Vec<FeedName> = feeds.into_iter().map(FeedName::new).collect();
        Some(RuleConfig {
            title: self.fields().text("name").map_or_else(|| name.to_owned(), |name| name.text),
            severity: severity.and_then(|word| Severity::from_word(&word.text)).unwrap_or_default(),
            channels: channels.into_iter().map(ChannelName::new).collect(),
            min_sources: self.fields().count("min_sources") as u32,
            on_update: on_update
                .and_then(|word| OnUpdate::from_word(&word.text))
                .unwrap_or_default(),
            repeat: self
                .fields()
                .duration("repeat_every")
                .map(|every| (every, self.fields().count("repeat_times") as u32)),
            escalate: self.escalation(escalate_to),
            fulltext: fulltext::mode(self.fields()),
            fulltext_if,
            matches: plain(&self.fields().texts("matches")),
            ignores: plain(&self.fields().texts("ignores")),
            rule: Rule {
                name: RuleName::new(name),
                compiled,
                feeds: (!feeds.is_empty()).then_some(feeds),
                languages,
            },
        })
    }

    fn fulltext_if(
        &self,
        lists: &Lists,
        broken: &[String],
        findings: &mut Findings,
    ) -> Option<Compiled> {
        let gate = self.fields().text("fulltext_if")?;
        if is_echo(&gate.text, broken, findings.incomplete) {
            return None;
        }
        self.compile(&gate, lists, true, findings)
    }

    /// Keys that do nothing without another one.
    fn report_idle(&self, findings: &mut Findings) {
        for (key, needed) in [("repeat_times", "repeat_every"), ("escalate_after", "escalate_to")] {
            if self.fields().is_given(key) && !self.fields().is_meant(needed) {
                let message = format!("{}: \"{key}\" does nothing without {needed}", self.label);
                findings.warn(self.fields().place(key), message, None);
            }
        }
    }

    fn escalation(&self, to: Vec<String>) -> Option<(SignedDuration, Vec<ChannelName>)> {
        let after = self.fields().duration("escalate_after")?;
        (!to.is_empty()).then(|| (after, to.into_iter().map(ChannelName::new).collect()))
    }

    /// A list of names, each once, of which every one must be known.
    fn known(
        &self,
        key: &str,
        kind: &str,
        known: Option<&Vec<String>>,
        findings: &mut Findings,
    ) -> Vec<String> {
        let mut names = Vec::new();
        for name in self.fields().texts(key) {
            // When a file could not be read, the name may be defined there.
            if let Some(known) = known
                && !known.contains(&name.text)
                && !findings.incomplete
            {
                let message = format!("{}: no {kind} is named {}", self.label, quoted(&name.text));
                let hint =
                    did_you_mean(&name.text, known.iter().map(String::as_str)).or_else(|| {
                        (!known.is_empty()).then(|| format!("{kind}s here: {}", some(known)))
                    });
                findings.error(&name.at, message, hint);
            }
            if !names.contains(&name.text) {
                names.push(name.text);
            }
        }
        names
    }

    fn languages(&self, findings: &mut Findings) -> Vec<String> {
        let mut languages = Vec::new();
        for language in self.fields().texts("languages") {
            let tag = language.text.to_ascii_lowercase();
            let mut parts = tag.split('-');
            let primary = parts.next().unwrap_or_default();
            let is_tag = (2..=3).contains(&primary.len())
                && primary.chars().all(|c| c.is_ascii_lowercase())
                && parts.all(|part| {
                    (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric())
                });
            if !is_tag {
                let message = format!("{}: no language tag: {}", self.label, quoted(&tag));
                let hint = "write for example \"en\", \"fr\" or \"zh\"".to_owned();
                findings.error(&language.at, message, Some(hint));
            }
            languages.push(tag);
        }
        languages
    }

    fn compile(
        &self,
        expression: &Text,
        lists: &Lists,
        has_filter: bool,
        findings: &mut Findings,
    ) -> Option<Compiled> {
        let place = |findings: &mut Findings, error: &SyntaxError| {
            findings.inside(&expression.at, error.span.clone())
        };
        match Compiled::new(&expression.text, lists, has_filter) {
            Ok((compiled, warnings)) => {
                for warning in warnings {
                    let at = place(findings, &warning);
                    let message = format!("{}: {}", self.label, warning.message);
                    findings.warn(&at, message, warning.hint);
                }
                Some(compiled)
            }
            Err(errors) => {
                for error in errors {
                    let at = place(findings, &error);
                    let message = format!("{}: {}", self.label, error.message);
                    findings.error(&at, message, error.hint);
                }
                None
            }
        }
    }

    fn run_examples(&self, compiled: &Compiled, findings: &mut Findings) {
        let (matches, ignores) = (self.fields().texts("matches"), self.fields().texts("ignores"));
        for failure in compiled.check_examples(&plain(&matches), &plain(&ignores)) {
            let (list, verdict) = match failure.expected_match {
                true => (&matches, "does not match, but should"),
                false => (&ignores, "matches, but should not"),
            };
            if let Some(example) = list.get(failure.index) {
                let message = format!("{}: this example {verdict}", self.label);
                findings.error(&example.at, message, Some(failure.reason));
            }
        }
    }
}

/// The first few names, for a hint.
fn some(names: &[String]) -> String {
    const ENOUGH: usize = 8;
    let mut text = names.iter().take(ENOUGH).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > ENOUGH {
        text.push_str(", …");
    }
    text
}
