use dataset_model::DatasetId;

use crate::{Node, NodeError};

/// Crockford's base 32: no letters that look like digits.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl Node {
    /// A new dataset id: the node's name and eight random characters, never given before.
    pub(crate) fn mint_id(&self) -> Result<DatasetId, NodeError> {
        loop {
            let random: String =
                rand::random::<[u8; 8]>().iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
            let id: DatasetId = format!("{}-{random}", self.config.id)
                .parse()
                .map_err(|error| NodeError::Internal(format!("minting an id: {error}")))?;
            if self.ledger.head(&self.config.id, &id)?.is_none() && self.drafts().get(id.as_str())?.is_none() {
                return Ok(id);
            }
        }
    }
}

/// Turns an accession or any other text into the local part of a dataset id; never empty.
pub(crate) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.trim().chars().take(80) {
        let c = if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '-' };
        if !(matches!(c, '-' | '.') && slug.ends_with(c)) {
            slug.push(c);
        }
    }
    let slug = slug.trim_matches(['-', '.']);
    if slug.is_empty() { "record".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_becomes_part_of_an_id() {
        for (text, expected) in [
            ("S-BIAD1002", "S-BIAD1002"),
            ("1-Bao-WormEmbryo", "1-Bao-WormEmbryo"),
            ("10.1038/s41592..x y", "10.1038-s41592.x-y"),
            ("細胞", "record"),
            ("../..", "record"),
        ] {
            assert_eq!(slug(text), expected);
            assert!(format!("idr.{}", slug(text)).parse::<DatasetId>().is_ok());
        }
    }
}
