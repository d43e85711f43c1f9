use crate::at::At;

/// How a chunk's place in the grid becomes a file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyEncoding {
    separator: char,
    /// Zarr 3's `default` encoding puts `c` first.
    prefixed: bool,
}

impl KeyEncoding {
    pub(super) fn v2(separator: Option<&str>) -> Self {
        Self { separator: if separator == Some("/") { '/' } else { '.' }, prefixed: false }
    }

    pub(super) fn v3(at: Option<At<'_>>) -> Result<Self, String> {
        let name = at.as_ref().and_then(|at| at.text_of("name")).unwrap_or("default");
        let separator = at.as_ref().and_then(|at| at.get("configuration")).and_then(|c| c.text_of("separator"));
        match (name, separator) {
            ("default", None | Some("/")) => Ok(Self { separator: '/', prefixed: true }),
            ("default", Some(".")) => Ok(Self { separator: '.', prefixed: true }),
            ("v2", None | Some(".")) => Ok(Self { separator: '.', prefixed: false }),
            ("v2", Some("/")) => Ok(Self { separator: '/', prefixed: false }),
            _ => Err("its chunk_key_encoding is neither 'default' nor 'v2'".to_owned()),
        }
    }

    /// Whether chunks lie in nested folders.
    pub(crate) fn is_nested(self) -> bool {
        self.separator == '/'
    }

    /// The file of a chunk, below the array's folder.
    pub(crate) fn encode(self, chunk: &[u64]) -> String {
        let mut parts: Vec<String> = chunk.iter().map(u64::to_string).collect();
        if self.prefixed {
            parts.insert(0, "c".to_owned());
        } else if parts.is_empty() {
            parts.push("0".to_owned());
        }
        parts.join(&self.separator.to_string())
    }

    /// The chunk a file holds; `None` if the name is no chunk's.
    pub(crate) fn decode(self, key: &str, dimensions: usize) -> Option<Vec<u64>> {
        let rest = if self.prefixed {
            let rest = key.strip_prefix('c')?;
            if dimensions == 0 { rest } else { rest.strip_prefix(self.separator)? }
        } else {
            key
        };
        if dimensions == 0 {
            return (rest.is_empty() || rest == "0").then(Vec::new);
        }
        let chunk: Option<Vec<u64>> = rest.split(self.separator).map(canonical).collect();
        chunk.filter(|chunk| chunk.len() == dimensions)
    }
}

/// A number in its one spelling: `01` is no chunk name.
fn canonical(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_places_are_each_others_inverse() {
        for (separator, prefixed) in [('/', true), ('.', true), ('/', false), ('.', false)] {
            let keys = KeyEncoding { separator, prefixed };
            for chunk in [vec![], vec![0], vec![1, 20, 3]] {
                assert_eq!(keys.decode(&keys.encode(&chunk), chunk.len()), Some(chunk));
            }
        }
    }

    #[test]
    fn other_names_are_no_chunks() {
        let keys = KeyEncoding { separator: '/', prefixed: true };
        for bad in ["0/0", "c/0", "c/0/01", "c/0/-1", "c/0/0/0", "zarr.json", "c", "c/0/", "c/+1/0"] {
            assert_eq!(keys.decode(bad, 2), None, "{bad}");
        }
    }
}
