//! Which files of a draft are to be converted, and which cannot be.

use dataset_model::{Finding, Severity};
use ome_zarr::ImportCandidate;

use crate::{ConversionRequest, NodeError, draft_source::DraftSource};

use super::Conversion;

/// What there is to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ConversionPlan {
    /// What will be converted.
    pub pending: Vec<ImportCandidate>,
    /// What was recognised, and cannot be read here.
    pub refused: Vec<ImportCandidate>,
    /// What needs no conversion: its image is there.
    done: Vec<ImportCandidate>,
}

impl ConversionPlan {
    /// `made` are the images the node made before, `foreign` says whether another program reads what we do not.
    pub(crate) fn new(
        candidates: Vec<ImportCandidate>,
        source: &DraftSource,
        made: &[Conversion],
        foreign: bool,
    ) -> Self {
        let mut plan = Self::default();
        for mut candidate in candidates {
            if candidate.refusal.is_some() && foreign {
                candidate.files = companions(&candidate.path, source.paths());
            }
            if has_image(&candidate, source, made) {
                plan.done.push(candidate);
            } else if candidate.refusal.is_some() && !foreign {
                plan.refused.push(candidate);
            } else {
                plan.pending.push(candidate);
            }
        }
        plan
    }

    /// Only what a request names.
    pub(crate) fn only(mut self, request: &ConversionRequest) -> Result<Self, NodeError> {
        if request.paths.is_empty() {
            return Ok(self);
        }
        let names = |path: &str, candidate: &ImportCandidate| {
            candidate
                .files
                .iter()
                .chain([&candidate.path])
                .any(|file| file == path || file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')))
        };
        for path in &request.paths {
            let known = self.pending.iter().chain(&self.refused).chain(&self.done);
            if !known.into_iter().any(|candidate| names(path.as_str(), candidate)) {
                return Err(NodeError::Invalid(format!(
                    "'{path}' is no file of this deposit that could be converted: name a microscope file or its folder"
                )));
            }
        }
        let asked = |candidate: &ImportCandidate| request.paths.iter().any(|path| names(path.as_str(), candidate));
        self.pending.retain(asked);
        self.refused.retain(asked);
        Ok(self)
    }

    /// What a depositor is told before it happens.
    pub(crate) fn notes(&self) -> impl Iterator<Item = Finding> {
        self.pending.iter().map(|candidate| {
            Finding::note(
                "import.pending",
                &candidate.path,
                format!("'{}' will be converted to the image '{}' at publication.", candidate.path, candidate.output),
                "Nothing needs to be done; POST …/convert does it now. With 'convert': false in the deposit, files stay files only.",
            )
        })
    }

    /// What cannot be converted: an error, or a warning where the deposit has other images.
    pub(crate) fn refusals(&self, has_images: bool) -> Vec<Finding> {
        let refuse = |candidate: &ImportCandidate| {
            let why = candidate.refusal.as_deref().unwrap_or("This format is not read here.");
            let hint = "Convert it to OME-Zarr or OME-TIFF (bioformats2raw reads most formats) and deposit the result, or ask \
                        the operator to configure bioformats2raw here. With 'convert': false in the deposit, files stay \
                        files only.";
            let severity = if has_images { Severity::Warning } else { Severity::Error };
            Finding { severity, ..Finding::error("import.unsupported", &candidate.path, why, hint) }
        };
        self.refused.iter().map(refuse).collect()
    }
}

/// Whether an image is there already: made by the node of these very bytes, or sent by the depositor.
fn has_image(candidate: &ImportCandidate, source: &DraftSource, made: &[Conversion]) -> bool {
    if !source.has_below(&candidate.output) {
        return false;
    }
    match made.iter().find(|conversion| conversion.image.as_str() == candidate.output) {
        None => true,
        Some(conversion) => {
            conversion.sources.len() == candidate.files.len()
                && conversion.sources.iter().all(|file| source.file(file.path.as_str()) == Some(file))
        }
    }
}

/// The files that a foreign program may need beside one: all below its folder that have its stem in their path.
fn companions<'a>(path: &str, files: impl Iterator<Item = &'a str>) -> Vec<String> {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let stem = name.split('.').next().unwrap_or(name);
    let below = |file: &&str| {
        let rest = if folder.is_empty() {
            Some(*file)
        } else {
            file.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'))
        };
        *file == path || rest.is_some_and(|rest| !stem.is_empty() && rest.contains(stem) && !rest.contains(".zarr/"))
    };
    files.filter(below).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_a_file_has_its_name() {
        let files = ["a/x.vsi", "a/_x_/stack1/frame.ets", "a/y.vsi", "b/x.txt", "a/x.ome.zarr/zarr.json"];
        assert_eq!(companions("a/x.vsi", files.into_iter()), ["a/x.vsi", "a/_x_/stack1/frame.ets"]);
        assert_eq!(companions("solo.lif", ["solo.lif", "other"].into_iter()), ["solo.lif"]);
    }
}
