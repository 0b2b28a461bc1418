//! What stands around the items: the feed's title, format, and its hints.

use jiff::SignedDuration;
use url::Url;

use super::entry::{author, base_of};
use super::names::Ns;
use super::repair::{Repair, Repairs};
use super::root::Root;
use super::text::{Text, cut, is_declared, link, names};
use super::tree::{Element, Tree};
use super::{MAX_TITLE, ParsedFeed, parse_date};
use crate::extract::one_line;
use crate::model::FeedHints;

/// Longest span that a feed's advice is believed for.
const MAX_SPAN: SignedDuration = SignedDuration::from_hours(24 * 366);
/// Hubs kept of a feed.
const MAX_HUBS: usize = 10;

/// Fills in what the elements around the items say.
pub(super) fn describe(
    tree: &Tree<'_>,
    root: Root,
    base: Option<&Url>,
    repairs: &mut Repairs,
) -> ParsedFeed {
    let Some(first) = tree.roots().next() else {
        let format = if root == Root::Atom { "Atom entry" } else { "RSS item" };
        return ParsedFeed { format: format.to_string(), ..ParsedFeed::default() };
    };
    let format = format(first, root, repairs);
    let feed = feed_of(first);
    let title = feed.children().filter(|c| c.named("title") && c.ns() != Ns::Media);
    let line = |title: Element<'_, '_>| {
        let declared = is_declared(title, root == Root::Atom);
        cut(Text::of(title, declared).line(), MAX_TITLE)
    };
    let title = title.map(line).find(|title| !title.is_empty());
    ParsedFeed { title, format, hints: hints(feed, base), ..ParsedFeed::default() }
}

/// The element that describes the feed: the channel, or the root itself.
fn feed_of<'t, 'a>(root: Element<'t, 'a>) -> Element<'t, 'a> {
    let channel = if root.named("channel") { None } else { root.child("channel") };
    channel.unwrap_or(root)
}

/// Authors of the feed, who are those of every entry that names none
/// (RFC 4287 section 4.2.1).
pub(super) fn authors(tree: &Tree<'_>) -> Vec<String> {
    let feed = tree.roots().next().map(feed_of);
    let stated = feed.into_iter().flat_map(Element::children).filter(|child| {
        (child.named("author") && child.ns() != Ns::Itunes && child.has_elements())
            || (child.named("creator") && child.ns() == Ns::Dc)
    });
    names(stated.map(author))
}

/// Which format it is; an unknown version is worth a note.
fn format(root: Element<'_, '_>, kind: Root, repairs: &mut Repairs) -> String {
    let declares = |part: &str| {
        root.attributes()
            .iter()
            .any(|(key, uri)| key.starts_with("xmlns") && uri.to_ascii_lowercase().contains(part))
    };
    if kind == Root::Sitemap {
        return "news sitemap".to_string();
    }
    if kind == Root::Atom {
        let old = declares("purl.org/atom")
            || root.attribute("version").is_some_and(|v| v.trim() == "0.3");
        return if old { "Atom 0.3" } else { "Atom 1.0" }.to_string();
    }
    let version = root.attribute("version").map(one_line).filter(|version| !version.is_empty());
    if root.named("rdf") {
        let old = declares("netscape.com/rdf") && !declares("purl.org/rss/1.0/\"");
        return if old { "RSS 0.90" } else { "RSS 1.0" }.to_string();
    }
    if root.named("channel") {
        return if declares("rss1.1") { "RSS 1.1" } else { "CDF" }.to_string();
    }
    match version {
        None => {
            repairs.note(Repair::NoVersion);
            "RSS".to_string()
        }
        Some(version) => {
            let known = ["0.9", "0.90", "0.91", "0.92", "0.93", "0.94", "1.0", "2.0"];
            if !known.contains(&version.as_str()) && !version.starts_with("2.0") {
                repairs.note(Repair::OddVersion);
            }
            format!("RSS {}", cut(version, 20))
        }
    }
}

fn hints(feed: Element<'_, '_>, base: Option<&Url>) -> FeedHints {
    let mut hints = FeedHints { lang: language(feed), ..FeedHints::default() };
    let (mut period, mut frequency) = (None, 1);
    for child in feed.children() {
        let text = child.text();
        let text = text.trim();
        match (child.ns(), child.local().to_ascii_lowercase().as_str()) {
            (Ns::Plain, "ttl") => hints.ttl = minutes(text),
            (Ns::Plain, "skiphours") => hints.skip_hours = hours(child),
            (Ns::Plain, "skipdays") => hints.skip_days = days(child),
            (Ns::Plain, "cloud") => hints.cloud = cloud(child),
            (Ns::Plain | Ns::Atom, "link") => place(child, base, &mut hints),
            (Ns::Syndication, "updateperiod") => period = Some(period_of(text)),
            (Ns::Syndication, "updatefrequency") => frequency = text.parse().unwrap_or(1),
            (Ns::Syndication, "updatebase") => hints.update_base = parse_date(text),
            _ => {}
        }
    }
    hints.update_period = period.flatten().and_then(|period| span(period, frequency));
    if hints.site.is_none() {
        let about = feed.attribute("href").filter(|_| feed.named("channel"));
        hints.site = about.and_then(|href| link(href, base));
    }
    hints
}

