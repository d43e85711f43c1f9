// tidy: long because every section of the configuration file stands in one place, where its description is checked against it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use dataset_model::NodeId;
use node::{ForeignConverter, JobLimits, Limits, MirrorSetting, NodeConfig, PeerConfig, ScrubSchedule, SourceConfig};
use reqwest::Url;
use serde::Deserialize;

use crate::foreign::{Bioformats2raw, ForeignLimits};

/// The configuration of one node: a TOML file, over which environment variables `HELIOGRAPH_<SECTION>_<KEY>` are laid.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Who the node is.
    pub node: NodeSection,
    /// How it is reached.
    pub server: ServerSection,
    /// Where it keeps things.
    pub storage: StorageSection,
    /// Whom it follows.
    pub federation: FederationSection,
    /// `[[sources]]`: whom it harvests that is no node.
    pub sources: Vec<SourceSection>,
    /// What it takes at most.
    pub limits: LimitsSection,
    /// How it does what takes long.
    pub jobs: JobsSection,
    /// How it reads microscope files.
    pub import: ImportSection,
    /// What it writes to its log.
    pub log: LogSection,
}

/// `[node]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NodeSection {
    /// Short name in the federation: lower-case letters, digits, hyphens. It is part of every dataset id.
    pub id: String,
    /// Title on pages, and the publisher of deposits that name none.
    pub title: String,
    /// A sentence or two about the repository.
    pub about: String,
    /// Country, shown on the federation page.
    pub country: Option<String>,
    /// Whom to write to about the repository; OAI-PMH harvesters are told. `postmaster` at the node's host when not given.
    pub admin_email: Option<String>,
    /// The address under which others reach the node. Dataset IRIs start with it: choose it once.
    pub public_url: Option<String>,
}

/// `[server]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSection {
    /// Address and port to listen on.
    pub listen: SocketAddr,
}

/// `[storage]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StorageSection {
    /// Folder of ledger, RDF, search index, keys and caches; on a local disk.
    pub data_dir: PathBuf,
    /// Where the archive is: `file` (in `data_dir/archive`), a folder's path, or `s3://bucket/prefix`.
    pub archive: String,
    /// Where copies of peers' bytes are: `file` (in `data_dir/mirror`), a folder's path, or `s3://bucket/prefix`.
    pub mirror: String,
    /// Address of an S3-compatible server; leave out for AWS. Credentials come from `AWS_ACCESS_KEY_ID` and the like.
    pub s3_endpoint: Option<String>,
    /// Region of the bucket.
    pub s3_region: Option<String>,
    /// Whether the S3 server may be spoken to without TLS.
    pub s3_allow_http: bool,
    /// Days after which every stored byte is read again and compared with its digest; 0 is never.
    pub scrub_days: u64,
    /// The most that is read for it in a second, in bytes.
    pub scrub_bytes_per_second: u64,
}

/// `[federation]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FederationSection {
    /// Seconds between two looks at a peer's checkpoint.
    pub poll_seconds: u64,
    /// How many peers must have cosigned a checkpoint of this node's log before it is shown.
    pub witnesses_required: usize,
    /// Whether peers are told at once when this node publishes.
    pub hints: bool,
    /// Seconds a live search waits for a peer.
    pub live_seconds: u64,
    /// Whether names of peers may lead to addresses of private networks, such as 10.0.0.0/8.
    pub private_peers: bool,
    /// `[[federation.peers]]`
    pub peers: Vec<PeerSection>,
}

/// `[[federation.peers]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerSection {
    /// The peer's name.
    pub id: String,
    /// The peer's address.
    pub url: String,
    /// The peer's public key, from its federation page: `name+hash+base64`.
    pub public_key: String,
    /// How many other peers must have cosigned its checkpoint before new entries are taken.
    #[serde(default)]
    pub witnesses_required: usize,
    /// Which of its datasets are copied: `none`, `all`, or `{ query = "…", max_dataset_bytes = …, max_total_bytes = … }`.
    #[serde(default)]
    pub mirror: MirrorSetting,
    /// The most that is copied from it in a second, in bytes; as fast as it goes when not given.
    pub mirror_bytes_per_second: Option<u64>,
}

