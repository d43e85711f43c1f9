//! The attribute suites of the OME-Zarr specification, 0.4 and 0.5. That they pass through the command line is tested from
//! outside; here it is said what the full validator makes of them.

use dataset_model::{Finding, Findings, Severity};
use ome_zarr::{Conformance, ZarrVersion, validate_attributes};
use serde_json::{Value, json};

struct Case {
    name: String,
    data: Value,
    valid: bool,
    findings: Vec<Finding>,
}

/// The cases of one version.
fn cases(version: &str, zarr: ZarrVersion, strict: bool) -> Vec<Case> {
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
            let (data, valid) = (test["data"].clone(), test["valid"].as_bool().unwrap());
            let findings = validate_attributes(zarr, &data);
            cases.push(Case { name: format!("{version} {file} {name}"), data, valid, findings });
        }
    }
    cases
}

fn both(strict: bool) -> Vec<Case> {
    cases("0.4", ZarrVersion::V2, strict).into_iter().chain(cases("0.5", ZarrVersion::V3, strict)).collect()
}

#[test]
fn every_case_of_the_suites_is_judged_as_the_specification_says() {
    for strict in [false, true] {
        let cases = both(strict);
        let wrong = cases.iter().filter(|case| Conformance::of_attributes(&case.data, strict).valid != case.valid);
        let wrong: Vec<&str> = wrong.map(|case| case.name.as_str()).collect();
        assert!(wrong.is_empty(), "{} of {} disagree: {wrong:#?}", wrong.len(), cases.len());
    }
}

#[test]
fn a_scale_that_the_suite_lets_pass_and_the_text_forbids_is_an_error_of_the_full_validator_alone() {
    let cases = both(false);
    let differ: Vec<&Case> = cases.iter().filter(|case| case.valid == case.findings.has_errors()).collect();
    let Some(case) = differ.first() else { return };
    assert_eq!(differ.len(), 1, "{:?}", differ.iter().map(|case| &case.name).collect::<Vec<_>>());
    assert!(case.name.contains("valid/mismatch_axes_units.json"));
    let errors = case.findings.iter().filter(|finding| finding.severity == Severity::Error);
    assert_eq!(errors.map(|finding| finding.rule.as_str()).collect::<Vec<_>>(), ["ome-zarr.transforms.length"]);
    assert!(Conformance::of_attributes(&case.data, false).message.contains("transforms.length"));
}

#[test]
fn every_strict_case_that_breaks_a_should_gets_a_warning_and_no_good_one_an_error() {
    let cases = both(true);
    let warned = |findings: &[Finding]| findings.iter().any(|finding| finding.severity >= Severity::Warning);
    let wrong = |case: &&Case| if case.valid { case.findings.has_errors() } else { !warned(&case.findings) };
    let wrong: Vec<&str> = cases.iter().filter(wrong).map(|case| case.name.as_str()).collect();
    assert!(wrong.is_empty(), "{} of {} disagree: {wrong:#?}", wrong.len(), cases.len());
}

#[test]
fn a_whole_zarr_json_is_judged_by_its_attributes_and_an_unreleased_version_not_at_all() {
    let group = |version: &str| json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": version, "well": {"images": [{"path": "0"}]}}}});
    let judged = Conformance::of_attributes(&group("0.5"), true);
    assert!(judged.valid && judged.is_judged, "{judged:?}");
    let unjudged = Conformance::of_attributes(&group("0.6rc0"), false);
    assert!(!unjudged.is_judged && unjudged.message.contains("0.6rc0"));
    assert!(!Conformance::of_attributes(&Value::Null, false).valid);
}
