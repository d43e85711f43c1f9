use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context, Result};
use dataset_model::{Finding, Findings};
use indicatif::{ProgressBar, ProgressStyle};
use ome_zarr::{DoorRepair, FileSource, FolderSource, Progress};
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
    if !is_address(&arguments.path) && path.is_file() && !is_archive(path) {
        let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        return Ok(Outcome { findings: node::check_crate(&bytes), ..Outcome::default() });
    }
    let source = open(&arguments.path).await?;
    let with_pixels = !arguments.metadata_only;
    let bar = Bar::new(arguments.json);
    let outcome = tokio::task::spawn_blocking(move || -> Result<Outcome> {
        let report = if with_pixels {
            ome_zarr::validate_pixels(source.as_ref(), &bar)?
        } else {
            ome_zarr::validate(source.as_ref())?
        };
        bar.0.finish_and_clear();
        // Over the web the files would all be read once more, for something that only a deposit needs.
        let repairs = if source.can_list() { ome_zarr::repairs(source.as_ref())? } else { Vec::new() };
        Ok(Outcome { findings: report.findings, repairs })
    });
    outcome.await?
}

/// Opens a folder, an archive, or a place on the web.
async fn open(place: &str) -> Result<Arc<dyn FileSource>> {
    let runtime = Handle::current();
    if place.starts_with("s3://") {
        return Ok(Arc::new(bucket::BucketSource::open(place, runtime)?));
    }
    if is_address(place) {
        return Ok(Arc::new(web::WebSource::open(place, runtime)?));
    }
    let path = Path::new(place);
    anyhow::ensure!(!path.is_file(), "{place} is an archive: unpack it, and check the folder");
    let source = FolderSource::new(path).with_context(|| format!("there is nothing to check at {place}"))?;
    Ok(Arc::new(source))
}

fn is_address(place: &str) -> bool {
    ["http://", "https://", "s3://"].iter().any(|scheme| place.starts_with(scheme))
}

fn is_archive(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("ozx") || extension.eq_ignore_ascii_case("zip"))
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
