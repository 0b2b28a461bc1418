//! A cloud (rssCloud) that does as it is told: it tests an address with a
//! challenge before it answers, forgets after 25 hours, and says no with status
//! 200.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use tokio::runtime::Handle;
use url::Url;
use wirewatch::model::Clock;

use super::hub::{Answer, address, exchange, get};
use super::support::Changes;
use super::support::http::{FeedServer, Reply, Request, handler};

/// The cloud forgets who does not ask again for so long.
const KEPT: SignedDuration = SignedDuration::from_hours(25);

/// How the cloud tests an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// As it should.
    Honest,
    /// For another feed than it was asked for.
    OtherFeed,
    /// Not at all, but it says yes, and pings.
    Never,
    /// With a ping of the feed instead of a challenge.
    Ping,
    /// With a ping of another feed.
    OtherPing,
    /// Not at all, and it says no.
    Refused,
}

/// An address that the cloud tells of a feed's news.
#[derive(Clone, Debug)]
pub struct Listener {
    pub callback: Url,
    pub feed: String,
    until: Timestamp,
}

pub struct Cloud {
    pub server: FeedServer,
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    test: Mutex<Test>,
    /// The forms that came.
    asked: Mutex<Vec<BTreeMap<String, String>>>,
    /// What the addresses answered to the challenge.
    tested: Mutex<Vec<Answer>>,
    listeners: Mutex<Vec<Listener>>,
    changes: Changes,
}

impl Cloud {
    pub async fn start(clock: Clock) -> Self {
        let shared = Arc::new(Shared {
            clock,
            test: Mutex::new(Test::Honest),
            asked: Mutex::default(),
            tested: Mutex::default(),
            listeners: Mutex::default(),
            changes: Changes::default(),
        });
        let server = FeedServer::start().await;
        let for_requests = shared.clone();
        server.route("/pleaseNotify", handler(move |request| for_requests.take(request)));
        Self { server, shared }
    }

    /// The element by which a feed names it.
    pub fn element(&self) -> String {
        let address = self.server.addr();
        format!(
            "<cloud domain=\"{}\" port=\"{}\" path=\"/pleaseNotify\" registerProcedure=\"\" \
             protocol=\"http-post\"/>",
            address.ip(),
            address.port()
        )
    }

    pub fn behave(&self, test: Test) {
        *self.shared.test.lock().unwrap() = test;
    }

    pub fn asked(&self) -> Vec<BTreeMap<String, String>> {
        self.shared.asked.lock().unwrap().clone()
    }

    pub fn tested(&self) -> Vec<Answer> {
        self.shared.tested.lock().unwrap().clone()
    }

    /// Those that the cloud has not forgotten.
    pub fn listeners(&self) -> Vec<Listener> {
        let now = self.shared.clock.now();
        let listeners = self.shared.listeners.lock().unwrap();
        listeners.iter().filter(|one| one.until > now).cloned().collect()
    }

    pub async fn wait_asked(&self, n: usize) -> BTreeMap<String, String> {
        let look = || Some(self.asked()).filter(|asked| asked.len() >= n);
        let missing = || format!("asked {n} times: {:?}", self.asked());
        self.shared.changes.wait(look, missing).await.pop().unwrap()
    }

    /// Waits until the n-th address was told that it is known, and returns it.
    pub async fn wait_known(&self, n: usize) -> Listener {
        let all = || self.shared.listeners.lock().unwrap().clone();
        let look = || Some(all()).filter(|known| known.len() >= n);
        let missing = || format!("{n} known: {:?}, asked: {:?}", all(), self.asked());
        self.shared.changes.wait(look, missing).await.pop().unwrap()
    }

    /// Says to all listeners that a feed has changed.
    pub async fn ping(&self, feed: &str) -> Vec<u16> {
        let mut answers = Vec::new();
        for one in self.listeners().iter().filter(|one| one.feed == feed) {
            answers.push(ping(&one.callback, feed).await.status);
        }
        answers
    }
}

impl Shared {
    fn take(&self, request: &Request) -> Reply {
        let form: BTreeMap<String, String> =
            url::form_urlencoded::parse(&request.body).into_owned().collect();
        let is_form = request.header("Content-Type") == Some("application/x-www-form-urlencoded");
        if request.method != "POST" || !is_form {
            return Reply::status(404);
        }
        self.asked.lock().unwrap().push(form.clone());
        self.changes.announce();
        let test = *self.test.lock().unwrap();
        let said = match self.listener(&form) {
            Err(why) => Err(why),
            Ok(_) if test == Test::Refused => Err("The feed cannot be read.".to_owned()),
            Ok(listener) if test == Test::Never => {
                self.keep(listener);
                Ok(())
            }
            Ok(listener) => self.try_it(listener, test),
        };
        let (success, words) = match said {
            Ok(()) => (true, "Thanks for asking. Ask again in 24 hours.".to_owned()),
            Err(why) => (false, why),
        };
        let body = format!("<notifyResult success=\"{success}\" msg=\"{words}\"/>");
        Reply::ok(body).header("Content-Type", "text/xml")
    }

    fn listener(&self, form: &BTreeMap<String, String>) -> Result<Listener, String> {
        let field = |name: &str| form.get(name).cloned().ok_or(format!("{name} is missing"));
        let (port, protocol) = (field("port")?, field("protocol")?);
        if !["http-post", "https-post"].contains(&&*protocol) {
            return Err(format!("the protocol {protocol} is not known"));
        }
        let scheme = if protocol == "https-post" || port == "443" { "https" } else { "http" };
        let address = format!("{scheme}://{}:{port}{}", field("domain")?, field("path")?);
        let callback = Url::parse(&address).map_err(|error| error.to_string())?;
        let until = self.clock.now().checked_add(KEPT).unwrap();
        Ok(Listener { callback, feed: field("url1")?, until })
    }

    /// Asks back, before it answers.
    fn try_it(&self, listener: Listener, test: Test) -> Result<(), String> {
        let feed = match test {
            Test::OtherFeed => "https://elsewhere.test/feed",
            _ => &listener.feed,
        };
        let challenge = format!("challenge+{}", self.tested.lock().unwrap().len());
        let mut url = listener.callback.clone();
        url.query_pairs_mut().append_pair("url", feed).append_pair("challenge", &challenge);
        let asks = async {
            match test {
                Test::Ping => ping(&listener.callback, feed).await,
                Test::OtherPing => ping(&listener.callback, "https://elsewhere.test/feed").await,
                _ => get(&url).await,
            }
        };
        let answer = tokio::task::block_in_place(|| Handle::current().block_on(asks));
        self.tested.lock().unwrap().push(answer.clone());
        let echoed = matches!(test, Test::Ping | Test::OtherPing) || answer.body == challenge;
        if answer.status / 100 != 2 || !echoed {
            self.changes.announce();
            return Err("The call failed when the handler was tested.".to_owned());
        }
        self.keep(listener);
        Ok(())
    }

    fn keep(&self, listener: Listener) {
        let mut listeners = self.listeners.lock().unwrap();
        listeners.retain(|known| known.callback != listener.callback);
        listeners.push(listener);
        drop(listeners);
        self.changes.announce();
    }
}

/// Says to one address that a feed has changed.
pub async fn ping(callback: &Url, feed: &str) -> Answer {
    let body =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("url", feed).finish();
    say(callback, body.as_bytes()).await
}

/// Posts to an address whatever it is.
pub async fn say(callback: &Url, body: &[u8]) -> Answer {
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n",
        callback.path(),
        callback.authority(),
        body.len()
    );
    exchange(address(callback), &[head.as_bytes(), body].concat()).await
}
