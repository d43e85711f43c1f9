//! House rules that no other tool checks. Each test lists every place that breaks its rule, and what to do there.

mod documents;
mod functions;
mod layering;
mod names;
mod sizes;
mod sources;
mod text;

/// Fails with all faults of a rule, one a line, and what to do about them.
fn assert_none(faults: &[String], what_to_do: &str) {
    assert!(faults.is_empty(), "{} place(s):\n  {}\n{what_to_do}\n", faults.len(), faults.join("\n  "));
}
