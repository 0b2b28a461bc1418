//! The services as their users know them: each takes only what it would take,
//! shows what a reader would see, and answers as its vendor does.

use serde_json::{Value, json};
use wirewatch::deliver::ChatService;
use wirewatch::model::{Delivery, Secret};

use crate::support::http::{FeedServer, Reply, Request};

/// What a reader sees of a message.
#[derive(Debug, Default)]
pub struct Seen {
    /// The headline without marks.
    pub headline: String,
    /// All text without marks.
    pub text: String,
    /// Everything that can be clicked on.
    pub links: Vec<String>,
}

type Judged = Result<Seen, String>;

/// How the sender is expected to understand an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    Later,
    Refused,
    Never,
}

pub struct Service {
    pub kind: &'static str,
    pub place: fn(&FeedServer) -> ChatService,
    pub path: fn(&Delivery) -> String,
    /// What is not taken is said why.
    pub judge: fn(&Request) -> Judged,
    pub ok: fn() -> Reply,
    /// Too many requests; the next in this many seconds.
    pub limited: fn() -> (Reply, i64),
    pub refusals: fn() -> Vec<(Reply, Meaning)>,
    /// Whether the text calls somebody.
    pub calls: fn(&str) -> bool,
    /// Whether it knows a repeat by itself.
    pub drops_repeats: bool,
}

pub const TOKEN: &str = "s3cr3tT0kenOfTheTests";

