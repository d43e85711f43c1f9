use ome_zarr::{Axis, AxisKind};

/// The units of length and time that OME-Zarr allows (UDUNITS-2 names), each in micrometres or seconds.
const LENGTHS: [(&str, f64); 23] = [
    ("angstrom", 1e-4),
    ("attometer", 1e-12),
    ("centimeter", 1e4),
    ("decimeter", 1e5),
    ("exameter", 1e24),
    ("femtometer", 1e-9),
    ("foot", 304_800.0),
    ("gigameter", 1e15),
    ("hectometer", 1e8),
    ("inch", 25_400.0),
    ("kilometer", 1e9),
    ("megameter", 1e12),
    ("meter", 1e6),
    ("micrometer", 1.0),
    ("mile", 1.609_344e9),
    ("millimeter", 1e3),
    ("nanometer", 1e-3),
    ("parsec", 3.085_677_581_491_367e22),
    ("petameter", 1e21),
    ("picometer", 1e-6),
    ("terameter", 1e18),
    ("yard", 914_400.0),
    // Not in the list of the specification, but in files.
    ("micron", 1.0),
];
const TIMES: [(&str, f64); 10] = [
    ("day", 86_400.0),
    ("hour", 3_600.0),
    ("kilosecond", 1e3),
    ("microsecond", 1e-6),
    ("millisecond", 1e-3),
    ("minute", 60.0),
    ("nanosecond", 1e-9),
    ("picosecond", 1e-12),
    ("second", 1.0),
    ("femtosecond", 1e-15),
];

/// The extent of a pixel in micrometres or seconds, where the axis has a unit that says so.
pub(super) fn standard(axis: &Axis, pixel: f64) -> Option<f64> {
    let unit = axis.unit.as_deref()?;
    let table: &[(&str, f64)] = match axis.kind {
        AxisKind::Space => &LENGTHS,
        AxisKind::Time => &TIMES,
        AxisKind::Channel | AxisKind::Other => return None,
    };
    let (_, factor) = table.iter().find(|(name, _)| *name == unit)?;
    // As many digits as mean something: 0.325 µm given in metres is 0.325, not 0.32499999999999996.
    let rounded = format!("{:.12e}", pixel * factor).parse().unwrap_or(pixel * factor);
    Some(rounded).filter(|pixel: &f64| pixel.is_finite() && *pixel > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_become_micrometres_and_times_seconds() {
        let axis = |kind, unit: &str| Axis { name: "a".into(), kind, unit: Some(unit.into()) };
        assert_eq!(standard(&axis(AxisKind::Space, "nanometer"), 325.0), Some(0.325));
        assert_eq!(standard(&axis(AxisKind::Space, "meter"), 3.25e-7), Some(0.325));
        assert_eq!(standard(&axis(AxisKind::Time, "minute"), 0.5), Some(30.0));
        assert_eq!(standard(&axis(AxisKind::Space, "second"), 1.0), None);
        assert_eq!(standard(&axis(AxisKind::Space, "pixel"), 1.0), None);
        assert_eq!(standard(&axis(AxisKind::Space, "micrometer"), -1.0), None);
    }
}
