use super::noise::Random;

/// One cell: a nucleus with a body around it. Lengths in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub(super) x: f32,
    pub(super) y: f32,
    /// The depth of its middle, in planes.
    pub(super) z: f32,
    pub(super) radius: f32,
    stretch: f32,
    angle: f32,
    phase: f32,
    pub(super) brightness: f32,
}

impl Cell {
    /// How far a point is from the middle of the nucleus, where its edge is at 1.
    pub(super) fn distance(&self, x: f32, y: f32) -> f32 {
        let (dx, dy) = (x - self.x, y - self.y);
        let (sin, cos) = self.angle.sin_cos();
        let (u, v) = ((dx * cos + dy * sin) / self.stretch, (dy * cos - dx * sin) * self.stretch);
        let direction = v.atan2(u);
        let edge = 1.0 + 0.07 * (2.0 * direction + self.phase).sin() + 0.05 * (3.0 * direction - self.phase).sin();
        u.hypot(v) / (self.radius * edge)
    }
}

/// Scatters cells over a square, no two nuclei on top of each other.
pub(super) fn scatter(random: &mut Random, side: usize, depth: usize, radius: f32) -> Vec<Cell> {
    let side = side as f32;
    // Seeds differ in how crowded the field is and how large its cells are.
    let radius = radius * random.between(0.85, 1.25);
    let spacing = random.between(2.3, 3.4);
    let mut cells: Vec<Cell> = Vec::new();
    for _ in 0..3000 {
        let cell = Cell {
            x: random.between(0.0, side),
            y: random.between(0.0, side),
            z: random.between(0.15, 0.85) * depth as f32,
            radius: radius * random.between(0.8, 1.2),
            stretch: random.between(1.0, 1.25),
            angle: random.between(0.0, std::f32::consts::PI),
            phase: random.between(0.0, std::f32::consts::TAU),
            brightness: random.between(0.55, 1.0),
        };
        let is_free =
            |other: &Cell| (other.x - cell.x).hypot(other.y - cell.y) > spacing * 0.5 * (other.radius + cell.radius);
        if cells.iter().all(is_free) {
            cells.push(cell);
        }
    }
    cells
}
