//! Depositing a folder: only what is missing is sent, so that running it again goes on where it stopped.

use std::{collections::HashMap, path::Path, time::Duration};

use anyhow::{Context, Result};
use dataset_model::{Digest, Digester, ManifestFile};
use futures::{StreamExt, TryStreamExt};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use super::{
    Client, Plan,
    archive::{HashedArchive, hash_archives},
    escape, escape_path,
    plan::LocalFile,
};

/// Times a file is tried when the connection breaks or the node is busy.
const TRIES: u32 = 5;

/// A file with its digest.
pub(crate) struct Hashed {
    pub(crate) file: LocalFile,
    pub(crate) sha256: Digest,
}

impl Client {
    /// Deposits what the plan says; gives the node's last answer.
    pub(crate) async fn deposit(&self, plan: &Plan) -> Result<Value> {
        let crate_text = std::fs::read_to_string(&plan.crate_file)
            .with_context(|| format!("reading {}", plan.crate_file.display()))?;
        let (archives, mut files) = hash_archives(plan).await?;
        files.extend(hash_all(plan.files()?, plan).await?);
        refuse_doubles(&files)?;
        let draft = match self.find_or_make_draft(plan, &crate_text, &files).await? {
            Found::Published(receipt) => return Ok(receipt),
            Found::Publishing(job) => return self.follow(&job, plan.quiet).await,
            Found::Draft(draft) => draft,
        };
        let id = draft["id"].as_str().context("the node's answer names no deposit")?.to_owned();
        let mut arrived = self.arrived(&id).await?;
        let converted = converted(&draft);
        // What the node made of our files is not ours to take out.
        arrived.retain(|path, _| !is_below(path, &converted));
        self.remove_what_is_gone(&id, &arrived, &files).await?;
        self.send_what_is_missing(&id, &arrived, (files, archives), plan).await?;
        if plan.publish {
            return self.publish(&id, &plan.confirm, plan.quiet).await;
        }
        let report = self.post(&format!("/api/v1/deposits/{}/validate", escape(&id)), &Value::Null).await?;
        let mut answer = self.get(&format!("/api/v1/deposits/{}", escape(&id))).await?;
        answer["valid"] = report["valid"].clone();
        answer["findings"] = report["findings"].clone();
        Ok(answer)
    }

    /// The draft of this deposit: the one begun before, or a new one. When the deposit was published before with this
    /// very content, its receipt; when the content has changed since, a draft of its own.
    async fn find_or_make_draft(&self, plan: &Plan, crate_text: &str, files: &[Hashed]) -> Result<Found> {
        let mut key = plan.client_key()?;
        loop {
            let draft = self.make_draft(plan, &key, crate_text).await?;
            let dataset = draft["dataset"].as_str().unwrap_or_default().to_owned();
            let version = draft["version"].to_string();
            if draft["state"] == "published" {
                if self.holds(&dataset, &version, files, &converted(&draft)).await? {
                    let iri = &draft["iri"];
                    return Ok(Found::Published(
                        json!({"id": dataset, "iri": iri, "version": draft["version"], "state": "published", "unchanged": true}),
                    ));
                }
                key = Digest::of(format!("{key}\0{dataset}\0{version}")).to_string();
                continue;
            }
            let id = draft["id"].as_str().unwrap_or_default();
            if let Some(job) = self.publication_under_way(id).await {
                return Ok(Found::Publishing(job));
            }
            let request = self.request(Method::PATCH, &format!("/api/v1/deposits/{}", escape(id)));
            let draft =
                self.send(request.header("content-type", "application/ld+json").body(crate_text.to_owned())).await?;
            return Ok(Found::Draft(draft));
        }
    }

