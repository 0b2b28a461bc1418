//! The agency that a text is credited to.
//!
//! A name counts where credits stand: in a dateline, a byline, in brackets or
//! behind a dash at the end, alone in the last line, behind "Source:" or "©".
//! In running text it does not. "Told Reuters", "according to AP" and "AP
//! contributed" are the outlet's own words; only 据…电 and 据…报道 at the very
//! beginning say that all that follows is the agency's.

use super::agency::{
    Meaning, Named, authored, is_picture, is_unspaced, leading, named, names, recognise, several,
};
use super::change::one_of;
use crate::text::fold::fold;

/// Bytes at the beginning and the end of a text where a credit is looked for.
const NEAR: usize = 200;
/// Bytes of the longest credit in brackets.
const SHORT: usize = 70;
/// The last line says with them where its text is from; folded.
const SOURCE_WORDS: &str = "source sources quelle quellen zrodło fuente fuentes fonte \
    kaynak bron kilde kalla zdroj forras sumber источник джерело 来源 來源 출처 المصدر";
/// Signs that end a sentence, before a credit.
const SENTENCE_ENDS: [char; 14] =
    ['.', '!', '?', '"', '”', '“', '»', '…', '。', '」', '」', '।', '\'', '’'];
const DASHES: [char; 6] = ['-', '–', '—', '―', ':', '='];

/// The agency that a text is credited to.
pub(super) fn credited(text: &str) -> Option<&'static str> {
    let head = text.get(..text.floor_char_boundary(NEAR)).unwrap_or_default();
    let byline = || {
        let (first, _) = text.trim_start().split_once('\n')?;
        let by = ["by ", "par ", "von ", "por "].iter().any(|by| fold(first).starts_with(by));
        if first.len() > NEAR / 2 {
            None
        } else if by {
            authored(first, "")
        } else {
            several(first).map(|(agency, _)| agency)
        }
    };
    wired(head.trim_start())
        .or_else(|| in_brackets(text))
        .or_else(|| dateline(head))
        .or_else(byline)
        .or_else(|| last_line(text))
}

/// A credit of scripts without spaces: `新华社北京11月25日电` and 据新华社报道 at the
/// beginning.
fn wired(text: &str) -> Option<&'static str> {
    let passed = text.strip_prefix(['据', '據']);
    let (agency, rest) = leading(passed.unwrap_or(text))?;
    // Places and dates are short.
    let mut before = rest.char_indices().take(20).take_while(|(_, c)| !"，。,：:".contains(*c));
    let end = before.find(|(_, c)| matches!(c, '电' | '電'));
    let told = ["报道", "報道", "報導", "消息"];
    let between = end.and_then(|(at, _)| rest.get(..at));
    let wire = between.is_some_and(|words| !told.iter().any(|told| words.contains(told)));
    let reported = passed.is_some() && told.iter().any(|told| rest.starts_with(told));
    (wire || reported).then_some(agency)
}

/// What a bracket at the beginning says in scripts without spaces:
/// `北京共同`, `東京 25日 ロイター`, `新华社北京25日電`.
fn wired_in_bracket(inside: &str) -> Option<Named> {
    let wire = || wired(inside).map(|agency| (agency, Meaning::Only));
    let spaced = || {
        let (place, last) = inside.rsplit_once([' ', '\u{3000}'])?;
        let dated = |c: char| c.is_numeric() || is_unspaced(c);
        recognise(last).filter(|_| place.contains(dated))
    };
    let joined = || {
        let lower = inside.to_lowercase();
        let ends = |(name, _): &&(&str, &str)| lower.ends_with(*name);
        names().unspaced.iter().find(ends).map(|(_, agency)| (*agency, Meaning::Only))
    };
    wire().or_else(spaced).or_else(joined)
}

