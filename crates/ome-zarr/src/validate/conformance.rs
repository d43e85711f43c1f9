use dataset_model::{Finding, Findings, Severity};
use serde_json::Value;

use crate::{
    error::OmeZarrError,
    faults::Faults,
    node::{Node, NodeKind, ZarrVersion},
    progress::Unwatched,
    source::FileSource,
    tree::Tree,
    version::OmeVersion,
};

use super::{Rule, judge_attributes, validate_pixels};

/// Rules that hold, but that the official suites do not apply to a lone attributes document: they are written against
/// JSON schemas, which cannot compare the length of one list with that of another. The 0.4 suite calls a document valid
/// whose scale has two numbers for three axes (`mismatch_axes_units`), because it asks about the units.
const BEYOND_SCHEMAS: [Rule; 1] = [Rule::TransformsLength];

/// What the conformance runner of the specification (`ome_zarr_conformance.py`) wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conformance {
    /// Whether no rule of the specification is broken.
    pub valid: bool,
    /// What is broken, worst first; empty where nothing is.
    pub message: String,
    /// Whether there was a judgement: documents of unreleased versions are not judged.
    pub is_judged: bool,
}

impl Conformance {
    /// The judgement of one attributes document: the content of `.zattrs`, of `attributes` in `zarr.json`, or the whole
    /// `zarr.json`. Where `strict`, a broken SHOULD counts as a broken MUST does.
    ///
    /// ```
    /// use ome_zarr::Conformance;
    ///
    /// let attributes = serde_json::json!({"ome": {"version": "0.5", "well": {"images": [{"path": "0"}]}}});
    /// assert!(Conformance::of_attributes(&attributes, false).valid);
    /// ```
    #[must_use]
    pub fn of_attributes(document: &Value, strict: bool) -> Self {
        let is_node = document.get("zarr_format").is_some() && document.get("node_type").is_some();
        let attributes = document.get("attributes").filter(|_| is_node).unwrap_or(document);
        let zarr = if is_node || attributes.get("ome").is_some() { ZarrVersion::V3 } else { ZarrVersion::V2 };
        Self::of_group(&Node::of_attributes(zarr, attributes), strict)
    }

    /// The judgement of a Zarr hierarchy, pixels included. Hierarchies that hold no array at all, as the suites have
    /// them, are judged by the attributes of their outermost group.
    ///
    /// # Errors
    /// The source failed.
    pub fn of_hierarchy(source: &dyn FileSource, strict: bool) -> Result<Self, OmeZarrError> {
        let tree = Tree::read(source)?;
        let root = tree.get("").filter(|_| !tree.nodes.values().any(|node| node.kind == NodeKind::Array));
        if let Some(root) = root.filter(|root| root.broken.is_empty()) {
            return Ok(Self::of_group(root, strict));
        }
        let unreleased = tree.nodes.values().find_map(unreleased);
        Ok(unreleased.unwrap_or(Self::of_findings(&validate_pixels(source, &Unwatched)?.findings, strict)))
    }

    fn of_group(group: &Node, strict: bool) -> Self {
        if let Some(unreleased) = unreleased(group) {
            return unreleased;
        }
        let mut faults = Faults::default();
        judge_attributes(group, &mut faults);
        let mut findings = faults.finish();
        for finding in &mut findings {
            // The 0.4 suite, strict cases included, has plates with the column before the row.
            let is_swapped = finding.rule == Rule::PlateWellPath.id() && finding.severity == Severity::Warning;
            if is_swapped || BEYOND_SCHEMAS.iter().any(|rule| rule.id() == finding.rule) {
                finding.severity = Severity::Note;
            }
        }
        Self::of_findings(&findings, strict)
    }

    fn of_findings(findings: &[Finding], strict: bool) -> Self {
        let specified: Vec<String> = Rule::specified().map(Rule::id).collect();
        let breaks_should =
            |finding: &&Finding| finding.severity == Severity::Warning && specified.contains(&finding.rule);
        let falls_short = strict && findings.iter().any(|finding| breaks_should(&finding));
        let valid = !findings.has_errors() && !falls_short;
        let mut sorted: Vec<&Finding> = findings.iter().collect();
        sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        let lines = sorted.iter().map(|finding| format!("{}: {} ({})", finding.rule, finding.message, finding.path));
        Self { valid, message: lines.take(20).collect::<Vec<_>>().join("\n"), is_judged: true }
    }
}

fn unreleased(node: &Node) -> Option<Conformance> {
    let OmeVersion::Unreleased(version) = OmeVersion::of(node) else { return None };
    let message = format!("OME-Zarr {version} is not released, so it is not judged");
    Some(Conformance { valid: false, message, is_judged: false })
}
