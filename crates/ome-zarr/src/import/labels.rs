use dataset_model::Finding;

use super::note;
use crate::raster::{C, RasterInfo};

/// Words that people give to images of labels.
const WORDS: [&str; 9] =
    ["label", "labels", "mask", "masks", "segment", "segments", "segmentation", "segmentations", "segmented"];

/// Marks an image as one of labels where its name or that of its file says so in so many words, and its pixels are
/// whole numbers of one channel. A note says that it was done.
pub(super) fn mark(info: &mut RasterInfo, path: &str, notes: &mut Vec<Finding>) {
    let file = path.rsplit('/').next().unwrap_or(path);
    let says_so = names_labels(&info.name) || names_labels(file);
    if says_so && info.data_type.is_integer() && info.shape[C] == 1 && !info.is_rgb {
        info.is_label = true;
        notes.push(note("labels", path, "its name says that it holds labels: smaller levels keep whole labels"));
    }
}

fn names_labels(name: &str) -> bool {
    let name = name.to_lowercase();
    name.split(|c: char| !c.is_alphanumeric()).any(|word| WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_make_labels() {
        for name in ["xy_8bit_labels__nuclei.tif", "ROI Masks", "cells-segmentation.ome.tif", "Mask"] {
            assert!(names_labels(name), "{name}");
        }
        for name in ["labelled_actin.tif", "unmasked.tif", "segmenter.tif", "mitosis.tif"] {
            assert!(!names_labels(name), "{name}");
        }
    }
}