/// `[[sources]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSection {
    /// The source's name: letters, digits, hyphens. It begins the ids of its records.
    pub name: String,
    /// `index`, `oai` or `sitemap`.
    pub kind: String,
    /// Its address.
    pub url: String,
    /// Seconds between two harvests; 0 for those that are asked for only.
    #[serde(default = "a_day")]
    pub interval_seconds: u64,
    /// The form of metadata to ask an OAI-PMH provider for.
    pub format: Option<String>,
    /// The set to ask an OAI-PMH provider for.
    pub set: Option<String>,
    /// Other origins that its links may lead to.
    #[serde(default)]
    pub also: Vec<String>,
    /// Seconds an answer may take.
    #[serde(default = "a_minute")]
    pub answer_seconds: u64,
}

fn a_day() -> u64 {
    24 * 60 * 60
}

fn a_minute() -> u64 {
    60
}

/// `[limits]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsSection {
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Files in one deposit.
    pub deposit_files: u64,
    /// Bytes of all files of one archive, unpacked.
    pub archive_bytes: u64,
    /// Bytes of one RO-Crate.
    pub crate_bytes: u64,
    /// Bytes of pixels one converted image may have, its smaller levels included.
    pub converted_bytes: u64,
    /// Seconds one SPARQL query may take.
    pub sparql_seconds: u64,
    /// Rows one SPARQL answer may have.
    pub sparql_rows: usize,
    /// Bytes of memory one SPARQL query may take.
    pub sparql_memory_bytes: u64,
    /// Bytes of drawn pictures kept on disk.
    pub render_cache_bytes: u64,
    /// Bytes that must be free on the disk before anything new is taken in.
    pub free_disk_bytes: u64,
}

/// `[jobs]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JobsSection {
    /// Jobs done at the same time.
    pub running_jobs: usize,
    /// Jobs that one owner may have waiting or running.
    pub owner_jobs: usize,
}

/// `[import]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportSection {
    /// The program bioformats2raw, for formats that are not read here.
    pub bioformats2raw: Option<PathBuf>,
    /// Seconds it may take for one file.
    pub foreign_seconds: u64,
    /// Bytes of memory that each of its processes may write to.
    pub foreign_memory_bytes: u64,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSection {
    /// `text` or `json`.
    pub format: String,
    /// Level or filter, such as `info` or `info,node=debug`.
    pub level: String,
}

impl Default for NodeSection {
    fn default() -> Self {
        Self {
            id: "local".into(),
            title: "Heliograph node".into(),
            about: String::new(),
            admin_email: None,
            country: None,
            public_url: None,
        }
    }
}

impl Default for ServerSection {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8101)) }
    }
}

impl Default for StorageSection {
    fn default() -> Self {
        Self {
            data_dir: "heliograph-data".into(),
            archive: "file".into(),
            mirror: "file".into(),
            s3_endpoint: None,
            s3_region: None,
            s3_allow_http: false,
            scrub_days: ScrubSchedule::default().days,
            scrub_bytes_per_second: ScrubSchedule::default().bytes_per_second,
        }
    }
}

impl Default for FederationSection {
    fn default() -> Self {
        Self {
            poll_seconds: 30,
            witnesses_required: 0,
            hints: true,
            live_seconds: 2,
            private_peers: false,
            peers: Vec::new(),
        }
    }
}

impl Default for LimitsSection {
    fn default() -> Self {
        let Limits {
            file_bytes,
            deposit_files,
            archive_bytes,
            crate_bytes,
            converted_bytes,
            sparql_seconds,
            sparql_rows,
            sparql_memory_bytes,
            render_cache_bytes,
            free_disk_bytes,
        } = Limits::default();
        Self {
            file_bytes,
            deposit_files,
            archive_bytes,
            crate_bytes,
            converted_bytes,
            sparql_seconds,
            sparql_rows,
            sparql_memory_bytes,
            render_cache_bytes,
            free_disk_bytes,
        }
    }
}

