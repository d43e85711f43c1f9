use std::path::{Path, PathBuf};

/// A folder of the shared test data, named by `HELIOGRAPH_SHARED` (which holds `data`) or found beside the workspace.
/// Where it is absent this says so, and the test that needs it has nothing to do.
pub fn shared_data(folder: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = std::env::var_os("HELIOGRAPH_SHARED").map_or(beside, PathBuf::from);
    let path = shared.join("data").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: there is no {}; set HELIOGRAPH_SHARED to the folder that holds data/{folder}", path.display());
    None
}
