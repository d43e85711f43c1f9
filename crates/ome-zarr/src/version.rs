use crate::node::{Node, ZarrVersion};

/// The OME-Zarr version a group names, sorted by what is done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OmeVersion {
    V04,
    V05,
    /// 0.1 to 0.3: recognised, to be converted.
    Legacy(String),
    /// 0.6, and drafts such as `0.6.dev1`, `0.6rc0` or `0.5-dev-spatialdata`: recognised, kept as files.
    Unreleased(String),
    /// A version nobody published.
    Unknown(String),
    Missing,
}

impl OmeVersion {
    fn parse(text: Option<&str>) -> Self {
        match text {
            None => Self::Missing,
            Some("0.4" | "0.4.0" | "0.4.1") => Self::V04,
            Some("0.5" | "0.5.0" | "0.5.1" | "0.5.2") => Self::V05,
            Some(old @ ("0.1" | "0.2" | "0.3")) => Self::Legacy(old.to_owned()),
            Some(new) if is_unreleased(new) => Self::Unreleased(new.chars().take(40).collect()),
            Some(other) => Self::Unknown(other.chars().take(40).collect()),
        }
    }

    /// The version a group's OME metadata names, wherever its version of the specification puts it.
    pub(crate) fn of(node: &Node) -> Self {
        match node.zarr {
            ZarrVersion::V3 => Self::parse(node.ome().as_ref().and_then(|ome| ome.text_of("version"))),
            ZarrVersion::V2 => Self::parse(version_v2(node)),
        }
    }

    /// Whether the rules of 0.4 and 0.5 can be applied. A version 2 group that names none is read as 0.4.
    pub(crate) fn is_readable(&self) -> bool {
        matches!(self, Self::V04 | Self::V05 | Self::Missing)
    }

    /// The version as records name it: what it says, or what its Zarr version makes it.
    pub(crate) fn name(&self, zarr: ZarrVersion) -> &str {
        match (self, zarr) {
            (Self::V04, _) | (Self::Missing, ZarrVersion::V2) => "0.4",
            (Self::V05, _) | (Self::Missing, ZarrVersion::V3) => "0.5",
            (Self::Legacy(name) | Self::Unreleased(name) | Self::Unknown(name), _) => name,
        }
    }
}

/// Up to 0.4 each kind of metadata carries its own version.
fn version_v2(node: &Node) -> Option<&str> {
    let image = || node.ome_key("multiscales")?.value.get(0)?.get("version")?.as_str();
    image().or_else(|| ["plate", "well"].iter().find_map(|key| node.ome_key(key)?.value.get("version")?.as_str()))
}

/// Whether a name is that of 0.6, or of a draft: a released number with something behind it.
fn is_unreleased(name: &str) -> bool {
    let behind = |base: &str| name.strip_prefix(base);
    behind("0.6").is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
        || ["0.4", "0.5"]
            .iter()
            .filter_map(|base| behind(base))
            .any(|rest| rest.starts_with(['-', 'r', 'd', 'a', 'b', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_sorted_by_what_is_done_with_them() {
        for (name, expected) in [
            ("0.4", OmeVersion::V04),
            ("0.5", OmeVersion::V05),
            ("0.2", OmeVersion::Legacy("0.2".into())),
            ("0.6", OmeVersion::Unreleased("0.6".into())),
            ("0.6.dev4", OmeVersion::Unreleased("0.6.dev4".into())),
            ("0.6rc0", OmeVersion::Unreleased("0.6rc0".into())),
            ("0.5-dev-spatialdata", OmeVersion::Unreleased("0.5-dev-spatialdata".into())),
            ("0.61", OmeVersion::Unknown("0.61".into())),
            ("5", OmeVersion::Unknown("5".into())),
        ] {
            assert_eq!(OmeVersion::parse(Some(name)), expected);
        }
    }
}
