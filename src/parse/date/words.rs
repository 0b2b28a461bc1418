//! Names of months in the languages of the news, and the few other words that
//! say something. All lower case and without accents, as the lexer gives them.

/// Beginnings of month names, by month. A word is that month if it begins so
/// and nothing longer of another month fits; three letters at least, so that
/// any abbreviation is read too.
const MONTHS: [&[&str]; 12] = [
    // en de fr es pt it nl ro hu id | tr cs pl | el ru uk | ar
    &[
        "jan",
        "janv",
        "ene",
        "gen",
        "ian",
        "oca",
        "leden",
        "ledna",
        "sty",
        "ιαν",
        "янв",
        "січ",
        "студ",
        "يناير",
        "جانفي",
    ],
    &[
        "feb",
        "febr",
        "fev",
        "sub",
        "unor",
        "lut",
        "φεβ",
        "φεβρ",
        "фев",
        "лют",
        "فبراير",
        "فيفري",
        "شباط",
    ],
    &["mar", "mrz", "maart", "maa", "marz", "brez", "μαρ", "μαρτ", "мар", "берез", "مارس", "اذار"],
    &[
        "apr",
        "avr",
        "abr",
        "nis",
        "dub",
        "kwi",
        "απρ",
        "апр",
        "квіт",
        "квит",
        "кві",
        "ابريل",
        "افريل",
        "نيسان",
    ],
    &[
        "may", "mai", "maj", "mei", "mag", "kve", "μαι", "μαϊ", "μαιο", "маи", "мая", "трав",
        "مايو", "ماي", "ايار",
    ],
    &[
        "jun",
        "juin",
        "giu",
        "iun",
        "haz",
        "cervn",
        "cerven",
        "cze",
        "czerw",
        "ιουν",
        "июн",
        "черв",
        "يونيو",
        "جوان",
        "حزيران",
    ],
    &[
        "jul",
        "juil",
        "lug",
        "iul",
        "tem",
        "cervenec",
        "cervenc",
        "lip",
        "ιουλ",
        "июл",
        "лип",
        "يوليو",
        "جويلية",
        "تموز",
    ],
    &[
        "aug",
        "aou",
        "aout",
        "ago",
        "agu",
        "srp",
        "sie",
        "ags",
        "αυγ",
        "авг",
        "серп",
        "اغسطس",
        "اوت",
    ],
    &[
        "sep",
        "sept",
        "set",
        "sett",
        "eyl",
        "zar",
        "wrz",
        "szept",
        "σεπ",
        "сен",
        "вер",
        "سبتمبر",
        "ايلول",
    ],
    &["oct", "okt", "out", "ott", "eki", "rij", "paz", "pazdz", "οκτ", "окт", "жов", "اكتوبر"],
    &["nov", "noi", "kas", "listop", "lis", "νοε", "нояб", "ноя", "листоп", "лис", "نوفمبر"],
    &[
        "dec",
        "dez",
        "dic",
        "des",
        "dici",
        "ara",
        "pros",
        "gru",
        "δεκ",
        "дек",
        "груд",
        "гру",
        "ديسمبر",
    ],
];

/// Words that only begin like a month: weekdays and prepositions.
const NOT_MONTHS: [&str; 8] =
    ["desde", "maandag", "mardi", "martedi", "martes", "marti", "pazar", "pazartesi"];

/// Weekdays cut so short that they are months too: a month only if no other
/// word is one (French and Spanish Tuesday, Turkish Sunday).
const DOUBTFUL: [(&str, i8); 2] = [("mar", 3), ("paz", 10)];

/// English weekdays, Monday first: the ones that are trusted to tell a day
/// from a month in `11 04 2020`.
const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Words that stand between the parts of a date and say nothing.
const FILLERS: [&str; 33] = [
    "a", "ad", "am", "as", "at", "de", "del", "den", "der", "di", "do", "e", "el", "em", "en",
    "ii", "il", "kl", "klo", "la", "las", "le", "les", "o", "ob", "of", "on", "the", "um", "v",
    "в", "г", "ώρα",
];

/// The month (1 to 12) that a word of three letters or more begins.
pub(super) fn month(word: &str) -> Option<i8> {
    if word.chars().nth(2).is_none() || NOT_MONTHS.contains(&word) {
        return None;
    }
    let fits = |name: &str| name.len() * usize::from(word.starts_with(name));
    let best = |names: &[&str]| names.iter().map(|name| fits(name)).max().unwrap_or(0);
    let found = (1..).zip(MONTHS).max_by_key(|(_, names)| best(names))?;
    (best(found.1) > 0).then_some(found.0)
}

/// The month that a word may be which is more often a weekday.
pub(super) fn doubtful_month(word: &str) -> Option<i8> {
    DOUBTFUL.iter().find(|(known, _)| *known == word).map(|(_, month)| *month)
}

