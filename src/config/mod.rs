//! The configuration: reads TOML files, refuses nonsense, hands out values.
//!
//! One table of keys (`keys.rs`) drives the reading, the reference file and the
//! JSON schema. Everything that is wrong is reported at once, each problem with
//! its place. Nothing is built from the values here, and no connection is made.

mod address;
mod channels;
mod document;
mod edit;
mod environment;
mod feeds;
mod fields;
mod fulltext;
mod groups;
mod headers;
mod http;
mod include;
mod keys;
mod operator;
mod policy;
mod problem;
mod reference;
mod request;
mod rules;
mod schema;
mod secrets;
mod source;
mod text;
mod unknown;
mod values;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;

use self::document::{Document, Scope};
use self::fields::Fields;
use self::groups::Groups;
use self::rules::Names;
use self::source::Findings;
use crate::alert::ChannelPolicy;
use crate::deliver::ChannelOptions;
use crate::model::{ChannelName, Feed, RequestOptions};

pub use self::edit::{
    EditError, Edits, NewFeed, add_feeds, feed_name, include as add_include, includes, remove_feed,
};
pub use self::environment::Environment;
pub use self::fulltext::FulltextConfig;
pub use self::http::HttpConfig;
pub use self::operator::{NOTICE_KINDS, OperatorConfig};
pub use self::problem::{Gravity, Problem, Problems};
pub use self::reference::reference;
pub use self::rules::RuleConfig;
pub use self::schema::json_schema;

/// All that a configuration says, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The files it was read from, the main one first.
    pub files: Vec<PathBuf>,
    /// The database file.
    pub store: PathBuf,
    /// A web page or address that publishers can turn to.
    pub contact: Option<String>,
    /// How feeds are fetched.
    pub fetch: FetchSettings,
    /// How long an alert waits for more outlets.
    pub gather: SignedDuration,
    /// How long stories, matches and deliveries are kept.
    pub retention: SignedDuration,
    /// The feeds, in the order of the files.
    pub feeds: Vec<Feed>,
    /// Feeds that are not polled for now (`enabled = false`).
    pub paused: Vec<Feed>,
    /// What the requests of a feed carry that is not configured.
    pub general: RequestOptions,
    /// Who hears about wirewatch itself.
    pub operator: OperatorConfig,
    /// Limits for the reading of pages.
    pub fulltext: FulltextConfig,
    /// The endpoint for monitoring.
    pub http: HttpConfig,
    /// The named lists: names and expressions.
    pub terms: Vec<(String, String)>,
    /// The rules, in the order of the files.
    pub rules: Vec<RuleConfig>,
    /// The channels.
    pub channels: BTreeMap<ChannelName, ChannelOptions>,
    /// What the receivers of channels are spared.
    pub policies: BTreeMap<ChannelName, ChannelPolicy>,
    /// What works, but probably not as meant.
    pub warnings: Vec<Problem>,
}

/// How feeds are fetched over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchSettings {
    /// For a whole request.
    pub timeout: Duration,
    /// To get a connection.
    pub connect_timeout: Duration,
    /// From the request to the head of the answer.
    pub header_timeout: Duration,
    /// Without a byte of the answer.
    pub idle_timeout: Duration,
    /// Bytes of a document after decompression.
    pub max_body: u64,
    /// Requests at the same time.
    pub concurrency: usize,
    /// Certificates to trust besides the system's.
    pub ca_file: Option<PathBuf>,
}

/// Reads a configuration with all files that it includes.
///
/// # Errors
///
/// All problems, warnings among them, when at least one is an error.
pub fn load(path: &Path, env: &Environment) -> Result<Config, Problems> {
    load_edited(path, env, &Edits::default())
}

/// Reads a configuration as it would be after an edit.
///
/// # Errors
///
/// All problems, warnings among them, when at least one is an error.
pub fn load_edited(path: &Path, env: &Environment, edits: &Edits) -> Result<Config, Problems> {
    let mut findings = Findings::with(edits.clone());
    let root = include::read_all(path, env, &mut findings);
    let document = document::gather(&root, Scope::Everything, &mut findings);
    let feeds = feeds::feeds(&document, env, &mut findings);
    let channels = channels::channels(&document, env, &mut findings);
    let rules = rules::rules(&document, &names(&document), &mut findings);
    channels::report_unused(&document, &rules, &mut findings);
    config((document, feeds, rules, channels), env, findings)
}

