use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use dataset_model::{Digest, Timestamp};
use ledger::Collection;
use serde::{Deserialize, Serialize};

use crate::{Actor, Node, NodeError, Scope, policy};

/// A token as stored: by the digest of its text, so that a copy of the disk gives no access.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredToken {
    id: String,
    label: String,
    scopes: Vec<Scope>,
    created: Timestamp,
    revoked: Option<Timestamp>,
}

/// A token as its maker sees it, once.
#[derive(Debug, Clone, Serialize)]
pub struct NewToken {
    /// Public id, for listing and revoking.
    pub id: String,
    /// The secret text; it cannot be shown again.
    pub token: String,
}

/// A token as listed.
#[derive(Debug, Clone, Serialize)]
pub struct TokenView {
    /// Public id.
    pub id: String,
    /// What it is for, in its maker's words.
    pub label: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

impl Node {
    fn tokens(&self) -> Collection<StoredToken> {
        self.ledger.collection("tokens")
    }

    /// Makes a token.
    ///
    /// # Errors
    /// Unless the actor is an administrator; when no scope is asked for.
    pub fn create_token(&self, actor: &Actor, label: &str, scopes: &[Scope]) -> Result<NewToken, NodeError> {
        policy::require(actor, Scope::Admin)?;
        if scopes.is_empty() {
            return Err(NodeError::Invalid("a token needs at least one scope".into()));
        }
        let token = format!("hg_{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
        let digest = Digest::of(&token).to_string();
        let id = digest.chars().take(12).collect::<String>();
        let stored = StoredToken {
            id: id.clone(),
            label: label.to_owned(),
            scopes: scopes.to_vec(),
            created: Timestamp::now(),
            revoked: None,
        };
        self.ledger.write(vec![self.tokens().put(&digest, &stored)?])?;
        Ok(NewToken { id, token })
    }

    /// All tokens, without their secrets.
    ///
    /// # Errors
    /// Unless the actor is an administrator.
    pub fn list_tokens(&self, actor: &Actor) -> Result<Vec<TokenView>, NodeError> {
        policy::require(actor, Scope::Admin)?;
        let mut views = Vec::new();
        for row in self.tokens().iter_prefix("") {
            let StoredToken { id, label, scopes, created, revoked } = row?.1;
            views.push(TokenView { id, label, scopes, created, revoked });
        }
        views.sort_by_key(|view| view.created);
        Ok(views)
    }

    /// Ends a token's life.
    ///
    /// # Errors
    /// Unless the actor is an administrator; when there is no such token.
    pub fn revoke_token(&self, actor: &Actor, id: &str) -> Result<(), NodeError> {
        policy::require(actor, Scope::Admin)?;
        for row in self.tokens().iter_prefix(id) {
            let (key, mut stored) = row?;
            if stored.id == id {
                stored.revoked = Some(Timestamp::now());
                self.ledger.write(vec![self.tokens().put(&key, &stored)?])?;
                return Ok(());
            }
        }
        Err(NodeError::NotFound(format!("there is no token '{id}'")))
    }

    /// Who holds this token.
    ///
    /// # Errors
    /// When the token is unknown or was revoked.
    pub fn authenticate(&self, token: &str) -> Result<Actor, NodeError> {
        let stored = self.tokens().get(&Digest::of(token).to_string())?;
        match stored.filter(|stored| stored.revoked.is_none()) {
            Some(stored) => Ok(Actor::Token { id: stored.id, scopes: stored.scopes }),
            None => Err(NodeError::Unauthenticated),
        }
    }

    /// Whether any token was ever made: a fresh node makes its administrator's.
    pub fn has_tokens(&self) -> Result<bool, NodeError> {
        Ok(self.tokens().iter_prefix("").next().transpose()?.is_some())
    }
}
