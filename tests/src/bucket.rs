use std::process::{Child, Command, Stdio};

use reqwest::Method;

use crate::{Client, eventually, free_port, python};

/// A bucket of an S3-compatible server (moto, which keeps it in memory), gone when this is dropped.
#[derive(Debug)]
pub struct Bucket {
    /// The server's address.
    pub endpoint: String,
    server: Child,
}

/// The bucket's name.
pub const BUCKET: &str = "images";

impl Bucket {
    /// Starts the server and makes the bucket.
    ///
    /// # Panics
    /// When the server does not become ready.
    pub async fn new() -> Self {
        let port = free_port();
        let server = Command::new(python().with_file_name("moto_server"))
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starting moto_server: run 'make test-tools'");
        let bucket = Self { endpoint: format!("http://127.0.0.1:{port}"), server };
        let client = bucket.client();
        eventually("the bucket is there", || async {
            let answer = client.try_send(client.request(Method::PUT, &format!("/{BUCKET}"))).await?;
            if answer.status == 200 { Ok(()) } else { Err(format!("{answer:?}")) }
        })
        .await;
        bucket
    }

    /// What programs that use the bucket find in their surroundings.
    pub fn variables(&self) -> Vec<(String, String)> {
        let pairs = [
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", self.endpoint.as_str()),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    fn client(&self) -> Client {
        Client::new(&self.endpoint, None)
    }

    /// Puts an object.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn put(&self, key: &str, bytes: Vec<u8>) {
        let client = self.client();
        client.send(client.request(Method::PUT, &format!("/{BUCKET}/{key}")).body(bytes)).await.expect(200);
    }

    /// The keys of all objects whose key begins with this.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn keys(&self, prefix: &str) -> Vec<String> {
        let answer = self.client().get(&format!("/{BUCKET}?list-type=2&prefix={prefix}")).await.expect(200).text();
        answer.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next()).map(str::to_owned).collect()
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        // Both fail only when it has ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
