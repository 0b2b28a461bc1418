//! Alerts as mail, one recipient to a transaction, so that one bad address
//! keeps no other from being told.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use lettre::Message as Mail;
use lettre::message::Mailbox;
use tokio::time::Instant;

use super::mail::{Parts, compose, mailbox};
use super::relay::{Relay, Taken};
use crate::deliver::message::Message;
use crate::deliver::template::{Marks, Renderer, TemplateKind, Templates};
use crate::deliver::{BuildError, Channel, try_again};
use crate::model::{Delivery, Manners, Outcome, RetryPolicy, Secret};

const KINDS: [TemplateKind; 3] =
    [TemplateKind::EmailSubject, TemplateKind::EmailText, TemplateKind::EmailHtml];

/// When the connection is encrypted. There is no "if the server likes".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// By the STARTTLS command, before anything else is said.
    #[default]
    StartTls,
    /// From the first byte.
    Implicit,
    /// Never: for a relay on this machine.
    None,
}

/// What an email channel is built from.
#[derive(Clone, Debug, PartialEq)]
pub struct EmailOptions {
    /// Sender, as `address` or `Name <address>`.
    pub from: String,
    /// Recipients, likewise.
    pub to: Vec<String>,
    /// The relay's name or address.
    pub host: String,
    /// The relay's port.
    pub port: u16,
    /// Encryption.
    pub tls: Tls,
    /// User to authenticate as.
    pub username: Option<String>,
    /// Password of that user.
    pub password: Option<Secret>,
    /// A PEM file with authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// The name we introduce ourselves with; the machine's own when unset.
    pub hello_name: Option<String>,
    /// Limit for one attempt up to the mail's last dot.
    pub timeout: Duration,
    /// Limit for the answer to that.
    pub accept_timeout: Duration,
    /// The user's own templates, of which `subject`, `text` and `html` are used.
    pub templates: Templates,
}

impl Default for EmailOptions {
    fn default() -> Self {
        Self {
            from: String::new(),
            to: Vec::new(),
            host: String::new(),
            port: 587,
            tls: Tls::default(),
            username: None,
            password: None,
            ca_file: None,
            hello_name: None,
            timeout: Duration::from_secs(60),
            accept_timeout: Duration::from_secs(300),
            templates: Templates::default(),
        }
    }
}

/// Sends alerts through one relay.
pub struct Email {
    from: Mailbox,
    to: Vec<Mailbox>,
    relay: Relay,
    timeout: Duration,
    accept_timeout: Duration,
    renderer: Renderer,
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Email").field("host", &self.relay.host).finish_non_exhaustive()
    }
}

impl Email {
    /// Checks addresses, reads templates and sets up TLS; nothing is sent.
    ///
    /// # Errors
    ///
    /// When an option cannot be used.
    pub fn new(options: &EmailOptions) -> Result<Self, BuildError> {
        let mut renderer = Renderer::new(&KINDS, Marks::Quotes)?;
        let templates = &options.templates;
        let own = [&templates.subject, &templates.text, &templates.html];
        for (kind, source) in KINDS.into_iter().zip(own) {
            if let Some(source) = source {
                renderer.replace(kind, source)?;
            }
        }
        let to: Result<Vec<Mailbox>, _> = options.to.iter().map(|to| mailbox("to", to)).collect();
        Ok(Self {
            from: mailbox("from", &options.from)?,
            to: to?,
            relay: Relay::new(options)?,
            timeout: options.timeout,
            accept_timeout: options.accept_timeout,
            renderer,
        })
    }

    async fn attempt(&self, delivery: &Delivery, now: Timestamp) -> Outcome {
        let same = |to: &&Mailbox| {
            AsRef::<str>::as_ref(&to.email).eq_ignore_ascii_case(&delivery.recipient)
        };
        let Some(to) = self.to.iter().find(same) else {
            return Outcome::GiveUp("no longer a recipient of this channel".to_owned());
        };
        self.in_some_size(delivery, to, now).await
    }

