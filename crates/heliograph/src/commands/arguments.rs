use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use dataset_model::VersionNumber;
use node::Scope;

/// A FAIR bio-image repository and a member of a federation, in one program.
#[derive(Debug, Parser)]
#[command(name = "heliograph", version, about)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a node.
    Serve(ConfigFile),
    /// Run a federation of three nodes with sample datasets.
    Demo(Demo),
    /// Upload, validate and publish a dataset; safe to interrupt and run again.
    Deposit(Deposit),
    /// Download a dataset or one image, each file checked back to the signed log; safe to interrupt and run again.
    Fetch(Fetch),
    /// Bring the records of another source into a node's catalogue: a folder, a checkout, an archive, a listing on the web.
    Import(Import),
    /// Search a node, and with it everything it holds of its peers.
    Search(Search),
    /// One pass over a peer's log, or over all peers', now.
    Harvest(Harvest),
    /// State and lag of each peer; add and remove peers.
    Peers(Peers),
    /// Check an OME-Zarr image, here or on the web, or an RO-Crate file.
    Validate(Validate),
    /// Convert a microscope file or an OME-Zarr of any version to OME-Zarr 0.5; safe to interrupt and run again.
    Convert(Convert),
    /// Audit a node from outside; or, with --config, the data of one that is stopped. Ends well only when all of it holds.
    Verify(Verify),
    /// Let a node read every stored byte now, and heal what is damaged.
    Scrub(Remote),
    /// Make search index and RDF store again from the ledger; the node must not be running.
    Rebuild(ConfigFile),
    /// Make, list and revoke tokens.
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Load and list ontologies.
    Ontology {
        #[command(subcommand)]
        command: OntologyCommand,
    },
    /// Make a signing key and print it with its public key; or give a node a new one that its old one signs.
    Keygen(Keygen),
    /// Answer queries of a node that runs here; nodes start it themselves.
    #[command(hide = true)]
    SparqlWorker {
        /// The folder of the RDF store.
        store: PathBuf,
    },
    /// Look at the configuration.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

/// Where the configuration is.
#[derive(Debug, Args)]
pub(crate) struct ConfigFile {
    /// TOML file; HELIOGRAPH_<SECTION>_<KEY> variables are laid over it.
    #[arg(long, env = "HELIOGRAPH_CONFIG")]
    pub config: Option<PathBuf>,
    /// Print one JSON object as the last line.
    #[arg(long)]
    pub json: bool,
}

