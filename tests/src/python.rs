use std::path::{Path, PathBuf};

/// The Python that has the third-party clients: `HELIOGRAPH_PYTHON`, or `.venv` at the root of the checkout.
///
/// # Panics
/// When there is none; `make test-tools` makes it.
pub fn python() -> PathBuf {
    let path = match std::env::var_os("HELIOGRAPH_PYTHON") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../.venv/bin/python"),
    };
    assert!(path.exists(), "{} is not there: run 'make test-tools'", path.display());
    path
}

/// The folder whose `node_modules` has the clients from npm: `npm` beside the Python environment's `bin`.
///
/// # Panics
/// When there is none; `make test-tools` makes it.
pub fn npm_clients() -> PathBuf {
    let python = python();
    let path = python.parent().and_then(Path::parent).unwrap_or(&python).join("npm");
    assert!(path.join("node_modules").exists(), "{} is not there: run 'make test-tools'", path.display());
    path
}
