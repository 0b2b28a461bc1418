//! Documents in many encodings, and statements that are wrong.

use encoding_rs::*;

use super::*;

const RUSSIAN: &str = "Президент подписал указ о назначении министра иностранных дел страны";
const CHINESE: &str = "国务院总理主持召开常务会议，研究部署进一步稳定经济的政策措施";
const TAIWAN: &str = "總統府今日宣布新任內閣名單，外交部長將於下週訪問歐洲各國";
const JAPANESE: &str = "政府は今日、新しい経済対策を閣議決定した。首相が記者会見で説明する";
const KOREAN: &str = "대통령은 오늘 국무회의를 열고 새로운 경제 정책을 발표했다";
const FRENCH: &str = "Le président a été reçu à l'Élysée où il a prononcé un discours très attendu";

struct Case<'a> {
    bytes: Vec<u8>,
    content_type: Option<&'a str>,
    base_url: Option<&'a str>,
}

fn read(case: &Case) -> (String, Decoding, Vec<String>) {
    let document = Document {
        bytes: case.bytes.clone(),
        content_type: case.content_type.map(str::to_string),
        base_url: case.base_url.map(str::to_string),
    };
    let (text, decoding, warnings) = decode(&document);
    (text.into_owned(), decoding, warnings)
}

/// Checks encoding, decision and words of a document whose body is `bytes`.
fn check(bytes: &[u8], content_type: Option<&str>, expected: (&str, &str, &str)) {
    let (text, decoding, _) = read(&Case { bytes: bytes.to_vec(), content_type, base_url: None });
    let found = (decoding.encoding, decoding.decided_by);
    assert_eq!((&*found.0, &*found.1), (expected.0, expected.1), "{text}");
    assert!(text.contains(expected.2), "{text:?} lacks {:?}", expected.2);
    assert!(!text.contains('\u{feff}'), "{text:?}");
}

fn encoded(encoding: &'static Encoding, declared: &str, words: &str) -> Vec<u8> {
    let head = if declared.is_empty() {
        String::new()
    } else {
        format!("<?xml version='1.0' encoding='{declared}'?>")
    };
    let text = format!("{head}<rss><title>{words}</title></rss>");
    if encoding == UTF_16LE {
        return text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    }
    if encoding == UTF_16BE {
        return text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    }
    let (bytes, _, lossy) = encoding.encode(&text);
    assert!(!lossy);
    bytes.into_owned()
}

const LEGACY: [(&Encoding, &str, &str); 9] = [
    (WINDOWS_1251, "windows-1251", RUSSIAN),
    (KOI8_R, "koi8-r", RUSSIAN),
    (GB18030, "gb18030", CHINESE),
    (GBK, "gb2312", CHINESE),
    (BIG5, "big5", TAIWAN),
    (SHIFT_JIS, "shift_jis", JAPANESE),
    (EUC_JP, "euc-jp", JAPANESE),
    (ISO_2022_JP, "iso-2022-jp", JAPANESE),
    (EUC_KR, "euc-kr", KOREAN),
];

#[test]
fn a_declared_or_stated_encoding_is_read() {
    for (encoding, label, words) in LEGACY {
        let name = encoding.name();
        check(&encoded(encoding, label, words), None, (name, "declaration", words));
        let header = format!("application/rss+xml; charset=\"{label}\"");
        check(&encoded(encoding, "", words), Some(&header), (name, "http", words));
        // A server's default does not overrule the declaration.
        let default = Some("text/xml; charset=ISO-8859-1");
        check(&encoded(encoding, label, words), default, (name, "declaration", words));
    }
    check(
        &encoded(WINDOWS_1252, "iso-8859-1", FRENCH),
        None,
        ("windows-1252", "declaration", FRENCH),
    );
}

#[test]
fn an_encoding_that_nobody_states_is_detected() {
    for (encoding, _, words) in LEGACY.into_iter().filter(|(encoding, ..)| *encoding != GB18030) {
        // KOI8-U is KOI8-R with the letters of Ukrainian.
        let name = if encoding == KOI8_R { "KOI8-U" } else { encoding.name() };
        check(&encoded(encoding, "", words), None, (name, "detected", words));
        check(&encoded(encoding, "utf-8", words), None, (name, "detected", words));
    }
    check(&encoded(WINDOWS_1252, "", FRENCH), None, ("windows-1252", "detected", FRENCH));
    check(&encoded(WINDOWS_1252, "UTF-8", FRENCH), None, ("windows-1252", "detected", FRENCH));
}

