use std::{
    collections::HashMap,
    hash::Hash,
    num::NonZeroUsize,
    path::Path,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, AtomicUsize},
    },
};

use archive_store::Archive;
use dataset_model::DatasetId;
use federation::{NodeKey, PublicKey, Tree};
use ledger::Ledger;
use lru::LruCache;
use metadata_store::{MetadataStore, Ontology};
use search_index::SearchIndex;
use tokio::sync::{RwLock, Semaphore, watch};

use crate::{
    ForeignConverter, NodeConfig, NodeError, QueryWorkers, SourceName,
    announcing::Announcing,
    conversion::{Engine, OmeZarr},
    door::Judgements,
    erasing::Eraser,
    jobs::Board,
    joining, key_rotation,
    known_datasets::KnownDatasets,
    live_search, log_stream,
    mirroring::Mirrors,
    ontologies::{self, Ontologies},
    peers::Peers,
    projector::Projector,
    proofs::FileTrees,
    recent_reads::RecentReads,
    recovery,
    rendering::{
        cache::PictureCache,
        subject::{Subject, SubjectKey},
    },
    sparql, unpacking,
    virtual_ozx::Layouts,
};

/// Pictures drawn at the same time; each uses all cores by itself.
const TURNS: usize = 2;
/// As many images are kept described for drawing.
const SUBJECTS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(511);

/// A running node. Cheap to share behind an `Arc`; dropping the last one closes its stores.
pub struct Node {
    pub(crate) config: NodeConfig,
    pub(crate) key: NodeKey,
    pub(crate) archive: Archive,
    pub(crate) ledger: Ledger,
    pub(crate) metadata: Arc<MetadataStore>,
    pub(crate) search: Arc<SearchIndex>,
    pub(crate) ontology: Arc<Ontology>,
    pub(crate) ontologies: Ontologies,
    pub(crate) searchable: Projector,
    pub(crate) queryable: Projector,
    /// Imports and harvests under way.
    pub(crate) bringing_bulk: AtomicUsize,
    /// The tree that was signed last, and the signed checkpoint.
    pub(crate) checkpoint: Mutex<Option<(Tree, String)>>,
    pub(crate) announcing: Announcing,
    pub(crate) drafts_in_use: Locks,
    /// Files of drafts that are being sent, at least as many as there are; counted again when a limit seems reached.
    pub(crate) draft_file_counts: Mutex<HashMap<DatasetId, u64>>,
    pub(crate) datasets_in_use: Locks,
    pub(crate) sources_in_use: Locks<SourceName>,
    pub(crate) judgements: Judgements,
    pub(crate) unpacking: Semaphore,
    pub(crate) ozx_layouts: Layouts,
    pub(crate) checksumming: tokio::sync::Mutex<()>,
    pub(crate) rendering: Arc<Semaphore>,
    /// Requests that wait for their turn to draw.
    pub(crate) waiting_pictures: AtomicUsize,
    pub(crate) pictures: PictureCache,
    /// The images drawn last, described.
    pub(crate) subjects: Mutex<LruCache<SubjectKey, Arc<Subject>>>,
    pub(crate) querying: Semaphore,
    pub(crate) query_workers: OnceLock<Arc<dyn QueryWorkers>>,
    pub(crate) peers: Peers,
    /// Entries of the own log that are shown, for those who tell others of its growth.
    pub(crate) own_size: watch::Sender<u64>,
    pub(crate) live_questions: Semaphore,
    pub(crate) log_readers: Arc<Semaphore>,
    pub(crate) known_datasets: KnownDatasets,
    pub(crate) recent_reads: RecentReads,
    pub(crate) file_trees: FileTrees,
    pub(crate) mirrors: Mirrors,
    pub(crate) eraser: Eraser,
    /// Who reads everything has it.
    pub(crate) scrubbing: tokio::sync::Mutex<()>,
    /// Counts files that were replaced on disk, so that nobody reads on from one that is gone.
    pub(crate) replaced: AtomicU64,
    /// Becomes true when the node has to be opened again.
    pub(crate) new_start: watch::Sender<bool>,
    pub(crate) board: Board,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) foreign: Option<Arc<dyn ForeignConverter>>,
}

/// Tasks that run until they are told to stop.
pub struct Background {
    tasks: Vec<tokio::task::JoinHandle<()>>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Background {
    /// Tells every task to stop, and waits until they have.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a background task ended badly");
            }
        }
    }
}

impl Node {
    /// Opens the stores, making what is missing, and heals what an interrupted run left.
    ///
    /// # Errors
    /// When a store cannot be opened, the data folder is in use, or a peer's key cannot be read.
    pub async fn open(config: NodeConfig) -> Result<Arc<Self>, NodeError> {
        Self::open_with(config, None).await
    }

    /// Opens the stores as [`Node::open`] does, with a program for the microscope files that we do not read.
    ///
    /// # Errors
    /// As [`Node::open`].
    pub async fn open_with(
        config: NodeConfig,
        foreign: Option<Arc<dyn ForeignConverter>>,
    ) -> Result<Arc<Self>, NodeError> {
        Self::open_with_engine(config, foreign, Arc::new(OmeZarr)).await
    }

