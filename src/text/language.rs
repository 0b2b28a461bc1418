//! Which language a text is in, and whether a tag says so.

/// Detection needs at least this many characters to be worth anything.
const FEWEST_CHARS: usize = 40;
/// And gains nothing from more bytes than this.
const MOST_BYTES: usize = 4096;

/// ISO 639-1 for the three-letter codes that detection gives and feeds state.
const SHORT: [(&str, &str); 75] = [
    ("afr", "af"),
    ("aka", "ak"),
    ("amh", "am"),
    ("ara", "ar"),
    ("aze", "az"),
    ("bel", "be"),
    ("ben", "bn"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("chi", "zh"),
    ("cmn", "zh"),
    ("cym", "cy"),
    ("dan", "da"),
    ("deu", "de"),
    ("ell", "el"),
    ("eng", "en"),
    ("epo", "eo"),
    ("est", "et"),
    ("fas", "fa"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("guj", "gu"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("ind", "id"),
    ("ita", "it"),
    ("jav", "jv"),
    ("jpn", "ja"),
    ("kan", "kn"),
    ("kat", "ka"),
    ("khm", "km"),
    ("kor", "ko"),
    ("lat", "la"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("mal", "ml"),
    ("mar", "mr"),
    ("mkd", "mk"),
    ("mya", "my"),
    ("nb", "no"),
    ("nep", "ne"),
    ("nld", "nl"),
    ("nn", "no"),
    ("nob", "no"),
    ("nor", "no"),
    ("ori", "or"),
    ("pan", "pa"),
    ("pes", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rus", "ru"),
    ("sin", "si"),
    ("slk", "sk"),
    ("slv", "sl"),
    ("sna", "sn"),
    ("spa", "es"),
    ("srp", "sr"),
    ("swe", "sv"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tgl", "tl"),
    ("tha", "th"),
    ("tuk", "tk"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("urd", "ur"),
    ("uzb", "uz"),
    ("vie", "vi"),
    ("yid", "yi"),
    ("zul", "zu"),
];

/// The language of a story as far as its words tell, as a two-letter code.
pub(crate) fn detect(title: &str, text: &str) -> Option<&'static str> {
    let room = MOST_BYTES.saturating_sub(title.len());
    let start = text.get(..text.floor_char_boundary(room)).unwrap_or_default();
    let sample = format!("{title}\n{start}");
    if sample.trim().chars().count() < FEWEST_CHARS {
        return None;
    }
    let info = whatlang::detect(&sample).filter(whatlang::Info::is_reliable)?;
    Some(short(info.lang().code()))
}

/// Whether a language tag is the wanted one or a kind of it: `en-US` is `en`.
pub(crate) fn is_kind_of(tag: &str, wanted: &str) -> bool {
    let (tag, wanted) = (subtags(tag), subtags(wanted));
    tag.starts_with(&wanted)
}

fn subtags(tag: &str) -> Vec<String> {
    let lower = tag.trim().to_ascii_lowercase();
    let mut parts = lower.split(['-', '_']);
    let primary = parts.next().unwrap_or_default();
    let known = SHORT.iter().find(|(long, _)| *long == primary);
    let primary = known.map_or(primary, |(_, short)| short);
    std::iter::once(primary).chain(parts).map(str::to_owned).collect()
}

fn short(code: &'static str) -> &'static str {
    SHORT.iter().find(|(long, _)| *long == code).map_or(code, |(_, short)| short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_matched_subtag_by_subtag() {
        let check = |tag: &str, wanted: &str, expected: bool| {
            assert_eq!(is_kind_of(tag, wanted), expected, "{tag} {wanted}");
        };
        check("en", "en", true);
        check("en-US", "en", true);
        check("EN_us", "en-US", true);
        check("en", "en-US", false);
        check("eng", "en", true);
        check("est", "es", false);
        check("nb-NO", "no", true);
        check("zh-Hans-CN", "zh-Hans", true);
    }

    #[test]
    fn a_language_is_detected_only_in_texts_long_enough() {
        let german = "Der Minister reist am Montag nach Brüssel und spricht dort über die Lage";
        assert_eq!(detect(german, ""), Some("de"));
        assert_eq!(detect("Der Minister", "reist"), None);
    }
}
