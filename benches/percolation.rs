//! Many rules against a stream of stories, beside the least that any engine must do (split a text,
//! lower-case it, look each word up) and beside mokaccino, a percolator.
//!
//! ```text
//! cargo bench --bench percolation
//! WIREWATCH_PERCOLATION=DIR cargo bench --bench percolation
//! ```
//!
//! Without a folder the rules and stories are made here. A folder holds `short.txt` with a story a
//! line, `rules-N.tsv` with `id<TAB>a|b|c<TAB>x y|d<TAB>e` for (a OR b OR c) AND ("x y" OR d) AND
//! NOT e, and perhaps `long.txt` with an article a line.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench may stop and has figures")]

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mokaccino::prelude::{CNFQueryable as _, Document, Percolator, Query};
use wirewatch::model::RuleName;
use wirewatch::rule::{Compiled, Item, Lists, Rule, RuleSet};

/// Alternatives of a clause; each is a word or a phrase.
type Clause = Vec<String>;

/// Each clause wanted, but none of the last.
struct Wanted {
    clauses: Vec<Clause>,
    unwanted: Clause,
}

fn folder() -> Option<PathBuf> {
    std::env::var_os("WIREWATCH_PERCOLATION").map(PathBuf::from)
}

fn lines(name: &str) -> Option<Vec<String>> {
    let path = folder()?.join(name);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(_) => {
            zstd::decode_all(std::fs::File::open(path.with_extension("tsv.zst")).ok()?).unwrap()
        }
    };
    Some(String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect())
}

/// The next number of a sequence that is the same in every run.
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

/// A word; small numbers come often, as in any language.
fn made_word(state: &mut u64) -> String {
    const PARTS: [&str; 16] = [
        "ba", "che", "dor", "fin", "gal", "hu", "ket", "lo", "mar", "ni", "pol", "ra", "ster",
        "ti", "ven", "zu",
    ];
    let share = (next(state) % 10_000) as f64 / 10_000.0;
    let mut number = (20_000.0_f64.powf(share)) as usize;
    let mut word = String::new();
    while number > 0 || word.is_empty() {
        word.push_str(PARTS[number % 16]);
        number /= 16;
    }
    word
}

fn made_stories(count: usize, words: usize) -> Vec<String> {
    let mut state = 7;
    let mut story = || {
        let mut text = String::new();
        for at in 0..words {
            let end = if at % 17 == 16 { ". " } else { " " };
            write!(text, "{}{end}", made_word(&mut state)).unwrap();
        }
        text
    };
    (0..count).map(|_| story()).collect()
}

fn made_rules(count: usize) -> Vec<Wanted> {
    let mut state = 11;
    let mut rare = || loop {
        let word = made_word(&mut state);
        if word.len() > 6 {
            return word;
        }
    };
    let mut rule = |_| Wanted {
        clauses: vec![vec![rare(), rare()], vec![format!("{} {}", rare(), rare()), rare(), rare()]],
        unwanted: vec![rare()],
    };
    (0..count).map(&mut rule).collect()
}

fn stories(long: bool) -> Vec<String> {
    let (name, count, words) = if long { ("long.txt", 100, 900) } else { ("short.txt", 2_000, 38) };
    let mut found = lines(name).unwrap_or_else(|| match (long, lines("short.txt")) {
        // Without articles, several stories make one.
        (true, Some(short)) => short.chunks(25).map(|some| some.join(" ")).collect(),
        _ => made_stories(count, words),
    });
    found.truncate(count);
    found
}

fn rules(count: usize) -> Vec<Wanted> {
    let Some(lines) = lines(&format!("rules-{count}.tsv")) else { return made_rules(count) };
    let clause = |text: &str| -> Clause { text.split('|').map(str::to_owned).collect() };
    let read = |line: &String| {
        let mut parts = line.split('\t').skip(1);
        let clauses = [parts.next(), parts.next()].into_iter().flatten();
        let clauses = clauses.filter(|clause| !clause.is_empty()).map(clause).collect();
        let unwanted = parts.next().filter(|last| !last.is_empty()).map(clause);
        Wanted { clauses, unwanted: unwanted.unwrap_or_default() }
    };
    lines.iter().map(read).collect()
}

fn expression(wanted: &Wanted, exact: bool) -> String {
    let sign = if exact { "=" } else { "" };
    let term = |term: &String| format!("{sign}\"{term}\"");
    let any = |clause: &Clause| clause.iter().map(term).collect::<Vec<_>>().join(" OR ");
    let mut parts: Vec<String> =
        wanted.clauses.iter().map(|clause| format!("({})", any(clause))).collect();
    if !wanted.unwanted.is_empty() {
        parts.push(format!("NOT ({})", any(&wanted.unwanted)));
    }
    parts.join(" AND ")
}

