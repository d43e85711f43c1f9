//! What a node has acknowledged, and whether it still holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use e2e_tests::{Client, eventually, sha256};
use rand::{SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::Value;

/// Files by path, with the SHA-256 of each.
pub(crate) type Files = BTreeMap<String, String>;

/// A published version: node, dataset and number.
pub(crate) type Version = (String, String, u64);

/// Everything acknowledged, and what was asked for and not answered.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    held: Mutex<Held>,
    healed: AtomicU64,
}

#[derive(Debug, Default)]
struct Held {
    /// Draft → node and acknowledged files.
    drafts: BTreeMap<String, (String, Files)>,
    published: BTreeMap<Version, Files>,
    withdrawn: BTreeSet<(String, String)>,
    /// Drafts whose publication was asked for and not answered.
    perhaps_published: BTreeMap<String, (Version, Files)>,
    /// Datasets whose withdrawal was asked for and not answered.
    perhaps_withdrawn: BTreeSet<(String, String)>,
}

impl Facts {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("no worker panics with the facts in hand")
    }

    pub(crate) fn stored(&self, node: &str, draft: &str, path: &str, digest: String) {
        let mut held = self.held();
        let (_, files) = held.drafts.entry(draft.to_owned()).or_insert_with(|| (node.to_owned(), Files::new()));
        files.insert(path.to_owned(), digest);
    }

    pub(crate) fn asked_to_publish(&self, draft: &str, version: Version, files: Files) {
        let mut held = self.held();
        held.drafts.remove(draft);
        held.perhaps_published.insert(draft.to_owned(), (version, files));
    }

    pub(crate) fn was_published(&self, draft: &str) {
        let mut held = self.held();
        if let Some((version, files)) = held.perhaps_published.remove(draft) {
            held.published.insert(version, files);
        }
    }

    /// The node refused to publish; that is an answer too.
    pub(crate) fn was_refused(&self, draft: &str) {
        self.held().perhaps_published.remove(draft);
    }

    pub(crate) fn asked_to_withdraw(&self, node: &str, dataset: &str) {
        self.held().perhaps_withdrawn.insert((node.to_owned(), dataset.to_owned()));
    }

    pub(crate) fn was_withdrawn(&self, node: &str, dataset: &str) {
        let key = (node.to_owned(), dataset.to_owned());
        let mut held = self.held();
        held.perhaps_withdrawn.remove(&key);
        held.withdrawn.insert(key);
    }

    /// A live dataset of a node that nobody is changing, with its latest version and files.
    pub(crate) fn some_dataset(&self, node: &str, random: &mut StdRng) -> Option<(String, u64, Files)> {
        let held = self.held();
        let mut latest: BTreeMap<&String, (u64, &Files)> = BTreeMap::new();
        for ((of, dataset, version), files) in held.published.iter().filter(|((of, ..), _)| of == node) {
            let key = (of.clone(), dataset.clone());
            let changing = held.perhaps_published.values().any(|((_, other, _), _)| other == dataset);
            if !changing && !held.withdrawn.contains(&key) && !held.perhaps_withdrawn.contains(&key) {
                latest.insert(dataset, (*version, files));
            }
        }
        let all: Vec<_> = latest.into_iter().collect();
        all.choose(random).map(|(dataset, (version, files))| ((*dataset).clone(), *version, (*files).clone()))
    }

    pub(crate) fn published(&self) -> usize {
        self.held().published.len()
    }

    pub(crate) fn summary(&self) -> String {
        let held = self.held();
        format!(
            "{} versions published, {} datasets withdrawn, {} drafts, {} publications taken back by a crash and done again",
            held.published.len(),
            held.withdrawn.len(),
            held.drafts.len(),
            self.healed.load(Ordering::Relaxed)
        )
    }

    /// Checks a node after a crash: all drafts and withdrawals, and the bytes of some versions.
    pub(crate) async fn check(&self, client: &Client, node: &str, seed: u64) {
        self.settle(client, node).await;
        self.check_drafts(client, node).await;
        self.check_withdrawn(client, node).await;
        let versions: Vec<Version> = self.live(node);
        let mut random = StdRng::seed_from_u64(seed);
        for version in versions.sample(&mut random, 5) {
            self.check_version(client, version).await;
        }
        check_what_is_visible(client, node, 20).await;
    }

    /// Checks everything a node has acknowledged.
    pub(crate) async fn check_everything(&self, client: &Client, node: &str) {
        self.check_drafts(client, node).await;
        self.check_withdrawn(client, node).await;
        for version in self.live(node) {
            self.check_version(client, &version).await;
        }
        check_what_is_visible(client, node, 200).await;
    }

    /// Finds out how unanswered requests ended: they happened, or they did not and can simply be asked for again.
    pub(crate) async fn settle(&self, client: &Client, node: &str) {
        let open: Vec<_> = self.held().perhaps_published.clone().into_iter().collect();
        for (draft, ((of, dataset, number), _)) in open.into_iter().filter(|(_, ((of, ..), _))| of == node) {
            let answer = client.get(&format!("/api/v1/deposits/{draft}")).await;
            if answer.status == 200 {
                assert_eq!(answer.json()["state"], "draft", "a draft is stuck after a crash of '{of}': {answer:?}");
                client.publish(&draft).await;
                self.healed.fetch_add(1, Ordering::Relaxed);
            } else {
                answer.expect(404);
                client.get(&format!("/api/v1/datasets/{dataset}/versions/{number}")).await.expect(200);
            }
            self.was_published(&draft);
        }
        let open: Vec<_> = self.held().perhaps_withdrawn.clone().into_iter().collect();
        for (of, dataset) in open.into_iter().filter(|(of, _)| of == node) {
            if client.get(&format!("/api/v1/datasets/{dataset}")).await.status == 410 {
                self.was_withdrawn(&of, &dataset);
            } else {
                self.held().perhaps_withdrawn.remove(&(of, dataset));
            }
        }
    }

    fn live(&self, node: &str) -> Vec<Version> {
        let held = self.held();
        let live = |(of, dataset, _): &&Version| of == node && !held.withdrawn.contains(&(of.clone(), dataset.clone()));
        held.published.keys().filter(live).cloned().collect()
    }

    async fn check_drafts(&self, client: &Client, node: &str) {
        let drafts: Vec<_> = self.held().drafts.clone().into_iter().filter(|(_, (of, _))| of == node).collect();
        for (draft, (_, files)) in drafts {
            let listing = client.get(&format!("/api/v1/deposits/{draft}/files")).await.expect(200).json();
            let arrived = files_of(&listing["files"]);
            for (path, digest) in files {
                assert_eq!(arrived.get(&path), Some(&digest), "'{path}' of draft {draft} was acknowledged and is lost");
            }
        }
    }

    async fn check_withdrawn(&self, client: &Client, node: &str) {
        let withdrawn: Vec<_> = self.held().withdrawn.iter().filter(|(of, _)| of == node).cloned().collect();
        for (_, dataset) in withdrawn {
            client.get(&format!("/api/v1/datasets/{dataset}")).await.expect(410);
            eventually("a withdrawn dataset leaves the search", || async {
                let found = client.found(&format!("q={dataset}")).await;
                if found.contains(&dataset) { Err(format!("{found:?}")) } else { Ok(()) }
            })
            .await;
        }
    }

    async fn check_version(&self, client: &Client, version: &Version) {
        let files = self.held().published[version].clone();
        let (_, dataset, number) = version;
        let manifest =
            client.get(&format!("/api/v1/datasets/{dataset}/versions/{number}/manifest")).await.expect(200).json();
        let held = files_of(&manifest);
        for (path, digest) in &files {
            assert_eq!(held.get(path), Some(digest), "'{path}' of {dataset} v{number} was published and is lost");
        }
        check_bytes(client, dataset, *number, &held).await;
        eventually("a published dataset is found", || async {
            let found = client.found(&format!("q={dataset}")).await;
            if found.contains(dataset) { Ok(()) } else { Err(format!("{found:?}")) }
        })
        .await;
    }
}

