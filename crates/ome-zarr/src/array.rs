use serde_json::Value;

use crate::{
    at::{At, whole},
    node::{Node, ZarrVersion},
};

mod codecs;
mod data_type;
mod keys;

pub(crate) use codecs::{CodecKind, Compressor, names as codec_names};
pub(crate) use data_type::DataType;
pub(crate) use keys::KeyEncoding;

/// The most dimensions any OME-Zarr array has.
pub(crate) const MAX_DIMENSIONS: usize = 5;
/// No array is larger than this, in bytes: 1 EiB.
const MAX_ARRAY_BYTES: u64 = 1 << 60;

/// What an array's metadata says, understood leniently: each part is there if it could be read.
#[derive(Debug, Clone)]
pub(crate) struct ArrayMeta {
    pub(crate) shape: Vec<u64>,
    /// The shape of one stored object: the shard where there are shards.
    pub(crate) object_shape: Vec<u64>,
    /// The inner chunks of a shard.
    pub(crate) inner_shape: Option<Vec<u64>>,
    pub(crate) data_type: DataType,
    pub(crate) dimension_names: Option<Vec<Option<String>>>,
    pub(crate) keys: KeyEncoding,
}

impl ArrayMeta {
    /// Reads an array node.
    ///
    /// # Errors
    /// In words, the first thing that makes the array unreadable.
    pub(crate) fn read(node: &Node) -> Result<Self, String> {
        let at = node.structure();
        let shape = sizes(at.get("shape")).ok_or("its shape is not a list of whole numbers of at least 0")?;
        let meta = match node.zarr {
            ZarrVersion::V2 => Self::v2(&at, shape)?,
            ZarrVersion::V3 => Self::v3(&at, shape)?,
        };
        meta.check()?;
        Ok(meta)
    }

    fn v2(at: &At<'_>, shape: Vec<u64>) -> Result<Self, String> {
        Ok(Self {
            shape,
            object_shape: sizes(at.get("chunks")).ok_or("its chunks are not a list of whole numbers")?,
            inner_shape: None,
            data_type: DataType::v2(at.get("dtype").map(|dtype| dtype.value))?,
            dimension_names: None,
            keys: KeyEncoding::v2(at.text_of("dimension_separator")),
        })
    }

    fn v3(at: &At<'_>, shape: Vec<u64>) -> Result<Self, String> {
        let grid = at.get("chunk_grid").ok_or("it has no chunk_grid")?;
        if grid.text_of("name") != Some("regular") {
            return Err("its chunk grid is not 'regular', the only one that is read".to_owned());
        }
        let object_shape = grid.get("configuration").and_then(|configuration| sizes(configuration.get("chunk_shape")));
        Ok(Self {
            shape,
            object_shape: object_shape.ok_or("its chunk_shape is not a list of whole numbers")?,
            inner_shape: codecs::inner_shape(at)?,
            data_type: DataType::v3(at.get("data_type").map(|data_type| data_type.value))?,
            dimension_names: at.get("dimension_names").and_then(|names| dimension_names(names.value)),
            keys: KeyEncoding::v3(at.get("chunk_key_encoding"))?,
        })
    }

    fn check(&self) -> Result<(), String> {
        let dimensions = self.shape.len();
        if dimensions > MAX_DIMENSIONS {
            return Err(format!("it has {dimensions} dimensions; at most {MAX_DIMENSIONS} are allowed"));
        }
        for chunk in std::iter::once(&self.object_shape).chain(&self.inner_shape) {
            if chunk.len() != dimensions {
                return Err(format!("its chunks have {} dimensions, the array {dimensions}", chunk.len()));
            }
            if chunk.contains(&0) {
                return Err("a chunk has no extent along a dimension".to_owned());
            }
        }
        let divides = |inner: &Vec<u64>| self.object_shape.iter().zip(inner).all(|(outer, inner)| outer % inner == 0);
        if !self.inner_shape.as_ref().is_none_or(divides) {
            return Err("its shards are not a whole number of inner chunks".to_owned());
        }
        for (what, shape) in [("shape", &self.shape), ("chunk shape", &self.object_shape)] {
            self.bytes_of(shape)
                .filter(|bytes| *bytes <= MAX_ARRAY_BYTES)
                .ok_or_else(|| format!("its {what} stands for more than 1 EiB"))?;
        }
        Ok(())
    }

    /// The shape of the smallest part that can be decoded.
    pub(crate) fn chunk_shape(&self) -> &[u64] {
        self.inner_shape.as_deref().unwrap_or(&self.object_shape)
    }

    /// The decoded size of a region, in bytes; `None` if it does not fit 64 bits.
    pub(crate) fn bytes_of(&self, shape: &[u64]) -> Option<u64> {
        shape.iter().try_fold(self.data_type.size() as u64, |bytes, size| bytes.checked_mul(*size))
    }
}

/// A shape: whole numbers of at least 0.
pub(crate) fn sizes(at: Option<At<'_>>) -> Option<Vec<u64>> {
    at?.items()?.iter().map(|item| whole_size(item.value)).collect()
}

fn whole_size(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| whole(value).and_then(|number| u64::try_from(number).ok()))
}

fn dimension_names(value: &Value) -> Option<Vec<Option<String>>> {
    Some(value.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(array: Value) -> Result<ArrayMeta, String> {
        let mut node = Node::of_attributes(ZarrVersion::V3, &Value::Null);
        node.metadata = array;
        ArrayMeta::read(&node)
    }

    fn array(shape: Value, chunk: Value) -> Value {
        json!({"shape": shape, "data_type": "uint16", "codecs": [{"name": "bytes"}],
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunk}},
            "chunk_key_encoding": {"name": "default"}})
    }

    #[test]
    fn a_plain_array_is_understood() {
        let meta = read(array(json!([4, 6]), json!([2, 3]))).unwrap();
        assert_eq!((meta.shape.as_slice(), meta.chunk_shape()), ([4, 6].as_slice(), [2, 3].as_slice()));
        assert_eq!(meta.bytes_of(&meta.shape), Some(48));
    }

    #[test]
    fn shapes_that_no_array_has_are_refused() {
        for (shape, chunk) in [
            (json!([-1, 6]), json!([2, 3])),
            (json!([1.5, 6]), json!([2, 3])),
            (json!([u64::MAX, u64::MAX]), json!([2, 3])),
            (json!([4, 6]), json!([0, 3])),
            (json!([4, 6]), json!([2])),
            (json!([4, 6]), json!([u64::MAX, 3])),
            (json!([1, 1, 1, 1, 1, 1]), json!([1, 1, 1, 1, 1, 1])),
            (json!("4,6"), json!([2, 3])),
        ] {
            assert!(read(array(shape.clone(), chunk.clone())).is_err(), "{shape} {chunk}");
        }
    }
}
