//! The language as a table: what a rule says of a text, and what is wrong
//! with a rule.

use proptest::prelude::*;

use super::{Compiled, Item, Lists, Rule, RuleSet, SyntaxError};
use crate::model::{FeedName, Field, RuleName};
use crate::text::token::scan;

fn lists() -> Lists {
    let (lists, errors) = Lists::parse(&[
        ("us", "US OR USA OR \"United States\" OR Pentagon"),
        ("china", "{China} OR Chinese OR \"South China Sea\" OR 中国"),
        ("both", "@us OR @china"),
        ("jets", "jet AND NOT lag"),
    ]);
    assert!(errors.is_empty(), "{errors:?}");
    lists
}

fn compiled(expr: &str) -> Compiled {
    match Compiled::new(expr, &lists(), true) {
        Ok((compiled, _)) => compiled,
        Err(errors) => panic!("{expr}: {errors:?}"),
    }
}

fn rule(expr: &str) -> Rule {
    let name = RuleName::new("r");
    Rule { name, compiled: compiled(expr), feeds: None, languages: Vec::new() }
}

/// Evidence as `field:words`, or `None` when the rule does not hold.
fn evidence(rule: Rule, item: &Item<'_>) -> Option<Vec<String>> {
    let matches = RuleSet::new(vec![rule]).matches(item);
    let spans = &matches.first()?.spans;
    let shown = spans.iter().map(|span| {
        let of = item.text_of(span.field);
        let words = of.get(span.start..span.end).expect("spans are on character boundaries");
        match span.field {
            Field::Title => words.to_owned(),
            field => format!("{}:{words}", field.as_str()),
        }
    });
    Some(shown.collect())
}

/// The part of `text` before `|` is the title.
fn item(text: &str) -> Item<'_> {
    let (title, text) = text.split_once('|').unwrap_or((text, ""));
    Item { title, text, feed: "Asia-Desk", lang: Some("en-US"), ..Item::default() }
}

/// `expected` lists the evidence, separated by `; `; `-` means no match.
fn check(expr: &str, text: &str, expected: &str) {
    let found = evidence(rule(expr), &item(text));
    let shown = found.map_or_else(|| "-".to_owned(), |spans| spans.join("; "));
    assert_eq!(shown, expected, "{expr} in {text}");
}

#[test]
fn plain_words_match_any_case_accents_plural_and_possessive() {
    check("talks", "TALKS fail", "TALKS");
    check("talks", "Talk fails", "-");
    check("minister", "Ministers meet", "Ministers");
    check("minister", "the minister’s plane", "minister");
    check("minister", "the ministers' plane", "ministers");
    check("ministers", "the minister", "-");
    check("résumé", "Resume the RÉSUMÉS", "Resume; RÉSUMÉS");
    check("resume", "re\u{301}sume\u{301} sent", "re\u{301}sume\u{301}");
    check("talks", "Ｔａｌｋｓ on", "Ｔａｌｋｓ");
    check("new", "News of the world", "-");
    check("ally", "allies", "allies");
    check("ally", "allys", "-");
    check("toy", "toys", "toys");
    check("clash", "clashes", "clashes");
    check("veto", "vetoes and vetos", "vetoes; vetos");
    check("go", "goes", "-");
    check("minister", "administer", "-");
    check("москва", "МОСКВА сегодня", "МОСКВА");
    check("don't", "They don’t", "don’t");
    check("O’Brien", "o'brien spoke", "o'brien");
    check("Iran", "la politique de l’Iran", "Iran");
    check(
        "minister",
        "minister|a minister met a minister",
        "minister; text:minister; text:minister",
    );
}

#[test]
fn short_words_in_capitals_want_capitals() {
    check("US", "tell us how", "-");
    check("US", "A U.S. ship", "U.S.");
    check("US", "the U.S", "U.S");
    check("US", "the US's ship and U.S.’s", "US; U.S.");
    check("US", "U.S.-China and US–China", "U.S.; US");
    check("U.S.", "US ship", "US");
    check("US", "TELL US HOW IT WENT", "-");
    check("US", "TELL U.S. HOW IT WENT", "U.S.");
    check("US", "TRADE: US, EU TALK", "US");
    check("PLA", "THE PLA SENDS SHIPS", "PLA");
    check("PLA", "a pla, a Pla", "-");
    check("us", "tell us of the US and U.S.", "us; US");
    check("NATO", "Nato, NATO, nato, N.A.T.O.", "Nato; NATO; N.A.T.O.");
    check("e.g.", "E.G. this, eg that", "E.G.");
    check("США", "сша и США", "США");
    check("G7", "g7 leaders", "g7");
}

#[test]
fn braces_want_the_word_as_written_and_equals_its_form() {
    check("{China}", "china shop", "-");
    check("{China}", "China’s shop", "China");
    check("{China}", "CHINA shop", "-");
    check("{Résumé}", "Resume Résumé", "Résumé");
    check("{U.S.}", "the US, U.S", "U.S");
    check("{New China}", "New China, new China", "New China");
    check("=ministers", "MINISTERS' minister", "MINISTERS");
    check("=minister", "ministers", "-");
    check("=\"ruled out\"", "Ruled out: talks", "Ruled out");
    check("=\"cruise missile\"", "cruise missiles", "-");
}

#[test]
fn wildcards_fit_inside_one_word() {
    check(
        "intercept*",
        "Interception, intercepts, an intercept",
        "Interception; intercepts; intercept",
    );
    check("defen?e", "defence defense defene", "defence; defense");
    check("*chip", "microchip chips", "microchip");
    check("co*tion", "coalition cotton", "coalition");
    check("\"patrol* boat\"", "patrolling boats", "patrolling boats");
    check("\"who are you?\"", "who are you", "who are you");
}

