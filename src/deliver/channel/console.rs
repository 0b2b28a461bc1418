//! Alerts as blocks of text on standard output.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::deliver::message::Message;
use crate::deliver::template::{Marks, Renderer, TemplateError, TemplateKind};
use crate::deliver::{Channel, try_again};
use crate::model::{Delivery, Manners, Outcome, RetryPolicy};

/// What the console channel is built from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsoleOptions {
    /// The user's own template.
    pub template: Option<String>,
    /// Writes to standard error: standard output belongs to a command's JSON.
    pub stderr: bool,
}

/// Writes alerts to a terminal or pipe.
pub struct Console {
    renderer: Renderer,
    writer: Arc<Mutex<Box<dyn Write + Send>>>,
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").finish_non_exhaustive()
    }
}

impl Console {
    /// Writes to standard output, in colour if that is a terminal which wants it.
    ///
    /// # Errors
    ///
    /// When the template cannot be read.
    pub fn terminal(options: &ConsoleOptions) -> Result<Self, TemplateError> {
        let (choice, writer): (_, Box<dyn Write + Send>) = if options.stderr {
            (anstream::AutoStream::choice(&io::stderr()), Box::new(io::stderr()))
        } else {
            (anstream::AutoStream::choice(&io::stdout()), Box::new(io::stdout()))
        };
        Self::with_writer(options, writer, choice != anstream::ColorChoice::Never)
    }

    /// Writes elsewhere.
    ///
    /// # Errors
    ///
    /// When the template cannot be read.
    pub fn with_writer(
        options: &ConsoleOptions,
        writer: Box<dyn Write + Send>,
        colour: bool,
    ) -> Result<Self, TemplateError> {
        let marks = if colour { Marks::Ansi } else { Marks::Quotes };
        let mut renderer = Renderer::new(&[TemplateKind::Console], marks)?;
        if let Some(source) = &options.template {
            renderer.replace(TemplateKind::Console, source)?;
        }
        Ok(Self { renderer, writer: Arc::new(Mutex::new(writer)) })
    }

    async fn write(&self, delivery: &Delivery) -> Outcome {
        let message = Message::of(&delivery.content);
        let text = match self.renderer.render(TemplateKind::Console, &message) {
            Ok(text) => text,
            Err(error) => return try_again(format!("template: {error}")),
        };
        let writer = Arc::clone(&self.writer);
        // A pipe that nobody reads would block an executor thread.
        let written = tokio::task::spawn_blocking(move || write_block(&writer, &text)).await;
        match written {
            Ok(Ok(())) => Outcome::Sent("written".to_owned()),
            Ok(Err(error)) => try_again(format!("cannot write: {error}")),
            Err(_) => try_again("cannot write: stopping"),
        }
    }
}

fn write_block(writer: &Mutex<Box<dyn Write + Send>>, text: &str) -> io::Result<()> {
    // The lock guards no invariant that a panic could have broken.
    let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
    let block = format!("{}\n\n", text.trim_end());
    writer.write_all(block.as_bytes())?;
    writer.flush()
}

impl Channel for Console {
    fn kind(&self) -> &'static str {
        "console"
    }

    fn recipients(&self) -> Vec<String> {
        vec![String::new()]
    }

    fn manners(&self) -> Manners {
        Manners::in_order(RetryPolicy::Console)
    }

    fn send<'a>(&'a self, delivery: &'a Delivery, _now: Timestamp) -> BoxFuture<'a, Outcome> {
        Box::pin(self.write(delivery))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::tests::{alert, delivery};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    async fn written(template: Option<&str>, colour: bool, delivery: &Delivery) -> String {
        let shared = Shared::default();
        let options = ConsoleOptions { template: template.map(str::to_owned), stderr: false };
        let writer = Box::new(shared.clone());
        let console = Console::with_writer(&options, writer, colour).unwrap();
        let outcome = console.send(delivery, Timestamp::UNIX_EPOCH).await;
        assert_eq!(outcome, Outcome::Sent("written".to_owned()));
        String::from_utf8(shared.0.lock().unwrap().clone()).unwrap()
    }

    #[tokio::test]
    async fn an_alert_is_a_readable_block() {
        assert_eq!(
            written(None, false, &delivery("")).await,
            "Naval encounters (high)\n  «Patrol boats» face off near Serrano shoal\n  \
             Harbour Wire, Pacific Ledger and The Meridian Post\n    Two «patrol boats» came \
             within 40 metres of each other near the «shoal» on Tuesday, the coast guard said.\n  \
             https://harbour.example/serrano?a=1&b=2\n  published 2026-03-01 09:30 UTC\n\n"
        );
    }

    #[tokio::test]
    async fn the_least_an_alert_can_say_is_readable_too() {
        let mut delivery = delivery("");
        let content = alert(&mut delivery);
        content.severity = crate::model::Severity::Normal;
        content.outlets.clear();
        content.spans.clear();
        (content.url, content.published) = (None, None);
        assert_eq!(
            written(None, false, &delivery).await,
            "Naval encounters\n  Patrol boats face off near Serrano shoal\n  \
             seen 2026-03-01 10:00 UTC\n\n"
        );
    }

    #[tokio::test]
    async fn hits_stand_out_in_colour_on_a_terminal() {
        let text = written(None, true, &delivery("")).await;
        assert!(text.starts_with("\u{1b}[1mNaval encounters\u{1b}[0m"), "{text:?}");
        assert!(text.contains("Two \u{1b}[1m\u{1b}[33mpatrol boats\u{1b}[0m came"), "{text:?}");
    }

    #[tokio::test]
    async fn foreign_text_cannot_steer_the_terminal() {
        let mut delivery = delivery("");
        let content = alert(&mut delivery);
        content.title = "\u{1b}]0;owned\u{7}\u{1b}[2J\rnews\u{9b}31m".to_owned();
        content.outlets[0].name = "Evil\u{1b}[31m\nWire".to_owned();
        let text = written(None, false, &delivery).await;
        assert!(!text.contains(['\u{1b}', '\u{7}', '\r', '\u{9b}']), "{text:?}");
        assert!(text.contains("Evil [31m Wire"), "{text:?}");
    }

    #[tokio::test]
    async fn a_template_of_the_users_is_used() {
        let text = written(Some("{{ severity }}: {{ title }}"), false, &delivery("")).await;
        assert_eq!(text, "high: Patrol boats face off near Serrano shoal\n\n");
    }

    #[tokio::test]
    async fn a_closed_pipe_is_tried_again() {
        let options = ConsoleOptions::default();
        let console = Console::with_writer(&options, Box::new(Closed), false).unwrap();
        let outcome = console.send(&delivery(""), Timestamp::UNIX_EPOCH).await;
        assert_eq!(outcome, try_again("cannot write: broken pipe"));
    }
}