pub const ALL: [Service; 9] = [
    Service {
        kind: "slack",
        place: |server| ChatService::Slack { url: hook(server, "/services/T0/B0/") },
        path: |_| format!("/services/T0/B0/{TOKEN}"),
        judge: slack,
        ok: || Reply::ok("ok"),
        limited: || (Reply::status(429).header("Retry-After", "30").body("rate_limited"), 30),
        refusals: || {
            vec![
                (Reply::status(400).body("invalid_payload"), Meaning::Never),
                (Reply::status(403).body("action_prohibited"), Meaning::Refused),
                (Reply::status(404).body("no_service"), Meaning::Never),
                (Reply::status(410).body("channel_is_archived"), Meaning::Never),
                (Reply::status(500).body("rollup_error"), Meaning::Later),
                (Reply::ok("<html>log in</html>"), Meaning::Later),
                (Reply::status(302).header("Location", "https://evil.example/"), Meaning::Later),
            ]
        },
        calls: |_| false,
        drops_repeats: false,
    },
    Service {
        kind: "discord",
        place: |server| ChatService::Discord { url: hook(server, "/api/webhooks/1/") },
        path: |_| format!("/api/webhooks/1/{TOKEN}"),
        judge: discord,
        ok: || json_reply(200, &json!({ "id": "1", "type": 0 })),
        limited: || {
            let body = json!({ "message": "You are being rate limited.", "retry_after": 29.5, "global": false });
            (json_reply(429, &body).header("X-RateLimit-Bucket", "abcd"), 29)
        },
        refusals: || {
            vec![
                (
                    json_reply(
                        400,
                        &json!({ "message": "Cannot send an empty message", "code": 50006 }),
                    ),
                    Meaning::Never,
                ),
                (
                    json_reply(401, &json!({ "message": "401: Unauthorized", "code": 0 })),
                    Meaning::Refused,
                ),
                (
                    json_reply(404, &json!({ "message": "Unknown Webhook", "code": 10015 })),
                    Meaning::Never,
                ),
                (Reply::status(204), Meaning::Later),
                (Reply::status(502), Meaning::Later),
            ]
        },
        calls: |_| false,
        drops_repeats: false,
    },
    Service {
        kind: "teams",
        place: |server| ChatService::Teams { url: hook(server, "/workflows/x/invoke/") },
        path: |_| format!("/workflows/x/invoke/{TOKEN}"),
        judge: teams,
        ok: || Reply::status(202),
        limited: || (Reply::status(429).header("Retry-After", "30"), 30),
        refusals: || {
            let says = |code| {
                Reply::ok(format!(
                    "Webhook message delivery failed with error: Microsoft Teams endpoint \
                     returned HTTP error {code} with ContextId tcid=0"
                ))
            };
            vec![
                (says(413), Meaning::Never),
                (says(429), Meaning::Later),
                (says(403), Meaning::Refused),
                (says(503), Meaning::Later),
                (
                    Reply::status(400).body("Bad payload received by generic incoming webhook."),
                    Meaning::Never,
                ),
                (Reply::status(404), Meaning::Never),
            ]
        },
        calls: |_| false,
        drops_repeats: false,
    },
    Service {
        kind: "telegram",
        place: |server| ChatService::Telegram {
            base_url: server.url(""),
            token: Secret::new(format!("1:{TOKEN}")),
            chat: "-100123".to_owned(),
            topic: Some(7),
        },
        path: |_| format!("/bot1:{TOKEN}/sendMessage"),
        judge: telegram,
        ok: || json_reply(200, &json!({ "ok": true, "result": { "message_id": 1 } })),
        limited: || {
            let body = json!({ "ok": false, "error_code": 429, "description": "Too Many Requests: retry after 30", "parameters": { "retry_after": 30 } });
            (json_reply(429, &body), 30)
        },
        refusals: || {
            let says = |code: u16, words: &str| {
                json_reply(code, &json!({ "ok": false, "error_code": code, "description": words }))
            };
            vec![
                (says(400, "Bad Request: chat not found"), Meaning::Never),
                (says(400, "Bad Request: can't parse entities: x"), Meaning::Never),
                (says(401, "Unauthorized"), Meaning::Refused),
                (says(403, "Forbidden: bot was kicked"), Meaning::Refused),
                (says(404, "Not Found"), Meaning::Never),
                (says(502, "Bad Gateway"), Meaning::Later),
            ]
        },
        calls: |text| follows(text, '@', |c| c.is_ascii_alphanumeric() || c == '_'),
        drops_repeats: false,
    },
    Service {
        kind: "ntfy",
        place: |server| ChatService::Ntfy {
            base_url: server.url("/"),
            topic: Secret::new("our-secret-topic"),
            token: Some(Secret::new(TOKEN)),
        },
        path: |_| "/".to_owned(),
        judge: ntfy,
        ok: || json_reply(200, &json!({ "id": "x", "event": "message" })),
        limited: || {
            let body =
                json!({ "code": 42901, "http": 429, "error": "limit reached: too many requests" });
            (json_reply(429, &body).header("Retry-After", "30"), 30)
        },
        refusals: || {
            vec![
                (
                    json_reply(
                        400,
                        &json!({ "code": 40009, "error": "invalid request: topic invalid" }),
                    ),
                    Meaning::Never,
                ),
                (
                    json_reply(401, &json!({ "code": 40101, "error": "unauthorized" })),
                    Meaning::Refused,
                ),
                (
                    json_reply(403, &json!({ "code": 40301, "error": "forbidden" })),
                    Meaning::Refused,
                ),
                (
                    json_reply(413, &json!({ "code": 41301, "error": "attachment too large" })),
                    Meaning::Never,
                ),
                (
                    json_reply(507, &json!({ "code": 50701, "error": "insufficient storage" })),
                    Meaning::Later,
                ),
                (Reply::ok("<html>"), Meaning::Later),
            ]
        },
        calls: |_| false,
        drops_repeats: false,
    },
    Service {
        kind: "matrix",
        place: |server| ChatService::Matrix {
            homeserver: server.url(""),
            room: "!room:example.org".to_owned(),
            token: Secret::new(TOKEN),
        },
        path: |delivery| {
            format!(
                "/_matrix/client/v3/rooms/!room:example.org/send/m.room.message/{}",
                delivery.id
            )
        },
        judge: matrix,
        ok: || json_reply(200, &json!({ "event_id": "$x" })),
        limited: || {
            let body = json!({ "errcode": "M_LIMIT_EXCEEDED", "error": "Too many requests", "retry_after_ms": 30_000 });
            (json_reply(429, &body), 30)
        },
        refusals: || {
            let says =
                |code, word: &str| json_reply(code, &json!({ "errcode": word, "error": "x" }));
            vec![
                (says(400, "M_BAD_JSON"), Meaning::Never),
                (says(401, "M_UNKNOWN_TOKEN"), Meaning::Refused),
                (says(403, "M_FORBIDDEN"), Meaning::Refused),
                (says(413, "M_TOO_LARGE"), Meaning::Never),
                (says(502, "M_UNKNOWN"), Meaning::Later),
            ]
        },
        calls: |text| text.contains("@room") || follows(text, '@', char::is_alphanumeric),
        drops_repeats: true,
    },
    Service {
        kind: "gotify",
        place: |server| ChatService::Gotify {
            base_url: server.url("/push/"),
            token: Secret::new(TOKEN),
        },
        path: |_| "/push/message".to_owned(),
        judge: gotify,
        ok: || json_reply(200, &json!({ "id": 1, "appid": 1 })),
        limited: || (Reply::status(429).header("Retry-After", "30"), 30),
        refusals: || {
            let says = |code: u16| {
                json_reply(
                    code,
                    &json!({ "error": "x", "errorCode": code, "errorDescription": "y" }),
                )
            };
            vec![
                (says(400), Meaning::Never),
                (says(401), Meaning::Refused),
                (says(403), Meaning::Refused),
                (says(500), Meaning::Later),
            ]
        },
        calls: |_| false,
        drops_repeats: false,
    },
    Service {
        kind: "mattermost",
        place: |server| ChatService::Mattermost { url: hook(server, "/hooks/"), channel: None },
        path: |_| format!("/hooks/{TOKEN}"),
        judge: mattermost,
        ok: || Reply::ok("ok"),
        limited: || (Reply::status(429).header("Retry-After", "30"), 30),
        refusals: || {
            let says = |code: u16, words: &str| {
                json_reply(code, &json!({ "id": "x", "message": words, "status_code": code }))
            };
            vec![
                (says(400, "Invalid webhook."), Meaning::Never),
                (says(403, "no"), Meaning::Refused),
                (says(404, "gone"), Meaning::Never),
                (says(500, "x"), Meaning::Later),
            ]
        },
        calls: |text| {
            follows(text, '@', |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
                || text.contains("<!")
                || text.contains("<@")
        },
        drops_repeats: false,
    },
    Service {
        kind: "pagerduty",
        place: |server| ChatService::PagerDuty {
            base_url: server.url(""),
            routing_key: Secret::new(TOKEN),
        },
        path: |_| "/v2/enqueue".to_owned(),
        judge: pagerduty,
        ok: || {
            json_reply(
                202,
                &json!({ "status": "success", "message": "Event processed", "dedup_key": "x" }),
            )
        },
        limited: || (Reply::status(429).header("Retry-After", "30"), 30),
        refusals: || {
            let says = |code| {
                json_reply(
                    code,
                    &json!({ "status": "invalid event", "message": "Event object is invalid", "errors": ["x"] }),
                )
            };
            vec![
                (says(400), Meaning::Never),
                (says(200), Meaning::Later),
                (says(403), Meaning::Refused),
                (says(500), Meaning::Later),
            ]
        },
        calls: |_| false,
        drops_repeats: true,
    },
];

fn hook(server: &FeedServer, path: &str) -> Secret {
    Secret::new(format!("{}{TOKEN}", server.url(path)))
}

fn json_reply(status: u16, body: &Value) -> Reply {
    Reply::status(status).header("Content-Type", "application/json").body(body.to_string())
}

/// Whether something of this kind follows the character.
fn follows(text: &str, mark: char, wanted: impl Fn(char) -> bool) -> bool {
    let mut rest = text.split(mark);
    rest.next();
    rest.any(|after| after.starts_with(&wanted))
}

fn check(holds: bool, problem: impl Into<String>) -> Result<(), String> {
    if holds { Ok(()) } else { Err(problem.into()) }
}

fn body(request: &Request) -> Result<Value, String> {
    check(request.header("content-type") == Some("application/json"), "not JSON")?;
    serde_json::from_slice(&request.body).map_err(|error| error.to_string())
}

fn text<'a>(value: &'a Value, pointer: &str) -> Result<&'a str, String> {
    value.pointer(pointer).and_then(Value::as_str).ok_or_else(|| format!("no {pointer}"))
}

