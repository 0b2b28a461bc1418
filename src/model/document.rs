//! Bytes that arrived.

/// A document as a server or file gave it, before anybody understood it.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// The body after content decoding (RFC 9110 section 8.4).
    pub bytes: Vec<u8>,
    /// The `Content-Type` as stated, with parameters.
    pub content_type: Option<String>,
    /// The URL the bytes finally came from: the base of relative links.
    pub base_url: Option<String>,
}
