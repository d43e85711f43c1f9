use super::noise::Random;

/// A square field of light, in photons.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub(super) side: usize,
    pub(super) light: Vec<f32>,
}

impl Picture {
    pub(super) fn new(side: usize) -> Self {
        Self { side, light: vec![0.0; side * side] }
    }

    /// Raises the light around a point to what `paint` gives there; where things overlap the brighter one shows.
    pub(super) fn raise(&mut self, x: f32, y: f32, reach: f32, paint: impl Fn(f32, f32) -> f32) {
        let range = |middle: f32| {
            let end = (middle + reach).clamp(0.0, self.side as f32) as usize;
            (middle - reach).clamp(0.0, self.side as f32) as usize..end
        };
        let columns = range(x);
        for row in range(y) {
            for column in columns.clone() {
                if let Some(light) = self.light.get_mut(row * self.side + column) {
                    *light = light.max(paint(column as f32, row as f32));
                }
            }
        }
    }

    /// What a camera makes of it: background, shot noise, read noise, and a scene that is dimmer at its corners.
    pub(super) fn exposed(&self, random: &mut Random, background: f32, highest: f32) -> Vec<f32> {
        let middle = self.side as f32 / 2.0;
        let pixels = self.light.iter().enumerate().map(|(index, light)| {
            let (x, y) = ((index % self.side) as f32, (index / self.side) as f32);
            let corner = ((x - middle).hypot(y - middle) / middle).powi(2);
            let photons = background + light * (1.0 - 0.12 * corner);
            (photons + random.normal() * (photons.sqrt() + 2.0)).round().clamp(0.0, highest)
        });
        pixels.collect()
    }
}
