//! Following a job to its end, however often the connection breaks.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::StreamExt;
use indicatif::ProgressBar;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::{Client, escape};

/// Times in a row that a connection may break without anything heard in between.
const TRIES: u32 = 8;
/// The longest event that is read, in bytes: a report with all its findings.
const LONGEST: usize = 64 << 20;

impl Client {
    /// Publishes a draft, showing how far the node is; gives the receipt.
    pub(crate) async fn publish(&self, deposit: &str, confirm: &[String], quiet: bool) -> Result<Value> {
        let confirm: Vec<String> = confirm.iter().map(|rule| format!("confirm={}", escape(rule))).collect();
        let path = format!("/api/v1/deposits/{}/publish?{}", escape(deposit), confirm.join("&"));
        let request = self.request(Method::POST, path.trim_end_matches('?'));
        let answer = self.send(request.header("prefer", "respond-async")).await?;
        // A node may publish at once all the same: then this is the receipt.
        if answer.get("kind").is_some() { self.follow(&answer, quiet).await } else { Ok(answer) }
    }

    /// The publication of a draft that is under way.
    pub(crate) async fn publication_under_way(&self, deposit: &str) -> Option<Value> {
        let listed = self.get(&format!("/api/v1/deposits/{}/jobs", escape(deposit))).await.ok()?;
        let jobs = listed["jobs"].as_array()?;
        let publishes = |job: &&Value| job["kind"] == "publish" && !is_final(job);
        jobs.iter().find(publishes).cloned()
    }

    /// Follows a job to its end; gives its result.
    pub(crate) async fn follow(&self, job: &Value, quiet: bool) -> Result<Value> {
        let id = job["id"].as_str().context("the node's answer names no job")?;
        let bar = super::deposit::progress("waiting", 0, quiet);
        let ended = self.to_the_end(id, &bar).await;
        bar.finish_and_clear();
        let ended = ended?;
        if ended["state"] == "done" {
            return Ok(ended["result"].clone());
        }
        if let Some(findings) = ended["problem"].get("findings") {
            crate::commands::print_findings(findings);
        }
        let detail = ended["problem"]["detail"].as_str().unwrap_or("it was cancelled");
        bail!("job {id} is {}: {detail}", ended["state"].as_str().unwrap_or("gone"))
    }

    async fn to_the_end(&self, id: &str, bar: &ProgressBar) -> Result<Value> {
        let mut tries = 0;
        loop {
            let path = format!("/api/v1/jobs/{}", escape(id));
            let outcome = match self.request(Method::GET, &path).header("accept", "text/event-stream").send().await {
                Ok(response) if response.status().is_success() => listen(response, bar, &mut tries).await,
                Ok(response) if response.status().is_client_error() => return super::read_answer(response).await,
                Ok(response) => Err(anyhow::anyhow!("the node answers {}", response.status())),
                Err(error) => Err(error.into()),
            };
            match outcome {
                Ok(Some(ended)) => return Ok(ended),
                Ok(None) | Err(_) if tries < TRIES => {}
                Ok(None) => {
                    bail!("the node breaks off again and again; the job goes on, run the command again to follow it")
                }
                Err(error) => {
                    return Err(error.context("the job goes on without us; run the command again to follow it"));
                }
            }
            tries += 1;
            tokio::time::sleep(Duration::from_millis(100 << tries)).await;
        }
    }
}

/// Shows what a stream of events says; gives the job in its final state, or nothing when the stream ends before that.
async fn listen(response: Response, bar: &ProgressBar, tries: &mut u32) -> Result<Option<Value>> {
    let mut bytes = response.bytes_stream();
    let mut held = Vec::new();
    while let Some(piece) = bytes.next().await {
        held.extend_from_slice(&piece?);
        while let Some(job) = next_event(&mut held) {
            *tries = 0;
            show(&job, bar);
            if is_final(&job) {
                return Ok(Some(job));
            }
        }
        if held.len() > LONGEST {
            bail!("the node sends an event without end");
        }
    }
    Ok(None)
}

/// Takes the next whole event off the front; signs of life are passed over.
fn next_event(held: &mut Vec<u8>) -> Option<Value> {
    while let Some(end) = held.windows(2).position(|pair| pair == b"\n\n") {
        let event: Vec<u8> = held.drain(..end + 2).collect();
        let event = String::from_utf8_lossy(&event).into_owned();
        let data: Vec<&str> = event.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim).collect();
        if !data.is_empty() {
            return Some(serde_json::from_str(&data.join("\n")).unwrap_or(json!({})));
        }
    }
    None
}

fn show(job: &Value, bar: &ProgressBar) {
    let progress = &job["progress"];
    let what = progress["what"].as_str().filter(|what| !what.is_empty()).unwrap_or("waiting for its turn");
    bar.set_message(what.to_owned());
    bar.set_length(progress["total"].as_u64().unwrap_or(0));
    bar.set_position(progress["done"].as_u64().unwrap_or(0));
}

fn is_final(job: &Value) -> bool {
    matches!(job["state"].as_str(), Some("done" | "failed" | "cancelled"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_whole_however_they_are_cut() {
        let stream =
            ": alive\n\nevent: progress\ndata: {\"state\":\"running\"}\n\nevent: end\ndata: {\"state\":\"done\"}\n\n";
        for size in [1, 7, 1000] {
            let (mut held, mut seen) = (Vec::new(), Vec::new());
            for piece in stream.as_bytes().chunks(size) {
                held.extend_from_slice(piece);
                while let Some(job) = next_event(&mut held) {
                    seen.push(job["state"].clone());
                }
            }
            assert_eq!(seen, ["running", "done"]);
        }
    }
}
