//! Dates, family by family.

use proptest::prelude::*;

use super::*;

fn check(cases: &[(&str, &str)]) {
    for (input, expected) in cases {
        let expected = (!expected.is_empty()).then(|| expected.parse::<Timestamp>().unwrap());
        assert_eq!(parse_date(input), expected, "{input:?}");
    }
}

#[test]
fn what_rss_and_atom_ask_for_is_read() {
    check(&[
        ("2026-11-03T10:00:00Z", "2026-11-03T10:00:00Z"),
        ("2026-11-03T10:00:00.123+01:00", "2026-11-03T09:00:00.123Z"),
        ("2022-11-01 00:00:02+00:00", "2022-11-01T00:00:02Z"),
        ("Tue, 03 Nov 2026 10:00:00 GMT", "2026-11-03T10:00:00Z"),
        ("Tue, 3 Nov 2026 10:00:00 +0200", "2026-11-03T08:00:00Z"),
        ("Mon, 03 Nov 2026 10:00:00 EST", "2026-11-03T15:00:00Z"),
        ("03 Nov 2026 10:00 +0000", "2026-11-03T10:00:00Z"),
        ("03 Nov 26 10:00:00 +0000", "2026-11-03T10:00:00Z"),
        ("03 Nov 99 10:00:00 +0000", "1999-11-03T10:00:00Z"),
        ("Tue Nov  3 10:00:00 2026", "2026-11-03T10:00:00Z"),
        ("Tue Nov 03 10:00:00 -0500 2026", "2026-11-03T15:00:00Z"),
        ("Tuesday, 03-Nov-26 10:00:00 GMT", "2026-11-03T10:00:00Z"),
        ("03/Nov/2026:10:00:00 +0100", "2026-11-03T09:00:00Z"),
        ("  Tue,\n 03 Nov 2026\t10:00:00 GMT\\n", "2026-11-03T10:00:00Z"),
        ("Tue,03 Nov 2026 10:00:00GMT", "2026-11-03T10:00:00Z"),
        ("Tue 03 Nov 2026 10:00:00", "2026-11-03T10:00:00Z"),
        ("Tue, 03 Nov 2026 10:00:00 &#43;0100", "2026-11-03T09:00:00Z"),
        ("<time>Tue, 03 Nov&nbsp;2026 10:00:00 CET</time>", "2026-11-03T09:00:00Z"),
    ]);
}

#[test]
fn zones_are_read_however_they_are_written() {
    check(&[
        ("Tue, 03 Nov 2026 10:00:00 CET", "2026-11-03T09:00:00Z"),
        ("Tue, 03 Nov 2026 10:00:00 IST", "2026-11-03T04:30:00Z"),
        ("Tue, 03 Nov 2026 10:00:00 A", "2026-11-03T10:00:00Z"),
        ("Tue, 03 Nov 2026 10:00:00 XYZ", "2026-11-03T10:00:00Z"),
        ("Tue, 03 Nov 2026 10:00:00 +0200 +0200", "2026-11-03T08:00:00Z"),
        ("Tue, 03 Nov 2026 10:00:00 +0200 (CEST)", "2026-11-03T08:00:00Z"),
        ("Tue, 03 Nov 2026 10:00:00 EST -0500", "2026-11-03T15:00:00Z"),
        ("Tue, 03 Nov 2026 10:00:00 GMT+02:00", "2026-11-03T08:00:00Z"),
        ("Tue, 03 Nov 2026 10:00:00 GMT-7", "2026-11-03T17:00:00Z"),
        ("Tue, 03 Nov 2026 10:00:00 (CET)", "2026-11-03T09:00:00Z"),
        ("Tue, 03 Nov 2026 10:00:00 Europe/Brussels", "2026-11-03T09:00:00Z"),
        ("Fri, 03 Jul 2026 10:00:00 Europe/Brussels", "2026-07-03T08:00:00Z"),
        ("Fri, 03 Jul 2026 10:00:00 EST5EDT", "2026-07-03T14:00:00Z"),
        ("July 3, 2026 10:00 a.m. ET", "2026-07-03T14:00:00Z"),
        ("2026-11-03T10:00:00+01:00Z", "2026-11-03T09:00:00Z"),
        ("2026-11-03T10:00:00 +0530", "2026-11-03T04:30:00Z"),
        ("2026-11-03T10:00:00+1", "2026-11-03T09:00:00Z"),
        ("2026-11-03T10:00:00+15:00", "2026-11-02T19:00:00Z"),
        ("2026-11-03T10:00:00+99:00", "2026-11-03T10:00:00Z"),
        ("2026-11-03+01:00", "2026-11-02T23:00:00Z"),
    ]);
}

