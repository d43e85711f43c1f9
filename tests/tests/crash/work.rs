//! What depositors do all the while: new datasets, new versions, withdrawals.

use std::sync::Arc;

use e2e_tests::{Answer, Client, Dataset, Store, Words, sha256};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::Method;
use serde_json::Value;
use tokio::sync::RwLock;

use crate::facts::{Facts, Files};

/// Works until it is aborted. A request that is not answered is left as it is: the check finds out how it ended.
pub(crate) async fn work(client: Client, facts: Arc<Facts>, working: Arc<RwLock<()>>, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let worker = Worker { client, facts };
    loop {
        let _turn = working.read().await;
        let node = worker.node_name().await;
        // Not answered: the node is down just now.
        let Some(node) = node else { continue };
        // Nothing comes back when the node was killed in between; the check finds out what happened.
        let _: Option<()> = match random.random_range(0..10) {
            0 => worker.withdraw(&node, &mut random).await,
            1..4 => worker.revise(&node, &mut random).await,
            _ => worker.deposit(&node, &mut random).await,
        };
    }
}

struct Worker {
    client: Client,
    facts: Arc<Facts>,
}

impl Worker {
    async fn node_name(&self) -> Option<String> {
        let answer = self.ask(Method::GET, "/federation/v1/node", None).await?;
        answer.json()["id"].as_str().map(str::to_owned)
    }

    async fn deposit(&self, node: &str, random: &mut StdRng) -> Option<()> {
        let name = format!("image-{}.ome.zarr", random.random_range(0..1000));
        let store =
            if random.random() { Store::v05(&name, random.random()) } else { Store::v04(&name, random.random()) };
        let dataset = Dataset::new(&Words::titled(&format!("Cells {}", random.random_range(0..1_000_000))), &[store]);
        let draft = self.ask(Method::POST, "/api/v1/deposits", Some(&dataset.crate_json)).await?.expect(201).json();
        let draft = draft["id"].as_str()?.to_owned();
        let files = self.send_files(node, &draft, &dataset).await?;
        self.publish(&draft, (node.to_owned(), draft.clone(), 1), files).await
    }

    /// A new version with one chunk changed and the rest inherited.
    async fn revise(&self, node: &str, random: &mut StdRng) -> Option<()> {
        let (dataset, version, mut files) = self.facts.some_dataset(node, random)?;
        let answer = self.ask(Method::POST, &format!("/api/v1/datasets/{dataset}/versions"), None).await?;
        // Another worker withdrew it a moment ago.
        if answer.status == 410 {
            return None;
        }
        let draft = answer.expect(201).json();
        // Another worker has published a version meanwhile: this draft would be a later one.
        if draft["version"].as_u64()? != version + 1 {
            return None;
        }
        let draft = draft["id"].as_str()?.to_owned();
        let chunk = files.keys().find(|path| !path.ends_with("json") && !path.contains("/.z"))?.clone();
        let bytes: Vec<u8> = (0..64).map(|_| random.random()).collect();
        self.put(node, &draft, &chunk, &bytes).await?;
        files.insert(chunk, sha256(&bytes));
        self.publish(&draft, (node.to_owned(), dataset, version + 1), files).await
    }

    async fn withdraw(&self, node: &str, random: &mut StdRng) -> Option<()> {
        let (dataset, ..) = self.facts.some_dataset(node, random)?;
        self.facts.asked_to_withdraw(node, &dataset);
        let answer = self.ask(Method::POST, &format!("/api/v1/datasets/{dataset}/withdraw"), None).await?;
        assert!(matches!(answer.status, 200 | 410), "{answer:?}");
        self.facts.was_withdrawn(node, &dataset);
        Some(())
    }

    async fn send_files(&self, node: &str, draft: &str, dataset: &Dataset) -> Option<Files> {
        let mut files = Files::new();
        for (path, bytes) in &dataset.files {
            self.put(node, draft, path, bytes).await?;
            files.insert(path.clone(), sha256(bytes));
        }
        Some(files)
    }

    async fn put(&self, node: &str, draft: &str, path: &str, bytes: &[u8]) -> Option<()> {
        let request = self.client.put_file_request(draft, path, bytes);
        self.client.try_send(request).await.ok()?.expect(201);
        self.facts.stored(node, draft, path, sha256(bytes));
        Some(())
    }

    async fn publish(&self, draft: &str, version: (String, String, u64), files: Files) -> Option<()> {
        self.facts.asked_to_publish(draft, version, files);
        let answer = self.ask(Method::POST, &format!("/api/v1/deposits/{draft}/publish"), None).await?;
        // Two workers may revise one dataset at once: one of them comes too late, and its draft stays a draft.
        if matches!(answer.status, 409 | 410) {
            self.facts.was_refused(draft);
            return None;
        }
        answer.expect(201);
        self.facts.was_published(draft);
        Some(())
    }

    /// The answer, or nothing when the node did not give one.
    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Option<Answer> {
        let request = self.client.request(method, path);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.client.try_send(request).await.ok()
    }
}
