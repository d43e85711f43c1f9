//! TIFF files as hostile or odd as a test needs them.

/// A page: fields of (tag, type, values), and its strips or tiles.
#[derive(Clone, Default)]
pub(super) struct Page {
    pub(super) fields: Vec<(u16, u16, Vec<u64>)>,
    pub(super) chunks: Vec<Vec<u8>>,
    pub(super) description: Option<String>,
    pub(super) tiled: bool,
}

impl Page {
    /// Unsigned grey pixels.
    pub(super) fn grey(width: u64, height: u64, bits: u64) -> Self {
        let fields = [(256, width), (257, height), (258, bits), (262, 1), (277, 1)];
        let fields = fields.into_iter().map(|(tag, value)| (tag, 4, vec![value])).collect();
        Self { fields, ..Self::default() }
    }

    pub(super) fn field(mut self, tag: u16, values: &[u64]) -> Self {
        self.fields.retain(|(known, ..)| *known != tag);
        self.fields.push((tag, 4, values.to_vec()));
        self
    }

    pub(super) fn strips(mut self, rows: u64, chunks: Vec<Vec<u8>>) -> Self {
        self.chunks = chunks;
        self.field(278, &[rows])
    }

    pub(super) fn tiles(mut self, width: u64, height: u64, chunks: Vec<Vec<u8>>) -> Self {
        self.chunks = chunks;
        self.tiled = true;
        self.field(322, &[width]).field(323, &[height])
    }

    pub(super) fn describe(mut self, text: &str) -> Self {
        self.description = Some(text.to_owned());
        self
    }
}

/// A file of these pages; `BigTIFF` where `big`.
pub(super) fn file(pages: &[Page], big_endian: bool, big: bool) -> Vec<u8> {
    let mut file = Bytes { bytes: Vec::new(), big_endian, big };
    file.bytes.extend_from_slice(if big_endian { b"MM" } else { b"II" });
    if big {
        file.number(43, 2);
        file.number(8, 2);
        file.number(0, 2);
    } else {
        file.number(42, 2);
    }
    let mut pointer = file.bytes.len();
    file.offset(0);
    for page in pages {
        let offsets: Vec<u64> = page.chunks.iter().map(|chunk| file.append(chunk)).collect();
        let sizes: Vec<u64> = page.chunks.iter().map(|chunk| chunk.len() as u64).collect();
        let (at, of) = if page.tiled { (324, 325) } else { (273, 279) };
        let wide = if big { 16 } else { 4 };
        let mut fields = page.fields.clone();
        fields.push((at, wide, offsets));
        fields.push((of, wide, sizes));
        if let Some(text) = &page.description {
            fields.push((270, 2, text.bytes().chain([0]).map(u64::from).collect()));
        }
        fields.sort();
        pointer = file.directory(&fields, pointer);
    }
    file.bytes
}

struct Bytes {
    bytes: Vec<u8>,
    big_endian: bool,
    big: bool,
}

impl Bytes {
    fn number(&mut self, value: u64, size: usize) {
        let bytes = self.encoded(value, size);
        self.bytes.extend_from_slice(&bytes);
    }

    fn encoded(&self, value: u64, size: usize) -> Vec<u8> {
        if self.big_endian { value.to_be_bytes()[8 - size..].to_vec() } else { value.to_le_bytes()[..size].to_vec() }
    }

    fn word(&self) -> usize {
        if self.big { 8 } else { 4 }
    }

    fn offset(&mut self, value: u64) {
        self.number(value, self.word());
    }

    fn append(&mut self, bytes: &[u8]) -> u64 {
        let at = self.bytes.len() as u64;
        self.bytes.extend_from_slice(bytes);
        at
    }

    /// Writes a directory, points to it from `pointer`, and returns where its own pointer to the next one is.
    fn directory(&mut self, fields: &[(u16, u16, Vec<u64>)], pointer: usize) -> usize {
        let word = self.word();
        let mut entries = Vec::new();
        for (tag, kind, values) in fields {
            let size = match kind {
                1 | 2 | 7 => 1,
                3 => 2,
                16 => 8,
                _ => 4,
            };
            let mut value: Vec<u8> = values.iter().flat_map(|value| self.encoded(*value, size)).collect();
            if value.len() > word {
                let at = self.append(&value);
                value = self.encoded(at, word);
            }
            value.resize(word, 0);
            entries.push((*tag, *kind, values.len() as u64, value));
        }
        let at = self.bytes.len() as u64;
        let to_here = self.encoded(at, word);
        self.bytes[pointer..pointer + word].copy_from_slice(&to_here);
        self.number(entries.len() as u64, if self.big { 8 } else { 2 });
        for (tag, kind, count, value) in entries {
            self.number(u64::from(tag), 2);
            self.number(u64::from(kind), 2);
            self.number(count, word);
            self.bytes.extend_from_slice(&value);
        }
        let next = self.bytes.len();
        self.offset(0);
        next
    }
}