#[test]
fn parts_of_a_hyphenated_word_are_joined_by_anything_or_nothing() {
    check("F-16", "F-16 F16 F 16 F–16s f/16 F16s", "F-16; F16; F 16; F–16s; f/16; F16s");
    check("F-16", "F. 16 and F, 16", "-");
    check(
        "military-to-military",
        "military to military, military‑to-military",
        "military to military; military‑to-military",
    );
    check("US–China", "U.S.-China; us-china; US China; USChina", "U.S.-China; US China; USChina");
    check("COVID-19", "Covid19 covid-19 COVID 19", "Covid19; COVID 19");
    check("CVE-2026-1234", "CVE-2026-1234", "CVE-2026-1234");
    check("and/or", "and or", "and or");
    check("example.org", "see example.org/x, example org", "example.org");
    check("12:30", "at 12:30 not 12 30", "12:30");
}

#[test]
fn phrases_are_adjacent_tokens_of_one_paragraph() {
    check("\"cyber attack\"", "cyber-attack, Cyber attacks", "cyber-attack; Cyber attacks");
    check("“cyber attack”", "cyber attack", "cyber attack");
    check(
        "\"People's Liberation Army\"",
        "the People’s Liberation Army’s",
        "People’s Liberation Army",
    );
    check("\"a b\"", "a|b", "-");
    check("\"arms talks\"", "x|arms\ntalks", "-");
    check("\"arms talks\"", "arms x talks", "-");
    check("\"US military\"", "tell us military news", "-");
    check("\"F-16 jet\"", "F16 jets", "F16 jets");
    check("\"{Turkey} summit\"", "turkey summit, Turkey summits", "Turkey summits");
}

#[test]
fn special_words_and_other_scripts_have_their_own_tokens() {
    check("C++", "C++ and C", "C++");
    check("C#", "C# code", "C#");
    check("AT&T", "AT&T’s", "AT&T");
    check("3.5", "3.5%, 3 5", "3.5");
    check("1,000", "1,000 ships", "1,000");
    check("#metoo", "#MeToo", "MeToo");
    check("中国", "美国中国关系", "中国");
    check("中国", "中 国", "-");
    check("自衛隊", "海上自衛隊の艦", "自衛隊");
    check("カー", "スーパーカー", "カー");
    check("북한", "북한이 발사", "북한이");
    check("=북한", "북한이 발사", "-");
    check("ประเทศ", "ในประเทศไทย", "ประเทศ");
    check("US", "US와 中US国", "US; US");
    check("\"中国 军队\"", "中国军队", "中国军队");
}

#[test]
fn operators_scopes_and_lists_combine() {
    check("a AND b", "b a", "b; a");
    check("a OR b", "b a", "b; a");
    check("a AND NOT b", "a", "a");
    check("a NOT b", "a b", "-");
    check("a -b", "a b", "-");
    check("a not b", "a b", "-");
    check("（a OR b） AND c", "c b", "c; b");
    check("NOT a", "b", "");
    check("NOT NOT a", "a", "a");
    check("title:a", "b|a", "-");
    check("text:(a OR b)", "a|b", "text:b");
    check("a AND NOT title:b", "a|b", "a");
    check("feed:asia-desk AND a", "a", "a; feed:Asia-Desk");
    check("feed:asia* AND a", "a", "a; feed:Asia-Desk");
    check("feed:asia AND a", "a", "-");
    check("feed:(x OR asia-desk) AND a", "a", "a; feed:Asia-Desk");
    check("lang:en AND a", "a", "a; lang:en-US");
    check("lang:en-GB AND a", "a", "-");
    check("@us AND @china", "Pentagon and China|the US and us", "Pentagon; China; text:US");
    check("title:@both", "中国|US", "中国");
    check("@china", "in the South China Sea", "South China Sea");
    check("@jets", "jet lag", "-");
}

#[test]
fn filters_of_a_rule_look_at_feed_and_language() {
    let german = "Der Minister reist am Montag nach Brüssel und spricht dort über die Lage";
    let check = |feeds: Option<&str>, languages: &[&str], lang: Option<&str>, expected: bool| {
        let mut rule = rule("minister");
        rule.feeds = feeds.map(|feed| vec![FeedName::new(feed)]);
        rule.languages = languages.iter().map(|lang| (*lang).to_owned()).collect();
        let item = Item { title: german, feed: "f", lang, ..Item::default() };
        assert_eq!(evidence(rule, &item).is_some(), expected, "{feeds:?} {languages:?} {lang:?}");
    };
    check(Some("f"), &[], None, true);
    check(Some("g"), &[], None, false);
    check(None, &["de"], None, true);
    check(None, &["en"], None, false);
    check(None, &["en"], Some("en-GB"), true);
    check(None, &["en", "de"], Some("fr"), false);
    let short = Item { title: "minister", feed: "f", ..Item::default() };
    let mut english = rule("minister");
    english.languages = vec!["en".to_owned()];
    assert!(evidence(english, &short).is_some(), "an unknown language passes");
    assert!(evidence(rule("minister AND lang:en"), &short).is_none());
}

#[test]
fn evidence_is_bounded() {
    let many = "word ".repeat(100);
    assert_eq!(evidence(rule("word"), &item(&many)).map(|spans| spans.len()), Some(8));
    let expr: Vec<String> = (0..20).map(|n| format!("w{n}")).collect();
    let text = expr.join(" ").repeat(8).replace("w19w0", "w19 w0");
    let found = evidence(rule(&expr.join(" OR ")), &item(&text));
    assert_eq!(found.map(|spans| spans.len()), Some(64));
}

