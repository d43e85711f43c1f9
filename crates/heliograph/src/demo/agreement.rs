use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::nodes::{DemoNode, Nodes};

/// How long the catalogues may go without getting closer before the demonstration gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until every node's search has every entry of every node, and all give the same answer.
pub(crate) async fn wait(nodes: &Nodes) -> Result<String> {
    let (mut last, mut since) = (String::new(), Instant::now());
    loop {
        let state = compare(nodes).await?;
        match state {
            Ok(agreed) => return Ok(agreed),
            Err(difference) if difference == last && since.elapsed() > PATIENCE => {
                bail!("the three catalogues do not agree: {difference}");
            }
            Err(difference) if difference != last => (last, since) = (difference, Instant::now()),
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The common answer, or what differs.
async fn compare(nodes: &Nodes) -> Result<Result<String, String>> {
    let sizes: Vec<(&str, u64)> =
        nodes.all().iter().map(|node| Ok((node.name, node.log_size()?))).collect::<Result<_>>()?;
    let mut first: Option<(&DemoNode, Value)> = None;
    for node in nodes.all() {
        let answer = node.client(&node.admin_token)?.get("/api/v1/search?size=200&sort=title").await?;
        for (name, size) in &sizes {
            let applied = applied(&answer, name);
            if applied != *size {
                return Ok(Err(format!("{} has {applied} of {size} entries of {name}", node.name)));
            }
        }
        let catalogue = catalogue(&answer);
        match &first {
            None => first = Some((node, catalogue)),
            Some((other, theirs)) if *theirs != catalogue => {
                return Ok(Err(format!("{} and {} give different answers to the same search", other.name, node.name)));
            }
            Some(_) => {}
        }
    }
    let total = first.map(|(_, catalogue)| catalogue["total"].clone()).unwrap_or_default();
    let per_node: Vec<String> = sizes.iter().map(|(name, size)| format!("{name} {size}")).collect();
    Ok(Ok(format!("All three catalogues agree: {total} records; log entries: {}.", per_node.join(", "))))
}

fn applied(answer: &Value, node: &str) -> u64 {
    let sources = answer["sources"].as_array().into_iter().flatten();
    sources.filter(|source| source["node"] == node).find_map(|source| source["as_of"].as_u64()).unwrap_or(0)
}

/// What must be the same on every node: the number of records, of each node and kind, and the first of them.
fn catalogue(answer: &Value) -> Value {
    let ids: Vec<&Value> = answer["hits"].as_array().into_iter().flatten().map(|hit| &hit["iri"]).collect();
    // Records spell one name in several ways; which of them a facet shows is no part of the catalogue.
    let mut facets = answer["facets"].clone();
    let values = facets.as_object_mut().into_iter().flat_map(|facets| facets.values_mut());
    for value in values.filter_map(Value::as_array_mut) {
        value.iter_mut().filter_map(Value::as_object_mut).for_each(|value| drop(value.remove("label")));
        value.sort_by_key(|value| value["value"].to_string());
    }
    json!({"total": answer["total"], "facets": facets, "ids": ids})
}