fn language(feed: Element<'_, '_>) -> Option<String> {
    let stated = feed.children().filter(|child| {
        child.named("language") && matches!(child.ns(), Ns::Plain | Ns::Dc | Ns::DcTerms)
    });
    let stated = stated.map(|lang| lang.text().into_owned());
    let inherited = feed.inherited("xml:lang").map(str::to_string);
    let mut langs = inherited.into_iter().chain(stated).map(|lang| cut(one_line(&lang), 100));
    langs.find(|lang| !lang.is_empty())
}

/// A link of the feed: its page, itself, its hub or its archive (RFC 5005).
fn place(element: Element<'_, '_>, base: Option<&Url>, hints: &mut FeedHints) {
    let text = element.text();
    let href = element.attribute("href").unwrap_or(text.trim());
    let Some(url) = link(href, base_of(element, base).as_ref()) else { return };
    let rel = element.attribute("rel").unwrap_or("alternate").trim().to_ascii_lowercase();
    for rel in rel.split_ascii_whitespace() {
        match rel {
            "hub" if hints.hubs.len() < MAX_HUBS && !hints.hubs.contains(&url) => {
                hints.hubs.push(url.clone());
            }
            "self" if hints.self_link.is_none() => hints.self_link = Some(url.clone()),
            "alternate" if hints.site.is_none() => hints.site = Some(url.clone()),
            // An archive names its own predecessor; a page of results only the next.
            "prev-archive" => hints.older = Some(url.clone()),
            "next" if hints.older.is_none() => hints.older = Some(url.clone()),
            _ => {}
        }
    }
}

fn minutes(text: &str) -> Option<SignedDuration> {
    let minutes: f64 = text.parse().ok()?;
    let whole = (1.0..=366.0 * 24.0 * 60.0).contains(&minutes);
    whole.then(|| SignedDuration::from_secs((minutes * 60.0) as i64))
}

/// Hours as RSS 2.0 counts them, 0 to 23; the 24 of RSS 0.91 is midnight.
fn hours(element: Element<'_, '_>) -> u32 {
    let hours = element.children().filter(|child| child.named("hour"));
    let hours = hours.filter_map(|hour| hour.text().trim().parse::<u32>().ok());
    hours.filter(|hour| *hour <= 24).fold(0, |set, hour| set | 1 << (hour % 24))
}

fn days(element: Element<'_, '_>) -> u8 {
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let day_of = |child: Element<'_, '_>| {
        let text = child.text().trim().to_ascii_lowercase();
        names.iter().position(|name| text.starts_with(name))
    };
    let days = element.children().filter(|child| child.named("day")).filter_map(day_of);
    days.fold(0, |set, day| set | 1 << day)
}

/// RSS 2.0 `cloud` as a URL; only the HTTP kinds have one. TLS is spoken where
/// the port is 443.
fn cloud(element: Element<'_, '_>) -> Option<String> {
    let protocol = element.attribute("protocol").unwrap_or("http-post").trim();
    if !["http-post", "https-post"].iter().any(|known| known.eq_ignore_ascii_case(protocol)) {
        return None;
    }
    let domain = element.attribute("domain").map(str::trim).filter(|domain| !domain.is_empty())?;
    let path = element.attribute("path").unwrap_or("/").trim();
    let port: u16 =
        element.attribute("port").and_then(|port| port.trim().parse().ok()).unwrap_or(80);
    let is_secure = port == 443 || protocol.eq_ignore_ascii_case("https-post");
    let scheme = if is_secure { "https" } else { "http" };
    let domain = domain.trim_start_matches("http://").trim_start_matches("https://");
    let address = format!("{scheme}://{domain}:{port}/{}", path.trim_start_matches('/'));
    Some(Url::parse(&address).ok()?.to_string())
}

/// The length of a `sy:updatePeriod`.
fn period_of(period: &str) -> Option<SignedDuration> {
    let hours = match period.to_ascii_lowercase().as_str() {
        "hourly" => 1,
        "daily" => 24,
        "weekly" => 24 * 7,
        "monthly" => 24 * 30,
        "yearly" => 24 * 365,
        _ => return None,
    };
    Some(SignedDuration::from_hours(hours))
}

fn span(period: SignedDuration, frequency: i32) -> Option<SignedDuration> {
    let span = period.checked_div(frequency.max(1))?;
    (span >= SignedDuration::from_mins(1) && span <= MAX_SPAN).then_some(span)
}
