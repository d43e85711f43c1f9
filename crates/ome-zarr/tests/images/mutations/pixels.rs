use super::{Base::*, *};

/// The first shard of the sharded image, and its index: 16 bytes a chunk, then the checksum.
fn shard(store: &mut Store) -> &mut Vec<u8> {
    let path = store.first_chunk("s/0/c/");
    store.bytes(&path)
}

/// Changes the index of a shard and makes its checksum right again.
fn reindex(shard: &mut [u8], chunks: usize, change: impl FnOnce(&mut [u8])) {
    let end = shard.len() - 4;
    let index = &mut shard[end - 16 * chunks..end];
    change(index);
    let checksum = crc32c::crc32c(index).to_le_bytes();
    shard[end..].copy_from_slice(&checksum);
}

/// Inner chunks a shard of the sharded image.
fn chunks(store: &Store) -> usize {
    let array = store.json("s/0/zarr.json");
    let sizes = |pointer: &str| -> Vec<u64> {
        array.pointer(pointer).unwrap().as_array().unwrap().iter().map(|size| size.as_u64().unwrap()).collect()
    };
    let (outer, inner) = (sizes("/chunk_grid/configuration/chunk_shape"), sizes("/codecs/0/configuration/chunk_shape"));
    outer.iter().zip(&inner).map(|(outer, inner)| (outer / inner) as usize).product()
}

pub(super) fn breaches() -> Vec<Breach> {
    [whole(), shards()].into_iter().flatten().collect()
}

fn whole() -> Vec<Breach> {
    vec![
        breach("a chunk outside the grid", Image, "chunk.outside", Error, |s| {
            drop(s.0.0.insert("i/0/c/9/9/9".into(), vec![1]))
        }),
        breach("a file that is no chunk", Image, "chunk.foreign", Error, |s| {
            drop(s.0.0.insert("i/0/notes.txt".into(), vec![1]))
        }),
        breach("a file among the chunks", Image, "chunk.foreign", Error, |s| {
            drop(s.0.0.insert("i/0/c/0/readme".into(), vec![1]))
        }),
        breach("what a desktop leaves behind", Image, "chunk.foreign", Warning, |s| {
            drop(s.0.0.insert("i/0/.DS_Store".into(), vec![1]))
        }),
        breach("an image inside an array", Image, "chunk.foreign", Error, |s| s.copy("i/labels/nuclei", "i/0/nuclei")),
        breach("a compressed chunk cut short", Image, "chunk.decode", Error, |s| {
            let chunk = s.bytes("i/0/c/0/0/0");
            chunk.truncate(chunk.len() / 2);
        }),
        breach("an empty chunk", Image, "chunk.decode", Error, |s| s.bytes("i/0/c/0/0/0").clear()),
        breach("a chunk of zstd cut short", Image, "chunk.decode", Error, |s| {
            let chunk = s.bytes("i/labels/nuclei/0/c/0/0");
            chunk.truncate(chunk.len() - 3);
        }),
        breach("a chunk of other bytes", Image, "chunk.decode", Error, |s| s.bytes("i/labels/nuclei/0/c/0/0").fill(7)),
        breach("bytes behind a chunk", Image, "chunk.trailing", Error, |s| s.bytes("i/0/c/0/0/0").extend([0; 8])),
        breach("bytes behind a chunk of zstd", Image, "chunk.trailing", Error, |s| {
            s.bytes("i/labels/nuclei/0/c/0/0").extend([0; 3])
        }),
        breach("a chunk that is not compressed, cut short", Plate, "chunk.size", Error, |s| {
            s.bytes("p/A/1/0/0/c/0/0").truncate(15)
        }),
        breach("a chunk that is not compressed, too long", Plate, "chunk.size", Error, |s| {
            s.bytes("p/A/1/0/0/c/0/0").push(0)
        }),
        breach("a chunk of another shape", Image, "chunk.size", Error, |s| {
            let small = s.bytes("i/2/c/0/0/0").clone();
            *s.bytes("i/0/c/0/0/0") = small;
        }),
        breach("a chunk of Zarr 2 cut short", Old, "chunk.decode", Error, |s| {
            let chunk = s.bytes("o/0/0/0/0");
            chunk.truncate(chunk.len() - 1);
        }),
    ]
}

fn shards() -> Vec<Breach> {
    vec![
        breach("an index that its checksum denies", Shards, "chunk.index", Error, |s| {
            let shard = shard(s);
            let at = shard.len() - 10;
            shard[at] ^= 1;
        }),
        breach("a checksum that is wrong", Shards, "chunk.index", Error, |s| *shard(s).last_mut().unwrap() ^= 1),
        breach("a shard cut short", Shards, "chunk.index", Error, |s| {
            let shard = shard(s);
            shard.truncate(shard.len() - 1);
        }),
        breach("a shard shorter than its index", Shards, "chunk.index", Error, |s| shard(s).truncate(3)),
        breach("an entry outside the shard", Shards, "chunk.index", Error, |s| {
            let chunks = chunks(s);
            reindex(shard(s), chunks, |index| index[..8].copy_from_slice(&(1u64 << 40).to_le_bytes()));
        }),
        breach("an entry that points into the index", Shards, "chunk.index", Error, |s| {
            let chunks = chunks(s);
            let shard = shard(s);
            let at = shard.len() as u64 - 20;
            reindex(shard, chunks, |index| index[..8].copy_from_slice(&at.to_le_bytes()));
        }),
        breach("two entries for the same bytes", Shards, "chunk.overlap", Error, |s| {
            let chunks = chunks(s);
            reindex(shard(s), chunks, |index| index.copy_within(0..16, 16));
        }),
        breach("a damaged inner chunk", Shards, "chunk.decode", Error, |s| {
            let chunks = chunks(s);
            reindex(shard(s), chunks, |index| {
                let length = u64::from_le_bytes(index[8..16].try_into().unwrap()) - 5;
                index[8..16].copy_from_slice(&length.to_le_bytes());
            });
        }),
    ]
}