/// Whatever a node shows, it has whole.
async fn check_what_is_visible(client: &Client, node: &str, most: usize) {
    let answer = client.search(&format!("node={node}&size={most}&sort=newest")).await;
    for hit in answer["hits"].as_array().into_iter().flatten() {
        let (id, version) = (hit["id"].as_str().unwrap_or_default(), hit["version"].as_u64().unwrap_or_default());
        let manifest = client.get(&format!("/api/v1/datasets/{id}/versions/{version}/manifest")).await;
        // Found a moment ago by an index that has not caught up with a withdrawal.
        if manifest.status != 410 {
            check_bytes(client, id, version, &files_of(&manifest.expect(200).json())).await;
        }
    }
}

async fn check_bytes(client: &Client, dataset: &str, version: u64, files: &Files) {
    for (path, digest) in files {
        let answer = client.get(&format!("/data/{dataset}/v{version}/{path}")).await.expect(200);
        assert_eq!(
            sha256(&answer.body),
            *digest,
            "'{path}' of {dataset} v{version} has other bytes than its manifest says"
        );
    }
}

fn files_of(list: &Value) -> Files {
    let files = list.as_array().unwrap_or_else(|| panic!("no list of files: {list}"));
    let text = |file: &Value, key: &str| file[key].as_str().unwrap_or_default().to_owned();
    files.iter().map(|file| (text(file, "path"), text(file, "sha256"))).collect()
}
