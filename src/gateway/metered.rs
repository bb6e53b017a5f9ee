//! The records of a handshake, counted. TLS lets a client cut its messages into any number of records, and
//! each costs the server work, however short it is.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Records of a client before the end of its handshake, at most. The largest accepted handshake has a hundred
/// with 512 bytes each, the least a client may ask for (RFC 6066, section 4).
const MOST_RECORDS: usize = 256;
/// The head of a record: its type, a version, its length (RFC 8446, section 5.1).
const HEAD: usize = 5;

/// A socket with a limit of `MOST_RECORDS` records, until the limit is lifted.
#[derive(Debug)]
pub(super) struct Metered<S> {
    inner: S,
    records: Option<Records>,
}

/// A client cuts its handshake into too many records.
#[derive(Debug, thiserror::Error)]
#[error("a handshake of too many records")]
pub(super) struct TooManyRecords;

/// The position in the stream, and the number of records still allowed.
#[derive(Debug)]
struct Records {
    left: usize,
    /// Bytes of a record's head so far.
    head: usize,
    /// Bytes of a record's body to come; while the head comes, the length read so far.
    body: usize,
}

impl<S> Metered<S> {
    /// A socket before the handshake.
    pub(super) fn new(inner: S) -> Self {
        Self {
            inner,
            records: Some(Records {
                left: MOST_RECORDS,
                head: 0,
                body: 0,
            }),
        }
    }

    /// The socket underneath, for its options.
    pub(super) fn inner(&self) -> &S {
        &self.inner
    }

    /// Lifts the limit: the handshake is over.
    pub(super) fn lift(&mut self) {
        self.records = None;
    }
}

impl Records {
    /// Counts the records in these bytes. An error if there are too many.
    fn count(&mut self, mut bytes: &[u8]) -> Result<(), TooManyRecords> {
        while let Some((byte, rest)) = bytes.split_first() {
            if self.head == HEAD {
                let taken = self.body.min(bytes.len());
                self.body -= taken;
                bytes = &bytes[taken..];
            } else {
                if self.head == 0 {
                    self.left = self.left.checked_sub(1).ok_or(TooManyRecords)?;
                }
                self.head += 1;
                // The last two octets of the head are the length.
                self.body = self.body << 8 & 0xff00 | usize::from(*byte);
                bytes = rest;
            }
            if self.head == HEAD && self.body == 0 {
                self.head = 0;
            }
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(context, buffer);
        let counted = self
            .records
            .as_mut()
            .map_or(Ok(()), |records| records.count(&buffer.filled()[before..]));
        match counted {
            Ok(()) => polled,
            Err(error) => Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error))),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    fn record(octets: usize) -> Vec<u8> {
        [
            &[22, 3, 3][..],
            &u16::try_from(octets).unwrap().to_be_bytes(),
            &vec![0xff; octets],
        ]
        .concat()
    }

    /// Whether all of it is read, in pieces of so many bytes.
    async fn is_read(bytes: &[u8], piece: usize) -> bool {
        let mut socket = Metered::new(bytes);
        let mut buffer = vec![0; piece];
        loop {
            match socket.read(&mut buffer).await {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return !error.get_ref().unwrap().is::<TooManyRecords>(),
            }
        }
    }

    #[tokio::test]
    async fn records_are_counted_however_they_come_and_whatever_is_in_them() {
        for octets in [0, 1, 255, 256, 16_000] {
            for piece in [1, 4, 5, 6, 4096, 1 << 20] {
                assert!(
                    is_read(&record(octets).repeat(MOST_RECORDS), piece).await,
                    "{octets} by {piece}"
                );
                let one_more = [record(octets).repeat(MOST_RECORDS), vec![22]].concat();
                assert!(!is_read(&one_more, piece).await, "{octets} by {piece}");
            }
        }
        let mut lifted = Metered::new(&[0; 4096][..]);
        lifted.lift();
        assert_eq!(lifted.read_to_end(&mut Vec::new()).await.unwrap(), 4096);
    }
}
