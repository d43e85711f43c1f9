//! One inventory by itself (section 3.5).

use std::collections::{BTreeMap, HashMap, HashSet};

use dataset_model::Timestamp;
use serde_json::{Map, Value};

use super::{
    faults::Faults,
    fixity::Algorithm,
    paths::{CONTENT, LOGICAL, PathCodes},
    versions,
};

/// Paths by digest, as written.
pub(super) type Block = BTreeMap<String, Vec<String>>;

/// An inventory as far as it could be understood.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) id: Option<String>,
    /// The version of OCFL its type names.
    pub(super) spec: Option<(u32, u32)>,
    pub(super) algorithm_name: String,
    pub(super) algorithm: Option<Algorithm>,
    pub(super) head: Option<String>,
    pub(super) content_directory: String,
    pub(super) manifest: Block,
    /// The blocks of the versions, by number, each with its name.
    pub(super) versions: BTreeMap<u32, (String, VersionBlock)>,
    pub(super) fixity: Vec<(Algorithm, Block)>,
}

/// One version's block.
#[derive(Debug, Default)]
pub(super) struct VersionBlock {
    pub(super) state: Block,
    /// When, why and who, to be compared between inventories.
    pub(super) about: [Option<Value>; 3],
}

impl Checked {
    pub(super) fn sidecar_name(&self) -> String {
        format!("inventory.json.{}", self.algorithm_name)
    }
}

/// The version of OCFL in a text such as `1.1`, when it is known here.
pub(super) fn spec_number(text: &str) -> Option<(u32, u32)> {
    match text {
        "1.0" => Some((1, 0)),
        "1.1" => Some((1, 1)),
        _ => None,
    }
}

/// Checks an inventory; `at` is its path. Gives nothing when it is no JSON object.
pub(super) fn check(bytes: &[u8], at: &str, faults: &mut Faults) -> Option<Checked> {
    let mut fields = match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => {
            faults.add("E034", at, "the inventory is no JSON object");
            return None;
        }
        Err(error) => {
            faults.add("E033", at, format!("the inventory is no JSON: {error}"));
            return None;
        }
    };
    let algorithm_name = check_algorithm(fields.get("digestAlgorithm"), at, faults);
    let manifest = check_manifest(fields.remove("manifest"), at, faults);
    let versions = check_versions(fields.remove("versions"), &manifest, at, faults);
    let checked = Checked {
        id: check_id(fields.get("id"), at, faults),
        spec: check_type(fields.get("type"), at, faults),
        algorithm: Algorithm::named(&algorithm_name),
        algorithm_name,
        head: check_head(fields.get("head"), &versions, at, faults),
        content_directory: check_content_directory(fields.get("contentDirectory"), at, faults),
        manifest,
        versions,
        fixity: check_fixity(fields.remove("fixity"), at, faults),
    };
    check_places(&checked, at, faults);
    Some(checked)
}

fn check_id(id: Option<&Value>, at: &str, faults: &mut Faults) -> Option<String> {
    let id = match id {
        None => {
            faults.add("E036", at, "the inventory has no id");
            return None;
        }
        Some(Value::String(id)) if !id.is_empty() => id,
        Some(_) => {
            faults.add("E037", at, "the id is empty or no text");
            return None;
        }
    };
    if !is_uri(id) {
        faults.add("W005", at, format!("the id '{id}' should be a URI"));
    }
    Some(id.clone())
}

/// Whether a text begins with a scheme (RFC 3986, section 3.1).
fn is_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    })
}

fn check_type(kind: Option<&Value>, at: &str, faults: &mut Faults) -> Option<(u32, u32)> {
    let Some(kind) = kind else {
        faults.add("E036", at, "the inventory has no type");
        return None;
    };
    let version =
        kind.as_str().and_then(|kind| kind.strip_prefix("https://ocfl.io/")?.strip_suffix("/spec/#inventory"));
    let spec = version.and_then(spec_number);
    if spec.is_none() {
        faults.add("E038", at, format!("the type {kind} is not that of an OCFL inventory known here"));
    }
    spec
}