    async fn make_draft(&self, plan: &Plan, key: &str, crate_text: &str) -> Result<Value> {
        let path = match &plan.new_version_of {
            Some(dataset) => format!("/api/v1/datasets/{}/versions", escape(dataset)),
            None => "/api/v1/deposits".to_owned(),
        };
        let request = self.request(Method::POST, &path).header("idempotency-key", key);
        self.send(request.header("content-type", "application/ld+json").body(crate_text.to_owned())).await
    }

    /// Whether a published version has exactly these files, besides those that the node made of them.
    async fn holds(&self, dataset: &str, version: &str, files: &[Hashed], converted: &[String]) -> Result<bool> {
        let path = format!("/api/v1/datasets/{}/versions/{version}/manifest", escape(dataset));
        let manifest: Vec<ManifestFile> = match self.get(&path).await {
            Ok(value) => serde_json::from_value(value)?,
            // Withdrawn meanwhile: what is deposited now is something new.
            Err(_) => return Ok(false),
        };
        let sent = manifest.iter().filter(|file| !is_below(file.path.as_str(), converted));
        let held: HashMap<&str, Digest> = sent.map(|file| (file.path.as_str(), file.sha256)).collect();
        // The version has its crate besides.
        Ok(held.len() == files.len() + 1
            && files.iter().all(|file| held.get(file.file.path.as_str()) == Some(&file.sha256)))
    }

    /// What the node has of the draft.
    async fn arrived(&self, id: &str) -> Result<HashMap<String, Digest>> {
        let mut arrived = HashMap::new();
        let mut after = String::new();
        loop {
            let page = self.get(&format!("/api/v1/deposits/{}/files{after}", escape(id))).await?;
            for file in serde_json::from_value::<Vec<ManifestFile>>(page["files"].clone())? {
                arrived.insert(file.path.to_string(), file.sha256);
            }
            match page["next"].as_str() {
                Some(next) => after = format!("?after={}", escape(next)),
                None => return Ok(arrived),
            }
        }
    }

    async fn remove_what_is_gone(&self, id: &str, arrived: &HashMap<String, Digest>, files: &[Hashed]) -> Result<()> {
        let here: std::collections::HashSet<&str> = files.iter().map(|file| file.file.path.as_str()).collect();
        for path in arrived.keys().filter(|path| !here.contains(path.as_str())) {
            self.delete(&format!("/api/v1/deposits/{}/files/{}", escape(id), escape_path(path))).await?;
        }
        Ok(())
    }

    async fn send_what_is_missing(
        &self,
        id: &str,
        arrived: &HashMap<String, Digest>,
        (files, archives): (Vec<Hashed>, Vec<HashedArchive>),
        plan: &Plan,
    ) -> Result<()> {
        let missing: Vec<Hashed> =
            files.into_iter().filter(|file| arrived.get(file.file.path.as_str()) != Some(&file.sha256)).collect();
        let lacks = |archive: &HashedArchive| missing.iter().any(|file| file.file.at == archive.at);
        let (incomplete, complete): (Vec<_>, Vec<_>) = archives.into_iter().partition(lacks);
        let packed = |file: &Hashed| incomplete.iter().chain(&complete).any(|archive| archive.at == file.file.at);
        let single: Vec<Hashed> = missing.into_iter().filter(|file| !packed(file)).collect();
        let bytes = single.iter().map(|file| file.file.size).chain(incomplete.iter().map(|archive| archive.size));
        let bar = progress("sending", bytes.sum(), plan.quiet);
        // Nothing else may be sent to a draft while an archive is.
        for archive in &incomplete {
            self.send_archive(id, archive, &bar).await?;
        }
        let sending = single.iter().map(|file| self.send_file(id, file, &bar));
        futures::stream::iter(sending).buffer_unordered(plan.parallel).try_collect::<()>().await?;
        bar.finish_and_clear();
        Ok(())
    }

    async fn send_file(&self, id: &str, file: &Hashed, bar: &ProgressBar) -> Result<()> {
        let Hashed { file: LocalFile { at, path, size }, sha256 } = file;
        let to = format!("/api/v1/deposits/{}/files/{}", escape(id), escape_path(path.as_str()));
        self.send_body(&to, &Body { at, size: *size, sha256: *sha256 }, bar).await.with_context(|| path.to_string())
    }

