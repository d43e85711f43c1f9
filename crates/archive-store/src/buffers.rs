//! Buffers of reads, used again: chunks come by the thousand, and asking the system for memory and filling it with zeroes
//! costs a tenth of what reading one does.

use std::sync::Mutex;

use bytes::Bytes;

use crate::locks::unpoisoned;

/// Buffers of 2^14 (16 KiB) to 2^20 bytes (1 MiB) are kept; other lengths are rare, or cheap.
const SMALLEST: u32 = 14;
const SIZES: usize = 7;
/// Bytes kept of each size.
const KEPT: usize = 4 << 20;

/// Buffers nobody uses, by size; all bytes of each are there, whatever they are.
static FREE: [Mutex<Vec<Vec<u8>>>; SIZES] = [const { Mutex::new(Vec::new()) }; SIZES];

/// `length` bytes that `fill` writes, all of them; nothing where it fails.
pub(crate) fn filled<E>(length: usize, fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Bytes, E> {
    let Some(size) = size_of(length) else {
        let mut bytes = vec![0; length];
        return fill(&mut bytes).map(|()| bytes.into());
    };
    let kept = FREE.get(size).and_then(|free| unpoisoned(free).pop());
    // Lent from the start, so that it is kept again when it cannot be filled.
    let mut lent = Lent { buffer: kept.unwrap_or_else(|| vec![0; 1 << (SMALLEST as usize + size)]), size, length };
    fill(lent.buffer.get_mut(..length).unwrap_or_default())?;
    Ok(Bytes::from_owner(lent))
}

/// Which of the sizes kept has room for so many bytes.
fn size_of(length: usize) -> Option<usize> {
    let power = length.checked_next_power_of_two()?.trailing_zeros();
    let size = usize::try_from(power.checked_sub(SMALLEST)?).ok()?;
    (size < SIZES).then_some(size)
}

/// A buffer in use.
struct Lent {
    buffer: Vec<u8>,
    size: usize,
    length: usize,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(free) = FREE.get(self.size) else { return };
        let mut free = unpoisoned(free);
        if (free.len() + 1) * self.buffer.len() <= KEPT {
            free.push(std::mem::take(&mut self.buffer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_written_whatever_was_in_the_buffer() {
        for round in 1..4_u8 {
            for length in [0, 1, (8 << 10) + 1, 16 << 10, (16 << 10) + 1, 1 << 20, (1 << 20) + 1] {
                let write = |buffer: &mut [u8]| {
                    buffer.fill(round);
                    Ok::<(), ()>(())
                };
                let bytes = filled(length, write).unwrap();
                assert_eq!((bytes.len(), bytes.iter().all(|byte| *byte == round)), (length, true));
                assert!(filled(length, |_| Err("no")).is_err());
            }
        }
    }

    #[test]
    fn only_so_many_are_kept() {
        let lent: Vec<Bytes> = (0..20).filter_map(|_| filled(1 << 20, |_| Ok::<(), ()>(())).ok()).collect();
        drop(lent);
        assert!(FREE.iter().all(|free| unpoisoned(free).iter().map(Vec::len).sum::<usize>() <= KEPT));
    }
}
