//! An audit as a stranger would do it: from the public key, the checkpoint and the tiles alone, with the Merkle tree of
//! RFC 6962 written here from the RFC, and C2SP `signed-note`, `tlog-checkpoint` and `tlog-tiles` read by hand.

use base64::{Engine, engine::general_purpose::STANDARD};
use e2e_tests::{COMPLETE, Client, Dataset, Node, Words, sha256};
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

type Hash = [u8; 32];

fn hash(parts: &[&[u8]]) -> Hash {
    let mut sha = Sha256::new();
    parts.iter().for_each(|part| sha.update(part));
    sha.finalize().into()
}

fn leaf_hash(leaf: &[u8]) -> Hash {
    hash(&[&[0], leaf])
}

/// RFC 6962 §2.1, over the hashes of leaves.
fn root_of(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => hash(&[]),
        [leaf] => *leaf,
        _ => {
            let half = leaves.len().next_power_of_two() / 2;
            hash(&[&[1], &root_of(&leaves[..half]), &root_of(&leaves[half..])])
        }
    }
}

/// RFC 9162 §2.1.3.2.
fn root_by_proof(leaf: Hash, index: u64, size: u64, proof: &[Hash]) -> Hash {
    let (mut node, mut last, mut root) = (index, size - 1, leaf);
    for step in proof {
        assert!(last > 0, "the proof is too long");
        if node & 1 == 1 || node == last {
            root = hash(&[&[1], step, &root]);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            root = hash(&[&[1], &root, step]);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    assert_eq!(last, 0, "the proof is too short");
    root
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &Value) -> Hash {
    let text = text.as_str().unwrap_or_default();
    assert_eq!(text.len(), 64, "{text}");
    std::array::from_fn(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap())
}

/// A C2SP verifier key: name, key id and Ed25519 key.
struct Key {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

impl Key {
    fn read(text: &str) -> Self {
        let (name, rest) = text.split_once('+').unwrap();
        let (id, encoded) = rest.split_once('+').unwrap();
        let bytes = STANDARD.decode(encoded).unwrap();
        assert_eq!((bytes.len(), bytes[0]), (33, 1), "not Ed25519: {text}");
        let digest = hash(&[name.as_bytes(), b"\n", &bytes]);
        assert_eq!(hex(&digest[..4]), id, "the key id does not fit the key");
        let key = VerifyingKey::from_bytes(bytes[1..].try_into().unwrap()).unwrap();
        Self { name: name.to_owned(), id: digest[..4].try_into().unwrap(), key }
    }

    /// Origin, size and root of a checkpoint that this key signed.
    fn open(&self, note: &str) -> (u64, Hash) {
        let (text, signatures) = note.split_once("\n\n").unwrap();
        let text = format!("{text}\n");
        let prefix = format!("— {} ", self.name);
        let line = signatures.lines().find_map(|line| line.strip_prefix(&prefix));
        let signature =
            STANDARD.decode(line.unwrap_or_else(|| panic!("no signature of {}: {note}", self.name))).unwrap();
        assert_eq!(signature[..4], self.id);
        let signature = Signature::from_slice(&signature[4..]).unwrap();
        self.key.verify(text.as_bytes(), &signature).expect("the checkpoint's signature");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], self.name, "the origin is the key's name");
        (lines[1].parse().unwrap(), STANDARD.decode(lines[2]).unwrap().try_into().unwrap())
    }
}

/// `x001/x234/067`, as C2SP `tlog-tiles` writes 1234067.
fn grouped(index: u64) -> String {
    let mut text = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        text = format!("x{:03}/{text}", rest % 1000);
        rest /= 1000;
    }
    text
}

async fn tile(client: &Client, level: &str, index: u64, width: u64) -> Vec<u8> {
    let partial = if width < 256 { format!(".p/{width}") } else { String::new() };
    let answer = client.get(&format!("/log/tile/{level}/{}{partial}", grouped(index))).await.expect(200);
    assert!(answer.header("cache-control").contains("immutable"), "{answer:?}");
    answer.body.to_vec()
}

