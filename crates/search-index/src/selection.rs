use crate::facets::{FACETS, Facet};

/// Which facets are counted. The names are those of the fields of [`Facets`](crate::Facets).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FacetSelection(u32);

impl FacetSelection {
    /// All of them.
    pub const ALL: Self = Self(u32::MAX);
    /// None of them.
    pub const NONE: Self = Self(0);

    /// These and one more, by its name; nothing when no facet has the name.
    #[must_use]
    pub fn with(self, name: &str) -> Option<Self> {
        FACETS.into_iter().find(|facet| facet.name() == name).map(|facet| Self(self.0 | facet.bit()))
    }

    /// The names of all facets.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FACETS.into_iter().map(Facet::name)
    }

    pub(crate) fn has(self, facet: Facet) -> bool {
        self.0 & facet.bit() != 0
    }
}

impl Default for FacetSelection {
    /// All of them.
    fn default() -> Self {
        Self::ALL
    }
}
