use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use dataset_model::{Finding, Findings, Repair};
use indicatif::{ProgressBar, ProgressStyle};
use ome_zarr::{
    DoorRepair, FileSource, FolderSource, Progress,
    zip::{ArchiveKind, ArchiveLimits, Checked, LocalFile, RangeRead, SourceFile, check_archive},
};
use serde_json::json;
use tokio::runtime::Handle;

use super::arguments::Validate;

mod bucket;
mod conformance;
mod print;
mod web;

pub(crate) use print::print;

/// Checks an OME-Zarr image or an RO-Crate; exit 0 when valid, 1 when not.
pub(crate) async fn validate(arguments: &Validate) -> Result<ExitCode> {
    if arguments.conformance {
        return conformance::judge(&arguments.path, arguments.strict).await;
    }
    let outcome = judge(arguments).await?;
    let valid = !outcome.findings.has_errors();
    if arguments.json {
        println!("{}", json!({"valid": valid, "findings": outcome.findings, "repairs": outcome.repairs}));
    } else {
        print(&outcome.findings);
        print::print_repairs(&outcome.repairs);
        println!("{}", if valid { "valid" } else { "not valid" });
    }
    Ok(if valid { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What was found, and what a node would repair.
#[derive(Default)]
struct Outcome {
    findings: Vec<Finding>,
    repairs: Vec<DoorRepair>,
}

async fn judge(arguments: &Validate) -> Result<Outcome> {
    let path = Path::new(&arguments.path);
    if !is_address(&arguments.path) && path.is_file() && !is_archive(&arguments.path) {
        let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let (findings, repairs) = node::check_crate(&bytes);
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let repair = |Repair { rule, from, to }| DoorRepair { rule, path: name.clone(), bytes: None, from, to };
        return Ok(Outcome { findings, repairs: repairs.into_iter().map(repair).collect() });
    }
    let (place, with_pixels) = (arguments.path.clone(), !arguments.metadata_only);
    let (bar, runtime) = (Bar::new(arguments.json), Handle::current());
    let outcome = tokio::task::spawn_blocking(move || -> Result<Outcome> {
        let Opened { mut findings, source } = open(&place, runtime)?;
        let Some(source) = source else { return Ok(Outcome { findings, ..Outcome::default() }) };
        let report = if with_pixels {
            ome_zarr::validate_pixels(source.as_ref(), &bar)?
        } else {
            ome_zarr::validate(source.as_ref())?
        };
        bar.0.finish_and_clear();
        findings.extend(report.findings);
        // Over the web the files would all be read once more, for something that only a deposit needs.
        let repairs = if source.can_list() { ome_zarr::repairs(source.as_ref())? } else { Vec::new() };
        Ok(Outcome { findings, repairs })
    });
    outcome.await?
}

/// A place that was opened.
struct Opened {
    /// What is to be said about the archive it is.
    findings: Vec<Finding>,
    /// Its files; nothing, with the reason among the findings, where an archive cannot be read.
    source: Option<Arc<dyn FileSource>>,
}

/// Opens a folder, an archive, or a place on the web. Blocks; nothing is unpacked.
fn open(place: &str, runtime: Handle) -> Result<Opened> {
    if is_archive(place) {
        return open_archive(place, runtime);
    }
    let source = if is_address(place) {
        open_address(place, runtime)?
    } else {
        Arc::new(FolderSource::new(place).with_context(|| format!("there is nothing to check at {place}"))?)
    };
    Ok(Opened { findings: Vec::new(), source: Some(source) })
}

fn open_address(place: &str, runtime: Handle) -> Result<Arc<dyn FileSource>> {
    if place.starts_with("s3://") {
        return Ok(Arc::new(bucket::BucketSource::open(place, runtime)?));
    }
    Ok(Arc::new(web::WebSource::open(place, runtime)?))
}

fn open_archive(place: &str, runtime: Handle) -> Result<Opened> {
    let (folder, name) = place.rsplit_once('/').unwrap_or((".", place));
    let bytes: Box<dyn RangeRead> = if is_address(place) {
        Box::new(SourceFile::new(open_address(folder, runtime)?, name)?)
    } else {
        Box::new(LocalFile::open(place)?)
    };
    let Checked { findings, source } = check_archive(bytes, Some(name), &ArchiveLimits::default())?;
    Ok(Opened { findings, source: source.map(|source| Arc::new(source) as Arc<dyn FileSource>) })
}

fn is_address(place: &str) -> bool {
    ["http://", "https://", "s3://"].iter().any(|scheme| place.starts_with(scheme))
}

/// Whether a place is named like a ZIP, and is no folder of that name.
fn is_archive(place: &str) -> bool {
    let name = place.rsplit('/').next().unwrap_or(place);
    ArchiveKind::of_name(name).is_some_and(ArchiveKind::is_zip) && !Path::new(place).is_dir()
}

/// Shows how many pixels have been decoded.
struct Bar(ProgressBar);

impl Bar {
    fn new(hidden: bool) -> Self {
        let bar = if hidden { ProgressBar::hidden() } else { ProgressBar::new(0) };
        let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes} decoded, {eta} to go");
        Self(style.map_or(bar.clone(), |style| bar.with_style(style)))
    }
}

impl Progress for Bar {
    fn advance(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }

    fn is_cancelled(&self) -> bool {
        false
    }
}