impl Default for JobsSection {
    fn default() -> Self {
        let JobLimits { running, of_one_owner } = JobLimits::default();
        Self { running_jobs: running, owner_jobs: of_one_owner }
    }
}

impl Default for ImportSection {
    fn default() -> Self {
        Self { bioformats2raw: None, foreign_seconds: 6 * 60 * 60, foreign_memory_bytes: 8 << 30 }
    }
}

impl Default for LogSection {
    fn default() -> Self {
        Self { format: "text".into(), level: "info".into() }
    }
}

impl Config {
    /// Reads a configuration from TOML text alone.
    ///
    /// # Errors
    /// When the text is no TOML or holds a key nobody knows.
    pub fn from_toml(text: &str) -> Result<Self> {
        Self::from_toml_and_variables(text, std::iter::empty())
    }

    /// Reads a file, where one is named, and lays the environment over it.
    ///
    /// # Errors
    /// When the file cannot be read, or a value is not what it should be.
    pub fn load(path: Option<&Path>) -> Result<Self> {
        let text = match path {
            Some(path) => std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?,
            None => String::new(),
        };
        let config = Self::from_toml_and_variables(&text, std::env::vars());
        config.with_context(|| path.map_or_else(|| "the environment".into(), |path| path.display().to_string()))
    }

    fn from_toml_and_variables(text: &str, variables: impl Iterator<Item = (String, String)>) -> Result<Self> {
        let mut table: toml::Table = toml::from_str(text)?;
        for (name, value) in variables {
            let Some((section, key)) = setting_named(&name) else { continue };
            let section = table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            let Some(section) = section.as_table_mut() else { bail!("'{name}': its section is no table in the file") };
            section.insert(key.clone(), typed(&key, value));
        }
        Ok(Self::deserialize(table)?)
    }

