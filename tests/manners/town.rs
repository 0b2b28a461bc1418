//! Hosts on loopback with feeds on them, and the record of who asked for what.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use super::support::http::{FeedServer, Handler, Recorded, Reply, Request, handler};

/// Some servers, each with an address of its own, and feeds spread over them in turn.
pub(crate) struct Town {
    hosts: Vec<FeedServer>,
    feeds: usize,
}

impl Town {
    /// Every feed answers with a document that never changes, until it is given another route.
    pub(crate) async fn build(hosts: u8, feeds: usize) -> Self {
        let mut town = Self { hosts: Vec::new(), feeds };
        for number in 1..=hosts {
            town.hosts.push(FeedServer::start_at(Ipv4Addr::new(127, 0, 7, number).into()).await);
        }
        for feed in 0..feeds {
            town.route(feed, handler(move |request| conditional(feed, request)));
        }
        town
    }

    pub(crate) fn host_of(&self, feed: usize) -> &FeedServer {
        &self.hosts[feed % self.hosts.len()]
    }

    /// Lets `answer` decide what becomes of requests for a feed.
    pub(crate) fn route(&self, feed: usize, answer: Handler) {
        self.host_of(feed).route(&path(feed), answer);
    }

    /// `[feed.*]` of all feeds.
    pub(crate) fn configuration(&self, interval: &str) -> String {
        let feed = |number| {
            let url = self.host_of(number).url(&path(number));
            format!(
                "[feed.wire-{number}]\nurl = \"{url}\"\nallow_private = true\n\
                 interval = \"{interval}\"\n"
            )
        };
        (0..self.feeds).map(feed).collect()
    }

    /// When a feed was asked for, in the order of arrival.
    pub(crate) fn polls(&self, feed: usize) -> Vec<Instant> {
        self.at_path(feed, &path(feed))
    }

    /// When a path of a feed's host was asked for.
    pub(crate) fn at_path(&self, feed: usize, path: &str) -> Vec<Instant> {
        self.host_of(feed).requests(path).iter().map(|request| request.at).collect()
    }

    /// Waits until a feed has been asked for so many times.
    pub(crate) async fn wait_for(&self, feed: usize, polls: usize) -> Instant {
        self.host_of(feed).wait_for(&path(feed), polls).await[polls - 1].at
    }

    /// Every request of the town, in the order of arrival.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        let mut all: Vec<_> = self.hosts.iter().flat_map(FeedServer::all_requests).collect();
        all.sort_by_key(|request| request.at);
        all
    }
}

pub(crate) fn path(feed: usize) -> String {
    format!("/wire/{feed}.xml")
}

/// The times between requests.
pub(crate) fn gaps(polls: &[Instant]) -> Vec<Duration> {
    polls.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// A document with one item.
pub(crate) fn document(feed: usize, item: u64) -> Reply {
    let text = format!(
        "<rss version=\"2.0\"><channel><title>Wire {feed}</title>\
         <item><title>Story {item} of wire {feed}</title><guid isPermaLink=\"false\">{feed}-{item}\
         </guid><link>https://example.org/{feed}/{item}</link></item></channel></rss>"
    );
    Reply::ok(text)
        .header("Content-Type", "application/rss+xml")
        .header("ETag", etag(feed))
        .header("Set-Cookie", "visitor=7; Path=/")
        .header("Set-Cookie", "consent=yes")
}

fn conditional(feed: usize, request: &Request) -> Reply {
    if request.header("If-None-Match") == Some(&etag(feed)) {
        return Reply::status(304).header("ETag", etag(feed)).header("Set-Cookie", "seen=again");
    }
    document(feed, 1)
}

fn etag(feed: usize) -> String {
    format!("\"wire-{feed}\"")
}
