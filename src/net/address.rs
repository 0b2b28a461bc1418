//! Which addresses, ports and schemes may be reached. Feeds and their servers
//! are strangers: what they name must not lead into the network we run in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Ports of 1024 and above on which services listen that take orders from
/// whoever connects, and may understand them wrapped in HTTP.
const DENIED_PORTS: &[u16] = &[
    1080, 1433, 1521, 2049, 2181, 2375, 2376, 2379, 2380, 3128, 3306, 3389, 4369, 5432, 5672, 5900,
    5984, 6000, 6379, 6443, 6667, 7001, 8500, 9042, 9092, 9200, 9300, 10250, 10255, 11211, 15672,
    27017, 27018, 27019,
];

/// Why a URL is not requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Blocked {
    /// Neither `http` nor `https`.
    #[error("blocked scheme")]
    Scheme,
    /// A private, local or reserved address.
    #[error("blocked address")]
    Address,
    /// A port that is not for the web.
    #[error("blocked port")]
    Port,
}

/// Checks what can be known of a URL before a name is looked up. With
/// `allow_private` only the scheme counts.
///
/// # Errors
///
/// When the URL must not be requested.
pub fn check_url(url: &Url, allow_private: bool) -> Result<(), Blocked> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Blocked::Scheme);
    }
    if allow_private {
        return Ok(());
    }
    let literal_allowed = match url.host() {
        Some(Host::Domain(_)) => true,
        Some(Host::Ipv4(address)) => is_public_v4(address),
        Some(Host::Ipv6(address)) => is_public_v6(address),
        None => false,
    };
    if !literal_allowed {
        return Err(Blocked::Address);
    }
    match url.port_or_known_default() {
        Some(port) if is_web_port(port) => Ok(()),
        _ => Err(Blocked::Port),
    }
}

fn is_web_port(port: u16) -> bool {
    matches!(port, 80 | 443) || (port >= 1024 && !DENIED_PORTS.contains(&port))
}

/// Whether an address is one of the public internet, by the registries of
/// special-purpose addresses (RFC 6890). IPv4 inside IPv6 is unwrapped.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match a {
        // This network, private, loopback.
        0 | 10 | 127 => true,
        // Shared with carriers (RFC 6598).
        100 => (64..128).contains(&b),
        // Link-local, where clouds keep their metadata.
        169 => b == 254,
        172 => (16..32).contains(&b),
        // Protocol assignments, documentation, 6to4 relays, private.
        192 => matches!((b, c), (0, 0 | 2) | (88, 99) | (168, _)),
        // Benchmarks, documentation.
        198 => matches!((b, c), (18 | 19, _) | (51, 100)),
        203 => (b, c) == (0, 113),
        // Multicast, reserved, broadcast.
        _ => a >= 224,
    };
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let octets = address.octets();
    let v4_at =
        |at: usize| Ipv4Addr::new(octets[at], octets[at + 1], octets[at + 2], octets[at + 3]);
    match address.segments() {
        // IPv4-mapped, and IPv4-compatible with `::` and `::1` among them.
        [0, 0, 0, 0, 0, 0xffff | 0, _, _] => is_public_v4(v4_at(12)),
        // NAT64 (RFC 6052), and its local prefix in the one layout that is
        // unambiguous (RFC 8215).
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] | [0x64, 0xff9b, 1, 0, 0, 0, _, _] => {
            is_public_v4(v4_at(12))
        }
        // 6to4.
        [0x2002, ..] => is_public_v4(v4_at(2)),
        // Teredo names a server, and a client with its bits turned over.
        [0x2001, 0, ..] => {
            let client = Ipv4Addr::from_bits(!v4_at(12).to_bits());
            is_public_v4(v4_at(4)) && is_public_v4(client)
        }
        // Other protocol assignments, ORCHID and benchmarks among them.
        [0x2001, second, ..] if second < 0x200 => false,
        // Documentation.
        [0x2001, 0xdb8, ..] => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        // Of the rest, only 2000::/3 is handed out to the public internet.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: Result<(), Blocked>) {
        let parsed = Url::parse(url).unwrap();
        assert_eq!(check_url(&parsed, false), expected, "{url} is {parsed}");
        let open = if expected == Err(Blocked::Scheme) { expected } else { Ok(()) };
        assert_eq!(check_url(&parsed, true), open, "{url} when private is allowed");
    }

    #[test]
    fn every_spelling_of_a_private_address_is_blocked() {
        for url in [
            "http://127.0.0.1/",
            "http://127.9.9.9/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0x7f000001/",
            "http://127.1/",
            "http://0177.0.0.1/",
            "http://①②⑦.⓪.⓪.①/",
            "http://127。0。0。1/",
            "http:///127.0.0.1",
            "http:\\\\127.0.0.1\\",
            "http://127.0.0.1\\@x.test/",
            "http://user:pass@127.0.0.1/",
            "http://127.0.0.1./",
            "http://%31%32%37.0.0.1/",
            "http://0.0.0.0/",
            "http://0/",
            "https://169.254.169.254/latest/meta-data",
            "http://[::1]/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://[::127.0.0.1]/",
            "http://[64:ff9b::10.0.0.1]/",
            "http://[2002:7f00:1::]/",
            "http://[fd00:ec2::254]/",
        ] {
            check(url, Err(Blocked::Address));
        }
    }

    #[test]
    fn public_urls_pass() {
        for url in [
            "https://example.org/feed",
            "http://93.184.216.34/",
            "http://93.184.216.34:8080/",
            "https://[2606:4700::1111]:8443/",
            "http://169.254.169.254%2f@x.test/",
            "https://example.org:3000/",
        ] {
            check(url, Ok(()));
        }
    }

    #[test]
    fn only_web_schemes_and_ports_pass() {
        for url in ["ftp://example.org/", "file:///etc/passwd", "gopher://example.org:70/"] {
            check(url, Err(Blocked::Scheme));
        }
        for port in [0, 22, 25, 110, 465, 587, 1023, 3306, 5432, 6379, 11211, 27017] {
            check(&format!("http://example.org:{port}/"), Err(Blocked::Port));
        }
    }

    #[test]
    fn special_purpose_addresses_are_not_public() {
        for text in [
            "0.1.2.3",
            "10.1.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.10",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::10.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:0:10.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b:1::10.0.0.1",
            "64:ff9b:1:7f00:0:1::",
            "100::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "3fff::1",
            "2001:2::1",
            "2001:20::1",
            "2002:a00:1::1",
            "2002:c0a8:101::1",
            // Teredo with a private server, and with the private client 10.0.0.1.
            "2001:0:a00:1::f5ff:fffe",
            "2001:0:5db8:d822::f5ff:fffe",
            "4000::1",
            "5f00::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn neighbours_of_special_purpose_addresses_are_public() {
        for text in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "126.0.0.1",
            "128.0.0.1",
            "169.253.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "64:ff9b:1::1.1.1.1",
            "2002:101:101::1",
            "2001:0:5db8:d822::a247:27dd",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00:1450:4001::1",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }
}
