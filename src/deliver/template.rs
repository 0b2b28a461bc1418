//! Templates of messages: ours, and the user's in their place. A template
//! sees values, never itself in a value: story text is data only.

use std::str::FromStr;

use jiff::Timestamp;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, HtmlEscape, State};
use minijinja::{UndefinedBehavior, Value};

use super::message::{Message, Shape};
use crate::model::{
    AlertContent, AlertId, Field, Outlet, Role, RuleName, Severity, Span, StoryId, UpdateContent,
    UpdateId,
};

/// Bounds the work of one rendering; ours need less than a hundredth.
const FUEL: u64 = 500_000;

/// The user's own templates, as source text; ours stand in for missing ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Templates {
    /// Subject of a mail.
    pub subject: Option<String>,
    /// Plain part of a mail.
    pub text: Option<String>,
    /// HTML part of a mail.
    pub html: Option<String>,
    /// Body of a webhook.
    pub body: Option<String>,
}

/// What a template makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateKind {
    /// A block on the console.
    Console,
    /// Subject of a mail.
    EmailSubject,
    /// Plain part of a mail.
    EmailText,
    /// HTML part of a mail.
    EmailHtml,
    /// Body of a webhook.
    WebhookBody,
}

impl TemplateKind {
    /// The name's ending chooses how values are escaped.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Console => ("console.txt", "own/console.txt"),
            Self::EmailSubject => ("email_subject.txt", "own/email_subject.txt"),
            Self::EmailText => ("email.txt", "own/email.txt"),
            Self::EmailHtml => ("email.html", "own/email.html"),
            Self::WebhookBody => ("webhook.json", "own/webhook.json"),
        }
    }

    fn built_in(self) -> &'static str {
        match self {
            Self::Console => include_str!("templates/console.txt"),
            Self::EmailSubject => include_str!("templates/email_subject.txt"),
            Self::EmailText => include_str!("templates/email.txt"),
            Self::EmailHtml => include_str!("templates/email.html"),
            Self::WebhookBody => include_str!("templates/webhook.json"),
        }
    }

    /// The same for several alerts at once, which users do not template.
    fn for_digests(self) -> (&'static str, &'static str) {
        const TEXT: &str = include_str!("templates/digest.txt");
        match self {
            Self::Console | Self::EmailText => ("digest.txt", TEXT),
            Self::EmailSubject => {
                ("digest_subject.txt", include_str!("templates/digest_subject.txt"))
            }
            Self::EmailHtml => ("digest.html", include_str!("templates/digest.html")),
            Self::WebhookBody => ("digest.json", include_str!("templates/digest.json")),
        }
    }

    /// The same for word about feeds.
    fn for_notices(self) -> (&'static str, &'static str) {
        const TEXT: &str = include_str!("templates/notice.txt");
        match self {
            Self::Console | Self::EmailText => ("notice.txt", TEXT),
            Self::EmailSubject => {
                ("notice_subject.txt", include_str!("templates/notice_subject.txt"))
            }
            Self::EmailHtml => ("notice.html", include_str!("templates/notice.html")),
            Self::WebhookBody => ("notice.json", include_str!("templates/notice.json")),
        }
    }
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// The line of the template, from 1, where one is known.
    pub line: Option<usize>,
    /// What is wrong, for people.
    pub message: String,
}

impl From<Error> for TemplateError {
    fn from(error: Error) -> Self {
        let message = match error.detail() {
            Some(detail) => format!("{}: {detail}", error.kind()),
            None => error.kind().to_string(),
        };
        Self { line: error.line(), message }
    }
}

/// Checks a template of the user's by rendering it: for a story with all there
/// can be, and for one with as little as there can be.
///
/// # Errors
///
/// When the template cannot be read, fails, makes nothing, or makes something
/// that is not JSON where it must be.
pub fn check_template(kind: TemplateKind, source: &str) -> Result<(), TemplateError> {
    let mut renderer = Renderer::new(&[], Marks::Quotes)?;
    renderer.replace(kind, source)?;
    for content in [full_sample(), update_sample(), bare_sample()] {
        renderer.render_own(kind, &Message::new(&content))?;
    }
    Ok(())
}

/// How hits stand out where there is no markup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marks {
    /// «like this».
    Quotes,
    /// With the colours of a terminal.
    Ansi,
}

/// Templates ready to be rendered.
#[derive(Debug)]
pub(super) struct Renderer {
    environment: Environment<'static>,
}

