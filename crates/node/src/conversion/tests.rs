//! Conversions as jobs, with an engine that is quick and does as it is told.

use std::sync::{Condvar, Mutex};

use dataset_model::{DatasetId, Severity};
use futures::{Stream, StreamExt};
use ome_zarr::{FileSource, sample};
use tempfile::TempDir;

use super::*;
use crate::{
    ErrorKind, JobKind, JobLimits, JobState, JobView, Limits, NewDraft, NodeConfig, Scope, ValidationReport,
    service::Background,
};

/// Reads `*.fake`, knows `*.odd`. A file that says `wait` is converted once somebody lets it, or not at all.
#[derive(Default)]
struct Fake {
    waiting: Mutex<bool>,
    changed: Condvar,
}

impl Fake {
    /// Returns when a conversion waits.
    fn reached(&self) {
        let mut waiting = self.waiting.lock().unwrap();
        while !*waiting {
            waiting = self.changed.wait(waiting).unwrap();
        }
    }

    fn wait(&self, progress: &dyn Progress) -> Result<(), OmeZarrError> {
        *self.waiting.lock().unwrap() = true;
        self.changed.notify_all();
        while !progress.is_cancelled() {
            std::thread::yield_now();
        }
        Err(OmeZarrError::Cancelled)
    }
}

impl Engine for Fake {
    fn find(&self, source: &dyn FileSource) -> Result<Vec<ImportCandidate>, OmeZarrError> {
        let candidate = |path: String| {
            let (stem, kind) = path.rsplit_once('.')?;
            let refusal = (kind == "odd").then(|| format!("'{path}' is in the format Odd, which is not read here."));
            let output = format!("{stem}.ome.zarr");
            let (files, format) = (vec![path.clone()], kind.to_owned());
            let known = matches!(kind, "fake" | "odd");
            known.then(|| ImportCandidate { files, format, output, refusal, path: path.clone() })
        };
        Ok(source.list("")?.into_iter().filter_map(candidate).collect())
    }

    fn convert(
        &self,
        source: Arc<dyn FileSource>,
        path: &str,
        out: &Path,
        progress: &dyn Progress,
    ) -> Result<Vec<Finding>, OmeZarrError> {
        let size = source.size(path)?.unwrap_or_default();
        let text = source.read(path, 0..size)?;
        match text.as_ref() {
            b"wait" => self.wait(progress)?,
            b"bad" => return Err(OmeZarrError::NotAnImage { path: path.to_owned() }),
            b"huge" => {
                progress.advance(0, u64::MAX);
                if progress.is_cancelled() {
                    return Err(OmeZarrError::Cancelled);
                }
            }
            _ => {}
        }
        let made = sample::write(out.parent().unwrap(), sample::Kind::Labelled, size)?;
        std::fs::rename(made, out).unwrap();
        Ok(vec![Finding::note("import.fake", path, "Read.", "Nothing.")])
    }
}

/// A node in a folder, with its jobs running.
struct Place {
    node: Arc<Node>,
    background: Background,
    engine: Arc<Fake>,
    folder: TempDir,
}

fn ada() -> Actor {
    Actor::Token { id: "ada".into(), scopes: vec![Scope::Deposit] }
}

fn bob() -> Actor {
    Actor::Token { id: "bob".into(), scopes: vec![Scope::Deposit] }
}

fn config(folder: &Path) -> NodeConfig {
    NodeConfig {
        limits: Limits { converted_bytes: 1 << 30, ..Limits::default() },
        jobs: JobLimits { running: 1, of_one_owner: 2 },
        ..NodeConfig::in_folder(folder)
    }
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = Arc::new(Fake::default());
        let node = Node::open_with_engine(config(folder.path()), None, engine.clone()).await.unwrap();
        Self { background: node.start(), node, engine, folder }
    }

    /// Stops the node in order, and opens the same data again; jobs do not run until they are started.
    async fn reopened(self) -> (Arc<Node>, TempDir) {
        self.background.stop().await;
        drop(self.node);
        let engine = Arc::new(Fake::default());
        (Node::open_with_engine(config(self.folder.path()), None, engine).await.unwrap(), self.folder)
    }

    async fn draft(&self, files: &[(&str, &str)]) -> DatasetId {
        self.draft_that(files, None).await
    }

    async fn draft_that(&self, files: &[(&str, &str)], convert: Option<bool>) -> DatasetId {
        let crate_json = Some(CRATE.to_owned());
        let new = NewDraft { crate_json, convert, ..NewDraft::default() };
        let id = self.node.create_draft(&ada(), new).unwrap().id;
        for (path, text) in files {
            put(&self.node, &id, path, text).await.unwrap();
        }
        id
    }

    fn convert(&self, id: &DatasetId) -> JobView {
        self.node.start_job(&ada(), id, JobKind::Convert, ConversionRequest::default()).unwrap()
    }

    async fn ended(&self, job: &JobView) -> JobView {
        last(self.node.watch_job(&ada(), &job.id).unwrap()).await
    }

    async fn validated(&self, id: &DatasetId) -> ValidationReport {
        self.node.validate_draft(&ada(), id).await.unwrap()
    }

    fn paths(&self, id: &DatasetId) -> Vec<String> {
        let listing = self.node.list_draft_files(&ada(), id, None).unwrap();
        listing.files.iter().map(|file| file.path.to_string()).collect()
    }
}

