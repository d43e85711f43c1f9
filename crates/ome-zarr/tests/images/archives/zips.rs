//! ZIPs and tars made byte by byte, so that every field can lie.

/// An entry and what is written about it.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) name: String,
    pub(crate) listed_name: String,
    /// As stored.
    pub(crate) bytes: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) crc32: u32,
    pub(crate) size: u32,
    pub(crate) mode: u32,
}

impl Made {
    pub(crate) fn stored(name: &str, bytes: &[u8]) -> Self {
        let (crc32, size) = (crc32(bytes), bytes.len() as u32);
        let name = name.to_owned();
        Self {
            listed_name: name.clone(),
            name,
            bytes: bytes.to_vec(),
            method: 0,
            flags: 0,
            crc32,
            size,
            mode: 0o100_644,
        }
    }

    pub(crate) fn deflated(name: &str, bytes: &[u8]) -> Self {
        use std::io::Write;
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        Self { bytes: encoder.finish().unwrap(), method: 8, ..Self::stored(name, bytes) }
    }
}

pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// A root group that is an image.
pub(crate) const IMAGE: &[u8] =
    br#"{"zarr_format":3,"node_type":"group","attributes":{"ome":{"version":"0.5","multiscales":[]}}}"#;

pub(crate) fn image() -> Made {
    Made::stored("zarr.json", IMAGE)
}

/// The bytes of an archive of these entries.
pub(crate) fn zip(entries: &[Made]) -> Vec<u8> {
    zip_with(entries, b"", |_| {})
}

/// As [`zip`], with a comment and a last change to the parts: entries, list, end record.
pub(crate) fn zip_with(entries: &[Made], comment: &[u8], change: impl Fn(&mut [Vec<u8>; 3])) -> Vec<u8> {
    let (mut body, mut list) = (Vec::new(), Vec::new());
    for entry in entries {
        let offset = body.len() as u32;
        let streamed = entry.flags & 8 != 0;
        let (crc, packed, size) = (entry.crc32, entry.bytes.len() as u32, entry.size);
        let numbers =
            |zero: bool| if zero { [0; 12].to_vec() } else { [crc, packed, size].map(u32::to_le_bytes).concat() };
        let shared = |name: &str, zero: bool| {
            let head = [20_u16, entry.flags, entry.method, 0, 33].map(u16::to_le_bytes).concat();
            let lengths = [name.len() as u16, 0].map(u16::to_le_bytes).concat();
            [head, numbers(zero), lengths].concat()
        };
        body.extend(b"PK\x03\x04");
        body.extend(shared(&entry.name, streamed));
        body.extend(entry.name.as_bytes());
        body.extend(&entry.bytes);
        if streamed {
            body.extend(b"PK\x07\x08");
            body.extend(numbers(false));
        }
        list.extend(b"PK\x01\x02");
        list.extend((3_u16 << 8 | 20).to_le_bytes());
        list.extend(shared(&entry.listed_name, false));
        list.extend([0; 6]);
        list.extend((entry.mode << 16).to_le_bytes());
        list.extend(offset.to_le_bytes());
        list.extend(entry.listed_name.as_bytes());
    }
    let count = entries.len() as u16;
    let mut end = b"PK\x05\x06".to_vec();
    end.extend([0, 0, count, count].map(u16::to_le_bytes).concat());
    end.extend((list.len() as u32).to_le_bytes());
    end.extend((body.len() as u32).to_le_bytes());
    end.extend((comment.len() as u16).to_le_bytes());
    end.extend(comment);
    let mut parts = [body, list, end];
    change(&mut parts);
    parts.concat()
}

/// A tar of entries: name, type, content.
pub(crate) fn tar(entries: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let mut tar: Vec<u8> = entries.iter().flat_map(|(name, kind, bytes)| tar_entry(name, *kind, bytes)).collect();
    tar.extend([0; 1024]);
    tar
}

fn tar_entry(name: &str, kind: u8, bytes: &[u8]) -> Vec<u8> {
    let mut block = vec![0_u8; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..108].copy_from_slice(b"0000644\0");
    block[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
    block[156] = kind;
    block[257..263].copy_from_slice(b"ustar\0");
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block.extend(bytes);
    block.resize(block.len().next_multiple_of(512), 0);
    block
}
