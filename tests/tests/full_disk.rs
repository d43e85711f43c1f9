//! A node whose disk is full says so, loses nothing, and goes on when there is room.

use e2e_tests::{Dataset, FailingWrites, Node, Setup, Words, eventually, run};
use serde_json::Value;

/// What the nodes keep free.
const KEPT_FREE: u64 = 30_000_000;

/// A node on a disk of its own, unless the system lets nobody mount one.
async fn on_small_disk(setup: Setup, kept_free: u64) -> Option<Node> {
    let setup = setup.extra(&format!("[limits]\nfree_disk_bytes = {kept_free}\n"));
    let node = Node::start_on_small_disk(setup, 128).await;
    node.map_err(|why| eprintln!("SKIPPED: no disk can be filled here, because {why}")).ok()
}

fn assert_full(problem: &Value) {
    let said = problem["detail"].as_str().unwrap_or_default();
    assert!(said.contains("is full") && said.contains("goes on by itself"), "{problem}");
}

#[tokio::test]
async fn nothing_new_is_taken_while_the_disk_is_full_and_all_goes_on_when_there_is_room() {
    let japan = Node::start("japan").await;
    let mut setup = Setup::new("europe").await;
    setup.peers = vec![japan.setup.as_peer().more("mirror = \"all\"")];
    let Some(node) = on_small_disk(setup, KEPT_FREE).await else { return };
    let client = node.depositor();
    let (kept, gone) =
        (client.deposit(&Dataset::small("Kept")).await.id, client.deposit(&Dataset::small("Gone")).await.id);
    let open = client.draft(&Dataset::small("Begun")).await;
    let disk = node.disk.as_ref().expect("a small disk");
    disk.fill_but(22);

    assert_full(&client.post("/api/v1/deposits", &Words::titled("New").crate_json()).await.problem(507));
    assert_full(&client.put_file(&open, "more.txt", b"more").await.problem(507));
    assert_full(&client.post(&format!("/api/v1/deposits/{open}/publish"), &Value::Null).await.problem(507));
    let line = Words::titled("Listed").listed("a", "https://archive.example/a");
    assert_full(&node.admin().import("s", line).await.problem(507));
    let far = japan.depositor().deposit(&Dataset::small("Far")).await.id;
    eventually("the harvest says why it waits", || async {
        let peer = node.anybody().get("/api/v1/peers").await.ok()[0].clone();
        let waits = peer["error"].as_str().is_some_and(|error| error.contains("is full"));
        if waits && peer["failures"] == 0 && peer["peer_fault"] == false { Ok(()) } else { Err(peer.to_string()) }
    })
    .await;
    let health = node.anybody().get("/health/ready").await.expect(200).json();
    assert!(health["attention"][0].as_str().unwrap_or_default().contains("is full"), "{health}");
    node.anybody().get(&format!("/data/{kept}/v1/image.ome.zarr/zarr.json")).await.expect(200);
    assert_eq!(node.anybody().found("q=kept").await, [kept.as_str()]);
    client.withdraw(&gone, "spam").await;

    disk.fill();
    assert_full(&client.post("/api/v1/deposits", &Words::titled("New").crate_json()).await.problem(507));
    disk.empty();
    client.publish(&open).await;
    eventually("what the peer has is here, its bytes too", || async {
        let answer = node.anybody().get(&format!("/api/v1/datasets/{far}")).await;
        if answer.status == 200 && answer.json()["copy"].is_object() { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .await;
    run(["verify", "--node", &node.url(), "--key", &node.setup.keys.public, "--bytes"]).await.ok();
    let log = node.log();
    assert!(log.contains("nothing new is taken in") && log.contains("there is room on the disk again"), "{log}");
}

#[tokio::test]
async fn a_node_does_not_start_on_a_full_disk_says_why_and_is_whole_when_there_is_room() {
    let Some(mut node) = on_small_disk(Setup::new("europe").await, KEPT_FREE).await else { return };
    let id = node.depositor().deposit(&Dataset::small("Kept")).await.id;
    node.kill();
    node.disk.as_ref().expect("a small disk").fill();
    node.launch_without_waiting();
    eventually("it ends", || {
        let runs = node.runs();
        async move { if runs { Err("it runs".to_owned()) } else { Ok(()) } }
    })
    .await;
    assert!(
        node.log().lines().last().is_some_and(|line| line.contains("the disk of the ledger is full")),
        "{}",
        node.log()
    );
    node.kill();
    node.disk.as_ref().expect("a small disk").empty();
    node.launch().await;
    assert_eq!(node.anybody().found("q=kept").await, [id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_meets_the_end_of_the_disk_is_opened_anew_by_the_node_itself() {
    meets_the_end_of_the_disk(KEPT_FREE).await;
}

/// No room is too little for this node, so that it learns of the end of the disk from its stores alone: so it is, too, where the
/// disk is full for less time than passes between two looks at it.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_meets_the_end_of_a_disk_nobody_saw_filling_up_is_opened_anew_too() {
    meets_the_end_of_the_disk(0).await;
}

async fn meets_the_end_of_the_disk(kept_free: u64) {
    let Some(node) = on_small_disk(Setup::new("europe").await, kept_free).await else { return };
    let (disk, pid, admin) = (node.disk.as_ref().expect("a small disk"), node.pid(), node.admin());
    // As many records as it takes for the disk to fill up in the middle of one.
    let lines = |from: usize| -> String {
        let words = |at: usize| Words::titled(&format!("Record {at}"));
        (from..from + 300).map(|at| words(at).listed(at, &format!("https://archive.example/{at}"))).collect()
    };
    for round in 0..4 {
        let (answer, ()) = tokio::join!(admin.import("s", lines(round * 300)), async {
            eventually("records arrive", || async {
                let some = node.anybody().found("size=1").await.len();
                if some > 0 { Ok(()) } else { Err("none".to_owned()) }
            })
            .await;
            tokio::task::block_in_place(|| disk.fill());
        });
        assert!(matches!(answer.status, 200 | 503 | 507), "{answer:?}");
        disk.empty();
        eventually("all of it is taken when it is sent again", || {
            let import = admin.request(reqwest::Method::POST, "/api/v1/sources/s/import");
            let request = admin.try_send(import.body(lines(round * 300)));
            async move {
                let answer = request.await?;
                if answer.status == 200 { Ok(()) } else { Err(format!("{answer:?}")) }
            }
        })
        .await;
    }
    eventually("all is found and nothing fails", || async {
        let (total, health) =
            (node.anybody().search("size=0").await["total"].clone(), node.anybody().get("/health/ready").await);
        if total == 1200 && health.status == 200 { Ok(()) } else { Err(format!("{total} {health:?}")) }
    })
    .await;
    assert_eq!(node.pid(), pid, "it is the same process all the while");
}

#[tokio::test]
async fn a_write_that_failed_stops_all_others_until_the_node_has_started_itself_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let writes = match FailingWrites::in_folder(folder.path()) {
        Ok(writes) => writes,
        Err(why) => return eprintln!("SKIPPED: no write can be made to fail here, because {why}"),
    };
    let mut setup = Setup::new("europe").await;
    setup.variables = writes.variables();
    let node = Node::start_with(setup).await;
    let client = node.depositor();
    let kept = client.deposit(&Dataset::small("Kept")).await.id;
    let (pid, new) = (node.pid(), Words::titled("New").crate_json());
    writes.begin();
    let refused = client.post("/api/v1/deposits", &new).await;
    assert!(matches!(refused.status, 503 | 507), "{refused:?}");
    writes.end();
    eventually("writes are taken again", || async {
        let answer = client.try_send(client.request(reqwest::Method::POST, "/api/v1/deposits").json(&new)).await?;
        if answer.status == 201 { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .await;
    assert_eq!(
        (node.anybody().found("q=kept").await, node.pid()),
        (vec![kept], pid),
        "the same process, with all it had"
    );
    run(["verify", "--node", &node.url(), "--key", &node.setup.keys.public, "--bytes"]).await.ok();
}
