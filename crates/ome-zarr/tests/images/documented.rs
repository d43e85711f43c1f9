//! The table of rules in docs/VALIDATION.md is the one in the code.

use dataset_model::Severity;
use ome_zarr::{RuleEntry, rules};

fn row(rule: &RuleEntry) -> String {
    let severity = match rule.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let cell = |text: &str| text.replace('|', "\\|");
    let says = if rule.v04 == rule.v05 || rule.v04.replace("0.4", "0.5") == rule.v05 {
        cell(&rule.v05.replacen("OME-Zarr 0.5", "0.4 and 0.5", usize::from(rule.v04 != rule.v05)))
    } else {
        format!("{} · {}", cell(&rule.v04), cell(&rule.v05))
    };
    format!("| `{}` | {severity} | {says} |", rule.id.replace("ome-zarr.", ""))
}

#[test]
fn the_documented_rules_are_those_of_the_code() {
    let page = include_str!("../../../../docs/VALIDATION.md");
    let table: Vec<String> = rules().iter().map(row).collect();
    let missing: Vec<&String> = table.iter().filter(|row| !page.lines().any(|line| line == row.as_str())).collect();
    let documented = page.split("## Rules").nth(1).unwrap().lines().filter(|line| line.starts_with("| `")).count();
    assert!(missing.is_empty() && documented == table.len(), "the table should be:\n{}", table.join("\n"));
}
