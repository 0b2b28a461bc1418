//! Titles and bodies: no panic, and nothing left that a terminal or a mail could take for orders.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wirewatch::extract::{html_to_text, one_line, paragraphs};

fuzz_target!(|markup: &str| {
    let text = html_to_text(markup);
    let _ = paragraphs(&text);
    let line = one_line(&text);
    assert!(!line.contains('\n'), "one line has two");
    assert_eq!(one_line(&line), line, "white space is not folded at once");
});
