//! Content codings (RFC 9110 section 8.4.1), undone chunk by chunk under
//! bounds that hold for what arrives and for what it becomes. What cannot be
//! undone to its end is an error, never a shorter document.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, Operation};

/// What requests offer.
pub(super) const OFFERED: &str = "gzip, br, zstd, deflate";

/// Bytes that one byte on the wire may become.
const MAX_RATIO: u64 = 200;
/// Below this size a document may be as repetitive as it likes.
const RATIO_COUNTS_FROM: u64 = 1 << 20;
/// The widest window of zstd as a content coding, 8 MiB (RFC 9659).
const ZSTD_WINDOW_LOG: u32 = 23;
/// Members of one gzip stream, frames of one zstd stream.
const MAX_MEMBERS: usize = 1000;
/// From here on the output grows by this much instead of doubling.
const GROWTH: usize = 1 << 20;
const SCRATCH: usize = 32 << 10;
/// The first bytes of every gzip member (RFC 1952).
const GZIP_HEAD: [u8; 2] = [0x1f, 0x8b];

/// How much may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Bytes as they arrive.
    pub wire: u64,
    /// Bytes of the document.
    pub decoded: u64,
    /// Bytes of the document from which on it is large.
    pub small: u64,
}

/// Why a body is not a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DecodeError {
    #[error("more than {0} bytes on the wire; a larger max_body for this feed allows more")]
    Wire(u64),
    #[error("the document is larger than {0} bytes")]
    Decoded(u64),
    #[error("the body grows more than {MAX_RATIO}-fold when it is decompressed")]
    Bomb,
    #[error("the body is not the {0} that the server says it is")]
    Corrupt(&'static str),
    #[error("the {0} body ends too early")]
    Truncated(&'static str),
    #[error("the body is encoded more than once")]
    Layers,
    #[error("content coding {0:?} was not offered")]
    Unknown(String),
}

type Brotli = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

enum Coding {
    Identity,
    Gzip(Decompress),
    /// zlib, or what some servers send instead, the bare stream; the first two
    /// bytes tell.
    Deflate(Option<Decompress>),
    Brotli(Box<Brotli>),
    Zstd(Box<ZstdDecoder<'static>>),
}

/// What one step did.
struct Step {
    read: usize,
    written: usize,
    ended: bool,
}

impl Coding {
    fn of(headers: &HeaderMap) -> Result<Self, DecodeError> {
        let lines = headers.get_all(CONTENT_ENCODING).iter();
        let lines: Vec<_> = lines
            .map(|line| String::from_utf8_lossy(line.as_bytes()).to_ascii_lowercase())
            .collect();
        let mut codings = lines.iter().flat_map(|line| line.split(',')).map(str::trim);
        let mut found = None;
        let real =
            |name: &&str| !matches!(*name, "" | "identity" | "none" | "utf-8" | "8bit" | "binary");
        for name in codings.by_ref().filter(real) {
            if found.replace(name).is_some() {
                return Err(DecodeError::Layers);
            }
        }
        found.map_or(Ok(Self::Identity), Self::named)
    }

    fn named(name: &str) -> Result<Self, DecodeError> {
        Ok(match name {
            "gzip" | "x-gzip" => Self::Gzip(Decompress::new_gzip(15)),
            "deflate" => Self::Deflate(None),
            "br" => Self::Brotli(Box::new(Brotli::new(
                StandardAlloc::default(),
                StandardAlloc::default(),
                StandardAlloc::default(),
            ))),
            "zstd" => Self::Zstd(Box::new(zstd_decoder().ok_or(DecodeError::Corrupt("zstd"))?)),
            other => return Err(DecodeError::Unknown(other.chars().take(40).collect())),
        })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Identity => "plain",
            Self::Gzip(_) => "gzip",
            Self::Deflate(_) => "deflate",
            Self::Brotli(_) => "br",
            Self::Zstd(_) => "zstd",
        }
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, DecodeError> {
        let name = self.name();
        let step = match self {
            Self::Identity => None,
            Self::Gzip(inflate) => inflated(inflate, input, output),
            Self::Deflate(inflate) => {
                let inflate = inflate.get_or_insert_with(|| Decompress::new(has_zlib_head(input)));
                inflated(inflate, input, output)
            }
            Self::Brotli(state) => unbrotlied(state, input, output),
            Self::Zstd(decoder) => decoder.run_on_buffers(input, output).ok().map(|done| Step {
                read: done.bytes_read,
                written: done.bytes_written,
                ended: done.remaining == 0,
            }),
        };
        step.ok_or(DecodeError::Corrupt(name))
    }

    /// Bytes that must be seen before the first step, or before a next member.
    fn head(&self) -> usize {
        match self {
            Self::Identity | Self::Brotli(_) => 0,
            Self::Gzip(_) | Self::Deflate(_) => 2,
            Self::Zstd(_) => 4,
        }
    }

    /// Makes ready for another member that begins with `head`; anything else
    /// after the end is padding, which browsers pass over too.
    fn renew(&mut self, head: &[u8]) -> bool {
        match (self, head) {
            (Self::Gzip(inflate), head) if head.starts_with(&GZIP_HEAD) => {
                *inflate = Decompress::new_gzip(15);
                true
            }
            // A frame, or one to be skipped (RFC 8878 section 3.1).
            (Self::Zstd(_), [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]) => {
                true
            }
            _ => false,
        }
    }
}

fn zstd_decoder() -> Option<ZstdDecoder<'static>> {
    let mut decoder = ZstdDecoder::new().ok()?;
    decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG)).ok()?;
    Some(decoder)
}

