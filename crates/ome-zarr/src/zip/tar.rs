//! Tar as it streams past: ustar, GNU long names, and the path and size records of pax (POSIX.1-2001).

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use super::{
    fault::ArchiveFault,
    limits::ArchiveLimits,
    member,
    stream::{Member, Stream, failed},
    unpack::Files,
    zip_stream::after_the_end,
};
use crate::error::OmeZarrError;

const BLOCK: usize = 512;
/// The longest extended header read, in bytes; paths have at most 1,024.
const MAX_EXTENDED: u64 = 64 * 1024;

/// A header block, as far as it is used here.
struct Block {
    name: Vec<u8>,
    size: u64,
    kind: u8,
}

/// What an extended header says about the entry after it.
#[derive(Default)]
struct Extended {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

pub(crate) fn read<'a, R: Read>(reader: R, files: Files<'a>) -> Result<Files<'a>, OmeZarrError> {
    read_stream(&mut Stream::new(reader), files)
}

/// A tar within one gzip member.
pub(crate) fn read_gz<'a, R: Read>(reader: R, files: Files<'a>) -> Result<Files<'a>, OmeZarrError> {
    let limits = files.limits;
    let mut stream = Stream::new(Inflating { decoder: GzDecoder::new(Stream::new(reader)), unpacked: 0, limits });
    let files = read_stream(&mut stream, files)?;
    if !stream.into_inner().decoder.into_inner().is_at_end()? {
        return Err(after_the_end().into());
    }
    Ok(files)
}

fn read_stream<'a, R: Read>(stream: &mut Stream<R>, mut files: Files<'a>) -> Result<Files<'a>, OmeZarrError> {
    let mut extended = Extended::default();
    loop {
        let bytes = stream.exact(BLOCK)?;
        if bytes.iter().all(|byte| *byte == 0) {
            break;
        }
        let block = block(&bytes)?;
        match block.kind {
            b'L' | b'x' | b'g' => extended.add(block.kind, &extension(stream, &block)?)?,
            // The target of a link, which is refused when it comes.
            b'K' => drop(extension(stream, &block)?),
            _ => entry(stream, &mut files, block, std::mem::take(&mut extended))?,
        }
    }
    // The end is two empty blocks; what follows pads the tape.
    if stream.exact(BLOCK)?.iter().any(|byte| *byte != 0) {
        return Err(after_the_end().into());
    }
    only_zeros(stream)?;
    Ok(files)
}

fn only_zeros<R: Read>(stream: &mut Stream<R>) -> Result<(), OmeZarrError> {
    loop {
        let buffered = stream.fill_buf().map_err(failed)?;
        let count = buffered.len();
        if count == 0 {
            return Ok(());
        }
        if buffered.iter().any(|byte| *byte != 0) {
            return Err(after_the_end().into());
        }
        stream.consume(count);
    }
}

fn entry<R: Read>(
    stream: &mut Stream<R>,
    files: &mut Files<'_>,
    block: Block,
    extended: Extended,
) -> Result<(), OmeZarrError> {
    let name = extended.name.unwrap_or(block.name);
    let name = String::from_utf8(name).map_err(|error| {
        let shown = String::from_utf8_lossy(error.as_bytes()).into_owned();
        ArchiveFault::new("archive.name", Some(&shown), "its name is not UTF-8", "Rename the file.")
    })?;
    // Tools write './' before every name when told to pack '.'.
    let name = name.strip_prefix("./").unwrap_or(&name);
    let size = extended.size.unwrap_or(block.size);
    let is_folder = match block.kind {
        0 | b'0' | b'7' => name.ends_with('/'),
        b'5' => true,
        b'1' => return Err(member::link(name, "a hard link").into()),
        b'2' => return Err(member::link(name, "a symbolic link").into()),
        b'3' | b'4' | b'6' => return Err(member::link(name, "a device or pipe").into()),
        other => return Err(unknown(name, other).into()),
    };
    if is_folder && matches!(name, "" | ".") {
        return Ok(());
    }
    let name = if is_folder { format!("{}/", name.trim_end_matches('/')) } else { name.to_owned() };
    member::check_folder(&name, size)?;
    let path = files.admit(&name)?;
    files.limits.check_entry(&name, size, size)?;
    let member = Member::stored(stream, &name, size, files.limits, files.bytes);
    files.take(path.as_ref(), member)?;
    if let Some(path) = &path {
        files.contents.note(path);
    }
    pad(stream, size)
}

fn unknown(name: &str, kind: u8) -> ArchiveFault {
    let reason = format!("it is of the kind '{}', which is not read here", char::from(kind).escape_default());
    let hint = "Make the archive again with plain files in it ('tar --format=pax', without --sparse).";
    ArchiveFault::new("archive.method", Some(name), reason, hint)
}

