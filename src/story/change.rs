//! What a revision changed: a headline, a number, a correction, everything.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::figure::{is_number, number};
use crate::text::credit;
use crate::text::fold::{Class, fold};
use crate::text::token::{RawToken, scan};

/// What is new in a revision, the weightiest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The story was taken back.
    Withdrawn,
    /// A correction was added.
    Correction,
    /// A number is another.
    Number {
        /// As it was.
        before: String,
        /// As it is.
        after: String,
    },
    /// The headline says something else.
    Headline {
        /// As it was.
        before: String,
    },
}

impl Change {
    /// The word used in output and store.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::Correction => "correction",
            Self::Number { .. } => "number",
            Self::Headline { .. } => "headline",
        }
    }

    /// For people.
    pub fn sentence(&self) -> String {
        match self {
            Self::Withdrawn => "it was withdrawn".to_owned(),
            Self::Correction => "a correction was added".to_owned(),
            Self::Number { before, after } => format!("a number changed: {before} → {after}"),
            Self::Headline { before } => format!("the headline changed from “{before}”"),
        }
    }
}

/// A title and a text.
#[derive(Clone, Copy, Debug)]
pub struct Wording<'a> {
    /// The headline.
    pub title: &'a str,
    /// The body.
    pub text: &'a str,
}

/// Characters of a text in which numbers are looked for.
const LEAD: usize = 300;
/// Titles that share less of their words say something else.
const SAME_TITLE: f64 = 0.4;
/// A title of which this much is in the other was only made longer or shorter.
const CONTAINED: f64 = 0.75;
/// Beginnings that share less were written anew; their numbers tell nothing of
/// each other.
pub(super) const SAME_LEAD: f64 = 0.35;

