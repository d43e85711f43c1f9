//! Downloading a version from whoever has it, every byte checked back to the signed log.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use dataset_model::{DatasetId, Digest, Digester, FilePath, ManifestFile, NodeId, VersionNumber};
use federation::{
    FederationError, FileAddress, Holders, Limits, LogKeys, Meter, PeerClient, ProvenVersion, Puller, VersionProof,
};
use futures::{StreamExt, TryStreamExt};
use indicatif::ProgressBar;
use serde_json::Value;
use tokio::io::AsyncReadExt;

use super::{deposit::progress, escape};

/// The largest answer that is no list of files, in bytes.
const ANSWER: u64 = 64 << 20;
/// Where files are collected until they are whole.
const PARTS: &str = ".heliograph-parts";
/// The node that is asked when none is named.
const HERE: &str = "http://127.0.0.1:8101";

/// What to fetch, and how.
#[derive(Debug, Clone)]
pub(crate) struct FetchPlan {
    /// A dataset's id or IRI.
    pub what: String,
    pub dest: PathBuf,
    /// Only this image's folder.
    pub image: Option<String>,
    pub version: Option<VersionNumber>,
    /// The public key of the node that published it.
    pub key: Option<String>,
    /// The node to ask.
    pub node: Option<String>,
    /// More nodes to download from, the best first.
    pub from: Vec<String>,
    /// Files fetched at the same time.
    pub parallel: usize,
}

/// What was fetched, and from whom.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Fetched {
    pub id: DatasetId,
    pub iri: String,
    pub version: u32,
    /// Files that are there now, and their bytes.
    pub files: u64,
    pub bytes: u64,
    /// Files that were there already, complete and right.
    pub reused: u64,
    /// Files by the address of the node they came from.
    pub sources: BTreeMap<String, u64>,
    /// Nodes that failed or lied, with what they did.
    pub left_out: BTreeMap<String, String>,
    pub key: String,
    /// Why the key is believed.
    pub trust: String,
    /// Name and size of the signed log, and the index of the version's entry.
    pub log: String,
    pub log_size: u64,
    pub index: u64,
}

/// A dataset as a node describes it.
struct Described {
    id: DatasetId,
    asked: PeerClient,
    record: Value,
}

/// The key that everything is checked against.
struct Trusted {
    keys: LogKeys,
    why: String,
}

/// Fetches what the plan says.
pub(crate) async fn fetch(plan: &FetchPlan) -> Result<Fetched> {
    let described = describe(plan).await?;
    let told = described.record["version"].as_u64().and_then(|number| u32::try_from(number).ok());
    let version = match (plan.version, told) {
        (Some(version), _) => version,
        (None, told) => VersionNumber::try_from(told.context("the node does not say which version is the newest")?)?,
    };
    let trusted = trust(plan, &described).await?;
    let candidates = candidates(plan, &described)?;
    let (trusted, proven) = prove_by_any_key(&described, version, trusted, &candidates).await?;
    let sources = Holders::new(candidates);
    let manifest = sources.manifest(&proven.files()).await?;
    let files = chosen(plan, &described, manifest.files())?;
    let bytes = files.iter().map(|file| file.size).sum();
    let bar = progress("fetching", bytes, false);
    let work = Work { id: described.id.clone(), version, dest: plan.dest.clone(), sources, bar: bar.clone() };
    let given = work.run(&files, plan.parallel).await;
    bar.finish_and_clear();
    let given = given?;
    let mut by_source: BTreeMap<String, u64> = BTreeMap::new();
    given.iter().flatten().for_each(|name| *by_source.entry(name.clone()).or_default() += 1);
    Ok(Fetched {
        iri: described.record["iri"].as_str().unwrap_or_default().to_owned(),
        version: version.get(),
        files: files.len() as u64,
        bytes,
        reused: given.iter().filter(|source| source.is_none()).count() as u64,
        sources: by_source,
        left_out: work.sources.left_out().into_iter().collect(),
        key: trusted.keys.current().to_string(),
        trust: trusted.why,
        log: proven.checkpoint.origin.clone(),
        log_size: proven.checkpoint.size,
        index: proven.index,
        id: described.id,
    })
}

fn client(url: &str) -> Result<PeerClient> {
    let parsed = url.parse().with_context(|| format!("'{url}' is no address"))?;
    Ok(PeerClient::new(parsed, limits())?)
}

/// Whoever runs the command may reach what this machine reaches.
fn limits() -> Limits {
    Limits { private_addresses: true, ..Limits::default() }
}

/// The id, and the nodes to ask about it, in this order.
fn read_what(plan: &FetchPlan) -> Result<(DatasetId, Vec<String>)> {
    let (id, home) = match plan.what.rsplit_once("/datasets/") {
        Some((home, rest)) => (rest.split(['/', '?', '#']).next().unwrap_or_default(), Some(home.to_owned())),
        None => (plan.what.as_str(), None),
    };
    let id = id.parse().with_context(|| format!("'{}' is neither a dataset's id nor its address", plan.what))?;
    let mut nodes: Vec<String> = plan.node.iter().cloned().chain(home).collect();
    if nodes.is_empty() {
        nodes.push(HERE.to_owned());
    }
    nodes.extend(plan.from.iter().cloned());
    Ok((id, nodes))
}

