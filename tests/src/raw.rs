use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::Answer;

/// Sends a request exactly as written, target included: clients resolve `..` and escapes before a server sees them.
/// `base` is the node's address, such as `http://127.0.0.1:8101`.
///
/// # Panics
/// When the node cannot be reached or answers no HTTP.
pub async fn raw_request(base: &str, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let host = base.trim_start_matches("http://");
    let mut request = format!(
        "{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    let mut stream = TcpStream::connect(host).await.unwrap_or_else(|error| panic!("connecting to {base}: {error}"));
    stream.write_all(request.as_bytes()).await.expect("sending the head of a request");
    // A server may refuse before it has read the body.
    let _ = stream.write_all(body).await;
    let mut answer = Vec::new();
    // The same goes for the end of the connection: what was answered until then counts.
    let _ = stream.read_to_end(&mut answer).await;
    read(format!("{method} {target}"), &answer)
}

fn read(asked: String, bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("{asked}: no HTTP answer: {:?}", String::from_utf8_lossy(bytes)));
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("{asked}: no status: {head}"));
    let headers: HeaderMap = lines.filter_map(|line| line.split_once(':')).filter_map(header).collect();
    Answer { asked, status, headers, body: Bytes::copy_from_slice(&bytes[end + 4..]) }
}

fn header((name, value): (&str, &str)) -> Option<(HeaderName, HeaderValue)> {
    Some((name.parse().ok()?, value.trim().parse().ok()?))
}
