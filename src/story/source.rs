//! Who really tells a story: outlets, their owners, agencies, and how many
//! independent sources that makes.

use crate::model::Teller;
use crate::text::credit;

/// Owners with several outlets, by the registrable domains that are theirs.
/// A beginning: where it errs, a story seems to have fewer sources.
const OWNERS: [(&str, &[&str]); 34] = [
    ("BBC", &["bbc.com", "bbc.co.uk", "bbci.co.uk"]),
    (
        "News Corp",
        &[
            "wsj.com",
            "nypost.com",
            "thetimes.co.uk",
            "thetimes.com",
            "thesun.co.uk",
            "news.com.au",
            "theaustralian.com.au",
            "marketwatch.com",
            "barrons.com",
            "dj.com",
            "dowjones.com",
            "heraldsun.com.au",
            "dailytelegraph.com.au",
        ],
    ),
    ("Fox", &["foxnews.com", "foxbusiness.com", "fox.com"]),
    ("New York Times", &["nytimes.com", "nyti.ms", "theathletic.com"]),
    ("Washington Post", &["washingtonpost.com", "wapo.st"]),
    ("Guardian", &["theguardian.com", "guardian.co.uk"]),
    (
        "DMGT",
        &["dailymail.co.uk", "mailonline.com", "thisismoney.co.uk", "metro.co.uk", "inews.co.uk"],
    ),
    (
        "Reach",
        &[
            "mirror.co.uk",
            "express.co.uk",
            "dailystar.co.uk",
            "dailyrecord.co.uk",
            "manchestereveningnews.co.uk",
            "walesonline.co.uk",
            "liverpoolecho.co.uk",
        ],
    ),
    ("Gannett", &["usatoday.com", "freep.com", "azcentral.com", "indystar.com"]),
    ("Condé Nast", &["wired.com", "arstechnica.com", "newyorker.com", "vogue.com", "gq.com"]),
    (
        "Ziff Davis",
        &["cnet.com", "zdnet.com", "ign.com", "mashable.com", "pcmag.com", "lifehacker.com"],
    ),
    (
        "Future",
        &[
            "techradar.com",
            "pcgamer.com",
            "tomshardware.com",
            "gamesradar.com",
            "space.com",
            "livescience.com",
            "tomsguide.com",
        ],
    ),
    ("Vox Media", &["vox.com", "theverge.com", "polygon.com", "nymag.com", "eater.com"]),
    ("G/O Media", &["gizmodo.com", "theonion.com", "kotaku.com", "jalopnik.com"]),
    ("Warner Bros. Discovery", &["cnn.com", "tvn24.pl", "tvn.pl"]),
    (
        "NBCUniversal",
        &["nbcnews.com", "cnbc.com", "msnbc.com", "today.com", "sky.com", "skynews.com"],
    ),
    ("Disney", &["abcnews.go.com", "go.com", "espn.com"]),
    ("Paramount", &["cbsnews.com", "cbs.com"]),
    ("Nikkei", &["nikkei.com", "ft.com"]),
    (
        "Axel Springer",
        &["bild.de", "welt.de", "politico.com", "politico.eu", "businessinsider.com"],
    ),
    (
        "Ringier Axel Springer Polska",
        &["onet.pl", "fakt.pl", "businessinsider.com.pl", "newsweek.pl"],
    ),
    ("Agora", &["gazeta.pl", "wyborcza.pl", "tokfm.pl", "next.gazeta.pl"]),
    ("Polsat", &["polsatnews.pl", "interia.pl"]),
    ("Wirtualna Polska", &["wp.pl", "money.pl", "o2.pl"]),
    ("Bonnier Polska", &["bankier.pl", "pb.pl"]),
    ("Infor", &["forsal.pl", "gazetaprawna.pl", "dziennik.pl"]),
    ("Le Monde", &["lemonde.fr", "courrierinternational.com", "huffingtonpost.fr"]),
    ("SPH", &["straitstimes.com", "businesstimes.com.sg", "zaobao.com.sg"]),
    ("Alibaba", &["scmp.com"]),
    ("CCTV", &["cctv.com", "cgtn.com"]),
    ("People's Daily", &["people.com.cn", "globaltimes.cn", "huanqiu.com"]),
    ("Hearst", &["sfchronicle.com", "chron.com", "esquire.com", "elle.com"]),
    ("Tribune", &["chicagotribune.com", "nydailynews.com", "baltimoresun.com"]),
    ("Deutsche Welle", &["dw.com", "dw.de"]),
];

