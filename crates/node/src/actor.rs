use serde::{Deserialize, Serialize};

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Create, fill and publish own deposits.
    Deposit,
    /// Work on anyone's deposits, withdraw, import catalogue records.
    Curate,
    /// Everything, tokens included.
    Admin,
    /// Ask for a harvest.
    Harvest,
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "deposit" => Ok(Self::Deposit),
            "curate" => Ok(Self::Curate),
            "admin" => Ok(Self::Admin),
            "harvest" => Ok(Self::Harvest),
            other => Err(format!("'{other}' is no scope: use deposit, curate, admin or harvest")),
        }
    }
}

/// Who asks. Every read and every write passes the policy with one of these.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Actor {
    /// Somebody who did not say.
    #[default]
    Anonymous,
    /// The holder of a token.
    Token {
        /// The token's public id.
        id: String,
        /// What it allows.
        scopes: Vec<Scope>,
    },
    /// The program itself: commands run beside the data folder.
    Operator,
}

impl Actor {
    /// The name recorded as owner of what the actor makes.
    pub(crate) fn owner(&self) -> &str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Token { id, .. } => id,
            Self::Operator => "operator",
        }
    }
}