/// `expected` holds a line for each error: the span's text, the message, and
/// the hint if there is one.
fn check_errors(expr: &str, expected: &[(&str, &str, &str)]) {
    let errors = Compiled::new(expr, &lists(), false).map(|(c, _)| c.canonical()).unwrap_err();
    let shown: Vec<(&str, &str, &str)> = errors
        .iter()
        .map(|e: &SyntaxError| {
            (&expr[e.span.clone()], e.message.as_str(), e.hint.as_deref().unwrap_or_default())
        })
        .collect();
    assert_eq!(shown, expected, "{expr}");
}

#[test]
fn what_a_reader_could_take_in_two_ways_is_refused() {
    check_errors(
        "a AND b OR c",
        &[(
            "OR",
            "AND and OR stand side by side and could be read in two ways",
            "write (a AND b) OR c or a AND (b OR c)",
        )],
    );
    check_errors(
        "a b",
        &[(
            "a b",
            "nothing says how these belong together",
            "write \"a b\" for the phrase, or a AND b for all of the words",
        )],
    );
    check_errors(
        "@us (a)",
        &[(
            "@us (a)",
            "nothing says how these belong together",
            "write @us AND (a), or OR between them",
        )],
    );
    check_errors(
        "a, b",
        &[(
            ",",
            "a comma does not combine terms",
            "write OR between them if one of them is enough",
        )],
    );
}

#[test]
fn stems_find_every_inflection() {
    check("negotiate~", "Negotiations: he negotiated", "Negotiations; negotiated");
    check("decline~", "Declining, declines", "Declining; declines");
    check("police~", "a policy", "-");
    check("intercept~ NEAR/3 jet", "jets intercepting", "jets; intercepting");
    check("\"meet~ hotline\"", "meetings hotlines", "meetings hotlines");
    let in_language = |lang, expr: &str, title: &str| {
        let item = Item { title, lang, ..Item::default() };
        evidence(rule(expr), &item).is_some()
    };
    assert!(in_language(Some("fr"), "négocier~", "Ils négocieront demain"));
    assert!(in_language(Some("ru"), "переговоры~", "О переговорах"));
    assert!(in_language(None, "переговоры~", "О переговорах"));
    assert!(!in_language(Some("pl"), "negotiate~", "negotiations"));
    assert!(in_language(Some("pl"), "negotiate~", "negotiate"));
    assert!(in_language(None, "negotiate~", "negotiating"));
    check("\"Reuters negotiate~\"", "reuters negotiated", "reuters negotiated");
}

#[test]
fn regular_expressions_look_at_the_text_as_it_stands() {
    let yards = r"/within \d{2,4} (yards|met(er|re)s)/".replace("\\\\", "\\");
    check(&yards, "came within 150 yards of it", "within 150 yards");
    check(&yards, "Within 150 yards", "-");
    check(&format!("{yards}i"), "Within 150 metres", "Within 150 metres");
    check(&format!("ship AND {yards}"), "ships within 150 metres", "ships; within 150 metres");
    check(r"/a\/b/", "x a/b", "a/b");
    check("/CVE-2026-[0-9]+/ NEAR/3 exploit", "exploit for CVE-2026-77", "exploit; CVE-2026-77");
    check("title:/talks/", "x|talks", "-");
    check("lead:/talks/", "x|talks", "text:talks");
}

#[test]
fn scopes_look_at_one_part_of_a_story() {
    let far = format!("x|{} hotline", "word ".repeat(60));
    check("lead:hotline", &far, "-");
    check("hlead(hotline)", &far, "-");
    check("text:hotline", &far, "text:hotline");
    check("lead:hotline", "x|a hotline", "text:hotline");
    check("hlead(hotline)", "hotline|a hotline", "hotline; text:hotline");
    let (authors, categories) =
        (["Ann Smith".to_owned(), "Bo Li".to_owned()], ["World".to_owned()]);
    let check = |expr: &str, expected: &str| {
        let item = Item {
            title: "Ships meet",
            text: "BEIJING (AP) — Ships meet.",
            url: Some("https://www.example.co.uk:8080/world/us-china?x=1"),
            authors: &authors,
            categories: &categories,
            source: Some("Example News"),
            source_url: Some("https://news.example.org/feed"),
            ..item("")
        };
        let found = evidence(rule(expr), &item).map(|spans| spans.join("; "));
        assert_eq!(found.as_deref().unwrap_or("-"), expected, "{expr}");
    };
    check("author:smith", "author:Smith");
    check("author:\"smith bo\"", "-");
    check("author:\"bo li\"", "author:Bo Li");
    check("smith", "-");
    check("category:world AND ship", "Ships; text:Ships; category:World");
    check("source:(AP OR Reuters)", "source:AP");
    check("source:\"example news\"", "source:Example News");
    check("Beijing OR AP", "-");
    check("url:us-china", "url:us-china");
    check("site:example.co.uk", "url:www.example.co.uk");
    check("site:*.co.uk", "url:www.example.co.uk");
    check("site:ample.co.uk", "-");
    check("site:(bbc.co.uk OR example.*)", "url:www.example.co.uk");
}

#[test]
fn slips_with_stems_scopes_and_patterns_are_explained() {
    check_errors(
        "meet~2",
        &[("meet~2", "words like this one are not looked for", "write meet~ for its inflections")],
    );
    check_errors(
        "=meet~",
        &[(
            "=meet~",
            "a word as written has no inflections",
            "leave out ~, or the braces or equals sign",
        )],
    );
    check_errors(
        "/yards",
        &[(
            "/",
            "this regular expression is never closed",
            "put / after it; to find a slash, put the word in quotes",
        )],
    );
    check_errors(
        "/a*/",
        &[(
            "a*",
            "this regular expression is found everywhere, in an empty text too",
            "say what must be there at least",
        )],
    );
    check_errors(
        "site:example.org/news",
        &[(
            "example.org/news",
            "a site is a host, without the rest",
            "write site:example.org, or url:(...) for its words",
        )],
    );
    check_errors("tittle:a", &[("tittle:", "unknown scope \"tittle:\"", "did you mean title:?")]);
}