/// Agencies: the name shown, their own domains, and how they are credited.
const AGENCIES: [(&str, &[&str], &[&str]); 22] = [
    ("Reuters", &["reuters.com"], &["reuters", "reuters staff", "thomson reuters"]),
    ("AP", &["apnews.com", "ap.org"], &["ap", "associated press", "the associated press"]),
    ("AFP", &["afp.com"], &["afp", "agence france-presse", "agence france presse"]),
    (
        "Xinhua",
        &["xinhuanet.com", "news.cn"],
        &["xinhua", "xinhua news agency", "新华社", "新華社"],
    ),
    ("TASS", &["tass.com", "tass.ru"], &["tass", "тасс"]),
    ("Interfax", &["interfax.ru", "interfax.com"], &["interfax", "интерфакс"]),
    ("RIA Novosti", &["ria.ru"], &["ria novosti", "риа новости"]),
    ("Kyodo", &["kyodonews.net"], &["kyodo", "kyodo news", "共同通信", "共同"]),
    ("Jiji", &["jiji.com"], &["jiji", "jiji press", "時事通信", "時事"]),
    ("Yonhap", &["yna.co.kr"], &["yonhap", "yonhap news agency", "연합뉴스"]),
    ("dpa", &["dpa.com"], &["dpa", "deutsche presse-agentur"]),
    ("ANSA", &["ansa.it"], &["ansa"]),
    ("EFE", &["efe.com"], &["efe", "agencia efe"]),
    ("PAP", &["pap.pl"], &["pap", "polska agencja prasowa"]),
    ("AAP", &["aap.com.au"], &["aap", "australian associated press"]),
    ("PA", &[], &["pa", "pa media", "press association"]),
    ("PTI", &["ptinews.com"], &["pti", "press trust of india"]),
    ("ANI", &["aninews.in"], &["ani"]),
    ("IANS", &["ians.in"], &["ians"]),
    ("Anadolu", &["aa.com.tr"], &["anadolu", "anadolu agency", "anadolu ajansı"]),
    ("Bernama", &["bernama.com"], &["bernama"]),
    ("UPI", &["upi.com"], &["upi", "united press international"]),
];

/// They carry others' stories and are no outlets.
const AGGREGATORS: [&str; 6] =
    ["news.google.com", "news.yahoo.com", "msn.com", "feedburner.com", "google.com", "yahoo.com"];

/// Platforms whose subdomains are their users', beside those of the public
/// suffix list.
const PLATFORMS: [&str; 5] =
    ["substack.com", "medium.com", "tumblr.com", "livejournal.com", "typepad.com"];
/// Platforms that name the user first in the path.
const IN_PATH: [&str; 5] = ["medium.com", "twitter.com", "x.com", "facebook.com", "t.me"];

/// Bytes at the beginning and end of a text where a credit in brackets counts.
const NEAR: usize = 200;

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

/// Who speaks in an entry.
pub fn origin(about: &About<'_>) -> Origin {
    let stated = [about.source_url, about.link, Some(about.feed_url)];
    let domain = stated.into_iter().flatten().find_map(outlet_domain);
    let outlet = match (&domain, about.source_title) {
        (Some(domain), _) => owner(domain).map_or_else(|| domain.clone(), str::to_owned),
        (None, Some(title)) if !title.trim().is_empty() => title.trim().to_lowercase(),
        (None, _) => format!("feed:{}", about.feed),
    };
    let of_domain = domain.as_deref().and_then(agency_of_domain);
    Origin { outlet, agency: of_domain.or_else(|| credited(about)) }
}

/// The registrable domain of a link; nothing for aggregators, addresses and
/// hosts without a public suffix.
fn outlet_domain(link: &str) -> Option<String> {
    let (_, rest) = link.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.to_ascii_lowercase();
    let host = host.split(':').next()?.trim_end_matches('.');
    if host.chars().all(|c| c.is_ascii_digit() || c == '.') || !host.contains('.') {
        return None;
    }
    let within = |name: &str| host == name || host.ends_with(&format!(".{name}"));
    if AGGREGATORS.iter().any(|name| within(name)) {
        return None;
    }
    let domain = psl::domain_str(host)?;
    let user = host.trim_start_matches("www.");
    // Every subdomain is somebody else, and every `medium.com/@name`.
    if user != domain && PLATFORMS.contains(&domain) {
        return Some(user.to_owned());
    }
    let path = rest.get(authority.len()..)?.trim_start_matches('/');
    let name = path.split(['/', '?', '#']).next().filter(|name| !name.is_empty());
    let in_path = name.filter(|_| IN_PATH.contains(&domain));
    Some(
        in_path
            .map_or_else(|| domain.to_owned(), |name| format!("{domain}/{}", name.to_lowercase())),
    )
}

fn owner(domain: &str) -> Option<&'static str> {
    OWNERS.iter().find(|(_, domains)| domains.contains(&domain)).map(|(owner, _)| *owner)
}

fn agency_of_domain(domain: &str) -> Option<&'static str> {
    AGENCIES.iter().find(|(_, domains, _)| domains.contains(&domain)).map(|(name, _, _)| *name)
}

