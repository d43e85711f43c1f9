//! Three nodes on this machine, with sample datasets, harvesting each other: the whole journey of a dataset.

mod agreement;
mod collections;
mod nodes;
mod samples;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};

use crate::{
    commands::{Demo, until_told_to_stop},
    telemetry,
};
use nodes::Nodes;

/// Runs the demonstration.
pub(crate) async fn run(arguments: &Demo) -> Result<ExitCode> {
    telemetry::start("warn", "text");
    let folder = Folder::of(arguments)?;
    let told = until_told_to_stop()?;
    let nodes = Nodes::start(&folder.path, arguments.base_port).await?;
    let outcome = tokio::select! {
        outcome = show(arguments, &nodes, &folder) => outcome,
        () = told => Ok(ExitCode::SUCCESS),
    };
    eprintln!("stopping");
    nodes.stop().await;
    outcome
}

async fn show(arguments: &Demo, nodes: &Nodes, folder: &Folder) -> Result<ExitCode> {
    nodes.write_description(&folder.path)?;
    if !arguments.empty {
        samples::deposit(nodes, &folder.path).await.context("depositing the samples")?;
    }
    if let Some(with) = &arguments.with {
        collections::bring_in(nodes, with, &folder.path)
            .await
            .with_context(|| format!("bringing in {}", with.display()))?;
    }
    let agreed = agreement::wait(nodes).await?;
    println!("{agreed}");
    print_addresses(nodes, folder);
    if arguments.once {
        return Ok(ExitCode::SUCCESS);
    }
    println!("Ctrl-C stops the nodes.");
    std::future::pending().await
}

fn print_addresses(nodes: &Nodes, folder: &Folder) {
    println!("\nOpen:");
    for node in nodes.all() {
        println!("  {:<10} {}", node.name, node.url);
    }
    let url = &nodes.first().url;
    println!(
        "\n  search     {url}/search?q=cells\n  federation {url}/federation\n  checkpoint {url}/log/checkpoint (cosigned by the two others)\n  SPARQL     {url}/query\n  API        {url}/api/docs"
    );
    println!("\nTokens and keys: {}", folder.path.join("demo.json").display());
}

/// Where the nodes keep their data.
struct Folder {
    path: PathBuf,
    temporary: bool,
}

impl Folder {
    fn of(arguments: &Demo) -> Result<Self> {
        let (path, temporary) = match &arguments.data_dir {
            Some(path) => (path.clone(), false),
            None => (std::env::temp_dir().join(format!("heliograph-demo-{}", std::process::id())), true),
        };
        std::fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self { path, temporary })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            eprintln!("{} could not be removed: {error}", self.path.display());
        }
    }
}
