//! Who really tells a story: outlets, their owners, agencies, and how many
//! independent sources that makes. Whether two texts are copies is found
//! elsewhere; here it only counts.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::change::one_of;
use super::{agency, credited};
use crate::model::Teller;
use crate::text::fold::fold;

/// Owners of several outlets, one a line, with the domains that are theirs.
/// It is a beginning. It errs to fewer sources: a paper that was sold may stay
/// with its old owner, and desks of one house count as one.
const OWNERS: &str = include_str!("owners.txt");

/// They carry the stories of others and are no outlets, or hide them.
const AGGREGATORS: &str = "google.com yahoo.com yahoo.co.jp msn.com bing.com feedburner.com \
    feedly.com flipboard.com newsbreak.com smartnews.com rss.app fetchrss.com rsshub.app \
    youtube.com youtu.be t.co bit.ly dlvr.it ift.tt trib.al naver.com daum.net apple.news";
/// Hosts that give each author a subdomain, beside the public suffixes.
const AUTHOR_HOSTS: &str = "substack.com wordpress.com medium.com tumblr.com typepad.com \
    ghost.io beehiiv.com livejournal.com over-blog.com github.io gitlab.io netlify.app \
    vercel.app pages.dev weebly.com wixsite.com hatenablog.com hatenablog.jp hateblo.jp \
    fc2.com seesaa.net tistory.com hashnode.dev bearblog.dev write.as buttondown.email \
    blog.ir bloglovin.com posterous.com squarespace.com webnode.com jimdofree.com";
/// Hosts that give each author the beginning of the path.
const AUTHOR_PATHS: &str = "medium.com t.me telegram.me twitter.com x.com facebook.com bsky.app \
    youtube.com tumblr.com reddit.com github.com gitlab.com instagram.com tiktok.com threads.net \
    vk.com note.com ameblo.jp blog.naver.com weibo.com dev.to patreon.com buttondown.com \
    soundcloud.com rumble.com odysee.com";
/// What may stand before the author in a path.
const BEFORE_AUTHOR: &str = "feed feeds rss s profile groups channel user c r u blog";
/// Beginnings of paths that are no authors.
const NO_AUTHORS: &str = "watch shorts playlist live embed results search hashtag tag topic p \
    status comments i articles notes joinchat share login about";

/// Who speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The owner if it has several outlets, else the registrable domain, else
    /// the feed.
    pub outlet: String,
    /// The agency that the telling is credited to.
    pub agency: Option<&'static str>,
}

/// What is known of an entry's origin.
#[derive(Clone, Copy, Debug, Default)]
pub struct About<'a> {
    /// The feed's name.
    pub feed: &'a str,
    /// Its URL.
    pub feed_url: &'a str,
    /// The entry's link.
    pub link: Option<&'a str>,
    /// Where the feed took it from, if it says so.
    pub source_url: Option<&'a str>,
    /// That outlet's name.
    pub source_title: Option<&'a str>,
    /// Names as stated.
    pub authors: &'a [String],
    /// The text.
    pub text: &'a str,
}

/// Who speaks in an entry. The name of an aggregated entry's outlet says more
/// than the host of the feed that carries it.
pub fn origin(about: &About<'_>) -> Origin {
    let linked = [about.source_url, about.link].into_iter().flatten().find_map(outlet_at);
    let title = about.source_title.map(str::trim).filter(|title| !title.is_empty());
    let found = linked
        .or_else(|| title.map(outlet_titled))
        .or_else(|| outlet_at(about.feed_url))
        .unwrap_or_else(|| Outlet { name: format!("feed:{}", about.feed), ..Outlet::default() });
    let agency = found
        .agency
        .or_else(|| credited::credited(about.text))
        .or_else(|| about.authors.iter().find_map(|author| agency::authored(author, &found.house)))
        .or_else(|| title.and_then(agency::named))
        // Channel NewsAsia signs with the letters of another.
        .filter(|agency| (*agency, found.name.as_str()) != ("CNA", "Mediacorp"));
    Origin { outlet: found.name, agency }
}