#[test]
fn iso_8601_is_read_in_all_its_forms() {
    check(&[
        ("2026-11-03 10:00:00", "2026-11-03T10:00:00Z"),
        ("2026-11-03T10:00:00,5", "2026-11-03T10:00:00.5Z"),
        ("2026-11-03T10:00", "2026-11-03T10:00:00Z"),
        ("2026-11-03T10", "2026-11-03T10:00:00Z"),
        ("2026-11-03", "2026-11-03T00:00:00Z"),
        ("2026/11/03 10:00", "2026-11-03T10:00:00Z"),
        ("2026.11.03", "2026-11-03T00:00:00Z"),
        ("20261103", "2026-11-03T00:00:00Z"),
        ("20261103T100000", "2026-11-03T10:00:00Z"),
        ("20261103T100000Z", "2026-11-03T10:00:00Z"),
        ("20261103T1000-0500", "2026-11-03T15:00:00Z"),
        ("20261103100000", "2026-11-03T10:00:00Z"),
        ("2026-W45-2", "2026-11-03T00:00:00Z"),
        ("2026W452", "2026-11-03T00:00:00Z"),
        ("2026-W45", "2026-11-02T00:00:00Z"),
        ("2026-307", "2026-11-03T00:00:00Z"),
        ("2026-11", "2026-11-01T00:00:00Z"),
        ("2026", "2026-01-01T00:00:00Z"),
        ("03-12-31", "2003-12-31T00:00:00Z"),
        ("2026-11-03T24:00:00Z", "2026-11-04T00:00:00Z"),
        ("2026-12-31T23:59:60Z", "2027-01-01T00:00:00Z"),
        ("2026-11-03T10:00:00.123456789123Z", "2026-11-03T10:00:00.123456789Z"),
    ]);
}

#[test]
fn days_before_months_unless_american() {
    check(&[
        ("03/30/2020", "2020-03-30T00:00:00Z"),
        ("30/03/2020", "2020-03-30T00:00:00Z"),
        ("03/04/2026", "2026-03-04T00:00:00Z"),
        ("Fri, 03/04/2026", "2026-04-03T00:00:00Z"),
        ("03.04.2026", "2026-04-03T00:00:00Z"),
        ("03.04.2026, 10.30 Uhr", "2026-04-03T10:30:00Z"),
        ("mar 24.11.2026 10:30", "2026-11-24T10:30:00Z"),
        ("30.10.23", "2023-10-30T00:00:00Z"),
        ("10/30/23 21:55", "2023-10-30T21:55:00Z"),
        ("3-11-2026 10:00", "2026-03-11T10:00:00Z"),
        ("10:00 30-11-2026", "2026-11-30T10:00:00Z"),
    ]);
}

#[test]
fn people_write_dates_in_their_own_words() {
    check(&[
        ("November 16th, 2026 at 10:57 p.m.", "2026-11-16T22:57:00Z"),
        ("Nov. 3, 2026, 12:05 a.m.", "2026-11-03T00:05:00Z"),
        ("Friday, December 22, 2017 - 3pm", "2017-12-22T15:00:00Z"),
        ("03 November 2026", "2026-11-03T00:00:00Z"),
        ("Nov 3-5, 2026", "2026-11-03T00:00:00Z"),
        ("Nov 2026", "2026-11-01T00:00:00Z"),
        ("Published: 3 Novmber 2026", "2026-11-03T00:00:00Z"),
        ("Listed 2026-11-03", "2026-11-03T00:00:00Z"),
        ("Dienstag, den 3. März 2026 um 10.30 Uhr", "2026-03-03T10:30:00Z"),
        ("mar., 01 déc. 2020 16:11:02 +0100", "2020-12-01T15:11:02Z"),
        ("le 1er août 2026 à 10h30", "2026-08-01T10:30:00Z"),
        ("martes, 3 de noviembre de 2026, 10:30", "2026-11-03T10:30:00Z"),
        ("3 de março de 2026 às 10h", "2026-03-03T10:00:00Z"),
        ("martedì 3 novembre 2026", "2026-11-03T00:00:00Z"),
        ("maandag 2 maart 2026", "2026-03-02T00:00:00Z"),
        ("вторник, 3 ноября 2026 г. в 10:30", "2026-11-03T10:30:00Z"),
        ("3 травня 2026, 10:30", "2026-05-03T10:30:00Z"),
        ("wtorek, 3 października 2026", "2026-10-03T00:00:00Z"),
        ("Paz, 01 Kas 2026 10:30:00 +0300", "2026-11-01T07:30:00Z"),
        ("3 Ağustos 2026 Pazartesi", "2026-08-03T00:00:00Z"),
        ("Τρι, 03 Νοέ 2026 10:30:00 EET", "2026-11-03T08:30:00Z"),
        ("3 Μαΐου 2026 5:30 μ.μ.", "2026-05-03T17:30:00Z"),
        ("úterý 3. září 2026", "2026-09-03T00:00:00Z"),
        ("2026. november 3. 10:30", "2026-11-03T10:30:00Z"),
        ("2026-szeptember-03T10:30-05:00", "2026-09-03T15:30:00Z"),
        ("Selasa, 3 Agustus 2026 10:30 WIB", "2026-08-03T03:30:00Z"),
        ("٣ نوفمبر ٢٠٢٦", "2026-11-03T00:00:00Z"),
        ("3 تشرين الثاني 2026", "2026-11-03T00:00:00Z"),
        ("2026年11月3日 10:00", "2026-11-03T10:00:00Z"),
        ("2026年11月3日（火）午後3時5分", "2026-11-03T15:05:00Z"),
        ("令和8年11月3日", "2026-11-03T00:00:00Z"),
        ("2026년 11월 3일 (화) 오후 3:05", "2026-11-03T15:05:00Z"),
        ("2026-11-03 오전 10:00:00", "2026-11-03T10:00:00Z"),
    ]);
}