/// Every tile of `size` leaves at one level, concatenated: 256 a tile.
async fn level(client: &Client, name: &str, size: u64) -> Vec<Vec<u8>> {
    let mut tiles = Vec::new();
    for index in 0..size.div_ceil(256) {
        tiles.push(tile(client, name, index, (size - index * 256).min(256)).await);
    }
    tiles
}

fn entries_of(bundle: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = bundle;
    let mut entries = Vec::new();
    while let [high, low, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        entries.push(after[..length].to_vec());
        rest = &after[length..];
    }
    assert!(rest.is_empty(), "half a length at the end of a bundle");
    entries
}

fn hashes_of(tile: &[u8]) -> Vec<Hash> {
    assert_eq!(tile.len() % 32, 0);
    tile.chunks(32).map(|chunk| chunk.try_into().unwrap()).collect()
}

/// Reads the whole log and checks it against its checkpoint; gives the checkpoint's root and the entries.
async fn audit(node: &Node) -> (Hash, Vec<Vec<u8>>) {
    let client = node.anybody();
    let description = client.get("/federation/v1/node").await.ok();
    let key = Key::read(description["public_key"].as_str().unwrap());
    assert_eq!(description["public_key"], node.setup.keys.public);
    let note = client.get("/log/checkpoint").await.expect(200).text();
    let (size, root) = key.open(&note);
    let bundles = level(&client, "entries", size).await;
    let entries: Vec<Vec<u8>> = bundles.iter().flat_map(|bundle| entries_of(bundle)).collect();
    assert_eq!(entries.len() as u64, size);
    let leaves: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    assert_eq!(root_of(&leaves), root, "the entries are not those that were signed");
    check_tiles(&client, &leaves).await;
    (root, entries)
}

/// Each level's tiles hold the roots of the complete subtrees below (C2SP `tlog-tiles`, "Merkle Tree").
async fn check_tiles(client: &Client, leaves: &[Hash]) {
    let mut below = leaves.to_vec();
    for number in 0..3 {
        let tiles = level(client, &number.to_string(), below.len() as u64).await;
        let hashes: Vec<Hash> = tiles.iter().flat_map(|tile| hashes_of(tile)).collect();
        assert!(hashes == below, "the tiles of level {number} do not fit the entries");
        below = below.chunks_exact(256).map(root_of).collect();
    }
}

/// Fills a log with catalogue records.
async fn fill(node: &Node, count: usize) {
    let mut listing = String::new();
    for number in 0..count {
        let words = Words::titled(&format!("Filler {number}"));
        listing.push_str(&words.listed(number, &format!("https://archive.example/{number}")));
    }
    let report = node.admin().import("filler", listing + COMPLETE).await.ok();
    assert_eq!(report["stored"], count, "{report:#}");
}

#[tokio::test]
async fn the_log_can_be_audited_with_the_public_key_alone() {
    let node = Node::start("europe").await;
    let (empty_root, none) = audit(&node).await;
    assert_eq!((empty_root, none.len()), (hash(&[]), 0));
    let client = node.depositor();
    for title in ["First", "Second", "Third"] {
        client.deposit(&Dataset::small(title)).await;
    }
    let (_, before) = audit(&node).await;
    assert_eq!(before.len(), 3);
    fill(&node, 600).await;
    let (_, after) = audit(&node).await;
    assert_eq!(after.len(), 603);
    assert!(after.starts_with(&before), "the log was rewritten");
    // On a slow machine so large an import is answered before search and RDF are done.
    node.assert_quiet_log(&["search or RDF is behind"]);
}

