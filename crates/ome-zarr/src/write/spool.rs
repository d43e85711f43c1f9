use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use crate::raster::{C, T, Tczyx, X, Y, Z};

use super::{encoder::is_empty, layout::bytes};

/// The pixels of a level that is yet to be written, as they are: a sparse file of about a quarter of the level before.
pub(super) struct Spool {
    file: File,
    path: PathBuf,
    shape: Tczyx,
    pixel: u64,
}

impl Spool {
    /// Opens the file, or makes one; what an interrupted run left in it is kept.
    pub(super) fn open(path: &Path, shape: Tczyx, pixel: u64) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        file.set_len(bytes(&shape, pixel))?;
        Ok(Self { file, path: path.to_owned(), shape, pixel })
    }

    /// Reads a region that lies inside the level.
    pub(super) fn read(&self, start: &Tczyx, shape: &Tczyx, out: &mut [u8]) -> io::Result<()> {
        let run = self.run(shape);
        for (place, out) in self.places(start, shape).zip(out.chunks_exact_mut(run)) {
            self.file.read_exact_at(out, place)?;
        }
        Ok(())
    }

    /// Writes a region that lies inside the level. Empty runs are left out: the file is all 0 where nothing was written.
    pub(super) fn write(&self, start: &Tczyx, shape: &Tczyx, pixels: &[u8]) -> io::Result<()> {
        let run = self.run(shape);
        for (place, pixels) in self.places(start, shape).zip(pixels.chunks_exact(run)) {
            if !is_empty(pixels) {
                self.file.write_all_at(pixels, place)?;
            }
        }
        Ok(())
    }

    /// Removes the file.
    pub(super) fn remove(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }

    /// Whether whole rows lie one after another.
    fn is_wide(&self, shape: &Tczyx) -> bool {
        shape[X] == self.shape[X]
    }

    /// The bytes that lie together.
    fn run(&self, shape: &Tczyx) -> usize {
        let pixels = if self.is_wide(shape) { shape[X] * shape[Y] } else { shape[X] };
        (pixels * self.pixel) as usize
    }

    /// Where each run begins in the file.
    fn places(&self, start: &Tczyx, shape: &Tczyx) -> impl Iterator<Item = u64> {
        let (start, shape, whole, pixel) = (*start, *shape, self.shape, self.pixel);
        let rows = if self.is_wide(&shape) { 1 } else { shape[Y] };
        let axis = move |axis: usize| start[axis]..start[axis] + shape[axis];
        axis(T).flat_map(move |t| {
            axis(C).flat_map(move |c| {
                axis(Z).flat_map(move |z| {
                    (start[Y]..start[Y] + rows).map(move |y| {
                        ((((t * whole[C] + c) * whole[Z] + z) * whole[Y] + y) * whole[X] + start[X]) * pixel
                    })
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_read_back_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(&folder.path().join("level"), [1, 2, 2, 3, 4], 2).unwrap();
        let pixels: Vec<u8> = (1..=16).collect();
        spool.write(&[0, 1, 0, 1, 1], &[1, 1, 2, 2, 2], &pixels).unwrap();
        let mut out = vec![9; 16];
        spool.read(&[0, 1, 0, 1, 1], &[1, 1, 2, 2, 2], &mut out).unwrap();
        assert_eq!(out, pixels);
        let mut whole = vec![9; 96];
        spool.read(&[0, 0, 0, 0, 0], &[1, 2, 2, 3, 4], &mut whole).unwrap();
        assert_eq!(whole.iter().filter(|byte| **byte != 0).count(), 16);
        assert_eq!(whole[48 + 8 + 2..48 + 8 + 6], [1, 2, 3, 4]);
    }
}