/// RFC 1950 section 2.2: method 8, a window of at most 32 KiB, and a check.
fn has_zlib_head(input: &[u8]) -> bool {
    let [first, second, ..] = *input else { return false };
    first & 0x0f == 8 && first >> 4 <= 7 && u16::from_be_bytes([first, second]).is_multiple_of(31)
}

fn inflated(inflate: &mut Decompress, input: &[u8], output: &mut [u8]) -> Option<Step> {
    let (read, written) = (inflate.total_in(), inflate.total_out());
    let status = inflate.decompress(input, output, FlushDecompress::None).ok()?;
    Some(Step {
        read: usize::try_from(inflate.total_in() - read).ok()?,
        written: usize::try_from(inflate.total_out() - written).ok()?,
        ended: status == Status::StreamEnd,
    })
}

fn unbrotlied(state: &mut Brotli, input: &[u8], output: &mut [u8]) -> Option<Step> {
    let (mut left, mut read, mut room, mut written) = (input.len(), 0, output.len(), 0);
    let result = BrotliDecompressStream(
        &mut left,
        &mut read,
        input,
        &mut room,
        &mut written,
        output,
        &mut 0,
        state,
    );
    match result {
        BrotliResult::ResultFailure => None,
        other => Some(Step { read, written, ended: matches!(other, BrotliResult::ResultSuccess) }),
    }
}

/// Takes a body in as it arrives.
pub(super) struct Decoder {
    coding: Coding,
    bounds: Bounds,
    wire: u64,
    document: Vec<u8>,
    scratch: Vec<u8>,
    /// The first bytes of a member, too few yet to know it by.
    head: Vec<u8>,
    members: usize,
    /// Between members: nothing is missing.
    ended: bool,
    /// What follows is padding.
    over: bool,
    /// The document has become large, and this waits to be decoded.
    rest: Option<Vec<u8>>,
    /// It may be large.
    admitted: bool,
}

impl Decoder {
    /// Prepares for the body of an answer with these headers.
    pub(super) fn new(headers: &HeaderMap, bounds: Bounds) -> Result<Self, DecodeError> {
        let coding = Coding::of(headers)?;
        let scratch = if matches!(coding, Coding::Identity) { 0 } else { SCRATCH };
        Ok(Self {
            coding,
            bounds,
            wire: 0,
            document: Vec::new(),
            scratch: vec![0; scratch],
            head: Vec::new(),
            members: 0,
            ended: false,
            over: false,
            rest: None,
            admitted: false,
        })
    }