fn check_algorithm(name: Option<&Value>, at: &str, faults: &mut Faults) -> String {
    match name.map(Value::as_str) {
        None => faults.add("E036", at, "the inventory has no digestAlgorithm"),
        Some(Some("sha512")) => {}
        Some(Some("sha256")) => faults.add("W004", at, "sha512 is advised in place of sha256"),
        Some(_) => faults.add("E025", at, "the digestAlgorithm is neither sha512 nor sha256"),
    }
    name.and_then(Value::as_str).unwrap_or("sha512").to_owned()
}

fn check_head(
    head: Option<&Value>,
    versions: &BTreeMap<u32, (String, VersionBlock)>,
    at: &str,
    faults: &mut Faults,
) -> Option<String> {
    let Some(head) = head else {
        faults.add("E036", at, "the inventory has no head");
        return None;
    };
    let last = versions.values().next_back().map(|(name, _)| name.as_str());
    if head.as_str().is_none() || head.as_str() != last {
        faults.add("E040", at, format!("the head {head} is not the last version"));
    }
    head.as_str().map(str::to_owned)
}

fn check_content_directory(name: Option<&Value>, at: &str, faults: &mut Faults) -> String {
    match name.map(Value::as_str) {
        None => {}
        Some(Some("." | "..")) => faults.add("E018", at, "contentDirectory may not be '.' or '..'"),
        Some(Some(name)) if !name.contains('/') && !name.is_empty() => return name.to_owned(),
        Some(_) => faults.add("E017", at, "contentDirectory is not the name of one folder"),
    }
    "content".to_owned()
}

fn check_manifest(manifest: Option<Value>, at: &str, faults: &mut Faults) -> Block {
    let manifest = match manifest {
        None => {
            faults.add("E041", at, "the inventory has no manifest");
            return Block::new();
        }
        Some(manifest) => block(manifest, ("E041", "E092"), "manifest", at, faults),
    };
    check_digest_case(&manifest, "E096", at, faults);
    check_paths(&manifest, &CONTENT, at, faults);
    manifest
}

fn check_versions(
    blocks: Option<Value>,
    manifest: &Block,
    at: &str,
    faults: &mut Faults,
) -> BTreeMap<u32, (String, VersionBlock)> {
    let blocks = match blocks {
        Some(Value::Object(blocks)) => blocks,
        None => {
            faults.add("E041", at, "the inventory has no versions");
            return BTreeMap::new();
        }
        Some(_) => {
            faults.add("E044", at, "versions is no JSON object");
            return BTreeMap::new();
        }
    };
    let names: Vec<String> = blocks.keys().cloned().collect();
    let numbers = versions::check_sequence(names.iter().map(String::as_str), at, faults);
    let by_name: HashMap<&str, u32> = numbers.into_iter().map(|(number, name)| (name, number)).collect();
    let mut checked = BTreeMap::new();
    let mut used = HashSet::new();
    for (name, value) in blocks {
        let version = check_version(&name, value, manifest, at, faults);
        used.extend(version.state.keys().cloned());
        if let Some(number) = by_name.get(name.as_str()) {
            checked.insert(*number, (name, version));
        }
    }
    for digest in manifest.keys().filter(|digest| !used.contains(*digest)) {
        faults.add("E107", at, format!("no version uses the manifest's digest {digest}"));
    }
    checked
}

fn check_version(name: &str, value: Value, manifest: &Block, at: &str, faults: &mut Faults) -> VersionBlock {
    let Value::Object(mut fields) = value else {
        faults.add("E047", at, format!("the block of {name} is no JSON object"));
        return VersionBlock::default();
    };
    match fields.get("created").map(Value::as_str) {
        None => faults.add("E048", at, format!("{name} does not say when it was created")),
        Some(created) if created.is_some_and(|created| created.parse::<Timestamp>().is_ok()) => {}
        Some(_) => faults.add("E049", at, format!("{name} was created at no time as RFC 3339 writes it")),
    }
    check_about(name, &fields, at, faults);
    let about = ["created", "message", "user"].map(|key| fields.remove(key));
    let Some(state) = fields.remove("state") else {
        faults.add("E048", at, format!("{name} has no state"));
        return VersionBlock { about, ..VersionBlock::default() };
    };
    let state = block(state, ("E050", "E051"), &format!("state of {name}"), at, faults);
    for digest in state.keys().filter(|digest| !manifest.contains_key(*digest)) {
        faults.add("E050", at, format!("{name} uses the digest {digest}, which the manifest has not"));
    }
    check_paths(&state, &LOGICAL, at, faults);
    VersionBlock { state, about }
}

