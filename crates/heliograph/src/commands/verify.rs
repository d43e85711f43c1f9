//! Audits: of a node from outside, or of a stopped node's own data.

use std::process::ExitCode;

use anyhow::{Context, Result};
use federation::{Audit, AuditedFiles, FederationError, Limits, PeerClient, PublicKey, Puller};
use node::Node;
use serde_json::{Value, json};

use super::arguments::Verify;
use crate::Config;

pub(crate) async fn verify(arguments: &Verify) -> Result<ExitCode> {
    let (report, trust) = match (&arguments.node, &arguments.config) {
        (_, Some(config)) => {
            let config = Config::load(Some(config))?.to_node()?;
            (json!(Node::verify(config, tell).await?), None)
        }
        (Some(url), None) => from_outside(arguments, url).await?,
        (None, None) => anyhow::bail!("name a node with --node, or the configuration of a stopped one with --config"),
    };
    print(&report, trust.as_deref(), arguments.json);
    Ok(if report["valid"] == true { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Audits a remote node; says also which key it was checked against, and why.
async fn from_outside(arguments: &Verify, url: &str) -> Result<(Value, Option<String>)> {
    let limits = Limits { private_addresses: true, ..Limits::default() };
    let client = PeerClient::new(url.parse().with_context(|| format!("'{url}' is no address"))?, limits)?;
    let (key, trust) = match &arguments.key {
        Some(key) => key_since(&client, key.parse()?).await,
        None => {
            let key = client.description().await?.public_key;
            (key.parse()?, format!("the key that {url} tells of itself: compare it with its operator"))
        }
    };
    let files = match (arguments.bytes, arguments.sample) {
        (true, _) => AuditedFiles::All,
        (false, Some(count)) => AuditedFiles::Sample(count),
        (false, None) => AuditedFiles::None,
    };
    let report = Audit::new(&client, key.clone(), tell)?.run(files).await;
    let mut report = json!(report);
    report["key"] = json!(key.to_string());
    report["trust"] = json!(trust);
    Ok((report, Some(trust)))
}

/// The key by which a log is signed now, as the key given leads to it; why it is believed.
async fn key_since(client: &PeerClient, given: PublicKey) -> (PublicKey, String) {
    let why = "the key given".to_owned();
    let address = client.base().parse().map_err(|_| FederationError::BadSignature);
    let puller = address.and_then(|base| Puller::new(base, given.clone(), client.limits().clone()));
    let led = match puller {
        Ok(puller) => puller.checkpoint_by_any_key().await,
        Err(error) => Err(error),
    };
    match led {
        Ok((_, keys)) if !keys.changes().is_empty() => {
            let why =
                format!("{why}, and the {} that followed it, each signed by the one before", keys.changes().len());
            (keys.current().clone(), why)
        }
        Ok(_) => (given, why),
        // The audit finds the same, and names it.
        Err(FederationError::BadSignature) => (given, format!("{why}, from which no change of key leads on")),
        Err(error) => (given, format!("{why}; its changes cannot be followed: {error}")),
    }
}

/// What is being checked, for who watches.
fn tell(what: &str) {
    eprintln!("checking: {what}");
}

fn print(report: &Value, trust: Option<&str>, as_json: bool) {
    for finding in report["findings"].as_array().into_iter().flatten() {
        println!("{}: {}", finding["where"].as_str().unwrap_or_default(), finding["what"].as_str().unwrap_or_default());
    }
    if let Some(trust) = trust {
        println!("checked against {trust}");
    }
    if as_json {
        println!("{report}");
        return;
    }
    let counts = report.as_object().into_iter().flatten().filter(|(_, value)| value.is_u64());
    let counts: Vec<String> = counts.map(|(name, value)| format!("{name} {value}")).collect();
    println!(
        "{}: {}",
        if report["valid"] == true { "all of it holds" } else { "not all of it holds" },
        counts.join(", ")
    );
}