/// Every text under this key, however deep.
fn every<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == key => found.push(text),
                    other => every(other, key, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| every(item, key, found)),
        _ => {}
    }
}

fn all(value: &Value, key: &str) -> Vec<String> {
    let mut found = Vec::new();
    every(value, key, &mut found);
    found.into_iter().map(str::to_owned).collect()
}

fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}

fn slack(request: &Request) -> Judged {
    let body = body(request)?;
    let fallback = text(&body, "/text")?;
    check(utf16(fallback) <= 40_000, "msg_too_long")?;
    // In a text only links may stand in angle brackets, and "&" is escaped.
    for (at, _) in fallback.match_indices('<') {
        let rest = &fallback[at + 1..];
        check(rest.starts_with("https://"), format!("control sequence: {fallback}"))?;
        check(!rest.split('>').next().unwrap().contains('|'), "a link with a name")?;
    }
    for (at, _) in fallback.match_indices('&') {
        let rest = &fallback[at..];
        let is_entity = ["&amp;", "&lt;", "&gt;"].iter().any(|entity| rest.starts_with(entity));
        check(is_entity, format!("bare ampersand: {fallback}"))?;
    }
    let blocks = body["blocks"].as_array().ok_or("no blocks")?;
    check(!blocks.is_empty() && blocks.len() <= 50, "invalid_blocks")?;
    let kinds = ["rich_text", "rich_text_section", "rich_text_quote", "text", "link"];
    let used = all(&body["blocks"], "type");
    check(used.iter().all(|kind| kinds.contains(&kind.as_str())), format!("{used:?}"))?;
    let texts = all(&body["blocks"], "text");
    check(texts.iter().all(|text| !text.is_empty()), "invalid_blocks: empty")?;
    check(texts.iter().map(|text| utf16(text)).sum::<usize>() <= 3_000, "too long")?;
    let mut headline = String::new();
    for element in blocks[0]["elements"].as_array().ok_or("no elements")? {
        for part in element["elements"].as_array().ok_or("no elements")? {
            if part["type"] == "link" && headline.len() < 100_000 {
                headline.push_str(part["text"].as_str().unwrap_or_default());
            }
        }
    }
    Ok(Seen { headline, text: texts.concat(), links: all(&body["blocks"], "url") })
}

