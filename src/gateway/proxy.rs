//! The PROXY protocol, version 2: a balancer in front names the source of a connection. It is read only from
//! the balancers in the configuration, and always from them: anybody able to leave it out could also make it
//! up.

use std::io;
use std::net::IpAddr;

use ppp::v2::{Addresses, Command, Header};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Bytes before addresses and extensions.
const FIXED: usize = 16;
/// Addresses and extensions, bytes: ample for the headers of balancers.
const LONGEST: usize = 4096;

/// Reads the header, and nothing after it. Returns the source's address; None if the balancer speaks for
/// itself (health checks).
pub(super) async fn source(socket: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<IpAddr>> {
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "no PROXY protocol header");
    let mut bytes = vec![0; FIXED];
    socket.read_exact(&mut bytes).await?;
    if !bytes.starts_with(ppp::v2::PROTOCOL_PREFIX) {
        return Err(wrong());
    }
    let length = usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
    if length > LONGEST {
        return Err(wrong());
    }
    bytes.resize(FIXED + length, 0);
    socket.read_exact(&mut bytes[FIXED..]).await?;
    let header = Header::try_from(bytes.as_slice()).map_err(|_| wrong())?;
    Ok(match (header.command, header.addresses) {
        (Command::Local, _) => None,
        (Command::Proxy, Addresses::IPv4(addresses)) => Some(IpAddr::V4(addresses.source_address)),
        (Command::Proxy, Addresses::IPv6(addresses)) => {
            Some(IpAddr::V6(addresses.source_address).to_canonical())
        }
        (Command::Proxy, Addresses::Unix(_) | Addresses::Unspecified) => return Err(wrong()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> (io::Result<Option<IpAddr>>, Vec<u8>) {
        let mut stream = bytes;
        let source = source(&mut stream).await;
        (source, stream.to_vec())
    }

    #[tokio::test]
    async fn headers_are_read_and_nothing_after_them() {
        let prefix = b"\r\n\r\n\0\r\nQUIT\n";
        let make = |rest: &[u8]| [prefix.as_slice(), rest, b"TLS"].concat();
        let v4 = make(&[
            0x21, 0x11, 0, 12, 192, 0, 2, 7, 10, 0, 0, 1, 0x9c, 0x40, 0x20, 0xfb,
        ]);
        let (source, rest) = read(&v4).await;
        assert_eq!(
            (source.unwrap(), rest.as_slice()),
            (Some("192.0.2.7".parse().unwrap()), b"TLS".as_slice())
        );
        let mut v6 = vec![0x21, 0x21, 0, 36];
        v6.extend("2001:db8::7".parse::<std::net::Ipv6Addr>().unwrap().octets());
        v6.extend([0; 20]);
        assert_eq!(
            read(&make(&v6)).await.0.unwrap(),
            Some("2001:db8::7".parse().unwrap())
        );
        assert_eq!(
            read(&make(&[0x20, 0, 0, 0])).await.0.unwrap(),
            None,
            "a health check"
        );
        for wrong in [
            &[0x21, 0x11, 0, 4, 1, 2, 3, 4][..],
            &[0x11, 0x11, 0, 0],
            &[0x21, 0x11, 0xff, 0xff],
            &[0x21, 0x00, 0, 0],
        ] {
            assert!(read(&make(wrong)).await.0.is_err(), "{wrong:?}");
        }
        assert!(read(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.0.is_err());
        assert!(read(&v4[..20]).await.0.is_err());
    }
}
