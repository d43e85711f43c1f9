//! The attribute suites of the OME-Zarr specification, 0.4 and 0.5.

use dataset_model::{Finding, Findings, Severity};
use ome_zarr::{ZarrVersion, validate_attributes};
use serde_json::Value;

/// The cases of one version: file, name, whether it should be accepted, and what we say.
fn cases(version: &str, zarr: ZarrVersion, strict: bool) -> Vec<(String, bool, Vec<Finding>)> {
    let Some(folder) = crate::support::corpus(&format!("spec/{version}/tests")) else { return Vec::new() };
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        if file.starts_with("strict") != strict {
            continue;
        }
        let suite: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for test in suite["tests"].as_array().unwrap() {
            let name = test.get("formerly").or(test.get("description")).unwrap();
            let findings = validate_attributes(zarr, &test["data"]);
            cases.push((format!("{version} {file} {name}"), test["valid"].as_bool().unwrap(), findings));
        }
    }
    cases
}

#[test]
fn every_case_of_the_suites_is_judged_as_the_specification_says() {
    let all = [cases("0.4", ZarrVersion::V2, false), cases("0.5", ZarrVersion::V3, false)].concat();
    let mut wrong: Vec<_> = all.iter().filter(|(_, valid, findings)| *valid == findings.has_errors()).collect();
    wrong.retain(|(name, ..)| !name.contains(AGAINST_THE_TEXT));
    assert!(wrong.is_empty(), "{} of {} disagree: {wrong:#?}", wrong.len(), all.len());
}

/// Called valid by the 0.4 suite for its units; its scale has two numbers for three axes, which the text forbids.
const AGAINST_THE_TEXT: &str = "valid/mismatch_axes_units.json";

#[test]
fn every_strict_case_that_breaks_a_should_gets_a_warning_and_no_good_one_an_error() {
    let all = [cases("0.4", ZarrVersion::V2, true), cases("0.5", ZarrVersion::V3, true)].concat();
    let warned = |findings: &[Finding]| findings.iter().any(|finding| finding.severity >= Severity::Warning);
    let wrong = |(_, valid, findings): &&(String, bool, Vec<Finding>)| {
        if *valid { findings.has_errors() } else { !warned(findings) }
    };
    let wrong: Vec<_> = all.iter().filter(wrong).collect();
    assert!(wrong.is_empty(), "{} of {} disagree: {wrong:#?}", wrong.len(), all.len());
}