fn rule_set(wanted: &[Wanted], exact: bool) -> RuleSet {
    let lists = Lists::default();
    let rule = |(number, wanted): (usize, &Wanted)| {
        let compiled = Compiled::new(&expression(wanted, exact), &lists, false).unwrap().0;
        let name = RuleName::new(number.to_string());
        Rule { name, compiled, feeds: None, languages: Vec::new() }
    };
    RuleSet::new(wanted.iter().enumerate().map(rule).collect())
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// The least that any engine must do.
fn floor(text: &str, known: &HashMap<String, u32>) -> u32 {
    words(text).filter_map(|word| known.get(&word)).sum()
}

fn percolator(wanted: &[Wanted], pairs: &mut HashSet<String>) -> Percolator {
    let mut percolator = Percolator::default();
    for rule in wanted {
        let mut term = |term: &String| -> Query {
            if term.contains(' ') {
                pairs.insert(term.clone());
            }
            "w".has_value(term.as_str())
        };
        let mut any = |clause: &Clause| {
            let terms: Vec<Query> = clause.iter().map(&mut term).collect();
            terms.into_iter().reduce(|a, b| a | b).unwrap()
        };
        let mut query = any(&rule.clauses[0]);
        for clause in &rule.clauses[1..] {
            query = query & any(clause);
        }
        if !rule.unwanted.is_empty() {
            query = query & !any(&rule.unwanted);
        }
        percolator.add_query(query);
    }
    percolator
}

/// A story for the percolator, which knows no phrases: pairs are values.
fn document(text: &str, pairs: &HashSet<String>) -> Document {
    let words: Vec<String> = words(text).collect();
    let mut document = Document::default();
    for pair in words.windows(2).map(|pair| pair.join(" ")).filter(|pair| pairs.contains(pair)) {
        document = document.with_value("w", pair);
    }
    for word in words {
        document = document.with_value("w", word);
    }
    document
}

fn sizes() -> Vec<usize> {
    let given = std::env::var("WIREWATCH_RULES").unwrap_or_else(|_| "100,1000,10000,100000".into());
    given.split(',').map(|size| size.parse().unwrap()).collect()
}

fn percolation(c: &mut Criterion) {
    let texts = [("short", stories(false)), ("long", stories(true))];
    for size in sizes() {
        let wanted = rules(size);
        let known: HashMap<String, u32> = wanted
            .iter()
            .flat_map(|rule| rule.clauses.iter().flatten())
            .flat_map(|term| words(term))
            .map(|word| (word, 1))
            .collect();
        let begun = Instant::now();
        let exact = rule_set(&wanted, true);
        let loaded = begun.elapsed();
        let tolerant = rule_set(&wanted, false);
        let mut pairs = HashSet::new();
        let percolator = percolator(&wanted, &mut pairs);
        println!(
            "{size} rules: loaded in {loaded:?}, index {} bytes a rule, {} without an anchor",
            exact.index_bytes() / size,
            exact.unindexed().len()
        );
        for (kind, texts) in &texts {
            let ask = |rules: &RuleSet| -> usize {
                let item = |text| Item { text, lang: Some("en"), ..Item::default() };
                texts.iter().map(|text| rules.matches(&item(text)).len()).sum()
            };
            let theirs = || -> usize {
                texts.iter().map(|t| percolator.percolate(&document(t, &pairs)).count()).sum()
            };
            println!(
                "{size} rules, {kind}: matches of exact forms {}, of tolerant forms {}, mokaccino {}",
                ask(&exact),
                ask(&tolerant),
                theirs()
            );
            let mut group = c.benchmark_group(format!("{kind} {size}"));
            group.sample_size(10).warm_up_time(Duration::from_secs(1));
            group.throughput(Throughput::Elements(texts.len() as u64));
            group.bench_function("floor", |b| {
                b.iter(|| texts.iter().map(|text| floor(black_box(text), &known)).sum::<u32>());
            });
            group.bench_function("exact", |b| b.iter(|| black_box(ask(&exact))));
            group.bench_function("tolerant", |b| b.iter(|| black_box(ask(&tolerant))));
            group.bench_function("mokaccino", |b| b.iter(|| black_box(theirs())));
            group.finish();
        }
    }
}

criterion_group!(benches, percolation);
criterion_main!(benches);