    async fn send_archive(&self, id: &str, archive: &HashedArchive, bar: &ProgressBar) -> Result<()> {
        let HashedArchive { at, name, size, sha256 } = archive;
        let to = format!("/api/v1/deposits/{}/archive?name={}", escape(id), escape(name));
        self.send_body(&to, &Body { at, size: *size, sha256: *sha256 }, bar).await.with_context(|| name.clone())
    }

    /// Sends one body; again when the connection broke or the node was busy.
    async fn send_body(&self, to: &str, body: &Body<'_>, bar: &ProgressBar) -> Result<()> {
        let mut tries = 1;
        loop {
            let content = tokio::fs::File::open(body.at).await?;
            let digest = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, body.sha256.as_bytes());
            let request = self
                .request(Method::PUT, to)
                .header("content-digest", format!("sha-256=:{digest}:"))
                .header("content-length", body.size)
                .body(reqwest::Body::wrap_stream(tokio_util::io::ReaderStream::with_capacity(content, 1 << 18)));
            let again = match request.send().await {
                Ok(response) if response.status() == StatusCode::SERVICE_UNAVAILABLE => true,
                Ok(response) => {
                    super::read_answer(response).await?;
                    bar.inc(body.size);
                    return Ok(());
                }
                Err(error) if tries >= TRIES => return Err(error.into()),
                Err(_) => true,
            };
            if again && tries >= TRIES {
                anyhow::bail!("the node stays busy; run the command again later, it goes on here");
            }
            tokio::time::sleep(Duration::from_millis(200 << tries)).await;
            tries += 1;
        }
    }
}

/// A file of this machine that is sent as it is.
struct Body<'a> {
    at: &'a Path,
    size: u64,
    sha256: Digest,
}

/// A file and an archive, or two archives, may claim one place.
fn refuse_doubles(files: &[Hashed]) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    match files.iter().find(|file| !seen.insert(&file.file.path)) {
        Some(double) => anyhow::bail!("'{}' would be deposited twice", double.file.path),
        None => Ok(()),
    }
}

/// Where a deposit stands at the node.
enum Found {
    Published(Value),
    Publishing(Value),
    Draft(Value),
}

/// The folders of images that the node made.
fn converted(draft: &Value) -> Vec<String> {
    let images = draft["converted"].as_array().into_iter().flatten();
    images.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn is_below(path: &str, folders: &[String]) -> bool {
    folders.iter().any(|folder| path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/')))
}

async fn hash_all(files: Vec<LocalFile>, plan: &Plan) -> Result<Vec<Hashed>> {
    let bar = progress("reading", files.iter().map(|file| file.size).sum(), plan.quiet);
    let hashing = files.into_iter().map(|file| {
        let bar = bar.clone();
        async move {
            let sha256 = hash(&file.at, &bar).await.with_context(|| format!("reading {}", file.at.display()))?;
            Ok::<_, anyhow::Error>(Hashed { file, sha256 })
        }
    });
    let hashed = futures::stream::iter(hashing).buffered(plan.parallel).try_collect().await?;
    bar.finish_and_clear();
    Ok(hashed)
}

async fn hash(path: &Path, bar: &ProgressBar) -> Result<Digest> {
    let mut file = tokio::fs::File::open(path).await?;
    let mut digester = Digester::default();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let count = file.read(&mut buffer).await?;
        if count == 0 {
            return Ok(digester.finish());
        }
        digester.update(&buffer[..count]);
        bar.inc(count as u64);
    }
}

pub(crate) fn progress(what: &'static str, bytes: u64, quiet: bool) -> ProgressBar {
    let bar = ProgressBar::new(bytes).with_message(what);
    if quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let template = "{msg} [{bar:40}] {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
