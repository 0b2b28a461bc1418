//! Dates as feeds write them: no panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wirewatch::parse::parse_date;

fuzz_target!(|text: &str| {
    let _ = parse_date(text);
});