async fn put(node: &Node, id: &DatasetId, path: &str, text: &str) -> Result<ManifestFile, NodeError> {
    let body = futures::stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::copy_from_slice(text.as_bytes()))]);
    node.put_draft_file(&ada(), id, path.parse().unwrap(), None, body).await
}

async fn last(views: impl Stream<Item = JobView>) -> JobView {
    let views: Vec<JobView> = views.collect().await;
    views.into_iter().next_back().unwrap()
}

fn rules(report: &ValidationReport) -> Vec<(&str, Severity)> {
    report.findings.iter().map(|finding| (finding.rule.as_str(), finding.severity)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_microscope_file_becomes_an_image_beside_it_and_stays_as_it_was() {
    let place = Place::new().await;
    let id = place.draft(&[("a/cells.fake", "pixels"), ("notes.txt", "x")]).await;
    let job = place.convert(&id);
    assert_eq!(job.state, JobState::Queued);
    let ended = place.ended(&job).await;
    assert_eq!(ended.state, JobState::Done, "{ended:?}");
    let paths = place.paths(&id);
    assert!(paths.contains(&"a/cells.fake".to_owned()) && paths.contains(&"a/cells.ome.zarr/zarr.json".to_owned()));
    let made = &ended.result.unwrap()["images"][0];
    assert_eq!(made["image"], "a/cells.ome.zarr");
    assert_eq!(made["sources"][0]["path"], "a/cells.fake");
    assert!(!place.node.work_folder(&job.id).exists());
    let again = place.ended(&place.convert(&id)).await;
    assert_eq!(again.result.unwrap()["images"], serde_json::json!([]), "it is there already");
    put(&place.node, &id, "a/cells.fake", "other pixels").await.unwrap();
    let anew = place.ended(&place.convert(&id)).await;
    assert_eq!(anew.result.unwrap()["images"][0]["image"], "a/cells.ome.zarr", "its source changed");
    place.background.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn validation_tells_what_a_publication_will_convert_and_what_nobody_reads() {
    let place = Place::new().await;
    let readable = place.validated(&place.draft(&[("cells.fake", "pixels")]).await).await;
    assert!(readable.valid, "{readable:?}");
    assert!(rules(&readable).contains(&("import.pending", Severity::Note)));
    let odd = place.validated(&place.draft(&[("cells.odd", "pixels")]).await).await;
    assert!(!odd.valid);
    assert!(rules(&odd).contains(&("import.unsupported", Severity::Error)));
    assert!(odd.findings.iter().any(|finding| finding.message.contains("format Odd")));
    let both = place.validated(&place.draft(&[("cells.odd", "x"), ("cells2.fake", "x")]).await).await;
    assert!(both.valid && rules(&both).contains(&("import.unsupported", Severity::Warning)));
    let files_only = place.draft_that(&[("cells.fake", "pixels")], Some(false)).await;
    assert!(rules(&place.validated(&files_only).await).contains(&("ome-zarr.none", Severity::Error)));
    place.background.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_converts_first_and_says_so_in_the_crate() {
    let place = Place::new().await;
    let id = place.draft(&[("cells.fake", "pixels")]).await;
    let receipt = place.node.publish(&ada(), &id).await.unwrap();
    assert_eq!(receipt.state, "published");
    let manifest = place.node.manifest(&ada(), &receipt.id, crate::VersionChoice::Latest).await.unwrap();
    let paths: Vec<&str> = manifest.iter().map(|file| file.path.as_str()).collect();
    assert!(paths.contains(&"cells.fake") && paths.contains(&"cells.ome.zarr/zarr.json"), "{paths:?}");
    let text = place.node.crate_bytes(&ada(), &receipt.id, None, crate::VersionChoice::Latest).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let action =
        document["@graph"].as_array().unwrap().iter().find(|entity| entity["@type"] == "CreateAction").unwrap();
    assert_eq!(action["object"][0]["@id"], "cells.fake");
    assert_eq!(action["result"]["@id"], "cells.ome.zarr/");
    let jobs = place.node.jobs_of(&ada(), &id).unwrap();
    assert_eq!(jobs.iter().map(|job| (job.kind, job.state)).collect::<Vec<_>>(), [(JobKind::Publish, JobState::Done)]);
    let next = NewDraft { new_version_of: Some(receipt.id.clone()), ..NewDraft::default() };
    let next = place.node.create_draft(&ada(), next).unwrap();
    assert_eq!(next.converted, ["cells.ome.zarr".parse::<FilePath>().unwrap()], "a new version knows what was made");
    assert!(!rules(&place.validated(&next.id).await).iter().any(|(rule, _)| *rule == "import.pending"));
    place.background.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_conversion_leaves_the_draft_as_it_was() {
    let place = Place::new().await;
    let id = place.draft(&[("cells.fake", "bad")]).await;
    let ended = place.ended(&place.convert(&id)).await;
    assert_eq!(ended.state, JobState::Failed);
    let problem = ended.problem.unwrap();
    assert_eq!((problem.kind, problem.findings[0].rule.as_str()), (ErrorKind::Invalid, "import.failed"));
    assert_eq!(place.paths(&id), ["cells.fake"]);
    let refused = place.node.publish(&ada(), &id).await.unwrap_err();
    assert_eq!(refused.findings()[0].rule, "import.failed", "the waiting call fails with the reason");
    put(&place.node, &id, "cells.fake", "huge").await.unwrap();
    let ended = place.ended(&place.convert(&id)).await;
    assert_eq!(ended.problem.unwrap().kind, ErrorKind::TooLarge);
    place.background.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_is_converted_takes_no_changes_until_the_job_is_cancelled() {
    let place = Place::new().await;
    let id = place.draft(&[("cells.fake", "wait")]).await;
    let job = place.convert(&id);
    tokio::task::block_in_place(|| place.engine.reached());
    assert_eq!(place.convert(&id).id, job.id, "asking again is asking for the same");
    let refused = put(&place.node, &id, "more.txt", "x").await.unwrap_err();
    assert!(refused.kind() == ErrorKind::Conflict && refused.to_string().contains(&job.id), "{refused}");
    let other = place.node.start_job(&ada(), &id, JobKind::Publish, ConversionRequest::default()).unwrap_err();
    assert!(other.kind() == ErrorKind::Conflict && other.to_string().contains(&job.id), "{other}");
    assert_eq!(place.node.publish(&ada(), &id).await.unwrap_err().kind(), ErrorKind::Conflict);
    place.node.cancel_job(&ada(), &job.id).unwrap();
    assert_eq!(place.ended(&job).await.state, JobState::Cancelled);
    assert!(!place.node.work_folder(&job.id).exists());
    assert_eq!(place.node.cancel_job(&ada(), &job.id).unwrap_err().kind(), ErrorKind::Conflict);
    put(&place.node, &id, "cells.fake", "pixels").await.unwrap();
    assert_eq!(place.ended(&place.convert(&id)).await.state, JobState::Done);
    place.background.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_their_owners_and_so_many_at_most() {
    let place = Place::new().await;
    let first = place.draft(&[("cells.fake", "wait")]).await;
    let job = place.convert(&first);
    tokio::task::block_in_place(|| place.engine.reached());
    let waiting = place.convert(&place.draft(&[("cells.fake", "pixels")]).await);
    let third = place.draft(&[("cells.fake", "pixels")]).await;
    let refused = place.node.start_job(&ada(), &third, JobKind::Convert, ConversionRequest::default()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    for stranger in [bob(), Actor::Anonymous] {
        let kind = if stranger == Actor::Anonymous { ErrorKind::Unauthenticated } else { ErrorKind::NotFound };
        assert_eq!(place.node.job(&stranger, &job.id).unwrap_err().kind(), kind);
        assert_eq!(place.node.cancel_job(&stranger, &job.id).unwrap_err().kind(), kind);
        assert!(place.node.watch_job(&stranger, &job.id).is_err());
        assert!(place.node.jobs_of(&stranger, &first).map_or(true, |jobs| jobs.is_empty()));
    }
    assert!(place.node.job(&Actor::Operator, &job.id).is_ok());
    place.node.cancel_job(&ada(), &waiting.id).unwrap();
    assert_eq!(place.ended(&waiting).await.state, JobState::Cancelled, "one that waits ends at once");
    place.node.cancel_job(&ada(), &job.id).unwrap();
    place.ended(&job).await;
    place.background.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_node_goes_on_with_its_jobs_when_it_starts_again() {
    let place = Place::new().await;
    let id = place.draft(&[("cells.fake", "wait")]).await;
    let job = place.convert(&id);
    tokio::task::block_in_place(|| place.engine.reached());
    let watched = place.node.watch_job(&ada(), &job.id).unwrap();
    place.node.close_streams();
    let seen: Vec<JobView> = watched.collect().await;
    assert!(seen.iter().all(|view| !view.state.is_final()), "the stream ends before the job");
    let (node, _folder) = place.reopened().await;
    assert_eq!(node.job(&ada(), &job.id).unwrap().state, JobState::Queued);
    put(&node, &id, "cells.fake", "pixels").await.unwrap();
    let background = node.start();
    assert_eq!(last(node.watch_job(&ada(), &job.id).unwrap()).await.state, JobState::Done);
    background.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_cut_off_is_done_again_and_what_was_converted_is_not() {
    let place = Place::new().await;
    let id = place.draft(&[("cells.fake", "bad")]).await;
    let (node, folder) = place.reopened().await;
    // As a kill leaves it: running, with the image whole in the work folder and the draft without it.
    let job = node.start_job(&ada(), &id, JobKind::Convert, ConversionRequest::default()).unwrap();
    let mut cut_off = node.jobs().get(&job.id).unwrap().unwrap();
    cut_off = cut_off.after(crate::jobs::JobEvent::Start, Timestamp::now()).unwrap();
    node.ledger.write(vec![node.jobs().put(&job.id, &cut_off).unwrap()]).unwrap();
    let work = node.work_folder(&job.id).join(folder::name_of("cells.ome.zarr"));
    std::fs::create_dir_all(&work).unwrap();
    std::fs::create_dir_all(node.work_folder("000000-gone")).unwrap();
    let image = sample::write(&work, sample::Kind::Labelled, 1).unwrap();
    std::fs::rename(image, work.join("cells.ome.zarr")).unwrap();
    folder::finish(&work, &[]).unwrap();
    drop(node);
    let node = Node::open_with_engine(config(folder.path()), None, Arc::new(Fake::default())).await.unwrap();
    assert!(!node.work_folder("000000-gone").exists(), "what no job needs is removed");
    let background = node.start();
    // Reading the file would fail: the image of the first attempt is taken.
    let ended = last(node.watch_job(&ada(), &job.id).unwrap()).await;
    assert_eq!(ended.state, JobState::Done, "{ended:?}");
    background.stop().await;
}

/// A crate with all that a publication needs.
const CRATE: &str = r##"{"@context": "https://w3id.org/ro/crate/1.2/context", "@graph": [
  {"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"},
   "conformsTo": {"@id": "https://w3id.org/ro/crate/1.2"}},
  {"@id": "./", "@type": "Dataset", "name": "Cells", "description": "Cells to see how it goes.",
   "datePublished": "2026-11-21", "license": {"@id": "https://creativecommons.org/licenses/by/4.0/"},
   "author": {"@id": "#me"}, "about": {"@id": "http://purl.obolibrary.org/obo/NCBITaxon_9606"},
   "measurementMethod": {"@id": "http://purl.obolibrary.org/obo/FBbi_00000246"}},
  {"@id": "#me", "@type": "Person", "name": "Ada Example"},
  {"@id": "http://purl.obolibrary.org/obo/NCBITaxon_9606", "@type": "Taxon", "scientificName": "Homo sapiens"},
  {"@id": "http://purl.obolibrary.org/obo/FBbi_00000246", "@type": "DefinedTerm", "name": "fluorescence microscopy"}]}"##;
