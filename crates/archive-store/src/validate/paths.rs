//! What OCFL asks of logical paths (section 3.5.3.1) and content paths (section 3.5.2) alike.

use std::collections::BTreeSet;

/// The codes under which path faults are reported.
pub(super) struct PathCodes {
    /// A slash at an end.
    pub(super) ends: &'static str,
    /// An element that is empty, `.` or `..`.
    pub(super) elements: &'static str,
    /// Two paths that cannot stand side by side.
    pub(super) conflict: &'static str,
}

/// Logical paths of a version's state.
pub(super) const LOGICAL: PathCodes = PathCodes { ends: "E053", elements: "E052", conflict: "E095" };
/// Content paths of a manifest; in a fixity block they may be repeated under several algorithms.
pub(super) const CONTENT: PathCodes = PathCodes { ends: "E100", elements: "E099", conflict: "E101" };

impl PathCodes {
    /// What is wrong with one path.
    pub(super) fn fault_of(&self, path: &str) -> Option<(&'static str, String)> {
        if path.starts_with('/') || path.ends_with('/') {
            return Some((self.ends, format!("the path '{path}' begins or ends with '/'")));
        }
        let wrong = path.split('/').any(|element| matches!(element, "" | "." | ".."));
        wrong.then(|| (self.elements, format!("the path '{path}' has an empty element, '.' or '..'")))
    }

    /// What is wrong with paths beside each other: twice the same, or a file where another needs a folder.
    pub(super) fn conflicts<'a>(&self, paths: impl Iterator<Item = &'a str>) -> Vec<(&'static str, String)> {
        let mut seen = BTreeSet::new();
        let mut wrong: Vec<_> =
            paths.filter(|path| !seen.insert(*path)).map(|path| format!("the path '{path}' is there twice")).collect();
        for path in &seen {
            let folders = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
            wrong.extend(
                folders
                    .filter(|folder| seen.contains(folder))
                    .map(|folder| format!("'{folder}' is a file, and a folder for '{path}'")),
            );
        }
        wrong.into_iter().map(|message| (self.conflict, message)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_cannot_stand_together_are_named() {
        let messages = LOGICAL.conflicts(["a", "a-b", "a/b", "c", "c"].into_iter());
        assert_eq!(messages.len(), 2);
        assert!(LOGICAL.conflicts(["a/b", "a/c", "ab"].into_iter()).is_empty());
    }

    #[test]
    fn a_path_may_not_climb_or_begin_at_the_top() {
        let code = |path| CONTENT.fault_of(path).map(|(code, _)| code);
        assert_eq!(
            [code("/a"), code("a/"), code("a//b"), code("a/../b"), code("a/..b")],
            [Some("E100"), Some("E100"), Some("E099"), Some("E099"), None]
        );
    }
}
