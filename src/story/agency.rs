//! News agencies: how they are named, alone and in authors' names.
//!
//! Of several agencies the first counts, since it had the most to tell. Joined
//! by a hyphen the last one does, since the others only pass its text on.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::change::one_of;
use crate::text::fold::fold;

/// Agencies, one a line: the name shown, their own domains, and the ways they
/// are credited. What has capitals of the Latin alphabet must be written just
/// so (`Ani` is a person), anything else is folded. A star marks letters that
/// mean many other things.
const AGENCIES: &str = include_str!("agencies.txt");

/// No way to name an agency has more bytes.
const LONGEST: usize = 50;
/// Words before and behind an agency's name that change nothing.
const BEFORE_NAME: [&str; 8] = ["by ", "from ", "via ", "von ", "par ", "por ", "af ", "the "];
const BEHIND_NAME: [&str; 8] = [
    " staff",
    " news agency",
    " agency",
    " news",
    " newsroom",
    " reports",
    " reporters",
    " writers",
];
/// What joins an author to another, who then wrote only a part.
const JOINS: [&str; 15] = [
    " with ", " mit ", " avec ", " con ", " met ", " med ", " and ", " und ", " et ", " y ", " i ",
    " e ", " & ", " via ", " in ",
];
/// Who is nobody in particular, last in a name; folded.
const STAFF: &str = "staff desk newsroom redaction redaktion redaccion redazione redakcja \
    redactie redaktionen red writers editors reporters team redacao bureau";
/// What a person is for an agency.
const ROLES: &str = "writer writers correspondent reporter editor analyst columnist";
/// Words that make a name the credit of a picture; folded.
const PICTURES: &str = "photo photos photograph foto fotos fot photographie getty images image \
    picture pictures bild bilder zdjecie zdjecia фото shutterstock imago handout video illustration \
    credit caption courtesy graphic imagen";
const PICTURES_IN_HAN: [&str; 6] = ["图", "圖", "写真", "寫真", "사진", "映像"];
/// How much a way of naming an agency means nothing else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meaning {
    /// It means many other things.
    Many,
    /// It means a party or a person too.
    Some,
    /// It means the agency.
    Only,
}

pub(super) type Named = (&'static str, Meaning);

/// The table, ready to be looked up.
pub(super) struct Names {
    sites: HashMap<&'static str, &'static str>,
    exact: HashMap<&'static str, Named>,
    folded: HashMap<String, Named>,
    /// Names that stand in a text without spaces, the longest first.
    pub(super) unspaced: Vec<(&'static str, &'static str)>,
}

pub(super) fn names() -> &'static Names {
    static NAMES: LazyLock<Names> = LazyLock::new(|| {
        let mut names = Names {
            sites: HashMap::new(),
            exact: HashMap::new(),
            folded: HashMap::new(),
            unspaced: Vec::new(),
        };
        for (agency, rest) in AGENCIES.lines().filter_map(|line| line.split_once(": ")) {
            let (domains, spellings) = rest.split_once("= ").unwrap_or((rest, ""));
            names.sites.extend(domains.split_whitespace().map(|domain| (domain, agency)));
            for spelling in spellings.split(", ") {
                let bare = spelling.trim_start_matches('*');
                let exact = bare.contains(|c: char| c.is_ascii_uppercase() || c == 'Č');
                let meaning = match (bare.len() < spelling.len(), exact) {
                    (true, _) => Meaning::Many,
                    (false, true) => Meaning::Some,
                    (false, false) => Meaning::Only,
                };
                if exact {
                    names.exact.insert(bare, (agency, meaning));
                } else {
                    names.folded.insert(fold(bare), (agency, meaning));
                    if bare.chars().any(is_unspaced) {
                        names.unspaced.push((bare, agency));
                    }
                }
            }
        }
        names.unspaced.sort_by_key(|(spelling, _)| std::cmp::Reverse(spelling.len()));
        names
    });
    &NAMES
}

