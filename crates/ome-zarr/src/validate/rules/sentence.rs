use crate::node::ZarrVersion;

/// Where a rule comes from: a section and the sentence in it, or ourselves.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sentence {
    /// 0.4 and 0.5 say the same, in sections of the same name.
    Both(&'static str, &'static str),
    /// 0.4 and 0.5 say it differently.
    Each((&'static str, &'static str), (&'static str, &'static str)),
    /// 0.5 alone says it.
    Only(&'static str, &'static str),
    /// The Zarr specification says it.
    Zarr(&'static str, &'static str),
    /// The specification leaves it open; a repository cannot. The rule in our words.
    Ours(&'static str),
}

impl Sentence {
    /// The sentence with its place, for images in this version of Zarr.
    pub(super) fn quoted(self, zarr: ZarrVersion) -> String {
        let (version, (section, text)) = match (self, zarr) {
            (Self::Ours(text), _) => return format!("A rule of this repository: {text}."),
            (Self::Zarr(section, text), _) => ("Zarr 3", (section, text)),
            (Self::Both(section, text), ZarrVersion::V2) => ("OME-Zarr 0.4", (section, text)),
            (Self::Only(section, text), _) | (Self::Both(section, text), ZarrVersion::V3) => {
                ("OME-Zarr 0.5", (section, text))
            }
            (Self::Each(v04, _), ZarrVersion::V2) => ("OME-Zarr 0.4", v04),
            (Self::Each(_, v05), ZarrVersion::V3) => ("OME-Zarr 0.5", v05),
        };
        format!("{version}, {section}: “{text}”")
    }
}