/// For each telling in order of time, the number of the source it belongs to,
/// counted from 0 as they appear.
///
/// Copies of one text count as one, because one wrote it. So do tellings of
/// one agency, and those of one owner's outlets. What two sources have in
/// common makes all their tellings one source.
pub fn independent(tellers: &[Teller]) -> Vec<usize> {
    let mut first: HashMap<Shared<'_>, usize> = HashMap::new();
    let mut parents: Vec<usize> = (0..tellers.len()).collect();
    for (at, teller) in tellers.iter().enumerate() {
        let outlet = Some(Shared::Outlet(&teller.outlet));
        let agency = teller.agency.as_deref().map(Shared::Agency);
        for shared in [outlet, agency, Some(Shared::Text(teller.text))].into_iter().flatten() {
            let before = *first.entry(shared).or_insert(at);
            let (mine, theirs) = (root(&parents, at), root(&parents, before));
            // The earlier telling stays the root, whatever the order of joins.
            parents[mine.max(theirs)] = mine.min(theirs);
        }
    }
    let mut numbers: HashMap<usize, usize> = HashMap::new();
    (0..tellers.len())
        .map(|at| {
            let next = numbers.len();
            *numbers.entry(root(&parents, at)).or_insert(next)
        })
        .collect()
}

/// How many independent sources tell a story.
pub fn sources(tellers: &[Teller]) -> usize {
    independent(tellers).into_iter().max().map_or(0, |last| last + 1)
}

/// What makes two tellings one source.
#[derive(PartialEq, Eq, Hash)]
enum Shared<'a> {
    Outlet(&'a str),
    Agency(&'a str),
    Text(i64),
}

fn root(parents: &[usize], mut at: usize) -> usize {
    while parents[at] != at {
        at = parents[at];
    }
    at
}

/// An outlet by a link or a name.
#[derive(Default)]
struct Outlet {
    name: String,
    /// The agency whose site it is.
    agency: Option<&'static str>,
    /// Its domain without suffix, which may be how it calls itself.
    house: String,
}

/// Owners by their domains.
fn owners() -> &'static HashMap<&'static str, &'static str> {
    static OWNED: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
        let lines = OWNERS.lines().filter_map(|line| line.split_once(": "));
        lines
            .flat_map(|(owner, domains)| domains.split_whitespace().map(move |at| (at, owner)))
            .collect()
    });
    &OWNED
}

/// The outlet behind a link; `None` for aggregators, addresses and hosts
/// within a network.
fn outlet_at(link: &str) -> Option<Outlet> {
    let (scheme, rest) = link.split_once("://")?;
    if !["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web)) {
        return None;
    }
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit('@').next()?.to_lowercase();
    let host = host.split(':').next()?.trim_end_matches('.');
    let address = host.chars().all(|c| c.is_ascii_digit() || c == '.');
    if address || host.starts_with('[') || !host.contains('.') {
        return None;
    }
    let domain = psl::domain_str(host)?;
    let name = match (author(host, domain, rest), owner(host)) {
        (Some(author), _) => author,
        (None, _) if suffixes(host).any(|name| one_of(AGGREGATORS, name)) => return None,
        (None, Some(owner)) => owner.to_owned(),
        (None, None) => domain.to_owned(),
    };
    let agency = suffixes(host).find_map(agency::of_site);
    let house = domain.split('.').next().unwrap_or_default().replace('-', "");
    Some(Outlet { name, agency, house })
}

/// The outlet of an aggregated entry that only states its name.
fn outlet_titled(title: &str) -> Outlet {
    let domain = title.contains('.') && !title.contains(char::is_whitespace);
    let by_domain = domain.then(|| outlet_at(&format!("https://{title}"))).flatten();
    by_domain.unwrap_or_else(|| {
        let title = fold(title);
        let owner = owners().values().find(|owner| fold(owner) == title);
        let name = owner.map_or(title, |owner| (*owner).to_owned());
        Outlet { name, ..Outlet::default() }
    })
}

/// The host and all that is left when labels are cut off its front.
fn suffixes(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |rest| rest.split_once('.').map(|(_, rest)| rest))
}

fn owner(host: &str) -> Option<&'static str> {
    suffixes(host).find_map(|name| owners().get(name).copied())
}

