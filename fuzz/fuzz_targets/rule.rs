//! Rules as people type them: no panic, neither in reading nor in matching.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wirewatch::model::RuleName;
use wirewatch::rule::{Compiled, Item, Lists, Rule, RuleSet};

fuzz_target!(|source: &str| {
    let lists = Lists::parse(&[("us", "US OR Pentagon"), ("china", "{China} OR Beijing")]).0;
    let Ok((compiled, _)) = Compiled::new(source, &lists, false) else { return };
    let name = RuleName::new("fuzzed".to_string());
    let rules = RuleSet::new(vec![Rule { name, compiled, feeds: None, languages: Vec::new() }]);
    // The rule's own words are the likeliest to match it.
    let item = Item { title: "Pentagon and Beijing talk", text: source, feed: "wire", ..Item::default() };
    for found in rules.matches(&item) {
        let _ = found;
    }
});
