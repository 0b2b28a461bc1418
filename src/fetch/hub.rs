//! A request to a hub (WebSub section 5.1) or a cloud (rssCloud): a form,
//! posted, and whether it was taken. Redirects are followed by hand as those of
//! feeds are.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, USER_AGENT};
use reqwest::{Client, Response, StatusCode};
use url::Url;

use super::{FetchError, Fetcher, MAX_REDIRECTS, Request, http};

/// Bytes of a cloud's answer that are read.
const MAX_WORDS: usize = 8 << 10;

/// What is asked of a hub.
#[derive(Clone, Copy, Debug)]
pub struct HubRequest<'a> {
    /// The hub, and on whose terms it is reached: those of the feed.
    pub way: Request<'a>,
    /// The form's fields.
    pub form: &'a [(&'a str, String)],
}

impl Fetcher {
    /// Asks a hub. Whether it takes the request is all that its answer says;
    /// what becomes of it the hub tells at the callback.
    ///
    /// # Errors
    /// When the hub may not be reached, does not answer, or refuses.
    pub async fn ask_hub(&self, request: HubRequest<'_>) -> Result<(), FetchError> {
        self.within(async { post(&self.client(request.way)?, request).await.map(drop) }).await
    }

    /// Asks a cloud, and returns what it says: whether it takes the request
    /// stands in its words. They are cut after some kilobytes.
    ///
    /// # Errors
    /// When the cloud may not be reached, does not answer, or refuses by its
    /// status.
    pub async fn ask_cloud(&self, request: HubRequest<'_>) -> Result<String, FetchError> {
        self.within(async {
            let mut response = post(&self.client(request.way)?, request).await?;
            let mut said = Vec::new();
            while said.len() < MAX_WORDS {
                match response.chunk().await {
                    Ok(Some(chunk)) => said.extend_from_slice(&chunk),
                    Ok(None) => break,
                    Err(_) => return Err(FetchError::Failed("the answer broke off".to_owned())),
                }
            }
            said.truncate(MAX_WORDS);
            Ok(String::from_utf8_lossy(&said).into_owned())
        })
        .await
    }

    /// In the time that a request may take.
    async fn within<T>(
        &self,
        asked: impl Future<Output = Result<T, FetchError>>,
    ) -> Result<T, FetchError> {
        let timed_out = |_| Err(FetchError::timed_out());
        tokio::time::timeout(self.options.timeout, asked).await.unwrap_or_else(timed_out)
    }
}

async fn post(client: &Client, request: HubRequest<'_>) -> Result<Response, FetchError> {
    let failed = |why: String| Err(FetchError::Failed(why));
    let mut url = match Url::parse(request.way.url) {
        Ok(url) => url,
        Err(error) => return failed(format!("not a URL: {error}")),
    };
    let body =
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(request.form).finish();
    for _ in 0..=MAX_REDIRECTS {
        http::allowed(request.way, &url).await?;
        let post = client.post(url.clone()).headers(headers(request.way)?).body(body.clone());
        let response = http::answered(request.way, post.send().await)?;
        let status = response.status();
        match status {
            // The Recommendation names 307 and 308; hubs have moved with the
            // others as well, and a form that turns into a GET is lost.
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => {
                let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
                let Some(to) = to.and_then(|to| url.join(to).ok()) else {
                    return failed(format!("HTTP {status} without a usable Location"));
                };
                if url.scheme() == "https" && to.scheme() != "https" {
                    return failed("the hub redirects to where secrets can be read".to_owned());
                }
                url = to;
            }
            status if status.is_success() => return Ok(response),
            status => return failed(format!("the hub says HTTP {status}")),
        }
    }
    failed(format!("more than {MAX_REDIRECTS} redirects"))
}

fn headers(way: Request<'_>) -> Result<HeaderMap, FetchError> {
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, form)]);
    if let Some(agent) = &way.options.user_agent {
        headers.insert(USER_AGENT, http::value("User-Agent", agent)?);
    }
    Ok(headers)
}
