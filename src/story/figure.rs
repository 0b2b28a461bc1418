//! Numbers that state a fact in a headline or lead, and which of them another
//! wording replaced. Dates, years, times of day and counters state none.

use super::change::{Change, EMPTY, SAME_LEAD, Word, one_of, shared, stem, words};
use crate::text::fold::Class;

/// Words beside a number that may say what it counts.
const BESIDE: usize = 3;
/// Words behind a number that do not say what happened to whom.
const GENERIC: &str = " people person man men woman women other million billion trillion thousand \
    hundred mln mld bn m percent % personen menschen mensch personne personas osob osoby человек \
    人 名 名样 口 个 個 명 명이 million's milliarden millionen £ $ € ¥ another additional total ";
/// Words before a number that only counts on.
const COUNTERS: &str = " update day days live episode season week part chapter round wordle page \
    version no number vol volume issue stage phase step level channel radio covid sars area \
    article section game set lap tag jour dia dia dzien день serie folge 第 제 top group formula ";
/// Words behind a number that is a time or date.
const CLOCK: &str =
    " am pm a.m. p.m. gmt utc bst est edt cet cest uhr h 月 日 年 時 时 点 點 分 号 號 ";
/// Months, folded as all words here.
const MONTHS: &str = "january february march april may june july august september october \
    november december januar februar marz maerz mai juni juli oktober dezember janvier fevrier \
    mars avril juin juillet aout septembre octobre novembre decembre enero febrero marzo abril \
    mayo junio julio agosto septiembre octubre noviembre diciembre stycznia lutego marca \
    kwietnia maja czerwca lipca sierpnia wrzesnia pazdziernika listopada grudnia января февраля \
    марта апреля мая июня июля августа сентября октября ноября декабря jan feb mar apr jun jul \
    aug sep sept oct nov dec";
/// Numbers in words, folded. Those that are common words of another language
/// are left out: `once`, `seize`, `due`, `sept`, `otto`, `sex`.
const SPELLED: &str = "one=1 two=2 three=3 four=4 five=5 six=6 seven=7 eight=8 nine=9 ten=10 \
    eleven=11 twelve=12 thirteen=13 fourteen=14 fifteen=15 sixteen=16 seventeen=17 eighteen=18 \
    nineteen=19 twenty=20 thirty=30 forty=40 fifty=50 sixty=60 seventy=70 eighty=80 ninety=90 \
    dozen=12 dutzend=12 douzaine=12 docena=12 dozens=24 hundreds=200 thousands=2000 zwei=2 drei=3 \
    vier=4 funf=5 sechs=6 sieben=7 acht=8 neun=9 zehn=10 elf=11 zwolf=12 dreizehn=13 vierzehn=14 \
    funfzehn=15 sechzehn=16 siebzehn=17 achtzehn=18 neunzehn=19 zwanzig=20 dreissig=30 vierzig=40 \
    funfzig=50 sechzig=60 siebzig=70 achtzig=80 neunzig=90 deux=2 trois=3 quatre=4 cinq=5 huit=8 \
    neuf=9 dix=10 onze=11 douze=12 treize=13 quatorze=14 quinze=15 vingt=20 trente=30 quarante=40 \
    cinquante=50 soixante=60 dos=2 tres=3 cuatro=4 cinco=5 seis=6 siete=7 ocho=8 nueve=9 diez=10 \
    doce=12 trece=13 catorce=14 quince=15 veinte=20 treinta=30 cuarenta=40 cincuenta=50 dois=2 \
    quatro=4 sete=7 oito=8 doze=12 vinte=20 quattro=4 cinque=5 sette=7 \
    dieci=10 undici=11 dodici=12 twee=2 drie=3 vijf=5 zeven=7 negen=9 tien=10 twaalf=12 dwie=2 \
    dwoch=2 trzy=3 trzech=3 cztery=4 czterech=4 piec=5 pieciu=5 szesc=6 szesciu=6 siedem=7 \
    siedmiu=7 osiem=8 osmiu=8 dziewiec=9 dziewieciu=9 dziesiec=10 dziesieciu=10 два=2 двое=2 \
    три=3 трое=3 четыре=4 четверо=4 пять=5 пятеро=5 шесть=6 шестеро=6 семь=7 семеро=7 восемь=8 \
    девять=9 десять=10 одиннадцать=11 двенадцать=12 двадцать=20 тридцать=30";
