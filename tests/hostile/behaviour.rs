//! What servers do to those who ask them.

use std::future::Future;
use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Ledger;
use crate::world::rss;

/// What must become of a feed that such a server gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// An error, and nothing of the document.
    Refused,
    /// The document, which says "quiet".
    Read,
    /// As the parser judges.
    Either,
}

pub struct Behaviour {
    /// What is asked for; for one that breaks TLS, the address that is asked.
    pub path: &'static str,
    pub expect: Expect,
    pub tls: bool,
}

const fn refused(path: &'static str) -> Behaviour {
    Behaviour { path, expect: Expect::Refused, tls: false }
}

const fn read(path: &'static str) -> Behaviour {
    Behaviour { path, expect: Expect::Read, tls: false }
}

const fn either(path: &'static str) -> Behaviour {
    Behaviour { path, expect: Expect::Either, tls: false }
}

pub const STALLED_TLS: &str = "127.0.3.1";
pub const PLAIN_TLS: &str = "127.0.3.2";

/// 256 MiB of zeros in 405 bytes of brotli.
const BROTLI_BOMB: &str = "\
     cbffff3f002400e2b14072effff8ffff078004401c1680eefd1fffffff00900088c302d0bdffe3ffff1f0012\
     00715800baf77ffcffff034002200e0b40f7fe8fffff7f004800c46101e8defff1ffff0f000980382c00ddfb\
     3ffeffff012001108705a07bffc7ffff3f002400e2b00074effff8ffff078004401c1680eefd1fffffff0090\
     0088c302d0bdffe3ffff1f001200715800baf77ffcffff034002200e0b40f7fe8fffff7f004800c46101e8de\
     fff1ffff0f000980382c00ddfb3ffeffff012001108705a07bffc7ffff3f002400e2b00074effff8ffff0780\
     04401c1680eefd1fffffff00900088c302d0bdffe3ffff1f001200715800baf77ffcffff034002200e0b40f7\
     fe8fffff7f004800c46101e8defff1ffff0f000980382c00ddfb3ffeffff012001108705a07bffc7ffff3f00\
     2400e2b00074effff8ffff078004401c1680eefd1fffffff00900088c302d0bdffe3ffff1f001200715800ba\
     f77ffcffff034002200e0b40f7fe8fffff7f004800c46101e8defff1ffff0f000980382c00ddfb3ffeffff01\
     2001108705a07bff37\
     ";

pub const BEHAVIOURS: &[Behaviour] = &[
    refused("/silence"),
    refused("/header-drip"),
    refused("/body-drip"),
    refused("/endless-body"),
    refused("/endless-chunks"),
    refused("/endless-extension"),
    refused("/endless-trailers"),
    refused("/long-header-line"),
    refused("/many-headers"),
    refused("/interim-flood"),
    refused("/304-with-body"),
    refused("/http-0.9"),
    refused("/negative-length"),
    refused("/two-lengths"),
    refused("/length-list"),
    refused("/length-overflow"),
    refused("/length-too-long"),
    either("/length-too-short"),
    refused("/length-announced-huge"),
    refused("/chunk-garbage"),
    refused("/chunk-overflow"),
    refused("/chunk-cut"),
    refused("/redirect-loop"),
    refused("/redirect-growing"),
    refused("/to-file"),
    refused("/to-data"),
    refused("/to-javascript"),
    refused("/to-nowhere"),
    refused("/to-very-long"),
    refused("/gzip-bomb"),
    refused("/deflate-bomb"),
    refused("/br-bomb"),
    refused("/zstd-bomb"),
    refused("/gzip-of-gzip"),
    refused("/gzip-inside-gzip"),
    read("/gzip-members"),
    read("/gzip-and-garbage"),
    refused("/gzip-cut"),
    refused("/gzip-wrong-sum"),
    refused("/deflate-cut"),
    refused("/br-cut"),
    refused("/zstd-cut"),
    refused("/coding-unknown"),
    either("/wrong-charset"),
    either("/utf-7"),
    either("/utf-16-bare"),
    refused("/half-close"),
    read("/until-close"),
    refused("/reset"),
    refused("/empty"),
    read("/some-cookies"),
    refused("/cookie-flood"),
    refused("/nul-in-header"),
    refused("/upgrade"),
    Behaviour { path: STALLED_TLS, expect: Expect::Refused, tls: true },
    Behaviour { path: PLAIN_TLS, expect: Expect::Refused, tls: true },
];

/// What a server does that was asked for TLS.
pub async fn instead_of_tls(ip: &str, mut stream: TcpStream) {
    if ip == PLAIN_TLS {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    }
    hold(&mut stream).await;
}

/// A proper answer of a server that is hostile at other times.
pub async fn behave(stream: &mut (impl AsyncWrite + Unpin), ledger: &Ledger, path: &str) {
    let _ = answer(stream, ledger, path, &quiet()).await;
}