/// Who writes, where many who are independent write under one domain.
fn author(host: &str, domain: &str, rest: &str) -> Option<String> {
    // One blog answers under the domains of many countries.
    if let Some((names, _)) = host.split_once(".blogspot.") {
        return names.rsplit('.').next().map(|name| format!("{name}.blogspot.com"));
    }
    let hosted = suffixes(host).find(|name| one_of(AUTHOR_HOSTS, name));
    if let Some(hosted) = hosted
        && let Some(name) = host.strip_suffix(hosted).and_then(|name| name.strip_suffix('.'))
        && let Some(name) = name.rsplit('.').next().filter(|name| *name != "www")
    {
        return Some(format!("{name}.{hosted}"));
    }
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let in_query = rest.split(['?', '&']).find_map(|part| part.strip_prefix("channel_id="));
    let mut segments = path.split('/').filter(|part| !part.is_empty());
    let first = segments.find(|part| !one_of(BEFORE_AUTHOR, part));
    let many = suffixes(host).find(|name| one_of(AUTHOR_PATHS, name));
    let name = in_query.filter(|_| many.is_some()).or(first)?;
    // Federated servers too give each author a path like `/@name`.
    let of_path = many.is_some() && !one_of(NO_AUTHORS, name) && !name.ends_with(".xml");
    let written = name.starts_with('@') || of_path;
    written.then(|| format!("{}/{}", many.unwrap_or(domain), name.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_each_domain_once_and_as_it_is_compared() {
        let check = |entry: &str, sound: bool| assert!(sound, "{entry}");
        let mut seen = std::collections::HashSet::new();
        for (owner, domains) in OWNERS.lines().map(|line| line.split_once(": ").unwrap()) {
            for domain in domains.split_whitespace() {
                check(domain, seen.insert(domain) && psl::domain_str(domain).is_some());
                check(domain, domain == domain.to_lowercase());
            }
            check(owner, domains.split_whitespace().count() > 1);
        }
    }

    #[test]
    fn an_outlet_is_an_owner_a_domain_or_an_author_of_a_platform() {
        let stated = |words: &'static str| Some(words).filter(|words| !words.is_empty());
        let check = |link: &str, url: Option<&str>, title: Option<&str>, expected: &str| {
            let about = About {
                feed: "wire",
                feed_url: "https://feeds.example.org/rss",
                link: Some(link),
                source_url: url,
                source_title: title,
                ..About::default()
            };
            assert_eq!(origin(&about).outlet, expected, "{link} {title:?}");
        };
        for (link, url, title, expected) in [
            ("https://www.bbc.co.uk/news/1", "", "", "BBC"),
            ("https://bbc.com/news/1", "", "", "BBC"),
            ("https://www.wsj.com/a", "", "", "News Corp"),
            ("https://nyti.ms/1", "", "", "New York Times"),
            ("https://abcnews.go.com/1", "", "", "Disney"),
            ("https://timesofindia.indiatimes.com/1", "", "", "Times Group"),
            ("https://news.example.co.uk:8080/a", "", "", "example.co.uk"),
            ("HTTPS://User:Pw@WWW.Example.CO.UK./a", "", "", "example.co.uk"),
            ("https://новости.пример.рф/a", "", "", "пример.рф"),
            (
                "https://news.google.com/rss/x",
                "https://www.cnn.com",
                "CNN",
                "Warner Bros. Discovery",
            ),
            ("https://news.google.com/rss/x", "", "Harbour News", "harbour news"),
            ("https://news.google.com/rss/x", "", "nytimes.com", "New York Times"),
            ("https://news.google.com/rss/x", "", "BBC", "BBC"),
            ("https://news.google.com/rss/x", "", "", "example.org"),
            ("https://feedproxy.google.com/~r/x", "", "", "example.org"),
            ("https://www.youtube.com/watch?v=x", "", "", "example.org"),
            ("https://www.youtube.com/@One/videos", "", "", "youtube.com/@one"),
            ("https://www.youtube.com/channel/UCx1/videos", "", "", "youtube.com/ucx1"),
            ("https://www.youtube.com/user/one", "", "", "youtube.com/one"),
            (
                "https://www.youtube.com/feeds/videos.xml?channel_id=UCx1",
                "",
                "",
                "youtube.com/ucx1",
            ),
            ("https://one.blogspot.com/a", "", "", "one.blogspot.com"),
            ("https://one.blogspot.co.uk/a", "", "", "one.blogspot.com"),
            ("https://one.substack.com/p/a", "", "", "one.substack.com"),
            ("https://one.wordpress.com/a", "", "", "one.wordpress.com"),
            ("https://one.github.io/a", "", "", "one.github.io"),
            ("https://one.tumblr.com/post/1", "", "", "one.tumblr.com"),
            ("https://www.tumblr.com/one/1/a", "", "", "tumblr.com/one"),
            ("https://medium.com/@One/a", "", "", "medium.com/@one"),
            ("https://medium.com/feed/@one", "", "", "medium.com/@one"),
            ("https://one.medium.com/a", "", "", "one.medium.com"),
            ("https://mastodon.example/@one/1", "", "", "mastodon.example/@one"),
            ("https://t.me/one/1", "", "", "t.me/one"),
            ("https://t.me/s/one?before=1", "", "", "t.me/one"),
            ("https://bsky.app/profile/one.example/post/1", "", "", "bsky.app/one.example"),
            ("https://github.com/one/two/releases/3", "", "", "github.com/one"),
            ("https://www.reddit.com/r/one/comments/1", "", "", "reddit.com/one"),
            ("http://10.0.0.7:80/a", "", "", "example.org"),
            ("http://[::1]:80/a", "", "", "example.org"),
            ("http://localhost:80/a", "", "", "example.org"),
            ("http://wiki/a", "", "", "example.org"),
            ("file:///srv/a", "", "", "example.org"),
            ("https://", "", "", "example.org"),
            ("https://news.yahoo.com/a", "", "Reuters", "reuters"),
            ("https://www.msn.com/a", "https://www.mirror.co.uk/", "", "Reach"),
            ("https://blog.naver.com/one/1", "", "", "blog.naver.com/one"),
            ("https://n.news.naver.com/article/1", "", "", "example.org"),
            ("https://one.hatenablog.com/entry/1", "", "", "one.hatenablog.com"),
            ("https://x.com/One/status/1", "", "", "x.com/one"),
            ("https://vm.tiktok.com/@one/1", "", "", "tiktok.com/@one"),
            ("https://www.medium.com/@one/a", "", "", "medium.com/@one"),
            ("https://wordpress.com/one", "", "", "wordpress.com"),
            ("https://www.example.com/@one", "", "", "example.com/@one"),
            ("https://one.pages.dev/a", "", "", "one.pages.dev"),
            ("https://youtu.be/x", "", "", "example.org"),
            ("https://www.youtube.com/c/One", "", "", "youtube.com/one"),
            ("http://127.0.0.1:9/rss", "", "Harbour News", "harbour news"),
            ("https://one.livejournal.com/1.html", "", "", "one.livejournal.com"),
        ] {
            check(link, stated(url), stated(title), expected);
        }
    }

    #[test]
    fn a_feed_without_a_host_is_an_outlet_by_its_name() {
        let check = |feed_url: &str, expected: &str| {
            let about = About { feed: "wire", feed_url, ..About::default() };
            assert_eq!(origin(&about).outlet, expected, "{feed_url}");
        };
        check("http://127.0.0.1:9/rss", "feed:wire");
        check("file:///srv/feed.xml", "feed:wire");
        check("https://news.google.com/rss", "feed:wire");
        check("https://feeds.example.org/rss", "example.org");
        check("", "feed:wire");
    }

    #[test]
    fn an_agency_is_known_by_its_site_its_text_its_authors_and_by_name() {
        let check = |link: &str, text: &str, author: &str, expected: Option<&str>| {
            let authors = [author.to_owned()];
            let about =
                About { feed: "f", link: Some(link), authors: &authors, text, ..About::default() };
            assert_eq!(origin(&about).agency, expected, "{link} {text} {author}");
        };
        check("https://www.reuters.com/world/a", "", "", Some("Reuters"));
        check("https://english.news.cn/a", "", "", Some("Xinhua"));
        check("https://www.aa.com.tr/en", "", "", Some("Anadolu"));
        check("https://a.example/", "Ships met. (AFP)", "Jane Doe", Some("AFP"));
        check("https://a.example/", "Ships met.", "AFP", Some("AFP"));
        check("https://www.lemonde.fr/a", "Ships met.", "Le Monde avec AFP", Some("AFP"));
        check("https://www.channelnewsasia.com/a", "Met.\nSource: CNA/ab", "", None);
        check("https://www.channelnewsasia.com/a", "Met.\nSource: AFP/ab", "", Some("AFP"));
        check("https://a.example/", "Ships met.", "Jane Doe", None);
        let source_title = Some("Reuters");
        let google = Some("https://news.google.com/rss/x");
        let named = origin(&About { link: google, source_title, ..About::default() });
        assert_eq!(named.agency, Some("Reuters"));
    }

    #[test]
    fn copies_owners_and_agencies_are_one_source_each() {
        let teller = |outlet: &str, agency: Option<&str>, text: i64| Teller {
            outlet: outlet.to_owned(),
            agency: agency.map(str::to_owned),
            text,
        };
        let check = |tellers: &[Teller], expected: &[usize]| {
            assert_eq!(independent(tellers), expected);
            assert_eq!(sources(tellers), expected.iter().max().map_or(0, |last| last + 1));
        };
        check(&[], &[]);
        check(&[teller("a", None, 1), teller("b", None, 2)], &[0, 1]);
        check(&[teller("a", None, 1), teller("b", None, 1), teller("c", None, 3)], &[0, 0, 1]);
        check(&[teller("a", Some("AP"), 1), teller("b", Some("AP"), 2)], &[0, 0]);
        // What joins two sources later makes them one.
        check(
            &[
                teller("a", None, 1),
                teller("b", None, 2),
                teller("a", None, 2),
                teller("d", None, 9),
            ],
            &[0, 0, 0, 1],
        );
    }
}