fn discord(request: &Request) -> Judged {
    check(request.query.as_deref() == Some("wait=true"), "an unsaved message makes no error")?;
    let body = body(request)?;
    check(body["allowed_mentions"] == json!({ "parse": [] }), "it may ping")?;
    let content = text(&body, "/content")?;
    check(utf16(content) <= 2_000, "content too long")?;
    let embed = &body["embeds"][0];
    check(body["embeds"].as_array().map(Vec::len) == Some(1), "embeds")?;
    let (title, description) = (text(embed, "/title")?, text(embed, "/description")?);
    check((1..=256).contains(&utf16(title)), format!("title {}", utf16(title)))?;
    check(utf16(description) <= 4_096, "description too long")?;
    check(utf16(title) + utf16(description) <= 6_000, "embeds too long")?;
    check(text(embed, "/url")?.len() <= 2_048, "url too long")?;
    let mut links = vec![text(embed, "/url")?.to_owned()];
    let plain = markdown(&format!("{content}\n{description}"), &mut links)?;
    Ok(Seen { headline: markdown(title, &mut links)?, text: plain, links })
}

/// Text without marks. What is a mark must be one of ours: strong, a quote, a
/// link; all else is escaped.
fn markdown(source: &str, links: &mut Vec<String>) -> Result<String, String> {
    let mut plain = String::new();
    for line in source.lines() {
        let line = line.strip_prefix("> ").unwrap_or(line);
        let starts_mark = line.starts_with(['#', '>', '-', '+', '=']);
        check(!starts_mark, format!("a mark at the start: {line}"))?;
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\\' => plain.push(chars.next().ok_or("a backslash at the end")?),
                '*' => check(chars.next() == Some('*'), format!("emphasis: {line}"))?,
                '[' => {}
                ']' => {
                    check(chars.next() == Some('('), format!("a bracket: {line}"))?;
                    links.push(chars.by_ref().take_while(|c| *c != ')').collect());
                }
                '`' | '_' | '~' | '|' | '<' | '>' | '#' | '&' => {
                    return Err(format!("mark {c} in {line}"));
                }
                c => plain.push(c),
            }
        }
        plain.push('\n');
    }
    plain.truncate(plain.trim_end_matches('\n').len());
    Ok(plain)
}

