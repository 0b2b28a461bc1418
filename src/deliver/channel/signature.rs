//! Signatures of webhooks, after Standard Webhooks 1.0.0.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Why a text is no secret for signing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The mark that tells what kind of secret it is.
    #[error("a webhook secret begins with \"whsec_\"")]
    NoPrefix,
    /// What follows it.
    #[error("a webhook secret is base64 after \"whsec_\"")]
    NotBase64,
    /// Too short to be safe, or longer than receivers take.
    #[error("a webhook secret has 24 to 64 bytes")]
    BadLength,
}

/// Reads a `whsec_…` secret into the key it stands for.
///
/// # Errors
///
/// When the text is no such secret.
pub fn parse_secret(text: &str) -> Result<Vec<u8>, SecretError> {
    let encoded = text.trim().strip_prefix("whsec_").ok_or(SecretError::NoPrefix)?;
    let key = STANDARD.decode(encoded).map_err(|_| SecretError::NotBase64)?;
    if (24..=64).contains(&key.len()) { Ok(key) } else { Err(SecretError::BadLength) }
}

/// The value of `webhook-signature` for these bytes.
pub(super) fn sign(key: &[u8], id: &str, timestamp: i64, body: &[u8]) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_base64_of_24_to_64_bytes() {
        let check = |bytes: usize, expected: Result<usize, SecretError>| {
            let text = format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
            assert_eq!(parse_secret(&text).map(|key| key.len()), expected, "{bytes}");
        };
        check(23, Err(SecretError::BadLength));
        check(24, Ok(24));
        check(64, Ok(64));
        check(65, Err(SecretError::BadLength));
        assert_eq!(parse_secret("abc"), Err(SecretError::NoPrefix));
        assert_eq!(parse_secret("whsec_!!"), Err(SecretError::NotBase64));
        assert_eq!(parse_secret("whsec_"), Err(SecretError::BadLength));
    }

    #[test]
    fn signatures_are_those_of_the_standard() {
        // The example of the specification's reference libraries.
        let key = parse_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signature = sign(&key, id, 1_614_265_330, b"{\"test\": 2432232314}");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
