use std::collections::BTreeMap;

use dataset_model::{Finding, Severity};
use ome_zarr::DoorRepair;

/// Places shown of a finding that repeats.
const MOST_PLACES: usize = 3;

/// Findings for people: the worst first, and each rule once.
pub(crate) fn print(findings: &[Finding]) {
    for (finding, places) in grouped(findings) {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        println!("{severity}: {}\n  at   {}", finding.message, finding.path);
        places.iter().take(MOST_PLACES - 1).for_each(|place| println!("       {place}"));
        if places.len() >= MOST_PLACES {
            println!("       and at {} more places", places.len() + 1 - MOST_PLACES);
        }
        println!("  rule {}\n  do   {}", finding.rule, finding.hint);
        if let Some(sentence) = &finding.specification {
            println!("  says {sentence}");
        }
    }
}

/// What a node puts right when the image is deposited.
pub(super) fn print_repairs(repairs: &[DoorRepair]) {
    for repair in repairs {
        println!(
            "repaired at deposit: {}\n  was  {}\n  then {}\n  rule {}",
            repair.path, repair.from, repair.to, repair.rule
        );
    }
}

/// The first finding of each rule and severity, and the places of the others.
fn grouped(findings: &[Finding]) -> Vec<(&Finding, Vec<&str>)> {
    let mut groups: Vec<(&Finding, Vec<&str>)> = Vec::new();
    let mut known: BTreeMap<(Severity, &str), usize> = BTreeMap::new();
    for finding in findings {
        let at = *known.entry((finding.severity, &finding.rule)).or_insert(groups.len());
        match groups.get_mut(at) {
            Some((_, places)) => places.push(&finding.path),
            None => groups.push((finding, Vec::new())),
        }
    }
    groups.sort_by_key(|(finding, _)| std::cmp::Reverse(finding.severity));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_that_repeats_is_shown_once_with_its_places_and_the_worst_comes_first() {
        let findings = [
            Finding::note("a", "1", "m", "h"),
            Finding::error("b", "2", "m", "h"),
            Finding::note("a", "3", "m", "h"),
            Finding::error("a", "4", "m", "h"),
        ];
        let grouped: Vec<(&str, Vec<&str>)> =
            grouped(&findings).into_iter().map(|(finding, places)| (finding.path.as_str(), places)).collect();
        assert_eq!(grouped, [("2", vec![]), ("4", vec![]), ("1", vec!["3"])]);
    }
}