/// Names that mean parties, provinces or people too. They count in capitals
/// alone, and in running text only where a credit stands.
const SHARED: [&str; 10] = ["aap", "ani", "ansa", "ap", "cp", "efe", "pa", "pap", "pti", "upi"];

/// An agency by a way it is credited, and whether that means nothing else. Of
/// `Bernama-Xinhua` the last counts: it had the text first.
fn recognise(words: &str) -> Option<(&'static str, bool)> {
    let exact = words.trim().trim_matches(|c: char| !c.is_alphanumeric());
    let lower = exact.to_lowercase();
    let lower = lower.strip_prefix("by ").unwrap_or(&lower);
    let shared = SHARED.contains(&lower);
    let written = !shared || exact.ends_with(&lower.to_uppercase());
    let found = AGENCIES.iter().find(|(_, _, names)| names.contains(&lower));
    match found {
        Some((name, _, _)) => written.then_some((*name, !shared)),
        None => {
            let (_, last) = exact.rsplit_once(['/', '-', '='])?;
            recognise(last)
        }
    }
}

/// An agency by a way it is credited.
fn agency_named(words: &str) -> Option<&'static str> {
    recognise(words).map(|(name, _)| name)
}

/// `Jane Doe, Associated Press`, `Jane Doe (AP)`, `AP and staff`.
fn in_author(author: &str) -> Option<&'static str> {
    let parts = author.split([',', '|', ';', '(', ')', '/', '—']);
    agency_named(author)
        .or_else(|| parts.flat_map(|part| part.split(" and ")).find_map(agency_named))
}

/// The agency that dateline, author or a last line name. "Told Reuters" and
/// "AP contributed" are no credits: the text is the outlet's own.
fn credited(about: &About<'_>) -> Option<&'static str> {
    let stated = credit::agency(about.text).and_then(agency_named);
    let author = || about.authors.iter().find_map(|author| in_author(author));
    stated.or_else(author).or_else(|| in_brackets(about.text)).or_else(|| last_line(about.text))
}

/// "(Reuters)" near the beginning or the end. Between words a short name is a
/// party: "Tehreek-e-Insaf (PTI) said".
fn in_brackets(text: &str) -> Option<&'static str> {
    let head = text.get(..text.floor_char_boundary(NEAR))?;
    let tail = text.get(text.ceil_char_boundary(text.len().saturating_sub(NEAR))..)?;
    let parts = [(head, head.len() == text.len()), (tail, true)];
    parts.into_iter().find_map(|(part, to_end)| {
        part.match_indices(['(', '（', '【', '/']).find_map(|(at, open)| {
            let rest = part.get(at + open.len()..)?;
            let end = rest.find([')', '）', '】', '/'])?;
            let name = rest.get(..end)?;
            let (agency, sure) = match name.strip_suffix("共同") {
                Some(_) if open == "【" || name == "共同" => ("Kyodo", true),
                _ => recognise(name)?,
            };
            let after = rest.get(end..)?.trim_start_matches([')', '）', '】', '/']).trim_start();
            let before = part.get(..at)?.trim_end();
            let alone = before.is_empty()
                || before.ends_with(['.', '!', '?', '"', '”', '。'])
                || after.starts_with(['-', '–', '—', ':'])
                || (after.is_empty() && to_end);
            (sure || alone).then_some(agency)
        })
    })
}

/// "Source: AFP", "— Reuters", "© 2022 AFP" at the very end; "新华社北京电" and the
/// like at the very beginning.
fn last_line(text: &str) -> Option<&'static str> {
    let line = text.trim_end().lines().next_back()?;
    let short = line.get(line.ceil_char_boundary(line.len().saturating_sub(120))..)?;
    let marks = ["source:", "quelle:", "źródło:", "fuente:", "©", "copyright", "来源："];
    let named = short.char_indices().find_map(|(at, _)| {
        let rest = short.get(at..)?;
        let mark = marks.iter().find(|mark| {
            let length = mark.chars().count();
            rest.chars().take(length).flat_map(char::to_lowercase).eq(mark.chars())
        })?;
        let skip: usize = rest.chars().take(mark.chars().count()).map(char::len_utf8).sum();
        let name = rest.get(skip..)?.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
        agency_named(name.split(['.', ',', ';', '|']).next()?)
    });
    let dashed = || short.rsplit_once(['—', '–']).and_then(|(_, rest)| agency_named(rest));
    let first = || {
        ["新华社", "共同社"]
            .iter()
            .find(|name| text.starts_with(**name))
            .map(|name| if *name == "新华社" { "Xinhua" } else { "Kyodo" })
    };
    named.or_else(dashed).or_else(first)
}