    /// The configuration as the node takes it.
    ///
    /// # Errors
    /// When a name, address or key is not well formed.
    pub fn to_node(&self) -> Result<NodeConfig> {
        let id: NodeId = self.node.id.parse().context("node.id")?;
        let public_url = match &self.node.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}", self.server.listen),
        };
        if !public_url.starts_with("http://") && !public_url.starts_with("https://") {
            bail!("node.public_url: '{public_url}' must start with http:// or https://");
        }
        let peers: Vec<PeerConfig> = self.federation.peers.iter().map(to_peer).collect::<Result<_>>()?;
        if peers.iter().any(|peer| peer.id == id) {
            bail!("federation.peers: '{id}' is this node itself");
        }
        let limits = &self.limits;
        Ok(NodeConfig {
            id,
            title: self.node.title.clone(),
            about: self.node.about.clone(),
            admin_email: self.node.admin_email.clone(),
            country: self.node.country.clone(),
            public_url,
            archive: self.location("archive", &self.storage.archive)?,
            mirror: self.location("mirror", &self.storage.mirror)?,
            data_dir: self.storage.data_dir.clone(),
            peers,
            poll_seconds: self.federation.poll_seconds.max(1),
            witnesses_required: self.federation.witnesses_required,
            hints: self.federation.hints,
            live_seconds: self.federation.live_seconds.max(1),
            private_peers: self.federation.private_peers,
            sources: self.to_sources()?,
            limits: Limits {
                file_bytes: limits.file_bytes,
                deposit_files: limits.deposit_files,
                archive_bytes: limits.archive_bytes,
                crate_bytes: limits.crate_bytes,
                converted_bytes: limits.converted_bytes,
                sparql_seconds: limits.sparql_seconds,
                sparql_rows: limits.sparql_rows,
                sparql_memory_bytes: limits.sparql_memory_bytes,
                render_cache_bytes: limits.render_cache_bytes,
                free_disk_bytes: limits.free_disk_bytes,
            },
            scrub: ScrubSchedule {
                days: self.storage.scrub_days,
                bytes_per_second: self.storage.scrub_bytes_per_second.max(1),
            },
            jobs: JobLimits { running: self.jobs.running_jobs.max(1), of_one_owner: self.jobs.owner_jobs.max(1) },
        })
    }

    fn to_sources(&self) -> Result<Vec<SourceConfig>> {
        let sources: Vec<SourceConfig> = self.sources.iter().map(to_source).collect::<Result<_>>()?;
        let repeated =
            sources.iter().enumerate().find(|(at, one)| sources[..*at].iter().any(|other| other.name == one.name));
        match repeated {
            Some((_, source)) => bail!("sources: two are called '{}'", source.name),
            None => Ok(sources),
        }
    }

    /// The program for microscope files that are not read here, where one is configured.
    ///
    /// # Errors
    /// When it is not there.
    pub fn to_foreign(&self) -> Result<Option<Arc<dyn ForeignConverter>>> {
        let Some(program) = &self.import.bioformats2raw else { return Ok(None) };
        let limits = ForeignLimits {
            time: Duration::from_secs(self.import.foreign_seconds.max(1)),
            memory_bytes: self.import.foreign_memory_bytes,
            output_bytes: self.limits.converted_bytes,
            output_files: self.limits.deposit_files,
        };
        let converter = Bioformats2raw::new(program, limits).context("import.bioformats2raw")?;
        Ok(Some(Arc::new(converter)))
    }

    /// A place for bytes; `file` is a folder of that name in the data folder.
    fn location(&self, name: &str, place: &str) -> Result<archive_store::Location> {
        let storage = &self.storage;
        Ok(match place.strip_prefix("s3://") {
            Some(rest) => {
                let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                if bucket.is_empty() {
                    bail!("storage.{name}: 's3://' needs a bucket");
                }
                archive_store::Location::S3 {
                    bucket: bucket.to_owned(),
                    prefix: prefix.trim_matches('/').to_owned(),
                    endpoint: storage.s3_endpoint.clone(),
                    region: storage.s3_region.clone(),
                    allow_http: storage.s3_allow_http,
                }
            }
            None if place == "file" => archive_store::Location::Local(storage.data_dir.join(name)),
            None => archive_store::Location::Local(place.into()),
        })
    }
}

fn to_peer(section: &PeerSection) -> Result<PeerConfig> {
    let id = section.id.parse().context("federation.peers.id")?;
    let url = section.url.trim_end_matches('/').to_owned();
    let peer = PeerConfig::new(id, url, section.public_key.clone());
    let mirror = section
        .mirror
        .policy(section.mirror_bytes_per_second)
        .with_context(|| format!("federation.peers '{}'", section.id))?;
    Ok(PeerConfig { witnesses_required: section.witnesses_required, mirror, ..peer })
}

