//! Mail over real SMTP: TLS, AUTH, one recipient a transaction.

use jiff::SignedDuration;
use mail_parser::MessageParser;

use crate::support::smtp::{SmtpSink, Stage, Tls};
use crate::support::tls::TestCa;
use crate::world::{World, rss};

struct Mail {
    world: World,
    sink: SmtpSink,
    toml: String,
}

/// A world whose rule tells two people by mail.
async fn mail(tls: Tls, trusted: bool) -> Mail {
    let world = World::new().await;
    let ca = TestCa::new();
    ca.write_ca(world.dir.path());
    world.secret("smtp-password", "correct horse\n");
    world.feeds.serve(
        "/a",
        "text/xml",
        rss(&[("1", "A marker &amp; more", "Long text. The marker.")]),
    );
    let word = if matches!(tls, Tls::Implicit) { "implicit" } else { "starttls" };
    let sink = SmtpSink::builder()
        .tls(tls, ca.acceptor())
        .auth("wirewatch", "correct horse")
        .start()
        .await;
    let trust = if trusted { "ca_file = \"ca.pem\"\n" } else { "" };
    let channel = format!(
        "{}[channel.desk.email]\nfrom = \"Watch <watch@example.org>\"\n\
         to = [\"one@example.org\", \"two@example.org\"]\nsmtp = \"localhost:{}\"\n\
         tls = \"{word}\"\nusername = \"wirewatch\"\npassword_file = \"smtp-password\"\n{trust}",
        world.feed("a"),
        sink.port()
    );
    let toml = world.toml(&channel).replace("[\"hook\"]", "[\"desk\"]");
    Mail { world, sink, toml }
}

#[tokio::test]
async fn starttls_and_implicit_tls_deliver_to_each_recipient_apart() {
    for tls in [Tls::StartTls, Tls::Implicit] {
        let mail = mail(tls, true).await;
        let report = mail.world.once(&mail.world.config(&mail.toml)).await;
        assert_eq!(report.drained.sent, 2);
        let messages = mail.sink.wait_for(2).await;
        for message in &messages {
            assert_eq!(message.rcpt_to.len(), 1);
            assert!(message.tls && message.authenticated_as.as_deref() == Some("wirewatch"));
        }
        let parsed = MessageParser::default().parse(&messages[0].data).unwrap();
        assert!(parsed.subject().unwrap().contains("A marker & more"));
        assert!(parsed.message_id().unwrap().ends_with("@example.org"));
        assert_eq!((parsed.text_body_count(), parsed.html_body_count()), (1, 1));
        assert!(!mail.sink.credentials_sent_in_clear());
    }
}

#[tokio::test]
async fn a_server_nobody_vouches_for_gets_neither_password_nor_message() {
    let mail = mail(Tls::StartTls, false).await;
    let report = mail.world.once(&mail.world.config(&mail.toml)).await;
    assert_eq!((report.drained.sent, report.drained.waiting), (0, 2));
    assert!(mail.sink.messages().is_empty());
    assert!(!mail.sink.commands().iter().any(|command| command.starts_with("AUTH")));
}

#[tokio::test]
async fn one_refused_recipient_does_not_cost_the_other_his_mail() {
    let mail = mail(Tls::StartTls, true).await;
    mail.sink.refuse("one@example.org", "550 no such user");
    let report = mail.world.once(&mail.world.config(&mail.toml)).await;
    assert_eq!((report.drained.sent, report.drained.failed), (1, 1));
    assert_eq!(mail.sink.wait_for(1).await[0].rcpt_to, ["two@example.org"]);
}

