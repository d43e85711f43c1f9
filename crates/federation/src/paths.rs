//! Every URL path of the protocol, for server and client alike.
//!
//! ```
//! use federation::paths::{self, TilePath};
//!
//! let path = paths::tile(0, 1_234_067, Some(8));
//! assert_eq!(path, "/log/tile/0/x001/x234/067.p/8");
//! let parsed = paths::parse_tile("0/x001/x234/067.p/8");
//! assert_eq!(parsed, Some(TilePath::Hashes { level: 0, index: 1_234_067, width: Some(8) }));
//! ```

use crate::checkpoint::decimal;

/// The signed checkpoint (GET, [`TEXT`]).
pub const CHECKPOINT: &str = "/log/checkpoint";
/// Before the coordinates of a tile; what follows is for [`parse_tile`].
pub const TILES: &str = "/log/tile/";
/// The node's description (GET, [`JSON`]).
pub const NODE: &str = "/federation/v1/node";
/// Crates in bulk (POST [`JSON`], answer [`ZSTD`]): see [`crate_stream`](crate::crate_stream).
pub const CRATES: &str = "/federation/v1/crates";
/// Hints (POST of a signed checkpoint, [`TEXT`]): the log has grown.
pub const INBOX: &str = "/federation/v1/inbox";
/// The log in bulk (GET, answer [`ZSTD`]): see [`log_stream`](crate::log_stream).
pub const LOG: &str = "/federation/v1/log";
/// Search (GET, [`JSON`]), of which peers ask their own records.
pub const SEARCH: &str = "/api/v1/search";
/// Copies of other nodes' versions that the node holds (GET, [`JSON`]).
pub const MIRRORED: &str = "/federation/v1/mirrored";

/// A checkpoint to be cosigned (POST [`TEXT`], answer [`TEXT`]): see [`AddCheckpoint`](crate::AddCheckpoint).
pub const ADD_CHECKPOINT: &str = "/witness/v1/add-checkpoint";
/// The checkpoints a node saw last (GET, [`JSON`]).
pub const CHECKPOINTS: &str = "/federation/v1/checkpoints";
/// The changes of the node's key (GET, [`JSON`]).
pub const KEYS: &str = "/federation/v1/keys";

/// Media type of checkpoints.
pub const TEXT: &str = "text/plain; charset=utf-8";
/// Media type of hash tiles and entry bundles.
pub const BYTES: &str = "application/octet-stream";
/// Media type of descriptions and requests.
pub const JSON: &str = "application/json";
/// Media type of crates in bulk.
pub const ZSTD: &str = "application/zstd";

/// The highest level C2SP `tlog-tiles` allows in a path.
const MAX_LEVEL: u8 = 63;

/// The coordinates in a tile's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TilePath {
    /// A tile of hashes.
    Hashes {
        /// Its level: 0 holds the hashes of entries, each further level the roots of the tiles below.
        level: u8,
        /// Its index within the level.
        index: u64,
        /// How many hashes it has, when fewer than 256.
        width: Option<u8>,
    },
    /// A bundle of entries.
    Entries {
        /// Its index.
        index: u64,
        /// How many entries it has, when fewer than 256.
        width: Option<u8>,
    },
}

/// The path of a tile of hashes, `width` wide where it is partial.
pub fn tile(level: u8, index: u64, width: Option<u8>) -> String {
    format!("{TILES}{level}/{}{}", grouped(index), partial(width))
}

/// The path of a bundle of entries, `width` wide where it is partial.
pub fn entries(index: u64, width: Option<u8>) -> String {
    format!("{TILES}entries/{}{}", grouped(index), partial(width))
}

/// Reads what follows [`TILES`] in a path. Each tile has one path: other spellings are no tile.
pub fn parse_tile(rest: &str) -> Option<TilePath> {
    let (kind, rest) = rest.split_once('/')?;
    let (index, width) = match rest.split_once(".p/") {
        Some((index, width)) => (index, Some(u8::try_from(decimal(width)?).ok().filter(|width| *width > 0)?)),
        None => (rest, None),
    };
    let index = ungrouped(index)?;
    if kind == "entries" {
        return Some(TilePath::Entries { index, width });
    }
    let level = u8::try_from(decimal(kind)?).ok().filter(|level| *level <= MAX_LEVEL)?;
    Some(TilePath::Hashes { level, index, width })
}

fn partial(width: Option<u8>) -> String {
    width.map(|width| format!(".p/{width}")).unwrap_or_default()
}

/// `1234067` as `x001/x234/067`.
fn grouped(index: u64) -> String {
    let mut text = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        text = format!("x{:03}/{text}", rest % 1000);
        rest /= 1000;
    }
    text
}

fn ungrouped(text: &str) -> Option<u64> {
    let mut index = 0_u64;
    for group in text.split('/') {
        let digits = group.strip_prefix('x').unwrap_or(group);
        if digits.len() != 3 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    }
    (grouped(index) == text).then_some(index)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_path_is_read_as_it_was_written(level in 0..=63_u8, index: u64, width in prop::option::of(1..=255_u8)) {
            let path = tile(level, index, width);
            let expected = TilePath::Hashes { level, index, width };
            prop_assert_eq!(parse_tile(path.strip_prefix(TILES).unwrap()), Some(expected));
            let path = entries(index, width);
            let expected = TilePath::Entries { index, width };
            prop_assert_eq!(parse_tile(path.strip_prefix(TILES).unwrap()), Some(expected));
        }

        #[test]
        fn paths_are_those_of_tlog_tiles(level in 0..=63_u8, index: u64, width in 1..=256_u32) {
            let theirs = tlog_tiles::Tile::new(8, level, index, width, false).path();
            let ours = tile(level, index, u8::try_from(width).ok());
            prop_assert_eq!(theirs.replacen("tile/8/", TILES, 1), ours);
        }

        #[test]
        fn whatever_parses_is_the_one_spelling(text in "[0-9x/.pentris]{1,24}") {
            if let Some(parsed) = parse_tile(&text) {
                let path = match parsed {
                    TilePath::Hashes { level, index, width } => tile(level, index, width),
                    TilePath::Entries { index, width } => entries(index, width),
                };
                prop_assert_eq!(path, format!("{TILES}{text}"));
            }
        }
    }

    #[test]
    fn other_spellings_are_no_tile() {
        for wrong in [
            "",
            "0",
            "0/",
            "0/0",
            "0/1000",
            "00/000",
            "64/000",
            "-1/000",
            "0/x000/000",
            "0/001/000",
            "0/x001",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/01",
            "0/000.p/",
            "0/000.p/1.p/1",
            "0/+01",
            "data/000",
            "entries/1",
            "0/000/",
            "0//000",
            "0/x999/x999/x999/x999/x999/x999/x999/999",
            "../0/000",
            "0/x018/x446/x744/x073/x709/x551/616",
        ] {
            assert_eq!(parse_tile(wrong), None, "{wrong}");
        }
    }
}
