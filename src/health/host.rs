//! Notices about hosts: when all that was tried of a host fails, its feeds are
//! not told of one by one.

use jiff::{SignedDuration, Timestamp};

use crate::model::{FeedName, HostFlow, Notice, NoticeKind};

/// So many feeds must fail for it to be the host's matter.
const FEEDS: i64 = 3;
/// So long nothing of the host must have been read, as for a feed that is down.
const AFTER: SignedDuration = SignedDuration::from_hours(1);

const END: &str = "Its feeds are told of one by one again, first those that still fail.";

/// What operators should know of hosts now.
///
/// A host is out while nothing of it was read for an hour, three or more of its
/// feeds began to fail since, and one of them is down. One feed that is read
/// ends it; feeds that stay down then are told of by themselves.
pub fn host_notices(hosts: &[HostFlow], now: Timestamp) -> Vec<Notice> {
    hosts.iter().filter_map(|host| host_notice(host, now)).collect()
}

fn host_notice(host: &HostFlow, now: Timestamp) -> Option<Notice> {
    let (kind, subject, text) = match host.told {
        None if is_out(host, now) => (NoticeKind::HostDown, down_subject(host), down_text(host)),
        Some(at) => (NoticeKind::HostUp, end_subject(host, at)?, END.to_owned()),
        None => return None,
    };
    Some(Notice { kind, feed: FeedName::new(host.host.as_str()), subject, text, at: now })
}

fn is_out(host: &HostFlow, now: Timestamp) -> bool {
    let silent = host.last_success.is_none_or(|last| now.duration_since(last) >= AFTER);
    silent && host.failing >= FEEDS && host.down > 0
}

/// How it ended, if it did: a feed was read, or too few are left to tell.
fn end_subject(host: &HostFlow, told: Timestamp) -> Option<String> {
    let name = &host.host;
    if host.last_success.is_some_and(|last| last > told) {
        return Some(format!("host \"{name}\" answers again"));
    }
    (host.failing < FEEDS).then(|| format!("host \"{name}\" is not watched as a whole any more"))
}

fn down_subject(host: &HostFlow) -> String {
    format!("host \"{}\": none of its {} feeds can be read", host.host, host.feeds)
}

fn down_text(host: &HostFlow) -> String {
    let since = host.last_success.map_or_else(
        || "None has ever been read.".to_owned(),
        |last| format!("Nothing of it was read since {}.", last.strftime("%Y-%m-%d %H:%M UTC")),
    );
    let names: Vec<String> = host.some.iter().map(|name| format!("\"{name}\"")).collect();
    let more = host.failing - names.len() as i64;
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let reason =
        host.error.as_deref().map_or_else(String::new, |error| format!(" Reason: {error}."));
    format!(
        "{since} Tried and failed: {}{more}.{reason} They are visited all the same, and this is \
         the only notice until one of them is read again.",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(failing: i64, down: i64, minutes: i64, told: bool) -> HostFlow {
        HostFlow {
            host: "feeds.example.org".to_owned(),
            feeds: 40,
            failing,
            down,
            last_success: Some(now() - SignedDuration::from_mins(minutes)),
            some: vec!["a".to_owned(), "b".to_owned()],
            error: Some("503 Service Unavailable".to_owned()),
            told: told.then(|| now() - SignedDuration::from_mins(30)),
        }
    }

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn check(host: HostFlow, expected: Option<NoticeKind>) {
        let notices = host_notices(std::slice::from_ref(&host), now());
        assert_eq!(notices.first().map(|notice| notice.kind), expected, "{host:?}");
    }

    #[test]
    fn a_host_is_out_when_all_that_was_tried_fails_for_an_hour() {
        check(host(3, 1, 60, false), Some(NoticeKind::HostDown));
        check(host(40, 40, 600, false), Some(NoticeKind::HostDown));
        check(host(2, 2, 600, false), None);
        check(host(3, 0, 600, false), None);
        check(host(3, 1, 59, false), None);
        check(HostFlow { last_success: None, ..host(3, 1, 0, false) }, Some(NoticeKind::HostDown));
    }

    #[test]
    fn it_is_told_once_and_its_end_once() {
        // Its feeds have left the configuration.
        let told = Some(now());
        check(HostFlow { told, ..HostFlow::default() }, Some(NoticeKind::HostUp));
        check(host(40, 40, 600, true), None);
        check(host(0, 39, 0, true), Some(NoticeKind::HostUp));
        check(host(0, 39, 0, false), None);
    }

    #[test]
    fn the_notice_says_what_and_since_when() {
        let notice = host_notices(&[host(3, 1, 60, false)], now()).remove(0);
        assert_eq!(notice.subject, "host \"feeds.example.org\": none of its 40 feeds can be read");
        assert_eq!(
            notice.text,
            "Nothing of it was read since 2026-11-22 11:00 UTC. Tried and failed: \"a\", \"b\" and \
             1 more. Reason: 503 Service Unavailable. They are visited all the same, and this is \
             the only notice until one of them is read again."
        );
    }
}
