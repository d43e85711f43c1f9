//! Names of peers are looked up here, so that none of them leads into the network this node stands in.

use std::{fmt, net::SocketAddr, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::Reach;

/// Looks names up, and keeps the addresses that may be asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resolver {
    narrowest: Reach,
}

/// A name that leads only to addresses that are not asked.
#[derive(Debug)]
pub(crate) struct LeadsInside;

impl fmt::Display for LeadsInside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("its name leads to an address inside a network")
    }
}

impl std::error::Error for LeadsInside {}

impl Resolver {
    /// A resolver that gives public addresses, and those of private networks where `private` allows it.
    pub(crate) fn new(private: bool) -> Arc<Self> {
        Arc::new(Self { narrowest: if private { Reach::Private } else { Reach::Public } })
    }

    /// The addresses of a name that may be asked.
    fn admit(self, name: &str, found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, LeadsInside> {
        // Whoever writes this name means this machine.
        let is_here = name == "localhost" || name.ends_with(".localhost");
        let narrowest = if is_here { Reach::Machine } else { self.narrowest };
        let admitted: Vec<_> = found.filter(|address| Reach::of_ip(address.ip()) <= narrowest).collect();
        if admitted.is_empty() { Err(LeadsInside) } else { Ok(admitted) }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = *self;
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let admitted = resolver.admit(name.as_str(), found.into_iter())?;
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}

/// Whether a request failed because of where its name leads.
pub(crate) fn leads_inside(error: &reqwest::Error) -> bool {
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(cause) = next {
        if cause.is::<LeadsInside>() {
            return true;
        }
        next = cause.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(private: bool, name: &str, addresses: &[&str]) -> Vec<String> {
        let found = addresses.iter().map(|address| format!("{address}:0").parse().unwrap());
        let admitted = Resolver::new(private).admit(name, found).unwrap_or_default();
        admitted.into_iter().map(|address| address.ip().to_string()).collect()
    }

    #[test]
    fn a_public_name_never_leads_into_a_network() {
        let addresses =
            ["10.0.0.8", "93.184.216.34", "169.254.169.254", "127.0.0.1", "[::1]", "[fd12::1]", "[fe80::1]"];
        assert_eq!(admitted(false, "peer.example", &addresses), ["93.184.216.34"]);
        assert_eq!(admitted(true, "peer.example", &addresses), ["10.0.0.8", "93.184.216.34", "fd12::1"]);
        assert_eq!(admitted(false, "peer.example", &["169.254.169.254"]), [""; 0]);
        assert_eq!(admitted(false, "localhost", &["127.0.0.1", "169.254.169.254"]), ["127.0.0.1"]);
        assert_eq!(admitted(true, "evillocalhost", &["127.0.0.1"]), [""; 0]);
    }
}