impl Renderer {
    /// Prepares our own templates of these kinds.
    pub(super) fn new(kinds: &[TemplateKind], marks: Marks) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(TemplateError::from)?);
        environment
            .add_filter("marked", move |state: &State, parts: Value| marked(state, &parts, marks));
        environment.add_filter("strong", move |text: String| match marks {
            Marks::Quotes => text,
            Marks::Ansi => painted(anstyle::Style::new().bold(), &text),
        });
        environment.add_filter("datetime", datetime);
        for kind in kinds {
            environment.add_template(kind.names().0, kind.built_in())?;
            for (name, source) in [kind.for_notices(), kind.for_digests()] {
                environment.add_template(name, source)?;
            }
        }
        Ok(Self { environment })
    }

    /// Puts a template of the user's before ours.
    pub(super) fn replace(
        &mut self,
        kind: TemplateKind,
        source: &str,
    ) -> Result<(), TemplateError> {
        Ok(self.environment.add_template_owned(kind.names().1, source.to_owned())?)
    }

    /// Renders the user's template, or ours if that fails: a message that
    /// looks other than wished for is better than none.
    pub(super) fn render(
        &self,
        kind: TemplateKind,
        message: &Message,
    ) -> Result<String, TemplateError> {
        if message.shape() == Shape::Alert && self.environment.get_template(kind.names().1).is_ok()
        {
            match self.render_own(kind, message) {
                Ok(text) => return Ok(text),
                Err(error) => tracing::warn!(
                    template = kind.names().0,
                    alert.id = message.alert,
                    line = error.line,
                    "template failed, using the built-in one: {error}"
                ),
            }
        }
        self.render_built_in(kind, message)
    }

    pub(super) fn render_built_in(
        &self,
        kind: TemplateKind,
        message: &Message,
    ) -> Result<String, TemplateError> {
        let name = match message.shape() {
            Shape::Alert => kind.names().0,
            Shape::Notices => kind.for_notices().0,
            Shape::Digest => kind.for_digests().0,
        };
        accepted(kind, self.environment.get_template(name)?.render(message.context())?)
    }

    fn render_own(&self, kind: TemplateKind, message: &Message) -> Result<String, TemplateError> {
        accepted(kind, self.environment.get_template(kind.names().1)?.render(message.context())?)
    }
}

/// Refuses what no receiver could use; JSON is brought into its short form.
fn accepted(kind: TemplateKind, text: String) -> Result<String, TemplateError> {
    let bad = |line, message| TemplateError { line, message };
    if text.trim().is_empty() {
        return Err(bad(None, "the template makes an empty text".to_owned()));
    }
    if kind != TemplateKind::WebhookBody {
        return Ok(text);
    }
    let value = serde_json::Value::from_str(&text);
    value.map(|value| value.to_string()).map_err(|error| {
        bad(None, format!("the template does not make JSON: {error} of its result"))
    })
}

/// Joins the parts of a sentence and marks its hits.
fn marked(state: &State, parts: &Value, marks: Marks) -> Result<Value, Error> {
    let html = matches!(state.auto_escape(), AutoEscape::Html);
    let mut text = String::new();
    for part in parts.try_iter()? {
        let words = part.get_attr("text")?;
        let words = words.as_str().ok_or_else(|| {
            Error::new(ErrorKind::InvalidOperation, "marked wants the parts of a sentence")
        })?;
        match (part.get_attr("hit")?.is_true(), html, marks) {
            (false, false, _) => text.push_str(words),
            (false, true, _) => text.push_str(&HtmlEscape(words).to_string()),
            (true, true, _) => text.push_str(&format!("<mark>{}</mark>", HtmlEscape(words))),
            (true, false, Marks::Quotes) => text.push_str(&format!("«{words}»")),
            (true, false, Marks::Ansi) => text.push_str(&painted(hit_style(), words)),
        }
    }
    Ok(if html { Value::from_safe_string(text) } else { Value::from(text) })
}

fn hit_style() -> anstyle::Style {
    anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Yellow.into()))
}

