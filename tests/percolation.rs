//! Thousands of rules on thousands of short stories, held against the counts that other engines
//! agree on and against a plain evaluation of our own. The stories are no part of the repository;
//! without them this says so and passes.

#![expect(clippy::print_stderr, reason = "a test that is skipped says so, and tells its figures")]
#![expect(clippy::unwrap_used, reason = "a test may stop where it cannot go on")]

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

use wirewatch::model::RuleName;
use wirewatch::rule::{Compiled, Item, Lists, Rule, RuleSet};

/// How many stories the counts are of.
const STORIES: usize = 2_000;
/// Rules, and how many matches every engine that splits at each character which is no letter or
/// digit finds for them.
const COUNTS: [(usize, usize); 4] = [(100, 18), (1_000, 308), (10_000, 2_961), (100_000, 30_015)];

fn lines(name: &str) -> Option<Vec<String>> {
    let root = std::env::var_os("WIREWATCH_SHARED").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let path = root.join("data/percolation").join(name);
    let bytes = match path.extension().is_some_and(|end| end == "zst") {
        true => std::fs::File::open(&path).map(|file| zstd::decode_all(file).unwrap()),
        false => std::fs::read(&path),
    };
    if bytes.is_err() {
        eprintln!("SKIPPED: there is no {}", path.display());
    }
    Some(String::from_utf8(bytes.ok()?).unwrap().lines().map(str::to_owned).collect())
}

/// Some of the first, some of the second, none of the third.
struct Wanted([Vec<String>; 3]);

fn wanted(size: usize) -> Option<Vec<Wanted>> {
    let end = if size >= 10_000 { ".zst" } else { "" };
    let read = |line: &String| {
        let mut parts = line.split('\t').skip(1);
        let mut clause = || parts.next().unwrap().split('|').map(str::to_owned).collect();
        Wanted([clause(), clause(), clause()])
    };
    Some(lines(&format!("rules-{size}.tsv{end}"))?.iter().map(read).collect())
}

fn rule_set(rules: &[Wanted]) -> RuleSet {
    let any = |clause: &Vec<String>| {
        let terms: Vec<String> = clause.iter().map(|term| format!("=\"{term}\"")).collect();
        format!("({})", terms.join(" OR "))
    };
    let rule = |(number, Wanted([a, b, c])): (usize, &Wanted)| {
        let source = format!("{} AND {} AND NOT {}", any(a), any(b), any(c));
        let compiled = Compiled::new(&source, &Lists::default(), false).unwrap().0;
        let name = RuleName::new(number.to_string());
        Rule { name, compiled, feeds: None, languages: Vec::new() }
    };
    RuleSet::new(rules.iter().enumerate().map(rule).collect())
}

/// The words of a story as the other engines cut them, and each two in a row.
fn terms(story: &str) -> HashSet<String> {
    let lower = story.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.collect();
    let pairs = words.windows(2).map(|pair| pair.join(" "));
    words.iter().map(|word| (*word).to_owned()).chain(pairs).collect()
}

fn holds(Wanted([a, b, c]): &Wanted, story: &HashSet<String>) -> bool {
    let some = |clause: &Vec<String>| clause.iter().any(|term| story.contains(term));
    some(a) && some(b) && !some(c)
}

/// Whether one of the rule's words stands in the story right beside a sign that is part of a word
/// with us: "don't", "3.5", "U.S.", "AT&T".
fn is_a_matter_of_words(Wanted(clauses): &Wanted, story: &str) -> bool {
    let lower = story.to_lowercase();
    let joins = |at: Option<char>| at.is_some_and(|c| "'’‘.,&+#".contains(c));
    clauses.iter().flatten().flat_map(|term| term.split(' ')).any(|word| {
        lower.match_indices(word).any(|(at, _)| {
            let (before, after) = (&lower[..at], &lower[at + word.len()..]);
            joins(before.chars().next_back()) || joins(after.chars().next())
        })
    })
}

#[test]
fn counts_are_those_of_other_engines_but_for_what_is_a_word() {
    let Some(stories) = lines("short.txt") else { return };
    let stories = &stories[..STORIES];
    let words: Vec<HashSet<String>> = stories.iter().map(|story| terms(story)).collect();
    for (size, expected) in COUNTS {
        // A plain evaluation of the largest takes half an hour.
        if size > 10_000 {
            continue;
        }
        let Some(rules) = wanted(size) else { return };
        let set = rule_set(&rules);
        let (mut ours, mut theirs) = (BTreeSet::new(), BTreeSet::new());
        for (number, (story, words)) in stories.iter().zip(&words).enumerate() {
            let found = set.matches(&Item { text: story, lang: Some("en"), ..Item::default() });
            let found = found.iter().map(|found| found.rule.as_str().parse::<usize>().unwrap());
            ours.extend(found.map(|rule| (number, rule)));
            let plain = (0..rules.len()).filter(|rule| holds(&rules[*rule], words));
            theirs.extend(plain.map(|rule| (number, rule)));
        }
        assert_eq!(theirs.len(), expected, "the plain evaluation is what the count is of");
        let differ: Vec<_> = ours.symmetric_difference(&theirs).collect();
        eprintln!(
            "{size} rules: {} matches, {expected} elsewhere, {} differ",
            ours.len(),
            differ.len()
        );
        assert!(differ.len() * 100 <= expected, "{differ:?}");
        for (story, rule) in differ {
            assert!(is_a_matter_of_words(&rules[*rule], &stories[*story]), "{story} {rule}");
        }
    }
}

#[test]
fn the_count_of_a_hundred_thousand_rules_is_within_a_hundredth() {
    let Some(stories) = lines("short.txt") else { return };
    let (size, expected) = COUNTS[3];
    let Some(rules) = wanted(size) else { return };
    let set = rule_set(&rules);
    let matches = |story: &String| {
        set.matches(&Item { text: story, lang: Some("en"), ..Item::default() }).len()
    };
    let found: usize = stories[..STORIES].iter().map(matches).sum();
    eprintln!("{size} rules: {found} matches, {expected} elsewhere");
    assert!(found.abs_diff(expected) * 100 <= expected, "{found}");
}

#[test]
fn the_index_finds_what_asking_every_rule_finds() {
    let Some(stories) = lines("short.txt") else { return };
    let Some(rules) = wanted(1_000) else { return };
    let set = rule_set(&rules);
    for story in &stories[STORIES..STORIES + 200] {
        let item = Item { text: story, lang: Some("en"), ..Item::default() };
        assert_eq!(set.matches(&item), set.matches_one_by_one(&item), "{story}");
    }
}
