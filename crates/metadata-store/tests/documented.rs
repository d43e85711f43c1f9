//! The table of rules in docs/CRATES.md is the one in the code.

use dataset_model::Severity;
use metadata_store::{CrateRule, Level, crate_rules};

fn row(rule: &CrateRule) -> String {
    let severity = match rule.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let level = match rule.level {
        Level::Must => "MUST",
        Level::Should => "SHOULD",
        Level::Ours => "ours",
    };
    let cell = |text: &str| text.replace('|', "\\|");
    format!("| `{}` | {level} | {severity} | {} | {} |", rule.id, cell(rule.sentence), cell(rule.hint))
}

#[test]
fn the_documented_rules_are_those_of_the_code() {
    let page = include_str!("../../../docs/CRATES.md");
    let table: Vec<String> = crate_rules().iter().map(row).collect();
    let missing: Vec<&String> = table.iter().filter(|row| !page.lines().any(|line| line == row.as_str())).collect();
    let documented = page.split("## Rules").nth(1).unwrap().lines().filter(|line| line.starts_with("| `")).count();
    assert!(missing.is_empty() && documented == table.len(), "the table should be:\n{}", table.join("\n"));
}
