use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// From where an address can be reached. A node that is itself reached from everywhere has no business naming an address
/// inside somebody's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// From everywhere.
    Public,
    /// From inside a private network.
    Private,
    /// From the same machine.
    Machine,
    /// From nowhere one would want to ask: link-local, multicast, unspecified or reserved.
    Nowhere,
}

impl Reach {
    /// The narrowest of the addresses that a URL's host stands for; nothing when it stands for none.
    pub async fn of(url: &Url) -> Option<Self> {
        match url.host()? {
            Host::Ipv4(address) => Some(Self::of_v4(address)),
            Host::Ipv6(address) => Some(Self::of_v6(address)),
            Host::Domain(name) => {
                let found = tokio::net::lookup_host((name, url.port_or_known_default()?)).await.ok()?;
                found.map(|address| Self::of_ip(address.ip())).max()
            }
        }
    }

    pub(crate) fn of_ip(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        let [first, second, third, _] = address.octets();
        let shared = first == 100 && (64..128).contains(&second);
        let reserved = first == 0 || first >= 240 || (first, second, third) == (192, 0, 0);
        if address.is_loopback() {
            Self::Machine
        } else if address.is_private() || shared {
            Self::Private
        } else if address.is_link_local() || address.is_multicast() || address.is_documentation() || reserved {
            Self::Nowhere
        } else {
            Self::Public
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        if let Some(mapped) = address.to_ipv4_mapped() {
            return Self::of_v4(mapped);
        }
        if address.is_loopback() {
            Self::Machine
        } else if address.is_unique_local() {
            Self::Private
        } else if (address.segments()[0] & 0xe000) == 0x2000 {
            Self::Public
        } else {
            Self::Nowhere
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_inside_networks_are_told_from_public_ones() {
        for (host, reach) in [
            ("93.184.216.34", Reach::Public),
            ("[2606:2800:220:1::1]", Reach::Public),
            ("10.0.0.8", Reach::Private),
            ("172.16.3.1", Reach::Private),
            ("192.168.1.1", Reach::Private),
            ("100.64.0.1", Reach::Private),
            ("[fd12::1]", Reach::Private),
            ("[::ffff:10.0.0.8]", Reach::Private),
            ("127.0.0.1", Reach::Machine),
            ("127.8.8.8", Reach::Machine),
            ("[::1]", Reach::Machine),
            ("[::ffff:127.0.0.1]", Reach::Machine),
            ("2130706433", Reach::Machine),
            ("0x7f.1", Reach::Machine),
            ("169.254.169.254", Reach::Nowhere),
            ("0.0.0.0", Reach::Nowhere),
            ("224.0.0.1", Reach::Nowhere),
            ("255.255.255.255", Reach::Nowhere),
            ("[fe80::1]", Reach::Nowhere),
            ("[::]", Reach::Nowhere),
        ] {
            let url = Url::parse(&format!("http://{host}/")).unwrap();
            assert_eq!(Reach::of(&url).await, Some(reach), "{host}");
        }
    }
}
