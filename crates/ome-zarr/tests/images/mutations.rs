//! Stores that follow every rule but one: each is blamed for that rule.

use std::sync::OnceLock;

use dataset_model::Severity::{self, Error, Note, Warning};
use ome_zarr::{Unwatched, rules, sample::Kind, validate_pixels};
use serde_json::{Value, json};

use crate::support::MemorySource;

mod arrays;
mod bases;
mod labels;
mod metadata;
mod pixels;
mod plates;
mod trees;

use bases::{Base, GROUP, Store};

/// One breach of one rule.
struct Breach {
    name: &'static str,
    base: Base,
    rule: &'static str,
    severity: Severity,
    apply: fn(&mut Store),
}

fn breach(name: &'static str, base: Base, rule: &'static str, severity: Severity, apply: fn(&mut Store)) -> Breach {
    Breach { name, base, rule, severity, apply }
}

fn breaches() -> Vec<Breach> {
    let parts = [
        metadata::breaches(),
        arrays::breaches(),
        labels::breaches(),
        plates::breaches(),
        trees::breaches(),
        pixels::breaches(),
    ];
    parts.into_iter().flatten().collect()
}

fn judged(source: &MemorySource) -> Vec<(String, Severity)> {
    let findings = validate_pixels(source, &Unwatched).unwrap().findings;
    for finding in &findings {
        assert!(finding.specification.as_ref().is_some_and(|sentence| sentence.len() > 20), "{finding:?}");
        assert!(!finding.hint.is_empty() && !finding.message.is_empty(), "{finding:?}");
    }
    findings.into_iter().map(|finding| (finding.rule, finding.severity)).collect()
}

#[test]
fn unbroken_stores_are_not_blamed() {
    for base in Base::ALL {
        let serious: Vec<_> = judged(&base.store().0).into_iter().filter(|(_, severity)| *severity > Note).collect();
        assert_eq!(serious, [], "{base:?}");
    }
}

#[test]
fn every_breach_is_blamed_for_its_own_rule() {
    let breaches = breaches();
    assert!(breaches.len() >= 60, "{}", breaches.len());
    let mut wrong = Vec::new();
    for Breach { name, base, rule, severity, apply } in &breaches {
        let mut store = base.store();
        apply(&mut store);
        let found = judged(&store.0);
        let expected = (format!("ome-zarr.{rule}"), *severity);
        // A breach may have others in its wake, but none that is worse.
        let worst = found.iter().map(|(_, severity)| *severity).max();
        if !found.contains(&expected) || (*severity < Error && worst > Some(*severity)) {
            wrong.push(format!("{name}: {found:?} instead of {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), breaches.len(), wrong.join("\n"));
}

/// Rules that no store of these tests breaks, and why.
const NOT_BROKEN_HERE: [(&str, &str); 6] = [
    ("unchecked.listing", "sources that cannot list are tested by themselves"),
    ("array.metadata", "hostile arrays are tested by themselves"),
    ("chunk.unchecked", "chunks of codecs that are not decoded here are tested by themselves"),
    ("datasets.count", "a hundred thousand levels are tested by themselves"),
    ("version.legacy", "other versions are tested by themselves"),
    ("version.unreleased", "other versions are tested by themselves"),
];

#[test]
fn every_rule_is_broken_by_some_store() {
    let mut untested: Vec<String> = rules().into_iter().map(|rule| rule.id.replace("ome-zarr.", "")).collect();
    let broken = breaches();
    untested.retain(|rule| !broken.iter().any(|breach| breach.rule == rule));
    untested.retain(|rule| !NOT_BROKEN_HERE.iter().any(|(name, _)| name == rule));
    assert!(untested.is_empty(), "{untested:?}");
}
