//! Clocks that are wrong, and are set right.

use e2e_tests::{Dataset, Node, Setup, WrongClock, eventually};

#[tokio::test]
async fn entries_that_come_after_a_clock_was_set_back_are_found_by_who_asks_by_date() {
    let folder = tempfile::tempdir().expect("a folder");
    let Ok(clock) = WrongClock::in_folder(folder.path()) else { return eprintln!("SKIPPED: no C compiler") };
    let mut setup = Setup::new("europe").await;
    setup.variables = clock.variables(11 * 86_400);
    let mut node = Node::start_with(setup).await;
    let early = node.depositor().deposit(&Dataset::small("By a fast clock")).await.id;
    node.setup.variables.clear();
    node.restart().await;
    let late = node.depositor().deposit(&Dataset::small("By the right clock")).await.id;
    node.depositor().withdraw(&early, "spam").await;
    let identity = node.anybody().get("/oai?verb=Identify").await.expect(200).text();
    let earliest = identity.split("<earliestDatestamp>").nth(1).and_then(|rest| rest.get(..20)).expect("a time");
    let listed = format!("/oai?verb=ListIdentifiers&metadataPrefix=oai_dc&from={earliest}");
    let listed = node.anybody().get(&listed).await.expect(200).text();
    assert!(listed.contains(&early) && listed.contains(&late), "{listed}");
}

#[tokio::test]
async fn nodes_whose_clocks_are_days_apart_follow_each_other_and_cosign() {
    let folder = tempfile::tempdir().expect("a folder");
    let Ok(clock) = WrongClock::in_folder(folder.path()) else { return eprintln!("SKIPPED: no C compiler") };
    let mut slow = Setup::new("japan").await;
    let mut fast = Setup::new("europe").await;
    (slow.variables, fast.variables) = (clock.variables(-9 * 86_400), clock.variables(3 * 86_400));
    slow.peers = vec![fast.as_peer().more("mirror = \"all\"")];
    fast.peers = vec![slow.as_peer()];
    let (slow, fast) = (Node::start_with(slow).await, Node::start_with(fast).await);
    let id = fast.depositor().deposit(&Dataset::small("Three days ahead")).await.id;
    eventually("the slow one has record and bytes", || async {
        let answer = slow.anybody().get(&format!("/api/v1/datasets/{id}")).await;
        if answer.status == 200 && answer.json()["copy"].is_object() { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .await;
    eventually("it has cosigned", || async {
        let peer = fast.anybody().get("/api/v1/peers").await.ok()[0].clone();
        if peer["cosigned"]["size"] == 1 { Ok(()) } else { Err(peer.to_string()) }
    })
    .await;
    slow.assert_quiet_log(&[]);
    fast.assert_quiet_log(&[]);
}
