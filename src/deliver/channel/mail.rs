//! One mail as bytes: headers and both bodies. Sending it is not done here.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, From, Header, HeaderName, HeaderValue, Headers, To,
};
use lettre::message::{Mailbox, Mailboxes, MultiPart, SinglePart};
use lettre::{Address, Message as Mail};
use url::Host;

use crate::deliver::BuildError;
use crate::deliver::text::{clean, one_line};

/// Longer subjects are cut; without spaces they could not be folded.
const MAX_SUBJECT: usize = 200;
const MAX_DISPLAY_NAME: usize = 100;
/// RFC 2047: for a line that holds an encoded word.
const MAX_ENCODED_LINE: usize = 76;

/// All that a mail is made of.
pub(super) struct Parts<'a> {
    pub(super) from: &'a Mailbox,
    pub(super) to: &'a Mailbox,
    pub(super) date: Timestamp,
    pub(super) delivery: &'a str,
    pub(super) story: &'a str,
    pub(super) rule: &'a str,
    pub(super) subject: &'a str,
    pub(super) text: String,
    /// None where the text is all that fits.
    pub(super) html: Option<String>,
}

/// Puts a mail together, the same for every attempt but its date and the
/// boundary between its parts.
pub(super) fn compose(parts: Parts<'_>) -> Result<Mail, lettre::error::Error> {
    let domain = parts.from.email.domain();
    let thread = format!("<{}@{domain}>", parts.story);
    let list = format!("<{}.wirewatch.{domain}>", label(parts.rule));
    let mut mail = Mail::builder()
        .from(parts.from.clone())
        .to(parts.to.clone())
        .date(system_time(parts.date))
        .subject(header_text(parts.subject, MAX_SUBJECT))
        .message_id(Some(format!("<{}@{domain}>", parts.delivery)))
        .in_reply_to(thread.clone())
        .references(thread)
        // RFC 3834: nobody's holiday notice is to answer.
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned()))
        .raw_header(header("List-Id", list))
        .raw_header(header("X-Wirewatch-Rule", header_text(parts.rule, MAX_SUBJECT)))
        .multipart(bodies(parts.text, parts.html))?;
    mail.headers_mut().insert_raw(folded("From", From::from(Mailboxes::from(parts.from.clone()))));
    mail.headers_mut().insert_raw(folded("To", To::from(Mailboxes::from(parts.to.clone()))));
    Ok(mail)
}

fn bodies(text: String, html: Option<String>) -> MultiPart {
    let text = MultiPart::alternative().singlepart(part(ContentType::TEXT_PLAIN, text));
    match html {
        Some(html) => text.singlepart(part(ContentType::TEXT_HTML, html)),
        None => text,
    }
}

/// An address header whose line ends before the address where it would be too
/// long for a line with an encoded word (RFC 2047, section 2).
fn folded(name: &'static str, header: impl Header) -> HeaderValue {
    let mut alone = Headers::new();
    alone.set(header);
    let text = alone.to_string();
    let encoded = text.trim_end().split_once(": ").map_or("", |(_, value)| value);
    let too_long = text.split("\r\n").any(|line| line.len() > MAX_ENCODED_LINE);
    let encoded = match encoded.rsplit_once(" <") {
        Some((display, address)) if too_long => format!("{display}\r\n <{address}"),
        _ => encoded.to_owned(),
    };
    let name = HeaderName::new_from_ascii_str(name);
    HeaderValue::dangerous_new_pre_encoded(name, encoded.clone(), encoded)
}

/// Foreign text is never sent as it is: quoted-printable keeps its lines
/// short and leaves no bare CR or LF.
fn part(content_type: ContentType, body: String) -> SinglePart {
    let body = body.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
    SinglePart::builder()
        .header(content_type)
        .header(ContentTransferEncoding::QuotedPrintable)
        .body(body)
}