const SCALES: &str = "dozen=12 hundred=100 thousand=1000 k=1000 tys=1000 тыс=1000 tausend=1000 \
    million=1000000 millions=1000000 m=1000000 mn=1000000 mln=1000000 mio=1000000 млн=1000000 \
    millionen=1000000 billion=1000000000 bn=1000000000 b=1000000000 mld=1000000000 \
    mrd=1000000000 milliarden=1000000000 milliards=1000000000 млрд=1000000000 \
    trillion=1000000000000 tn=1000000000000 万=10000 萬=10000 만=10000 亿=100000000 \
    億=100000000 억=100000000";
const NUMERALS: &str = "〇一二三四五六七八九十";

fn value_in(list: &str, word: &str) -> Option<f64> {
    let mut entries = list.split_whitespace().filter_map(|entry| entry.split_once('='));
    entries.find(|(name, _)| *name == word)?.1.parse().ok()
}

/// A number that states a fact, and what is beside it.
struct Fact<'a> {
    value: f64,
    written: &'a str,
    percent: bool,
    ahead: Option<String>,
    behind: Option<String>,
}

/// A number in another's place: a word beside it is the same.
pub(super) fn number(before: &str, after: &str, alike: f64) -> Option<Change> {
    let (old, new) = (facts(before), facts(after));
    if old.is_empty() || new.is_empty() {
        return None;
    }
    let (share, _) = shared(before, after);
    if share < alike {
        return None;
    }
    let has = |facts: &[Fact<'_>], one: &Fact<'_>| {
        facts.iter().any(|fact| (fact.value - one.value).abs() <= fact.value.abs() * 1e-6)
    };
    let same = |one: &Option<String>, other: &Option<String>| one.is_some() && one == other;
    let replaces = |one: &Fact<'_>, other: &Fact<'_>| {
        let turned = same(&one.ahead, &other.behind) || same(&one.behind, &other.ahead);
        let straight = same(&one.ahead, &other.ahead) || same(&one.behind, &other.behind);
        // `kills three`, `five killed`: only where the rest agrees too.
        one.percent == other.percent && (straight || (turned && share >= SAME_LEAD))
    };
    new.iter().filter(|fact| !has(&old, fact)).find_map(|fact| {
        let mut gone = old.iter().filter(|other| !has(&new, other));
        let replaced = gone.find(|other| replaces(fact, other))?;
        let (before, after) = (replaced.written.to_owned(), fact.written.to_owned());
        Some(Change::Number { before, after })
    })
}

/// The numbers of a text that are no dates, years, times or counters.
fn facts(text: &str) -> Vec<Fact<'_>> {
    let words = words(text);
    let mut facts = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let Some((value, length)) = quantity(text, &words, at) else {
            at += 1;
            continue;
        };
        let last = words.get(at + length - 1).unwrap_or(word);
        let rest = text.get(last.token.range.end..).unwrap_or_default().trim_start();
        let percent = ["%", "％", "percent", "per cent", "pc "].iter().any(|p| rest.starts_with(p));
        if !is_time(text, &words, at, length) {
            let written = text.get(word.token.range.start..last.token.range.end);
            let ahead = beside(text, words.get(..at).unwrap_or_default().iter().rev());
            let behind = beside(text, words.get(at + length..).unwrap_or_default().iter());
            let written = written.unwrap_or(word.written);
            facts.push(Fact { value, written, percent, ahead, behind });
        }
        at += length;
    }
    facts
}

/// The nearest word that says something, in the same sentence; failing that
/// the nearest word.
fn beside<'a>(text: &str, words: impl Iterator<Item = &'a Word<'a>>) -> Option<String> {
    let said: Vec<&Word<'_>> =
        words.filter(|word| !one_of(EMPTY, &word.folded)).take(BESIDE).collect();
    let ends = |one: &Word<'_>, next: &Word<'_>| {
        let (from, to) = (
            one.token.after.min(next.token.after),
            one.token.range.start.max(next.token.range.start),
        );
        text.get(from..to).is_some_and(|gap| gap.contains(['.', ':', ';', '?', '。']))
    };
    let sentence =
        said.windows(2).position(|pair| ends(pair[0], pair[1])).map_or(said.len(), |at| at + 1);
    let near = said.get(..sentence)?;
    let telling = near
        .iter()
        .find(|word| !one_of(GENERIC, stem(&word.folded)) && !one_of(GENERIC, &word.folded));
    let word = telling.or(near.first())?;
    (!word.folded.starts_with(|c: char| c.is_numeric())).then(|| stem(&word.folded).to_owned())
}