#[test]
fn a_search_is_narrowed_to_words_that_must_be_there() {
    let check = |expr: &str, expected: Option<&str>| {
        let compiled = Compiled::search(expr, &lists()).unwrap().0;
        let set = RuleSet::new(vec![Rule { compiled, ..rule("a") }]);
        assert_eq!(set.narrowing().as_deref(), expected, "{expr}");
    };
    check("hotline zebra", Some("(\"hotline\" OR \"hotlines\") AND (\"zebra\" OR \"zebras\")"));
    check("hotline OR =zebra", Some("(\"hotline\" OR \"hotlines\" OR \"zebra\")"));
    check("intercept* AND NOT jet", Some("(\"intercept\"*)"));
    check("meet~", None);
    check("author:smith", None);
    check("author:smith hotline", Some("(\"hotline\" OR \"hotlines\")"));
    check("=\"AT&T\"", Some("(\"at\u{E026}t\")"));
    assert_eq!(super::search_words("U.S. ships", "At AT&T, 中国"), "at at\u{E026}t ships us 中 国");
}

#[test]
fn what_came_closest_is_told() {
    let check = |expr: &str, text: &str, expected: &str, nearly: bool| {
        let set = RuleSet::new(vec![rule(expr)]);
        let verdict = set.explain(&RuleName::new("r"), &item(text)).unwrap();
        let reason = expected.to_owned();
        assert_eq!(verdict, super::Verdict::Fails { reason, nearly }, "{expr}");
    };
    check(
        "@china AND @us AND hotline",
        "China talks to the Pentagon",
        "it has @china and @us; but no \"hotline\" in title or text",
        true,
    );
    check("zebra AND hotline", "ships", "no \"zebra\" in title or text", false);
    check(
        "zebra NEAR/2 hotline",
        "zebra one two three hotline",
        "zebra and hotline are there, but 4 words apart, not as NEAR/2 wants",
        false,
    );
    check(
        "zebra AND NOT hotline",
        "zebra hotline",
        "it has zebra; but excluded by \"hotline\"",
        true,
    );
}

#[test]
fn a_match_that_hangs_on_capitals_alone_is_marked() {
    let check = |expr: &str, title: &str, expected: bool| {
        let item = Item { title, ..Item::default() };
        let found = RuleSet::new(vec![rule(expr)]).matches(&item);
        assert_eq!(
            found.first().map(|found| found.capitals_only),
            Some(expected),
            "{expr}: {title}"
        );
    };
    check("PLA", "THE PLA SENDS SHIPS", true);
    check("PLA", "The PLA sends ships", false);
    check("PLA OR ship", "THE PLA SENDS SHIPS", false);
    check("NATO", "NATO SENDS SHIPS", true);
    check("{CHINA}", "CHINA SENDS SHIPS", true);
    check("ship", "CHINA SENDS SHIPS", false);
    check("US", "U.S. SENDS SHIPS", false);
}

#[test]
fn the_index_finds_what_asking_every_rule_finds() {
    let rules = {
        let exprs = [
            "a AND b",
            "\"a b\" OR c",
            "@both AND NOT d",
            "2 OF (a, b, c)",
            "3 OF (a, b, c)",
            "SCORE/5 (a^3, b^2, c^5, d^-4)",
            "F-16 NEAR/3 a",
            "a NOT NEAR/2 b",
            "NOT (a AND b)",
            "feed:asia-*",
            "ATLEAST/2 a",
            "/c+d/ OR e",
            "ca* AND defen?e",
            "negotiate~",
            "author:a OR b",
        ];
        let named = exprs.into_iter().enumerate();
        named.map(|(at, expr)| Rule { name: RuleName::new(format!("r{at}")), ..rule(expr) })
    };
    let mut set = RuleSet::new(rules.collect());
    let words = ["a", "b", "c", "d", "e", "US", "China", "F16", "defence", "negotiated", "cat"];
    let mut state = 7_usize;
    for round in 0..1_000 {
        let mut text = String::new();
        for _ in 0..round % 9 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040);
            text.push_str(words[(state >> 33) % words.len()]);
            text.push(' ');
        }
        let item = Item { text: &text, ..item("") };
        assert_eq!(set.matches(&item), set.matches_one_by_one(&item), "{text}");
        if round == 600 {
            assert!(set.remove(&RuleName::new("r3")));
            assert!(!set.remove(&RuleName::new("r3")));
            set.replace(Rule { name: RuleName::new("r0"), ..rule("zebra AND cat") });
            set.add(Rule { name: RuleName::new("new"), ..rule("cat") });
        }
    }
    let found = set.matches(&Item { text: "zebra cat", feed: "x", ..Item::default() });
    let names: Vec<&str> = found.iter().map(|found| found.rule.as_str()).collect();
    assert_eq!(names, ["r0", "r8", "new"]);
    assert_eq!(set.len(), 15);
    let always: Vec<String> = set.unindexed().iter().map(ToString::to_string).collect();
    assert_eq!(always, ["r8", "r9", "r11"]);
}

#[test]
fn all_errors_are_told_at_once() {
    check_errors(
        "@chinna AND (a NEAR/0 @nobody) AND /(/",
        &[
            ("@chinna", "there is no list \"@chinna\"", "did you mean \"@china\"?"),
            ("NEAR/0", "0 does not do here: write a number from 1 to 1000", ""),
            ("@nobody", "there is no list \"@nobody\"", "define it under [terms]"),
            (
                "(",
                "this is no regular expression: unclosed group",
                "\\d, \\w, (a|b), {2,4} are known; look-around and back-references are not",
            ),
        ],
    );
}

