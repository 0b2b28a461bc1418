//! Canonical links measured on real ones: pairs that are one page, cases of
//! other readers, and thousands of links with parameters. They are no part of
//! the repository; without them this says so and passes.

#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]
#![expect(clippy::unwrap_used, reason = "a test may stop where it cannot go on")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use wirewatch::extract::canonical_link;

fn shared(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("WIREWATCH_SHARED").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let path = root.join("data/urls").join(name);
    if !path.exists() {
        eprintln!("SKIPPED: there is no {}", path.display());
        return None;
    }
    Some(path)
}

fn json(path: PathBuf) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Pairs of links that should have one canonical form: how many have, and
/// those that have not.
fn same<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> (usize, Vec<String>) {
    let (mut met, mut missed) = (0, Vec::new());
    for (a, b) in pairs {
        let (left, right) = (canonical_link(a), canonical_link(b));
        match left == right {
            true => met += 1,
            false => missed.push(format!("{a} -> {left:?}, {b} -> {right:?}")),
        }
    }
    (met, missed)
}

#[test]
fn guids_that_are_the_pages_address_are_the_links() {
    let Some(path) = shared("guid_link_pairs.jsonl") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let pairs: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |pair: &'static str| {
        move |value: &serde_json::Value| value[pair].as_str().map(str::to_owned)
    };
    let pairs: Vec<(String, String)> =
        pairs.iter().filter_map(|pair| of("guid")(pair).zip(of("link")(pair))).collect();
    let (met, missed) = same(pairs.iter().map(|(a, b)| (a.as_str(), b.as_str())));
    println!("guid and link: {met} of {}", pairs.len());
    assert!(missed.is_empty(), "{:#?}", &missed[..missed.len().min(10)]);
}

#[test]
fn another_readers_cleaned_links_are_the_pages_of_the_uncleaned() {
    let Some(path) = shared("miniflux_urlcleaner.json") else { return };
    let cases = json(path);
    let cases: Vec<(&str, &str)> = cases
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|case| Some((case["input"].as_str()?, case["expected"].as_str()?)))
        .collect();
    let (met, missed) = same(cases.iter().copied());
    println!("cases of a reader: {met} of {}", cases.len());
    // A parameter that only says where from on one site may name a page on another.
    assert!(missed.len() * 10 <= cases.len(), "{missed:#?}");
}

#[test]
fn a_crawlers_normal_forms_are_ours_but_for_what_may_name_a_page() {
    let Some(path) = shared("ural_tests.json") else { return };
    let cases = json(path);
    let cases: Vec<(String, String)> = cases["normalize_url"]["TESTS"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|case| {
            let (a, b) = (case[0].as_str()?, case[1].as_str()?);
            let whole = |link: &str| match link.contains("//") {
                true if link.starts_with("//") => format!("https:{link}"),
                true => link.to_owned(),
                false => format!("https://{link}"),
            };
            Some((whole(a), whole(b)))
        })
        .collect();
    let (met, missed) = same(cases.iter().map(|(a, b)| (a.as_str(), b.as_str())));
    println!("cases of a crawler: {met} of {}", cases.len());
    missed.iter().for_each(|missed| println!("  differs: {missed}"));
    assert!(met * 4 >= cases.len() * 3, "{missed:#?}");
}

/// The links of one canonical form, and the parameters in which they differ.
fn merged(links: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let mut groups: BTreeMap<String, Vec<BTreeSet<String>>> = BTreeMap::new();
    for link in links {
        let Some(url) = url::Url::parse(link).ok() else { continue };
        let Some(canonical) = canonical_link(link) else { continue };
        let pairs = url.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
        groups.entry(canonical).or_default().push(pairs);
    }
    let groups = groups.into_iter().filter(|(_, group)| group.len() > 1);
    groups
        .map(|(canonical, group)| {
            let all: BTreeSet<String> = group.iter().flatten().cloned().collect();
            let differ = all.into_iter().filter(|pair| !group.iter().all(|one| one.contains(pair)));
            (canonical, differ.map(|pair| pair.split('=').next().unwrap().to_owned()).collect())
        })
        .collect()
}

#[test]
fn no_parameter_that_names_a_page_is_dropped_from_real_links() {
    let Some(path) = shared("real_urls_with_query_2022.txt.zst") else { return };
    let text = zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap();
    let text = String::from_utf8(text).unwrap();
    let links: Vec<&str> = text.lines().collect();
    let mut dropped: BTreeMap<String, usize> = BTreeMap::new();
    for link in &links {
        let (Ok(url), Some(canonical)) = (url::Url::parse(link), canonical_link(link)) else {
            continue;
        };
        for (name, _) in url.query_pairs() {
            if !canonical.contains(&format!("{name}=")) {
                *dropped.entry(name.to_string()).or_default() += 1;
            }
        }
    }
    println!("{} links, {} names of parameters dropped", links.len(), dropped.len());
    // Names that number pages, articles and threads on most sites.
    for name in
        ["id", "p", "v", "page", "article", "story", "t", "tid", "q", "s", "no", "aid", "sid"]
    {
        let count = dropped.get(name).copied().unwrap_or(0);
        assert!(count * 1_000 <= links.len(), "{name} was dropped {count} times");
    }
    let merged = merged(&links);
    for (canonical, differ) in merged.iter().filter(|(_, differ)| !differ.is_empty()) {
        println!("  one page: {canonical}, but for {differ:?}");
    }
}