/// Which node to talk to.
#[derive(Debug, Clone, Args)]
pub(crate) struct Remote {
    /// The node's address.
    #[arg(long, global = true, env = "HELIOGRAPH_NODE", default_value = "http://127.0.0.1:8101")]
    pub node: String,
    /// A token of that node.
    #[arg(long, global = true, env = "HELIOGRAPH_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Print one JSON object as the last line.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// The port of the first node; the others follow.
    #[arg(long, default_value_t = 8101)]
    pub base_port: u16,
    /// Where to keep the nodes' data; a folder that is removed at the end when not given.
    #[arg(long)]
    pub data_dir: Option<PathBuf>,
    /// Also import crates and deposit OME-Zarr images found here: gide-crates/europe, gide-crates/japan, ome-zarr.
    #[arg(long)]
    pub with: Option<PathBuf>,
    /// Start the nodes without samples.
    #[arg(long)]
    pub empty: bool,
    /// Exit when all catalogues agree: 0, or 1 with the reason when they do not.
    #[arg(long)]
    pub once: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Deposit {
    /// Folders, files and archives (.ozx, .zip, .tar); a folder keeps its name in the dataset, archives are unpacked there.
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// The RO-Crate that describes the dataset.
    #[arg(long = "crate")]
    pub crate_file: PathBuf,
    /// Publish when everything has arrived.
    #[arg(long)]
    pub publish: bool,
    /// A rule whose findings are meant as written, such as term.label.conflict; may repeat.
    #[arg(long, value_name = "RULE")]
    pub confirm: Vec<String>,
    /// Make a new version of this dataset; only what changed is sent.
    #[arg(long)]
    pub new_version_of: Option<String>,
    /// Files sent at the same time.
    #[arg(long, default_value_t = 8)]
    pub parallel: usize,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Fetch {
    /// The dataset: its id, or its address at any node.
    #[arg(value_name = "ID|IRI")]
    pub what: String,
    /// The folder to download into.
    pub dest: PathBuf,
    /// Only this image, named by its folder in the dataset, such as cells.ome.zarr.
    #[arg(long)]
    pub image: Option<String>,
    /// The version, such as v2; the newest when not given.
    #[arg(long)]
    pub version: Option<VersionNumber>,
    /// The public key of the node that published it; the one that the asked node has pinned when not given.
    #[arg(long)]
    pub key: Option<String>,
    /// The node to ask; the one in the address, or http://127.0.0.1:8101, when not given.
    #[arg(long, env = "HELIOGRAPH_NODE")]
    pub node: Option<String>,
    /// A node to download from first; may repeat.
    #[arg(long, value_name = "URL")]
    pub from: Vec<String>,
    /// Files fetched at the same time.
    #[arg(long, default_value_t = 8)]
    pub parallel: usize,
    /// Print one JSON object as the last line.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The node to audit.
    #[arg(long, env = "HELIOGRAPH_NODE", conflicts_with = "config", required_unless_present = "config")]
    pub node: Option<String>,
    /// Its public key; the one it tells of itself when not given.
    #[arg(long, requires = "node")]
    pub key: Option<String>,
    /// Read every file.
    #[arg(long, requires = "node")]
    pub bytes: bool,
    /// Read so many files, chosen at random.
    #[arg(long, requires = "node", conflicts_with = "bytes")]
    pub sample: Option<usize>,
    /// Configuration of a node that is not running.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Print one JSON object as the last line.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// A folder or a git checkout of crates (every JSON file in it and below), a .zip of one, or an address: a listing of
    /// crates on a web server, an OAI-PMH provider, or a sitemap.
    pub source: String,
    /// The source's name; importing again under it is the new complete listing.
    #[arg(long = "as", value_name = "NAME")]
    pub name: String,
    /// What is at the address: index, oai or sitemap; told from the address when not given.
    #[arg(long)]
    pub kind: Option<String>,
    /// The form of metadata to ask an OAI-PMH provider for; the best it has when not given.
    #[arg(long)]
    pub format: Option<String>,
    /// The set to ask an OAI-PMH provider for.
    #[arg(long)]
    pub set: Option<String>,
    /// Another origin that the links of the address may lead to; may repeat.
    #[arg(long, value_name = "URL")]
    pub also: Vec<String>,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Search {
    /// Words to look for.
    #[arg(default_value = "")]
    pub query: String,
    /// Organism: IRI, CURIE or label; descendants included.
    #[arg(long)]
    pub organism: Vec<String>,
    /// Imaging method: IRI, CURIE or label; descendants included.
    #[arg(long)]
    pub method: Vec<String>,
    /// Hits to show.
    #[arg(long, default_value_t = 20)]
    pub size: usize,
    /// `held`: the node's own records and its copies; `live`: all nodes are asked now.
    #[arg(long, default_value = "held", value_parser = ["held", "live"])]
    pub scope: String,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Harvest {
    /// A peer's name; all peers when not given.
    pub peer: Option<String>,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Keygen {
    /// The log's origin, such as heliograph/europe.
    #[arg(required_unless_present = "rotate")]
    pub origin: Option<String>,
    /// Give the node of the configuration a new key, in a statement signed by the old one; the node must not be running.
    #[arg(long, conflicts_with = "origin")]
    pub rotate: bool,
    #[command(flatten)]
    pub place: ConfigFile,
}

#[derive(Debug, Args)]
pub(crate) struct Peers {
    #[command(subcommand)]
    pub command: Option<PeersCommand>,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PeersCommand {
    /// Show the identity of a node, pin its key, and follow it.
    Add {
        /// The node's address, such as https://japan.example.org.
        url: String,
        /// The key its operator gave you; it is pinned only when the node presents this one.
        #[arg(long)]
        key: Option<String>,
        /// Pin the key that the node presents, without asking.
        #[arg(long, conflicts_with = "key")]
        yes: bool,
        /// Which of its datasets to copy: none, all, or a search as in its address, such as 'q=zebrafish&organism=Danio rerio'.
        #[arg(long)]
        mirror: Option<String>,
        #[command(flatten)]
        limits: MirrorLimits,
    },
    /// Change which datasets are copied of a peer that was added; copies that are held stay.
    Mirror {
        /// The peer's name.
        name: String,
        /// none, all, or a search as in its address, such as 'q=zebrafish&organism=Danio rerio'.
        mirror: String,
        #[command(flatten)]
        limits: MirrorLimits,
    },
    /// Stop following a peer that was added; what is held of it stays.
    Remove {
        /// The peer's name.
        name: String,
    },
    /// Go on following a peer whose log was found to have two histories, once you know why it had.
    Forgive {
        /// The peer's name.
        name: String,
        /// What you found out; it is kept with the proof.
        #[arg(long, default_value = "")]
        note: String,
    },
}

/// How much is copied of a peer at most.
#[derive(Debug, Args)]
pub(crate) struct MirrorLimits {
    /// Leave out versions with more bytes.
    #[arg(long)]
    pub max_dataset_bytes: Option<u64>,
    /// The most that all copies of the peer may have, in bytes.
    #[arg(long)]
    pub max_total_bytes: Option<u64>,
    /// The most that is copied in a second, in bytes.
    #[arg(long)]
    pub bytes_per_second: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// An OME-Zarr folder, a folder with OME-Zarr images in it, an .ozx or .zip archive, an http://, https:// or s3:// address,
    /// or an RO-Crate JSON file.
    pub path: String,
    /// Do not decode the pixels.
    #[arg(long)]
    pub metadata_only: bool,
    /// Answer the conformance runner of the specification: one JSON object {"valid", "message"} about an attributes
    /// document or a Zarr hierarchy.
    #[arg(long)]
    pub conformance: bool,
    /// With --conformance: a broken SHOULD counts as a broken MUST does.
    #[arg(long, requires = "conformance")]
    pub strict: bool,
    /// Print one JSON object as the last line.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Convert {
    /// A microscope file, a folder of planes, or an OME-Zarr.
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// What to make: a folder, such as cells.ome.zarr, or an archive, such as cells.ozx.
    pub out: PathBuf,
    /// Shape of chunks, such as 64,128,128, in the order t,c,z,y,x; what is left out at the front is 1.
    #[arg(long)]
    pub chunk: Option<String>,
    /// auto, none, or the shape of shards, such as 256,1024,1024.
    #[arg(long)]
    pub shard: Option<String>,
    /// none, zstd:1 to zstd:22, or blosc:1 to blosc:9 (bytes sorted by weight, then zstd).
    #[arg(long)]
    pub codec: Option<String>,
    /// How many resolution levels to make.
    #[arg(long)]
    pub levels: Option<usize>,
    /// The most memory to use.
    #[arg(long, default_value = "1GiB")]
    pub memory: String,
    /// Threads that work; 0 is one for each processor.
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
    /// The program bioformats2raw, for formats that are not read here; it runs shut in.
    #[arg(long, env = "HELIOGRAPH_IMPORT_BIOFORMATS2RAW")]
    pub bioformats2raw: Option<PathBuf>,
    /// Print one JSON object as the last line.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token; its text is shown this once.
    Create {
        /// deposit, curate, admin or harvest; may repeat.
        #[arg(long = "scope", required = true)]
        scopes: Vec<Scope>,
        /// What it is for.
        #[arg(long, default_value = "")]
        label: String,
        #[command(flatten)]
        place: TokenPlace,
    },
    /// List tokens.
    List {
        #[command(flatten)]
        place: TokenPlace,
    },
    /// End a token's life.
    Revoke {
        /// The token's id.
        id: String,
        #[command(flatten)]
        place: TokenPlace,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum OntologyCommand {
    /// Load an ontology in OBO, OWL (RDF/XML), Turtle, N-Triples or OWL functional syntax, in place of the edition before.
    Load {
        /// The file.
        file: PathBuf,
        /// What to call it, where not after itself, such as ncbitaxon.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        place: TokenPlace,
    },
    /// List the ontologies.
    List {
        #[command(flatten)]
        place: TokenPlace,
    },
}

/// A running node, spoken to with an administrator's token; or, with --config, the data folder of one that is stopped.
#[derive(Debug, Args)]
pub(crate) struct TokenPlace {
    /// Configuration of a node that is not running.
    #[arg(long)]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read the configuration and say what is wrong with it.
    Check(ConfigFile),
}