#[test]
fn near_counts_words_in_either_order() {
    check("unsafe NEAR/1 jet", "an unsafe jet", "unsafe; jet");
    check("unsafe NEAR/1 jet", "a jet, unsafe", "jet; unsafe");
    check("unsafe NEAR/1 jet", "an unsafe old jet", "-");
    check("unsafe NEAR/2 jet", "an unsafe old jet", "unsafe; jet");
    check("unsafe W/2 jet", "an unsafe old jet", "unsafe; jet");
    check("unsafe near2 jet", "an unsafe old jet", "unsafe; jet");
    check("unsafe /2 jet", "an unsafe old jet", "unsafe; jet");
    check("unsafe NEAR/9 jet", "unsafe|jet", "-");
    check("unsafe NEAR/9 jet", "x|unsafe.\nA jet", "text:unsafe; text:jet");
    check("(unsafe OR risky) NEAR/1 (jet OR ship)", "risky ships", "risky; ships");
    check("\"very unsafe\" NEAR/1 \"old jet\"", "very unsafe old jets", "very unsafe; old jets");
    check("@us NEAR/3 @china", "US and Chinese talks", "US; Chinese");
    check("@china NEAR/2 dispute", "South China Sea dispute", "South China Sea; dispute");
    check("{China} NEAR/1 sea", "South China Sea", "China; Sea");
    check("中国 NEAR/3 美国", "中国和美国", "中国; 美国");
    check("title:(unsafe NEAR/3 jet)", "calm|unsafe jet", "-");
    check("talk NEAR/3 talk", "talk to talk", "talk; talk");
    check("talk NEAR/3 talk", "talk", "-");
    check("a1 NEAR/2 b2 NEAR/2 c3", "a1 b2 c3", "a1; b2; c3");
    check("(a1 NEAR/2 b2) NEAR/1 c3", "c3 a1 x b2", "c3; a1; b2");
    // Each place with its nearest.
    check("unsafe NEAR/5 jet", "jet x x unsafe jet", "unsafe; jet");
    check("sport AND unsafe NEAR/2 jet", "sport: unsafe jet", "sport; unsafe; jet");
    check("NOT (unsafe NEAR/2 jet) AND jet", "jet", "jet");
}

#[test]
fn what_stands_between_two_words_is_near_them() {
    check("(zebra NEAR/9 lion) NEAR/2 hotline", "zebra x hotline x lion", "zebra; hotline; lion");
    check("(zebra NEAR/9 lion) NEAR/1 hotline", "zebra x hotline x lion", "-");
    check("(zebra NEAR/9 lion) NEAR/2 zebra", "zebra x lion", "-");
    check("(zebra NEAR/9 lion) SENT hotline", "zebra hotline lion", "zebra; hotline; lion");
    check("(zebra NEAR/9 lion) NOT NEAR/1 hotline", "zebra hotline lion", "-");
}

#[test]
fn a_loose_phrase_has_room_for_some_words() {
    check("\"red cross\"~1", "the red cross", "red cross");
    check("\"red cross\"~1", "the red old cross", "red old cross");
    check("\"red cross\"~1", "the red old iron cross", "-");
    check("\"red cross\"~2", "cross the red line", "-");
    check("\"a1 b2 c3\"~2", "a1 x b2 y c3", "a1 x b2 y c3");
    check("\"a1 b2 c3\"~1", "a1 x b2 y c3", "-");
    check("\"red cross\"~5", "x|red\ncross", "-");
    check("=\"red cross\"~1", "red old crosses, red old cross", "red old cross");
    check("\"red F-16 jet\"~1", "red old F16 jet", "red old F16 jet");
    check("\"red F-16\"~3", "red F or 16", "-");
    check("\"red cross\"~1 NEAR/1 aid", "red old cross aid", "red old cross; aid");
    assert_eq!(compiled("“red cross”~2 AND aid").canonical(), "\"red cross\"~2 AND aid");
    let check = |expr: &str, at: &str, message: &str, hint: &str| {
        check_errors(expr, &[(at, message, hint)]);
    };
    check("\"a b\"~", "~", "how many words may stand between?", "write ~3 for at most three");
    check("\"a b\"~0", "~0", "0 does not do here: write a number from 1 to 100", "");
    check("feed:\"a b\"~3", "~3", "only words of a text can have others between them", "");
}

#[test]
fn the_nearest_operator_is_named() {
    let check = |expr: &str, at: &str, meant: &str| {
        let errors = Compiled::new(expr, &lists(), false).map(|(c, _)| c.canonical()).unwrap_err();
        let [error] = errors.as_slice() else { panic!("{expr}: {errors:?}") };
        assert_eq!(&expr[error.span.clone()], at, "{expr}");
        assert_eq!(error.message, format!("there is no operator \"{at}\""));
        let hint = error.hint.as_deref().unwrap_or_default();
        assert!(hint.starts_with(&format!("did you mean {meant}? otherwise write ")), "{hint}");
    };
    check("a NAER/8 b", "NAER/8", "NEAR/8");
    check("@us NEER/12 @china AND hotline", "NEER/12", "NEAR/12");
    check("a ADN b", "ADN", "AND");
    check("a SETN b", "SETN", "SENT");
    check("a PER/3 b", "PER/3", "PRE/3");
    // A name in capitals is no operator.
    check_errors(
        "a NATO b",
        &[(
            "a NATO b",
            "nothing says how these belong together",
            "write \"a NATO b\" for the phrase, or a AND NATO AND b for all of the words",
        )],
    );
}

