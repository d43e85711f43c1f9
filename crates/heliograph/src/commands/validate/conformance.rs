use std::{path::Path, process::ExitCode};

use anyhow::{Context, Result};
use ome_zarr::Conformance;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::{Opened, open};

/// Documents larger than this are not read, in bytes.
const MAX_DOCUMENT_BYTES: u64 = 16 << 20;

/// Answers the conformance runner of the specification, which calls with a path as the last argument and reads one JSON
/// object `{"valid", "message"}`. The exit code is 0 whatever the judgement, and 2 where there is none.
pub(super) async fn judge(place: &str, strict: bool) -> Result<ExitCode> {
    let strict = strict || is_strict(Path::new(place));
    let conformance = match document(Path::new(place))? {
        Some(document) => Conformance::of_attributes(&document, strict),
        None => {
            let (place, runtime) = (place.to_owned(), Handle::current());
            tokio::task::spawn_blocking(move || hierarchy(&place, runtime, strict)).await??
        }
    };
    println!("{}", json!({"valid": conformance.valid, "message": conformance.message}));
    if !conformance.is_judged {
        eprintln!("heliograph: {}", conformance.message);
        return Ok(ExitCode::from(2));
    }
    Ok(ExitCode::SUCCESS)
}

fn hierarchy(place: &str, runtime: Handle, strict: bool) -> Result<Conformance> {
    let Opened { findings, source } = open(place, runtime)?;
    let Some(source) = source else {
        let message = findings.iter().map(|finding| finding.message.as_str()).collect::<Vec<_>>().join("\n");
        return Ok(Conformance { valid: false, message, is_judged: true });
    };
    Ok(Conformance::of_hierarchy(source.as_ref(), strict)?)
}

/// The attributes document at a path; `None` where there is a hierarchy instead.
fn document(path: &Path) -> Result<Option<Value>> {
    if !path.is_file() || super::is_archive(&path.to_string_lossy()) {
        return Ok(None);
    }
    let reading = || format!("reading {}", path.display());
    anyhow::ensure!(path.metadata().with_context(reading)?.len() <= MAX_DOCUMENT_BYTES, "the document is too large");
    let bytes = std::fs::read(path).with_context(reading)?;
    // What is no JSON is no OME-Zarr metadata either: a judgement, not a failure.
    Ok(Some(serde_json::from_slice(&bytes).unwrap_or_default()))
}

/// The runner tells a dingus nothing but the path: cases that ask for SHOULDs as for MUSTs lie in a folder `strict`, or, in the
/// suites of 0.4 and 0.5, in files whose names begin so.
fn is_strict(path: &Path) -> bool {
    let mut names = path.components().filter_map(|component| component.as_os_str().to_str());
    names.any(|name| name == "strict" || (name.starts_with("strict_") && name.contains("suite")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_cases_are_known_by_their_place() {
        assert!(is_strict(Path::new("/x/tests/attributes/strict/invalid/plate/missing_name.json")));
        assert!(is_strict(Path::new("0.4/strict_label_suite/no_version.json")));
        assert!(is_strict(Path::new("strict_label_suite_2.json")));
        assert!(!is_strict(Path::new("/x/tests/attributes/spec/valid/plate/strict_acquisitions.json")));
    }
}
