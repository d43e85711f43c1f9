use std::path::Path;

use serde_json::{Value, json};

use crate::python;

/// Validates a storage root with ocfl-py, an independent validator, digests included; gives how many objects it saw.
///
/// # Panics
/// With what it said, when it finds an error.
pub async fn check_ocfl(root: &Path) -> u64 {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/ocfl_check.py");
    let output = tokio::process::Command::new(python()).arg(script).arg(root).output().await.expect("running ocfl-py");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "ocfl-py finds errors in {}: {output:?}", root.display());
    let report: Value = serde_json::from_str(said.lines().last().unwrap_or_default()).unwrap_or_else(|_| json!(said));
    report["objects"].as_u64().unwrap_or_else(|| panic!("ocfl-py did not count: {output:?}"))
}
