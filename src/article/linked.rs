//! JSON-LD (schema.org) in a page: the article as its publisher states it.

use serde_json::{Map, Value};

use super::tree;

/// Blocks that are read.
const MOST: usize = 30;
/// Largest block, in bytes.
const LARGEST: usize = 1 << 20;
/// How deep things may lie in each other.
const DEEPEST: usize = 8;

/// What the blocks say of the article.
#[derive(Debug, Default)]
pub(super) struct Linked {
    pub(super) body: Option<String>,
    pub(super) published: Option<String>,
    pub(super) authors: Vec<String>,
    pub(super) headline: Option<String>,
    /// Who publishes it.
    pub(super) publisher: Option<String>,
    /// `isAccessibleForFree` is false.
    pub(super) paid: bool,
}

/// Reads the blocks of a page.
pub(super) fn read(html: &str) -> Linked {
    let mut linked = Linked::default();
    for block in blocks(html) {
        walk(&block, 0, &mut |object| linked.note(object));
    }
    linked
}

impl Linked {
    fn note(&mut self, object: &Map<String, Value>) {
        let kind = object.get("@type").map(Value::to_string).unwrap_or_default();
        let is_article = ["Article", "Posting", "Report"].iter().any(|word| kind.contains(word));
        let text = |key: &str| object.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
        if let Some(body) = text("articleBody")
            && self.body.as_ref().is_none_or(|known| known.len() < body.len())
        {
            let body = if body.contains('<') {
                tree::fragment_lines(body)
            } else {
                tree::plain_lines(body)
            };
            self.body = Some(body);
        }
        if is_article || kind.contains("WebPage") {
            let free = object.get("isAccessibleForFree");
            self.paid |= free.is_some_and(|free| {
                free == &Value::Bool(false)
                    || free.as_str().is_some_and(|text| text.eq_ignore_ascii_case("false"))
            });
            if self.published.is_none() {
                self.published = text("datePublished").map(str::to_owned);
            }
        }
        if is_article {
            if self.headline.is_none() {
                self.headline = text("headline").map(str::to_owned);
            }
            if self.publisher.is_none() {
                let publisher = object.get("publisher").map(names).unwrap_or_default();
                self.publisher = publisher.into_iter().next();
            }
            if self.authors.is_empty() {
                self.authors = object.get("author").map(names).unwrap_or_default();
            }
        }
    }
}

/// The names of a person, or of several.
fn names(author: &Value) -> Vec<String> {
    if let Some(name) = author.as_str() {
        return vec![name.to_owned()];
    }
    let mut names = Vec::new();
    let shallow = DEEPEST - 2;
    walk(author, shallow, &mut |person| {
        names.extend(person.get("name").and_then(Value::as_str).map(str::to_owned));
    });
    names
}

fn blocks(html: &str) -> Vec<Value> {
    let lower = html.to_ascii_lowercase();
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(start) = lower[at..].find("<script").map(|start| at + start) {
        let Some(open) = lower[start..].find('>').map(|end| start + end + 1) else { break };
        let end = lower[open..].find("</script").map_or(lower.len(), |end| open + end);
        if lower[start..open].contains("ld+json")
            && end - open < LARGEST
            && let Ok(block) = serde_json::from_str(without_cdata(&html[open..end]))
        {
            found.push(block);
        }
        at = end.max(open);
        if found.len() >= MOST {
            break;
        }
    }
    found
}

/// A block without the marks that pages written as XML put around it.
fn without_cdata(block: &str) -> &str {
    fn bare(text: &str) -> &str {
        text.trim_matches(|c: char| c == '/' || c.is_whitespace())
    }
    let block = bare(block);
    let inner = block.strip_prefix("<![CDATA[").map(|rest| rest.trim_end_matches("]]>"));
    inner.map_or(block, bare)
}

fn walk<'a>(value: &'a Value, depth: usize, visit: &mut dyn FnMut(&'a Map<String, Value>)) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, depth + 1, visit)),
        Value::Object(object) => {
            visit(object);
            object.values().for_each(|item| walk(item, depth + 1, visit));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_xml_are_no_part_of_a_block() {
        let check = |block: &str| assert_eq!(without_cdata(block), "{}", "{block}");
        check(" {} ");
        check("<![CDATA[{}]]>");
        check("\n//<![CDATA[\n{}\n//]]>\n");
    }

    #[test]
    fn an_article_is_found_in_a_graph() {
        let linked = read(
            r#"<SCRIPT type="application/ld+json">{"@graph": [{"@type": "WebSite", "name": "N"},
            {"@type": ["NewsArticle"], "headline": "H", "datePublished": "2026-03-01T10:00:00Z",
             "author": [{"@type": "Person", "name": "A B"}, {"name": "C D"}],
             "isAccessibleForFree": "False", "articleBody": "<p>One</p><p>Two</p>"}]}</SCRIPT>
            <script type="application/ld+json">{ broken </script>"#,
        );
        assert_eq!(linked.headline.as_deref(), Some("H"));
        assert_eq!(linked.authors, ["A B", "C D"]);
        assert_eq!(linked.published.as_deref(), Some("2026-03-01T10:00:00Z"));
        assert_eq!(linked.body.as_deref(), Some("One\nTwo\n"));
        assert!(linked.paid);
    }
}