/// Whether a letter is of a script that puts no spaces around a name.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

/// The agency whose site a domain is.
pub(super) fn of_site(domain: &str) -> Option<&'static str> {
    names().sites.get(domain).copied()
}

/// An agency by a way it is credited, alone.
pub(super) fn named(words: &str) -> Option<&'static str> {
    recognise(words).map(|(agency, _)| agency)
}

/// An agency by a way it is credited, and what else that means.
pub(super) fn recognise(words: &str) -> Option<Named> {
    let mut words = words.trim_matches(|c: char| !c.is_alphanumeric());
    for before in BEFORE_NAME {
        let begins = words.get(..before.len()).is_some_and(|it| it.eq_ignore_ascii_case(before));
        words = if begins { words.get(before.len()..)?.trim_start() } else { words };
    }
    let whole = lookup(words);
    whole.or_else(|| {
        let behind = BEHIND_NAME.iter().find_map(|behind| {
            let at = words.len().checked_sub(behind.len())?;
            words.get(at..)?.eq_ignore_ascii_case(behind).then_some(at)
        })?;
        lookup(words.get(..behind)?)
    })
}

fn lookup(words: &str) -> Option<Named> {
    // Folding costs.
    if words.is_empty() || words.len() > LONGEST {
        return None;
    }
    let exact = || names().exact.get(words);
    exact().or_else(|| names().folded.get(&fold(words))).copied()
}

/// One agency, or several that passed a text on: `AFP/Reuters`, `dpa/lby`,
/// `Bernama-Xinhua`, `서울=연합뉴스`.
pub(super) fn several(words: &str) -> Option<Named> {
    let all = |separators: &[char]| -> Option<Vec<Named>> {
        let desk = |part: &str| part.len() <= 4 && part.chars().all(|c| c.is_ascii_lowercase());
        let mut found = vec![];
        for part in words.split(separators) {
            match recognise(part) {
                Some(agency) => found.push(agency),
                None if desk(part.trim()) && !found.is_empty() => {}
                None => return None,
            }
        }
        Some(found)
    };
    recognise(words)
        .or_else(|| all(&['-', '‑']).and_then(|found| found.last().copied()))
        .or_else(|| all(&['/', ',', '&', '、']).and_then(|found| found.first().copied()))
        .or_else(|| at_place(words))
}

/// `서울=연합뉴스`, `워싱턴 AP=연합뉴스`, `ロンドン＝共同`: a place, then agencies.
fn at_place(words: &str) -> Option<Named> {
    let separators = ['=', '＝'];
    let last = |part: &str| part.split_whitespace().next_back().and_then(recognise);
    words.contains(separators).then(|| words.split(separators).find_map(last)).flatten()
}

