//! What must hold for a mail as Python has read it.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;

use super::titles::{Item, bare, tells};

/// Each stands in the header once, and nothing else does.
const HEADERS: [&str; 12] = [
    "Auto-Submitted",
    "Content-Type",
    "Date",
    "From",
    "In-Reply-To",
    "List-Id",
    "Message-ID",
    "MIME-Version",
    "References",
    "Subject",
    "To",
    "X-Wirewatch-Rule",
];
/// What the HTML part may be made of: nothing that fetches, runs or sends.
const TAGS: [&str; 17] = [
    "html", "head", "meta", "title", "body", "h1", "p", "a", "mark", "ul", "li", "span", "br",
    "code", "strong", "em", "div",
];
const ATTRIBUTES: [&str; 3] = ["style", "href", "charset"];
/// A subject is cut to 200 characters. Two letters of a few accents each may go with the last one.
const LEAST_SUBJECT: usize = 170;
/// Of a headline 1,000 bytes are kept, which is fewer characters if they are wide.
const LEAST_TITLE: usize = 240;
const LEAST_NAME: usize = 95;

/// What Python's reader printed.
#[derive(Deserialize)]
pub(crate) struct Reading {
    pub(crate) reader: String,
    pub(crate) letters: Vec<Letter>,
}

/// One message.
#[derive(Deserialize)]
pub(crate) struct Letter {
    pub(crate) defects: Vec<String>,
    headers: Vec<(String, String)>,
    from: Vec<(String, String)>,
    to: Vec<(String, String)>,
    date: Option<String>,
    kind: String,
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    kind: String,
    charset: Option<String>,
    text: String,
    tags: Vec<(String, Vec<Attribute>)>,
    heading: String,
}

/// Name and value.
type Attribute = (String, Option<String>);

/// What a message is to say.
pub(crate) struct Expected<'a> {
    pub(crate) item: &'a Item,
    pub(crate) rule: &'a str,
    pub(crate) outlet: &'a str,
    pub(crate) from: (&'a str, &'a str),
    pub(crate) to: (&'a str, &'a str),
}

impl Letter {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    /// Whether this is the message about that item, by the link on a line of its own.
    pub(crate) fn is_about(&self, item: &Item) -> bool {
        self.text().lines().any(|line| line == item.link)
    }

    fn text(&self) -> &str {
        self.part("text/plain").map_or("", |part| part.text.as_str())
    }

    fn part(&self, kind: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.kind == kind)
    }

    /// What is wrong with it.
    pub(crate) fn faults(&self, expected: &Expected<'_>) -> Vec<String> {
        let mut faults: Vec<String> =
            self.defects.iter().map(|defect| format!("defect: {defect}")).collect();
        self.check_headers(&mut faults);
        self.check_people(expected, &mut faults);
        self.check_parts(&mut faults);
        self.check_words(expected, &mut faults);
        self.check_html(expected, &mut faults);
        faults
    }

    fn check_headers(&self, faults: &mut Vec<String>) {
        let mut counts: BTreeMap<String, usize> =
            HEADERS.iter().map(|name| (name.to_ascii_lowercase(), 0)).collect();
        for (name, _) in &self.headers {
            match counts.get_mut(&name.to_ascii_lowercase()) {
                Some(count) => *count += 1,
                None => faults.push(format!("a header of somebody else's: {name}")),
            }
        }
        for (name, count) in counts.iter().filter(|(_, count)| **count != 1) {
            faults.push(format!("header {name} stands there {count} times"));
        }
        if self.header("Auto-Submitted") != "auto-generated" {
            faults.push("header auto-submitted says something else".to_owned());
        }
        if self.date.is_none() {
            faults.push("header date is no date".to_owned());
        }
    }

    fn check_people(&self, expected: &Expected<'_>, faults: &mut Vec<String>) {
        let people = [("from", &self.from, expected.from), ("to", &self.to, expected.to)];
        for (header, found, (name, address)) in people {
            match found.as_slice() {
                [(shown, found)] if found == address && tells(shown, name, LEAST_NAME) => {}
                other => faults.push(format!("{header} names {other:?} for {name:?} <{address}>")),
            }
        }
    }

    fn check_parts(&self, faults: &mut Vec<String>) {
        let kinds: Vec<&str> = self.parts.iter().map(|part| part.kind.as_str()).collect();
        if self.kind != "multipart/alternative" || kinds != ["text/plain", "text/html"] {
            faults.push(format!("the parts are {} of {kinds:?}", self.kind));
        }
        for Part { kind, charset, .. } in &self.parts {
            if charset.as_deref() != Some("utf-8") {
                faults.push(format!("the charset of {kind} is {charset:?}"));
            }
        }
    }

    fn check_words(&self, expected: &Expected<'_>, faults: &mut Vec<String>) {
        let Expected { item, rule, outlet, .. } = *expected;
        let subject = format!("{rule}: {}", item.title);
        if !tells(self.header("Subject"), &subject, LEAST_SUBJECT) {
            faults.push(format!("the subject is {:?}", self.header("Subject")));
        }
        let headline = self.text().lines().next().unwrap_or_default();
        if !tells(headline, &item.title, LEAST_TITLE) {
            faults.push(format!("the text begins with {headline:?}"));
        }
        if !self.is_about(item) {
            faults.push("the link is not whole on a line of its own".to_owned());
        }
        let text = bare(self.text());
        for (what, name) in [("rule", rule), ("outlet", outlet)] {
            if !text.contains(&bare(name)) {
                faults.push(format!("the text does not name the {what} {name:?}"));
            }
        }
    }

    fn check_html(&self, expected: &Expected<'_>, faults: &mut Vec<String>) {
        let Some(part) = self.part("text/html") else { return };
        if !tells(&part.heading, &expected.item.title, LEAST_TITLE) {
            faults.push(format!("the headline in HTML is {:?}", part.heading));
        }
        let attributes = part.tags.iter().flat_map(|(_, attributes)| attributes);
        for (name, value) in attributes {
            let value = value.as_deref().unwrap_or_default();
            let is_fine = ATTRIBUTES.contains(&name.as_str())
                && !value.contains("url(")
                && (name != "href" || value == expected.item.link);
            if !is_fine {
                faults.push(format!("an attribute in HTML: {name}={value:?}"));
            }
        }
        let tags: HashSet<&str> = part.tags.iter().map(|(tag, _)| tag.as_str()).collect();
        for tag in tags.iter().filter(|tag| !TAGS.contains(tag)) {
            faults.push(format!("an element in HTML: {tag}"));
        }
    }
}