#[tokio::test]
async fn a_busy_server_is_asked_again_with_the_same_message_id() {
    let mail = mail(Tls::StartTls, true).await;
    let toml = mail.toml.replace(", \"two@example.org\"", "");
    mail.sink.script(Stage::Dot, vec!["451 try later".into()]);
    let config = mail.world.config(&toml);
    assert_eq!(mail.world.once(&config).await.drained.waiting, 1);
    mail.world.wait(SignedDuration::from_mins(2));
    assert_eq!(mail.world.once(&config).await.drained.sent, 1);
    let ids: Vec<_> = mail
        .sink
        .messages()
        .iter()
        .map(|message| {
            let parsed = MessageParser::default().parse(&message.data).unwrap();
            parsed.message_id().unwrap().to_string()
        })
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[tokio::test]
async fn news_of_a_story_are_mails_in_the_thread_of_its_alert() {
    let mail = mail(Tls::StartTls, true).await;
    let toml = mail.toml.replace("[rule.marked]\n", "[rule.marked]\non_update = 'material'\n");
    let show = |title: &str| {
        mail.world.feeds.serve("/a", "text/xml", rss(&[("1", title, "The marker.")]));
    };
    show("Ferry with marker sinks, 7 people dead");
    assert_eq!(mail.world.once(&mail.world.config(&toml)).await.drained.sent, 2);
    show("Ferry with marker sinks, 19 people dead");
    assert_eq!(mail.world.once(&mail.world.config(&toml)).await.drained.sent, 2);
    let messages = mail.sink.messages();
    let parsed: Vec<_> =
        messages.iter().map(|m| MessageParser::default().parse(&m.data).unwrap()).collect();
    let mine: Vec<_> = parsed
        .iter()
        .filter(|m| m.to().unwrap().first().unwrap().address() == Some("one@example.org"))
        .collect();
    assert_eq!(mine.len(), 2);
    assert_ne!(mine[0].message_id(), mine[1].message_id());
    let thread = |at: usize| mine[at].references().as_text_list().unwrap()[0].to_string();
    assert_eq!(thread(0), thread(1), "readers show them as one thread");
    let subject = mine[1].subject().unwrap();
    assert!(subject.contains("update, a number changed: 7 → 19"), "{subject}");
    let text = mine[1].body_text(0).unwrap();
    assert!(text.starts_with("Update: a number changed: 7 → 19"), "{text}");
    assert!(text.contains("Ferry with marker sinks, 19 people dead"), "{text}");
    assert!(text.contains("You were told of this story before"), "{text}");
}

#[tokio::test]
async fn a_wrong_password_keeps_the_alert_waiting_for_the_right_one() {
    let mail = mail(Tls::StartTls, true).await;
    mail.world.secret("smtp-password", "wrong");
    let report = mail.world.once(&mail.world.config(&mail.toml)).await;
    assert_eq!(report.drained.waiting, 2);
    mail.world.secret("smtp-password", "correct horse");
    mail.world.wait(SignedDuration::from_mins(2));
    assert_eq!(mail.world.once(&mail.world.config(&mail.toml)).await.drained.sent, 2);
}

#[tokio::test]
async fn a_refused_password_is_not_tried_by_each_mail_that_waits() {
    let mail = mail(Tls::StartTls, true).await;
    let stories =
        ["Ferry sinks near Puerto Alba", "Olive harvest halved", "Rocket launch scrubbed"];
    let items: Vec<_> = stories.iter().map(|title| (&title[..5], *title, "a marker")).collect();
    mail.world.feeds.serve("/a", "text/xml", rss(&items));
    mail.world.secret("smtp-password", "wrong horse\n");
    // Four are sent at once; of six mails two are not.
    let config = mail.world.config(&mail.toml);
    assert_eq!(mail.world.once(&config).await.drained.waiting, 4);
    let store = wirewatch::store::Store::attach(&config.store).unwrap();
    let (channel, pause) = store.pauses(mail.world.clock.now()).await.unwrap().remove(0);
    assert_eq!(channel.as_str(), "desk");
    assert!(pause.until_start && pause.reason.starts_with("AUTH: 5"), "{pause:?}");
    // Mended and begun anew: nothing to wait for but each mail's own time.
    mail.world.secret("smtp-password", "correct horse\n");
    mail.world.wait(SignedDuration::from_mins(1));
    assert_eq!(mail.world.once(&mail.world.config(&mail.toml)).await.drained.sent, 6);
}
