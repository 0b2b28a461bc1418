//! What strangers try at callbacks.

use url::Url;

use super::hub::{Asked, get, post, sign};
use super::scene::Scene;
use super::support::timeout;
use super::world::rss;

/// All that must not change.
fn picture(scene: &Scene) -> Vec<i64> {
    let counts = [
        "SELECT count(*) FROM subscription WHERE state = 'pending' AND lease_until IS NULL",
        "SELECT count(*) FROM callback WHERE role = 'asked'",
        "SELECT count(*) FROM callback",
        "SELECT count(*) FROM push",
        "SELECT count(*) FROM entry",
        "SELECT sum(next_due) FROM feed",
    ];
    counts.iter().map(|sql| scene.count(sql)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_forged_verifications_change_nothing() {
    let scene = Scene::new().await;
    scene.publish(&[("0", "Quiet", "x")]);
    scene.hub.behave(Some("864000"), false);
    let app = scene.start(&scene.config("1h")).await;
    let asked = scene.hub.wait_asked("subscribe", 1).await.remove(0);
    // The feed's visit is over, too.
    timeout(scene.world.feeds.wait_for("/a", 1), "a poll").await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let before = picture(&scene);
    let (long, huge) = ("x".repeat(1_025), "x".repeat(1 << 20));
    let html = "<script>alert(1)</script>";
    let other = format!("{}2", asked.topic);
    let mut tried = 0;
    let changes: Vec<Vec<(&str, &str)>> = vec![
        vec![("hub.topic", "https://elsewhere.test/")],
        vec![("hub.topic", "")],
        vec![("hub.topic", &other)],
        vec![("hub.topic", &asked.topic[..asked.topic.len() - 1])],
        vec![("hub.mode", "")],
        vec![("hub.mode", "unsubscribe")],
        vec![("hub.mode", "Subscribe")],
        vec![("hub.mode", "subscribe,unsubscribe")],
        vec![("hub.mode", "denied"), ("hub.topic", "https://elsewhere.test/")],
        vec![("hub.mode", "publish")],
        vec![("hub.challenge", "")],
        vec![("hub.challenge", &long)],
        vec![("hub.challenge", &huge)],
        vec![("hub.topic", "https://elsewhere.test/"), ("hub.challenge", html)],
    ];
    for change in changes {
        tried += 1;
        let answer = scene.hub.verify(&asked, &change).await;
        assert!(answer.status == 0 || answer.status >= 400, "{change:.100?}: {answer:?}");
        assert!(!answer.body.contains(html), "{answer:?}");
    }
    let base = asked.callback.rsplit_once('/').unwrap().0;
    let token = asked.callback.rsplit('/').next().unwrap();
    let flipped = |at: usize| {
        let mut bytes = token.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let tokens = [
        String::new(),
        "x".to_owned(),
        flipped(0),
        flipped(20),
        flipped(42),
        token[1..].to_owned(),
        format!("{token}x"),
        token.to_uppercase(),
        token.repeat(2),
        "%00".to_owned(),
        "..%2f..%2fmetrics".to_owned(),
        "' OR 1=1 --".replace(' ', "%20"),
        "A".repeat(43),
        format!("{token}/"),
        format!("{token}%20"),
        "A".repeat(4_000),
    ];
    for token in tokens {
        tried += 1;
        let forged = Asked { callback: format!("{base}/{token}"), ..asked.clone() };
        let answer = scene.hub.verify(&forged, &[]).await;
        assert!(answer.status == 0 || answer.status >= 400, "{token:.100}: {answer:?}");
    }
    assert!(tried >= 30, "{tried}");
    assert_eq!(picture(&scene), before);
    // And one that is right, whose challenge a browser shows as text.
    let answer = scene.hub.verify(&asked, &[("hub.challenge", html)]).await;
    assert_eq!((answer.status, &*answer.body), (200, html));
    for line in
        ["content-type: text/plain", "x-content-type-options: nosniff", "default-src 'none'"]
    {
        assert!(answer.head.contains(line), "{answer:?}");
    }
    // Said again it is not asked for any more.
    assert_eq!(scene.hub.verify(&asked, &[]).await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_wrong_signatures_are_thanked_and_ignored() {
    let scene = Scene::new().await;
    scene.publish(&[("0", "Quiet", "x")]);
    let (app, held) = scene.subscribed("1h").await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let before = picture(&scene);
    let secret = held.secret.clone().unwrap();
    let body = rss(&[("forged", "A marker", "forged")]);
    let mut lines: Vec<Vec<(&str, String)>> = vec![vec![]];
    for method in ["sha1", "sha256", "sha384", "sha512"] {
        let good = sign(method, &secret, body.as_bytes());
        let digits = good.split_once('=').unwrap().1.to_owned();
        for line in [
            sign(method, "another", body.as_bytes()),
            sign(method, &secret, body.trim_end_matches('>').as_bytes()),
            good[..good.len() - 2].to_owned(),
            format!("{good}00"),
            digits.clone(),
            format!("md5={digits}"),
            format!("{}={digits}", method.to_uppercase()),
            format!("{method}="),
            format!("{method}:{digits}"),
        ] {
            lines.push(vec![("X-Hub-Signature", line)]);
        }
        lines.push(vec![("X-Hub-Signature", good.clone()), ("X-Hub-Signature", good.clone())]);
        lines.push(vec![("X-Hub-Signature-256", good)]);
    }
    assert!(lines.len() >= 40, "{}", lines.len());
    for lines in lines {
        let lines: Vec<(&str, &str)> = lines.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let answer = post(&held, body.as_bytes(), &lines).await;
        assert_eq!(answer.status, 202, "{lines:?}: {answer:?}");
    }
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(picture(&scene), before);
    assert!(scene.world.hook.attempts().is_empty());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_name_opens_callbacks_and_nothing_else() {
    let scene = Scene::new().await;
    scene.publish(&[("0", "Quiet", "x")]);
    scene.hub.behave(None, false);
    drop(scene.config("1h"));
    let public = format!("public_url = \"http://{}\"", scene.address);
    let toml = std::fs::read_to_string(scene.world.dir.path().join("watch.toml")).unwrap();
    let config = scene.world.config(&toml.replace(&public, "public_url = \"https://news.test/x\""));
    let app = scene.start(&config).await;
    let asked = scene.hub.wait_asked("subscribe", 1).await.remove(0);
    let (base, token) = asked.callback.rsplit_once('/').unwrap();
    assert_eq!(base, "https://news.test/x/push");
    for (path, host, expected) in [
        (format!("/push/{token}"), "news.test", 404),
        (format!("/push/{token}"), "127.0.0.1", 404),
        (format!("/push/{token}"), "evil.test", 421),
        ("/metrics".to_owned(), "news.test", 421),
        ("/healthz".to_owned(), "news.test", 421),
        ("/healthz".to_owned(), "127.0.0.1", 200),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let answer = super::hub::exchange(scene.address, request.as_bytes()).await;
        assert_eq!(answer.status, expected, "{path} by {host}");
    }
    let url = Url::parse(&format!("http://{}/push/{token}", scene.address)).unwrap();
    assert_eq!(get(&url).await.status, 404);
    app.stop().await;
}
