//! Units as microscopes write them, as OME-Zarr spells them (OME-Zarr 0.5, axes metadata; the names are UDUNITS-2's).

/// Symbols and names of OME-XML's `UnitsLength`, `ImageJ` and others, and OME-Zarr's name for each.
const LENGTHS: [(&[&str], &str); 24] = [
    (&["Ym", "yottameter"], "yottameter"),
    (&["Zm", "zettameter"], "zettameter"),
    (&["Em", "exameter"], "exameter"),
    (&["Pm", "petameter"], "petameter"),
    (&["Tm", "terameter"], "terameter"),
    (&["Gm", "gigameter"], "gigameter"),
    (&["Mm", "megameter"], "megameter"),
    (&["km", "kilometer"], "kilometer"),
    (&["hm", "hectometer"], "hectometer"),
    (&["m", "meter", "metre"], "meter"),
    (&["dm", "decimeter"], "decimeter"),
    (&["cm", "centimeter"], "centimeter"),
    (&["mm", "millimeter", "millimetre"], "millimeter"),
    (
        &["\u{b5}m", "\u{3bc}m", "um", "micron", "microns", "micrometer", "micrometre", "\\u00B5m", "\\u00b5m"],
        "micrometer",
    ),
    (&["nm", "nanometer", "nanometre"], "nanometer"),
    (&["pm", "picometer"], "picometer"),
    (&["fm", "femtometer"], "femtometer"),
    (&["am", "attometer"], "attometer"),
    (&["zm", "zeptometer"], "zeptometer"),
    (&["ym", "yoctometer"], "yoctometer"),
    (&["\u{c5}", "\u{212b}", "angstrom"], "angstrom"),
    (&["in", "inch"], "inch"),
    (&["ft", "foot"], "foot"),
    (&["yd", "yard"], "yard"),
];

/// Lengths OME-XML knows and OME-Zarr does not, in metres.
const IN_METERS: [(&str, f64); 7] = [
    ("dam", 10.0),
    ("mi.", 1609.344),
    ("ua", 149_597_870_700.0),
    ("ly", 9_460_730_472_580_800.0),
    ("pc", 3.085_677_581_491_367e16),
    ("li", 2.116_666_666_666_667e-3),
    ("pt", 3.527_777_777_777_778e-4),
];

const TIMES: [(&[&str], &str); 24] = [
    (&["Ys", "yottasecond"], "yottasecond"),
    (&["Zs", "zettasecond"], "zettasecond"),
    (&["Es", "exasecond"], "exasecond"),
    (&["Ps", "petasecond"], "petasecond"),
    (&["Ts", "terasecond"], "terasecond"),
    (&["Gs", "gigasecond"], "gigasecond"),
    (&["Ms", "megasecond"], "megasecond"),
    (&["ks", "kilosecond"], "kilosecond"),
    (&["hs", "hectosecond"], "hectosecond"),
    (&["s", "sec", "second", "seconds"], "second"),
    (&["ds", "decisecond"], "decisecond"),
    (&["cs", "centisecond"], "centisecond"),
    (&["ms", "msec", "millisecond"], "millisecond"),
    (&["\u{b5}s", "\u{3bc}s", "us", "usec", "microsecond"], "microsecond"),
    (&["ns", "nanosecond"], "nanosecond"),
    (&["ps", "picosecond"], "picosecond"),
    (&["fs", "femtosecond"], "femtosecond"),
    (&["as", "attosecond"], "attosecond"),
    (&["zs", "zeptosecond"], "zeptosecond"),
    (&["ys", "yoctosecond"], "yoctosecond"),
    (&["min", "minute", "minutes"], "minute"),
    (&["h", "hr", "hour", "hours"], "hour"),
    (&["d", "day", "days"], "day"),
    (&["das"], "second"),
];

/// A length as OME-Zarr writes it; `None` for pixels, reference frames and units nobody knows.
pub(super) fn length(value: f64, unit: &str) -> Option<(f64, String)> {
    let unit = unit.trim();
    if let Some(name) = named(&LENGTHS, unit) {
        return sane(value).map(|value| (value, name.to_owned()));
    }
    let meters = match unit {
        // A thousandth of an inch.
        "thou" => 2.54e-5,
        other => IN_METERS.iter().find(|(known, _)| *known == other)?.1,
    };
    sane(value * meters).map(|value| (value, "meter".to_owned()))
}

/// A time as OME-Zarr writes it.
pub(super) fn time(value: f64, unit: &str) -> Option<(f64, String)> {
    let unit = unit.trim();
    let value = if unit == "das" { value * 10.0 } else { value };
    named(&TIMES, unit).and_then(|name| sane(value).map(|value| (value, name.to_owned())))
}

/// A wavelength in nanometres.
pub(super) fn nanometers(value: f64, unit: &str) -> Option<f64> {
    let factor = match length(1.0, unit)?.1.as_str() {
        "nanometer" => 1.0,
        "angstrom" => 0.1,
        "picometer" => 1e-3,
        "micrometer" => 1e3,
        "millimeter" => 1e6,
        "meter" => 1e9,
        _ => return None,
    };
    sane(value * factor)
}

fn named<'a>(table: &[(&[&str], &'a str)], unit: &str) -> Option<&'a str> {
    let is = |symbols: &[&str]| symbols.contains(&unit);
    let exact = table.iter().find(|(symbols, _)| is(symbols));
    // Names, unlike symbols, are written in any case.
    let lower = unit.to_lowercase();
    let by_name = || table.iter().find(|(_, name)| lower.len() > 3 && (lower == *name || lower == format!("{name}s")));
    exact.or_else(by_name).map(|(_, name)| *name)
}

fn sane(value: f64) -> Option<f64> {
    (value.is_finite() && value > 0.0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_every_spelling_are_those_of_ome_zarr() {
        for (unit, name) in [
            ("\u{b5}m", "micrometer"),
            ("\u{3bc}m", "micrometer"),
            ("micron", "micrometer"),
            ("\\u00B5m", "micrometer"),
            ("Micrometers", "micrometer"),
            ("\u{c5}", "angstrom"),
            ("nm", "nanometer"),
            ("Mm", "megameter"),
            ("mm", "millimeter"),
            ("in", "inch"),
        ] {
            assert_eq!(length(2.0, unit), Some((2.0, name.to_owned())), "{unit}");
        }
        assert_eq!(time(3.0, "ms"), Some((3.0, "millisecond".to_owned())));
        assert_eq!(time(3.0, "das"), Some((30.0, "second".to_owned())));
        assert_eq!(length(1.0, "li"), Some((2.116_666_666_666_667e-3, "meter".to_owned())));
    }

    #[test]
    fn pixels_and_unknown_units_are_none() {
        for unit in ["pixel", "reference frame", "", "furlong", "pixels"] {
            assert_eq!(length(1.0, unit), None, "{unit}");
        }
        assert_eq!(length(f64::NAN, "um"), None);
        assert_eq!(length(0.0, "um"), None);
    }

    #[test]
    fn wavelengths_are_nanometres() {
        assert_eq!(nanometers(5080.0, "\u{c5}"), Some(508.0));
        assert_eq!(nanometers(0.5, "\u{b5}m"), Some(500.0));
        assert_eq!(nanometers(1.0, "pixel"), None);
    }
}