#[test]
fn texts_without_an_end_cost_no_square() {
    // By the square this would take minutes.
    let text = "zebra lion hotline jet ".repeat(30_000);
    for expr in [
        "zebra SENT jet",
        "(zebra PARA lion) SENT (hotline NEAR/9 jet)",
        "(zebra NEAR/50 lion) NEAR/50 (hotline NEAR/50 jet)",
        "\"zebra jet\"~50",
        "ATLEAST/1000 zebra",
    ] {
        let item = Item { text: &text, ..item("") };
        let found = RuleSet::new(vec![rule(expr)]).matches(&item);
        assert_eq!(found.len(), 1, "{expr}");
    }
}

#[test]
fn pre_wants_the_order() {
    check("defence PRE/1 minister", "the defence minister", "defence; minister");
    check("defence PRE/1 minister", "minister defence", "-");
    check("defence BEFORE/2 minister", "defence prime minister", "defence; minister");
    check("defence ONEAR/2 minister", "defence prime minister", "defence; minister");
    check("defence adj2 minister", "defence prime minister", "defence; minister");
    check("defence PRE/2 minister", "defence x x minister", "-");
}

#[test]
fn not_near_wants_one_that_stands_alone() {
    let expr = "Washington NOT NEAR/2 (state OR post OR times)";
    check(expr, "Washington Post", "-");
    check(expr, "Washington refuses talks", "Washington");
    check(expr, "Washington Post says: far away Washington refuses", "Washington");
    check("Washington NOT W/2 post", "the Post of Washington", "-");
    check("{China} NOT NEAR/1 \"South China Sea\"", "South China Sea", "-");
    check("talk NOT NEAR/1 talk", "talk", "talk");
    check("talk NOT NEAR/1 talk", "talk talk", "-");
}

#[test]
fn sentences_and_paragraphs_bound() {
    check("unsafe SENT jet", "x|It was unsafe. A jet came.", "-");
    check("unsafe SENT jet", "x|It was an unsafe, old and rusty jet.", "text:unsafe; text:jet");
    check("unsafe /s jet", "x|Jets are unsafe.", "text:Jets; text:unsafe");
    check("unsafe PARA jet", "x|It was unsafe. A jet came.", "text:unsafe; text:jet");
    check("unsafe /p jet", "x|It was unsafe.\nA jet came.", "-");
    check("unsafe SAME jet", "x|It was unsafe. A jet came.", "text:unsafe; text:jet");
    check("Smith SENT Li", "x|Gen. Smith met Adm. Li in the U.S. Senate", "text:Smith; text:Li");
}

#[test]
fn some_of_many_and_often_enough() {
    let expr = "2 OF (hotline, dialogue, \"theater command\")";
    check(expr, "A hotline for dialogue", "hotline; dialogue");
    check(expr, "A hotline, a hotline", "-");
    check(expr, "Theater command|has a hotline", "Theater command; text:hotline");
    check("2 OF (a1 AND b2, c3 OR d4, e5)", "a1 b2 d4", "a1; b2; d4");
    check("ATLEAST/3 missile", "missile, missiles|missile", "missile; missiles; text:missile");
    check("ATLEAST/3 missile", "missile, missiles", "-");
    check("atleast2(missile OR rocket)", "missile rocket", "missile; rocket");
    check("ATLEAST/2 (\"old jet\" OR jet)", "old jet", "-");
    check("atleast3", "atleast3", "atleast3");
}

#[test]
fn weights_are_counted_once_each() {
    let expr = "SCORE/10 (quake^6, \"tsunami warning\"^4, film^-5)";
    check(expr, "Quake, tsunami warning", "Quake; tsunami warning");
    check(expr, "Quake, quake", "-");
    check(expr, "Quake film: a tsunami warning", "-");
    check("SCORE/2 (a1^2, NOT b2^-5)", "a1 b2", "a1");
}

#[test]
fn nearness_has_one_canonical_form() {
    let check = |expr: &str, expected: &str| {
        assert_eq!(compiled(expr).canonical(), expected, "{expr}");
        assert_eq!(compiled(expected).canonical(), expected, "{expr}");
    };
    check("aa w/3 bb", "aa NEAR/3 bb");
    check("aa w/3 bb and cc", "(aa NEAR/3 bb) AND cc");
    check("aa adj3 (bb or cc)", "aa PRE/3 (bb OR cc)");
    check("aa not w/2 bb and cc", "(aa NOT NEAR/2 bb) AND cc");
    check("(aa /s bb) OR (cc /p dd)", "(aa SENT bb) OR (cc PARA dd)");
    check("NOT (aa W/3 bb) AND cc", "NOT (aa NEAR/3 bb) AND cc");
    check("2 of (aa, bb OR cc)", "2 OF (aa, (bb OR cc))");
    check("atleast2(aa)", "ATLEAST/2 aa");
    check("title:(2 OF (aa, bb))", "title:(2 OF (aa, bb))");
    check("score/5 (aa^3, (bb and cc)^2, dd^-1)", "SCORE/5 (aa^3, (bb AND cc)^2, dd^-1)");
    check("aa W/3 bb W/3 cc", "(aa NEAR/3 bb) NEAR/3 cc");
}

