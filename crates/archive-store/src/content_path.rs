//! File paths as content paths: the same text in the inventory, as object key and on disk.

use std::fmt::Write;

use dataset_model::{Digest, FilePath};

/// What a single name on disk may hold, in bytes.
const MAX_NAME: usize = 255;
/// What the whole may hold, in bytes: an S3 key ends at 1024, and folders and a bucket prefix stand before it.
const MAX_PATH: usize = 640;
/// Stands before a digest in place of a name; no encoded name has it, for two hexadecimal digits follow its `%`.
const SHORTENED: &str = "%_";

/// Encodes a file path so that file systems and object stores take it literally.
///
/// `%`, `#` (which the local store keeps for files being written) and the characters S3 advises against become `%XX`;
/// letters of all scripts stay, so that most paths are left as they are. A name or path that grows too long is
/// replaced by a digest of itself: the inventory knows what it stands for.
pub(crate) fn encode(path: &FilePath) -> String {
    let text = path.as_str();
    // Names of a file path are never too long before they are encoded.
    if text.len() <= MAX_PATH && !text.chars().any(is_unsafe) {
        return text.to_owned();
    }
    let encoded = path.names().map(encode_name).collect::<Vec<_>>().join("/");
    if encoded.len() > MAX_PATH { shortened(text) } else { encoded }
}

fn encode_name(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for c in name.chars() {
        if is_unsafe(c) {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{:02X}", u32::from(c));
        } else {
            encoded.push(c);
        }
    }
    if encoded.len() > MAX_NAME { shortened(name) } else { encoded }
}

fn is_unsafe(c: char) -> bool {
    matches!(c, '%' | '#' | '\\' | '{' | '^' | '}' | '`' | ']' | '"' | '>' | '[' | '~' | '<' | '|' | '*' | '?' | ':')
}

fn shortened(text: &str) -> String {
    format!("{SHORTENED}{}", Digest::of(text))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use object_store::path::Path;
    use proptest::prelude::*;

    use super::*;

    fn encoded(text: &str) -> String {
        encode(&text.parse().unwrap())
    }

    #[test]
    fn ordinary_paths_stay_as_they_are() {
        for path in ["cells.ome.zarr/0/c/0/0", "a b/c (1).tif", "細胞/é.tif", ".zattrs", "x/..y"] {
            assert_eq!(encoded(path), path);
        }
        assert_eq!(encoded("plate#1/[A]%20.tif"), "plate%231/%5BA%5D%2520.tif");
    }

    #[test]
    fn what_grows_too_long_is_named_by_its_digest() {
        let name = "#".repeat(100);
        assert_eq!(encoded(&format!("a/{name}/b")), format!("a/%_{}/b", Digest::of(&name)));
        let deep = vec!["abcdefghi"; 100].join("/");
        assert_eq!(encoded(&deep), format!("%_{}", Digest::of(&deep)));
    }

    proptest! {
        #[test]
        fn every_legal_path_is_taken_literally_and_none_falls_on_another(
            paths in prop::collection::vec("[ab%#é\\[:~ 2F._]{1,6}(/[ab%#é\\]35 ._]{1,90}){0,9}", 1..20)
        ) {
            let mut seen: HashMap<String, FilePath> = HashMap::new();
            for path in paths.into_iter().filter_map(|path| path.parse::<FilePath>().ok()) {
                let encoded = encode(&path);
                let key = Path::parse(&encoded).unwrap();
                prop_assert_eq!(key.as_ref(), encoded.as_str());
                prop_assert!(!encoded.contains('#') && encoded.len() <= MAX_PATH);
                prop_assert!(encoded.split('/').all(|name| name.len() <= MAX_NAME));
                let other = seen.insert(encoded, path.clone());
                prop_assert!(other.is_none_or(|other| other == path));
            }
        }
    }
}
