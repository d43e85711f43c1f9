use std::{collections::BTreeMap, fs, io::ErrorKind, path::Path};

/// Every file below a folder, by its path in it; none where the folder is not there. What goes away meanwhile is left out.
///
/// # Panics
/// When something cannot be read.
pub fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        let entries = match fs::read_dir(&at) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries.unwrap_or_else(|error| panic!("listing {}: {error}", at.display())),
        };
        for entry in entries {
            let path = entry.unwrap_or_else(|error| panic!("listing {}: {error}", at.display())).path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).expect("below the folder").to_string_lossy().into_owned();
            match fs::read(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                bytes => drop(files.insert(name, bytes.unwrap_or_else(|error| panic!("{}: {error}", path.display())))),
            }
        }
    }
    files
}