/// A proper answer.
pub async fn answer(
    stream: &mut (impl AsyncWrite + Unpin),
    ledger: &Ledger,
    path: &str,
    body: &[u8],
) -> std::io::Result<()> {
    stream.write_all(&ok("Content-Type: text/xml\r\n", body)).await?;
    ledger.add(path, body.len());
    stream.shutdown().await
}

pub async fn misbehave(mut stream: TcpStream, ledger: &Ledger, path: &str) {
    if let Some(bytes) = canned(path).or_else(|| redirected(path)).or_else(|| coded(path)) {
        // In pieces, since a client may leave early.
        for piece in bytes.chunks(64 << 10) {
            if stream.write_all(piece).await.is_err() {
                return;
            }
            ledger.add(path, piece.len());
        }
        let _ = stream.shutdown().await;
        return;
    }
    acted(&mut stream, ledger, path).await;
}

fn loud() -> Vec<u8> {
    rss(&[("loud", "A marker that nobody should see", "x")]).into_bytes()
}

pub fn quiet() -> Vec<u8> {
    rss(&[("quiet", "Quiet", "x")]).into_bytes()
}

fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(body);
    answer
}

fn raw(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {head}\r\n\r\n").as_bytes(), body].concat()
}

/// Answers that are wrong in their framing or their text.
fn canned(path: &str) -> Option<Vec<u8>> {
    let (loud, length) = (loud(), loud().len());
    let chunked = "200 OK\r\nTransfer-Encoding: chunked";
    Some(match path {
        "/304-with-body" => raw(&format!("304 Not Modified\r\nContent-Length: {length}"), &loud),
        "/http-0.9" => loud,
        "/negative-length" => raw("200 OK\r\nContent-Length: -5", &loud),
        "/two-lengths" => {
            raw(&format!("200 OK\r\nContent-Length: {length}\r\nContent-Length: 5"), &loud)
        }
        "/length-list" => raw(&format!("200 OK\r\nContent-Length: {length}, 5"), &loud),
        "/length-overflow" => raw("200 OK\r\nContent-Length: 99999999999999999999999", &loud),
        "/length-too-long" => raw(&format!("200 OK\r\nContent-Length: {}", length + 1), &loud),
        "/length-too-short" => {
            let quiet = quiet();
            raw(&format!("200 OK\r\nContent-Length: {}", quiet.len() / 2), &quiet)
        }
        "/length-announced-huge" => raw("200 OK\r\nContent-Length: 8000000000000", &loud),
        "/chunk-garbage" => raw(chunked, b"ZZZ\r\n<rss>\r\n0\r\n\r\n"),
        "/chunk-overflow" => raw(chunked, b"FFFFFFFFFFFFFFFFFF\r\n<rss>\r\n0\r\n\r\n"),
        "/chunk-cut" => {
            let chunk = [format!("{length:x}\r\n").as_bytes(), &loud, b"\r\n"].concat();
            raw(chunked, &chunk)
        }
        "/wrong-charset" => ok("Content-Type: text/xml; charset=utf-16\r\n", &quiet()),
        "/utf-7" => ok(
            "Content-Type: text/xml; charset=utf-7\r\n",
            b"+ADw-rss version+AD0AIg-2.0+ACIAPgA8-/rss+AD4-",
        ),
        "/utf-16-bare" => {
            let text = String::from_utf8(quiet()).unwrap();
            ok("", &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>())
        }
        "/until-close" => raw("200 OK\r\nConnection: close", &quiet()),
        "/empty" => ok("", b""),
        "/some-cookies" => ok(&"Set-Cookie: a=b\r\n".repeat(60), &quiet()),
        "/cookie-flood" => ok(&"Set-Cookie: a=b\r\n".repeat(5000), &loud),
        "/nul-in-header" => ok("X-A: a\0b\r\n", &loud),
        "/upgrade" => raw("101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade", &loud),
        _ => return None,
    })
}

fn redirected(path: &str) -> Option<Vec<u8>> {
    let to = match path {
        "/redirect-loop" => path.to_string(),
        // The path alone is counted; the query is new each time.
        "/redirect-growing" => format!("{path}?{}", "x".repeat(2000)),
        "/to-file" => "file:///etc/passwd".to_string(),
        "/to-data" => "data:text/xml,<rss/>".to_string(),
        "/to-javascript" => "javascript:alert(1)".to_string(),
        "/to-nowhere" => "http://[::/".to_string(),
        "/to-very-long" => format!("/{}", "x".repeat(40_000)),
        _ => return None,
    };
    Some(raw(&format!("302 Found\r\nLocation: {to}\r\nContent-Length: 0"), b""))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 1).unwrap()
}

/// Two gigabytes of zeros: one deflated block of a mebibyte, again and again.
fn deflated_zeros() -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; 1 << 20]).unwrap();
    encoder.flush().unwrap();
    encoder.get_ref().repeat(2048)
}