#[tokio::test]
async fn a_checkpoint_extends_the_one_before_and_survives_a_restart() {
    let mut node = Node::start("europe").await;
    let client = node.depositor();
    let first = client.deposit(&Dataset::small("First")).await;
    let (root, before) = audit(&node).await;
    client.new_version(&first.id, &Value::Null, &[("new.txt", b"new")]).await;
    client.withdraw(&first.id, "retracted").await;
    let (later_root, after) = audit(&node).await;
    assert_eq!(after.len(), 3);
    let leaves: Vec<Hash> = after[..before.len()].iter().map(|entry| leaf_hash(entry)).collect();
    assert_eq!(root_of(&leaves), root, "the older checkpoint is no beginning of the newer");
    node.restart().await;
    assert_eq!(audit(&node).await, (later_root, after));
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn an_inclusion_proof_leads_from_the_entry_to_the_signed_root() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let mut published = Vec::new();
    for number in 0..7 {
        published.push(client.deposit(&Dataset::small(&format!("Number {number}"))).await);
    }
    let key = Key::read(&node.setup.keys.public);
    let (_, entries) = audit(&node).await;
    for one in &published {
        let proof = node.anybody().get(&format!("/api/v1/datasets/{}/versions/1/proof", one.id)).await.ok();
        let (size, root) = key.open(proof["checkpoint"].as_str().unwrap());
        assert_eq!(proof["size"], size);
        assert_eq!(from_hex(&proof["root"]), root);
        let index = proof["index"].as_u64().unwrap();
        assert_eq!(index, one.index);
        let entry = &entries[usize::try_from(index).unwrap()];
        assert_eq!(canonical(&proof["entry"]), *entry, "the proof shows another entry than the log");
        let path: Vec<Hash> = proof["proof"].as_array().unwrap().iter().map(from_hex).collect();
        assert_eq!(root_by_proof(leaf_hash(entry), index, size, &path), root);
        assert_ne!(root_by_proof(leaf_hash(b"another entry"), index, size, &path), root);
    }
    node.anybody().get("/api/v1/datasets/nobody/versions/1/proof").await.problem(404);
    node.assert_quiet_log(&[]);
}

/// RFC 8785 for what entries hold: objects of strings and small integers.
fn canonical(value: &Value) -> Vec<u8> {
    let object = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
    let sorted: std::collections::BTreeMap<&String, &Value> = object.iter().collect();
    let members: Vec<String> = sorted.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    format!("{{{}}}", members.join(",")).into_bytes()
}

#[tokio::test]
async fn a_byte_is_bound_to_the_log_by_digests_all_the_way() {
    let node = Node::start("europe").await;
    let published = node.depositor().deposit(&Dataset::small("Bound")).await;
    let (_, entries) = audit(&node).await;
    let entry: Value = serde_json::from_slice(&entries[0]).unwrap();
    let version = format!("/api/v1/datasets/{}/versions/1", published.id);
    let crate_bytes = node.anybody().get(&format!("{version}/crate")).await.expect(200).body;
    assert_eq!(entry["crate"], sha256(&crate_bytes));
    let manifest = node.anybody().get(&format!("{version}/manifest")).await.ok();
    let mut leaves = Vec::new();
    for file in manifest.as_array().unwrap() {
        let (path, digest) = (file["path"].as_str().unwrap(), file["sha256"].as_str().unwrap());
        let bytes = node.anybody().get(&format!("/data/{}/v1/{path}", published.id)).await.expect(200).body;
        assert_eq!(sha256(&bytes), digest, "{path}");
        assert_eq!(file["size"], bytes.len(), "{path}");
        leaves.push(leaf_hash(format!("{path}\0{}\0{digest}", bytes.len()).as_bytes()));
    }
    assert_eq!(entry["content_root"], hex(&root_of(&leaves)), "the manifest is not the one that was signed");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn entries_are_canonical_and_name_nobody() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let words = Words { author: "Personname Unmistakable".into(), ..Words::titled("Titleword Unmistakable") };
    let published = client.deposit(&Dataset::new(&words, &[e2e_tests::Store::v05("a.ome.zarr", 1)])).await;
    client.new_version(&published.id, &words.crate_json(), &[("secretname.txt", b"x")]).await;
    fill(&node, 2).await;
    client.withdraw(&published.id, "personal-data").await;
    let (_, entries) = audit(&node).await;
    let operations: Vec<Value> =
        entries.iter().map(|bytes| serde_json::from_slice::<Value>(bytes).unwrap()["op"].clone()).collect();
    assert_eq!(operations, ["publish", "revise", "catalogue", "catalogue", "withdraw"]);
    let known = [
        "content_root",
        "crate",
        "dataset",
        "graph",
        "inventory",
        "op",
        "original",
        "previous",
        "reason",
        "source",
        "time",
        "version",
    ];
    for bytes in &entries {
        let entry: Value = serde_json::from_slice(bytes).unwrap();
        assert_eq!(canonical(&entry), *bytes, "{entry}");
        let text = String::from_utf8(bytes.clone()).unwrap();
        for word in ["Unmistakable", "Zita", "secretname", "Filler", "@", "Homo"] {
            assert!(!text.contains(word), "an entry tells '{word}': {text}");
        }
        assert!(entry.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())), "{text}");
    }
    node.assert_quiet_log(&[]);
}