/// Checks who made a version and why (sections 3.5.3.2 and 3.5.3.3).
fn check_about(name: &str, fields: &Map<String, Value>, at: &str, faults: &mut Faults) {
    if fields.get("message").is_none() || fields.get("user").is_none() {
        faults.add("W007", at, format!("{name} should have a message and a user"));
    }
    if fields.get("message").is_some_and(|message| !message.is_string()) {
        faults.add("E094", at, format!("the message of {name} is no text"));
    }
    let Some(user) = fields.get("user") else { return };
    if user.get("name").and_then(Value::as_str).is_none_or(str::is_empty) {
        faults.add("E054", at, format!("the user of {name} has no name"));
        return;
    }
    match user.get("address").map(Value::as_str) {
        None => faults.add("W008", at, format!("the user of {name} should have an address")),
        Some(Some(address)) if is_uri(address) => {}
        Some(_) => faults.add("W009", at, format!("the address of the user of {name} should be a URI")),
    }
}

fn check_fixity(fixity: Option<Value>, at: &str, faults: &mut Faults) -> Vec<(Algorithm, Block)> {
    let fields = match fixity {
        None => return Vec::new(),
        Some(Value::Object(fields)) => fields,
        Some(_) => {
            faults.add("E111", at, "fixity is no JSON object");
            return Vec::new();
        }
    };
    let mut checked = Vec::new();
    for (name, digests) in fields {
        let digests = block(digests, ("E057", "E057"), &format!("fixity block of {name}"), at, faults);
        check_digest_case(&digests, "E097", at, faults);
        check_each_path(&digests, &CONTENT, at, faults);
        checked.extend(Algorithm::named(&name).map(|algorithm| (algorithm, digests)));
    }
    checked
}

/// Checks that content paths begin with a version and the content folder, and fixity names content only.
fn check_places(checked: &Checked, at: &str, faults: &mut Faults) {
    let names: HashSet<&str> = checked.versions.values().map(|(name, _)| name.as_str()).collect();
    let listed: HashSet<&str> = checked.manifest.values().flatten().map(String::as_str).collect();
    for path in checked.manifest.values().flatten() {
        let mut elements = path.splitn(3, '/');
        let inside = elements.next().is_some_and(|version| names.contains(version))
            && elements.next() == Some(checked.content_directory.as_str())
            && elements.next().is_some();
        if !inside {
            faults.add("E042", at, format!("'{path}' stands in no version's content folder"));
        }
    }
    let fixity = checked.fixity.iter().flat_map(|(_, digests)| digests.values().flatten());
    for path in fixity.filter(|path| !listed.contains(path.as_str())) {
        faults.add("E093", at, format!("fixity names '{path}', which the manifest has not"));
    }
}

/// Reads paths by digest; `codes` are for a value that is no object, and for one in it that is no list of texts.
fn block(value: Value, codes: (&'static str, &'static str), what: &str, at: &str, faults: &mut Faults) -> Block {
    let Value::Object(fields) = value else {
        faults.add(codes.0, at, format!("the {what} is no JSON object"));
        return Block::new();
    };
    let mut read = Block::new();
    for (digest, paths) in fields {
        match serde_json::from_value(paths) {
            Ok(paths) => {
                read.insert(digest, paths);
            }
            Err(_) => faults.add(codes.1, at, format!("in the {what}, {digest} has no list of paths")),
        }
    }
    read
}

fn check_digest_case(block: &Block, code: &'static str, at: &str, faults: &mut Faults) {
    let mut seen = HashSet::new();
    for digest in block.keys().filter(|digest| !seen.insert(digest.to_ascii_lowercase())) {
        faults.add(code, at, format!("the digest {digest} is there twice, in capital and small letters"));
    }
}

fn check_paths(block: &Block, codes: &PathCodes, at: &str, faults: &mut Faults) {
    check_each_path(block, codes, at, faults);
    for (code, message) in codes.conflicts(block.values().flatten().map(String::as_str)) {
        faults.add(code, at, message);
    }
}

fn check_each_path(block: &Block, codes: &PathCodes, at: &str, faults: &mut Faults) {
    for (code, message) in block.values().flatten().filter_map(|path| codes.fault_of(path)) {
        faults.add(code, at, message);
    }
}