fn teams(request: &Request) -> Judged {
    check(request.body.len() <= 21_000, format!("413: {} bytes", request.body.len()))?;
    let body = body(request)?;
    let attachment = &body["attachments"][0];
    check(attachment["contentType"] == "application/vnd.microsoft.card.adaptive", "no card")?;
    let card = &attachment["content"];
    check(card["type"] == "AdaptiveCard" && card["version"] == "1.4", "no card")?;
    check(card["msteams"].get("entities").is_none(), "a mention")?;
    // Only text runs know no Markdown.
    let used = all(card, "type");
    let kinds = ["AdaptiveCard", "RichTextBlock", "TextRun", "Action.OpenUrl"];
    check(used.iter().all(|kind| kinds.contains(&kind.as_str())), format!("{used:?}"))?;
    let mut headline = String::new();
    for block in card["body"].as_array().ok_or("no body")? {
        if block["inlines"][0].get("selectAction").is_some() {
            headline = all(&block["inlines"], "text").concat();
        }
    }
    Ok(Seen { headline, text: all(card, "text").concat(), links: all(card, "url") })
}

/// Text of a document in the few tags that are taken, each closed in order.
fn html(source: &str, tags: &[&str], seen: &mut Seen) -> Result<(), String> {
    let mut open: Vec<String> = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find(['<', '&']) {
        seen.text.push_str(&rest[..at]);
        if open.iter().any(|tag| tag == "a") {
            seen.headline.push_str(&rest[..at]);
        }
        rest = &rest[at..];
        if let Some(entity) = rest.strip_prefix('&') {
            let (name, after) = entity.split_once(';').ok_or("can't parse entities: &")?;
            let c = match name {
                "amp" => "&",
                "lt" => "<",
                "gt" => ">",
                "quot" => "\"",
                _ => return Err(format!("can't parse entities: &{name};")),
            };
            seen.text.push_str(c);
            if open.iter().any(|tag| tag == "a") {
                seen.headline.push_str(c);
            }
            rest = after;
            continue;
        }
        let (tag, after) = rest[1..].split_once('>').ok_or("can't parse entities: <")?;
        rest = after;
        if tag == "br" {
            seen.text.push('\n');
        } else if let Some(name) = tag.strip_prefix('/') {
            check(open.pop().as_deref() == Some(name), format!("can't parse entities: </{name}>"))?;
        } else {
            let name = tag.split(' ').next().unwrap();
            check(tags.contains(&name), format!("can't parse entities: <{tag}>"))?;
            if let Some(link) = tag.strip_prefix("a href=\"") {
                let link = link.strip_suffix('"').ok_or("can't parse entities: href")?;
                check(!link.contains(['"', '<']), "can't parse entities: href")?;
                seen.links.push(link.replace("&amp;", "&"));
            } else {
                check(tag == name, format!("attributes: {tag}"))?;
            }
            open.push(name.to_owned());
        }
    }
    check(open.is_empty(), "can't parse entities: not closed")?;
    seen.text.push_str(rest);
    Ok(())
}

fn telegram(request: &Request) -> Judged {
    let body = body(request)?;
    check(body["chat_id"] == json!(-100_123), "Bad Request: chat not found")?;
    check(body["message_thread_id"] == 7, "topic")?;
    let source = text(&body, "/text")?;
    let mut seen = Seen::default();
    match body.get("parse_mode").and_then(Value::as_str) {
        Some("HTML") => html(source, &["b", "a", "blockquote"], &mut seen)?,
        Some(_) => return Err("another parse_mode".to_owned()),
        None => source.clone_into(&mut seen.text),
    }
    let length = utf16(&seen.text);
    check((1..=4_096).contains(&length), format!("message is too long: {length}"))?;
    Ok(seen)
}