/// Reads only `[terms]` and `[rule.*]`; all else has its default. Feeds and
/// channels that rules name need not exist, and `channels` may be left out.
///
/// # Errors
///
/// All problems, warnings among them, when at least one is an error.
pub fn load_rules(path: &Path, env: &Environment) -> Result<Config, Problems> {
    let mut findings = Findings::default();
    let root = include::read_all(path, env, &mut findings);
    let document = document::gather(&root, Scope::Rules, &mut findings);
    let rules = rules::rules(&document, &Names::default(), &mut findings);
    config((document, Default::default(), rules, BTreeMap::new()), env, findings)
}

type Parts =
    (Document, (Vec<Feed>, Vec<Feed>), Vec<RuleConfig>, BTreeMap<ChannelName, ChannelOptions>);

fn config(parts: Parts, env: &Environment, mut findings: Findings) -> Result<Config, Problems> {
    let (document, (feeds, paused), rules, channels) = parts;
    let operator = operator::operator(&document, env, &mut findings);
    let http = http::http(&document, env, &mut findings);
    let fulltext = fulltext::fulltext(&document);
    let policies = policy::policies(&document, &mut findings);
    let contact = contact(&document.fetch, &mut findings);
    let general = general(&document, env, &mut findings);
    let fetch = fetch_settings(&document.fetch, &mut findings);
    let (files, problems) = findings.finish();
    if problems.errors() > 0 {
        return Err(problems);
    }
    Ok(Config {
        files,
        store: store_path(&document.store, env),
        contact,
        fetch,
        gather: document.defaults.duration("gather").unwrap_or_default(),
        retention: document.store.duration("retention").unwrap_or(SignedDuration::MAX),
        feeds,
        paused,
        general,
        operator,
        fulltext,
        http,
        terms: document.terms.into_iter().map(|(name, text)| (name, text.text)).collect(),
        rules,
        channels,
        policies,
        warnings: problems.list,
    })
}

fn general(document: &Document, env: &Environment, findings: &mut Findings) -> RequestOptions {
    let levels = Groups::new(document).levels("[fetch]".to_owned(), &document.fetch, &[]);
    request::options(&levels, None, env, findings)
}

fn names(document: &Document) -> Names {
    let feeds = document.feeds.iter().map(|feed| feed.name.clone()).collect();
    Names { feeds: Some(feeds), channels: Some(document.channel_names.clone()) }
}

/// Relative to the state directory when there is one, else to where we were started.
fn store_path(store: &Fields, env: &Environment) -> PathBuf {
    let base = env.state_directory.as_ref().unwrap_or(&env.working_directory);
    store.text("path").map_or_else(|| base.clone(), |path| base.join(path.text))
}

fn fetch_settings(fetch: &Fields, findings: &mut Findings) -> FetchSettings {
    FetchSettings {
        timeout: fetch.timeout("timeout"),
        connect_timeout: fetch.timeout("connect_timeout"),
        header_timeout: fetch.timeout("header_timeout"),
        idle_timeout: fetch.timeout("idle_timeout"),
        max_body: fetch.size("max_body"),
        concurrency: fetch.count("concurrency"),
        ca_file: secrets::ca_file(fetch, "[fetch]", findings),
    }
}

/// The contact becomes part of a header, where parentheses would end it early.
fn contact(fetch: &Fields, findings: &mut Findings) -> Option<String> {
    let contact = fetch.text("contact")?;
    let fits = |c: char| (c.is_ascii_graphic() || c == ' ') && !matches!(c, '(' | ')' | '\\');
    if !contact.text.chars().all(fits) {
        let message = "[fetch]: \"contact\" has characters that a header cannot carry".to_owned();
        let hint = "give a web page or a mail address".to_owned();
        findings.error(&contact.at, message, Some(hint));
    }
    Some(contact.text)
}