/// What the first node that answers says about the dataset.
async fn describe(plan: &FetchPlan) -> Result<Described> {
    let (id, nodes) = read_what(plan)?;
    let mut said = Vec::new();
    for url in nodes {
        let asked = client(&url)?;
        match asked.json(&format!("/api/v1/datasets/{}", escape(id.as_str())), ANSWER).await {
            Ok(record) => return Ok(Described { id, asked, record }),
            Err(FederationError::Refused { status: 410, .. }) => bail!("dataset '{id}' was withdrawn, says {url}"),
            Err(error) => said.push(error.to_string()),
        }
    }
    bail!("nobody describes dataset '{id}': {}", said.join("; "))
}

/// The key of the node that published the dataset: the one given, or the one that the asked node has pinned.
async fn trust(plan: &FetchPlan, described: &Described) -> Result<Trusted> {
    if let Some(key) = &plan.key {
        return Ok(Trusted { keys: LogKeys::new(key.parse()?), why: "the key given".to_owned() });
    }
    let (asked, home) = (&described.asked, described.record["node"]["id"].as_str().unwrap_or_default());
    let (key, why) = if described.record["own"] == true {
        let node = asked.description().await?;
        (node.public_key, format!("the key that {} tells of itself: compare it with its operator", asked.base()))
    } else {
        let peers: Vec<Value> = asked.json("/api/v1/peers", ANSWER).await?;
        let peer = peers.iter().find(|peer| peer["id"] == home);
        let key = peer.and_then(|peer| peer["public_key"].as_str());
        let key = key.with_context(|| format!("{} does not follow '{home}': give its key with --key", asked.base()))?;
        (key.to_owned(), format!("the key that {} has pinned for '{home}'", asked.base()))
    };
    Ok(Trusted { keys: LogKeys::new(key.parse()?), why })
}

/// Who may have the bytes, by address: those named, the asked node where it has them, the origin, other mirrors.
fn candidates(plan: &FetchPlan, described: &Described) -> Result<Vec<(String, PeerClient)>> {
    let record = &described.record;
    let has = record["own"] == true || record["copy"].is_object();
    let asked = has.then(|| described.asked.base().to_owned());
    let origin = record["node"]["url"].as_str().map(str::to_owned);
    let mirrors = record["mirrors"].as_array().into_iter().flatten();
    let mirrors = mirrors.filter_map(|mirror| mirror["url"].as_str().map(str::to_owned));
    let all = plan.from.iter().cloned().chain(asked).chain(origin).chain(mirrors);
    all.map(|url| Ok((url.trim_end_matches('/').to_owned(), client(&url)?))).collect()
}

/// The version's entry, proved to be in the log that the trusted key signs, or one that it led to since.
async fn prove_by_any_key(
    described: &Described,
    version: VersionNumber,
    trusted: Trusted,
    candidates: &[(String, PeerClient)],
) -> Result<(Trusted, ProvenVersion)> {
    let unproven = match prove(described, version, &trusted, candidates).await {
        Ok(proven) => return Ok((trusted, proven)),
        Err(unproven) => unproven,
    };
    let Some(keys) = led_on(described, &trusted.keys, candidates).await else {
        return Err(unproven.context(format!("no change of key leads on from {}", trusted.why)));
    };
    let why = format!("{}, and the keys that followed it, each signed by the one before", trusted.why);
    let mut trusted = Trusted { keys, why };
    let proven = prove(described, version, &trusted, candidates).await?;
    let origin = described.record["node"]["url"].as_str().context("the node does not say who published the dataset")?;
    let puller = Puller::new(origin.parse()?, trusted.keys.current().clone(), limits())?;
    match puller.require_changes_in(&trusted.keys, &proven.checkpoint).await {
        Ok(()) => {}
        Err(error) if error.is_peer_fault() => return Err(error.into()),
        Err(error) => trusted.why.push_str(&format!(" (whether they fit the log is not checked: {error})")),
    }
    Ok((trusted, proven))
}

/// The keys that a key led to, as the node that published the dataset tells, or one that follows it.
async fn led_on(described: &Described, keys: &LogKeys, candidates: &[(String, PeerClient)]) -> Option<LogKeys> {
    let home: NodeId = described.record["node"]["id"].as_str()?.parse().ok()?;
    for client in std::iter::once(&described.asked).chain(candidates.iter().map(|(_, client)| client)) {
        let chain = client.key_chain_of(&home).await;
        if let Ok(led) = chain.and_then(|chain| keys.led_on_by(&chain)) {
            return Some(led);
        }
    }
    None
}

