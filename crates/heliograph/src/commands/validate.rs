use std::{path::Path, process::ExitCode};

use anyhow::{Context, Result};
use dataset_model::{Finding, Findings, Severity};
use ome_zarr::zip::{ArchiveKind, ArchiveLimits, Checked, LocalFile, check_archive};
use serde_json::json;

use super::arguments::Validate;

/// Checks an OME-Zarr folder or an RO-Crate; exit 0 when valid, 1 when not.
pub(crate) async fn validate(arguments: &Validate) -> Result<ExitCode> {
    let path = arguments.path.clone();
    let findings = tokio::task::spawn_blocking(move || findings(&path)).await??;
    let valid = !findings.has_errors();
    if arguments.json {
        println!("{}", json!({"valid": valid, "findings": findings}));
    } else {
        print(&findings);
        println!("{}", if valid { "valid" } else { "not valid" });
    }
    Ok(if valid { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn findings(path: &Path) -> Result<Vec<Finding>> {
    if path.is_dir() {
        return Ok(ome_zarr::validate(&ome_zarr::FolderSource::new(path)?)?.findings);
    }
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if ArchiveKind::of_name(name).is_some_and(ArchiveKind::is_zip) {
        return findings_of_archive(path, name);
    }
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(node::check_crate(&bytes))
}

/// Findings about a ZIP and, where it can be read, about the images in it; nothing is unpacked to disk.
fn findings_of_archive(path: &Path, name: &str) -> Result<Vec<Finding>> {
    let bytes = Box::new(LocalFile::open(path)?);
    let Checked { mut findings, source } = check_archive(bytes, Some(name), &ArchiveLimits::default())?;
    if let Some(source) = source {
        findings.extend(ome_zarr::validate(&source)?.findings);
    }
    Ok(findings)
}

/// Findings for people, the worst first.
pub(crate) fn print(findings: &[Finding]) {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    for finding in sorted {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        println!(
            "{severity}: {}\n  at   {}\n  rule {}\n  do   {}",
            finding.message, finding.path, finding.rule, finding.hint
        );
    }
}