/// A credit in brackets or between slashes, near the beginning or the end.
fn in_brackets(text: &str) -> Option<&'static str> {
    let starts = text.floor_char_boundary(text.len().saturating_sub(NEAR).max(NEAR));
    let head = text.get(..text.floor_char_boundary(NEAR))?.char_indices();
    let tail = text.get(starts..).unwrap_or_default();
    let tail = tail.char_indices().map(|(at, c)| (at + starts, c));
    head.chain(tail).find_map(|(at, open)| {
        let before = text.get(..at)?;
        let close = match open {
            '(' => ')',
            '[' => ']',
            '（' => '）',
            '［' => '］',
            '【' => '】',
            '〔' => '〕',
            '/' if before.is_empty() || before.ends_with(char::is_whitespace) => '/',
            _ => return None,
        };
        let rest = text.get(at + open.len_utf8()..)?;
        // Hostile texts have thousands of brackets.
        let short = rest.get(..rest.floor_char_boundary(SHORT))?;
        let inside = short.get(..short.find(close)?)?;
        let after = rest.get(inside.len() + close.len_utf8()..)?;
        let first = before.trim().is_empty();
        let dated = || wired_in_bracket(inside).filter(|_| first && open != '/');
        let found = several(inside).or_else(dated).or_else(|| central(inside))?;
        let pictured = is_picture(inside) || is_picture(last_words(before)) || is_caption(before);
        let stands = stands(before, after, found.1);
        (stands && !pictured && !is_abbreviation(before, inside)).then_some(found.0)
    })
}

/// `中央社記者甲台北25日電` wherever it stands in brackets.
fn central(inside: &str) -> Option<Named> {
    inside.ends_with(['電', '电']).then(|| wired(inside)).flatten().map(|a| (a, Meaning::Only))
}

/// Whether what stands between two parts of a text is in a credit's place.
fn stands(before: &str, after: &str, meaning: Meaning) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default().trim();
    let dashed = after.trim_start_matches(['.', ' ', ',', '\u{a0}']).starts_with(DASHES);
    let next = after.chars().find(|c| c.is_alphabetic());
    let goes_on = next.is_some_and(char::is_lowercase);
    if line.is_empty() && (!goes_on || (dashed && meaning == Meaning::Only)) {
        return true;
    }
    let wire = dashed || (!goes_on && line.contains(|c: char| c.is_ascii_digit()));
    let place = is_place(line) && wire && (!goes_on || meaning == Meaning::Only);
    let sure = meaning == Meaning::Only;
    if place || (sure && dashed && line.len() <= NEAR / 2 && !goes_on) {
        return true;
    }
    // Cyrillic agencies stand between slashes behind place and date.
    if sure && is_place(line) && !goes_on && line.len() <= NEAR / 2 {
        return true;
    }
    let rest = after.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '\n');
    let ends = rest.is_empty() || rest.starts_with('\n');
    ends && (sure || stands_apart(line, meaning))
}

/// Whether a credit of a few letters may follow these words at the end: behind
/// a name, `(AP)` is its abbreviation.
fn stands_apart(before: &str, meaning: Meaning) -> bool {
    let last = before.split_whitespace().next_back().unwrap_or_default();
    before.is_empty()
        || before.ends_with(SENTENCE_ENDS)
        || (meaning == Meaning::Some
            && !last.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()))
}

/// Whether a line's beginning is a place and a date: `Madrid, 23 nov`.
fn is_place(line: &str) -> bool {
    let mut words = 0;
    let (mut small, mut dated) = (0, false);
    for word in line.split(|c: char| c.is_whitespace() || c == '/') {
        let letters = word.chars().filter(|c| c.is_alphabetic()).count();
        dated |= word.contains(|c: char| c.is_numeric());
        small += usize::from(word.starts_with(char::is_lowercase) && letters > 3);
        words += 1;
    }
    line.len() <= NEAR / 2 && words <= 12 && small <= usize::from(dated)
}

