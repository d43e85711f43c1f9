use std::str::FromStr;

use crate::{describe::hex_color, error::OmeZarrError};

/// A channel that somebody wants to see, in their own colour and window where they name one.
///
/// Written `INDEX[:START-END][:RRGGBB]`, such as `0`, `1:100-2000` or `2:0-1:FF00FF`.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelChoice {
    /// Its place along the axis of channels.
    pub index: u64,
    /// The intensities shown as black and as full colour.
    pub window: Option<(f64, f64)>,
    /// Six upper-case hexadecimal digits.
    pub color: Option<String>,
}

impl FromStr for ChannelChoice {
    type Err = OmeZarrError;

    fn from_str(text: &str) -> Result<Self, OmeZarrError> {
        let wrong = || {
            let shown: String = text.chars().take(40).collect();
            OmeZarrError::request(format!("c={shown}: write channels as 0,2 or 0:100-2000:FF00FF"))
        };
        let mut parts = text.split(':');
        let index = parts.next().and_then(|index| index.parse().ok()).ok_or_else(wrong)?;
        let mut choice = Self { index, window: None, color: None };
        for part in parts {
            match (window(part), hex_color(part)) {
                (Some(window), _) if choice.window.is_none() && choice.color.is_none() => choice.window = Some(window),
                (None, Some(color)) if choice.color.is_none() => choice.color = Some(color),
                _ => return Err(wrong()),
            }
        }
        Ok(choice)
    }
}

impl std::fmt::Display for ChannelChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.index)?;
        if let Some((start, end)) = self.window {
            write!(f, ":{start}-{end}")?;
        }
        match &self.color {
            Some(color) => write!(f, ":{color}"),
            None => Ok(()),
        }
    }
}

/// Two numbers with `-` between them; either may be negative.
fn window(text: &str) -> Option<(f64, f64)> {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    let cut = |(at, _): (usize, &str)| Some((number(text.get(..at)?)?, number(text.get(at + 1..)?)?));
    text.match_indices('-').find_map(cut).filter(|(start, end)| end > start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_written_with_an_index_a_window_and_a_colour() {
        for text in ["0", "2:100-2000", "1:FF00FF", "0:-5--1.5:00FF00", "3:0.00001-2"] {
            let choice: ChannelChoice = text.parse().unwrap();
            assert_eq!(choice.to_string().parse::<ChannelChoice>().unwrap(), choice, "{text}");
        }
        assert_eq!("1:1e-5-2e-5".parse::<ChannelChoice>().unwrap().window, Some((1e-5, 2e-5)));
        assert_eq!("0:-5--1.5".parse::<ChannelChoice>().unwrap().window, Some((-5.0, -1.5)));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "x", "-1", "0:", "0:5-1", "0:1-1", "0:inf-1", "0:nan-nan", "0:FF00FF:1-2", "0:1-2:3-4", "0:red"]
        {
            assert!(text.parse::<ChannelChoice>().is_err(), "{text}");
        }
    }
}
