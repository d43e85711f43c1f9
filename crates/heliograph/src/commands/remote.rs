//! Commands that talk to a running node.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    arguments::{Deposit, Harvest, Import, Remote, Search},
    validate,
};
use crate::client::{Client, Plan, WebSource, escape, import};

impl Remote {
    fn client(&self) -> Result<Client> {
        Client::new(&self.node, self.token.as_deref())
    }
}

/// Uploads, validates and publishes a dataset.
pub(crate) async fn deposit(arguments: &Deposit) -> Result<ExitCode> {
    let plan = Plan {
        paths: arguments.paths.clone(),
        crate_file: arguments.crate_file.clone(),
        publish: arguments.publish,
        confirm: arguments.confirm.clone(),
        new_version_of: arguments.new_version_of.clone(),
        parallel: arguments.parallel.clamp(1, 64),
        quiet: false,
    };
    let answer = arguments.remote.client()?.deposit(&plan).await?;
    if arguments.remote.json {
        println!("{answer}");
    } else {
        let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        println!(
            "{} {} {}",
            text("state"),
            text("iri"),
            answer.get("version").map(ToString::to_string).unwrap_or_default()
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a source from here, and sends what it holds as its complete listing.
pub(crate) async fn import_source(arguments: &Import) -> Result<ExitCode> {
    let web = WebSource {
        kind: arguments.kind.clone(),
        format: arguments.format.clone(),
        set: arguments.set.clone(),
        also: arguments.also.clone(),
    };
    let report = import(&arguments.remote.client()?, &arguments.source, &arguments.name, &web).await?;
    if arguments.remote.json {
        println!("{report}");
    } else {
        println!("{report:#}");
    }
    let Some(why) = report["stopped"].as_str() else { return Ok(ExitCode::SUCCESS) };
    eprintln!("heliograph: the listing was not read to its end, so nothing was taken for gone: {why}");
    Ok(ExitCode::FAILURE)
}

/// Searches a node.
pub(crate) async fn search(arguments: &Search) -> Result<ExitCode> {
    let mut path = format!("/api/v1/search?q={}&size={}", escape(&arguments.query), arguments.size);
    for organism in &arguments.organism {
        path.push_str(&format!("&organism={}", escape(organism)));
    }
    for method in &arguments.method {
        path.push_str(&format!("&method={}", escape(method)));
    }
    let answer = arguments.remote.client()?.get(&path).await?;
    if arguments.remote.json {
        println!("{answer}");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} records", answer["total"]);
    for hit in answer["hits"].as_array().into_iter().flatten() {
        let text = |key: &str| hit[key].as_str().unwrap_or_default();
        println!("{}  [{}, {}]\n    {}", text("title"), text("node"), text("license"), text("iri"));
    }
    Ok(ExitCode::SUCCESS)
}

/// One pass over peers' logs.
pub(crate) async fn harvest(arguments: &Harvest) -> Result<ExitCode> {
    let peer = arguments.peer.as_ref().map(|peer| format!("?peer={}", escape(peer))).unwrap_or_default();
    let reports = arguments.remote.client()?.post(&format!("/api/v1/harvest{peer}"), &Value::Null).await?;
    print_list(&arguments.remote, "reports", reports);
    Ok(ExitCode::SUCCESS)
}

/// State and lag of each peer.
pub(crate) async fn peers(arguments: &Remote) -> Result<ExitCode> {
    let peers = arguments.client()?.get("/api/v1/peers").await?;
    print_list(arguments, "peers", peers);
    Ok(ExitCode::SUCCESS)
}

fn print_list(remote: &Remote, name: &str, list: Value) {
    if remote.json {
        println!("{}", json!({name: list}));
    } else {
        println!("{list:#}");
    }
}

/// Findings of a refused deposit, for people.
pub(crate) fn print_findings(value: &Value) {
    if let Ok(findings) = serde_json::from_value::<Vec<dataset_model::Finding>>(value.clone()) {
        validate::print(&findings);
    }
}