fn painted(style: anstyle::Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// A time as people read it; the zone is always named.
fn datetime(text: String) -> Result<String, Error> {
    let time: Timestamp = text
        .parse()
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, "datetime wants a time"))?;
    Ok(time.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// A story with everything that can be there.
fn full_sample() -> AlertContent {
    let time = Timestamp::UNIX_EPOCH;
    let url = Some("https://example.org/news?a=1&b=2".to_owned());
    let outlet = |name: &str| Outlet {
        feed: name.to_lowercase(),
        name: name.to_owned(),
        url: url.clone(),
        published: Some(time),
        first_seen: time,
    };
    AlertContent {
        capitals_only: false,
        severity: Severity::High,
        title: "Sample \"headline\" <of> a story".to_owned(),
        text: "A first sentence. The second one matched.\n".to_owned(),
        published: Some(time),
        spans: vec![
            Span { field: Field::Title, start: 0, end: 6 },
            Span { field: Field::Text, start: 22, end: 28 },
        ],
        outlets: vec![outlet("First"), outlet("Second"), outlet("Third")],
        url: url.clone(),
        ..bare_sample()
    }
}

/// A story with as little as there can be.
fn bare_sample() -> AlertContent {
    AlertContent {
        capitals_only: false,
        alert: AlertId::new("a0000000000000000"),
        rule: RuleName::new("sample"),
        rule_title: "Sample rule".to_owned(),
        severity: Severity::Normal,
        story: StoryId::new("s0000000000000000"),
        title: "Sample".to_owned(),
        text: String::new(),
        url: None,
        published: None,
        created_at: Timestamp::UNIX_EPOCH,
        spans: Vec::new(),
        outlets: Vec::new(),
        role: Role::Alert,
        update: None,
    }
}

/// News of a story that was told.
fn update_sample() -> AlertContent {
    let update = UpdateContent {
        id: UpdateId::new("u0000000000000000"),
        kind: "number".to_owned(),
        text: "a number changed: 3 → 5".to_owned(),
        at: Timestamp::UNIX_EPOCH,
        sources: 2,
        title: "Sample with another number".to_owned(),
        url: None,
        outlet: "Second".to_owned(),
    };
    AlertContent { update: Some(update), ..full_sample() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::message::tests::content;

    const ALL: [TemplateKind; 5] = [
        TemplateKind::Console,
        TemplateKind::EmailSubject,
        TemplateKind::EmailText,
        TemplateKind::EmailHtml,
        TemplateKind::WebhookBody,
    ];

    fn render(kind: TemplateKind, own: Option<&str>, content: &AlertContent) -> String {
        let mut renderer = Renderer::new(&ALL, Marks::Quotes).unwrap();
        if let Some(source) = own {
            renderer.replace(kind, source).unwrap();
        }
        renderer.render(kind, &Message::new(content)).unwrap()
    }

    #[test]
    fn our_own_templates_pass_the_check() {
        for kind in ALL {
            assert_eq!(check_template(kind, kind.built_in()), Ok(()), "{kind:?}");
        }
    }

    #[test]
    fn the_check_says_what_is_wrong_and_where() {
        let check = |kind, source: &str, line: Option<usize>, part: &str| {
            let error = check_template(kind, source).unwrap_err();
            assert_eq!(error.line, line, "{source}: {error}");
            assert!(error.message.contains(part), "{source}: {error}");
        };
        let text = TemplateKind::EmailText;
        check(text, "a\n{% if %}", Some(2), "syntax error");
        check(text, "a\nb\n{{ titel }}", Some(3), "undefined value");
        check(text, "{{ url.host }}", Some(1), "undefined value");
        check(text, "{{ title|shout }}", Some(1), "unknown filter");
        check(text, "{{ created_at|marked }}", Some(1), "");
        check(text, "{% if url %}{{ url }}{% endif %}", None, "empty text");
        check(
            text,
            "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}",
            Some(1),
            "fuel",
        );
        let body = TemplateKind::WebhookBody;
        check(body, "{\"text\": \"{{ title }}\"}", None, "not make JSON");
        check(body, "{\"text\": }", None, "not make JSON");
        assert_eq!(check_template(body, "{\"text\": {{ title }}, \"n\": [1, 2]}"), Ok(()));
        assert_eq!(check_template(body, "{\"text\": {{ title|tojson }}}"), Ok(()));
    }

    #[test]
    fn a_template_that_fails_later_gives_way_to_ours() {
        let own = "{{ published|datetime }}";
        let kind = TemplateKind::EmailSubject;
        assert_eq!(render(kind, Some(own), &content()), "2026-03-01 09:30 UTC");
        let undated = AlertContent { published: None, ..content() };
        assert_eq!(render(kind, Some(own), &undated), render(kind, None, &undated));
    }

    #[test]
    fn story_text_is_data_only() {
        let hostile = AlertContent {
            title: "{{ 7*7 }} {% raw %} <script>alert(1)</script>\r\nBcc: x\u{202e}".to_owned(),
            text: "\"quotes\" & {{ rule }} </mark><img src=x onerror=y> \\u0041 hit.".to_owned(),
            spans: vec![Span { field: Field::Text, start: 0, end: 8 }],
            url: Some("javascript:alert(1)".to_owned()),
            ..content()
        };
        for kind in ALL {
            let text = render(kind, None, &hostile);
            assert!(text.contains("{{ 7*7 }} {% raw %}"), "{kind:?}: {text}");
            assert!(!text.contains("javascript:") && !text.contains('\r'), "{kind:?}: {text}");
            assert!(!text.contains('\u{202e}'), "{kind:?}: {text}");
        }
        let html = render(TemplateKind::EmailHtml, None, &hostile);
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
        assert!(html.contains("<mark>&quot;quotes&quot;</mark>"), "{html}");
        let json: serde_json::Value =
            serde_json::from_str(&render(TemplateKind::WebhookBody, None, &hostile)).unwrap();
        assert_eq!(json["data"]["title"], "{{ 7*7 }} {% raw %} <script>alert(1)</script>  Bcc: x");
        assert_eq!(json["data"]["url"], serde_json::Value::Null);
    }
}
