//! A stream that hands out one line at a time, and not without end.
//!
//! The mail library keeps what it has read ahead when it begins TLS. A server,
//! or somebody between, could send replies in clear behind the answer to
//! STARTTLS, and they would be taken for replies that came encrypted. When no
//! read goes beyond a line, nothing is ever ahead: such bytes reach the TLS
//! handshake instead, and fail it.
//!
//! The library also keeps a reply until its line ends, however long it gets.

#![expect(
    deprecated,
    reason = "AsyncNetworkStream: needed until a release of lettre sets TCP_NODELAY itself (lettre#1159)"
)]

use std::fmt::Debug;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::client::{AsyncNetworkStream, AsyncTokioStream, TlsParameters};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, BufReader, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt as _};

/// What a server may say while it takes one mail; a few hundred bytes is usual.
const MAX_REPLIES: usize = 256 * 1024;
/// The library reads a reply anew from its first line for each line that comes.
/// Encrypted bytes have such ends too, one in 256.
const MAX_LINES: usize = 2_000;

#[derive(Debug)]
pub(super) struct LineStream<S> {
    stream: BufReader<S>,
    peer: SocketAddr,
    left: usize,
    lines: usize,
}

impl LineStream<TcpStream> {
    /// In clear, until STARTTLS.
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        let peer = stream.peer_addr()?;
        Ok(Self { stream: BufReader::new(stream), peer, left: MAX_REPLIES, lines: MAX_LINES })
    }
}

impl LineStream<Compat<AsyncNetworkStream>> {
    /// Encrypted from the first byte. The library could do it too, but on a
    /// connection whose small writes wait for each other.
    pub(super) async fn encrypted(
        plain: LineStream<TcpStream>,
        tls: TlsParameters,
    ) -> Result<Self, SmtpError> {
        let peer = plain.peer;
        // The handshake needs more than a reply does, certificates above all;
        // the library bounds it.
        let tcp = Box::new(plain.stream.into_inner());
        let mut stream = AsyncNetworkStream::use_existing_tokio1(tcp);
        stream.upgrade_tls(tls).await?;
        let stream = BufReader::new(stream.compat());
        Ok(Self { stream, peer, left: MAX_REPLIES, lines: MAX_LINES })
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for LineStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let limit = self.left.min(buffer.remaining());
        let no_more_lines = self.lines == 0;
        let available = ready!(Pin::new(&mut self.stream).poll_fill_buf(context))?;
        let line = available.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let taken = line.unwrap_or(available.len()).min(limit);
        if (taken == 0 || no_more_lines) && !available.is_empty() {
            return Poll::Ready(Err(io::Error::other("the server's replies do not end")));
        }
        let ended = usize::from(line == Some(taken));
        buffer.put_slice(&available[..taken]);
        Pin::new(&mut self.stream).consume(taken);
        self.left -= taken;
        self.lines -= ended;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for LineStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.stream.get_mut()).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.get_mut()).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.get_mut()).poll_shutdown(context)
    }
}

impl<S> AsyncTokioStream for LineStream<S>
where
    S: AsyncRead + AsyncWrite + Debug + Send + Sync + Unpin,
{
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}
