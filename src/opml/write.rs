//! Writing OPML 2.0 (<http://opml.org/spec2.opml>).

use std::collections::BTreeMap;

use super::Outline;

/// Folders by name, with the feeds that stand in them.
#[derive(Default)]
struct Folder<'a> {
    folders: BTreeMap<&'a str, Folder<'a>>,
    feeds: Vec<&'a Outline>,
}

/// Writes a list with folders. A feed stands in the first of its groups; the
/// others and its tags are its categories.
pub fn write(title: &str, feeds: &[Outline]) -> String {
    let mut root = Folder::default();
    for feed in feeds {
        let mut folder = &mut root;
        for name in feed.groups.first().into_iter().flat_map(|group| group.split('/')) {
            folder = folder.folders.entry(name).or_default();
        }
        folder.feeds.push(feed);
    }
    let title = escape(title);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\">\n  \
         <head>\n    <title>{title}</title>\n  </head>\n  <body>\n"
    );
    push(&mut text, &root, 2);
    text.push_str("  </body>\n</opml>\n");
    text
}

/// Folders lie as deep as the configuration allows, which is bounded.
fn push(text: &mut String, folder: &Folder<'_>, depth: usize) {
    let indent = "  ".repeat(depth);
    for (name, inner) in &folder.folders {
        let name = escape(name);
        text.push_str(&format!("{indent}<outline text=\"{name}\" title=\"{name}\">\n"));
        push(text, inner, depth + 1);
        text.push_str(&format!("{indent}</outline>\n"));
    }
    for feed in &folder.feeds {
        push_feed(text, feed, &indent);
    }
}

fn push_feed(text: &mut String, feed: &Outline, indent: &str) {
    let url = escape(&feed.url);
    let title = escape(feed.title.as_deref().unwrap_or(&feed.url));
    text.push_str(&format!("{indent}<outline type=\"rss\" text=\"{title}\""));
    if feed.title.is_some() {
        text.push_str(&format!(" title=\"{title}\""));
    }
    let further = feed.groups.iter().skip(1).map(|group| format!("/{group}"));
    let categories: Vec<String> =
        further.chain(feed.tags.iter().map(|tag| tag.replace([',', '/'], " "))).collect();
    if !categories.is_empty() {
        text.push_str(&format!(" category=\"{}\"", escape(&categories.join(","))));
    }
    text.push_str(&format!(" xmlUrl=\"{url}\"/>\n"));
}

/// Escapes what an attribute cannot hold, and leaves out what XML 1.0 cannot.
fn escape(text: &str) -> String {
    let allowed: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}'))
        .collect();
    quick_xml::escape::escape(&allowed).into_owned()
}
