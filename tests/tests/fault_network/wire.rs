//! The network between two nodes, with faults: a proxy on the level of bytes.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
};

/// What happens to one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// It is closed at once.
    Lost,
    /// Its first answer comes late.
    Delayed,
    /// It ends after so many bytes of what is answered.
    CutOff(usize),
    /// One byte of what is answered is another.
    Altered(usize),
    /// What is answered says that it is of another type.
    WrongType,
    /// What is answered is something else altogether.
    Nonsense,
}

impl Fault {
    fn random(random: &mut StdRng) -> Self {
        match random.random_range(0..10) {
            0 => Self::Lost,
            1 => Self::Delayed,
            2 | 3 => Self::CutOff(random.random_range(1..6000)),
            4 | 5 => Self::Altered(random.random_range(0..3000)),
            6 => Self::WrongType,
            7 => Self::Nonsense,
            _ => Self::None,
        }
    }
}

/// One way through the network. Its faults are drawn from a seed, one for each connection.
pub(crate) struct Wire {
    to: String,
    /// Whether there are faults now.
    faulty: AtomicBool,
    random: Mutex<StdRng>,
    injected: AtomicU64,
}

impl Wire {
    /// A wire to a node's port; gives its own address.
    pub(crate) async fn to(port: u16, seed: u64) -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let wire = Arc::new(Self {
            to: format!("127.0.0.1:{port}"),
            faulty: AtomicBool::new(true),
            random: Mutex::new(StdRng::seed_from_u64(seed)),
            injected: AtomicU64::new(0),
        });
        let server = wire.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.carry(client).await });
            }
        });
        (wire, url)
    }

    /// No more faults from now on; connections that are open keep theirs.
    pub(crate) fn heal(&self) {
        self.faulty.store(false, Ordering::SeqCst);
    }

    /// Connections that were tampered with.
    pub(crate) fn injected(&self) -> u64 {
        self.injected.load(Ordering::SeqCst)
    }

    fn next_fault(&self) -> Fault {
        if !self.faulty.load(Ordering::SeqCst) {
            return Fault::None;
        }
        Fault::random(&mut self.random.lock().expect("nobody panics while drawing"))
    }

    async fn carry(&self, mut client: TcpStream) {
        let fault = self.next_fault();
        self.injected.fetch_add(u64::from(fault != Fault::None), Ordering::SeqCst);
        if fault == Fault::Lost {
            return;
        }
        // The node behind may be down; then so is the wire.
        let Ok(mut node) = TcpStream::connect(&self.to).await else { return };
        let (mut from_client, mut to_client) = client.split();
        let (mut from_node, mut to_node) = node.split();
        // When one direction ends, so does the other.
        tokio::select! {
            _ = copy(&mut from_client, &mut to_node) => {}
            () = answer(&mut from_node, &mut to_client, fault) => {}
        }
    }
}

/// Passes on what a node answers, with a fault.
async fn answer(from: &mut (impl AsyncReadExt + Unpin), to: &mut (impl AsyncWriteExt + Unpin), fault: Fault) {
    let (mut piece, mut passed) = (vec![0; 16 * 1024], 0);
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        let mut bytes = piece[..length].to_vec();
        let mut last = false;
        match fault {
            // A wait is what the fault is; nothing is waited for.
            Fault::Delayed if passed == 0 => tokio::time::sleep(Duration::from_millis(300)).await,
            Fault::CutOff(after) if passed + length > after => {
                bytes.truncate(after.saturating_sub(passed));
                last = true;
            }
            Fault::Altered(at) => {
                if let Some(byte) = at.checked_sub(passed).and_then(|at| bytes.get_mut(at)) {
                    *byte ^= 1;
                }
            }
            Fault::WrongType if passed == 0 => bytes = with_another_type(&bytes),
            Fault::Nonsense => {
                bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 21\r\n\r\n<html>captive portal".to_vec();
                last = true;
            }
            _ => {}
        }
        passed += length;
        if to.write_all(&bytes).await.is_err() || last {
            return;
        }
    }
}

/// The head of an answer with the type of a web page, as portals of hotels give it.
fn with_another_type(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let Some(start) = text.find("content-type: ") else { return bytes.to_vec() };
    let end = text[start..].find("\r\n").map_or(bytes.len(), |end| start + end);
    [&bytes[..start], b"content-type: text/html", &bytes[end..]].concat()
}
