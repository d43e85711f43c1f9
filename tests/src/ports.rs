use std::{
    collections::HashSet,
    net::TcpListener,
    sync::{LazyLock, Mutex, PoisonError},
};

/// Below the range from which systems take the source ports of connections: a port that a test frees for a moment, to
/// start a node again, must not be taken by somebody's outgoing connection.
const RANGE: std::ops::Range<u16> = 14_000..31_000;

static TAKEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

/// A port nobody listens on, not given twice by this process.
pub fn free_port() -> u16 {
    free_ports(1)
}

/// The first of `count` consecutive ports nobody listens on.
pub fn free_ports(count: u16) -> u16 {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..10_000 {
        let first = rand::random_range(RANGE);
        let ports = first..first + count;
        if ports.clone().all(|port| !taken.contains(&port) && TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            taken.extend(ports);
            return first;
        }
    }
    panic!("no {count} consecutive free ports in {RANGE:?}");
}
