//! `heliograph demo`: three nodes that agree.

use std::{fs, path::Path, process::Stdio};

use e2e_tests::{Client, eventually, free_ports, heliograph, run};
use serde_json::Value;

fn description(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("demo.json")).expect("demo.json")).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn once_ends_when_the_three_catalogues_agree_and_again_on_the_same_data() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_ports(3).to_string();
    let arguments = ["demo", "--once", "--base-port", &port, "--data-dir", folder.path().to_str().expect("UTF-8")];
    let first = run(arguments).await.ok();
    assert!(first.stdout.contains("All three catalogues agree: 6 records"), "{}", first.stdout);
    let description = description(folder.path());
    let nodes = description["nodes"].as_array().expect("nodes");
    assert_eq!(
        nodes.iter().map(|node| node["name"].as_str()).collect::<Vec<_>>(),
        [Some("europe"), Some("japan"), Some("australia")]
    );
    for key in ["url", "public_key", "admin_token", "deposit_token"] {
        assert!(
            nodes.iter().all(|node| node[key].as_str().is_some_and(|text| !text.is_empty())),
            "{key}: {description}"
        );
    }
    let second = run(arguments).await.ok();
    assert!(
        second.stdout.contains("All three catalogues agree: 6 records"),
        "nothing is deposited twice: {}",
        second.stdout
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_stops_it_cleanly_and_every_node_has_two_datasets() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_ports(3);
    let mut process = tokio::process::Command::new(heliograph())
        .args(["demo", "--base-port", &port.to_string(), "--data-dir", folder.path().to_str().expect("UTF-8")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("starting heliograph");
    let client = Client::new(&format!("http://127.0.0.1:{port}"), None);
    eventually("every node has its datasets", || async {
        let answer = client.try_send(client.request(reqwest::Method::GET, "/api/v1/search?size=0")).await?.json();
        let nodes = answer["facets"]["node"].as_array().cloned().unwrap_or_default();
        let full = nodes.len() == 3 && nodes.iter().all(|node| node["count"].as_u64() >= Some(2));
        if full { Ok(()) } else { Err(answer.to_string()) }
    })
    .await;
    eventually("the others cosign what it published", || async {
        let note = client.get("/log/checkpoint").await.expect(200).text();
        let cosigned =
            ["japan", "australia"].iter().all(|name| note.contains(&format!("\n\u{2014} heliograph/{name} ")));
        if cosigned { Ok(()) } else { Err(note) }
    })
    .await;
    let pid = process.id().expect("it runs").to_string();
    let told = tokio::process::Command::new("kill").args(["-INT", &pid]).status().await.expect("kill");
    assert!(told.success());
    let ended = tokio::time::timeout(e2e_tests::PATIENCE, process.wait()).await.expect("it stops").expect("its status");
    assert!(ended.success(), "{ended}");
    for at in 0..3 {
        std::net::TcpListener::bind(("127.0.0.1", port + at)).expect("the port is free again");
    }
}
