use super::member::ends_with;

/// What an archive is, by its name or its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveKind {
    /// An OME-Zarr zip file (RFC-9).
    Ozx,
    /// Any other ZIP.
    Zip,
    /// A tar, not compressed.
    Tar,
    /// A tar within gzip.
    TarGz,
}

const ENDINGS: [(&str, ArchiveKind); 5] = [
    (".ozx", ArchiveKind::Ozx),
    (".zip", ArchiveKind::Zip),
    (".tar", ArchiveKind::Tar),
    (".tar.gz", ArchiveKind::TarGz),
    (".tgz", ArchiveKind::TarGz),
];

impl ArchiveKind {
    /// How many first bytes [`of_bytes`](Self::of_bytes) looks at.
    pub const MAGIC_BYTES: usize = 262;

    /// The kind a file name says.
    pub fn of_name(name: &str) -> Option<Self> {
        ENDINGS.iter().find(|(ending, _)| ends_with(name, ending)).map(|(_, kind)| *kind)
    }

    /// The kind the first bytes say; an `.ozx` is a ZIP as far as these tell.
    pub fn of_bytes(start: &[u8]) -> Option<Self> {
        match start {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            [0x1f, 0x8b, ..] => Some(Self::TarGz),
            _ if start.get(257..262) == Some(b"ustar") => Some(Self::Tar),
            _ => None,
        }
    }

    /// Whether it is a ZIP of either sort.
    pub fn is_zip(self) -> bool {
        matches!(self, Self::Ozx | Self::Zip)
    }

    /// The folder an archive's image goes to when it stands at the archive's root: `cells.ozx` to `cells.ome.zarr`.
    pub fn image_folder(name: &str) -> String {
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let ending = ENDINGS.iter().map(|(ending, _)| *ending).filter(|ending| ends_with(name, ending)).map(str::len);
        let stem = name.get(..name.len() - ending.max().unwrap_or(0)).unwrap_or(name).trim();
        match stem {
            "" => "image.ome.zarr".to_owned(),
            _ if ends_with(stem, ".zarr") => stem.to_owned(),
            _ => format!("{stem}.ome.zarr"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_keeps_the_name_of_its_archive() {
        for (name, folder) in [
            ("cells.ozx", "cells.ome.zarr"),
            ("cells.ome.zarr.zip", "cells.ome.zarr"),
            ("CELLS.OZX", "CELLS.ome.zarr"),
            ("a.tar.gz", "a.ome.zarr"),
            ("../x/a.zarr.tgz", "a.zarr"),
            (".ozx", "image.ome.zarr"),
            ("plain", "plain.ome.zarr"),
        ] {
            assert_eq!(ArchiveKind::image_folder(name), folder, "{name}");
        }
    }
}
