//! Digests of content files against what inventories say of them (sections 3.5.2 and 3.5.4).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Read},
};

use futures::{StreamExt, TryStreamExt, stream};
use object_store::{GetResult, GetResultPayload};
use sha2::digest::DynDigest;

use super::{faults::Faults, tree::Tree};
use crate::error::{ArchiveError, Cause};

/// How many files are hashed at once.
const AT_ONCE: usize = 4;
/// What is read at once, in bytes.
const PIECE: usize = 1024 * 1024;

/// A digest algorithm that can be checked here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Algorithm {
    Sha512,
    Sha256,
    Sha512_256,
    Sha1,
    Md5,
}

impl Algorithm {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "sha512" => Some(Self::Sha512),
            "sha256" => Some(Self::Sha256),
            "sha512/256" => Some(Self::Sha512_256),
            "sha1" => Some(Self::Sha1),
            "md5" => Some(Self::Md5),
            _ => None,
        }
    }

    /// The digest of some bytes in lower-case hexadecimal digits.
    pub(super) fn digest(self, bytes: &[u8]) -> String {
        let mut hasher = self.hasher();
        hasher.update(bytes);
        hex::encode(hasher.finalize())
    }

    fn hasher(self) -> Box<dyn DynDigest + Send> {
        match self {
            Self::Sha512 => Box::<sha2::Sha512>::default(),
            Self::Sha256 => Box::<sha2::Sha256>::default(),
            Self::Sha512_256 => Box::<sha2::Sha512_256>::default(),
            Self::Sha1 => Box::<sha1::Sha1>::default(),
            Self::Md5 => Box::<md5::Md5>::default(),
        }
    }
}

/// What inventories say of content files, collected so that each file is read once.
#[derive(Debug, Default)]
pub(super) struct Fixity {
    wanted: BTreeMap<String, BTreeSet<Wanted>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    algorithm: Algorithm,
    digest: String,
    code: &'static str,
}

impl Fixity {
    /// Notes that a file is said to have a digest; `code` is the fault when it has not.
    pub(super) fn want(&mut self, path: &str, algorithm: Algorithm, digest: &str, code: &'static str) {
        let wanted = Wanted { algorithm, digest: digest.to_ascii_lowercase(), code };
        self.wanted.entry(path.to_owned()).or_default().insert(wanted);
    }

    /// Reads every file once and compares.
    pub(super) async fn check(self, tree: &Tree, faults: &mut Faults) -> Result<(), ArchiveError> {
        let checked = stream::iter(self.wanted).map(|(path, wanted)| async move {
            let algorithms: BTreeSet<Algorithm> = wanted.iter().map(|wanted| wanted.algorithm).collect();
            let found = match tree.open(&path).await? {
                None => None,
                Some(file) => Some(hash(file, algorithms).await.map_err(|source| ArchiveError::Storage {
                    action: "read",
                    path: path.clone(),
                    source,
                })?),
            };
            Ok::<_, ArchiveError>((path, wanted, found))
        });
        let mut checked = checked.buffered(AT_ONCE);
        while let Some((path, wanted, found)) = checked.try_next().await? {
            for Wanted { algorithm, digest, code } in wanted {
                match found.as_ref().map(|found| found.get(&algorithm)) {
                    None => faults.add(code, &path, "an inventory lists this file, but it is not there"),
                    Some(has) if has == Some(&digest) => {}
                    Some(_) => faults.add(code, &path, format!("the file's {algorithm:?} digest is not {digest}")),
                }
            }
        }
        Ok(())
    }
}

type Digests = BTreeMap<Algorithm, String>;

async fn hash(file: GetResult, algorithms: BTreeSet<Algorithm>) -> Result<Digests, Cause> {
    let mut hashers: Vec<_> = algorithms.into_iter().map(|algorithm| (algorithm, algorithm.hasher())).collect();
    let hashers = match file.payload {
        GetResultPayload::File(file, _) => tokio::task::spawn_blocking(move || hash_file(file, hashers)).await??,
        GetResultPayload::Stream(mut pieces) => {
            while let Some(piece) = pieces.try_next().await? {
                hashers.iter_mut().for_each(|(_, hasher)| hasher.update(&piece));
            }
            hashers
        }
    };
    Ok(hashers.into_iter().map(|(algorithm, hasher)| (algorithm, hex::encode(hasher.finalize()))).collect())
}

type Hashers = Vec<(Algorithm, Box<dyn DynDigest + Send>)>;

fn hash_file(mut file: File, mut hashers: Hashers) -> io::Result<Hashers> {
    let mut piece = vec![0; PIECE];
    loop {
        let read = match file.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { return Ok(hashers) };
        hashers.iter_mut().for_each(|(_, hasher)| hasher.update(bytes));
    }
}