#[test]
fn utf_16_and_utf_32_are_known_without_a_word() {
    for (encoding, mark) in [(UTF_16LE, [0xff, 0xfe]), (UTF_16BE, [0xfe, 0xff])] {
        for declared in ["", "utf-16", "utf-8"] {
            let bytes = encoded(encoding, declared, RUSSIAN);
            let http = Some("text/xml; charset=utf-8");
            check(&bytes, http, (encoding.name(), "utf-16 pattern", RUSSIAN));
            check(&[&mark[..], &bytes].concat(), http, (encoding.name(), "bom", RUSSIAN));
        }
    }
    let text = format!("<?xml version='1.0' encoding='utf-32'?><a>{CHINESE}</a>");
    let little: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    let big: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
    check(&little, None, ("UTF-32LE", "utf-32 pattern", CHINESE));
    check(&big, None, ("UTF-32BE", "utf-32 pattern", CHINESE));
    check(&[b"\xff\xfe\0\0", &little[..]].concat(), None, ("UTF-32LE", "bom", CHINESE));
    let json: Vec<u8> = "{\"version\": 1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    check(&json, Some("application/json"), ("UTF-16LE", "utf-16 pattern", "version"));
}

#[test]
fn utf_8_is_utf_8_whatever_is_said() {
    let french = encoded(UTF_8, "utf-8", FRENCH);
    let latin = Some("text/xml; charset=iso-8859-1");
    check(&french, None, ("UTF-8", "declaration", FRENCH));
    check(&french, latin, ("UTF-8", "declaration", FRENCH));
    check(&encoded(UTF_8, "", FRENCH), latin, ("UTF-8", "utf-8", FRENCH));
    check(&encoded(UTF_8, "iso-8859-1", FRENCH), None, ("UTF-8", "utf-8", FRENCH));
    check(&encoded(UTF_8, "windows-1251", RUSSIAN), None, ("UTF-8", "utf-8", RUSSIAN));
    check(&encoded(UTF_8, "utf-16", RUSSIAN), None, ("UTF-8", "utf-8", RUSSIAN));
    check(&encoded(UTF_8, "utf-7", RUSSIAN), None, ("UTF-8", "utf-8", RUSSIAN));
    let marked = [&b"\xef\xbb\xbf"[..], &encoded(UTF_8, "koi8-r", RUSSIAN)].concat();
    check(&marked, Some("text/xml; charset=koi8-r"), ("UTF-8", "bom", RUSSIAN));
    let json = format!("{{\"title\": \"{RUSSIAN}\"}}");
    check(json.as_bytes(), Some("application/json; charset=latin1"), ("UTF-8", "utf-8", RUSSIAN));
}

#[test]
fn a_few_bad_bytes_do_not_turn_utf_8_into_nonsense() {
    let mut bytes = encoded(UTF_8, "utf-8", RUSSIAN);
    bytes.extend(b"<a>it\x92s</a>\xd0");
    check(&bytes, None, ("UTF-8", "declaration", RUSSIAN));
    let (text, decoding, warnings) = read(&Case { bytes, content_type: None, base_url: None });
    assert!(decoding.lossy && text.contains("it\u{fffd}s"));
    assert_eq!(warnings, ["some bytes are not valid UTF-8 and were replaced"]);
    // The other way round: two accents among ASCII are Latin-1.
    let latin = b"<?xml version='1.0' encoding='UTF-8'?><a>caf\xe9 cr\xe8me</a>";
    check(latin, None, ("windows-1252", "detected", "café crème"));
}

#[test]
fn the_country_of_the_address_helps_detection() {
    let bytes = encoded(WINDOWS_1251, "", "Новости дня");
    for base in ["https://example.ru/feed", "https://example.xn--p1ai/feed", "https://[::1]/", "x"]
    {
        let case = Case { bytes: bytes.clone(), content_type: None, base_url: Some(base) };
        let (text, decoding, _) = read(&case);
        assert_eq!(decoding.decided_by, "detected");
        assert!(!base.contains(".ru") || text.contains("Новости"), "{text}");
    }
}

#[test]
fn an_unknown_label_is_told_and_passed_over() {
    let bytes = b"<?xml version='1.0' encoding='no-such'?><a>ok</a>".to_vec();
    let (text, _, warnings) = read(&Case { bytes, content_type: None, base_url: None });
    assert_eq!(warnings, ["unknown encoding \"no-such\""]);
    assert_eq!(text, "<?xml version=\"1.0\"?><a>ok</a>");
}

#[test]
fn only_what_must_change_is_copied() {
    let document = Document { bytes: encoded(UTF_8, "utf-8", FRENCH), ..Document::default() };
    assert!(matches!(decode(&document).0, Cow::Borrowed(_)));
    let control = Document { bytes: b"<a>b\x00c\x1b\x0cd\t\n</a>".to_vec(), ..Document::default() };
    assert_eq!(decode(&control).0, "<a>bc d\t\n</a>");
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, label in "[a-z0-9-]{0,12}", base in "https?://[a-z.é]{1,9}/") {
        read(&Case {
            bytes: [format!("<?xml encoding='{label}'?>").as_bytes(), &bytes].concat(),
            content_type: Some(&format!("text/xml; charset={label}")),
            base_url: Some(&base),
        });
    }
}
