//! What nobody else knows: the token in a callback's address, and the secret
//! that a hub signs with. Both are 256 bits of the system's randomness.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};

use crate::model::Secret;

/// Bytes of a token and of a secret.
const BYTES: usize = 32;
/// A token as text is so long.
const LENGTH: usize = 43;

/// The system gives no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandom;

/// A new token, to stand in a URL.
///
/// # Errors
/// When the system gives no random bytes.
pub fn token() -> Result<Secret, NoRandom> {
    Ok(Secret::new(BASE64_URL_SAFE_NO_PAD.encode(random()?)))
}

/// A new secret: 64 hexadecimal digits, which every hub takes.
///
/// # Errors
/// When the system gives no random bytes.
pub fn secret() -> Result<Secret, NoRandom> {
    Ok(Secret::new(random()?.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
}

/// What a token is looked up by; none if it cannot be one of ours.
pub fn key(token: &str) -> Option<[u8; 32]> {
    (token.len() == LENGTH).then(|| Sha256::digest(token).into())
}

fn random() -> Result<[u8; BYTES], NoRandom> {
    let mut bytes = [0; BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandom)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_differ_and_suit_a_url() {
        let tokens: std::collections::HashSet<String> =
            (0..100).map(|_| token().unwrap().expose().to_owned()).collect();
        assert_eq!(tokens.len(), 100);
        for token in tokens {
            assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
            assert!(key(&token).is_some(), "{token}");
        }
        let secret = secret().unwrap();
        assert!((32..200).contains(&secret.expose().len()));
    }

    #[test]
    fn what_is_no_token_is_not_looked_up() {
        for other in ["", "x", &"x".repeat(42), &"x".repeat(44), &"x".repeat(10_000)] {
            assert_eq!(key(other), None, "{other}");
        }
    }
}