    // tidy: long because it names every part of a node once
    pub(crate) async fn open_with_engine(
        config: NodeConfig,
        foreign: Option<Arc<dyn ForeignConverter>>,
        engine: Arc<dyn Engine>,
    ) -> Result<Arc<Self>, NodeError> {
        // tidy: long because a node has as many parts as it has, each made in one line.
        let data = config.data_dir.clone();
        std::fs::create_dir_all(&data).map_err(|error| unusable(&data, &error))?;
        let ledger = Ledger::open(&data.join("ledger"))?;
        let key = key_rotation::open_key(&data.join("keys"), &config.id, &ledger)?;
        let announcing = Announcing::open(&config, &ledger)?;
        let archive = Archive::open(&config.archive).await.map_err(NodeError::Archive)?;
        let mirrors = Mirrors::new(Archive::open(&config.mirror).await.map_err(NodeError::Archive)?);
        let ontology = ontologies::open(&data, &ledger)?;
        let metadata = MetadataStore::open_as_left(&data.join(sparql::STORE)).map_err(NodeError::Metadata)?;
        let search = SearchIndex::open(&data.join("search"))?;
        let peers = joining::open_peers(&config, &ledger)?;
        let own_size = watch::Sender::new(announcing.shown_size(&config, &ledger)?);
        let (metadata, search) = (Arc::new(metadata), Arc::new(search));
        let pictures = PictureCache::open(data.join("cache").join("pictures"), config.limits.render_cache_bytes);
        let node = Arc::new(Self {
            searchable: Projector::new("search", search.clone()),
            queryable: Projector::new("rdf", metadata.clone()),
            bringing_bulk: AtomicUsize::new(0),
            config,
            key,
            archive,
            ledger,
            metadata,
            search,
            ontology,
            ontologies: Ontologies::default(),
            checkpoint: Mutex::new(None),
            announcing,
            drafts_in_use: Locks::default(),
            draft_file_counts: Mutex::default(),
            datasets_in_use: Locks::default(),
            sources_in_use: Locks::default(),
            judgements: Judgements::default(),
            unpacking: Semaphore::new(unpacking::AT_ONCE),
            ozx_layouts: Layouts::default(),
            checksumming: tokio::sync::Mutex::new(()),
            rendering: Arc::new(Semaphore::new(TURNS)),
            waiting_pictures: AtomicUsize::new(0),
            pictures,
            subjects: Mutex::new(LruCache::new(SUBJECTS)),
            querying: Semaphore::new(4),
            query_workers: OnceLock::new(),
            peers,
            own_size,
            live_questions: Semaphore::new(live_search::AT_ONCE),
            log_readers: Arc::new(Semaphore::new(log_stream::READERS)),
            known_datasets: KnownDatasets::default(),
            recent_reads: RecentReads::default(),
            file_trees: FileTrees::default(),
            mirrors,
            eraser: Eraser::default(),
            scrubbing: tokio::sync::Mutex::new(()),
            replaced: AtomicU64::new(0),
            new_start: watch::Sender::new(false),
            board: Board::default(),
            engine,
            foreign,
        });
        node.write_small_graphs()?;
        recovery::recover(&node).await?;
        Ok(node)
    }

    /// Starts everything that works on its own: projectors, followers of peers, jobs, copying, erasing.
    pub fn start(self: &Arc<Self>) -> Background {
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let mut tasks = self.start_projectors(&stopped);
        tasks.push(self.start_followers(&stopped));
        tasks.push(tokio::spawn(self.clone().announce(stopped.clone())));
        tasks.push(self.start_jobs(&stopped));
        tasks.push(self.start_watching_space(&stopped));
        tasks.extend(self.start_sources(&stopped));
        tasks.push(self.start_ontologies(&stopped));
        tasks.push(self.start_eraser(&stopped));
        tasks.push(self.start_mirroring(&stopped));
        tasks.push(self.start_asking_mirrors(&stopped));
        tasks.push(self.start_scrubbing(&stopped));
        Background { tasks, stop }
    }

    /// How the node is configured.
    pub fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// Writes a file that only the operator may read, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_secret(&self, path: &Path, text: &str) -> std::io::Result<()> {
        write_secret(path, text)
    }

    /// The node's public key.
    pub fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }
}

/// One lock an id: readers and uploads share it, publication, withdrawal and deletion have it alone.
pub(crate) struct Locks<K = DatasetId>(Mutex<HashMap<K, Arc<RwLock<()>>>>);

impl<K> Default for Locks<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash> Locks<K> {
    pub(crate) fn of(&self, id: &K) -> Arc<RwLock<()>> {
        let mut locks = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        locks.entry(id.clone()).or_default().clone()
    }
}

/// Writes a file only its owner may read, whole or not at all.
pub(crate) fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let temporary = path.with_extension(format!("{:016x}.new", rand::random::<u64>()));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(format!("{text}\n").as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    std::fs::File::open(folder)?.sync_all()
}

pub(crate) fn unusable(path: &Path, error: &std::io::Error) -> NodeError {
    NodeError::Unavailable(format!("cannot use {}: {error}", path.display()))
}
