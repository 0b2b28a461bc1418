//! Receivers that no sender deserves, on raw sockets.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// What our side of a connection may hold back; the kernel doubles it.
const SEND_BUFFER: u32 = 16 * 1024;

/// What a receiver does to whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Takes the request and says nothing.
    Hang,
    /// Answers one byte a second: at every other request it begins with the body.
    Drip,
    /// Resets the connection: at every other request amid the answer.
    Reset,
    /// Says 200 and never stops talking: at every other request with a short breath between two
    /// chunks, so that what was written is nearly what was read.
    Endless,
}

pub(crate) const FAULTS: [Fault; 4] = [Fault::Hang, Fault::Drip, Fault::Reset, Fault::Endless];

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) id: String,
    pub(crate) at: Instant,
    /// Bytes of the answer that our kernel took.
    pub(crate) written: u64,
}

/// The server and its notes; it ends when it is dropped.
pub(crate) struct Bad {
    pub(crate) fault: Fault,
    addr: SocketAddr,
    visits: Arc<Mutex<Vec<Visit>>>,
    task: JoinHandle<()>,
}

impl Bad {
    pub(crate) fn start(fault: Fault) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // Accepted connections inherit it: less lies between what is written and what is read.
        socket.set_send_buffer_size(SEND_BUFFER).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(128).unwrap();
        let addr = listener.local_addr().unwrap();
        let visits = Arc::default();
        let task = tokio::spawn(accept_all(listener, fault, Arc::clone(&visits)));
        Self { fault, addr, visits, task }
    }

    pub(crate) fn name(&self) -> String {
        format!("{:?}", self.fault).to_lowercase()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.addr)
    }

    pub(crate) fn visits(&self) -> Vec<Visit> {
        self.visits.lock().unwrap().clone()
    }
}

impl Drop for Bad {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept_all(listener: TcpListener, fault: Fault, visits: Arc<Mutex<Vec<Visit>>>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("accepting a connection");
        // Each byte of a drip is to go out by itself.
        let _ = stream.set_nodelay(true);
        let visits = Arc::clone(&visits);
        connections.spawn(async move {
            // Whoever asks may leave when it likes.
            let _ = serve(stream, fault, &visits).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(mut stream: TcpStream, fault: Fault, visits: &Mutex<Vec<Visit>>) -> io::Result<()> {
    let id = read_request(&mut stream).await?;
    let number = {
        let mut visits = visits.lock().unwrap();
        visits.push(Visit { id, at: Instant::now(), written: 0 });
        visits.len() - 1
    };
    let is_odd = !number.is_multiple_of(2);
    let note = |bytes: usize| visits.lock().unwrap()[number].written += bytes as u64;
    match fault {
        Fault::Hang => {
            // Nothing more comes; this ends when the other side leaves.
            stream.read_u8().await.map(drop)
        }
        Fault::Drip => drip(&mut stream, is_odd).await,
        Fault::Reset => {
            if is_odd {
                stream.write_all(b"HTTP/1.1 2").await?;
            }
            // Without lingering a socket that is closed resets its connection.
            stream.set_zero_linger()
        }
        Fault::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n").await?;
            loop {
                note(stream.write(&[b'x'; 4096]).await?);
                if is_odd {
                    // The pace of the server; it waits for nothing.
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        }
    }
}

/// One byte a second, until the other side leaves.
async fn drip(stream: &mut TcpStream, begins_with_body: bool) -> io::Result<()> {
    if begins_with_body {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n").await?;
    }
    let head = b"HTTP/1.1 200 OK\r\nX-Patience: ".iter().copied();
    for byte in head.chain(std::iter::repeat(b'x')) {
        stream.write_u8(byte).await?;
        // The pace is the fault; it waits for nothing.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

/// Reads a whole request, so that a reset is not for want of that; returns its `webhook-id`.
async fn read_request(stream: &mut TcpStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        if let Some((head, body)) = split_head(&bytes) {
            let length = header(head, "content-length").and_then(|length| length.parse().ok());
            if body >= length.unwrap_or(0) {
                return Ok(header(head, "webhook-id").unwrap_or_default().to_owned());
            }
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// The head, if all of it is there, and how much has come of the body.
fn split_head(bytes: &[u8]) -> Option<(&str, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, bytes.len() - end - 4))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
}