    /// Takes the next bytes. Where the document becomes large, it stops until
    /// it is [admitted](Self::admit): a few bytes may become very many.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<(), DecodeError> {
        self.wire += chunk.len() as u64;
        if self.wire > self.bounds.wire {
            return Err(DecodeError::Wire(self.bounds.wire));
        }
        if matches!(self.coding, Coding::Identity) {
            // A file that is compressed by itself, as site maps are.
            if !self.document.is_empty() || !chunk.starts_with(&GZIP_HEAD) {
                self.keep(chunk)?;
                self.rest = self.is_large().then(Vec::new);
                return Ok(());
            }
            self.coding = Coding::named("gzip")?;
            self.scratch = vec![0; SCRATCH];
        }
        if self.over {
            return Ok(());
        }
        if self.head.is_empty() {
            return self.decode(chunk);
        }
        let mut joined = std::mem::take(&mut self.head);
        joined.extend_from_slice(chunk);
        self.decode(&joined)
    }

    /// Whether the document waits to be admitted among the large ones.
    pub(super) fn is_waiting(&self) -> bool {
        self.rest.is_some()
    }

    /// Goes on although the document is large.
    pub(super) fn admit(&mut self) -> Result<(), DecodeError> {
        self.admitted = true;
        match self.rest.take() {
            Some(rest) if !matches!(self.coding, Coding::Identity) => self.decode(&rest),
            _ => Ok(()),
        }
    }

    fn is_large(&self) -> bool {
        !self.admitted && self.document.len() as u64 > self.bounds.small
    }

    fn decode(&mut self, mut input: &[u8]) -> Result<(), DecodeError> {
        let mut scratch = std::mem::take(&mut self.scratch);
        loop {
            if self.members == 0 || self.ended {
                if input.len() < self.coding.head().max(1) {
                    self.head = input.to_vec();
                    break;
                }
                if !self.next_member(input)? {
                    break;
                }
            }
            let step = self.coding.step(input, &mut scratch)?;
            input = &input[step.read..];
            self.keep(&scratch[..step.written])?;
            self.ended = step.ended;
            if self.is_large() {
                self.rest = Some(input.to_vec());
                break;
            }
            let stuck = step.read == 0 && step.written == 0 && !step.ended;
            match input.is_empty() {
                // The decoder may hold more than the scratch had room for.
                true if step.written < scratch.len() || step.ended => break,
                false if stuck => return Err(DecodeError::Corrupt(self.coding.name())),
                _ => {}
            }
        }
        self.scratch = scratch;
        Ok(())
    }

    /// Whether a member begins here; the first one always does.
    fn next_member(&mut self, input: &[u8]) -> Result<bool, DecodeError> {
        if self.members > 0 && !self.coding.renew(input) {
            self.over = true;
            return Ok(false);
        }
        self.members += 1;
        self.ended = false;
        if self.members > MAX_MEMBERS {
            return Err(DecodeError::Corrupt(self.coding.name()));
        }
        Ok(true)
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        let length = (self.document.len() + bytes.len()) as u64;
        if length > self.bounds.decoded {
            return Err(DecodeError::Decoded(self.bounds.decoded));
        }
        if length > RATIO_COUNTS_FROM && length > self.wire.saturating_mul(MAX_RATIO) {
            return Err(DecodeError::Bomb);
        }
        if self.document.capacity() - self.document.len() < bytes.len() {
            let more = self.document.len().clamp(SCRATCH, GROWTH).max(bytes.len());
            self.document.reserve_exact(more);
        }
        self.document.extend_from_slice(bytes);
        Ok(())
    }

    /// What has become of the body so far.
    pub(super) fn so_far(&self) -> &[u8] {
        &self.document
    }

    /// The whole document. A body of no bytes at all is an empty document in
    /// every coding.
    pub(super) fn finish(self) -> Result<Vec<u8>, DecodeError> {
        let whole = matches!(self.coding, Coding::Identity) || self.ended || self.wire == 0;
        if whole { Ok(self.document) } else { Err(DecodeError::Truncated(self.coding.name())) }
    }
}

