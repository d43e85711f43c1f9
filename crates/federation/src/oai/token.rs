use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use dataset_model::Timestamp;

use super::{OaiCode, OaiError, Selection};

/// How far a listing has come: what a resumption token holds beside the selection.
///
/// The listing is of the log as it was at `size`, so that writes in between neither repeat nor skip anything; what came later
/// is the next harvest's. Nothing is kept at the node: a token holds for as long as the log does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Entries of the log when the listing began.
    pub size: u64,
    /// The entry to go on with.
    pub next: u64,
    /// Records given so far.
    pub delivered: u64,
}

/// A selection on its way, written `size.next.delivered.prefix.from.until.set`.
pub(super) struct Token<'a>(pub(super) &'a Selection);

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Selection { prefix, from, until, set, position } = self.0;
        let Position { size, next, delivered } = position.unwrap_or(Position { size: 0, next: 0, delivered: 0 });
        let text = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let moment = |moment: &Option<Timestamp>| moment.map(|moment| moment.unix_seconds().to_string());
        let (from, until) = (moment(from).unwrap_or_default(), moment(until).unwrap_or_default());
        let set = set.as_deref().map(text).unwrap_or_default();
        write!(f, "{size}.{next}.{delivered}.{}.{from}.{until}.{set}", text(prefix))
    }
}

/// Reads a token.
pub(super) fn read(token: &str) -> Result<Selection, OaiError> {
    parts(token).ok_or_else(|| {
        OaiError::new(
            OaiCode::BadResumptionToken,
            "This resumption token is none of ours; begin the listing again without it.",
        )
    })
}

fn parts(token: &str) -> Option<Selection> {
    let parts: Vec<&str> = token.split('.').collect();
    let &[size, next, delivered, prefix, from, until, set] = parts.as_slice() else { return None };
    let text = |encoded: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).ok()?).ok();
    let moment = |seconds: &str| {
        if seconds.is_empty() { Some(None) } else { Some(Some(Timestamp::from_unix_seconds(seconds.parse().ok()?)?)) }
    };
    let position = Position { size: number(size)?, next: number(next)?, delivered: number(delivered)? };
    if position.next >= position.size {
        return None;
    }
    Some(Selection {
        prefix: text(prefix)?,
        from: moment(from)?,
        until: moment(until)?,
        set: if set.is_empty() { None } else { Some(text(set)?) },
        position: Some(position),
    })
}

fn number(text: &str) -> Option<u64> {
    u64::from_str(text).ok().filter(|number| number.to_string() == text)
}