/// Months of two words: the Levant's autumn and winter.
pub(super) fn month_of_two(first: &str, second: &str) -> Option<i8> {
    match (first, second) {
        ("كانون", "الثاني") => Some(1),
        ("تشرين", "الاول") => Some(10),
        ("تشرين", "الثاني") => Some(11),
        ("كانون", "الاول") => Some(12),
        ("اب", _) => Some(8),
        _ => None,
    }
}

/// The month whose English name somebody misspelt by one or two letters.
pub(super) fn misspelt_month(word: &str) -> Option<i8> {
    const ENGLISH: [&str; 8] =
        ["january", "february", "march", "april", "august", "september", "october", "november"];
    if !word.is_ascii() || word.len() < 5 || word.len() > 12 {
        return None;
    }
    let numbers = [1, 2, 3, 4, 8, 9, 10, 11];
    let near = |name: &str| strsim::osa_distance(word, name) <= 1 + name.len() / 7;
    let mut found = numbers.into_iter().zip(ENGLISH).chain([(12, "december")]);
    found.find(|(_, name)| near(name)).map(|(number, _)| number)
}

/// The weekday (0 is Monday) that an English word of three letters or more is.
pub(super) fn weekday(word: &str) -> Option<i8> {
    (0..).zip(WEEKDAYS).find(|(_, name)| word.len() >= 3 && name.starts_with(word)).map(|(n, _)| n)
}

/// Whether a word is the afternoon (`Some(true)`), the morning, or neither.
pub(super) fn half_of_day(word: &str) -> Option<bool> {
    match word {
        "pm" | "下午" | "午後" | "오후" | "μμ" | "م" | "مساء" | "晚上" => Some(true),
        "am" | "上午" | "午前" | "오전" | "πμ" | "ص" | "صباحا" => Some(false),
        _ => None,
    }
}

/// Whether a word may stand in a date without a meaning.
pub(super) fn says_nothing(word: &str) -> bool {
    FILLERS.contains(&word) || weekday(word).is_some()
}

/// Whether a word ends an ordinal: `1st`, `16th`, `1er`, `3º`.
pub(super) fn is_ordinal(word: &str) -> bool {
    matches!(word, "st" | "nd" | "rd" | "th" | "er" | "re" | "e" | "º" | "ª" | "o" | "η" | "го")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_known_in_the_languages_of_the_news() {
        let years = [
            "january february march april may june july august september october november december",
            "januar februar marz april mai juni juli august september oktober november dezember",
            "jan feb mrz apr mai jun jul aug sep okt nov dez",
            "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
            "janv fevr mars avr mai juin juil aout sept oct nov dec",
            "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre \
             diciembre",
            "ene feb mar abr may jun jul ago sept oct nov dic",
            "janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro \
             dezembro",
            "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre \
             dicembre",
            "januari februari maart april mei juni juli augustus september oktober november \
             december",
            "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
            "январь февраль март апрель маи июнь июль август сентябрь октябрь ноябрь декабрь",
            "stycznia lutego marca kwietnia maja czerwca lipca sierpnia wrzesnia pazdziernika \
             listopada grudnia",
            "ocak subat mart nisan mayis haziran temmuz agustos eylul ekim kasim aralik",
            "oca sub mar nis may haz tem agu eyl eki kas ara",
            "ιανουαριου φεβρουαριου μαρτιου απριλιου μαιου ιουνιου ιουλιου αυγουστου σεπτεμβριου \
             οκτωβριου νοεμβριου δεκεμβριου",
            "januari februari mars april maj juni juli augusti september oktober november december",
            "januar februar marts april maj juni juli august september oktober november desember",
            "ledna unora brezna dubna kvetna cervna cervence srpna zari rijna listopadu prosince",
            "leden unor brezen duben kveten cerven cervenec srpen zari rijen listopad prosinec",
            "januar februar marcius aprilis majus junius julius augusztus szeptember oktober \
             november december",
            "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie \
             noiembrie decembrie",
            "januari februari maret april mei juni juli agustus september oktober november desember",
            "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада \
             грудня",
            "يناير فبراير مارس ابريل مايو يونيو يوليو اغسطس سبتمبر اكتوبر نوفمبر ديسمبر",
        ];
        for year in years {
            for (number, name) in (1..).zip(year.split_whitespace()) {
                assert_eq!(month(name), Some(number), "{name}");
            }
        }
    }

    #[test]
    fn misspelt_months_are_understood_and_other_words_are_not() {
        for (word, expected) in [
            ("feburary", Some(2)),
            ("septmber", Some(9)),
            ("ocotber", Some(10)),
            ("decemeber", Some(12)),
            ("published", None),
            ("yesterday", None),
        ] {
            assert_eq!(misspelt_month(word), expected, "{word}");
        }
        for word in ["martes", "mardi", "pazartesi", "maandag", "it", "ma"] {
            assert_eq!(month(word), None, "{word}");
        }
    }
}
