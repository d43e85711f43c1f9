use std::{collections::BTreeMap, fs, path::Path};

/// Every file below a folder, by its path in it; none where the folder is not there.
///
/// # Panics
/// When something cannot be read.
pub fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop().filter(|at| at.exists()) {
        for entry in fs::read_dir(&at).expect("listing a folder") {
            let path = entry.expect("listing a folder").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).expect("below the folder").to_string_lossy().into_owned();
            files.insert(name, fs::read(&path).expect("reading a file"));
        }
    }
    files
}
