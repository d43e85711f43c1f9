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
    /// A client of that node.
    pub(crate) fn client(&self) -> Result<Client> {
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
    let (query, scope) = (escape(&arguments.query), &arguments.scope);
    // They are in the JSON alone.
    let facets = if arguments.remote.json { "all" } else { "none" };
    let mut path = format!("/api/v1/search?q={query}&size={}&scope={scope}&facets={facets}", arguments.size);
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
        let unverified = if hit["verified"] == false { ", not verified yet" } else { "" };
        println!("{}  [{}, {}{unverified}]\n    {}", text("title"), text("node"), text("license"), text("iri"));
    }
    for source in answer["sources"].as_array().into_iter().flatten() {
        if let (Some(node), Some(why)) = (source["node"].as_str(), source["why"].as_str()) {
            match source["checked"].as_str().filter(|_| source["status"] == "mirror") {
                Some(checked) => eprintln!("{node}: answered from the copy of {checked} ({why})"),
                None => eprintln!("{node}: no answer ({why})"),
            }
        }
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

/// Reads everything that a node stores, and heals what is wrong.
pub(crate) async fn scrub(arguments: &Remote) -> Result<ExitCode> {
    let report = arguments.client()?.post("/api/v1/scrub", &Value::Null).await?;
    let damaged = report["damaged"].as_array().map_or(0, Vec::len) as u64;
    if arguments.json {
        println!("{report}");
    } else {
        println!(
            "read {} files, {} bytes; {damaged} damaged, {} healed",
            report["files"], report["bytes"], report["healed"]
        );
        for damage in report["damaged"].as_array().into_iter().flatten() {
            let text = |key: &str| damage[key].as_str().unwrap_or_default();
            let end = match damage["healed_from"].as_str() {
                Some(source) => format!("healed from {source}"),
                None => format!("not healed: {}", text("not_healed")),
            };
            println!("{} v{} '{}': {}; {end}", text("id"), damage["version"], text("path"), text("what"));
        }
    }
    Ok(if report["healed"] == damaged { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A list: for people, or as one JSON object.
pub(crate) fn print_list(remote: &Remote, name: &str, list: Value) {
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