fn to_source(section: &SourceSection) -> Result<SourceConfig> {
    let address = |text: &str| -> Result<Url> {
        let url = Url::parse(text).with_context(|| format!("sources.url: '{text}'"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
            bail!("sources.url: '{text}' must start with http:// or https:// and hold no password");
        }
        Ok(url)
    };
    Ok(SourceConfig {
        name: section.name.parse().context("sources.name")?,
        kind: section.kind.parse().context("sources.kind")?,
        url: address(&section.url)?,
        interval_seconds: section.interval_seconds,
        format: section.format.clone(),
        set: section.set.clone(),
        also: section.also.iter().map(|url| address(url)).collect::<Result<_>>()?,
        answer_seconds: section.answer_seconds.max(1),
    })
}

/// `HELIOGRAPH_SERVER_LISTEN` is `listen` in `[server]`.
fn setting_named(variable: &str) -> Option<(String, String)> {
    let (section, key) = variable.strip_prefix("HELIOGRAPH_")?.split_once('_')?;
    let section = section.to_lowercase();
    let known =
        ["node", "server", "storage", "federation", "limits", "jobs", "import", "log"].contains(&section.as_str());
    known.then(|| (section, key.to_lowercase()))
}

/// Numbers and switches are told from text by their key.
fn typed(key: &str, value: String) -> toml::Value {
    let units = ["_bytes", "_files", "_jobs", "_seconds", "_rows", "_required", "_days", "_second"];
    let number = units.iter().any(|unit| key.ends_with(unit));
    match (value.parse::<i64>(), value.parse::<bool>()) {
        (Ok(number_value), _) if number => toml::Value::Integer(number_value),
        (_, Ok(switch)) if key.ends_with("allow_http") || ["hints", "private_peers"].contains(&key) => {
            toml::Value::Boolean(switch)
        }
        _ => toml::Value::String(value),
    }
}

#[cfg(test)]
mod tests {
    use node::Wanted;

    use super::*;

    #[test]
    fn the_environment_wins_over_the_file() {
        let variables =
            [("HELIOGRAPH_NODE_ID", "japan"), ("HELIOGRAPH_LIMITS_FILE_BYTES", "10"), ("HELIOGRAPH_TOKEN", "x")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = Config::from_toml_and_variables("[node]\nid = \"europe\"\n", variables.into_iter()).unwrap();
        assert_eq!(config.node.id, "japan");
        assert_eq!(config.limits.file_bytes, 10);
    }

    #[test]
    fn a_key_nobody_knows_is_an_error() {
        assert!(Config::from_toml("[server]\nlisten_on = \"127.0.0.1:1\"\n").is_err());
    }

    #[test]
    fn the_defaults_bind_to_loopback_and_need_nothing() {
        let config = Config::from_toml("").unwrap();
        assert!(config.server.listen.ip().is_loopback());
        assert_eq!(config.to_node().unwrap().public_url, "http://127.0.0.1:8101");
    }

    #[test]
    fn the_examples_in_the_config_folder_are_valid() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
        let mut count = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            Config::from_toml(&std::fs::read_to_string(&path).unwrap()).unwrap().to_node().unwrap();
            count += 1;
        }
        assert!(count >= 4, "one node and the three of the federation");
    }

    #[test]
    fn what_is_copied_of_a_peer_is_said_in_one_of_three_ways() {
        let read = |mirror: &str| {
            let key = "id = \"japan\"\nurl = \"http://japan.example\"\npublic_key = \"k\"";
            let text = format!("[[federation.peers]]\n{key}\n{mirror}\n");
            Ok::<_, anyhow::Error>(Config::from_toml(&text)?.to_node()?.peers[0].mirror.clone())
        };
        assert_eq!(read("").unwrap().wanted, Wanted::None);
        let all = read("mirror = \"all\"\nmirror_bytes_per_second = 7").unwrap();
        assert_eq!((all.wanted, all.bytes_per_second), (Wanted::All, Some(7)));
        let some = read("mirror = { query = \"q=fish\", max_dataset_bytes = 5, max_total_bytes = 9 }").unwrap();
        assert_eq!(some.wanted, Wanted::Found("q=fish".into()));
        assert_eq!((some.max_dataset_bytes, some.max_total_bytes), (Some(5), Some(9)));
        assert!(read("mirror = \"some\"").is_err() && read("mirror = { quary = \"x\" }").is_err());
    }

    #[test]
    fn archives_are_named_in_three_ways() {
        let archive = |text: &str| {
            Config::from_toml(&format!("[storage]\narchive = \"{text}\"")).unwrap().to_node().unwrap().archive
        };
        assert!(
            matches!(archive("file"), archive_store::Location::Local(path) if path.ends_with("heliograph-data/archive"))
        );
        assert!(matches!(archive("/srv/ocfl"), archive_store::Location::Local(path) if path == Path::new("/srv/ocfl")));
        assert!(
            matches!(archive("s3://b/a/c/"), archive_store::Location::S3 { bucket, prefix, .. } if bucket == "b" && prefix == "a/c")
        );
    }
}
