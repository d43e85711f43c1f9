use std::str::FromStr;

use serde_json::{Value, json};

use crate::{array::DataType, error::OmeZarrError};

/// How chunks are compressed. All readers of OME-Zarr in browsers know these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// Zstandard, of a level from 1 to 22.
    Zstd(u8),
    /// Blosc: bytes of like weight together, then Zstandard, of a Blosc level from 1 to 9.
    Blosc(u8),
}

/// The zstd level of bytes and labels, whose long runs are worth the search.
const ZSTD: u8 = 5;
/// The Blosc level of camera pixels: higher ones take several times as long on noise and save a few percent.
const BLOSC: u8 = 1;

impl Compression {
    /// What suits a type: camera pixels of 16 bits or more shrink better with their bytes sorted, labels and bytes
    /// do not.
    pub(crate) fn of(data_type: DataType, is_label: bool) -> Self {
        if is_label || data_type.size() == 1 { Self::Zstd(ZSTD) } else { Self::Blosc(BLOSC) }
    }

    /// The codecs of one chunk as Zarr 3 metadata, every key spelled out.
    ///
    /// Inside a shard the chain ends in `crc32c`, so that a range read can be checked; whoever reads shards knows that
    /// codec from the shard's index.
    pub(crate) fn codecs(self, data_type: DataType, is_inner: bool) -> Vec<Value> {
        let mut codecs = vec![json!({"name": "bytes", "configuration": {"endian": "little"}})];
        match self {
            Self::None => {}
            Self::Zstd(level) => {
                codecs.push(json!({"name": "zstd", "configuration": {"level": level, "checksum": false}}));
            }
            Self::Blosc(level) => {
                // Blosc sorts bytes of words up to 255 bytes; of one byte there is nothing to sort.
                let shuffle = if data_type.size() == 1 { "noshuffle" } else { "shuffle" };
                codecs.push(json!({"name": "blosc", "configuration": {
                    "cname": "zstd", "clevel": level, "shuffle": shuffle,
                    "typesize": data_type.size(), "blocksize": 0,
                }}));
            }
        }
        if is_inner {
            codecs.push(json!({"name": "crc32c"}));
        }
        codecs
    }
}

impl FromStr for Compression {
    type Err = OmeZarrError;

    /// Reads `none`, `zstd`, `zstd:5`, `blosc` or `blosc:1`.
    fn from_str(text: &str) -> Result<Self, OmeZarrError> {
        let (name, level) = match text.split_once(':') {
            Some((name, level)) => (name, level.parse().ok().filter(|level| *level > 0)),
            None => (text, Some(if text == "zstd" { ZSTD } else { BLOSC })),
        };
        match (name, level) {
            ("none", _) if text == "none" => Ok(Self::None),
            ("zstd", Some(level)) if level <= 22 => Ok(Self::Zstd(level)),
            ("blosc", Some(level)) if level <= 9 => Ok(Self::Blosc(level)),
            _ => Err(OmeZarrError::Options(format!(
                "'{}' is no codec: give none, zstd:1 to zstd:22 or blosc:1 to blosc:9",
                text.escape_default()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecs_are_read_as_people_write_them() {
        for (text, compression) in
            [("none", Compression::None), ("zstd:1", Compression::Zstd(1)), ("blosc", Compression::Blosc(1))]
        {
            assert_eq!(text.parse::<Compression>().unwrap(), compression);
        }
        for bad in ["", "zstd:0", "zstd:23", "blosc:10", "lz4", "none:3", "zstd:x"] {
            assert!(bad.parse::<Compression>().is_err(), "{bad}");
        }
    }
}
