//! Tests of the archive from outside, one program so that they are built once.

mod conformance;
mod fixtures;
mod histories;
mod interruption;
mod support;
mod version_store;