fn brotli_bomb() -> Vec<u8> {
    let digits: Vec<u8> = BROTLI_BOMB.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

/// Bodies under a content coding.
fn coded(path: &str) -> Option<Vec<u8>> {
    let (loud, quiet) = (loud(), quiet());
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() - 4].to_vec();
    let (coding, body) = match path {
        "/gzip-bomb" => {
            ("gzip", [&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], &deflated_zeros()].concat())
        }
        "/deflate-bomb" => ("deflate", deflated_zeros()),
        "/br-bomb" => ("br", brotli_bomb()),
        "/zstd-bomb" => ("zstd", zstd(&vec![0; 2 << 20]).repeat(1024)),
        "/gzip-of-gzip" => ("gzip, gzip", gzip(&gzip(&loud))),
        "/gzip-inside-gzip" => ("gzip", gzip(&gzip(&loud))),
        "/gzip-members" => {
            let (first, second) = quiet.split_at(quiet.len() / 2);
            ("gzip", [gzip(first), gzip(second)].concat())
        }
        "/gzip-and-garbage" => ("gzip", [gzip(&quiet), b"<!-- 3 ms -->".to_vec()].concat()),
        "/gzip-cut" => ("gzip", cut(gzip(&loud))),
        "/gzip-wrong-sum" => {
            let mut body = gzip(&loud);
            let at = body.len() - 8;
            body[at] ^= 1;
            ("gzip", body)
        }
        "/deflate-cut" => ("deflate", cut(zlib(&loud))),
        "/br-cut" => ("br", cut(brotli_bomb())),
        "/zstd-cut" => ("zstd", cut(zstd(&loud))),
        "/coding-unknown" => ("compress", loud),
        _ => return None,
    };
    Some(ok(&format!("Content-Encoding: {coding}\r\n"), &body))
}

/// Between two pieces of a flood, which so brings a few megabytes a second.
/// Without a pause the servers, which share this process and are not
/// optimised, would be what slows honest feeds down.
pub const PAUSE: Duration = Duration::from_millis(3);

/// Writes the same again and again until the client has had enough.
async fn flood(stream: &mut TcpStream, ledger: &Ledger, path: &str, piece: &[u8]) {
    // A bound for the case that the client has none.
    let flood = async {
        for _ in 0..(1 << 30) / piece.len() {
            if stream.write_all(piece).await.is_err() {
                break;
            }
            ledger.add(path, piece.len());
            tokio::time::sleep(PAUSE).await;
        }
    };
    bounded(flood).await;
}

async fn drip(stream: &mut TcpStream, bytes: &[u8]) {
    let drip = async {
        for byte in bytes.iter().cycle() {
            if stream.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    bounded(drip).await;
}

async fn hold(stream: &mut TcpStream) {
    let mut ignored = [0; 1024];
    bounded(async { while matches!(stream.read(&mut ignored).await, Ok(1..)) {} }).await;
}

async fn bounded(work: impl Future<Output = ()>) {
    // Longer than the round may take, so that a client without limits is found out.
    let _ = tokio::time::timeout(Duration::from_secs(90), work).await;
}

/// Servers that go on, or stop half way.
async fn acted(stream: &mut TcpStream, ledger: &Ledger, path: &str) {
    let begin = match path {
        "/silence" | "/header-drip" | "/interim-flood" => "",
        "/long-header-line" => "HTTP/1.1 200 OK\r\nX-Long: ",
        "/many-headers" => "HTTP/1.1 200 OK\r\n",
        "/endless-chunks" | "/endless-extension" => {
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        }
        "/endless-trailers" => {
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\n0\r\n"
        }
        "/endless-body" => "HTTP/1.1 200 OK\r\n\r\n",
        _ => "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    };
    if stream.write_all(begin.as_bytes()).await.is_err() {
        return;
    }
    let letters = "x".repeat(32 << 10);
    match path {
        "/silence" => hold(stream).await,
        "/header-drip" => drip(stream, b"HTTP/1.1 200 OK\r\nX-A: b\r\nX-C: d\r\nX-E: f\r\n").await,
        "/body-drip" => drip(stream, &loud()).await,
        "/interim-flood" => {
            let piece = b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(500);
            flood(stream, ledger, path, &piece).await;
        }
        "/many-headers" => flood(stream, ledger, path, "X-A: b\r\n".repeat(1000).as_bytes()).await,
        "/endless-trailers" => {
            flood(stream, ledger, path, "X-A: b\r\n".repeat(100).as_bytes()).await
        }
        "/endless-chunks" => {
            let chunk = format!("1000;name=value\r\n{}\r\n", "x".repeat(0x1000));
            flood(stream, ledger, path, chunk.as_bytes()).await;
        }
        "/endless-extension" => {
            let _ = stream.write_all(b"1;x=").await;
            flood(stream, ledger, path, letters.as_bytes()).await;
        }
        "/half-close" => {
            let _ = stream.write_all(&loud()).await;
            let _ = stream.shutdown().await;
            hold(stream).await;
        }
        "/reset" => {
            let _ = stream.write_all(&loud()).await;
            let _ = stream.set_zero_linger();
        }
        _ => flood(stream, ledger, path, letters.as_bytes()).await,
    }
}
