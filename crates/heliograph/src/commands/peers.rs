//! The peers of a running node: their state, adding and removing them.

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

use anyhow::{Result, bail};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    arguments::{MirrorLimits, Peers, PeersCommand, Remote},
    remote::print_list,
};
use crate::client::escape;

/// State and lag of each peer, or a change of peers.
pub(crate) async fn peers(arguments: &Peers) -> Result<ExitCode> {
    let remote = &arguments.remote;
    match &arguments.command {
        None => print_list(remote, "peers", remote.client()?.get("/api/v1/peers").await?),
        Some(PeersCommand::Add { url, key, yes, mirror, limits }) => {
            let copies = copies(mirror.as_deref(), limits)?;
            add(remote, url, key.as_deref(), (*yes, copies)).await?;
        }
        Some(PeersCommand::Mirror { name, mirror, limits }) => {
            let copies = copies(Some(mirror), limits)?;
            let request = remote.client()?;
            let request =
                request.send(request.request(Method::PATCH, &format!("/api/v1/peers/{}", escape(name))).json(&copies));
            request.await?;
            say(remote, &copies, &format!("of '{name}' this is copied from now on: {}", copies["mirror"]));
        }
        Some(PeersCommand::Remove { name }) => {
            remote.client()?.delete(&format!("/api/v1/peers/{}", escape(name))).await?;
            say(
                remote,
                &json!({"removed": name}),
                &format!("'{name}' is not followed any more; what is held of it stays"),
            );
        }
        Some(PeersCommand::Forgive { name, note }) => {
            let path = format!("/api/v1/peers/{}/forgive", escape(name));
            remote.client()?.post(&path, &json!({"note": note})).await?;
            say(remote, &json!({"forgiven": name}), &format!("'{name}' is read again"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is copied, as the API reads it.
fn copies(mirror: Option<&str>, limits: &MirrorLimits) -> Result<Value> {
    let &MirrorLimits { max_dataset_bytes, max_total_bytes, bytes_per_second } = limits;
    let limited = max_dataset_bytes.is_some() || max_total_bytes.is_some();
    let query = match mirror {
        Some("none") | None if limited || (mirror.is_none() && bytes_per_second.is_some()) => {
            bail!("how much is copied at most says nothing unless something is copied: give 'all' or a search as well")
        }
        None => return Ok(json!({})),
        Some("none") => return Ok(json!({"mirror": "none"})),
        Some("all") if !limited => return Ok(json!({"mirror": "all", "mirror_bytes_per_second": bytes_per_second})),
        Some("all") => None,
        Some(search) if search.contains('=') => Some(search),
        Some(other) => bail!("'{other}' is none of none, all, and a search such as 'q=zebrafish'"),
    };
    let wanted = json!({"query": query, "max_dataset_bytes": max_dataset_bytes, "max_total_bytes": max_total_bytes});
    Ok(json!({"mirror": wanted, "mirror_bytes_per_second": bytes_per_second}))
}

/// Shows who a node is, and follows it once its key was agreed to.
async fn add(remote: &Remote, url: &str, key: Option<&str>, (yes, copies): (bool, Value)) -> Result<()> {
    let client = remote.client()?;
    let offer = client.post("/api/v1/peers", &json!({"url": url})).await?;
    if !remote.json {
        show(&offer);
    }
    let presented = text(&offer, "public_key");
    let pinned = match key {
        Some(key) => key,
        None if yes => presented,
        None if !remote.json && std::io::stdin().is_terminal() => {
            if !agreed("Is this the fingerprint its operator told you? [y/N] ")? {
                bail!("nothing was pinned");
            }
            presented
        }
        None => bail!("give --key with the key its operator told you, or --yes to pin the key it presents"),
    };
    let mut wanted = copies;
    (wanted["url"], wanted["public_key"]) = (json!(url), json!(pinned));
    let followed = client.post("/api/v1/peers", &wanted).await?;
    say(remote, &followed, &format!("following '{}'", text(&followed, "id")));
    if !remote.json {
        suggest(&followed);
    }
    Ok(())
}

fn show(offer: &Value) {
    let (title, id, url) = (text(offer, "title"), text(offer, "id"), text(offer, "url"));
    println!("{title} ('{id}') at {url}");
    if text(offer, "public_url") != url {
        println!("  calls itself  {}", text(offer, "public_url"));
    }
    println!("  entries       {}", offer["log_size"]);
    println!("  public key    {}", text(offer, "public_key"));
    println!("  fingerprint   {}", text(offer, "fingerprint"));
}

fn suggest(followed: &Value) {
    let suggestions = followed["suggestions"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !suggestions.is_empty() {
        println!("Also in this federation, as '{}' says:", text(followed, "id"));
    }
    for other in suggestions {
        let (id, url, key) = (text(other, "id"), text(other, "url"), text(other, "public_key"));
        println!("  {id}  {url}  {}\n    add with: heliograph peers add {url} --key {key}", text(other, "fingerprint"));
    }
}

fn agreed(question: &str) -> Result<bool> {
    print!("{question}");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn say(remote: &Remote, answer: &Value, sentence: &str) {
    if remote.json { println!("{answer}") } else { println!("{sentence}") }
}

/// A text of an answer, fit for a terminal: what a stranger's node says must not steer it.
fn text<'a>(answer: &'a Value, key: &str) -> &'a str {
    let text = answer[key].as_str().unwrap_or_default();
    if text.chars().any(char::is_control) { "(unprintable)" } else { text }
}
