//! Commands beside the data folder of a node that is not running.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Result;
use node::{Actor, Node};
use serde_json::{Value, json};

use super::arguments::{ConfigCommand, ConfigFile, Keygen, TokenCommand, TokenPlace};
use crate::{Config, client::Client, query_workers};

/// Makes search and RDF again from the ledger.
pub(crate) async fn rebuild(arguments: &ConfigFile) -> Result<ExitCode> {
    let config = Config::load(arguments.config.as_deref())?;
    let report = Node::rebuild(config.to_node()?).await?;
    if arguments.json {
        println!("{}", json!(report));
    } else {
        println!(
            "applied {} entries to search and {} to RDF: {} records",
            report.searchable, report.queryable, report.records
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the configuration and says what is wrong with it.
pub(crate) fn config(command: ConfigCommand) -> Result<ExitCode> {
    let ConfigCommand::Check(arguments) = command;
    let config = Config::load(arguments.config.as_deref())?;
    let node = config.to_node()?;
    for peer in &node.peers {
        node::check_public_key(&peer.public_key)
            .map_err(|error| anyhow::anyhow!("public key of peer '{}': {error}", peer.id))?;
    }
    config.to_foreign()?;
    let view = json!({
        "id": node.id, "public_url": node.public_url, "listen": config.server.listen.to_string(),
        "data_dir": node.data_dir, "archive": config.storage.archive, "peers": node.peers.len(),
    });
    if arguments.json {
        println!("{view}");
    } else {
        println!("the configuration is valid:\n{view:#}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes a signing key, or changes the one of a node.
pub(crate) async fn keygen(arguments: &Keygen) -> Result<ExitCode> {
    let Some(origin) = &arguments.origin else { return rotate(&arguments.place).await };
    let (secret, public) = node::generate_key(origin);
    println!("secret (put it into data_dir/keys/node.key, readable by the node only):\n{secret}\npublic:\n{public}");
    Ok(ExitCode::SUCCESS)
}

/// Gives a node that is not running a new key.
async fn rotate(place: &ConfigFile) -> Result<ExitCode> {
    let node: Arc<Node> = Node::open(Config::load(place.config.as_deref())?.to_node()?).await?;
    let rotation = node.rotate_key(&Actor::Operator)?;
    if place.json {
        println!("{}", json!(rotation));
    } else {
        println!(
            "the log goes on under a new key after {} entries; peers follow it by themselves:\n{}\nfingerprint {}",
            rotation.size, rotation.to, rotation.fingerprint
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes, lists and revokes tokens: of a running node over HTTP, of a stopped one in its data folder.
pub(crate) async fn token(command: TokenCommand) -> Result<ExitCode> {
    let place = match &command {
        TokenCommand::Create { place, .. } | TokenCommand::List { place } | TokenCommand::Revoke { place, .. } => place,
    };
    let answer = match &place.config {
        Some(config) => in_data_folder(config, &command).await?,
        None => over_http(place, &command).await?,
    };
    if place.remote.json {
        println!("{answer}")
    } else {
        println!("{answer:#}")
    }
    Ok(ExitCode::SUCCESS)
}

async fn in_data_folder(config: &Path, command: &TokenCommand) -> Result<Value> {
    let node: Arc<Node> = Node::open(Config::load(Some(config))?.to_node()?).await?;
    Ok(match command {
        TokenCommand::Create { scopes, label, .. } => json!(node.create_token(&Actor::Operator, label, scopes)?),
        TokenCommand::List { .. } => json!(node.list_tokens(&Actor::Operator)?),
        TokenCommand::Revoke { id, .. } => {
            node.revoke_token(&Actor::Operator, id)?;
            json!({"revoked": id})
        }
    })
}

async fn over_http(place: &TokenPlace, command: &TokenCommand) -> Result<Value> {
    let client = Client::new(&place.remote.node, place.remote.token.as_deref())?;
    match command {
        TokenCommand::Create { scopes, label, .. } => {
            client.post("/api/v1/tokens", &json!({"label": label, "scopes": scopes})).await
        }
        TokenCommand::List { .. } => client.get("/api/v1/tokens").await,
        TokenCommand::Revoke { id, .. } => {
            client.delete(&format!("/api/v1/tokens/{id}")).await?;
            Ok(json!({"revoked": id}))
        }
    }
}

/// Answers SPARQL queries on the store in a folder, as standard input brings them.
pub(crate) async fn sparql_worker(store: PathBuf) -> Result<ExitCode> {
    tokio::task::spawn_blocking(move || query_workers::serve(&store)).await??;
    Ok(ExitCode::SUCCESS)
}
