//! Every rule there is: its name, how serious a breach is, and the sentence it comes from.

use dataset_model::Severity::{self, Error, Note, Warning};

use crate::node::ZarrVersion;

mod sentence;

use sentence::Sentence::{self, Both, Each, Only, Ours, Zarr};

/// One entry of the table of rules, as documentation shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleEntry {
    /// The name findings carry, such as `ome-zarr.axes.order`.
    pub id: String,
    /// How serious a breach is, where nothing else is said.
    pub severity: Severity,
    /// What 0.4 says, and where.
    pub v04: String,
    /// What 0.5 says, and where.
    pub v05: String,
}

/// The rules that images are judged by.
#[must_use]
pub fn rules() -> Vec<RuleEntry> {
    let entry = |rule: &Rule| RuleEntry {
        id: rule.id(),
        severity: rule.severity(),
        v04: rule.specification(ZarrVersion::V2),
        v05: rule.specification(ZarrVersion::V3),
    };
    Rule::ALL.iter().map(entry).collect()
}

/// Makes a rule of each line, so that there is no rule without a name, a severity and a sentence.
macro_rules! rules {
    ($($name:ident $id:literal $severity:ident $sentence:expr;)*) => {
        /// A rule that images are judged by.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Rule { $($name),* }

        impl Rule {
            const ALL: &[Self] = &[$(Self::$name),*];

            /// The name, as findings carry it.
            pub(crate) fn id(self) -> String {
                format!("ome-zarr.{}", match self { $(Self::$name => $id),* })
            }

            /// How serious a breach is, where nothing else is said.
            pub(crate) fn severity(self) -> Severity {
                match self { $(Self::$name => $severity),* }
            }

            fn sentence(self) -> Sentence {
                match self { $(Self::$name => $sentence),* }
            }
        }
    };
}

impl Rule {
    /// The sentence the rule comes from and where it stands, for images in this version of Zarr.
    pub(crate) fn specification(self, zarr: ZarrVersion) -> String {
        self.sentence().quoted(zarr)
    }

    /// The rules that the specification makes, not this repository.
    pub(crate) fn specified() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|rule| !matches!(rule.sentence(), Ours(_)))
    }
}

const AXES: &str = "\"axes\" metadata";
const MULTISCALES: &str = "\"multiscales\" metadata";
const TRANSFORMS: &str = "\"coordinateTransformations\" metadata";
const OMERO: &str = "\"omero\" metadata";
const LABELS: &str = "\"labels\" metadata";
const IMAGE_LABEL: &str = "\"image-label\" metadata";
const PLATE: &str = "\"plate\" metadata";
const WELL: &str = "\"well\" metadata";
const SERIES: &str = "\"bioformats2raw.layout\"";
const IMAGES: &str = "Images";
const SCREENING: &str = "High-content screening";