/// Whether letters are the initials of the words before them, as in "Andhra
/// Pradesh (AP)".
fn is_abbreviation(before: &str, letters: &str) -> bool {
    let from = before.floor_char_boundary(before.len().saturating_sub(NEAR / 2));
    let near = before.get(from..).unwrap_or_default();
    let phrase = near.rsplit(['.', ',', ';', ':', '/', '(', '\n']).next().unwrap_or_default();
    let letters = fold(letters);
    let words = phrase.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let (mut all, mut long) = (String::new(), String::new());
    for word in words {
        let Some(initial) = fold(word).chars().next() else { continue };
        all.push(initial);
        if word.len() > 3 || word.starts_with(char::is_uppercase) {
            long.push(initial);
        }
    }
    letters.chars().count() > 1 && (all.ends_with(&letters) || long.ends_with(&letters))
}

fn last_words(before: &str) -> &str {
    let before = before.trim_end();
    let mut spaces = before.rmatch_indices(char::is_whitespace);
    let from = spaces.nth(1).map_or(0, |(at, _)| at);
    before.get(from..).unwrap_or_default()
}

/// Whether what a credit follows ends with a year, as captions do: "Port City,
/// on Nov. 25, 2022. (Reuters)".
fn is_caption(before: &str) -> bool {
    let before = before.trim_end();
    let year = before.strip_suffix('.').and_then(|rest| rest.split(' ').next_back());
    let year =
        year.filter(|year| year.len() == 4 && (year.starts_with("20") || year.starts_with("19")));
    year.is_some_and(|year| year.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A dateline without brackets: `МОСКВА, 25 ноя — РИА Новости.`, `Riyadh,
/// November 25, 2022, SPA --`.
fn dateline(head: &str) -> Option<&'static str> {
    let line = head.trim_start().lines().next()?;
    let mut from = 0;
    for (at, sign) in line.match_indices(['.', ',', '-', '–', '—', '―', ':']) {
        let (before, part) = (line.get(..from)?, line.get(from..at)?);
        let rest = line.get(at..)?;
        let next = rest.get(sign.len()..)?;
        // `Interfax-Ukraine` and `INTERFAX.RU` are one name.
        if !next.starts_with([' ', '-', '\u{a0}']) {
            continue;
        }
        // `SYDNEY, Nov 25 AAP -`
        let last =
            || part.contains(|c: char| c.is_ascii_digit()).then(|| part.trim().rsplit_once(' '))?;
        let found = recognise(part).or_else(|| recognise(last()?.1));
        let first = before.trim().is_empty();
        let goes_on = next.chars().find(|c| c.is_alphabetic()).is_some_and(char::is_lowercase);
        let dash = DASHES.iter().any(|dash| rest.starts_with(*dash));
        let dated = line.get(..at)?.contains(|c: char| c.is_ascii_digit());
        // A full stop ends a dateline only behind a date.
        let ends = (dash && (first || dated)) || (sign == "." && dated);
        let tail = before.trim_end_matches(|c: char| !c.is_alphanumeric());
        if let Some((agency, meaning)) = found
            && ends
            && !goes_on
            && is_place(tail)
            && (dated || meaning == Meaning::Only || (first && meaning == Meaning::Some))
        {
            return Some(agency);
        }
        from = at + sign.len();
    }
    None
}

/// `Source: AFP`, `© 2022 AFP`, `— Reuters`, or the agency alone in the last
/// line; and what only agencies' texts end with.
fn last_line(text: &str) -> Option<&'static str> {
    let (before, line) = text.trim_end().rsplit_once('\n').unwrap_or(("", text.trim_end()));
    let line = line.get(line.ceil_char_boundary(line.len().saturating_sub(NEAR * 2))..)?;
    let alone = || several(line).filter(|_| !before.trim().is_empty());
    let sourced = || {
        let (front, back) = line.rsplit_once([':', '：'])?;
        let word = front.rsplit(|c: char| !c.is_alphanumeric()).next().map(fold)?;
        several(back).filter(|_| one_of(SOURCE_WORDS, &word))
    };
    let owned = || {
        ["©", "Copyright", "(c)"].into_iter().find_map(|mark| {
            let (front, back) = line.rsplit_once(mark)?;
            let name = back.split(['.', '|']).next()?;
            let name = name.trim_matches(|c: char| c.is_ascii_digit() || c == ' ' || c == ',');
            several(name).filter(|_| !is_picture(last_words(front)))
        })
    };
    let dashed = || {
        ["--", " -", "—", "–", "―"].into_iter().find_map(|dash| {
            let (front, back) = line.rsplit_once(dash)?;
            let found = several(back)?;
            let apart = found.1 == Meaning::Only || stands_apart(front.trim_end(), found.1);
            (apart && !is_picture(last_words(front))).then_some(found)
        })
    };
    let found = alone().or_else(sourced).or_else(owned).or_else(dashed);
    found.map(|(agency, _)| agency).or_else(|| closing(line))
}