/// The version's entry, proved to be in the log that one of the keys signs.
async fn prove(
    described: &Described,
    version: VersionNumber,
    trusted: &Trusted,
    candidates: &[(String, PeerClient)],
) -> Result<ProvenVersion> {
    let path = format!("/api/v1/datasets/{}/versions/{version}/proof", escape(described.id.as_str()));
    let mut said = Vec::new();
    for client in std::iter::once(&described.asked).chain(candidates.iter().map(|(_, client)| client)) {
        let told = client.json::<VersionProof>(&path, ANSWER).await;
        match told.and_then(|proof| proof.verify_by(&trusted.keys, &described.id, version)) {
            Ok(proven) => return Ok(proven),
            Err(error) => said.push(format!("{}: {error}", client.base())),
        }
    }
    said.dedup();
    bail!("nobody proves {} {version} against {}. {}", described.id, trusted.why, said.join("; "))
}

/// The files asked for.
fn chosen(plan: &FetchPlan, described: &Described, files: &[ManifestFile]) -> Result<Vec<ManifestFile>> {
    let Some(image) = &plan.image else { return Ok(files.to_vec()) };
    let folder = format!("{}/", image.trim_end_matches('/'));
    let below: Vec<ManifestFile> =
        files.iter().filter(|file| file.path.as_str().starts_with(&folder)).cloned().collect();
    if below.is_empty() {
        let images = described.record["images"].as_array().into_iter().flatten();
        let names: Vec<&str> = images.filter_map(|image| image["path"].as_str()).collect();
        bail!("the version has no image '{image}'; it has: {}", names.join(", "));
    }
    Ok(below)
}

/// A download under way.
struct Work {
    id: DatasetId,
    version: VersionNumber,
    dest: PathBuf,
    sources: Holders,
    bar: ProgressBar,
}

impl Work {
    /// Brings every file; gives who gave each, nothing for those that were there.
    async fn run(&self, files: &[ManifestFile], parallel: usize) -> Result<Vec<Option<String>>> {
        let parts = self.dest.join(PARTS);
        std::fs::create_dir_all(&parts).with_context(|| format!("making {}", parts.display()))?;
        let bar = self.bar.clone();
        let meter = Meter::new(None, move |bytes| bar.inc(bytes));
        let fetched = files.iter().map(|file| self.bring(file, &parts, &meter));
        let given = futures::stream::iter(fetched).buffer_unordered(parallel).try_collect().await?;
        // Only when nothing is left in it.
        let _ = std::fs::remove_dir(&parts);
        Ok(given)
    }

    async fn bring(&self, file: &ManifestFile, parts: &Path, meter: &Meter) -> Result<Option<String>> {
        let at = self.dest.join(file.path.as_str());
        if is_right(&at, file).await? {
            self.bar.inc(file.size);
            return Ok(None);
        }
        let part = parts.join(part_name(&file.path, &file.sha256));
        let address = FileAddress { dataset: &self.id, version: self.version, file };
        let source = self.sources.download(address, &part, meter).await?;
        let folder = at.parent().unwrap_or(&self.dest);
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        std::fs::rename(&part, &at).with_context(|| format!("putting {} in place", at.display()))?;
        Ok(Some(source))
    }
}

/// Two files with the same bytes are collected apart.
fn part_name(path: &FilePath, sha256: &Digest) -> String {
    Digest::of(format!("{path}\0{sha256}")).to_string()
}

/// Whether a file is there with the right bytes.
async fn is_right(at: &Path, file: &ManifestFile) -> Result<bool> {
    match std::fs::metadata(at) {
        Ok(about) if about.len() == file.size && about.is_file() => {}
        _ => return Ok(false),
    }
    let mut open = tokio::fs::File::open(at).await.with_context(|| format!("reading {}", at.display()))?;
    let (mut digester, mut buffer) = (Digester::default(), vec![0; 1 << 18]);
    loop {
        match open.read(&mut buffer).await? {
            0 => return Ok(digester.finish() == file.sha256),
            count => digester.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(what: &str, node: Option<&str>) -> FetchPlan {
        FetchPlan {
            what: what.into(),
            dest: "out".into(),
            image: None,
            version: None,
            key: None,
            node: node.map(str::to_owned),
            from: vec!["http://mirror.example".into()],
            parallel: 1,
        }
    }

    #[test]
    fn a_dataset_is_named_by_id_or_by_address() {
        let read = |what: &str, node| {
            let (id, nodes) = read_what(&plan(what, node)).unwrap();
            (id.to_string(), nodes)
        };
        let mirror = "http://mirror.example".to_owned();
        assert_eq!(read("europe-1", None), ("europe-1".into(), vec![HERE.into(), mirror.clone()]));
        let (id, nodes) = read("https://eu.example/x/datasets/europe-1/versions/v2", Some("http://jp.example"));
        assert_eq!(id, "europe-1");
        assert_eq!(nodes, ["http://jp.example", "https://eu.example/x", &mirror]);
        assert!(read_what(&plan("https://eu.example/about", None)).is_err());
    }
}
