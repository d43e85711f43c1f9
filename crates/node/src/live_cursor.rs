//! The cursor of a live search: one place in an order that all nodes share, so that it continues at every peer, and in the copy of
//! one that has failed meanwhile.

use std::{collections::BTreeSet, fmt};

use dataset_model::NodeId;
use search_index::{Cursor, SearchError};

/// Texts of live cursors begin with this.
const MARK: &str = "live~";
/// Parts of an index's cursor, which stand first.
const CURSOR_PARTS: usize = 5;
/// The most nodes a cursor may name.
const MAX_NODES: usize = 100;

/// A place after one hit, whichever node it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LiveCursor {
    pub place: Cursor,
    /// The nodes whose index took the last word as a beginning; the own name stands for all that is held here.
    pub loose: BTreeSet<NodeId>,
}

impl LiveCursor {
    /// Reads the text a page gave.
    pub(crate) fn read(text: &str) -> Result<Self, SearchError> {
        let rest = text.strip_prefix(MARK).ok_or(SearchError::BadCursor)?;
        let end = rest.match_indices('~').nth(CURSOR_PARTS - 1).map_or(rest.len(), |(at, _)| at);
        let (place, nodes) = rest.split_at(end);
        let nodes = nodes.split('~').skip(1).take(MAX_NODES + 1).map(str::parse);
        let loose: BTreeSet<NodeId> = nodes.collect::<Result<_, _>>().map_err(|_| SearchError::BadCursor)?;
        if loose.len() > MAX_NODES {
            return Err(SearchError::BadCursor);
        }
        Ok(Self { place: place.parse()?, loose })
    }

    /// The place as one node's index takes it.
    pub(crate) fn at(&self, node: &NodeId) -> Cursor {
        self.place.with_loose(self.loose.contains(node))
    }
}

impl fmt::Display for LiveCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MARK}{}", self.place)?;
        self.loose.iter().take(MAX_NODES).try_for_each(|node| write!(f, "~{node}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> NodeId {
        name.parse().unwrap()
    }

    #[test]
    fn a_cursor_continues_at_every_node_in_the_way_that_node_matched() {
        let cursor = LiveCursor::read("live~r~w~3f~japan~japan-1~europe~mars").unwrap();
        assert_eq!(cursor.to_string(), "live~r~w~3f~japan~japan-1~europe~mars");
        assert_eq!(cursor.at(&node("mars")).to_string(), "r~p~3f~japan~japan-1");
        assert_eq!(cursor.at(&node("japan")).to_string(), "r~w~3f~japan~japan-1");
        assert_eq!(LiveCursor::read("live~r~w~3f~japan~japan-1").unwrap().loose, BTreeSet::new());
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for wrong in
            ["", "r~w~1~a~b", "live~", "live~r~w~3f~japan", "live~r~w~3f~japan~a~NO GOOD", "live~r~w~3f~japan~a~"]
        {
            assert!(LiveCursor::read(wrong).is_err(), "{wrong}");
        }
        let many: String = (0..200).map(|number| format!("~n{number}")).collect();
        assert!(LiveCursor::read(&format!("live~r~w~3f~japan~a{many}")).is_err());
    }
}