    /// Sends as much as the relay takes: all of it; then its text alone; then
    /// ever shorter texts.
    async fn in_some_size(&self, delivery: &Delivery, to: &Mailbox, now: Timestamp) -> Outcome {
        let end = Instant::now() + self.timeout;
        let whole = Message::of(&delivery.content);
        let mut limit = usize::MAX;
        let mut last = String::new();
        let alone = (0..).map_while(|step| whole.shortened(step)).map(|message| (message, false));
        for (message, html) in std::iter::once((whole.clone(), true)).chain(alone) {
            let mail = match self.mail(delivery, &message, (to, now, html)) {
                Ok(mail) => mail,
                Err(reason) => return try_again(reason),
            };
            let size = mail.formatted().len();
            if size > limit {
                continue;
            }
            match self.relay.take(&mail, end, self.accept_timeout).await {
                Taken::Outcome(outcome) => return outcome,
                Taken::TooLarge(announced, words) => {
                    // What it takes without a word of it: something smaller.
                    limit = announced.unwrap_or(size - 1);
                    last = words;
                }
            }
        }
        Outcome::GiveUp(last)
    }

    fn mail(
        &self,
        delivery: &Delivery,
        message: &Message,
        (to, date, html): (&Mailbox, Timestamp, bool),
    ) -> Result<Mail, String> {
        let render = |kind| {
            self.renderer.render(kind, message).map_err(|error| format!("template: {error}"))
        };
        let html = if html { Some(render(TemplateKind::EmailHtml)?) } else { None };
        let parts = Parts {
            from: &self.from,
            to,
            date,
            delivery: delivery.id.as_str(),
            story: &message.story,
            rule: &message.rule,
            subject: &render(TemplateKind::EmailSubject)?,
            text: render(TemplateKind::EmailText)?,
            html,
        };
        compose(parts).map_err(|error| format!("cannot compose: {error}"))
    }
}

