//! Is a document from the hub that knows our secret (WebSub section 7)?

use ring::hmac;

/// Whether one of the lines signs these bytes: `method=hexadecimal digits`.
///
/// There must be exactly one line. The names of methods are those of the
/// Recommendation, in small letters; digits may be large or small. Comparing
/// takes the same time whatever was right.
pub fn is_signed(lines: &[Vec<u8>], secret: &str, body: &[u8]) -> bool {
    let [line] = lines else { return false };
    let Some((method, digits)) = std::str::from_utf8(line).ok().and_then(|l| l.split_once('='))
    else {
        return false;
    };
    let algorithm = match method {
        "sha1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        "sha256" => hmac::HMAC_SHA256,
        "sha384" => hmac::HMAC_SHA384,
        "sha512" => hmac::HMAC_SHA512,
        _ => return false,
    };
    let Some(digest) = from_hex(digits) else { return false };
    hmac::verify(&hmac::Key::new(algorithm, secret.as_bytes()), body, &digest).is_ok()
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let digit =
        |byte: &u8| char::from(*byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let values: Vec<u8> = digits.as_bytes().iter().map(digit).collect::<Option<_>>()?;
    let (pairs, []) = values.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "5f2b0a7e-a-secret-of-thirty-two-bytes-or-more";
    const BODY: &[u8] = b"<feed><title>News</title></feed>";

    fn methods() -> [(&'static str, hmac::Algorithm); 4] {
        [
            ("sha1", hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
            ("sha256", hmac::HMAC_SHA256),
            ("sha384", hmac::HMAC_SHA384),
            ("sha512", hmac::HMAC_SHA512),
        ]
    }

    fn digest(algorithm: hmac::Algorithm, secret: &str, body: &[u8]) -> String {
        let tag = hmac::sign(&hmac::Key::new(algorithm, secret.as_bytes()), body);
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn signed(line: &str) -> bool {
        is_signed(&[line.as_bytes().to_vec()], SECRET, BODY)
    }

    #[test]
    fn the_four_methods_are_known() {
        for (name, algorithm) in methods() {
            let digest = digest(algorithm, SECRET, BODY);
            assert!(signed(&format!("{name}={digest}")), "{name}");
            assert!(signed(&format!("{name}={}", digest.to_uppercase())), "{name}");
        }
        // RFC 4231, case 2.
        let known = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert!(is_signed(&[known.into()], "Jefe", b"what do ya want for nothing?"));
    }

    #[test]
    fn whatever_else_is_no_signature() {
        let mut tried = 0;
        let mut check = |lines: &[String]| {
            tried += 1;
            let lines: Vec<Vec<u8>> = lines.iter().map(|line| line.clone().into_bytes()).collect();
            assert!(!is_signed(&lines, SECRET, BODY), "{lines:?}");
        };
        for (name, algorithm) in methods() {
            let good = digest(algorithm, SECRET, BODY);
            let flipped = if good.starts_with('0') { "1" } else { "0" };
            let other = if name == "sha1" { "sha256" } else { "sha1" };
            for line in [
                format!("{name}={}{}", flipped, &good[1..]),
                format!("{name}={}", &good[..good.len() - 2]),
                format!("{name}={}", &good[..good.len() - 1]),
                format!("{name}={good}00"),
                format!("{name}="),
                name.to_owned(),
                format!("{other}={good}"),
                format!("{}={good}", name.to_uppercase()),
                format!("{name} = {good}"),
                format!("{name}={}", good.replace(|c: char| c.is_ascii_digit(), "g")),
                format!("{name}={}", digest(algorithm, "another secret", BODY)),
                format!("{name}={}", digest(algorithm, SECRET, b"<feed/>")),
                format!("{name}={}", digest(algorithm, SECRET, &[BODY, b"\n"].concat())),
            ] {
                check(&[line]);
            }
            check(&[format!("{name}={good}"), format!("{name}={good}")]);
        }
        check(&[]);
        for line in ["", "=", "md5=d41d8cd98f00b204e9800998ecf8427e", "sha256=Ω", "none=00"] {
            check(&[line.to_owned()]);
        }
        assert!(tried >= 40, "{tried}");
    }
}