#[test]
fn slips_with_nearness_and_counts_are_explained() {
    let check = |expr: &str, at: &str, message: &str, hint: &str| {
        check_errors(expr, &[(at, message, hint)]);
    };
    check(
        "aa OR bb NEAR/3 cc",
        "NEAR/3",
        "NEAR/3 and OR stand side by side and could be read in two ways",
        "put brackets around what NEAR/3 combines: (bb NEAR/3 cc)",
    );
    check(
        "aa NEAR/3 bb PRE/2 cc",
        "NEAR/3",
        "NEAR/3 and PRE/2 stand side by side and could be read in two ways",
        "put brackets around what NEAR/3 combines: (aa NEAR/3 bb)",
    );
    check("aa NEAR bb", "NEAR", "NEAR needs a distance", "write NEAR/8: at most 8 words apart");
    check("NEAR/3 bb", "NEAR/3", "\"NEAR/3\" has nothing before it to combine", "");
    check("aa NEAR/3", "NEAR/3", "nothing follows \"NEAR/3\"", "");
    check(
        "(aa AND bb) NEAR/3 cc",
        "(aa AND bb)",
        "NEAR/3 needs words that stand somewhere, and this has AND",
        "write (a NEAR/3 c) AND (b NEAR/3 c), or a list with OR",
    );
    check(
        "@jets NEAR/3 cc",
        "@jets",
        "NEAR/3 needs words that stand somewhere, and this has @jets with AND",
        "combine words, phrases, OR and lists of them here; put the rest outside",
    );
    check(
        "title:aa NEAR/3 bb",
        "title:aa",
        "NEAR/3 needs words that stand somewhere, and this has a scope",
        "write the scope before the whole: title:(...)",
    );
    check(
        "aa NOT SENT bb",
        "NOT SENT",
        "NOT goes with NEAR/8 only",
        "write a NOT NEAR/8 b, or a AND NOT (a SENT b)",
    );
    check(
        "3 OF (aa, bb)",
        "3 OF (aa, bb)",
        "this can never match: 3 are wanted, its members give 2",
        "lower the number",
    );
    check(
        "SCORE/9 (aa^3, bb^-9)",
        "SCORE/9 (aa^3, bb^-9)",
        "this can never match: 9 are wanted, its members give 3",
        "lower the number",
    );
    check("SCORE/1 (aa)", "aa", "this has no weight", "write ^5 after it");
    check("aa^5", "^5", "a weight has a meaning inside SCORE only", "write SCORE/10 (a^5, b^5)");
    check("2 OF (aa, bb", "(", "this bracket is never closed", "");
}

#[test]
fn slips_of_the_pen_are_explained() {
    let check = |expr: &str, at: &str, message: &str, hint: &str| {
        check_errors(expr, &[(at, message, hint)]);
    };
    check("", "", "there is nothing to look for", "");
    check("(a", "(", "this bracket is never closed", "");
    check("a)", ")", "this bracket was never opened", "");
    check("()", "()", "there is nothing between these brackets", "");
    check("a AND", "AND", "nothing follows \"AND\"", "");
    check("OR a", "OR", "\"OR\" has nothing before it to combine", "");
    check(
        "\"a b",
        "\"",
        "this quote is never closed",
        "put a quote after the last word of the phrase",
    );
    check("{China", "{", "this brace is never closed", "put } after the word");
    check("titel:a", "titel:", "unknown scope \"titel:\"", "did you mean title:?");
    check(
        "c*",
        "c*",
        "\"c*\" has fewer than two letters besides its wildcards",
        "write at least two letters, as in in?ner or co*",
    );
    check(
        "lang:english1234",
        "english1234",
        "\"english1234\" is no language tag",
        "write a tag like en, zh or pt-BR",
    );
    check("a AND …", "…", "nothing to look for in \"…\"", "");
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    let check = |expr: &str, at: &str, message: &str| {
        let errors = Compiled::new(expr, &lists(), false).map(|_| ()).unwrap_err();
        let shown: Vec<_> =
            errors.iter().map(|e| (&expr[e.span.clone()], e.message.as_str())).collect();
        assert_eq!(shown, [(at, message)], "{expr}");
    };
    let absent = "this only says what must be absent, so nearly every story matches";
    check("NOT a", "NOT a", absent);
    check("a OR -b", "a OR -b", absent);
    check("NOT lang:fr", "NOT lang:fr", absent);
    check("a AND NOT a", "NOT a", "a AND NOT a can never match");
    check("@us AND NOT @both", "NOT @both", "@us AND NOT @both can never match");
    check("title:a AND NOT a", "NOT a", "title:a AND NOT a can never match");
    assert!(Compiled::new("a AND NOT title:a", &lists(), false).is_ok());
    assert!(Compiled::new("NOT a AND feed:x", &lists(), false).is_ok());
    assert!(Compiled::new("NOT a", &lists(), true).is_ok());
}

#[test]
fn limits_are_told_and_never_overflow_the_stack() {
    let message = |expr: &str| Compiled::new(expr, &lists(), false).unwrap_err()[0].message.clone();
    let deep = format!("{}a{}", "(".repeat(65), ")".repeat(65));
    assert_eq!(message(&deep), "brackets stand in more than 64 levels");
    assert!(Compiled::new(&deep[1..deep.len() - 1], &lists(), false).is_ok());
    assert_eq!(message(&"(".repeat(60_000)), "brackets stand in more than 64 levels");
    assert_eq!(message(&"a ".repeat(40_000)), "80000 bytes are too long: at most 64 KiB");
    let wide: Vec<String> = (0..2001).map(|n| format!("w{n}")).collect();
    assert_eq!(message(&wide.join(" OR ")), "2001 terms are too many: at most 2000");
    assert!(Compiled::new(&format!("{}a", "-".repeat(60_000)), &lists(), true).is_ok());
    assert!(Compiled::new(&"title:".repeat(5_000), &lists(), true).is_err());
}

