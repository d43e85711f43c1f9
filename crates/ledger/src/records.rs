//! Values of any length, cut into pieces where the engine wants small ones.

use bytes::{Bytes, BytesMut};

use crate::{
    LedgerError,
    database::{Database, Writes},
    keys,
};

/// The longest value that is stored in one piece, in bytes.
pub(crate) const PIECE_BYTES: usize = 4096;

const WHOLE: u8 = 0;
const CUT: u8 = 1;

/// The pieces of a long record.
struct Pieces {
    generation: u64,
    count: u32,
}

/// What is stored under a record's key.
enum Stored {
    Whole(Bytes),
    Cut(Pieces),
}

/// Reads a record.
pub(crate) fn get(database: &Database, key: &[u8]) -> Result<Option<Bytes>, LedgerError> {
    match database.get(key)? {
        None => Ok(None),
        Some(value) => resolve(database, key, value),
    }
}

/// The record whose stored value is `value`: itself, or its pieces put together.
///
/// Where pieces are missing because the record was replaced after `value` was read, the newer record is the answer.
pub(crate) fn resolve(database: &Database, key: &[u8], mut value: Bytes) -> Result<Option<Bytes>, LedgerError> {
    loop {
        let whole = match parse(key, &value)? {
            Stored::Whole(whole) => Some(whole),
            Stored::Cut(pieces) => join(database, &pieces)?,
        };
        if whole.is_some() {
            return Ok(whole);
        }
        match database.get(key)? {
            None => return Ok(None),
            Some(same) if same == value => return Err(damaged(key, "has lost a piece")),
            Some(newer) => value = newer,
        }
    }
}

/// Writes a record in place of the one there may be. Only the single writer may call this.
pub(crate) fn put(database: &Database, writes: &mut Writes, key: Vec<u8>, value: &[u8]) -> Result<(), LedgerError> {
    remove_pieces(database, writes, &key)?;
    put_new(writes, key, value)
}

/// Writes a record under a key that has none.
pub(crate) fn put_new(writes: &mut Writes, key: Vec<u8>, value: &[u8]) -> Result<(), LedgerError> {
    if value.len() <= PIECE_BYTES {
        writes.push((key, Some([&[WHOLE], value].concat())));
        return Ok(());
    }
    let generation = rand::random::<u64>();
    let mut count = 0_u32;
    for piece in value.chunks(PIECE_BYTES) {
        writes.push((keys::piece(generation, count), Some(piece.to_vec())));
        count = count.checked_add(1).ok_or_else(|| LedgerError::Write("a record of more than 16 TiB".into()))?;
    }
    writes.push((key, Some([&[CUT][..], &generation.to_be_bytes(), &count.to_be_bytes()].concat())));
    Ok(())
}

/// Removes a record and its pieces. Only the single writer may call this.
pub(crate) fn remove(database: &Database, writes: &mut Writes, key: Vec<u8>) -> Result<(), LedgerError> {
    remove_pieces(database, writes, &key)?;
    writes.push((key, None));
    Ok(())
}

fn remove_pieces(database: &Database, writes: &mut Writes, key: &[u8]) -> Result<(), LedgerError> {
    let Some(value) = database.get(key)? else { return Ok(()) };
    if let Stored::Cut(pieces) = parse(key, &value)? {
        writes.extend((0..pieces.count).map(|number| (keys::piece(pieces.generation, number), None)));
    }
    Ok(())
}

fn parse(key: &[u8], value: &Bytes) -> Result<Stored, LedgerError> {
    match value.split_first() {
        Some((&WHOLE, _)) => Ok(Stored::Whole(value.slice(1..))),
        Some((&CUT, pieces)) => {
            let (generation, count) = pieces.split_first_chunk().ok_or_else(|| damaged(key, "is cut short"))?;
            let count = count.try_into().map_err(|_| damaged(key, "is cut short"))?;
            let pieces = Pieces { generation: u64::from_be_bytes(*generation), count: u32::from_be_bytes(count) };
            Ok(Stored::Cut(pieces))
        }
        _ => Err(damaged(key, "is no record")),
    }
}

/// All pieces in order; nothing when one is missing.
fn join(database: &Database, pieces: &Pieces) -> Result<Option<Bytes>, LedgerError> {
    let mut whole = BytesMut::new();
    for number in 0..pieces.count {
        match database.get(&keys::piece(pieces.generation, number))? {
            Some(piece) => whole.extend_from_slice(&piece),
            None => return Ok(None),
        }
    }
    Ok(Some(whole.freeze()))
}

fn damaged(key: &[u8], what: &str) -> LedgerError {
    LedgerError::damaged(format!("the record {} {what}", key.escape_ascii()))
}
