use serde::{Deserialize, Serialize};

use crate::{Digest, FilePath, MerkleTree, inclusion_path, leaf_hash, root_of};

/// Leaves below each of the roots that a [`ManifestTree`] keeps.
const BLOCK: usize = 256;

/// One file of a published version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFile {
    /// Where it stands in the dataset.
    pub path: FilePath,
    /// Its length in bytes.
    pub size: u64,
    /// The digest of its bytes.
    pub sha256: Digest,
}

impl ManifestFile {
    /// The leaf that stands for the file in the tree: `path NUL size-in-decimal NUL sha256-in-hex`.
    pub fn leaf(&self) -> String {
        leaf(self.path.as_str(), self)
    }
}

/// The complete list of a version's files, sorted by path; its [`content_root`](Manifest::content_root) is what the
/// ledger signs, so that one file of a million can be proved with some twenty hashes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Manifest {
    files: Vec<ManifestFile>,
}

/// The upper part of the tree over a version's files: one hash for each 256 of them, so that a million files take 128 KiB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestTree {
    /// Roots over 256 leaves each, the last one over what is left.
    blocks: Vec<Digest>,
}

/// The list cannot be a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Two files in one place.
    #[error("'{0}' is listed twice")]
    Duplicate(FilePath),
    /// A file stands where another needs a folder.
    #[error("'{0}' is both a file and a folder")]
    FileAndFolder(FilePath),
}

impl Manifest {
    /// Sorts the files and checks that they can stand side by side in a folder.
    ///
    /// # Errors
    /// When a path is listed twice, or is both a file and a folder.
    pub fn new(mut files: Vec<ManifestFile>) -> Result<Self, ManifestError> {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        if let Some(pair) = files.windows(2).find(|pair| pair[0].path == pair[1].path) {
            return Err(ManifestError::Duplicate(pair[0].path.clone()));
        }
        let manifest = Self { files };
        match manifest.files.iter().find(|file| manifest.has_folder(&file.path)) {
            Some(file) => Err(ManifestError::FileAndFolder(file.path.clone())),
            None => Ok(manifest),
        }
    }

    /// The files, sorted by path.
    pub fn files(&self) -> &[ManifestFile] {
        &self.files
    }

    /// The file at a path.
    pub fn find(&self, path: &FilePath) -> Option<&ManifestFile> {
        self.files.binary_search_by(|file| file.path.cmp(path)).ok().and_then(|at| self.files.get(at))
    }

    /// The files below a folder (`folder` without trailing slash).
    pub fn below<'a>(&'a self, folder: &str) -> impl Iterator<Item = &'a ManifestFile> {
        let prefix = format!("{folder}/");
        let start = self.files.partition_point(|file| file.path.as_str() < prefix.as_str());
        self.files[start..].iter().take_while(move |file| file.path.as_str().starts_with(&prefix))
    }

    /// The [`content_root`](Manifest::content_root) of the files below a folder, as if the folder were the whole
    /// dataset: the same files have the same root in every version and dataset, whatever the folder is called.
    pub fn folder_root(&self, folder: &str) -> Digest {
        let mut tree = MerkleTree::default();
        for file in self.below(folder) {
            let path = file.path.as_str().get(folder.len() + 1..).unwrap_or_default();
            tree.push(leaf(path, file).as_bytes());
        }
        tree.root()
    }

    /// The sum of all sizes.
    pub fn total_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// The Merkle root (RFC 6962) over the files in order; leaf = `path NUL size-in-decimal NUL sha256-in-hex`.
    pub fn content_root(&self) -> Digest {
        let mut tree = MerkleTree::default();
        for file in &self.files {
            tree.push(leaf(file.path.as_str(), file).as_bytes());
        }
        tree.root()
    }

    /// What to keep of the tree over the files, so that proofs of a large version cost little.
    pub fn tree(&self) -> ManifestTree {
        ManifestTree { blocks: self.files.chunks(BLOCK).map(|files| root_of(&leaf_hashes(files))).collect() }
    }

    /// Proves that the file at a place in the list is in the [`content_root`](Manifest::content_root): the hashes from its
    /// neighbour up (RFC 6962 §2.1.1). `tree` is what [`tree`](Manifest::tree) gave. Nothing where there is no such place.
    pub fn prove(&self, tree: &ManifestTree, index: usize) -> Option<Vec<Digest>> {
        let block = self.files.chunks(BLOCK).nth(index / BLOCK)?;
        (index < self.files.len()).then(|| {
            let mut path = inclusion_path(&leaf_hashes(block), index % BLOCK);
            path.extend(inclusion_path(&tree.blocks, index / BLOCK));
            path
        })
    }

    fn has_folder(&self, path: &FilePath) -> bool {
        self.below(path.as_str()).next().is_some()
    }
}

fn leaf_hashes(files: &[ManifestFile]) -> Vec<Digest> {
    files.iter().map(|file| leaf_hash(file.leaf().as_bytes())).collect()
}

fn leaf(path: &str, file: &ManifestFile) -> String {
    format!("{path}\0{}\0{}", file.size, file.sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> ManifestFile {
        ManifestFile { path: path.parse().unwrap(), size: path.len() as u64, sha256: Digest::of(path) }
    }

    #[test]
    fn order_of_arrival_does_not_matter() {
        let one = Manifest::new(vec![file("b"), file("a/x"), file("a.txt")]).unwrap();
        let two = Manifest::new(vec![file("a.txt"), file("b"), file("a/x")]).unwrap();
        assert_eq!(one.content_root(), two.content_root());
        assert_eq!(one.below("a").count(), 1);
        assert_eq!(one.find(&"b".parse().unwrap()).unwrap().size, 1);
    }

    #[test]
    fn a_folder_has_the_root_it_would_have_alone() {
        let of = |path: &str| ManifestFile { path: path.parse().unwrap(), ..file("a/x") };
        let within = Manifest::new(vec![of("img/0"), of("img/c/0"), file("img2/x"), file("readme")]).unwrap();
        let alone = Manifest::new(vec![of("0"), of("c/0")]).unwrap();
        assert_eq!(within.folder_root("img"), alone.content_root());
        assert_ne!(within.folder_root("img"), within.folder_root("img2"));
    }

    #[test]
    fn every_file_of_a_version_of_any_size_is_proved() {
        for count in [1, 2, 255, 256, 257, 700_usize] {
            let manifest = Manifest::new((0..count).map(|at| file(&format!("c/{at}"))).collect()).unwrap();
            let (tree, root) = (manifest.tree(), manifest.content_root());
            for (index, file) in manifest.files().iter().enumerate() {
                let path = manifest.prove(&tree, index).unwrap();
                let leaf = leaf_hash(file.leaf().as_bytes());
                let found = crate::root_from_path(leaf, index as u64, count as u64, &path);
                assert_eq!(found, Some(root), "{index} of {count}");
            }
            assert_eq!(manifest.prove(&tree, count), None);
        }
    }

    #[test]
    fn a_list_that_no_folder_can_hold_is_refused() {
        assert!(matches!(Manifest::new(vec![file("a"), file("a")]), Err(ManifestError::Duplicate(_))));
        assert!(matches!(
            Manifest::new(vec![file("a"), file("a-b"), file("a/b")]),
            Err(ManifestError::FileAndFolder(_))
        ));
    }
}
