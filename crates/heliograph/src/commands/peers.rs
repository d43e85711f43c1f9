//! The peers of a running node: their state, adding and removing them.

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::{
    arguments::{Peers, PeersCommand, Remote},
    remote::print_list,
};
use crate::client::escape;

/// State and lag of each peer, or a change of peers.
pub(crate) async fn peers(arguments: &Peers) -> Result<ExitCode> {
    let remote = &arguments.remote;
    match &arguments.command {
        None => print_list(remote, "peers", remote.client()?.get("/api/v1/peers").await?),
        Some(PeersCommand::Add { url, key, yes }) => add(remote, url, key.as_deref(), *yes).await?,
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

/// Shows who a node is, and follows it once its key was agreed to.
async fn add(remote: &Remote, url: &str, key: Option<&str>, yes: bool) -> Result<()> {
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
    let followed = client.post("/api/v1/peers", &json!({"url": url, "public_key": pinned})).await?;
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
