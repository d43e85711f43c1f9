/// A small random number generator (SplitMix64), so that samples never change with a library.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        // Neighbouring seeds start far apart.
        Self(mix(seed ^ 0x5851_f42d_4c95_7f2d))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Evenly in `low..high`.
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * unit(self.next())
    }

    /// Normal with mean 0 and standard deviation 1, nearly: the sum of twelve even numbers.
    pub(super) fn normal(&mut self) -> f32 {
        let bits = [self.next(), self.next(), self.next()];
        let parts = bits.iter().flat_map(|bits| [0, 16, 32, 48].map(|shift| (bits >> shift) as u16));
        parts.map(|part| f32::from(part) / 65_536.0).sum::<f32>() - 6.0
    }
}

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

fn unit(bits: u64) -> f32 {
    (bits >> 40) as f32 / (1u32 << 24) as f32
}

/// Smooth noise over the plane, 0 to 1: cloudy at scale 1, finer at larger coordinates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clouds(pub(super) u64);

impl Clouds {
    /// One octave.
    pub(super) fn at(self, x: f32, y: f32) -> f32 {
        let (left, top) = (x.floor(), y.floor());
        let ease = |part: f32| part * part * (3.0 - 2.0 * part);
        let (across, down) = (ease(x - left), ease(y - top));
        let corner = |dx: i64, dy: i64| {
            let place = (left as i64 + dx).wrapping_mul(0x1f1f_1f1f) ^ (top as i64 + dy).wrapping_mul(0x3c6e_f372);
            unit(mix(place as u64 ^ mix(self.0)))
        };
        let upper = corner(0, 0) + (corner(1, 0) - corner(0, 0)) * across;
        let lower = corner(0, 1) + (corner(1, 1) - corner(0, 1)) * across;
        upper + (lower - upper) * down
    }

    /// Three octaves.
    pub(super) fn fine(self, x: f32, y: f32) -> f32 {
        0.55 * self.at(x, y) + 0.3 * self.at(2.1 * x, 2.1 * y) + 0.15 * self.at(4.3 * x, 4.3 * y)
    }

    /// Thin bright ridges, as of fibres.
    pub(super) fn ridges(self, x: f32, y: f32) -> f32 {
        (1.0 - (2.0 * self.fine(x, y) - 1.0).abs() * 2.2).max(0.0).powi(3)
    }
}
