//! Inventory sidecars (section 3.7).

use super::{faults::Faults, inventory::Checked, tree::Tree};
use crate::{error::ArchiveError, layout};

/// Checks the sidecar of the inventory in a folder (empty for the root).
pub(super) async fn check(
    tree: &Tree,
    folder: &str,
    inventory: &Checked,
    bytes: &[u8],
    faults: &mut Faults,
) -> Result<(), ArchiveError> {
    let below = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    let path = below(&inventory.sidecar_name());
    let Some(sidecar) = tree.get(&path).await? else {
        faults.add("E058", path, "the inventory has no sidecar with its digest");
        return Ok(());
    };
    let Some(recorded) = digest_in(&sidecar) else {
        faults.add("E061", path, "the sidecar is not 'DIGEST inventory.json'");
        return Ok(());
    };
    let Some(algorithm) = inventory.algorithm else { return Ok(()) };
    if !algorithm.digest(bytes).eq_ignore_ascii_case(recorded) {
        faults.add("E060", below(layout::INVENTORY), "the inventory's digest is not the one in its sidecar");
    }
    Ok(())
}

fn digest_in(sidecar: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(sidecar).ok()?;
    let (digest, name) = text.trim_end_matches('\n').split_once(|c: char| c.is_ascii_whitespace())?;
    let is_digest = !digest.is_empty() && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_digest && name.trim_start() == layout::INVENTORY).then_some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sidecar_is_a_digest_and_the_inventorys_name() {
        assert_eq!(digest_in(b"ab12 inventory.json\n"), Some("ab12"));
        assert_eq!(digest_in(b"ab12\t  inventory.json"), Some("ab12"));
        for wrong in ["ab12\n", "xyz inventory.json\n", " inventory.json\n", "ab12 other.json\n"] {
            assert_eq!(digest_in(wrong.as_bytes()), None, "{wrong:?}");
        }
    }
}