/// Sentences with which only agencies' texts end.
fn closing(line: &str) -> Option<&'static str> {
    let folded = fold(line);
    if let Some((_, rest)) = folded.rsplit_once("report by ")
        && let Some((name, _)) = rest.split_once(" was first published")
    {
        return named(name);
    }
    if folded.contains("reporting by ") && folded.contains("editing by ") {
        return Some("Reuters");
    }
    let syndicated = ["from a syndicated feed", "from a wire agency feed", "from an agency feed"];
    syndicated.iter().any(|words| folded.contains(words)).then_some("agencies")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rows: &[(&str, &str)]) {
        for (text, expected) in rows {
            assert_eq!(credited(text).unwrap_or_default(), *expected, "{text}");
        }
    }

    #[test]
    fn a_dateline_names_the_agency() {
        check(&[
            ("LONDON (AP) — Ships met.", "AP"),
            ("ISLAMABAD, Nov 25 (APP) – Ships met.", "APP"),
            ("WARSAW, Poland (PAP) - Ships met.", "PAP"),
            ("Nov 23 (Reuters) - Ships met.", "Reuters"),
            ("KYIV. Nov 23 (Interfax-Ukraine) - Ships met.", "Interfax-Ukraine"),
            ("New Delhi [India], November 23 (ANI): Ships met.", "ANI"),
            ("NEW DELHI, Nov 23 (IANS) Ships met.", "IANS"),
            ("Mumbai, Nov 25 (PTI) Ships met.", "PTI"),
            ("Berlin (dpa/lby) - Schiffe trafen sich.", "dpa"),
            ("Hamburg/Kiel (dpa) – Schiffe trafen sich.", "dpa"),
            ("Wien (APA) – Schiffe trafen sich.", "APA"),
            ("Madrid, 23 nov (EFE).- Los barcos.", "EFE"),
            ("Lisboa, 25 nov 2022 (Lusa) - Os navios.", "Lusa"),
            ("(ANSA) - ROMA, 23 NOV - Le navi.", "ANSA"),
            ("BRUXELLES (Belga) - Les navires.", "Belga"),
            ("Berne (ATS) - Les navires.", "ATS"),
            ("Oslo (NTB): Skipene møttes.", "NTB"),
            ("STOCKHOLM (TT) – Fartygen möttes.", "TT"),
            ("Budapest, november 25. (MTI) - A hajók.", "MTI"),
            ("Praha 25. listopadu (ČTK) - Lodě se potkaly.", "CTK"),
            ("ANKARA (AA) - Gemiler.", "Anadolu"),
            ("ABU DHABI, 25th November, 2022 (WAM) -- Ships met.", "WAM"),
            ("Riyadh, November 25, 2022, SPA -- Ships met.", "SPA"),
            ("CAIRO, Nov. 25 (MENA) - Ships met.", "MENA"),
            ("TEHRAN, Nov. 25 (IRNA) – Ships met.", "IRNA"),
            ("Pyongyang, November 25 (KCNA) -- Ships met.", "KCNA"),
            ("Hanoi, November 25 (VNA) – Ships met.", "VNA"),
            ("Jakarta (ANTARA) - Ships met.", "Antara"),
            ("Taipei, Nov. 25 (CNA) Ships met.", "CNA"),
            ("KUALA LUMPUR, Nov 25 (Bernama) -- Ships met.", "Bernama"),
            ("PORT CITY, Nov 23 (Bernama-Xinhua) -- Ships met.", "Xinhua"),
            ("OTTAWA (CP) — Ships met.", "Canadian Press"),
            ("Nov. 25 (UPI) -- Ships met.", "UPI"),
            ("(Bloomberg) -- Ships met.", "Bloomberg"),
            ("Helsinki (STT) – Laivat kohtasivat.", "STT"),
            ("МОСКВА, 23 ноября. /ТАСС/. Суда встретились.", "TASS"),
            ("МОСКВА, 25 ноя — РИА Новости. Суда встретились.", "RIA Novosti"),
            ("Москва. 25 ноября. ИНТЕРФАКС - Суда встретились.", "Interfax"),
            ("КИЇВ. 25 листопада. Укрінформ. Кораблі зустрілися.", "Ukrinform"),
            ("新华社北京11月25日电（记者甲）两船相遇", "Xinhua"),
            ("据新华社北京11月25日电 两船相遇", "Xinhua"),
            ("（新华社北京25日电）两船相遇", "Xinhua"),
            ("中新社北京11月25日电 两船相遇", "China News Service"),
            ("据法新社报道，两船相遇", "AFP"),
            ("（中央社記者甲台北25日電）兩船相遇", "CNA"),
            ("【北京共同】会談した", "Kyodo"),
            ("【ロンドン＝共同】会談した", "Kyodo"),
            ("【ワシントン時事】会談した", "Jiji"),
            ("【AFP＝時事】会談した", "AFP"),
            ("【11月25日 AFP】会談した", "AFP"),
            ("［東京 ２５日 ロイター］ - 会談した", "Reuters"),
            ("【ソウル聯合ニュース】会談した", "Yonhap"),
            ("(서울=연합뉴스) 홍길동 기자 = 배", "Yonhap"),
            ("(워싱턴 AP=연합뉴스) 배", "AP"),
            ("القاهرة (رويترز) - التقت السفن", "Reuters"),
            ("WASHINGTON (AFP) – Ships met.", "AFP"),
            ("By Jane Doe LONDON (Reuters) - Ships met.", "Reuters"),
            ("BEIJING/HONG KONG, Nov 25 (Reuters) - Ships met.", "Reuters"),
            ("AP - Ships met off the coast.", "AP"),
            ("New Delhi, Nov 25 (PTI): Ships met.", "PTI"),
            ("MANILA — Ships met. (PNA)", "PNA"),
            ("ROMA (askanews) - Le navi.", "Askanews"),
            ("Paris, 25 nov 2022 (AFP) - Les navires.", "AFP"),
            ("Frankfurt/Main (dpa/lhe) - Schiffe.", "dpa"),
            ("Zürich (awp/sda) - Schiffe.", "ATS"),
            ("ATHENS (ANA-MPA) – Ships met.", "ANA-MPA"),
            ("İSTANBUL (DHA) - Gemiler.", "DHA"),
            ("Kuwait, Nov. 25 (KUNA) -- Ships met.", "KUNA"),
            ("КИЕВ. 25 ноября. ИНТЕРФАКС-УКРАИНА - Суда.", "Interfax-Ukraine"),
            ("Москва. 25 ноября. INTERFAX.RU - Суда.", "Interfax"),
            ("25 ноября, Минск /Корр. БЕЛТА/. Суда.", "BelTA"),
            ("МОСКВА, 25 ноя /ТАСС/. Суда встретились.", "TASS"),
            ("新華社北京11月25日電 兩船相遇", "Xinhua"),
            ("法新社巴黎25日電 兩船相遇", "AFP"),
            ("據中央社報導，兩船相遇", "CNA"),
            ("综合外媒报道，两船相遇", ""),
            ("［ワシントン　２５日　ロイター］ 会談した", "Reuters"),
            ("【ニューヨーク共同】会談した", "Kyodo"),
            ("【パリAFP時事】会談した", "AFP"),
            ("[서울=뉴시스] 홍길동 기자 = 배", "Newsis"),
            ("(베이징 신화=연합뉴스) 배", "Xinhua"),
            ("नई दिल्ली, 25 नवंबर (भाषा) जहाज मिले।", "PTI"),
            ("دبي (رويترز) - التقت السفن", "Reuters"),
        ]);
    }

    #[test]
    fn a_credit_at_the_end_or_a_byline_names_the_agency() {
        check(&[
            ("Ships met. (AFP)", "AFP"),
            ("Ships met. (AFP/Reuters)", "AFP"),
            ("Statki się spotkały (PAP)", "PAP"),
            ("Statki. (PAP)\n\njkl/ mal/", "PAP"),
            ("Skibene mødtes. /ritzau/", "Ritzau"),
            ("船が会談した（ロイター）", "Reuters"),
            ("船が会談した。（共同）", "Kyodo"),
            ("船が会談した（タス通信）", "TASS"),
            ("Ships met. Source: AFP", "AFP"),
            ("Statki.\nŹródło: PAP", "PAP"),
            ("Schiffe.\nQuelle: dpa", "dpa"),
            ("两船相遇。\n来源：新华社", "Xinhua"),
            ("Ships met.\n© 2022 AFP", "AFP"),
            ("Ships met. © AP", "AP"),
            ("Met. Copyright 2022 The Associated Press. All rights reserved.", "AP"),
            ("Ships met. — Reuters", "Reuters"),
            ("Ships met. -- BERNAMA", "Bernama"),
            ("Ships met. – AP", "AP"),
            ("Ships met. (Agencies)", "agencies"),
            ("By JANE DOE, Associated Press\nShips met.", "AP"),
            ("By The Associated Press\n\nShips met.", "AP"),
            ("Ships met.\n\nAFP", "AFP"),
            (
                "Ships met. This report by The Canadian Press was first published Nov. 25, 2022.",
                "Canadian Press",
            ),
            ("Ships met. (Reporting by Jane Doe; Editing by John Roe)", "Reuters"),
            ("Ships met (Reuters).", "Reuters"),
            ("Ships met. [AFP]", "AFP"),
            ("Schiffe trafen sich. (dpa)", "dpa"),
            ("Les navires se sont rencontrés. (Belga)", "Belga"),
            ("Los barcos se encontraron.\nEFE", "EFE"),
            ("Ships met.\n\n— Reuters", "Reuters"),
            ("Ships met.\nSource: Reuters/ab", "Reuters"),
            ("Ships met.\nCopyright Thomson Reuters 2022", "Reuters"),
            ("(c) 2022 AFP", "AFP"),
            ("Skepp möttes. (TT)", "TT"),
            ("Aluksia. (STT)", "STT"),
            ("Ships met. -TASS", "TASS"),
            ("Los barcos. (Con información de EFE)", ""),
            ("两船相遇。（新华社）", "Xinhua"),
            ("两船相遇。（来源：新华社）", "Xinhua"),
            ("両船が会談した。〔共同〕", "Kyodo"),
            ("Gemiler buluştu. Kaynak: AA", "Anadolu"),
            ("Ships met. (PTI) ABC XYZ", ""),
        ]);
    }

    #[test]
    fn credits_and_others_of_many_forms() {
        check(&[
            ("SYDNEY, Nov 25 AAP - Ships met.", "AAP"),
            ("LONDON, Nov 25, 2022 (AFP) - Ships met.", "AFP"),
            ("Port of Spain (CMC) - Ships met.", ""),
            ("BERLIN — Ships met, dpa reported.", ""),
            ("Tokyo, Nov. 25 (Jiji Press)--Ships met.", "Jiji"),
            ("SEOUL, Nov. 25 (Yonhap) -- Ships met.", "Yonhap"),
            ("SOFIA (BTA) – Ships met.", "BTA"),
            ("Roma, 25 nov. (Adnkronos) - Le navi.", "Adnkronos"),
            ("Buenos Aires, 25 nov (EFE).- Los barcos.", "EFE"),
            ("PARIS (Agence France-Presse) — Ships met.", "AFP"),
            ("LONDON (The Associated Press) — Ships met.", "AP"),
            ("New York (dpa) - Schiffe trafen sich.", "dpa"),
            ("Warszawa, 25.11.2022 (PAP) - Statki.", "PAP"),
            ("Warszawa (PAP Biznes) - Statki.", "PAP"),
            ("Kraj (AP) - tak mówią.", ""),
            ("Ships met. Copyright AFP 2022", "AFP"),
            ("The World Bank said so (Reuters) on Friday.", ""),
            ("Bewohner des Landkreises (PA) klagen.", ""),
            ("The Palestinian Authority (PA) - led by elders - met.", ""),
            ("Prawo i Porządek (PAP)", ""),
            ("Partido Aliado Popular (PAP)", ""),
            ("The mobile network (TT) is down.", ""),
            ("Ships met. Associated Press writer Jane Doe contributed.", ""),
            ("By Jane Doe | Associated Press\nShips met.", "AP"),
            ("新华社华盛顿11月25日电 综述：两船相遇", "Xinhua"),
            ("据美联社报道，两船相遇", "AP"),
            ("美联社：两船相遇", ""),
            ("【ベルリン時事】両船", "Jiji"),
            ("[뉴욕=뉴시스] 배", "Newsis"),
            ("Photo (AFP): ships.", ""),
            ("Ships met. / Reuters", ""),
            ("Ships met. (AP Photo)", ""),
            ("Ships met. (Reuters, AFP)", "Reuters"),
            ("Ships met. (NTB-AFP)", "AFP"),
            ("АЛМАТЫ. 25 ноября. КАЗИНФОРМ - Суда.", "Kazinform"),
            ("ЛОНДОН, 25 ноя - РИА Новости. Суда.", "RIA Novosti"),
            ("Суда встретились, сообщает ТАСС.", ""),
            ("The American Psychological Association (APA)", ""),
        ]);
    }

    #[test]
    fn parties_places_and_other_words_are_no_agencies() {
        check(&[
            ("The People's Action Party (PAP) won.", ""),
            ("The People's Action Party (PAP) - in power for long - won.", ""),
            ("They voted for the People's Action Party (PAP)", ""),
            ("Singapore's ruling party (PAP) - in power for long - won.", ""),
            ("Andhra Pradesh (AP) - rain fell.", ""),
            ("Andhra Pradesh (AP) saw rain.", ""),
            ("Rain fell on Andhra Pradesh (AP).", ""),
            ("Rain fell across the Middle East and North Africa (MENA)", ""),
            ("The Palestinian Authority (PA) met.", ""),
            ("Le Premier ministre de l'Autorité palestinienne (AP)", ""),
            ("Pakistan Tehreek-e-Insaf (PTI) said so.", ""),
            ("The Aam Aadmi Party (AAP) won the seat.", ""),
            ("He joined the Armed Forces of the Philippines (AFP)", ""),
            ("The cause was cerebral palsy (CP).", ""),
            ("A visit to Trinidad and Tobago (TT)", ""),
            ("The Ministry of Trade and Industry (MTI) said growth slowed.", ""),
            ("They pay by Unified Payments Interface (UPI).", ""),
            ("Meetings of Alcoholics Anonymous (AA) - a fellowship - are free.", ""),
            ("The hotel has a pool and a mineral bath (SPA)", ""),
            ("The African Parks Association (APA) spoke.", ""),
            ("The nurse (CNA) left.", ""),
            ("The Supreme Court (SC) ruled.", ""),
            ("The Harbour Front (PAP) met. Then it rained.", ""),
            ("Harbour Province (AP) saw rain.", ""),
            ("The Associated Press (AP) is a news agency.", ""),
            ("Reuters is an agency. It was founded long ago.", ""),
            ("The Asia Pacific Association (APA) met.", ""),
            ("Le Parti (PAP) - au pouvoir - a gagné.", ""),
            ("He pleaded not guilty in Allegheny County (PA)", ""),
            ("Der Flugplatz liegt in der Ausbauphase (APA)", ""),
            ("It costs 20 dollars a month (CP)", ""),
            ("She bought AA batteries - and left.", ""),
            ("The minister (PTI) said: ships met.", ""),
            ("Ships met, AFP reports.", ""),
            ("Ships met, Xinhua said.", ""),
            ("Bloomberg: the man who ran the city", ""),
            ("Bloomberg, the former mayor, spoke.", ""),
            ("Antara dua kapal itu ada jarak.", ""),
            ("A dpa spokeswoman said so.", ""),
            ("TT - the race - returns.", ""),
            ("Kyodo News survey: support falls", ""),
            ("共同声明を発表した", ""),
            ("時事問題を語る", ""),
            ("【共同声明】発表した", ""),
            ("新华社发 两船相遇", ""),
            ("两船相遇 新华社记者 甲 摄", ""),
            ("[로이터=연합뉴스 자료사진]", ""),
            ("Photograph: Jane Doe/AFP/Getty Images", ""),
            ("A ship.\nImage: Reuters", ""),
            ("A ship in port, on Nov. 17, 2022. (Reuters)", ""),
            ("Bild: dpa", ""),
            ("Ships met. Photos by AFP.", ""),
            ("Zdjęcie: PAP", ""),
        ]);
    }

    #[test]
    fn credits_of_pictures_are_not_those_of_the_text() {
        check(&[
            ("A ship at sea. (Reuters/Jane Doe)", ""),
            ("A ship at sea. AFP/Getty", ""),
            ("A ship at sea. (AFP/Getty Images)", ""),
            ("A ship at sea. (AP Photo/Jane Doe)", ""),
            ("A ship at sea. Photo: AFP", ""),
            ("A ship at sea.\nFoto: dpa", ""),
            ("Statki.\nfot. PAP/Jan Kowalski", ""),
            ("A ship at sea. — AFP via Getty Images", ""),
            ("© Reuters/Jane Doe", ""),
            ("Ships met.\nREUTERS/Jane Doe", ""),
            ("(Photo by AFP) Ships met.", ""),
            ("File photo (Reuters) Ships met.", ""),
            ("两船相遇。图：新华社", ""),
        ]);
    }

    #[test]
    fn what_an_agency_heard_said_or_added_is_no_credit() {
        check(&[
            ("An officer told Reuters that ships met.", ""),
            ("Ships met, according to AP.", ""),
            ("Reuters reported that ships met.", ""),
            ("State media (Xinhua) reported that ships met.", ""),
            ("Ships met. The Associated Press contributed to this report.", ""),
            ("Ships met. (with AFP)", ""),
            ("新华社报道两船相遇", ""),
            ("Reuters — owned by a family — was sold.", ""),
            ("Moscow, TASS, and others agree.", ""),
            ("Officials spoke to Agence France-Presse (AFP) on Friday.", ""),
            ("タス通信によると会談した", ""),
            ("(CNN) — Ships met.", ""),
            ("By Jane Doe\nShips met.", ""),
            ("Ships met.", ""),
            ("()", ""),
            ("(", ""),
            ("", ""),
        ]);
    }
}