#[test]
fn epochs_are_read_in_four_units() {
    check(&[
        ("1793700000", "2026-11-03T10:00:00Z"),
        ("1793700000.5", "2026-11-03T10:00:00Z"),
        ("1793700000123", "2026-11-03T10:00:00.123Z"),
        ("1793700000123456", "2026-11-03T10:00:00.123456Z"),
        ("/Date(1793700000000+0100)/", "2026-11-03T10:00:00Z"),
        ("0", ""),
        ("12345", ""),
    ]);
}

#[test]
fn what_is_no_date_or_an_absurd_one_is_none() {
    for input in [
        "yesterday",
        "",
        "5 minutes ago",
        "0000-00-00T00:00:00Z",
        "0000-00-00 00:00:00",
        "1970-01-01T00:00:00Z",
        "Thu, 01 Jan 1970 01:00:00 +0100",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "Tue, 31 Nov 2026 10:00:00 GMT",
        "2026-11-03T10:61:00Z",
        "2026-13-45",
        "1.2.3",
        "The 5 best games of 2020 and the 11 worst ones ever made",
    ] {
        assert_eq!(parse_date(input), None, "{input:?}");
    }
    assert_eq!(parse_date(&"1".repeat(5_000)), None);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}") {
        let _ = parse_date(&text);
    }

    #[test]
    fn no_row_of_date_like_pieces_makes_it_panic(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "2026", "11", "3", "T", "Z", "-", ":", ".", ",", "/", " ", "+", "(", ")", "W",
                "Nov", "mar", "Tue", "年", "月", "日", "오후", "a.m", "99999999999999999999", "EST",
                "5", "EDT", "h", "th", "Date(", "GMT+", "&", "\\n", "كانون",
            ]),
            0..24,
        ),
    ) {
        let _ = parse_date(&pieces.concat());
    }

    #[test]
    fn what_is_written_is_read_back(second in 31_536_000_i64..4_102_444_800, zone in -15_i32..=15) {
        let when = Timestamp::from_second(second).unwrap();
        let zone = TimeZone::fixed(Offset::from_seconds(zone * 3600).unwrap());
        let local = when.to_zoned_datetime(zone);
        for format in [
            "%a, %d %b %Y %H:%M:%S %z",
            "%a, %-d %B %Y %H:%M:%S %:z",
            "%Y-%m-%dT%H:%M:%S%:z",
            "%Y-%m-%dT%H:%M:%S.000%:z",
            "%Y%m%dT%H%M%S%z",
            "%a %b %e %H:%M:%S %z %Y",
            "%B %d, %Y %I:%M:%S %p %z",
            "%d.%m.%Y %H:%M:%S %z",
            "%m/%d/%Y %H:%M:%S %z",
            "%A, %d-%b-%Y %H:%M:%S %z",
            "%Y年%m月%d日 %H:%M:%S %z",
            "%Y년 %m월 %d일 %H:%M:%S %z",
            "%s",
        ] {
            let text = local.strftime(format).to_string();
            if format == "%s" && text.len() != 10 {
                continue;
            }
            prop_assert_eq!(parse_date(&text), Some(when), "{}", text);
        }
        let asctime = when.strftime("%a %b %e %H:%M:%S %Y").to_string();
        prop_assert_eq!(parse_date(&asctime), Some(when), "{}", asctime);
    }

    #[test]
    fn named_months_are_read_back_in_other_languages(
        second in 31_536_000_i64..4_102_444_800,
        language in prop::sample::select(vec![
            "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
            "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
            "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
            "Ocak Şubat Mart Nisan Mayıs Haziran Temmuz Ağustos Eylül Ekim Kasım Aralık",
            "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października \
             listopada grudnia",
        ]),
    ) {
        let when = Timestamp::from_second(second).unwrap();
        let utc = when.to_zoned_datetime(TimeZone::UTC);
        let name = language.split_whitespace().nth(utc.month() as usize - 1).unwrap();
        let text = format!("{} {name} {} {}", utc.day(), utc.year(), utc.strftime("%H:%M:%S"));
        prop_assert_eq!(parse_date(&text), Some(when), "{}", text);
    }
}