/// The value of the number that begins at a word, and its words.
fn quantity(text: &str, words: &[Word<'_>], at: usize) -> Option<(f64, usize)> {
    let word = words.get(at)?;
    // "One of the largest" counts nothing.
    if word.folded == "one" && words.get(at + 1).is_some_and(|next| next.folded == "of") {
        return None;
    }
    let mut length = 1;
    let mut value = if word.token.class == Class::Ideograph {
        let numerals = words.get(at..)?.iter().map_while(|word| {
            let c = word.folded.chars().next()?;
            // Two of something is another sign than the numeral.
            let c = if matches!(c, '两' | '兩') { '二' } else { c };
            Some(NUMERALS.chars().position(|n| n == c)? as f64)
        });
        let numerals: Vec<f64> = numerals.collect();
        length = numerals.len();
        spelled_in_han(&numerals)?
    } else {
        let counted = || spelled(&word.folded).or_else(|| digits(&word.folded));
        round(words, at).or_else(counted)?
    };
    // `4 000` is one number.
    while let Some(next) = words.get(at + length)
        && next.written.len() == 3
        && next.written.bytes().all(|byte| byte.is_ascii_digit())
        && word.written.len() <= 3
        && word.written.bytes().all(|byte| byte.is_ascii_digit())
        && text.get(next.token.range.start.saturating_sub(4)..next.token.range.start).is_some_and(
            |gap| gap.ends_with([' ', '\u{a0}', '\u{202f}', '\u{2009}']) && !gap.contains(','),
        )
    {
        value = value * 1000.0 + digits(&next.folded)?;
        length += 1;
    }
    length += scaled(text, words, at + length, &mut value);
    Some((value, length))
}

/// What follows a number and belongs to it, `-one`, `million`, `hundred and
/// twenty`; the number of words that took.
fn scaled(text: &str, words: &[Word<'_>], at: usize, value: &mut f64) -> usize {
    let mut length = ones(text, words, at, value);
    if let Some(next) = words.get(at + length)
        && let Some(scale) = value_in(SCALES, next.folded.trim_end_matches('.'))
    {
        *value *= scale;
        length += 1;
        length += below_hundred(text, words, at + length, (scale, value));
    }
    length
}

/// `hundred` behind `a`, `million` behind `half a`.
fn round(words: &[Word<'_>], at: usize) -> Option<f64> {
    let back = |count| at.checked_sub(count).and_then(|at| words.get(at));
    let is = |count, word: &str| back(count).is_some_and(|found| found.folded == word);
    let scale = value_in("hundred=100 thousand=1000 million=1000000", &words.get(at)?.folded)?;
    is(1, "a").then_some(if is(2, "half") { scale / 2.0 } else { scale })
}

/// `and twenty` of `one hundred and twenty` is added; the number of words that
/// took.
fn below_hundred(
    text: &str,
    words: &[Word<'_>],
    at: usize,
    (scale, value): (f64, &mut f64),
) -> usize {
    let and = usize::from(words.get(at).is_some_and(|word| word.folded == "and"));
    let rest = words.get(at + and).and_then(|word| spelled(&word.folded));
    let hundreds = at.checked_sub(2).and_then(|at| words.get(at));
    let in_words = hundreds.is_some_and(|word| spelled(&word.folded).is_some());
    let Some(mut rest) = rest.filter(|rest| *rest < 100.0 && scale == 100.0 && in_words) else {
        return 0;
    };
    let ones = ones(text, words, at + and + 1, &mut rest);
    *value += rest;
    and + 1 + ones
}

/// `one` of `twenty-one` is added; the number of words that took.
fn ones(text: &str, words: &[Word<'_>], at: usize, value: &mut f64) -> usize {
    let tens = (20.0..100.0).contains(value) && *value % 10.0 == 0.0;
    let (Some(before), Some(next)) =
        (at.checked_sub(1).and_then(|at| words.get(at)), words.get(at))
    else {
        return 0;
    };
    let gap = text.get(before.token.range.end..next.token.range.start);
    let ones = spelled(&next.folded).filter(|ones| *ones < 10.0);
    match ones {
        Some(ones) if tens && spelled(&before.folded).is_some() && gap == Some("-") => {
            *value += ones;
            1
        }
        _ => 0,
    }
}

/// Whether a word begins with a digit or is a number itself.
pub(super) fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit()) || spelled(word).is_some()
}

/// The value of a number that is written as a word.
fn spelled(word: &str) -> Option<f64> {
    value_in(SPELLED, word)
}

fn spelled_in_han(numerals: &[f64]) -> Option<f64> {
    match *numerals {
        [one] => Some(one),
        [tens, 10.0] => Some(tens * 10.0),
        [10.0, ones] => Some(10.0 + ones),
        [tens, 10.0, ones] => Some(tens * 10.0 + ones),
        _ => None,
    }
}

/// `4,000`, `4.5`, `1,5`, `12bn`; no `12th`, no `23.11.2022`.
fn digits(word: &str) -> Option<f64> {
    let end =
        word.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(word.len());
    let (number, unit) = word.split_at(end);
    if !number.starts_with(|c: char| c.is_ascii_digit()) || one_of("st nd rd th er eme", unit) {
        return None;
    }
    let scale = if unit.is_empty() { 1.0 } else { value_in(SCALES, unit).unwrap_or(1.0) };
    let mut groups = number.split(['.', ',']);
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let grouped = first != "0" && rest.iter().all(|group| group.len() == 3);
    let value = match rest.as_slice() {
        [] => first.parse::<f64>().ok()?,
        _ if grouped => format!("{first}{}", rest.concat()).parse().ok()?,
        [fraction] => format!("{first}.{fraction}").parse().ok()?,
        _ => return None,
    };
    Some(value * scale)
}

/// Whether a number is a date, a year, a time of day or a counter.
fn is_time(text: &str, words: &[Word<'_>], at: usize, length: usize) -> bool {
    let Some(word) = words.get(at) else { return true };
    let before = at.checked_sub(1).and_then(|at| words.get(at));
    let after = words.get(at + length);
    // 4,000 march, but on 4 March.
    let day = digits(&word.folded).is_none_or(|value| value <= 31.0);
    let month = |word: Option<&Word<'_>>| word.is_some_and(|word| one_of(MONTHS, &word.folded));
    let hangul = |word: &Word<'_>| word.folded.starts_with(['월', '일', '년', '시', '분']);
    let clock = |word: &Word<'_>| {
        one_of(CLOCK, &word.folded) || (word.token.class == Class::Hangul && hangul(word))
    };
    let year = word.written.len() == 4
        && (word.written.starts_with("19") || word.written.starts_with("20"))
        && word.written.bytes().all(|byte| byte.is_ascii_digit());
    let back = text.get(..word.token.range.start).unwrap_or_default();
    let rest = text.get(word.token.range.end..).unwrap_or_default();
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    // `10:30`, `23/11`, `2022-11-23`
    let joined = |c: char| matches!(c, ':' | '/');
    let in_date = (rest.starts_with(joined) && digit(rest.chars().nth(1)))
        || (back.ends_with(joined) && digit(back.chars().nth_back(1)))
        || (back.ends_with('-') && digit(back.chars().nth_back(1)) && rest.starts_with('-'));
    let suffixed = ["am", "pm", "h"].iter().any(|suffix| word.folded.ends_with(suffix));
    let ordinal = rest.starts_with(['-', '‑'])
        && rest.chars().nth(1).is_some_and(|c| c == 'й' || c == 'я' || c == 'е');
    let counted = before.is_some_and(|word| one_of(COUNTERS, &word.folded));
    let of_time = suffixed || after.is_some_and(clock);
    (year && length == 1)
        || in_date
        || ordinal
        || counted
        || of_time
        || (day && (month(before) || month(after)))
}