impl Channel for Email {
    fn kind(&self) -> &'static str {
        "email"
    }

    fn recipients(&self) -> Vec<String> {
        self.to.iter().map(|to| to.email.to_string()).collect()
    }

    fn manners(&self) -> Manners {
        // A mail server takes several at once, and mail has no order to keep.
        Manners { retry: RetryPolicy::Email, at_once: 4 }
    }

    fn probe(&self) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(self.relay.probe(self.timeout))
    }

    fn send<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> BoxFuture<'a, Outcome> {
        Box::pin(self.attempt(delivery, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::tests::delivery;
    use mail_parser::MessageParser;
    use std::sync::{Arc, Mutex};
    use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader as Lines};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    /// What a scripted relay says in place of its usual reply; an empty text
    /// closes the connection, "-" keeps silent.
    #[derive(Clone, Default)]
    struct Script {
        faults: Vec<(&'static str, &'static str)>,
        capabilities: &'static str,
        acceptor: Option<TlsAcceptor>,
        /// Before the answer to a mail.
        scan: Duration,
        heard: Arc<Mutex<Vec<String>>>,
    }

    impl Script {
        fn fault(stage: &'static str, reply: &'static str) -> Self {
            Self { faults: vec![(stage, reply)], ..Self::default() }
        }

        fn heard(&self) -> String {
            self.heard.lock().unwrap().join("\n")
        }

        fn reply(&self, stage: &str, usual: &str) -> String {
            let fault = self.faults.iter().find(|(at, _)| *at == stage);
            fault.map_or(usual, |(_, reply)| reply).replace('\n', "\r\n")
        }
    }

    /// Writes a reply; `None` when the connection is to end.
    async fn say<S: AsyncWrite + Unpin>(stream: &mut S, reply: &str) -> Option<()> {
        match reply {
            "" => return None,
            "-" => std::future::pending::<()>().await,
            _ => {}
        }
        // In Latin-1, as some servers speak.
        let bytes: Vec<u8> = format!("{reply}\r\n").chars().map(|c| c as u8).collect();
        stream.write_all(&bytes).await.ok()
    }

    /// Speaks with a client; true when it asked for TLS.
    async fn speak<S>(stream: &mut Lines<S>, script: &Script, tls: bool) -> Option<bool>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
            script.heard.lock().unwrap().push(line.trim_end().to_owned());
            let verb = line.split_whitespace().next().unwrap_or("").to_uppercase();
            let starttls = if script.acceptor.is_some() && !tls { "250-STARTTLS\n" } else { "" };
            let hello = format!("250-relay.test\n{starttls}{}250 HELP", script.capabilities);
            let usual = match verb.as_str() {
                "EHLO" => hello.as_str(),
                "STARTTLS" => "220 go",
                "AUTH" => "235 welcome",
                "DATA" => "354 go",
                "QUIT" => "221 bye",
                _ => "250 fine",
            };
            let reply = script.reply(&verb, usual);
            say(stream, &reply).await?;
            if verb == "STARTTLS" && reply.starts_with("220") {
                return Some(true);
            }
            if verb == "DATA" && reply.starts_with("354") {
                hear_message(stream, script).await?;
                tokio::time::sleep(script.scan).await;
                say(stream, &script.reply("DOT", "250 2.0.0 kept as 17")).await?;
            }
        }
    }

    async fn hear_message<S: AsyncRead + Unpin>(
        stream: &mut Lines<S>,
        script: &Script,
    ) -> Option<()> {
        let mut message = String::new();
        while !message.ends_with("\r\n.\r\n") {
            stream.read_line(&mut message).await.ok().filter(|read| *read > 0)?;
        }
        script.heard.lock().unwrap().push(message);
        Some(())
    }

    /// Serves one connection.
    async fn serve(listener: TcpListener, script: Script, implicit: bool) -> Option<()> {
        let (stream, _) = listener.accept().await.ok()?;
        let greeting = script.reply("CONNECT", "220 relay.test");
        let mut stream = Lines::new(stream);
        if !implicit {
            say(&mut stream, &greeting).await?;
            speak(&mut stream, &script, false).await?;
        }
        let acceptor = script.acceptor.clone()?;
        let mut stream = Lines::new(acceptor.accept(stream.into_inner()).await.ok()?);
        if implicit {
            say(&mut stream, &greeting).await?;
        }
        speak(&mut stream, &script, true).await.map(|_| ())
    }

    fn options(port: u16) -> EmailOptions {
        EmailOptions {
            from: "Wire <wirewatch@example.org>".to_owned(),
            to: vec!["Desk <desk@example.org>".to_owned(), "ops@example.org".to_owned()],
            host: "127.0.0.1".to_owned(),
            port,
            tls: Tls::None,
            timeout: Duration::from_secs(5),
            ..EmailOptions::default()
        }
    }

    async fn send(change: impl FnOnce(&mut EmailOptions), script: &Script) -> Outcome {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut options = options(listener.local_addr().unwrap().port());
        change(&mut options);
        let implicit = options.tls == Tls::Implicit;
        let email = Email::new(&options).unwrap();
        let delivery = delivery("desk@example.org");
        let server = async {
            serve(listener, script.clone(), implicit).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            outcome = email.send(&delivery, NOW) => outcome,
            () = server => unreachable!(),
        }
    }

    fn login(options: &mut EmailOptions) {
        options.username = Some("wirewatch".to_owned());
        options.password = Some(Secret::new("hunter2"));
    }

    /// A certificate for `name` that vouches for itself, and its PEM file.
    fn certificate_for(name: &str) -> (TlsAcceptor, tempfile::NamedTempFile) {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), made.cert.pem()).unwrap();
        (TlsAcceptor::from(Arc::new(config)), file)
    }

    #[tokio::test]
    async fn a_mail_goes_to_one_recipient_and_says_it_all_twice() {
        let script = Script::default();
        let outcome = send(|_| {}, &script).await;
        assert_eq!(outcome, Outcome::Sent("250 2.0.0 kept as 17".to_owned()));
        let heard = script.heard();
        assert!(heard.contains("MAIL FROM:<wirewatch@example.org>\n"), "{heard}");
        assert_eq!(heard.matches("RCPT TO:").count(), 1, "{heard}");
        assert!(heard.contains("RCPT TO:<desk@example.org>\n"), "{heard}");
        let at = heard.find("DATA\n").unwrap() + 5;
        let mail = MessageParser::default().parse(&heard.as_bytes()[at..]).unwrap();
        assert_eq!(
            mail.subject(),
            Some("[high] Naval encounters: Patrol boats face off near Serrano shoal")
        );
        assert_eq!(mail.message_id(), Some("d0123456789abcdef0123456789abcdef@example.org"));
        assert_eq!(mail.in_reply_to().as_text(), Some("s0123456789abcdef@example.org"));
        let text = mail.body_text(0).unwrap().replace("\r\n", "\n");
        assert_eq!(text.trim_end(), TEXT, "{text}");
        let html = mail.body_html(0).unwrap();
        for part in [
            "<a href=\"https:&#x2f;&#x2f;harbour.example&#x2f;serrano?a=1&amp;b=2\">",
            "Two <mark>patrol boats</mark> came within",
            "The Meridian Post",
            "Rule: Naval encounters (naval-encounter, high)",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    const TEXT: &str = "\
Patrol boats face off near Serrano shoal

https://harbour.example/serrano?a=1&b=2

Two «patrol boats» came within 40 metres of each other near the «shoal» on Tuesday, the coast \
guard said.

Carried by
- Harbour Wire, 2026-03-01 09:30 UTC
  https://harbour.example/serrano?a=1&b=2
- Pacific Ledger, 2026-03-01 09:30 UTC
  https://ledger.example/7
- The Meridian Post

Rule: Naval encounters (naval-encounter, high)
Matched: Patrol boats, patrol boats, shoal
Published: 2026-03-01 09:30 UTC
Alert raised: 2026-03-01 10:00 UTC
Alert a0123456789abcdef, story s0123456789abcdef";

    #[tokio::test]
    async fn each_stage_may_fail_in_each_way() {
        let check = async |stage: &'static str, reply: &'static str, gives_up: bool| {
            let script = Script { capabilities: "250-AUTH PLAIN\n", ..Script::fault(stage, reply) };
            let outcome = send(login, &script).await;
            let matches = match &outcome {
                Outcome::GiveUp(_) => gives_up,
                Outcome::TryAgain { not_before: None, .. } => !gives_up,
                // A refused login is no business of this mail alone.
                Outcome::Unknown(_) => stage == "AUTH" && reply.starts_with('5'),
                _ => false,
            };
            assert!(matches, "{stage} {reply:?}: {outcome:?}");
        };
        for stage in ["CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "DOT"] {
            let in_transaction = matches!(stage, "MAIL" | "RCPT" | "DATA" | "DOT");
            check(stage, "550 no", in_transaction).await;
            check(stage, "451 later", false).await;
            check(stage, "421 closing", false).await;
            check(stage, "", false).await;
            check(stage, "garbage", false).await;
        }
        check("AUTH", "535 wrong password", false).await;
        check("MAIL", "530 log in first", false).await;
        check("RCPT", "550-many\n550 lines", true).await;
    }

    #[tokio::test]
    async fn a_silent_relay_is_given_up_in_time() {
        let brief = |options: &mut EmailOptions| {
            options.timeout = Duration::from_millis(100);
            options.accept_timeout = Duration::from_millis(100);
        };
        for stage in ["CONNECT", "EHLO", "RCPT", "DOT"] {
            let outcome = send(brief, &Script::fault(stage, "-")).await;
            assert_eq!(outcome, try_again("timed out"), "{stage}");
        }
    }

    #[tokio::test]
    async fn a_relay_that_scans_for_long_is_waited_for() {
        // What it says before it has the mail is no answer to it.
        let outcome = send(|_| {}, &Script::fault("DATA", "354 go\n250 kept")).await;
        assert!(matches!(outcome, Outcome::TryAgain { .. }), "{outcome:?}");
        let patient = |options: &mut EmailOptions| options.timeout = Duration::from_secs(1);
        let script = Script { scan: Duration::from_millis(1_500), ..Script::default() };
        let outcome = send(patient, &script).await;
        assert!(matches!(outcome, Outcome::Sent(_)), "{outcome:?}");
    }

    #[tokio::test]
    async fn an_accepted_mail_is_sent_though_the_relay_does_not_say_goodbye() {
        let outcome = send(|_| {}, &Script::fault("QUIT", "")).await;
        assert_eq!(outcome, Outcome::Sent("250 2.0.0 kept as 17".to_owned()));
    }

    #[tokio::test]
    async fn a_refusal_stands_though_the_relay_does_not_say_goodbye() {
        for stage in ["MAIL", "RCPT", "DATA", "DOT"] {
            let faults = vec![(stage, "550 5.1.1 no"), ("QUIT", "-")];
            let outcome = send(|_| {}, &Script { faults, ..Script::default() }).await;
            assert!(matches!(outcome, Outcome::GiveUp(_)), "{stage}: {outcome:?}");
        }
    }

    #[tokio::test]
    async fn a_reply_may_be_in_any_encoding_or_none() {
        let long = "x".repeat(5_000);
        for reply in ["250 re\u{e7}u", "250", "250-\n250 \u{ff}", &format!("250 {long}")] {
            let script =
                Script { faults: vec![("DOT", Box::leak(reply.into()))], ..Script::default() };
            let outcome = send(|_| {}, &script).await;
            assert!(matches!(outcome, Outcome::Sent(_)), "{outcome:?}");
        }
        let (acceptor, ca) = certificate_for("127.0.0.1");
        let script = Script { acceptor: Some(acceptor), ..Script::fault("DOT", "250 re\u{e7}u") };
        let encrypted = |options: &mut EmailOptions| {
            options.tls = Tls::StartTls;
            options.ca_file = Some(ca.path().to_owned());
        };
        assert!(matches!(send(encrypted, &script).await, Outcome::Sent(_)));
        let outcome =
            send(|_| {}, &Script::fault("RCPT", "550 inconnu \u{e0} cette adresse")).await;
        assert_eq!(outcome, Outcome::GiveUp("550 inconnu \u{fffd} cette adresse".to_owned()));
    }

    #[tokio::test]
    async fn a_refused_password_is_told_and_not_tried_again_at_once() {
        let words = vec![
            ("AUTH", "334 VXNlcm5hbWU6"),
            ("D2LYZXDHDGNO", "334 UGFzc3dvcmQ6"),
            ("AHVUDGVYMG==", "535 5.7.8 wrong"),
            ("QUIT", "-"),
        ];
        let script =
            Script { faults: words, capabilities: "250-AUTH LOGIN\n", ..Script::default() };
        let outcome = send(login, &script).await;
        assert_eq!(outcome, Outcome::Unknown("AUTH: 535 5.7.8 wrong".to_owned()));
    }

    #[tokio::test]
    async fn a_password_that_the_server_repeats_is_not_kept() {
        let reply = "535 5.7.8 AHdpcmV3YXRjaABodW50ZXIy aHVudGVyMg== hunter2 is wrong";
        let faults = vec![("AUTH", reply)];
        let script = Script { faults, capabilities: "250-AUTH PLAIN\n", ..Script::default() };
        let said = "AUTH: 535 5.7.8 [secret] [secret] [secret] is wrong".to_owned();
        assert_eq!(send(login, &script).await, Outcome::Unknown(said));
    }

    /// How often the relay heard a mail begin, and the last mail it heard.
    async fn tries(script: &Script) -> (Outcome, usize, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let email = Email::new(&options(listener.local_addr().unwrap().port())).unwrap();
        let server = async {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let mut stream = Lines::new(stream);
                say(&mut stream, "220 relay.test").await;
                speak(&mut stream, script, false).await;
            }
        };
        let delivery = delivery("desk@example.org");
        let outcome = tokio::select! {
            outcome = email.send(&delivery, NOW) => outcome,
            () = server => unreachable!(),
        };
        let heard = script.heard.lock().unwrap();
        let begun = heard.iter().filter(|line| line.starts_with("MAIL ")).count();
        let last = heard.iter().rfind(|line| line.ends_with("\r\n.\r\n"));
        (outcome, begun, last.cloned().unwrap_or_default())
    }

    #[tokio::test]
    async fn a_mail_too_large_for_the_relay_says_less() {
        // Its text alone is what fits: the size was announced, so one try it is.
        let small = Script { capabilities: "250-SIZE 2600\n", ..Script::default() };
        let (outcome, begun, mail) = tries(&small).await;
        assert!(matches!(outcome, Outcome::Sent(_)), "{outcome:?}");
        assert_eq!(begun, 1);
        assert!(small.heard().contains(" SIZE="));
        assert!(!mail.contains("text/html") && mail.contains("https://harbour.example"), "{mail}");
        assert!(mail.len() <= 2_600, "{}", mail.len());
        // It says so only afterwards, of every mail: what could be left out was.
        for refusal in ["552 5.3.4 too large", "554 5.3.4 too large"] {
            let (outcome, begun, mail) = tries(&Script::fault("DOT", refusal)).await;
            assert_eq!(outcome, Outcome::GiveUp(refusal.to_owned()));
            assert!(begun > 2 && mail.contains("https://harbour.example"), "{begun}: {mail}");
        }
        // A full mailbox is none the emptier for it.
        let (outcome, begun, _) = tries(&Script::fault("DOT", "552 5.2.2 full")).await;
        assert_eq!((outcome, begun), (Outcome::GiveUp("552 5.2.2 full".to_owned()), 1));
    }

    #[tokio::test]
    async fn a_relay_that_wants_a_login_keeps_the_alert_waiting() {
        let denied = "554 5.7.1 <desk@example.org>: Recipient address rejected: Access denied";
        let outcome = send(|_| {}, &Script::fault("RCPT", denied)).await;
        assert!(matches!(outcome, Outcome::TryAgain { .. }), "{outcome:?}");
        // After a login, or of the message itself, it is a verdict.
        let script = Script {
            faults: vec![("RCPT", denied)],
            capabilities: "250-AUTH PLAIN\n",
            ..Script::default()
        };
        let outcome = send(login, &script).await;
        assert!(matches!(outcome, Outcome::GiveUp(_)), "{outcome:?}");
        let outcome = send(|_| {}, &Script::fault("DOT", "554 5.7.1 spam")).await;
        assert!(matches!(outcome, Outcome::GiveUp(_)), "{outcome:?}");
    }

    #[tokio::test]
    async fn a_stray_reply_is_not_taken_for_the_proof() {
        for (stage, reply) in [("DATA", "250 2.0.0 yes"), ("DOT", "354 go on")] {
            let outcome = send(|_| {}, &Script::fault(stage, reply)).await;
            assert!(matches!(outcome, Outcome::TryAgain { .. }), "{stage}: {outcome:?}");
        }
    }

    #[tokio::test]
    async fn mail_and_password_go_only_through_tls() {
        let (acceptor, ca) = certificate_for("127.0.0.1");
        let script = || Script {
            capabilities: "250-AUTH PLAIN\n",
            acceptor: Some(acceptor.clone()),
            ..Script::default()
        };
        for tls in [Tls::StartTls, Tls::Implicit] {
            let trusting = |options: &mut EmailOptions| {
                login(options);
                options.tls = tls;
                options.ca_file = Some(ca.path().to_owned());
            };
            let good = script();
            let outcome = send(trusting, &good).await;
            assert_eq!(outcome, Outcome::Sent("250 2.0.0 kept as 17".to_owned()), "{tls:?}");
            assert!(good.heard().contains("AUTH PLAIN"), "{tls:?}");

            let distrusting = |options: &mut EmailOptions| {
                login(options);
                options.tls = tls;
            };
            let unknown = script();
            let outcome = send(distrusting, &unknown).await;
            assert!(matches!(outcome, Outcome::TryAgain { .. }), "{tls:?}: {outcome:?}");
            assert!(!unknown.heard().contains("AUTH"), "{tls:?}");

            let (other, other_ca) = certificate_for("other.test");
            let misnamed = Script { acceptor: Some(other), ..script() };
            let outcome = send(
                |options| {
                    trusting(options);
                    options.ca_file = Some(other_ca.path().to_owned());
                },
                &misnamed,
            )
            .await;
            assert!(matches!(outcome, Outcome::TryAgain { .. }), "{tls:?}: {outcome:?}");
            assert!(!misnamed.heard().contains("AUTH"), "{tls:?}");
        }
    }

    #[tokio::test]
    async fn a_relay_that_does_not_offer_starttls_hears_nothing() {
        let script = Script { capabilities: "250-AUTH PLAIN\n", ..Script::default() };
        let outcome = send(
            |options| {
                login(options);
                options.tls = Tls::StartTls;
            },
            &script,
        )
        .await;
        assert!(matches!(outcome, Outcome::TryAgain { .. }), "{outcome:?}");
        assert!(!script.heard().contains("AUTH") && !script.heard().contains("MAIL"));
    }

    #[tokio::test]
    async fn replies_injected_before_tls_are_not_believed() {
        let (acceptor, ca) = certificate_for("127.0.0.1");
        let injected = "220 go\n250-relay.test\n250 AUTH PLAIN";
        let script = Script { acceptor: Some(acceptor), ..Script::fault("STARTTLS", injected) };
        let outcome = send(
            |options| {
                options.tls = Tls::StartTls;
                options.ca_file = Some(ca.path().to_owned());
            },
            &script,
        )
        .await;
        let Outcome::TryAgain { reason, .. } = outcome else { panic!("{outcome:?}") };
        assert!(reason.starts_with("STARTTLS: "), "{reason}");
        assert!(!script.heard().contains("MAIL"));
    }

    #[tokio::test]
    async fn who_was_taken_off_the_list_gets_nothing() {
        let email = Email::new(&options(9)).unwrap();
        let outcome = email.send(&delivery("former@example.org"), NOW).await;
        assert!(matches!(outcome, Outcome::GiveUp(_)), "{outcome:?}");
    }

    #[tokio::test]
    async fn unsafe_options_are_refused() {
        let refused = |change: fn(&mut EmailOptions)| {
            let mut options = options(25);
            change(&mut options);
            Email::new(&options).is_err()
        };
        assert!(!refused(|_| {}));
        assert!(!refused(|o| o.host = "localhost".to_owned()));
        assert!(!refused(|o| o.host = "[::1]".to_owned()));
        assert!(refused(|o| o.host = "smtp.example.org".to_owned()));
        assert!(refused(|o| o.username = Some("u".to_owned())));
        assert!(refused(|o| o.from = "nobody".to_owned()));
        assert!(refused(|o| o.to.push("a b".to_owned())));
        assert!(refused(|o| o.hello_name = Some("a\r\nMAIL".to_owned())));
        assert!(refused(|o| o.templates.html = Some("{% if".to_owned())));
        assert!(refused(|o| {
            o.tls = Tls::StartTls;
            o.ca_file = Some("/nonexistent/ca.pem".into());
        }));
    }
}