#[test]
fn lists_tell_their_own_errors() {
    let (lists, errors) = Lists::parse(&[
        ("a", "x OR @b"),
        ("b", "@c"),
        ("c", "@a"),
        ("d", "@bb"),
        ("e", "x AND"),
        ("f", "x or y"),
    ]);
    let shown: Vec<_> =
        errors.iter().map(|(name, e)| (name.as_str(), e.message.as_str())).collect();
    assert_eq!(
        shown,
        [
            ("c", "lists go in a circle: @a, @b, @c, @a"),
            ("d", "there is no list \"@bb\""),
            ("e", "nothing follows \"AND\""),
        ]
    );
    assert_eq!(lists.warnings().len(), 1);
    let errors = Compiled::new("@a", &lists, false).unwrap_err();
    assert_eq!(errors[0].message, "the list \"@a\" has errors of its own");
}

#[test]
fn small_operators_are_warned_of() {
    let (compiled, warnings) = Compiled::new("a and not b", &lists(), false).unwrap();
    assert_eq!(compiled.canonical(), "a AND NOT b");
    let shown: Vec<_> = warnings.iter().map(|w| w.message.as_str()).collect();
    assert_eq!(shown, ["\"and\" is read as AND", "\"not\" is read as NOT"]);
}

#[test]
fn a_rule_has_one_canonical_form() {
    let check = |expr: &str, expected: &str| {
        assert_eq!(compiled(expr).canonical(), expected, "{expr}");
        assert_eq!(compiled(expected).canonical(), expected, "{expected}");
    };
    check("a -b", "a AND NOT b");
    check("((a) AND (b AND c))", "a AND b AND c");
    check("（a OR （b AND c））", "a OR (b AND c)");
    check("US–China", "US-China");
    check("“cyber  attack”", "\"cyber attack\"");
    check("title:(a or {B}) AND =c", "title:(a OR {B}) AND =c");
    check("feed:(x OR \"y z\") AND a", "(feed:x OR feed:\"y z\") AND a");
    check("a AND \"and\"", "a AND \"and\"");
    check("a AND NOT (b OR c)", "a AND NOT (b OR c)");
}

#[test]
fn a_failed_example_says_which_part_decided() {
    let check = |expr: &str, headline: &str, expected_match: bool, reason: &str| {
        let example = [headline.to_owned()];
        let (matches, ignores): (&[String], &[String]) =
            if expected_match { (&example, &[]) } else { (&[], &example) };
        let failures = compiled(expr).check_examples(matches, ignores);
        assert_eq!(failures.len(), 1, "{expr}");
        assert_eq!(failures[0].reason, reason, "{expr}");
    };
    check("@us AND @china", "China talks", true, "no member of @us in title or text");
    check(
        "{China} AND military",
        "China’s military",
        false,
        "matched because of \"China\" and \"military\"",
    );
    check("a AND NOT title:(x OR podcast)", "a podcast", true, "excluded by \"podcast\" in title");
    check("a AND (b OR c)", "a", true, "none of b, c in title or text");
    check("a AND text:b", "a b", true, "no \"b\" in text");
    let both = compiled("a AND feed:x AND NOT lang:fr")
        .check_examples(&["a".to_owned()], &["b".to_owned()]);
    assert_eq!(both, []);
}

#[test]
fn sample_rules_pass_their_own_examples() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config/rules.d/sample-rules.toml");
    let source = std::fs::read_to_string(path).expect("the sample rules are there");
    let table: toml::Table = source.parse().expect("the sample rules are TOML");
    let text = |value: &toml::Value| value.as_str().map(str::to_owned).unwrap_or_default();
    let terms = table["terms"].as_table().expect("terms");
    let sources: Vec<(String, String)> = terms.iter().map(|(k, v)| (k.clone(), text(v))).collect();
    let (lists, errors) = Lists::parse(&sources);
    assert_eq!(errors, []);
    for (name, rule) in table["rule"].as_table().expect("rules") {
        let list = |key: &str| -> Vec<String> {
            rule[key].as_array().map(|all| all.iter().map(text).collect()).unwrap_or_default()
        };
        let (compiled, warnings) = Compiled::new(&text(&rule["match"]), &lists, false).expect(name);
        assert_eq!(warnings, [], "{name}");
        assert_eq!(compiled.check_examples(&list("matches"), &list("ignores")), [], "{name}");
    }
}

/// Pieces that are likely to meet in odd ways.
const PIECES: [&str; 32] = [
    "a", "US", "us", "u.s.", "'s", "’", "-", "–", "/", " ", "\n", "(", ")", "\"", "“", "{", "}",
    "=", "@us", "AND", "OR", "NOT", "title:", "*", "?", "中", "ー", "ก", "้", "북", "~3", "OF",
];

fn pieces() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(PIECES.as_slice()), 0..24)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn reading_any_expression_ends_well(expr in prop_oneof![pieces(), any::<String>()]) {
        match Compiled::new(&expr, &lists(), true) {
            Ok((compiled, _)) => {
                let canonical = compiled.canonical();
                let again = Compiled::new(&canonical, &lists(), true);
                let again = again.map(|(again, _)| again.canonical());
                prop_assert_eq!(again, Ok(canonical));
            }
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                for error in errors {
                    prop_assert!(expr.get(error.span.clone()).is_some(), "{:?}", error);
                }
            }
        }
    }

    #[test]
    fn tokens_lie_in_order_on_character_boundaries(text in prop_oneof![pieces(), any::<String>()], wildcards: bool) {
        let mut before = 0;
        for token in scan(&text, wildcards) {
            prop_assert!(before <= token.range.start && token.range.start < token.range.end);
            prop_assert!(token.range.end <= token.after);
            prop_assert!(text.get(token.range.clone()).is_some());
            prop_assert!(text.get(token.range.end..token.after).is_some());
            before = token.after;
        }
        prop_assert!(before <= text.len());
    }
}
