use dataset_model::{Access, Licence};

/// Who may read a dataset's bytes, in the words of the vocabularies that name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataAccess {
    /// Anyone.
    Open,
    /// Those who are allowed to.
    Restricted,
    /// Nobody: there is only the metadata.
    MetadataOnly,
    /// The record does not tell: bytes are with the publisher, and no licence of a known kind is named.
    Unknown,
}

impl DataAccess {
    /// What a record tells. A catalogue record's bytes are elsewhere: a known open licence says that they may be had.
    pub(super) fn of(access: Access, deposited: bool, licence: Option<&Licence>) -> Self {
        match access {
            Access::Restricted => Self::Restricted,
            Access::MetadataOnly => Self::MetadataOnly,
            Access::Open if deposited || licence.is_some_and(|licence| licence.spdx.is_some()) => Self::Open,
            Access::Open => Self::Unknown,
        }
    }

    /// COAR access rights 1.0: IRI and label.
    pub(super) fn coar(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Open => Some(("http://purl.org/coar/access_right/c_abf2", "open access")),
            Self::Restricted => Some(("http://purl.org/coar/access_right/c_16ec", "restricted access")),
            Self::MetadataOnly => Some(("http://purl.org/coar/access_right/c_14cb", "metadata only access")),
            Self::Unknown => None,
        }
    }

    /// The access right table of the Publications Office of the EU, which DCAT-AP asks for.
    pub(super) fn european(self) -> Option<&'static str> {
        match self {
            Self::Open => Some("http://publications.europa.eu/resource/authority/access-right/PUBLIC"),
            Self::Restricted => Some("http://publications.europa.eu/resource/authority/access-right/RESTRICTED"),
            Self::MetadataOnly => Some("http://publications.europa.eu/resource/authority/access-right/NON_PUBLIC"),
            Self::Unknown => None,
        }
    }

    /// schema.org's `isAccessibleForFree`.
    pub(super) fn is_free(self) -> Option<bool> {
        match self {
            Self::Open => Some(true),
            Self::Restricted | Self::MetadataOnly => Some(false),
            Self::Unknown => None,
        }
    }
}
