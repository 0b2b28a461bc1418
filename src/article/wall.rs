//! Pages that stand before an article. An article that can be read is never
//! taken for one: only pages of little text are asked.

use super::ArticleError;

/// A text of so many words is an article, whatever else the page says.
const ARTICLE: usize = 250;
/// A page that says it is not free may show this much.
const TEASER: usize = 150;

/// What a bot check says, in lower case.
const BOT: [&str; 12] = [
    "verify you are human",
    "verifying you are human",
    "checking your browser",
    "checking if the site connection is secure",
    "enable javascript and cookies to continue",
    "please enable js and disable any ad blocker",
    "are you a robot",
    "unusual traffic from your",
    "complete the captcha",
    "attention required! | cloudflare",
    "px-captcha",
    "making sure you&#39;re not a bot",
];

/// What a consent page says.
const CONSENT: [&str; 8] = [
    "before you continue to",
    "we value your privacy",
    "we and our partners",
    "consent to the use of cookies",
    "accept all cookies",
    "ihre zustimmung",
    "mit werbung weiterlesen",
    "accepter et continuer",
];

/// What a paywall says.
const PAYWALL: [&str; 14] = [
    "subscribe to continue reading",
    "subscribe to read",
    "to continue reading this",
    "to read the full",
    "already a subscriber",
    "this article is for subscribers",
    "this content is for subscribers",
    "this story is available exclusively",
    "log in or subscribe",
    "unlock this article",
    "start your free trial",
    "register to read",
    "réservé aux abonnés",
    "jetzt weiterlesen mit",
];

/// The wall that a page is, if it is one.
pub(super) fn wall(
    html: &str,
    (title, text): (Option<&str>, &str),
    paid: bool,
) -> Option<ArticleError> {
    let words = text.split_whitespace().count();
    if words >= ARTICLE {
        return None;
    }
    let html = html.to_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| html.contains(phrase));
    let title = title.unwrap_or_default().to_lowercase();
    let waits = ["just a moment", "access denied", "are you a robot"]
        .iter()
        .any(|start| title.starts_with(start));
    if words < TEASER && (waits || says(&BOT)) {
        return Some(ArticleError::BotCheck);
    }
    if words < TEASER && (paid || says(&PAYWALL)) {
        return Some(ArticleError::Paywall { words });
    }
    let consent = says(&CONSENT) && html.contains("<form") && words < TEASER / 2;
    consent.then_some(ArticleError::Consent)
}
