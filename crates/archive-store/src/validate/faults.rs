use crate::fault::Fault;

/// The faults found so far, each once.
#[derive(Debug, Default)]
pub(super) struct Faults {
    found: Vec<Fault>,
}

impl Faults {
    pub(super) fn add(&mut self, code: &'static str, path: impl Into<String>, message: impl Into<String>) {
        let fault = Fault::new(code, path, message);
        if self.found.last() != Some(&fault) {
            self.found.push(fault);
        }
    }

    pub(super) fn into_vec(self) -> Vec<Fault> {
        self.found
    }
}
