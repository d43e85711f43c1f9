//! Who may do what. Every use case asks here, with the actor; no other place decides.

use dataset_model::Access;

use crate::{Actor, NodeError, Scope};

/// Fails unless the actor holds the scope (`admin` holds all; `curate` includes `deposit` and `harvest`).
pub(crate) fn require(actor: &Actor, scope: Scope) -> Result<(), NodeError> {
    match actor {
        Actor::Anonymous => Err(NodeError::Unauthenticated),
        Actor::Operator => Ok(()),
        Actor::Token { scopes, .. } if scopes.iter().any(|held| includes(*held, scope)) => Ok(()),
        Actor::Token { .. } => Err(NodeError::Forbidden(format!(
            "this token does not allow it: a token with scope '{}' is needed",
            name(scope)
        ))),
    }
}

/// Fails unless the actor may work on what `owner` made.
pub(crate) fn require_owner(actor: &Actor, owner: &str) -> Result<(), NodeError> {
    require(actor, Scope::Deposit)?;
    if actor.owner() == owner { Ok(()) } else { require(actor, Scope::Curate) }
}

/// Fails unless the actor may read something with this access; the failure looks like absence.
pub(crate) fn require_read(actor: &Actor, access: Access, absent: impl FnOnce() -> NodeError) -> Result<(), NodeError> {
    if may_read(actor, access) { Ok(()) } else { Err(absent()) }
}

/// Whether the actor may read something with this access.
pub(crate) fn may_read(actor: &Actor, access: Access) -> bool {
    match access {
        Access::Open | Access::MetadataOnly => true,
        Access::Restricted => require(actor, Scope::Curate).is_ok(),
    }
}

/// Whether the bytes of something with this access may be copied to another node, and served there. What is not open travels
/// only where a grant says so, and there are no grants yet.
pub(crate) fn may_copy(access: Access) -> bool {
    access == Access::Open
}

/// The access levels the actor may see: what searches, counts, feeds and exports are restricted to.
pub(crate) fn visible(actor: &Actor) -> Vec<Access> {
    let levels = [Access::Open, Access::MetadataOnly, Access::Restricted];
    levels.into_iter().filter(|access| may_read(actor, *access)).collect()
}

fn includes(held: Scope, wanted: Scope) -> bool {
    match held {
        Scope::Admin => true,
        Scope::Curate => wanted != Scope::Admin,
        Scope::Deposit | Scope::Harvest => held == wanted,
    }
}

fn name(scope: Scope) -> &'static str {
    match scope {
        Scope::Deposit => "deposit",
        Scope::Curate => "curate",
        Scope::Admin => "admin",
        Scope::Harvest => "harvest",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(scopes: &[Scope]) -> Actor {
        Actor::Token { id: "t".into(), scopes: scopes.to_vec() }
    }

    #[test]
    fn scopes_include_what_they_should_and_no_more() {
        assert!(matches!(require(&Actor::Anonymous, Scope::Deposit), Err(NodeError::Unauthenticated)));
        assert!(require(&token(&[Scope::Deposit]), Scope::Deposit).is_ok());
        assert!(require(&token(&[Scope::Deposit]), Scope::Curate).is_err());
        assert!(require(&token(&[Scope::Curate]), Scope::Harvest).is_ok());
        assert!(require(&token(&[Scope::Curate]), Scope::Admin).is_err());
        assert!(require(&token(&[Scope::Harvest]), Scope::Deposit).is_err());
        assert!(require(&token(&[Scope::Admin]), Scope::Admin).is_ok());
    }

    #[test]
    fn a_depositor_works_on_own_deposits_only() {
        assert!(require_owner(&token(&[Scope::Deposit]), "t").is_ok());
        assert!(require_owner(&token(&[Scope::Deposit]), "someone").is_err());
        assert!(require_owner(&token(&[Scope::Curate]), "someone").is_ok());
    }

    #[test]
    fn only_open_bytes_travel() {
        let levels = [Access::Open, Access::MetadataOnly, Access::Restricted];
        assert_eq!(levels.map(may_copy), [true, false, false]);
    }

    #[test]
    fn restricted_records_are_invisible_to_the_public() {
        assert!(!visible(&Actor::Anonymous).contains(&Access::Restricted));
    }
}