rules! {
    // Documents and versions.
    None "none" Error Ours("a dataset holds at least one OME-Zarr image");
    Json "json" Error Both("Document conventions", "comments MUST NOT be included in JSON objects");
    ZarrBoth "zarr.both" Error Ours("a folder holds the metadata of one version of Zarr: readers differ in which they take");
    ZarrFormat "zarr.format" Error Zarr("Array metadata", "An integer defining the version of the storage specification to which the array store adheres, must be ``3`` here.");
    ZarrMixed "zarr.mixed" Error Each(
        ("On-disk (or in-cloud) layout", "Arrays MUST be defined and stored in a hierarchical organization as defined by the version 2 of the Zarr specification"),
        ("Storage format", "OME-Zarr is implemented using the Zarr format as defined by the version 3 of the Zarr specification."));
    ZarrGroup "zarr.group" Warning Zarr("Change log", "Support for implicit groups was removed.");
    ZarrForeign "zarr.foreign" Warning Ours("what is archived can be seen: other files lie beside an image, not in it");
    ConsolidatedStale "consolidated.stale" Warning Ours("consolidated metadata say what the tree says: readers take them instead of the tree");
    Namespace "ome.namespace" Error Each(
        ("On-disk (or in-cloud) layout", "OME-NGFF metadata MUST be stored as attributes in the corresponding Zarr groups."),
        ("OME-Zarr Metadata", "In this file, the metadata is stored under the namespaced key `ome` in `attributes`."));
    VersionMissing "version.missing" Error Each(
        (MULTISCALES, "It SHOULD contain the field \"version\", which indicates the version of the multiscale metadata of this image (current version is 0.4)."),
        ("OME-Zarr Metadata", "The version of the OME-Zarr Metadata is denoted as a string in the `version` attribute within the `ome` namespace."));
    VersionMismatch "version.mismatch" Error Each(
        ("On-disk (or in-cloud) layout", "Arrays MUST be defined and stored in a hierarchical organization as defined by the version 2 of the Zarr specification"),
        ("Storage format", "OME-Zarr is implemented using the Zarr format as defined by the version 3 of the Zarr specification."));
    VersionMixed "version.mixed" Error Only("OME-Zarr Metadata", "The OME-Zarr Metadata version MUST be consistent within a hierarchy.");
    VersionLegacy "version.legacy" Error Ours("0.1 to 0.3 are converted to 0.5 before they are published");
    VersionUnreleased "version.unreleased" Warning Ours("a version that is not released is kept as files and not judged");
    VersionUnknown "version.unknown" Error Ours("the version is one that was published");
    ListingUnchecked "unchecked.listing" Note Ours("what cannot be checked is said");

    // Images.
    MultiscalesEmpty "multiscales.empty" Error Both(MULTISCALES, "\"multiscales\" contains a list of dictionaries where each entry describes a multiscale image.");
    MultiscalesSeveral "multiscales.several" Note Both(MULTISCALES, "If only one multiscale is provided, use it.");
    MultiscalesType "multiscales.type" Error Both(MULTISCALES, "\"multiscales\" contains a list of dictionaries where each entry describes a multiscale image.");
    MultiscalesName "multiscales.name" Error Both(MULTISCALES, "Each \"multiscales\" dictionary SHOULD contain the field \"name\".");
    MultiscalesUnnamed "multiscales.unnamed" Warning Both(MULTISCALES, "Each \"multiscales\" dictionary SHOULD contain the field \"name\".");
    MultiscalesDescribed "multiscales.described" Note Both(MULTISCALES, "Each \"multiscales\" dictionary SHOULD contain the field \"type\", which gives the type of downscaling method used to generate the multiscale image pyramid.");
    AxesMissing "axes.missing" Error Both(MULTISCALES, "Each \"multiscales\" dictionary MUST contain the field \"axes\"");
    AxesCount "axes.count" Error Both(MULTISCALES, "The length of \"axes\" must be between 2 and 5 and MUST be equal to the dimensionality of the zarr arrays storing the image data");
    AxesType "axes.type" Error Both(AXES, "It is a list of dictionaries, where each dictionary describes a dimension (axis)");
    AxesKind "axes.kind" Warning Both(AXES, "SHOULD contain the field \"type\". It SHOULD be one of \"space\", \"time\" or \"channel\"");
    AxesUnit "axes.unit" Warning Both(AXES, "SHOULD contain the field \"unit\" to specify the physical unit of this dimension. The value SHOULD be one of the following strings, which are valid units according to UDUNITS-2.");
    AxesName "axes.name" Error Both(AXES, "MUST contain the field \"name\" that gives the name for this dimension. The values MUST be unique across all \"name\" fields.");
    AxesSpace "axes.space" Error Both(MULTISCALES, "The \"axes\" MUST contain 2 or 3 entries of \"type:space\"");
    AxesRepeated "axes.repeated" Error Both(MULTISCALES, "MAY contain one additional entry of \"type:time\" and MAY contain one additional entry of \"type:channel\" or a null / custom type.");
    AxesOrder "axes.order" Error Both(MULTISCALES, "the entries MUST be ordered by \"type\" where the \"time\" axis must come first (if present), followed by the \"channel\" or custom axis (if present) and the axes of type \"space\".");
    AxesZyx "axes.zyx" Warning Both(MULTISCALES, "the spatial axes SHOULD be ordered as \"zyx\".");
    DatasetsMissing "datasets.missing" Error Both(MULTISCALES, "Each \"multiscales\" dictionary MUST contain the field \"datasets\"");
    DatasetsCount "datasets.count" Error Ours("an image has at most 32 resolution levels");
    DatasetsPath "datasets.path" Error Both(MULTISCALES, "Each dictionary in \"datasets\" MUST contain the field \"path\", whose value contains the path to the array for this resolution relative to the current zarr group.");
    DatasetsDuplicate "datasets.duplicate" Error Both(MULTISCALES, "The \"path\"s MUST be ordered from largest (i.e. highest resolution) to smallest.");
    TransformsMissing "transforms.missing" Error Both(MULTISCALES, "Each dictionary in \"datasets\" MUST contain the field \"coordinateTransformations\"");
    TransformsScale "transforms.scale" Error Both(MULTISCALES, "They MUST contain exactly one `scale` transformation that specifies the pixel size in physical units or time duration.");
    TransformsTranslation "transforms.translation" Error Both(MULTISCALES, "It MAY contain exactly one `translation` that specifies the offset from the origin in physical units. If `translation` is given it MUST be listed after `scale`");
    TransformsType "transforms.type" Error Both(MULTISCALES, "The transformation MUST only be of type `translation` or `scale`.");
    TransformsVector "transforms.vector" Error Both(TRANSFORMS, "scale vector, stored either as a list of floats (`scale`) or as binary data at a location in this container (`path`).");
    TransformsLength "transforms.length" Error Both(MULTISCALES, "The length of the `scale` and `translation` array MUST be the same as the length of \"axes\".");
    TransformsPositive "transforms.positive" Error Ours("the size of a pixel is above 0, or the image cannot be shown");
    TransformsShrink "transforms.shrink" Warning Both(MULTISCALES, "the value MUST express the scaling factor between the current resolution and the first resolution for the given axis");

    // Arrays.
    ArrayMissing "array.missing" Error Both(MULTISCALES, "Each dictionary in \"datasets\" MUST contain the field \"path\", whose value contains the path to the array for this resolution relative to the current zarr group.");
    ArrayMetadata "array.metadata" Error Each(
        ("On-disk (or in-cloud) layout", "Arrays MUST be defined and stored in a hierarchical organization as defined by the version 2 of the Zarr specification"),
        ("Storage format", "OME-Zarr is implemented using the Zarr format as defined by the version 3 of the Zarr specification."));
    ArrayDimensions "array.dimensions" Error Both(MULTISCALES, "The number of dimensions and order MUST correspond to number and order of \"axes\".");
    ArrayEmpty "array.empty" Error Ours("a resolution level holds pixels");
    ArrayNames "array.dimension-names" Error Only(AXES, "The \"dimension_names\" attribute MUST be included in the `zarr.json` of the Zarr array of a multiscale level and MUST match the names in the \"axes\" metadata.");
    ArrayFill "array.fill-value" Error Zarr("Array metadata", "The permitted values depend on the data type.");
    ArrayOrder "array.order" Error Both(MULTISCALES, "The \"path\"s MUST be ordered from largest (i.e. highest resolution) to smallest.");
    ArrayDataType "array.data-type" Warning Ours("all levels of an image have one data type, as the next version of OME-Zarr will demand");
    ArrayChunkSize "array.chunk-size" Error Ours("a decoded chunk is small enough for viewers to hold");
    ArraySeparator "array.separator" Warning Each(
        (IMAGES, "Chunks are stored with the nested directory layout."),
        ("Storage format", "All features of the Zarr format including codecs, chunk grids, chunk key encodings, data types and storage transformers may be used with OME-Zarr unless explicitly disallowed in this specification."));
    CodecRare "codec.rare" Warning Ours("the codecs are ones that viewers read");
    CodecUnknown "codec.unknown" Error Ours("the codecs are known, so that the pixels can be read for as long as the archive lasts");
    CodecChain "codec.chain" Error Zarr("Array metadata", "Because ``codecs`` MUST contain an ``array -> bytes`` codec, the list cannot be empty");
    CodecZstd "codec.zstd" Note Ours("zstd says whether it carries a checksum: some readers refuse an array that does not");

    // Chunks.
    ChunkOutside "chunk.outside" Error Ours("what is archived can be seen: no chunk lies outside its image");
    ChunkForeign "chunk.foreign" Error Ours("what is archived can be seen: an array's folder holds its chunks and nothing else");
    ChunkDecode "chunk.decode" Error Ours("every stored chunk decodes");
    ChunkSize "chunk.size" Error Ours("every stored chunk holds as many pixels as the array says");
    ChunkTrailing "chunk.trailing" Error Ours("every stored chunk ends where its codec ends");
    ChunkIndex "chunk.index" Error Ours("the index of a shard points at its chunks, inside the shard, and its checksum is right");
    ChunkOverlap "chunk.overlap" Error Ours("the chunks of a shard do not overlap");
    ChunkUnchecked "chunk.unchecked" Warning Ours("what cannot be checked is said");

    // Rendering settings.
    OmeroChannels "omero.channels" Error Both(OMERO, "The \"omero\" metadata is optional, but if present it MUST contain the field \"channels\", which is an array of dictionaries describing the channels of the image.");
    OmeroColor "omero.color" Error Both(OMERO, "Each dictionary in \"channels\" MUST contain the field \"color\", which is a string of 6 hexadecimal digits specifying the color of the channel in RGB format.");
    OmeroWindow "omero.window" Error Both(OMERO, "The field \"window\" MUST contain the fields \"min\" and \"max\", which are the minimum and maximum values of the window, respectively. It MUST also contain the fields \"start\" and \"end\"");
    OmeroWindowEmpty "omero.window.empty" Warning Ours("a window shows something: start is smaller than end");
    OmeroLabel "omero.label" Error Ours("the label of a channel is text, as the published JSON schema says");
    OmeroCount "omero.count" Error Both(OMERO, "Array matching the c dimension size");

    // Labels.
    LabelType "label.type" Error Each(
        (IMAGE_LABEL, "Groups containing the `image-label` dictionary represent an image segmentation"),
        (LABELS, "The `image-label` object stores information about the display colors, source image, and optionally, further arbitrary properties of the label image."));
    LabelMultiscales "label.multiscales" Error Each(
        (IMAGE_LABEL, "`image-label` groups MUST also contain `multiscales` metadata"),
        (LABELS, "The `zarr.json` file for the label image MUST implement the multiscales specification."));
    LabelDescribed "label.described" Warning Each(
        (IMAGE_LABEL, "The `image-label` dictionary SHOULD contain a `colors` key"),
        (LABELS, "That `image-label` object SHOULD contain the following keys: first, a `colors` key, whose value MUST be a JSON array describing color information for the unique label values."));
    LabelSource "label.source" Error Each(
        (IMAGE_LABEL, "it MAY include a key `image` whose value MUST be a string specifying the relative path to a Zarr image group."),
        (LABELS, "This object MAY include a key `image`, whose value MUST be a string specifying the relative path to a Zarr image group."));
    LabelEmpty "label.empty" Error Each(
        (IMAGE_LABEL, "The `image-label` dictionary SHOULD contain a `colors` key whose value MUST be a list of JSON objects describing the unique label values."),
        (LABELS, "This array contains one JSON object for each unique custom label."));
    LabelValue "label.value" Error Each(
        (IMAGE_LABEL, "Each color object MUST contain the `label-value` key whose value MUST be an integer specifying the pixel value for that label."),
        (LABELS, "Each of these objects MUST contain the `label-value` key, whose value MUST be the integer corresponding to a particular label."));
    LabelDuplicate "label.duplicate" Error Each(
        (IMAGE_LABEL, "All the values under the `label-value` key MUST be unique."),
        (LABELS, "This array contains one JSON object for each unique custom label."));
    LabelRgba "label.rgba" Error Each(
        (IMAGE_LABEL, "It MAY contain an `rgba` key whose value MUST be an array of four integers between 0 and 255 `[uint8, uint8, uint8, uint8]` specifying the label color as RGBA."),
        (LABELS, "the objects in this array MAY contain an `rgba` key whose value MUST be an array of four integers between 0 and 255, inclusive."));
    LabelDataType "label.data-type" Error Each(
        (IMAGES, "Each multiscale level is stored as a separate Zarr array, as above, but only integer values"),
        (LABELS, "The pixels of the label images MUST be integer data types"));
    LabelLevels "label.levels" Error Each(
        (IMAGE_LABEL, "the two \"datasets\" series MUST have the same number of entries."),
        (LABELS, "the JSON array associated with the `datasets` key MUST have the same number of entries (scale levels) as the original unlabeled image."));
    LabelShape "label.shape" Warning Both(IMAGES, "should be either the same as the corresponding dimension of the image, or `1` if that dimension of the label is irrelevant.");
    LabelPlain "label.plain" Warning Each(
        (IMAGES, "Metadata of the related image and as well as display information under the \"image-label\" key."),
        (LABELS, "the OME-Zarr Metadata in this image-level `zarr.json` file SHOULD contain another key, `image-label`, whose value is also a JSON object."));
    LabelsType "labels.type" Error Each(
        (LABELS, "The special group \"labels\" found under an image Zarr contains the key `labels` containing the paths to label objects which can be found underneath the group"),
        (LABELS, "MUST contain a JSON object with the key `labels`, whose value is a JSON array of paths to the labeled multiscale image(s)."));
    LabelsNone "labels.none" Error Each(
        (LABELS, "The special group \"labels\" found under an image Zarr contains the key `labels` containing the paths to label objects which can be found underneath the group"),
        (LABELS, "The OME-Zarr Metadata in the `zarr.json` file associated with the \"labels\" group MUST contain a JSON object with the key `labels`"));
    LabelsGroup "labels.group" Error Each(
        (IMAGES, "The labels group is a container which holds a list of labels to make the objects easily discoverable"),
        (LABELS, "In OME-Zarr, Zarr arrays representing pixel-annotation data are stored in a group called \"labels\"."));
    LabelsEmpty "labels.empty" Warning Ours("a labels group lists a label image, or is left out");
    LabelsPath "labels.path" Error Each(
        (LABELS, "containing the paths to label objects which can be found underneath the group"),
        (LABELS, "whose value is a JSON array of paths to the labeled multiscale image(s)."));
    LabelsMissing "labels.missing" Error Each(
        (LABELS, "containing the paths to label objects which can be found underneath the group"),
        (LABELS, "whose value is a JSON array of paths to the labeled multiscale image(s)."));
    LabelsUnlisted "labels.unlisted" Warning Each(
        (LABELS, "Unlisted groups MAY be labels."),
        (LABELS, "All label images SHOULD be listed within this metadata file."));
    LabelsBetween "labels.between" Error Each(
        (IMAGES, "Intermediate folders are permitted but not necessary and currently contain no extra metadata."),
        (LABELS, "Intermediate groups between \"labels\" and the images within it are allowed, but these MUST NOT contain metadata."));

    // Plates and wells.
    PlateType "plate.type" Error Both(PLATE, "the plate layout can be found under the custom attributes of the plate group under the `plate` key");
    PlateGrid "plate.grid" Error Both(PLATE, "The `name` MUST contain only alphanumeric characters, MUST be case-sensitive, and MUST NOT be a duplicate of any other `name` in the `rows` list.");
    PlateCase "plate.grid.case" Warning Both(PLATE, "Care SHOULD be taken to avoid collisions on case-insensitive filesystems (e.g. avoid using both `Aa` and `aA`).");
    PlateName "plate.name" Warning Both(PLATE, "The `plate` dictionary SHOULD contain a `name` key whose value MUST be a string defining the name of the plate.");
    PlateText "plate.text" Error Both(PLATE, "The `plate` dictionary SHOULD contain a `name` key whose value MUST be a string defining the name of the plate.");
    PlateVersion "plate.version" Note Only(PLATE, "The `plate` dictionary MUST contain a `version` key whose value MUST be a string specifying the version of the plate specification.");
    PlateFieldCount "plate.field-count" Note Both(PLATE, "The `plate` dictionary SHOULD contain a `field_count` key whose value MUST be a positive integer defining the maximum number of fields per view across all wells.");
    PlateWells "plate.wells" Error Both(PLATE, "The `plate` dictionary MUST contain a `wells` key whose value MUST be a list of JSON objects defining the wells of the plate.");
    PlateWellPath "plate.well.path" Error Both(PLATE, "The `path` MUST consist of a `name` in the `rows` list, a file separator (`/`), and a `name` from the `columns` list, in that order.");
    PlateWellIndex "plate.well.index" Error Both(PLATE, "Each well object MUST contain both a `rowIndex` key whose value MUST be an integer identifying the index into the `rows` list and a `columnIndex` key whose value MUST be an integer identifying the index into the `columns` list.");
    PlateAcquisitionId "plate.acquisition.id" Error Both(PLATE, "Each acquisition object MUST contain an `id` key whose value MUST be an unique integer identifier greater than or equal to 0 within the context of the plate");
    PlateAcquisitionText "plate.acquisition.text" Error Both(PLATE, "Each acquisition object SHOULD contain a `name` key whose value MUST be a string identifying the name of the acquisition.");
    PlateAcquisitionTime "plate.acquisition.time" Error Both(PLATE, "Each acquisition object MAY contain a `starttime` and/or `endtime` key whose values MUST be integer epoch timestamps specifying the start and/or end timestamp of the acquisition.");
    PlateAcquisitionDescribed "plate.acquisition.described" Warning Both(PLATE, "Each acquisition object SHOULD contain a `name` key");
    PlateCount "plate.count" Error Both(PLATE, "`field_count` key whose value MUST be a positive integer defining the maximum number of fields per view across all wells.");
    PlateWellMissing "plate.well.missing" Error Both(SCREENING, "the group above the images defines the well and MUST implement the");
    PlateRowMissing "plate.row.missing" Error Both(SCREENING, "Three groups MUST be defined above the images");
    PlateEmptyRow "plate.row.empty" Warning Both(SCREENING, "A well row group SHOULD NOT be present if there are no images in the well row.");
    PlateUnlisted "plate.well.unlisted" Warning Ours("a plate lists every well that is there, or viewers will not find it");
    WellType "well.type" Error Both(WELL, "the metadata about all fields of views under a given well can be found under the \"well\" key in the attributes of the well group.");
    WellImages "well.images" Error Both(WELL, "The `well` dictionary MUST contain an `images` key whose value MUST be a list of JSON objects specifying all fields of views for a given well.");
    WellPath "well.path" Error Both(WELL, "The `path` MUST contain only alphanumeric characters, MUST be case-sensitive, and MUST NOT be a duplicate of any other `path` in the `images` list.");
    WellAcquisition "well.acquisition" Error Both(WELL, "If multiple acquisitions were performed in the plate, it MUST contain an `acquisition` key whose value MUST be an integer identifying the acquisition which MUST match one of the acquisition JSON objects defined in the plate metadata");
    WellMissing "well.missing" Error Both(WELL, "Each image object MUST contain a `path` key whose value MUST be a string specifying the path to the field of view.");
    WellUnlisted "well.unlisted" Warning Both(WELL, "specifying all fields of views for a given well.");
    WellCount "well.count" Warning Both(PLATE, "defining the maximum number of fields per view across all wells.");

    // Series of one file.
    SeriesLayout "series.layout" Error Both(SERIES, "MUST have the value \"3\" for the \"bioformats2raw.layout\" key");
    SeriesXml "series.xml" Warning Both(SERIES, "SHOULD have OME metadata representing the entire collection of images in a file named \"OME/METADATA.ome.xml\"");
    SeriesXmlBad "series.xml.bad" Error Both(SERIES, "MUST adhere to the OME-XML specification");
    SeriesXmlPixels "series.xml.pixels" Warning Both(SERIES, "MUST use `<MetadataOnly/>` elements as opposed to `<BinData/>`, `<BinaryOnly/>` or `<TiffData/>`");
    SeriesXmlCount "series.xml.count" Error Both(SERIES, "Every \"multiscales\" group MUST represent exactly one OME-XML \"Image\" in the same order as either the series index or the group numbers.");
    SeriesType "series.type" Error Both(SERIES, "\"series\" MUST be a list of string objects, each of which is a path to an image group.");
    SeriesMissing "series.missing" Error Both(SERIES, "\"series\" MUST be a list of string objects, each of which is a path to an image group.");
    SeriesCount "series.count" Error Both(SERIES, "separate \"multiscales\" images MUST be stored in consecutively numbered groups starting from 0");
    SeriesPlate "series.plate" Warning Both(SERIES, "Matching \"series\" metadata (as described next) SHOULD be provided for tools that are unaware of the \"plate\" specification.");
}