/// Notices that a story was taken back. They open a title or a text; further
/// in, and without `this`, a text tells what happened to others.
const WITHDRAWN: &str = r"(?xi)^[\W_]{0,6} (?:
    (?: (?:editor.?s?|note|notice|advisory|update|attention|eds)\b[^.\n]{0,20}:\s* )?
    (?: (?:retracted|retraction|withdrawn|zurückgezogen|retirad[ao]|rétracté|wycofan[eoy]
          |geri\ çekildi|ingetrokken|tilbagetrukket|indragen
          # In small letters they call off concerts.
          |(?-i:ANNULATION|ANULADA|ANULADO|ANNULLATA|ANNULLATO|ANULOWANE|АННУЛИРОВАНО|ОТОЗВАНО
          |АНУЛЬОВАНО|İPTAL))\s*[:\-–—/\])】]
      | (?-i:KILL)(?:\ (?:ADVISORY|NOTICE|BULLETIN))?\s*(?:[:\-–—]|$)
      | [\w\ \-]{1,40},\s(?-i:KILL)\s*$
      | mandatory\ kill | kill\ (?:notice|advisory)
      | (?:achtung|wichtiger\ hinweis)?[\s:\-–—]*(?:diese\ )?meldung\ (?:\w+\ )?(?:wird|wurde|ist)
        \ (?:\w+\ )?zurückgezogen
      | (?:story|article|report)\ (?:is\ )?(?:withdrawn|retracted)\s*$
      | (?: this|(?:the\ )?(?:above|following|previous) ) \s (?:[\w.]+\s){0,2}?
        (?:story|article|report|post|item|piece|page|video) \s (?:has\ been|have\ been|was|is)
        \s (?:\w+\s)? (?:withdrawn|removed|retracted|taken\ down|deleted|unpublished)
      | the\ (?:story|article)\ has\ been\ (?:withdrawn|retracted)
      | (?:we|the\ associated\ press|ap|afp|reuters|[\w\ ]{2,30}) \s (?:has|have) \s
        (?:withdrawn|retracted) \s (?:its|our|this|an\ earlier) \s (?:story|article|report)\b
      | (?:diese[rs]?|der)\ (?:artikel|beitrag|bericht|text)\ (?:wurde|wird)\ (?:\w+\ ){0,2}
        (?:zurückgezogen|entfernt|gelöscht)
      | (?:cet|l['’])\ ?article\ a\ été\ (?:retiré|supprimé|dépublié)
      | (?:este\ )? artículo\ (?:ha\ sido\ |fue\ )? (?:retirado|eliminado)
      | (?:ten\ )? (?:artykuł|tekst)\ został\ (?:wycofany|usunięty)
      | (?:удал[её]н[оа]? | снят[оа]?\ с\ публикации) \s* (?:[.:\n]|$)
      | (?:этот\ |эта\ |данн\w+\ )? (?:материал|новость|статья|публикация|сообщение) \s
        (?:был[аио]?\ )? (?:удал[её]н|отозван|аннулирован|снят)[оа]?\b
      | [【（(［\[]?\s*(?:撤稿|撤回|撤销|取り消し|取消し|削除)\s*[:：】）)］\]／/\-–—]
      | [【（(]?\s*撤稿 | (?:本|此|该)(?:文|稿|新闻)已[^，。]{0,4}(?:撤|删除)
      | この記事は[^。]{0,12}(?:取り消|削除|撤回) | 記事(?:の|を)?(?:取り消し|撤回)
      | 전문\ ?취소 | 기사\ ?(?:철회|삭제|취소) | 이\ 기사는[^.]{0,12}(?:삭제|철회|취소)
    ))";

/// Notices that something was put right, at the beginning of a sentence or in
/// words that no news is told in: `market correction:` is none.
const CORRECTED: &str = r"(?xi)
    (?:^|[\n.!?(\[*【（［]\s*|[-–—]\s*)
    (?: (?:corrections?|corrected|clarification|clarified|erratum|korrektur|korrigiert
          |richtigstellung|berichtigung|berichtigt|corrección|corrige|corregido|rectificación
          |correção|corrigido|correzione|rettifica|corretto|aclaración|corrigé|rectification
          |rectificatie|correctie|rättelse|rättad|rettelse|rettet|korjaus|korjattu|oikaisu
          |sprostowanie|korekta|poprawione|oprava|opraveno|helyesbítés|düzeltme|düzeltildi
          |doğrulama|исправлени[ея]|исправлено|исправленн\w+|уточнени[ея]|уточнено|поправка
          |виправлено|виправлення|уточнення|koreksi|ralat|đính\ chính|تصحيح
          |更正(?:启事|啟事|说明|說明|声明)?|订正|訂正|勘误|勘誤|정정(?:보도|기사)?|바로잡습니다)
        (?:\ \([^)]{1,30}\)|\ \d{1,2}\ \w+)? \s* [:：】）］\]\)／]
      | berichtigung\b | sprostowanie\s*\n)
    | \(corrects\b | \(clarifies\b | \(korrigiert\b
    | (?-i:\bCORRECT(?:ED|ION|S)\b|\bCLARIFICATION\b)\s*[-–—:(]
    | (?-i:\bCORRECTING\ (?:and|AND)\ REPLACING\b)
    | (?: ^ | [\n(\[] ) (?-i:KORREKTUR|BERICHTIGUNG|RICHTIGSTELLUNG|CORRECCIÓN|CORRECCION|CORRIGE
        |RECTIFICACIÓN|CORREÇÃO|RETTIFICA|CORREZIONE|RECTIFICATIE|RÄTTELSE|RETTELSE|KOREKTA
        |DÜZELTME|DOĞRULAMA|ИСПРАВЛЕНО|ИСПРАВЛЕНИЕ|УТОЧНЕНИЕ|ВИПРАВЛЕНО|订正|更正|訂正|정정)
      \s*[-–—/]
    | \ban?\ (?:earlier|previous)\ (?:version|headline|edition)\ of\ (?:this|the)\b
    | \bearlier\ versions\ of\ this\b
    | \bthis\ (?:[\w.]+\s){0,4}?(?:article|story|report|post|piece|headline|page)\s
      (?:has\ been|was|is|have\ been)\ (?:\w+\s){0,2}?(?:corrected|amended|clarified)
    | \bthis\ (?:[\w.]+\s){0,4}?(?:story|article)\ corrects\b
    | in\ einer\ (?:frühere|erste|vorherige|älteren|ursprüngliche)n?\ (?:version|fassung)
    | \brectificatif\b | une\ version\ (?:précédente|antérieure)\ de\ (?:cet|l)
    | \bfe\ de\ (?:errores|erratas)\b | una\ versión\ anterior\ de\ (?:este|esta)
    | we?\ (?:wcześniejszej|poprzedniej|pierwotnej)\ wersji
    | в\ (?:более\ )?(?:ранней|предыдущей|первоначальной|прежней)\ версии
    | (?:此前|早前|较早)版本 | お詫びと訂正 | 訂正して(?:お詫び|おわび) | ^(?:更正|订正|訂正|정정)\b?\s";

/// What is materially new in a revision; `None` for typography, section
/// names, suffixes and small rewording.
pub fn material(before: Wording<'_>, after: Wording<'_>) -> Option<Change> {
    let newly = |has: fn(Wording<'_>) -> bool| has(after) && !has(before);
    if newly(withdrawn) {
        return Some(Change::Withdrawn);
    }
    if newly(corrected) {
        return Some(Change::Correction);
    }
    let (old, new) = (lead(before.text), lead(after.text));
    number(before.title, after.title, 0.0)
        .or_else(|| number(old, new, SAME_LEAD))
        .or_else(|| headline(before.title, after.title))
}

fn withdrawn(wording: Wording<'_>) -> bool {
    static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(WITHDRAWN).ok());
    let Some(pattern) = PATTERN.as_ref() else { return false };
    let body = wording.text.get(credit::body(wording.text)).unwrap_or_default();
    [wording.title, wording.text, body].into_iter().any(|part| pattern.is_match(lead(part)))
}

fn corrected(wording: Wording<'_>) -> bool {
    static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(CORRECTED).ok());
    let Some(pattern) = PATTERN.as_ref() else { return false };
    pattern.is_match(wording.title) || pattern.is_match(wording.text)
}

/// The first characters of a text.
fn lead(text: &str) -> &str {
    text.char_indices().nth(LEAD).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// Words that say nothing alone.
pub(super) const EMPTY: &str = " a an and are as at be been but by can could did do does for from had has \
    have he her his how i if in into is it its may might more no not of off on or our out over \
    says say said she so some than that the their there they this to up was we were what when \
    where which who why will with would you your after amid about least just now new nearly \
    almost around some live update updates watch video der die das den dem und in im von zu mit \
    le la les de du des et en un une el los las y del se w z na i o do dla и в на с по за не о ";
pub(super) fn one_of(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|other| other == word)
}

/// A word of a text, ready to be compared.
pub(super) struct Word<'a> {
    pub(super) token: RawToken,
    pub(super) written: &'a str,
    pub(super) folded: String,
}

pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    let word = |token: RawToken| {
        let written = text.get(token.range.clone())?;
        Some(Word { token, written, folded: fold(written) })
    };
    scan(text, false).into_iter().filter_map(word).collect()
}

/// The beginnings of related words are the same: `ends`, `ending`.
pub(super) fn stem(word: &str) -> &str {
    let mut stem = word;
    for ending in ["ing", "ed", "s", "e"] {
        stem = stem.strip_suffix(ending).filter(|stem| stem.len() >= 3).unwrap_or(stem);
    }
    if word.is_ascii() { stem } else { word }
}

/// What a text is about: its words; of scripts without spaces pairs of
/// characters, because single ones return by chance.
fn content(text: &str) -> BTreeSet<String> {
    let mut set = BTreeSet::new();
    let words = words(text);
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1).filter(|next| next.token.range.start == word.token.after);
        match word.token.class {
            Class::Spaced if one_of(EMPTY, &word.folded) => {}
            // Numbers are compared on their own: most that change are dates.
            Class::Spaced if is_number(&word.folded) => {}
            Class::Spaced => {
                set.insert(stem(&word.folded.replace(['.', ','], "")).to_owned());
            }
            Class::Hangul => {
                let letters: Vec<char> = word.folded.chars().collect();
                set.extend(letters.windows(2).map(String::from_iter));
            }
            Class::Ideograph | Class::Cluster => {
                let next = next.filter(|next| next.token.class == word.token.class);
                set.extend(next.map(|next| format!("{}{}", word.folded, next.folded)));
            }
        }
    }
    set
}

/// How much of their content two texts share, and how much of the shorter.
pub(super) fn shared(one: &str, other: &str) -> (f64, f64) {
    let (one, other) = (content(one), content(other));
    let both = one.intersection(&other).count() as f64;
    let (all, least) = (one.union(&other).count(), one.len().min(other.len()));
    // Of two words one stays by chance.
    let contained = if least < 3 { 0.0 } else { both / least as f64 };
    if all == 0 { (1.0, 1.0) } else { (both / all as f64, contained) }
}

fn headline(before: &str, after: &str) -> Option<Change> {
    let same = |one: &str, other: &str| {
        let (of_all, contained) = shared(one, other);
        of_all >= SAME_TITLE || contained >= CONTAINED
    };
    let ((old_section, old), (new_section, new)) = (bare(before), bare(after));
    // A section that both stand in makes them no more alike, but what was a
    // section may have become a word of the sentence.
    let moved = || fold(old_section) != fold(new_section) && same(before, after);
    let empty = before.trim().is_empty() || after.trim().is_empty();
    (!empty && !same(old, new) && !moved())
        .then(|| Change::Headline { before: before.trim().to_owned() })
}

/// The section before a title and the title, without an outlet behind it.
fn bare(title: &str) -> (&str, &str) {
    static UPDATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?i)^\W*(?:(?:update|wrapup|refile|rpt|breaking|live|watch|video)\b[ \d]*[-:–]\s*)+",
        )
        .ok()
    });
    let update = UPDATE.as_ref().and_then(|update| update.find(title)).map_or(0, |m| m.end());
    let mut rest = title.get(update..).unwrap_or(title).trim();
    for dash in [" – ", " — ", " - ", " | "] {
        if let Some((front, back)) = rest.rsplit_once(dash)
            && back.split_whitespace().count() <= 4
            && front.split_whitespace().count() >= 3
        {
            rest = front;
        }
    }
    let colon = rest.find([':', '：']).filter(|at| *at <= 40);
    let section = colon.and_then(|at| rest.get(..at)).unwrap_or_default();
    let behind = rest.get(section.len()..).unwrap_or_default().trim_start_matches([':', '：', ' ']);
    if section.is_empty() || content(behind).len() < 2 { ("", rest) } else { (section, behind) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: (&str, &str), after: (&str, &str), expected: &str) {
        let wording = |(title, text)| Wording { title, text };
        let found = material(wording(before), wording(after));
        let word = found.as_ref().map_or("none", Change::as_str);
        assert_eq!(word, expected, "{before:?} → {after:?}: {found:?}");
    }

    fn check_titles(rows: &[(&str, &str, &str)]) {
        for (before, after, expected) in rows {
            check((before, ""), (after, ""), expected);
        }
    }

    #[test]
    fn typography_sections_suffixes_and_small_rewording_are_not_material() {
        check_titles(&[
            ("", "Ferry sinks", "none"),
            ("Ferry sinks off coast", "Ferry Sinks Off Coast!", "none"),
            ("Ferry ‘sinks’ off coast", "Ferry 'sinks' off coast", "none"),
            ("Fähre sinkt vor Küste", "FAHRE SINKT VOR KUSTE", "none"),
            ("Ferry sinks off coast", "Coronavirus: Ferry sinks off coast", "none"),
            ("Ferry sinks off coast", "UPDATE 1-Ferry sinks off coast", "none"),
            ("UPDATE 1-Ferry sinks off coast", "UPDATE 2-Ferry sinks off coast", "none"),
            ("Ferry sinks off coast", "LIVE: Ferry sinks off coast", "none"),
            ("Watch: Ferry sinks off coast", "Ferry sinks off coast", "none"),
            ("Ferry sinks off coast", "Ferry sinks off coast - Harbour News", "none"),
            ("Ferry sinks off coast", "Ferry sinks off coast – as it happened", "none"),
            ("Ferry sinks off coast", "Ferry sinks off northern coast in storm", "none"),
            ("Why Ruritania was in crisis", "Ruritania: Why country is in crisis", "none"),
            ("Race to lead harbour ends", "Race to lead harbour ending", "none"),
            ("两国防长会晤", "两国防长会晤举行", "none"),
            ("Паром затонул у берега", "ПАРОМ ЗАТОНУЛ У БЕРЕГА", "none"),
            ("여객선 해안에서 침몰", "여객선이 해안에서 침몰", "none"),
        ]);
    }

    #[test]
    fn a_headline_that_shares_few_words_is_another() {
        check_titles(&[
            ("Ministers to meet in harbour", "Envoy calls off defence talks", "headline"),
            ("Live: Vote to be announced", "Live: Baker wins race for mayor", "headline"),
            ("Storm: When will it end?", "Storm: Where can I get sandbags?", "headline"),
            ("Паром затонул у берега", "Капитан арестован в порту", "headline"),
            ("两国防长会晤", "台风登陆南部沿海", "headline"),
            ("여객선 해안에서 침몰", "선장 구속영장 청구", "headline"),
        ]);
    }

    #[test]
    fn a_number_in_place_of_another_is_material() {
        check_titles(&[
            ("3 dead as ferry sinks", "12 dead as ferry sinks", "number"),
            ("Storm kills 3", "Storm kills 12", "number"),
            ("Storm kills three people", "At least five killed in storm", "number"),
            ("Ferry sinks, 3 people dead", "12 dead after ferry sinks", "number"),
            ("4,000 march in capital", "5,000 march in capital", "number"),
            ("4,000 march in capital", "4000 march in capital", "none"),
            ("4 000 march in capital", "4.000 march in capital", "none"),
            ("Three die in fire", "3 die in fire", "none"),
            ("Hundreds join march", "Thousands join march", "number"),
            ("Inflation rises to 4%", "Inflation rises to 5 per cent", "number"),
            ("Firm pays £1bn fine", "Firm pays £1 billion fine", "none"),
            ("Firm pays £1bn fine", "Firm pays £1.5bn fine", "number"),
            (
                "Ruritania opens one of its two largest ports",
                "Ruritania opens two of its largest ports",
                "none",
            ),
            ("Talks set for 3 November", "Talks set for 4 November", "none"),
            ("Talks set for Nov. 3", "Talks set for Nov. 4", "none"),
            ("Talks begin at 10:30", "Talks begin at 11:45", "none"),
            ("Talks begin at 5pm", "Talks begin at 6pm", "none"),
            ("Election 2022 begins", "Election 2023 begins", "none"),
            ("War on day 251: what we know", "War on day 252: what we know", "none"),
            ("Brand dies on 2nd day of race", "Brand dies on 3rd day of race", "none"),
            ("渡轮沉没3人死亡", "渡轮沉没12人死亡", "number"),
            ("渡轮沉没三人死亡", "渡轮沉没十二人死亡", "number"),
            ("会议3月4日举行", "会议3月5日举行", "none"),
            ("Погибли 3 человека", "Погибли 12 человек", "number"),
            ("여객선 침몰 3명 사망", "여객선 침몰 12명 사망", "number"),
            ("Drei Tote bei Brand", "Fünf Tote bei Brand", "number"),
        ]);
        let (three, twelve) = ("At least 3 people died there.", "At least 12 people died there.");
        check(("Ferry sinks", three), ("Ferry sinks", twelve), "number");
        let other = "A mayor visited 12 schools where children died their hair.";
        check(("Ferry sinks", three), ("Ferry sinks", other), "none");
    }

    #[test]
    fn a_correction_is_news_only_where_it_is_new() {
        let text = "The ferry sank.";
        for (notice, expected) in [
            ("Correction: the ferry floats.", "correction"),
            ("Corrected: the ferry floats.", "correction"),
            ("(Corrects name in second paragraph)", "correction"),
            ("An earlier version of this article named another ferry.", "correction"),
            ("This article was amended to name the ferry.", "correction"),
            ("Clarification: the ferry floats.", "correction"),
            ("Korrektur: Die Fähre schwimmt.", "correction"),
            ("Berichtigung der Redaktion", "correction"),
            ("Rectificatif : le ferry flotte.", "correction"),
            ("Fe de errores", "correction"),
            ("Corrección: el ferry flota.", "correction"),
            ("Sprostowanie: prom płynie.", "correction"),
            ("Исправление: паром плывёт.", "correction"),
            ("更正：渡轮没有沉没。", "correction"),
            ("訂正：船名が違いました。", "correction"),
            ("[정정] 여객선", "correction"),
            ("Inmates of a correctional facility watched.", "none"),
            ("They fear a market correction: shares fell.", "none"),
            ("The mayor corrected the minister.", "none"),
        ] {
            let after = format!("{text} {notice}");
            check(("Ferry sinks", text), ("Ferry sinks", &after), expected);
            check(("Ferry sinks", &after), ("Ferry sinks", &after), "none");
        }
        check_titles(&[
            ("Ferry sinks off coast", "CORRECTED-Ferry sinks off coast", "correction"),
            ("渡轮沉没", "更正：渡轮沉没", "correction"),
        ]);
    }

    #[test]
    fn a_withdrawal_is_a_notice_at_the_beginning() {
        for (notice, expected) in [
            ("This story has been withdrawn.", "withdrawn"),
            ("This article was removed by its editors.", "withdrawn"),
            ("PORT CITY (Reuters) - This story has been withdrawn.", "withdrawn"),
            ("Editor's note: This article has been retracted.", "withdrawn"),
            ("RETRACTED: Ferry sinks", "withdrawn"),
            ("WITHDRAWN: Ferry sinks", "withdrawn"),
            ("MANDATORY KILL", "withdrawn"),
            ("The Associated Press has withdrawn its story about a ferry.", "withdrawn"),
            ("Dieser Artikel wurde zurückgezogen.", "withdrawn"),
            ("Artículo retirado", "withdrawn"),
            ("Cet article a été retiré.", "withdrawn"),
            ("Удалено", "withdrawn"),
            ("Новость удалена", "withdrawn"),
            ("撤稿：渡轮沉没", "withdrawn"),
            ("この記事は取り消しました。", "withdrawn"),
            ("전문취소", "withdrawn"),
            ("Troops have been withdrawn from the harbour.", "none"),
            ("The general has withdrawn his troops.", "none"),
            ("A minister said the report was withdrawn.", "none"),
            ("Withdrawal of troops begins.", "none"),
        ] {
            check(("Ferry", "It sank."), ("Ferry", notice), expected);
            check(("Ferry", notice), ("Ferry", notice), "none");
        }
        check_titles(&[("Ferry sinks", "WITHDRAWN: Ferry sinks", "withdrawn")]);
    }

    #[test]
    fn notices_numbers_and_headlines_of_many_languages() {
        check_titles(&[
            // Withdrawn.
            ("Ferry sinks", "KILL: Ferry sinks", "withdrawn"),
            ("Ferry sinks", "KILL ADVISORY: Ferry sinks", "withdrawn"),
            ("Ferry sinks", "KILL - Ferry sinks", "withdrawn"),
            ("Ferry sinks", "BC-Ferry Sinks, KILL", "withdrawn"),
            ("Ferry sinks", "ADVISORY: Story withdrawn", "withdrawn"),
            ("渡轮沉没", "撤回：渡轮沉没", "withdrawn"),
            ("渡轮沉没", "【撤回】渡轮沉没", "withdrawn"),
            ("渡輪沉沒", "撤稿：渡輪沉沒", "withdrawn"),
            ("フェリー沈没", "【取り消し】フェリー沈没", "withdrawn"),
            ("フェリー沈没", "記事取り消し フェリー沈没", "withdrawn"),
            ("여객선 침몰", "[기사 취소] 여객선 침몰", "withdrawn"),
            ("Fähre sinkt", "Zurückgezogen: Fähre sinkt", "withdrawn"),
            ("Fähre sinkt", "ACHTUNG - Meldung wird zurückgezogen", "withdrawn"),
            ("Ferry coule", "ANNULATION: Ferry coule", "withdrawn"),
            ("Ferry se hunde", "ANULADA: Ferry se hunde", "withdrawn"),
            ("Traghetto affonda", "ANNULLATA: Traghetto affonda", "withdrawn"),
            ("Prom zatonął", "ANULOWANE: Prom zatonął", "withdrawn"),
            ("Паром затонул", "АННУЛИРОВАНО: Паром затонул", "withdrawn"),
            ("Feribot battı", "İPTAL: Feribot battı", "withdrawn"),
            // Corrected.
            ("渡轮沉没", "订正：渡轮沉没", "correction"),
            ("渡轮沉没", "（更正）渡轮沉没", "correction"),
            ("渡輪沉沒", "更正／渡輪沉沒", "correction"),
            ("フェリー沈没", "訂正：フェリー沈没", "correction"),
            ("フェリー沈没", "（訂正）フェリー沈没", "correction"),
            ("フェリー沈没", "訂正-フェリー沈没", "correction"),
            ("여객선 침몰", "정정-여객선 침몰", "correction"),
            ("여객선 침몰", "[정정보도] 여객선 침몰", "correction"),
            ("Feribot battı", "DÜZELTME - Feribot battı", "correction"),
            ("Feribot battı", "DOĞRULAMA: Feribot battı", "correction"),
            ("Fähre sinkt", "KORREKTUR/Fähre sinkt", "correction"),
            ("Fähre sinkt", "Richtigstellung: Fähre sinkt", "correction"),
            ("Fähre sinkt", "Berichtigt: Fähre sinkt", "correction"),
            ("Ferry coule", "RECTIFICATIF - Ferry coule", "correction"),
            ("Ferry coule", "CORRECTION : Ferry coule", "correction"),
            ("Ferry se hunde", "CORRECCIÓN: Ferry se hunde", "correction"),
            ("Ferry se hunde", "(CORRIGE) Ferry se hunde", "correction"),
            ("Ferry se hunde", "RECTIFICACIÓN: Ferry se hunde", "correction"),
            ("Barco afunda", "CORREÇÃO: Barco afunda", "correction"),
            ("Traghetto affonda", "RETTIFICA: Traghetto affonda", "correction"),
            ("Veerboot zinkt", "RECTIFICATIE: Veerboot zinkt", "correction"),
            ("Färja sjunker", "Rättelse: Färja sjunker", "correction"),
            ("Ferge synker", "RETTELSE: Ferge synker", "correction"),
            ("Prom zatonął", "KOREKTA: Prom zatonął", "correction"),
            ("Паром затонул", "ИСПРАВЛЕНО: Паром затонул", "correction"),
            ("Паром затонул", "УТОЧНЕНИЕ: Паром затонул", "correction"),
            ("Паром затонул", "Паром затонул (исправлено)", "correction"),
            ("Пором затонув", "ВИПРАВЛЕНО: Пором затонув", "correction"),
            ("Ferry sinks", "Ferry sinks (corrected)", "correction"),
            ("Ferry sinks", "CORRECTING and REPLACING Ferry sinks", "correction"),
            ("Ferry sinks", "RPT-CORRECTED-Ferry sinks", "correction"),
            ("Ferry sinks", "UPDATE 2-Ferry sinks", "none"),
            // Neither.
            ("Ferry sinks", "Kill or cure: Ferry sinks", "none"),
            ("Two hurt in storm", "Storm kills: Two hurt in storm", "none"),
            ("军队驻扎在港口附近", "军队撤回港口附近驻扎", "none"),
            (
                "Market correction looms over banks",
                "Market correction looms over the banks",
                "none",
            ),
            // Numbers in other words.
            ("Three killed in storm", "3 killed in storm", "none"),
            ("Three killed in storm", "Five killed in storm", "number"),
            (
                "Storm leaves 1.2 million without power",
                "Storm leaves 1,200,000 without power",
                "none",
            ),
            ("Storm leaves 1.2m without power", "Storm leaves 1.2 million without power", "none"),
            (
                "Storm leaves 1.2 million without power",
                "Storm leaves 1.4 million without power",
                "number",
            ),
            ("A dozen killed in storm", "12 killed in storm", "none"),
            ("A dozen killed in storm", "Two dozen killed in storm", "number"),
            ("Two dozen killed in storm", "24 killed in storm", "none"),
            ("Thirteen killed in storm", "13 killed in storm", "none"),
            ("Thirteen killed in storm", "Fourteen killed in storm", "number"),
            ("Twenty-one killed in storm", "21 killed in storm", "none"),
            ("Twenty-one killed in storm", "Twenty-five killed in storm", "number"),
            ("Fifty killed in storm", "50 killed in storm", "none"),
            ("Two hundred killed in storm", "200 killed in storm", "none"),
            ("One killed in storm", "Two killed in storm", "number"),
            ("A hundred killed in storm", "100 killed in storm", "none"),
            ("Half a million march in capital", "500,000 march in capital", "none"),
            ("Sturm tötet zwölf Menschen", "Sturm tötet 12 Menschen", "none"),
            ("Sturm tötet elf Menschen", "Sturm tötet zwanzig Menschen", "number"),
            ("Une tempête tue onze personnes", "Une tempête tue 11 personnes", "none"),
            ("Une tempête tue onze personnes", "Une tempête tue vingt personnes", "number"),
            ("Una tormenta mata a diez personas", "Una tormenta mata a 10 personas", "none"),
            ("Una tormenta mata a diez personas", "Una tormenta mata a doce personas", "number"),
            ("La tempesta uccide sette persone", "La tempesta uccide 7 persone", "none"),
            ("Burza zabiła dziesięć osób", "Burza zabiła 10 osób", "none"),
            ("Погибли десять человек", "Погибли 10 человек", "none"),
            ("Погибли десять человек", "Погибли одиннадцать человек", "number"),
            ("渡轮沉没两人死亡", "渡轮沉没2人死亡", "none"),
            ("1.5 billion fine for firm", "1,500 million fine for firm", "none"),
            // Headlines.
            ("Ferry sinks off coast in storm", "Storm sinks ferry off the coast", "none"),
            ("Ferry sinks off coast", "Captain held after disaster at sea", "headline"),
            ("Ferry carrying 40 sinks off coast", "Captain arrested over disaster", "headline"),
            ("Ferry sinks", "RETRACTION: Ferry sinks", "withdrawn"),
            ("Ferry sinks", "ATTENTION EDITORS: this story has been withdrawn", "withdrawn"),
            ("渡轮沉没", "撤销：渡轮沉没", "withdrawn"),
            ("Kill Bill returns", "Kill Bill returns to cinemas", "none"),
            ("Concert au port", "Annulé : concert au port", "none"),
            ("Ferry sinks", "Ferry sinks [CORRECTED]", "correction"),
            ("フェリー沈没", "フェリー沈没（訂正）", "correction"),
            ("渡轮沉没", "渡轮沉没（更正）", "correction"),
            ("여객선 침몰", "여객선 침몰(정정)", "correction"),
            ("Fähre sinkt", "Fähre sinkt (korrigiert)", "correction"),
            ("Lód tonie", "Lód tonie (SPROSTOWANIE)", "correction"),
            ("他们要求更正历史", "他们要求更正历史错误", "none"),
            ("Storm kills dozens", "Storm kills 24", "none"),
            ("Ninety-nine hurt in blast", "99 hurt in blast", "none"),
            ("Thirty-two hurt in blast", "Thirty-four hurt in blast", "number"),
            ("Two million flee floods", "3 million flee floods", "number"),
            ("Inflation hits 4.5 percent", "Inflation hits 4.5%", "none"),
            ("Inflation hits 4.5 percent", "Inflation hits 5.4%", "number"),
            ("A million flee floods", "1 million flee floods", "none"),
            ("One hundred hurt in blast", "100 hurt in blast", "none"),
            ("One hundred and twenty hurt in blast", "120 hurt in blast", "none"),
            ("Dos muertos en un incendio", "Tres muertos en un incendio", "number"),
            ("Vingt blessés dans un incendie", "20 blessés dans un incendie", "none"),
            ("Zwanzig Verletzte bei Brand", "Dreißig Verletzte bei Brand", "number"),
            ("Шесть человек погибли", "Семь человек погибли", "number"),
            ("Zginęło sześć osób", "Zginęło 6 osób", "none"),
            ("渡轮沉没两人死亡", "渡轮沉没五人死亡", "number"),
            ("Elf Personen verletzt", "11 Personen verletzt", "none"),
            ("Mayor resigns over scandal", "Harbour mayor resigns over scandal", "none"),
            ("Mayor resigns over scandal", "Deputy sworn in after mayor quits", "headline"),
        ]);
    }

    #[test]
    fn the_sentence_names_what_was_and_what_is() {
        let check = |change: Change, expected: &str| assert_eq!(change.sentence(), expected);
        let (before, after) = ("3".to_owned(), "12".to_owned());
        check(Change::Number { before, after }, "a number changed: 3 → 12");
        let before = "Ferry sinks".to_owned();
        check(Change::Headline { before }, "the headline changed from “Ferry sinks”");
        check(Change::Correction, "a correction was added");
        check(Change::Withdrawn, "it was withdrawn");
    }
}
