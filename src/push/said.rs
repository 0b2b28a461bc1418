//! What hubs and clouds say of themselves, fit to be shown.

use crate::model::Secret;

/// Characters that are kept.
const MOST: usize = 200;

/// Their words without what would act on a terminal, and without the address
/// that was given to them, which whoever knows it may use.
pub fn said(words: &str, address: &Secret) -> String {
    let address = address.expose();
    let token = address.rsplit('/').next().filter(|token| !token.is_empty());
    let mut words = words.replace(address, "[secret]");
    if let Some(token) = token {
        words = words.replace(token, "[secret]");
    }
    words.chars().filter(|c| !c.is_control()).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_short_and_give_nothing_away() {
        let check = |words: &str, expected: &str| {
            let address = Secret::new("https://us.test/push/7d0a9c");
            assert_eq!(said(words, &address), expected, "{words}");
        };
        check("no", "no");
        check("cannot reach https://us.test/push/7d0a9c", "cannot reach [secret]");
        check("GET /push/7d0a9c: 404", "GET /push/[secret]: 404");
        check("a\u{1b}[2Jb\n", "a[2Jb");
        check(&"x".repeat(500), &"x".repeat(200));
    }
}