/// Bytes as these codings write them, for tests.
#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::bulk::compress(bytes, 3).unwrap()
    }

    /// Brotli without compression: stored blocks of at most 64 KiB.
    fn brotli(bytes: &[u8]) -> Vec<u8> {
        assert!(bytes.len() <= 1 << 16 && !bytes.is_empty());
        // Window bits 16 (one bit 0), not the last block, 4 nibbles of length,
        // the length less one, stored; then the empty last block.
        let length = u32::try_from(bytes.len() - 1).unwrap();
        let head = length << 4 | 1 << 20;
        let mut out = head.to_le_bytes()[..3].to_vec();
        out.extend_from_slice(bytes);
        out.push(0b11);
        out
    }

    fn headers(coding: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, coding.parse().unwrap());
        headers
    }

    const WIDE: Bounds = Bounds { wire: 5 << 20, decoded: 10 << 20, small: 20 };

    fn decode(coding: &str, body: &[u8], chunk: usize) -> Result<Vec<u8>, DecodeError> {
        let mut decoder = Decoder::new(&headers(coding), WIDE)?;
        for piece in body.chunks(chunk) {
            decoder.push(piece)?;
            if decoder.is_waiting() {
                decoder.admit()?;
            }
        }
        decoder.finish()
    }

    /// In one piece and byte by byte.
    fn check(coding: &str, body: &[u8], expected: Result<&[u8], DecodeError>) {
        let expected = expected.map(<[u8]>::to_vec);
        for chunk in [usize::MAX, 1, 7] {
            assert_eq!(decode(coding, body, chunk), expected, "{coding} by {chunk}: {body:02x?}");
        }
    }

    const TEXT: &[u8] = b"<rss>one two three three three three three</rss>";

    #[test]
    fn whole_bodies_are_decoded_however_they_are_cut() {
        for coding in ["", "identity", "utf-8", "none"] {
            check(coding, TEXT, Ok(TEXT));
        }
        check("gzip", &gzip(TEXT), Ok(TEXT));
        check("X-GZip, identity", &gzip(TEXT), Ok(TEXT));
        check("deflate", &zlib(TEXT), Ok(TEXT));
        check("deflate", &raw_deflate(TEXT), Ok(TEXT));
        check("br", &brotli(TEXT), Ok(TEXT));
        check("zstd", &zstd(TEXT), Ok(TEXT));
    }

    #[test]
    fn members_and_frames_follow_each_other() {
        check("gzip", &[gzip(b"one "), gzip(b"two")].concat(), Ok(b"one two"));
        check("zstd", &[zstd(b"one "), zstd(b"two")].concat(), Ok(b"one two"));
        let many = gzip(b"").repeat(MAX_MEMBERS + 1);
        assert_eq!(decode("gzip", &many, usize::MAX), Err(DecodeError::Corrupt("gzip")));
    }

    #[test]
    fn a_gzip_file_is_decoded_although_nobody_says_what_it_is() {
        assert_eq!(decode("identity", &gzip(TEXT), 64), Ok(TEXT.to_vec()));
        let twice = gzip(&gzip(TEXT));
        assert_eq!(decode("identity", &twice, 64), Ok(gzip(TEXT)));
        assert_eq!(decode("identity", &GZIP_HEAD, 64), Err(DecodeError::Truncated("gzip")));
    }

    #[test]
    fn padding_after_the_end_is_passed_over() {
        for (coding, body) in [
            ("gzip", gzip(TEXT)),
            ("deflate", zlib(TEXT)),
            ("deflate", raw_deflate(TEXT)),
            ("zstd", zstd(TEXT)),
            ("br", brotli(TEXT)),
        ] {
            for padding in ["\0\0\0\0\0\0", "\n", "<!-- 3 ms -->"] {
                check(coding, &[&body, padding.as_bytes()].concat(), Ok(TEXT));
            }
        }
    }

    #[test]
    fn every_cut_is_noticed() {
        for (coding, name, body) in [
            ("gzip", "gzip", gzip(TEXT)),
            ("deflate", "deflate", zlib(TEXT)),
            ("deflate", "deflate", raw_deflate(TEXT)),
            ("zstd", "zstd", zstd(TEXT)),
            ("br", "br", brotli(TEXT)),
        ] {
            for length in 1..body.len() {
                check(coding, &body[..length], Err(DecodeError::Truncated(name)));
            }
            check(coding, b"", Ok(b""));
        }
    }

    #[test]
    fn what_is_not_the_coding_it_says_is_refused() {
        check("gzip", TEXT, Err(DecodeError::Corrupt("gzip")));
        check("zstd", TEXT, Err(DecodeError::Corrupt("zstd")));
        check("br", &[0xff; 60], Err(DecodeError::Corrupt("br")));
        check("deflate", &[0xff; 60], Err(DecodeError::Corrupt("deflate")));
        let mut flipped = gzip(TEXT);
        let crc = flipped.len() - 8;
        flipped[crc] ^= 1;
        check("gzip", &flipped, Err(DecodeError::Corrupt("gzip")));
        check("gzip, gzip", &gzip(&gzip(TEXT)), Err(DecodeError::Layers));
        check("gzip, br", &gzip(TEXT), Err(DecodeError::Layers));
        check("compress", TEXT, Err(DecodeError::Unknown("compress".to_string())));
    }

    #[test]
    fn bounds_hold_for_the_wire_the_document_and_their_ratio() {
        let zeros = vec![0; 3 << 20];
        assert_eq!(decode("gzip", &gzip(&zeros), 4096), Err(DecodeError::Bomb));
        assert_eq!(decode("deflate", &zlib(&zeros), 4096), Err(DecodeError::Bomb));
        assert_eq!(decode("zstd", &zstd(&zeros), 4096), Err(DecodeError::Bomb));
        // A repetitive document of honest size.
        assert_eq!(decode("gzip", &gzip(&zeros[..1 << 20]), 4096).map(|d| d.len()), Ok(1 << 20));
        let wire = Bounds { wire: 10, decoded: 100, small: 100 };
        let decoded = Bounds { wire: 100, decoded: 10, small: 100 };
        for (bounds, expected) in
            [(wire, DecodeError::Wire(10)), (decoded, DecodeError::Decoded(10))]
        {
            let mut plain = Decoder::new(&HeaderMap::new(), bounds).unwrap();
            assert_eq!(plain.push(&[0; 11]), Err(expected));
        }
    }

    #[test]
    fn a_zstd_window_over_eight_mebibytes_is_refused() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        encoder.set_parameter(zstd::zstd_safe::CParameter::WindowLog(24)).unwrap();
        encoder.write_all(TEXT).unwrap();
        let body = encoder.finish().unwrap();
        assert_eq!(decode("zstd", &body, usize::MAX), Err(DecodeError::Corrupt("zstd")));
    }

    #[test]
    fn a_document_that_becomes_large_waits_until_it_may() {
        let text: Vec<u8> = (0..80_000_u32).flat_map(|n| n.to_string().into_bytes()).collect();
        let bounds = Bounds { small: 100_000, ..WIDE };
        for (coding, body) in [
            ("", text.clone()),
            ("gzip", gzip(&text)),
            ("gzip", [gzip(&text[..200_000]), gzip(&text[200_000..])].concat()),
            ("deflate", raw_deflate(&text)),
            ("zstd", zstd(&text)),
        ] {
            for chunk in [64 << 10, usize::MAX] {
                let mut decoder = Decoder::new(&headers(coding), bounds).unwrap();
                let mut waited = 0;
                for piece in body.chunks(chunk) {
                    decoder.push(piece).unwrap();
                    if decoder.is_waiting() {
                        waited += 1;
                        let more = if coding.is_empty() { piece.len() } else { SCRATCH };
                        assert!(decoder.so_far().len() <= 100_000 + more, "{coding}");
                        decoder.admit().unwrap();
                    }
                }
                assert_eq!((decoder.finish(), waited), (Ok(text.clone()), 1), "{coding}");
            }
        }
    }

    #[test]
    fn a_bomb_costs_no_more_than_its_bound() {
        let zeros = vec![0; 12 << 20];
        for (coding, bomb) in
            [("gzip", gzip(&zeros)), ("deflate", zlib(&zeros)), ("zstd", zstd(&zeros))]
        {
            let mut decoder = Decoder::new(&headers(coding), WIDE).unwrap();
            let mut push = |piece: &[u8]| decoder.push(piece).and_then(|()| decoder.admit());
            let end = bomb.chunks(64 << 10).find_map(|piece| push(piece).err());
            assert!(end.is_some(), "{coding}");
            let used = decoder.document.capacity() as u64;
            assert!(used <= WIDE.decoded + (1 << 20), "{coding} took {used} bytes");
        }
    }
}
