use serde_json::Value;

use crate::{
    at::At,
    error::OmeZarrError,
    source::{FileSource, join},
};

/// The largest metadata document read, in bytes. OME metadata of the largest plates known stays below 2 MiB.
const MAX_DOCUMENT_BYTES: u64 = 16 << 20;

/// The version of the Zarr format a node is stored in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ZarrVersion {
    /// `.zgroup`, `.zarray` and `.zattrs`.
    V2,
    /// `zarr.json`.
    V3,
}

/// What a folder is in Zarr's eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeKind {
    Group,
    Array,
}

/// A Zarr group or array: its metadata as it stands in the files, understood no further than that.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) folder: String,
    pub(crate) zarr: ZarrVersion,
    pub(crate) kind: NodeKind,
    /// The file with the structure: `zarr.json`, `.zarray` or `.zgroup`.
    pub(crate) file: String,
    pub(crate) metadata: Value,
    /// The attributes of a version 2 node, which have a file of their own.
    attributes_v2: Value,
    attributes_file: String,
    /// Documents that could not be read as JSON: file and reason.
    pub(crate) broken: Vec<(String, String)>,
    /// Whether metadata of both versions stands in the folder.
    pub(crate) doubled: bool,
}

impl Node {
    /// Reads the node in a folder; `None` if the folder is no Zarr node. Version 3 wins where both are present.
    pub(crate) fn read(source: &dyn FileSource, folder: &str) -> Result<Option<Self>, OmeZarrError> {
        let v3 = Document::read(source, join(folder, "zarr.json"))?;
        let array = Document::read(source, join(folder, ".zarray"))?;
        let group = if array.is_none() { Document::read(source, join(folder, ".zgroup"))? } else { None };
        if let Some(v3) = v3 {
            return Ok(Some(Self::v3(folder, v3, array.is_some() || group.is_some())));
        }
        let attributes = Document::read(source, join(folder, ".zattrs"))?;
        Ok(match (array, group) {
            (Some(array), _) => Some(Self::v2(folder, NodeKind::Array, array, attributes)),
            (None, Some(group)) => Some(Self::v2(folder, NodeKind::Group, group, attributes)),
            (None, None) => None,
        })
    }

    /// A group that exists only as attributes, for judging metadata alone.
    pub(crate) fn of_attributes(zarr: ZarrVersion, attributes: &Value) -> Self {
        let attributes = attributes.clone();
        let (file, metadata, attributes_v2) = match zarr {
            ZarrVersion::V2 => (".zgroup", serde_json::json!({"zarr_format": 2}), attributes),
            ZarrVersion::V3 => {
                let group = serde_json::json!({"zarr_format": 3, "node_type": "group", "attributes": attributes});
                ("zarr.json", group, Value::Null)
            }
        };
        let (folder, file) = (String::new(), file.to_owned());
        let (kind, broken) = (NodeKind::Group, Vec::new());
        let attributes_file = ".zattrs".to_owned();
        Self { folder, zarr, kind, file, metadata, attributes_v2, attributes_file, broken, doubled: false }
    }

    fn v3(folder: &str, document: Document, doubled: bool) -> Self {
        let kind = match document.value.get("node_type").and_then(Value::as_str) {
            Some("array") => NodeKind::Array,
            _ => NodeKind::Group,
        };
        Self {
            folder: folder.to_owned(),
            zarr: ZarrVersion::V3,
            kind,
            broken: document.fault().into_iter().collect(),
            file: document.file,
            metadata: document.value,
            attributes_v2: Value::Null,
            attributes_file: String::new(),
            doubled,
        }
    }

    fn v2(folder: &str, kind: NodeKind, document: Document, attributes: Option<Document>) -> Self {
        let broken = document.fault().into_iter().chain(attributes.as_ref().and_then(Document::fault)).collect();
        Self {
            folder: folder.to_owned(),
            zarr: ZarrVersion::V2,
            kind,
            file: document.file,
            metadata: document.value,
            attributes_v2: attributes.map(|document| document.value).unwrap_or_default(),
            attributes_file: join(folder, ".zattrs"),
            broken,
            doubled: false,
        }
    }

    /// The structural metadata, with its place.
    pub(crate) fn structure(&self) -> At<'_> {
        At::new(&self.metadata, &self.file, "")
    }

    /// All attributes, with their place; `None` where there are none.
    pub(crate) fn attributes(&self) -> Option<At<'_>> {
        match self.zarr {
            ZarrVersion::V3 => self.structure().get("attributes"),
            ZarrVersion::V2 if self.attributes_v2.is_null() => None,
            ZarrVersion::V2 => Some(At::new(&self.attributes_v2, &self.attributes_file, "")),
        }
    }

    /// Where the OME keys stand: all attributes in Zarr 2, `attributes.ome` in Zarr 3.
    pub(crate) fn ome(&self) -> Option<At<'_>> {
        match self.zarr {
            ZarrVersion::V3 => self.attributes()?.get("ome"),
            ZarrVersion::V2 => self.attributes(),
        }
    }

    /// One OME key, such as `multiscales` or `plate`.
    pub(crate) fn ome_key(&self, key: &str) -> Option<At<'_>> {
        self.ome()?.get(key)
    }
}

/// A metadata file that is there.
struct Document {
    file: String,
    value: Value,
    problem: Option<String>,
}

impl Document {
    fn read(source: &dyn FileSource, file: String) -> Result<Option<Self>, OmeZarrError> {
        let Some(size) = source.size(&file)? else { return Ok(None) };
        if size > MAX_DOCUMENT_BYTES {
            let problem = Some(format!("it is larger than {} MiB", MAX_DOCUMENT_BYTES >> 20));
            return Ok(Some(Self { file, value: Value::Null, problem }));
        }
        let bytes = source.read(&file, 0..size)?;
        // serde_json refuses more than 128 levels, so deep nesting cannot exhaust the stack.
        let (value, problem) = match serde_json::from_slice::<Value>(&bytes) {
            Ok(value) if value.is_object() => (value, None),
            Ok(_) => (Value::Null, Some("it is not a JSON object".to_owned())),
            Err(error) => (Value::Null, Some(error.to_string())),
        };
        Ok(Some(Self { file, value, problem }))
    }

    fn fault(&self) -> Option<(String, String)> {
        self.problem.clone().map(|problem| (self.file.clone(), problem))
    }
}