/// For each telling in order of time, the number of the source it belongs to,
/// counted from 0 as they appear. Tellings of one outlet, one agency or one
/// text are one source, and so is what they are joined by.
pub fn independent(tellers: &[Teller]) -> Vec<usize> {
    let mut group: Vec<usize> = (0..tellers.len()).collect();
    for (at, teller) in tellers.iter().enumerate() {
        for (before, other) in tellers.iter().enumerate().take(at) {
            let one = teller.outlet == other.outlet
                || (teller.agency.is_some() && teller.agency == other.agency)
                || teller.text == other.text;
            let (mine, theirs) = (group[at], group[before]);
            if one && mine != theirs {
                let (keep, gone) = (mine.min(theirs), mine.max(theirs));
                group.iter_mut().filter(|g| **g == gone).for_each(|g| *g = keep);
            }
        }
    }
    let mut names: Vec<usize> = Vec::new();
    group
        .into_iter()
        .map(|found| {
            names.iter().position(|name| *name == found).unwrap_or_else(|| {
                names.push(found);
                names.len() - 1
            })
        })
        .collect()
}

/// How many independent sources tell a story.
pub fn sources(tellers: &[Teller]) -> usize {
    independent(tellers).into_iter().max().map_or(0, |last| last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outlets_of_one_owner_are_one_and_aggregators_none() {
        let check = |link: &str, source: Option<&str>, expected: &str| {
            let about = About {
                feed: "wire",
                feed_url: "https://feeds.example.org/rss",
                link: Some(link),
                source_url: source,
                ..About::default()
            };
            assert_eq!(origin(&about).outlet, expected, "{link}");
        };
        check("https://www.bbc.co.uk/news/1", None, "BBC");
        check("https://bbc.com/news/1", None, "BBC");
        check("https://www.wsj.com/a", None, "News Corp");
        check("https://news.example.co.uk:8080/a", None, "example.co.uk");
        check(
            "https://news.google.com/rss/x",
            Some("https://www.cnn.com"),
            "Warner Bros. Discovery",
        );
        check("https://news.google.com/rss/x", None, "example.org");
        check("https://one.blogspot.com/a", None, "one.blogspot.com");
        check("https://one.substack.com/p/a", None, "one.substack.com");
        check("https://medium.com/@one/a", None, "medium.com/@one");
        let local = About { feed: "wire", feed_url: "http://127.0.0.1:9/rss", ..About::default() };
        assert_eq!(origin(&local).outlet, "feed:wire");
    }

    #[test]
    fn agencies_are_known_by_dateline_author_bracket_and_last_line() {
        let check = |author: &str, text: &str, expected: Option<&str>| {
            let authors = [author.to_owned()];
            let about = About { feed: "f", authors: &authors, text, ..About::default() };
            assert_eq!(origin(&about).agency, expected, "{author} / {text}");
        };
        check("", "BEIJING (AP) — Ships met.", Some("AP"));
        check("", "Nov 23 (Reuters) - Ships met.", Some("Reuters"));
        check("", "(CNN) — Ships met.", None);
        check("Reuters Staff", "Ships met.", Some("Reuters"));
        check("By Associated Press", "Ships met.", Some("AP"));
        check("Agence France-Presse", "Ships met.", Some("AFP"));
        check("Jane Doe", "Ships met.", None);
        check("新华社", "", Some("Xinhua"));
        check("", "新华社北京11月23日电 两船相遇", Some("Xinhua"));
        check("", "Statki się spotkały (PAP)", Some("PAP"));
        check("", "Ships met. Source: AFP", Some("AFP"));
        check("", "Ships met.\n© 2022 AFP", Some("AFP"));
        check("", "Ships met. — Reuters", Some("Reuters"));
        check("", "An officer told Reuters that ships met.", None);
        check("", "Ships met. The Associated Press contributed to this report.", None);
        check("연합뉴스", "", Some("Yonhap"));
        check("ТАСС", "", Some("TASS"));
        check("Jane Doe, Associated Press", "Ships met.", Some("AP"));
        check("AP and staff", "Ships met.", Some("AP"));
        check("Ani", "Ships met.", None);
        check("Yilmaz, Efe", "Ships met.", None);
        check("", "The Harbour Justice party (PTI) won the seat.", None);
        check("", "The Harbour Front (AAP) won the seat.", None);
        check("", "Harbour Province (AP) saw rain.", None);
        check("", "The Harbour Front (PAP) met. Then it rained.", None);
        check("", "МОСКВА, 23 ноября. /ТАСС/. Суда встретились.", Some("TASS"));
        check("", "【北京共同】会談", Some("Kyodo"));
        check("", "(서울=연합뉴스) 배", Some("Yonhap"));
        check("", "Met. Copyright 2022 The Associated Press. All rights reserved.", Some("AP"));
        check("", "PORT CITY, Nov 23 (Bernama-Xinhua) -- Ships met.", Some("Xinhua"));
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