fn pad<R: Read>(stream: &mut Stream<R>, size: u64) -> Result<(), OmeZarrError> {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    if over > 0 {
        stream.exact(BLOCK - over)?;
    }
    Ok(())
}

/// The bytes of an extended header.
fn extension<R: Read>(stream: &mut Stream<R>, block: &Block) -> Result<Vec<u8>, OmeZarrError> {
    if block.size > MAX_EXTENDED {
        let reason = format!("an extended header has more than {MAX_EXTENDED} bytes");
        return Err(ArchiveFault::too_large(None, reason).into());
    }
    let bytes = stream.exact(usize::try_from(block.size).unwrap_or(0))?;
    pad(stream, block.size)?;
    Ok(bytes)
}

impl Extended {
    fn add(&mut self, kind: u8, bytes: &[u8]) -> Result<(), ArchiveFault> {
        if kind == b'L' {
            let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
            self.name = Some(bytes[..end].to_vec());
            return Ok(());
        }
        let records = pax(bytes).ok_or_else(|| ArchiveFault::format("an extended header of it is damaged"))?;
        for (key, value) in records {
            // What holds for all entries ('g') may be a comment, not a name or a size.
            let local = kind == b'x';
            match key {
                b"path" if local => self.name = Some(value.to_vec()),
                b"size" if local => {
                    self.size = Some(decimal(value).ok_or_else(|| ArchiveFault::format("a size of it is no number"))?)
                }
                b"path" | b"size" => return Err(ArchiveFault::format("one name or size is given to all its entries")),
                _ if key.starts_with(b"GNU.sparse") => return Err(unknown("", b'S')),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The records of a pax header: `length key=value\n` each.
fn pax(mut bytes: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let space = bytes.iter().position(|byte| *byte == b' ')?;
        let length = usize::try_from(decimal(bytes.get(..space)?)?).ok()?;
        let (record, rest) = bytes.split_at_checked(length)?;
        let text = record.get(space + 1..)?.strip_suffix(b"\n")?;
        let equals = text.iter().position(|byte| *byte == b'=')?;
        records.push((text.get(..equals)?, text.get(equals + 1..)?));
        bytes = rest;
    }
    Some(records)
}

fn decimal(text: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(text).ok()?;
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// Reads a header block and checks its sum.
fn block(bytes: &[u8]) -> Result<Block, ArchiveFault> {
    let damaged = || ArchiveFault::format("a header of it is damaged, or it is no tar");
    let field = |from: usize, to: usize| bytes.get(from..to).unwrap_or_default();
    let sum: u64 =
        bytes.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) }).sum();
    if number(field(148, 156)) != Some(sum) {
        return Err(damaged());
    }
    let size = number(field(124, 136)).ok_or_else(damaged)?;
    let mut name = text(field(0, 100)).to_vec();
    let prefix = text(field(345, 500));
    // GNU's own format has other fields where ustar has the prefix.
    if field(257, 263) == b"ustar\0" && !prefix.is_empty() {
        name = [prefix, b"/", &name].concat();
    }
    Ok(Block { name, size, kind: bytes.get(156).copied().unwrap_or(0) })
}

fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// An octal number, or a binary one when the first bit is set (GNU).
fn number(field: &[u8]) -> Option<u64> {
    if let Some((0x80, rest)) = field.split_first() {
        let (high, low) = rest.split_at_checked(rest.len().checked_sub(8)?)?;
        return if high.iter().all(|byte| *byte == 0) { Some(u64::from_be_bytes(low.try_into().ok()?)) } else { None };
    }
    let digits = std::str::from_utf8(text(field)).ok()?.trim_matches(' ');
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { u64::from_str_radix(digits, 8).ok() } else { None }
}

/// A gzip being unpacked, held to the ratio.
struct Inflating<'a, R> {
    decoder: GzDecoder<Stream<R>>,
    unpacked: u64,
    limits: &'a ArchiveLimits,
}

/// So many packed bytes are taken for granted: what is compressed well may come first.
const GRANTED: u64 = 1 << 20;

impl<R: Read> Read for Inflating<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.decoder.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                io::Error::other(ArchiveFault::format("its gzip cannot be unpacked"))
            }
            _ => error,
        })?;
        self.unpacked += count as u64;
        let packed = self.decoder.get_ref().position() + GRANTED;
        // The size of one file is no matter here, nor its name.
        if self.unpacked > packed.saturating_mul(self.limits.ratio) {
            let reason =
                format!("it unpacks to more than {} times its size, as an archive bomb does", self.limits.ratio);
            let hint = "Send it as '.tar', without gzip; Zarr chunks have their own compression.";
            return Err(io::Error::other(ArchiveFault::new("archive.ratio", None, reason, hint)));
        }
        Ok(count)
    }
}
