//! What a feed and its server say about how they want to be read.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

/// What a document says of its own rhythm and place. All of it is advice:
/// values that make no sense are left out by the parser.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedHints {
    /// RSS 2.0 `ttl`.
    pub ttl: Option<SignedDuration>,
    /// RSS `skipHours` as a set: bit n stands for hour n of the day, UTC.
    pub skip_hours: u32,
    /// RSS `skipDays` as a set: bit 0 is Monday, bit 6 is Sunday.
    pub skip_days: u8,
    /// `sy:updatePeriod` divided by `sy:updateFrequency`.
    pub update_period: Option<SignedDuration>,
    /// `sy:updateBase`: the periods count from here.
    pub update_base: Option<Timestamp>,
    /// WebSub hubs, absolute, in document order.
    pub hubs: Vec<String>,
    /// The feed's own address, absolute: `rel="self"` or JSON Feed `feed_url`.
    pub self_link: Option<String>,
    /// RSS `cloud` (rssCloud): the address to register at, as a URL.
    pub cloud: Option<String>,
    /// RFC 5005 `prev-archive`, or `next` of a paged feed: where older entries are.
    pub older: Option<String>,
    /// BCP 47 language tag of the whole feed.
    pub lang: Option<String>,
    /// The page that the feed belongs to, absolute.
    pub site: Option<String>,
}

/// What an answer's header says of when to come back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerHints {
    /// `Cache-Control: max-age`, else `Expires` less `Date` (RFC 9111): how
    /// long the answer stays fresh.
    pub fresh_for: Option<SignedDuration>,
    /// `Retry-After` (RFC 9110 section 10.2.3), as a span from the answer.
    pub retry_after: Option<SignedDuration>,
    /// `Link` with `rel=hub` (WebSub), absolute, in order.
    pub hubs: Vec<String>,
    /// `Link` with `rel=self`, absolute.
    pub self_link: Option<String>,
}

/// How a document's bytes were turned into text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoding {
    /// The encoding's name (WHATWG), for example `windows-1251`.
    pub encoding: Cow<'static, str>,
    /// What decided: `bom`, `utf-16 pattern`, `http`, `declaration`, `utf-8` or `detected`.
    pub decided_by: Cow<'static, str>,
    /// Some bytes were not valid and stand as U+FFFD.
    pub lossy: bool,
}