/// The agency that a text of a script without spaces begins with, and the rest.
pub(super) fn leading(text: &str) -> Option<(&'static str, &str)> {
    let found = |(name, agency): &(&'static str, _)| Some((*agency, text.strip_prefix(name)?));
    names().unspaced.iter().find_map(found)
}

/// Whether words credit a picture.
pub(super) fn is_picture(words: &str) -> bool {
    let folded = fold(words);
    folded.split(|c: char| !c.is_alphanumeric()).any(|word| one_of(PICTURES, word))
        || PICTURES_IN_HAN.iter().any(|word| words.contains(word))
}

/// The agency that an author works for. Who only wrote with an agency used
/// more than its text, unless it is the `house` or its staff.
pub(super) fn authored(stated: &str, house: &str) -> Option<&'static str> {
    if is_picture(stated) {
        return None;
    }
    if let Some((agency, _)) = several(stated) {
        return Some(agency);
    }
    if let Some((agency, _)) = leading(stated.trim()) {
        return Some(agency);
    }
    for part in stated.split([',', '/', '|', ';', '(', ')', '·', '•', '–', '—']) {
        if let Some(agency) = named(part) {
            return Some(agency);
        }
        if let Some((before, after)) = cut(part) {
            let nobody = || is_staff(before, house) || before.trim().is_empty();
            let second = match named(after) {
                Some(agency) => nobody().then_some(agency),
                None => ending(after),
            };
            if let Some(agency) = named(before).or(second) {
                return Some(agency);
            }
            continue;
        }
        let found = ending(part).or_else(|| for_whom(part));
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Two authors at what joins them first.
fn cut(part: &str) -> Option<(&str, &str)> {
    let found = JOINS.iter().filter_map(|join| Some((part.find(join)?, join.len())));
    let (at, length) = found.min()?;
    Some((part.get(..at)?, part.get(at + length..)?))
}

/// Whether a name is the outlet's, or its staff's.
fn is_staff(name: &str, house: &str) -> bool {
    let folded = fold(name);
    let last = folded.split_whitespace().next_back().unwrap_or_default();
    let joined: String = folded.chars().filter(|c| c.is_alphanumeric()).collect();
    one_of(STAFF, last) || (!house.is_empty() && joined == house)
}

/// `JANE DOE Associated Press`: names of several words end a person's.
fn ending(part: &str) -> Option<&'static str> {
    let words: Vec<&str> = part.split_whitespace().collect();
    let ends = |count: usize| {
        let last = words.len().checked_sub(count).and_then(|from| words.get(from..))?;
        let (agency, meaning) = recognise(&last.join(" "))?;
        (meaning == Meaning::Only && (count > 1 || agency == "Reuters")).then_some(agency)
    };
    [4, 3, 2, 1].into_iter().find_map(ends)
}

/// `Jane Doe AP Business Writer`.
fn for_whom(part: &str) -> Option<&'static str> {
    let words: Vec<&str> = part.split_whitespace().collect();
    let role = words.last().is_some_and(|word| one_of(ROLES, &fold(word)));
    role.then(|| {
        let pairs = words.windows(2).find_map(|pair| named(&pair.join(" ")));
        pairs.or_else(|| words.iter().find_map(|word| named(word)))
    })?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_each_agency_and_spelling_once() {
        let check = |line: &str, sound: bool| assert!(sound, "{line}");
        let mut seen = std::collections::HashSet::new();
        for line in AGENCIES.lines() {
            let (agency, rest) = line.split_once(": ").unwrap();
            let (domains, spellings) = rest.split_once("= ").unwrap();
            check(line, !agency.is_empty() && !spellings.is_empty());
            for word in domains.split_whitespace() {
                check(word, seen.insert(format!("site {word}")) && psl::domain_str(word).is_some());
            }
            for spelling in spellings.split(", ") {
                check(spelling, spelling.len() <= LONGEST);
                check(spelling, seen.insert(spelling.trim_start_matches('*').to_owned()));
            }
        }
    }

    #[test]
    fn an_author_may_be_an_agency_or_work_for_one() {
        let check = |author: &str, expected: &str| {
            assert_eq!(authored(author, "").unwrap_or_default(), expected, "{author}");
        };
        for (author, expected) in [
            ("Reuters Staff", "Reuters"),
            ("By The Associated Press", "AP"),
            ("Agence France-Presse", "AFP"),
            ("Xinhua News Agency", "Xinhua"),
            ("AP News", "AP"),
            ("Jane Doe, Reuters", "Reuters"),
            ("Jane Doe, The Associated Press", "AP"),
            ("Jane Doe | AP", "AP"),
            ("JANE DOE Associated Press", "AP"),
            ("JANE DOE AP Business Writer", "AP"),
            ("Jane Doe (CP)", "Canadian Press"),
            ("noreply@example.com (AFP)", "AFP"),
            ("AFP with Jane Doe", "AFP"),
            ("AFP and Jane Doe", "AFP"),
            ("AFP mit Jane Doe", "AFP"),
            ("AP and staff", "AP"),
            ("Staff and AP", "AP"),
            ("Rédaction avec AFP", "AFP"),
            ("Staff and agencies", "agencies"),
            ("Guardian staff and agencies", "agencies"),
            ("Agencies", "agencies"),
            ("Reuters/AFP", "Reuters"),
            ("Bernama-Xinhua", "Xinhua"),
            ("PA Media", "PA"),
            ("PA news agency", "PA"),
            ("Press Trust of India", "PTI"),
            ("The Canadian Press", "Canadian Press"),
            ("DPA", "dpa"),
            ("dpa", "dpa"),
            ("EFE", "EFE"),
            ("Agencia EFE", "EFE"),
            ("ANSA", "ANSA"),
            ("TT", "TT"),
            ("SPA", "SPA"),
            ("Von dpa", "dpa"),
            ("新华社", "Xinhua"),
            ("新华社记者 甲", "Xinhua"),
            ("연합뉴스", "Yonhap"),
            ("ТАСС", "TASS"),
            ("РИА Новости", "RIA Novosti"),
            ("Интерфакс", "Interfax"),
            ("共同", "Kyodo"),
            ("時事通信", "Jiji"),
            ("タス通信", "TASS"),
            ("Anadolu Ajansı", "Anadolu"),
            ("Bloomberg News", "Bloomberg"),
            ("Jane Doe, Bloomberg", "Bloomberg"),
            ("Reuters via Yahoo", "Reuters"),
            ("Jane Doe with AFP", ""),
            ("Jane Doe and AFP", ""),
            ("Jane Doe and agencies", ""),
            ("Jane Doe", ""),
            ("Ani", ""),
            ("Efe Yilmaz", ""),
            ("Yilmaz, Efe", ""),
            ("Lusa Silva", ""),
            ("Michael Bloomberg", ""),
            ("Pap, Anna", ""),
            ("AFP/Getty Images", ""),
            ("AP Photo", ""),
            ("Reuters/Jane Doe", "Reuters"),
            ("The Associated Press, Jane Doe", "AP"),
            ("Associated Press in London", "AP"),
            ("Associated Press reporters", "AP"),
            ("AFP, Reuters", "AFP"),
            ("REUTERS", "Reuters"),
            ("reuters.com", ""),
            ("Jane Doe for AFP", ""),
            ("Le Monde avec AFP", ""),
            ("Redaktion mit dpa", "dpa"),
            ("Online-Redaktion/dpa", "dpa"),
            ("Agencia EFE y Redacción", "EFE"),
            ("Redacción / Agencias", "agencies"),
            ("News Desk, PTI", "PTI"),
            ("Press Association, Jane Doe", "PA"),
            ("JANE DOE and JOHN ROE Associated Press", "AP"),
            ("Jane Doe of The Associated Press", "AP"),
            ("Australian Associated Press", "AAP"),
            ("Associated Press of Pakistan", "APP"),
            ("Yonhap News Agency", "Yonhap"),
            ("(연합뉴스) 홍길동", "Yonhap"),
            ("로이터", "Reuters"),
            ("共同通信社", "Kyodo"),
            ("PAP/Jan Kowalski", "PAP"),
            ("AAP with Jane Doe", "AAP"),
            ("TASS Russian News Agency", "TASS"),
            ("Pap", ""),
            ("Anadolu Efes", ""),
            ("Tass Doe", ""),
            ("Bloomberg Philanthropies", ""),
            ("Thomson Reuters Foundation", ""),
            ("The Editors", ""),
            ("Doe, Ani", ""),
            ("Getty Images/AFP", ""),
            ("", ""),
        ] {
            check(author, expected);
        }
        let house = |author, house, expected| assert_eq!(authored(author, house), expected);
        house("Le Monde avec AFP", "lemonde", Some("AFP"));
        house("Le Monde avec AFP", "lefigaro", None);
    }
}
