//! What must hold for the bytes of a mail, whoever reads them.

/// RFC 5322 section 2.1.1: a line must not be longer, without its end.
const LONGEST_LINE: usize = 998;
/// The same: a line should not be longer.
const USUAL_LINE: usize = 78;
/// RFC 2047 section 2: an encoded word, and a line with one.
const ENCODED_WORD: usize = 75;
const ENCODED_LINE: usize = 76;

/// What is wrong with a message as it came over the wire.
pub(crate) fn faults(data: &[u8]) -> Vec<String> {
    let mut faults = Vec::new();
    if !data.is_ascii() || data.contains(&0) {
        faults.push("bytes that are not for 7-bit mail".to_owned());
    }
    if !has_only_whole_line_ends(data) {
        faults.push("a bare CR or LF".to_owned());
    }
    if !data.ends_with(b"\r\n") {
        faults.push("the last line has no end".to_owned());
    }
    let text = String::from_utf8_lossy(data);
    for line in text.split("\r\n").filter(|line| line.len() > LONGEST_LINE) {
        faults.push(format!("a line of {} octets", line.len()));
    }
    // What precedes the first empty line is the header.
    let header = text.split("\r\n\r\n").next().unwrap_or_default();
    faults.extend(header.split("\r\n").filter_map(header_fault));
    faults
}

fn has_only_whole_line_ends(data: &[u8]) -> bool {
    let is_whole = |at: usize| match data[at] {
        b'\r' => data.get(at + 1) == Some(&b'\n'),
        b'\n' => at > 0 && data[at - 1] == b'\r',
        _ => true,
    };
    (0..data.len()).all(is_whole)
}

fn header_fault(line: &str) -> Option<String> {
    let is_encoded = |word: &&str| word.starts_with("=?") && word.ends_with("?=");
    let encoded: Vec<&str> = line.split([' ', '\t', '"', '<']).filter(is_encoded).collect();
    if let Some(word) = encoded.iter().find(|word| word.len() > ENCODED_WORD) {
        return Some(format!("an encoded word of {} octets", word.len()));
    }
    if !encoded.is_empty() && line.len() > ENCODED_LINE {
        return Some(format!("a line with an encoded word of {} octets: {line}", line.len()));
    }
    let is_foldable = line.split_ascii_whitespace().filter(|word| !word.ends_with(':')).count() > 1;
    (line.len() > USUAL_LINE && is_foldable)
        .then(|| format!("a header line of {} octets could be folded: {line}", line.len()))
}