fn plain(message: &str, link: &str) -> Judged {
    // Its own line, which phones make a link of.
    let text: Vec<&str> = message.lines().filter(|line| *line != link).collect();
    let shown = text.len() < message.lines().count();
    // The headline is what stands above it.
    let place = message.lines().position(|line| line == link).unwrap_or_default();
    let headline = message.lines().nth(place.saturating_sub(1)).unwrap_or_default().to_owned();
    let links = if shown { vec![link.to_owned()] } else { Vec::new() };
    Ok(Seen { headline: headline.replace(['«', '»'], ""), text: text.join("\n"), links })
}

fn ntfy(request: &Request) -> Judged {
    check(request.header("authorization") == Some(&format!("Bearer {TOKEN}")), "unauthorized")?;
    for name in ["x-title", "title", "x-message"] {
        check(request.header(name).is_none(), "text in a header")?;
    }
    let body = body(request)?;
    check(body["topic"] == "our-secret-topic", "topic")?;
    let message = text(&body, "/message")?;
    check((1..=4_096).contains(&message.len()), format!("attachment: {} bytes", message.len()))?;
    check(text(&body, "/title")?.len() <= 250, "title")?;
    check((1..=5).contains(&body["priority"].as_u64().unwrap_or(0)), "priority")?;
    plain(message, text(&body, "/click")?)
}

fn matrix(request: &Request) -> Judged {
    check(request.method == "PUT", "method")?;
    check(request.header("authorization") == Some(&format!("Bearer {TOKEN}")), "token")?;
    // The server adds signatures and hashes of its own.
    check(request.body.len() + 4_096 <= 65_536, format!("too large: {}", request.body.len()))?;
    let body = body(request)?;
    check(body["m.mentions"] == json!({}), "mentions")?;
    check(body["msgtype"] == "m.text" && body["format"] == "org.matrix.custom.html", "kind")?;
    let mut seen = Seen::default();
    html(text(&body, "/formatted_body")?, &["b", "a", "blockquote"], &mut seen)?;
    let link = seen.links.first().cloned().unwrap_or_default();
    let other = plain(text(&body, "/body")?, &link)?;
    check(other.links == seen.links, "the plain text has no link")?;
    seen.text.push_str(&other.text);
    Ok(seen)
}

fn gotify(request: &Request) -> Judged {
    check(request.query.is_none(), "the token may be in the address")?;
    check(request.header("x-gotify-key") == Some(TOKEN), "unauthorized")?;
    let body = body(request)?;
    check(body["extras"]["client::display"]["contentType"] == "text/plain", "Markdown")?;
    let message = text(&body, "/message")?;
    check(!message.is_empty(), "empty")?;
    plain(message, text(&body, "/extras/client::notification/click/url")?)
}

fn mattermost(request: &Request) -> Judged {
    let body = body(request)?;
    let source = text(&body, "/text")?;
    check(source.chars().count() <= 16_383, "too long")?;
    check(!source.contains("<!") && !source.contains("<@"), "a Slack-like call")?;
    let mut links = Vec::new();
    let text = markdown(source, &mut links)?;
    let line = source.lines().find(|line| line.starts_with('[')).ok_or("no headline")?;
    let mut ignored = Vec::new();
    Ok(Seen { headline: markdown(line, &mut ignored)?, text, links })
}

fn pagerduty(request: &Request) -> Judged {
    check(request.body.len() <= 512_000, "too large")?;
    let body = body(request)?;
    check(body["routing_key"] == TOKEN && body["event_action"] == "trigger", "invalid event")?;
    check((1..=255).contains(&text(&body, "/dedup_key")?.chars().count()), "dedup_key")?;
    let summary = text(&body, "/payload/summary")?;
    check((1..=1_024).contains(&summary.chars().count()), "summary")?;
    let severities = ["critical", "error", "warning", "info"];
    check(severities.contains(&text(&body, "/payload/severity")?), "severity")?;
    check(!text(&body, "/payload/source")?.is_empty(), "source")?;
    let headline = summary.split_once("@desk: ").map_or(summary, |(_, rest)| rest);
    Ok(Seen {
        headline: headline.to_owned(),
        text: String::new(),
        links: all(&body["links"], "href"),
    })
}