/// What the node gives for a digest: the crate's bytes, or nothing.
async fn crate_by_digest(node: &Node, digest: &str) -> Option<Vec<u8>> {
    let answer = node.anybody().post("/federation/v1/crates", &json!({"digests": [digest]})).await.expect(200);
    let stream = zstd::decode_all(answer.body.as_ref()).unwrap();
    let head = stream.iter().position(|byte| *byte == b'\n').unwrap();
    let line = String::from_utf8(stream[..head].to_vec()).unwrap();
    let length = line.strip_prefix(&format!("{digest} ")).unwrap_or_else(|| panic!("{line}"));
    let length: usize = if length == "-" { return None } else { length.parse().unwrap() };
    Some(stream[head + 1..head + 1 + length].to_vec())
}

#[tokio::test]
async fn a_withdrawal_erases_the_content_and_keeps_the_proof() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let published = client.deposit(&Dataset::small("Erased")).await;
    let (_, before) = audit(&node).await;
    let entry: Value = serde_json::from_slice(&before[0]).unwrap();
    let digest = entry["crate"].as_str().unwrap();
    assert_eq!(sha256(crate_by_digest(&node, digest).await.unwrap()), digest);
    client.withdraw(&published.id, "copyright").await;
    assert_eq!(crate_by_digest(&node, digest).await, None);
    let (_, after) = audit(&node).await;
    assert_eq!(after.len(), 2);
    assert_eq!(after[0], before[0]);
    let tombstone: Value = serde_json::from_slice(&after[1]).unwrap();
    assert_eq!(
        (&tombstone["op"], &tombstone["reason"], &tombstone["previous"]),
        (&json!("withdraw"), &json!("copyright"), &json!(0))
    );
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn what_is_no_tile_is_not_found() {
    let node = Node::start("europe").await;
    node.depositor().deposit(&Dataset::small("Tiles")).await;
    let paths = [
        "0/000",
        "0/000.p/2",
        "0/000.p/0",
        "0/001.p/1",
        "1/000.p/1",
        "64/000.p/1",
        "entries/000",
        "entries/000.p/2",
        "entries/001.p/1",
        "entries/0.p/1",
        "0/x000/000.p/1",
        "-1/000",
        "0/000.p/256",
        "a/b",
        "",
        "entries",
        "0/000.p/1/x",
        "99999999999999999999/000",
    ];
    for path in paths {
        let answer = node.anybody().get(&format!("/log/tile/{path}")).await;
        assert_eq!(answer.status, 404, "{answer:?}");
    }
    for path in ["0/000.p/1", "entries/000.p/1"] {
        node.anybody().get(&format!("/log/tile/{path}")).await.expect(200);
    }
    node.assert_quiet_log(&[]);
}
