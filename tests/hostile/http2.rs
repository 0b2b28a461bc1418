//! Floods of HTTP/2 frames (RFC 9113), written by hand: a proper library
//! would not send them.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::Ledger;
use crate::behaviour::{PAUSE, quiet};

/// The floods; the place in this list is the last part of the address.
pub const FLOODS: [&str; 8] = [
    "continuations",
    "empty-continuations",
    "pings",
    "settings",
    "resets",
    "window-updates",
    "empty-data",
    "header-bomb",
];

pub fn host(at: usize) -> String {
    format!("127.0.4.{}", at + 1)
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
/// `:status: 200` in HPACK (RFC 7541).
const OK: &[u8] = &[0x88];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// What comes first, and what comes after it without end.
fn flood(name: &str) -> (Vec<u8>, Vec<u8>) {
    let line = b"\x00\x03x-a\x01b".repeat(1000);
    let open = frame(HEADERS, 0, 1, OK);
    match name {
        "continuations" => (open, frame(CONTINUATION, 0, 1, &line)),
        "empty-continuations" => (open, frame(CONTINUATION, 0, 1, &[])),
        "pings" => (Vec::new(), frame(PING, 0, 0, &[7; 8])),
        "settings" => (Vec::new(), frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100])),
        "resets" => (Vec::new(), frame(RST_STREAM, 0, 1, &[0, 0, 0, 8])),
        "window-updates" => (Vec::new(), frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1])),
        "empty-data" => (frame(HEADERS, END_HEADERS, 1, OK), frame(DATA, 0, 1, &[])),
        // One long line put into the table, then named again and again.
        _ => {
            let mut long = b"\x88\x40\x03x-b\x7f\xa1\x1e".to_vec();
            long.extend_from_slice(&[b'y'; 4000]);
            (frame(HEADERS, 0, 1, &long), frame(CONTINUATION, 0, 1, &[0xbe; 10_000]))
        }
    }
}

pub async fn misbehave(stream: TcpStream, acceptor: TlsAcceptor, ledger: Ledger) {
    let ip = stream.local_addr().unwrap().ip().to_string();
    ledger.count(&ip);
    let at = ip.rsplit('.').next().unwrap().parse::<usize>().unwrap() - 1;
    let is_hostile = ledger.begin(&ip);
    let Ok(stream) = acceptor.accept(stream).await else { return ledger.end(&ip) };
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (reader, writer) = tokio::io::split(stream);
    let talk = async {
        if !is_hostile {
            // What comes is read to its end, so that the answer is not reset.
            tokio::join!(drain(reader), behave(writer));
            return;
        }
        tokio::select! {
            () = drain(reader) => {}
            () = pour(writer, &ledger, &ip, flood(FLOODS[at])) => {}
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(90), talk).await;
    ledger.end(&ip);
}

/// A proper answer to the first request.
async fn behave(mut writer: impl AsyncWrite + Unpin) {
    // The request has to be there before its answer.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let frames = [
        frame(SETTINGS, 0, 0, &[]),
        frame(SETTINGS, ACK, 0, &[]),
        frame(HEADERS, END_HEADERS, 1, OK),
        frame(DATA, END_STREAM, 1, &quiet()),
    ];
    let _ = writer.write_all(&frames.concat()).await;
    let _ = writer.shutdown().await;
}

async fn drain(mut reader: impl AsyncRead + Unpin) {
    let mut ignored = [0; 4096];
    while matches!(reader.read(&mut ignored).await, Ok(1..)) {}
}

async fn pour(
    mut writer: impl AsyncWrite + Unpin,
    ledger: &Ledger,
    ip: &str,
    (first, then): (Vec<u8>, Vec<u8>),
) {
    let begin = [frame(SETTINGS, 0, 0, &[]), first].concat();
    let piece = then.repeat((16 << 10) / then.len() + 1);
    // The request has to be there before its answer.
    tokio::time::sleep(Duration::from_millis(300)).await;
    if writer.write_all(&begin).await.is_err() {
        return;
    }
    for _ in 0..100_000 {
        if writer.write_all(&piece).await.is_err() {
            return;
        }
        ledger.add(ip, piece.len());
        tokio::time::sleep(PAUSE).await;
    }
}