/// One line that no reader takes for an encoded word (RFC 2047): decoded, it
/// could say anything, line breaks included.
fn header_text(text: &str, max: usize) -> String {
    one_line(&clean(text).replace("=?", "= ?"), max)
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

/// Reads `Name <address>`. Control characters go first: the mail library
/// panics when a name has a line break.
pub(super) fn mailbox(field: &'static str, text: &str) -> Result<Mailbox, BuildError> {
    let cleaned = one_line(text, 500);
    let parsed: Result<Mailbox, _> = cleaned.parse();
    let mut mailbox = parsed.map_err(|error| BuildError::Invalid {
        field,
        value: cleaned.clone(),
        reason: error.to_string(),
    })?;
    mailbox.email = ascii_domain(mailbox.email);
    mailbox.name = mailbox.name.map(|name| header_text(&name, MAX_DISPLAY_NAME));
    Ok(mailbox)
}

/// The domain in the form that every relay takes (RFC 5891).
fn ascii_domain(address: Address) -> Address {
    match Host::parse(address.domain()) {
        Ok(Host::Domain(domain)) => Address::new(address.user(), domain).unwrap_or(address),
        // An address literal, or nothing that DNS could know.
        Ok(_) | Err(_) => address,
    }
}

/// A rule's name as one label of a List-Id (RFC 2919).
fn label(rule: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let text: String = rule.chars().take(60).map(safe).collect();
    match text.trim_matches('-') {
        "" => "rule".to_owned(),
        label => label.to_owned(),
    }
}

fn system_time(time: Timestamp) -> SystemTime {
    let seconds = u64::try_from(time.as_second()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_parser::{MessageParser, MimeHeaders};

    fn composed(from: &str, rule: &str, subject: &str, body: &str) -> Vec<u8> {
        let from = mailbox("from", from).unwrap();
        let to = mailbox("to", "Desk <desk@example.org>").unwrap();
        let parts = Parts {
            from: &from,
            to: &to,
            date: "2026-03-01T12:00:00Z".parse().unwrap(),
            delivery: "d01",
            story: "s01",
            rule,
            subject,
            text: body.to_owned(),
            html: Some(format!("<p>{body}</p>")),
        };
        compose(parts).unwrap().formatted()
    }

    /// What must hold for every mail, whatever stood in it; gives the subject.
    fn check(from: &str, rule: &str, subject: &str, body: &str) -> String {
        let bytes = composed(from, rule, subject, body);
        let text = String::from_utf8(bytes.clone()).expect("a mail is ASCII");
        assert!(text.is_ascii(), "{text}");
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        for line in head.split("\r\n").filter(|line| line.contains("=?")) {
            assert!(
                line.len() <= MAX_ENCODED_LINE,
                "a header line of {} octets: {line}",
                line.len()
            );
        }
        for line in text.split("\r\n") {
            assert!(line.len() <= 998, "a line of {} octets", line.len());
            assert!(!line.contains(['\r', '\n', '\0']), "bare line end in {line:?}");
        }
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        let mut names: Vec<&str> = parsed.headers().iter().map(|header| header.name()).collect();
        names.sort_unstable();
        let expected = [
            "Auto-Submitted",
            "Content-Type",
            "Date",
            "From",
            "In-Reply-To",
            "List-Id",
            "MIME-Version",
            "Message-ID",
            "References",
            "Subject",
            "To",
            "X-Wirewatch-Rule",
        ];
        assert_eq!(names.len(), expected.len(), "{names:?}");
        for name in expected {
            assert!(names.iter().any(|n| n.eq_ignore_ascii_case(name)), "{name} in {names:?}");
        }
        let wanted = body.replace("\r\n", "\n").replace('\r', "\n");
        let plain = parsed.body_text(0).unwrap().replace("\r\n", "\n");
        assert_eq!(plain.trim_end(), wanted.trim_end());
        assert_eq!(parsed.text_body_count(), 1);
        for part in parsed.parts.iter().filter(|part| part.is_text()) {
            let encoding = part.content_transfer_encoding();
            assert_eq!(encoding, Some("quoted-printable"));
            let charset = part.content_type().and_then(|t| t.attribute("charset"));
            assert_eq!(charset, Some("utf-8"));
        }
        parsed.subject().unwrap().to_owned()
    }

    #[test]
    fn headers_are_complete_and_bodies_come_through() {
        let bytes = composed("Wire <wirewatch@example.org>", "Naval Encounter", "News", "Text\n");
        let text = String::from_utf8(bytes).unwrap();
        for line in [
            "From: Wire <wirewatch@example.org>",
            "To: Desk <desk@example.org>",
            "Date: Sun, 01 Mar 2026 12:00:00 +0000",
            "Subject: News",
            "Message-ID: <d01@example.org>",
            "In-Reply-To: <s01@example.org>",
            "References: <s01@example.org>",
            "Auto-Submitted: auto-generated",
            "List-Id: <naval-encounter.wirewatch.example.org>",
            "X-Wirewatch-Rule: Naval Encounter",
            "MIME-Version: 1.0",
        ] {
            assert!(text.contains(&format!("{line}\r\n")), "{line} in {text}");
        }
        check("wirewatch@example.org", "rule", "News", "One\nTwo\n\nThree");
    }

    #[test]
    fn foreign_text_makes_no_header_and_no_long_line() {
        let bodies = [
            "\n.\nMAIL FROM:<a@b>",
            "\r.\rx",
            "\r\n.\r\nx",
            ". first",
            "no end",
            "電力\n\u{1f30a}",
            "a\rb\r\nc\nd",
            &"x".repeat(5_000),
            "=3D =\n trailing \nFrom me",
        ];
        let subjects = [
            "a\r\nBcc: evil@example.org",
            "a\nb",
            "nul\0bell\u{7}",
            "one\u{2028}two\u{2029}three",
            "\r\n\r\nbody",
            "=?utf-8?q?=0D=0ABcc:_x?=",
            "电".repeat(2_000).as_str(),
        ]
        .map(str::to_owned);
        for (index, subject) in subjects.iter().enumerate() {
            let shown = check("wirewatch@example.org", "r\r\nX: y", subject, bodies[index]);
            assert!(!shown.contains(char::is_control), "{shown:?}");
            assert!(shown.chars().count() <= 200, "{shown:?}");
        }
        for body in bodies {
            check("wirewatch@example.org", "Ünïcode\u{0}rule", "s", body);
        }
    }

    #[test]
    fn long_subjects_are_cut() {
        let shown = check("w@example.org", "rule", &"x".repeat(3_000), "b");
        assert_eq!(shown, format!("{}…", "x".repeat(199)));
        let shown = check("w@example.org", "rule", &"\u{1f30a}".repeat(2_000), "b");
        assert_eq!(shown, format!("{}…", "\u{1f30a}".repeat(199)));
    }

    #[test]
    fn display_names_with_line_breaks_do_no_harm() {
        check("Evil\r\nBcc x <wirewatch@example.org>", "rule", "s", "b");
        check("\"Quoted\u{0} \\\" name\" <wirewatch@example.org>", "rule", "s", "b");
        check("Ünï Wäch <wirewatch@bücher.example>", "rule", "s", "b");
        for bad in ["", "nobody", "a@b@c", "<a@b>\r\nBcc: <c@d>"] {
            assert!(mailbox("from", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn list_labels_are_safe() {
        let check = |rule: &str, expected: &str| assert_eq!(label(rule), expected, "{rule}");
        check("us-china-military", "us-china-military");
        check("Ünï <x>@y", "n---x--y");
        check("電力", "rule");
        check("", "rule");
    }
}
