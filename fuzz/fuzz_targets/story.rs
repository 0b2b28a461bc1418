//! Stories of any kind under rules of every kind: no panic, and the index finds what asking each
//! rule finds.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use wirewatch::model::RuleName;
use wirewatch::rule::{Compiled, Item, Lists, Rule, RuleSet, search_words};

static RULES: LazyLock<RuleSet> = LazyLock::new(|| {
    let lists = Lists::parse(&[("us", "US OR Pentagon"), ("china", "{China} OR 中国")]).0;
    let expressions = [
        "@us AND @china", "@us NEAR/8 @china", "talk~ SENT minister", "a PARA b", "\"a b\"~3",
        "F-16 OR military-to-military", "inter* AND NOT *chip", "ATLEAST/2 a", "2 OF (a, b, c)",
        "SCORE/5 (a^3, b^2, c^-1)", "/[0-9]{2,4} (a|b)/", "title:a OR lead:b", "북한 OR ประเทศ OR 自衛隊",
        "a NOT NEAR/2 b", "NATO OR IT", "NOT a", "lang:en AND site:example.org",
    ];
    let rule = |(number, source): (usize, &&str)| {
        let (compiled, _) = Compiled::new(source, &lists, true).ok()?;
        let name = RuleName::new(number.to_string());
        Some(Rule { name, compiled, feeds: None, languages: Vec::new() })
    };
    RuleSet::new(expressions.iter().enumerate().filter_map(rule).collect())
});

fuzz_target!(|story: (&str, &str)| {
    let (title, text) = story;
    let item = Item { title, text, url: Some(title), feed: "wire", ..Item::default() };
    let found = RULES.matches(&item);
    assert_eq!(found, RULES.matches_one_by_one(&item));
    for span in found.iter().flat_map(|found| &found.spans) {
        assert!(item.text_of(span.field).get(span.start..span.end).is_some());
    }
    for name in RULES.names() {
        assert!(RULES.explain(name, &item).is_some());
    }
    let _ = search_words(title, text);
});
