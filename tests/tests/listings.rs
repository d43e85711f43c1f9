//! Listings of crates as they are found: in checkouts, archives, and on web servers that are not always kind.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use e2e_tests::{Fault, Node, Output, Page, Setup, SourceServer, Words, run};
use serde_json::{Value, json};

fn write(folder: &Path, file: &str, content: &str) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

async fn import(node: &Node, source: &str, more: &[&str]) -> Output {
    let token = node.admin_token.clone();
    let fixed = ["import", source, "--as", "archive", "--node", &node.url(), "--token", &token, "--json"];
    run(fixed.into_iter().chain(more.iter().copied())).await
}

/// `[seen, stored, unchanged, withdrawn, rejected]`.
fn counts(report: &Value) -> [u64; 5] {
    let number = |key: &str| report[key].as_u64().unwrap_or_else(|| panic!("no '{key}': {report}"));
    let rejected = report["rejected"].as_array().unwrap().len() as u64;
    assert_eq!(number("seen"), number("stored") + number("unchanged") + rejected, "{report:#}");
    [number("seen"), number("stored"), number("unchanged"), number("withdrawn"), rejected]
}

async fn titles(node: &Node) -> BTreeSet<String> {
    node.caught_up().await;
    let hits = node.anybody().search("q=&size=200").await["hits"].clone();
    hits.as_array().unwrap().iter().map(|hit| hit["title"].as_str().unwrap_or_default().to_owned()).collect()
}

fn set(titles: &[&str]) -> BTreeSet<String> {
    titles.iter().map(|title| (*title).to_owned()).collect()
}

fn git(folder: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").arg("-C").arg(folder).args(identity).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn a_checkout_is_what_it_tracks_and_an_archive_is_the_same_listing() {
    let node = Node::start("europe").await;
    let folder = node.scratch().join("checkout");
    write(&folder, "a/1.json", &Words::study(1, "Alpha").to_string());
    write(&folder, "2.json", &Words::study(2, "Beta").to_string());
    write(&folder, ".hidden/3.json", &Words::study(3, "Hidden").to_string());
    git(&folder, &["init", "--quiet"]);
    git(&folder, &["add", "a/1.json", "2.json"]);
    git(&folder, &["commit", "--quiet", "-m", "crates"]);
    write(&folder, "4.json", &Words::study(4, "Untracked").to_string());
    let report = import(&node, &folder.to_string_lossy(), &[]).await.ok().json();
    assert_eq!(counts(&report), [2, 2, 0, 0, 0], "{report}");
    assert_eq!(titles(&node).await, set(&["Alpha", "Beta"]));

    let bare = node.scratch().join("crates.git");
    git(&folder, &["clone", "--quiet", "--bare", ".", &bare.to_string_lossy()]);
    let report = import(&node, &format!("file://{}", bare.display()), &[]).await.ok().json();
    assert_eq!(counts(&report), [2, 0, 2, 0, 0], "the same, cloned: {report}");

    let archive = node.scratch().join("crates.zip");
    let mut packer = Command::new(e2e_tests::python());
    packer.args(["-c", "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED)\n[z.write(sys.argv[2] + '/' + n, n) for n in ['a/1.json', '2.json', '4.json', '.hidden/3.json']]\nz.writestr('readme.txt', 'x')\nz.close()"]);
    assert!(packed_with(&mut packer, &archive, &folder).status().unwrap().success());
    let report = import(&node, &archive.to_string_lossy(), &[]).await.ok().json();
    assert_eq!(counts(&report), [3, 1, 2, 0, 0], "{report}");
    assert_eq!(titles(&node).await, set(&["Alpha", "Beta", "Untracked"]));

    // An archive that was cut off, or is a bomb, is read by nobody.
    let bytes = fs::read(&archive).unwrap();
    let cut = node.scratch().join("cut.zip");
    fs::write(&cut, &bytes[..bytes.len() - 30]).unwrap();
    let output = import(&node, &cut.to_string_lossy(), &[]).await;
    assert!(!output.status.success(), "{output:?}");
    let report = output.json();
    assert_eq!((report["seen"].as_u64(), report["complete"].as_bool()), (Some(0), Some(false)), "{report}");
    let bomb = node.scratch().join("bomb.zip");
    let mut packer = Command::new(e2e_tests::python());
    packer.args(["-c", "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED)\nz.write(sys.argv[2] + '/2.json', 'new.json')\nz.writestr('bomb.json', ' ' * (1 << 28))\nz.close()"]);
    assert!(packed_with(&mut packer, &bomb, &folder).status().unwrap().success());
    let output = import(&node, &bomb.to_string_lossy(), &[]).await;
    assert!(output.json()["stopped"].as_str().unwrap().contains("times its size"), "{output:?}");
    assert_eq!(titles(&node).await, set(&["Alpha", "Beta", "Untracked"]));
    node.assert_quiet_log(&[]);
}

fn packed_with<'a>(command: &'a mut Command, archive: &Path, folder: &Path) -> &'a mut Command {
    command.arg(archive).arg(folder)
}

/// Puts a listing of these studies on a server, as Apache shows a folder.
fn put_index(server: &SourceServer, studies: &[(usize, &str)]) {
    server.remove_all("/crates/");
    let mut rows = String::new();
    for (number, title) in studies {
        server.put(&format!("/crates/sub/{number}.json"), Page::json(&Words::study(*number, title)));
        rows.push_str(&format!("<tr><td><a href='{number}.json'>{number}.json</a></td></tr>"));
    }
    server.put("/crates/", Page::html("<html><body><table><tr><th><a href='?C=N;O=D'>Name</a></th></tr><tr><td><a href='/'>Parent Directory</a><a href='/beside.json'>Beside</a></td></tr><tr><td><a href='sub/'>sub/</a></td></tr></table></body></html>"));
    server.put(
        "/crates/sub/",
        Page::html(format!(
            "<html><body><table><tr><td><a href='/crates/'>Parent</a></td></tr>{rows}</table></body></html>"
        )),
    );
}

#[tokio::test]
async fn an_index_is_followed_into_its_folders_and_into_nothing_else() {
    let (server, other) = (SourceServer::start().await, SourceServer::start().await);
    let node = Node::start("europe").await;
    other.put("/private.json", Page::json(&Words::study(66, "Of another server")));
    put_index(&server, &[(1, "Alpha"), (2, "Beta")]);
    server.put(
        "/list.json",
        Page::json(&json!([
            "crates/sub/1.json",
            "crates/sub/2.json",
            "redirected.json",
            "missing.json",
            format!("{}/private.json", other.url)
        ])),
    );
    server.put("/redirected.json", Page::redirect(&format!("{}/private.json", other.url)));
    // A server adds the slash; what is beside the folder is none of it.
    server.put("/crates", Page::redirect("/crates/"));
    server.put("/beside.json", Page::json(&Words::study(67, "Beside")));
    let report = import(&node, &format!("{}/crates", server.url), &[]).await.ok().json();
    assert_eq!(counts(&report), [2, 2, 0, 0, 0], "{report}");

    let report = import(&node, &format!("{}/list.json", server.url), &[]).await.ok().json();
    assert_eq!(counts(&report), [5, 0, 2, 0, 3], "{report}");
    let why = report["rejected"].to_string();
    assert_eq!(why.matches("not at the source's own address").count(), 2, "{why}");
    assert!(why.contains("status 404"), "{why}");
    assert!(other.asked().is_empty(), "nobody was led to another server");
    assert_eq!(titles(&node).await, set(&["Alpha", "Beta"]));

    let report = import(&node, &format!("{}/list.json", server.url), &["--also", &other.url]).await.ok().json();
    assert_eq!(counts(&report)[4], 2, "the redirect, whose study is in the list itself, and what is missing: {report}");
    assert_eq!(titles(&node).await, set(&["Alpha", "Beta", "Of another server"]));

    // A site that asks programs to stay away is left alone.
    server.put("/robots.txt", Page::new("text/plain", "User-agent: *\nDisallow: /crates/\n"));
    let output = import(&node, &format!("{}/crates/", server.url), &[]).await;
    assert!(output.json()["stopped"].as_str().unwrap().contains("robots.txt"), "{output:?}");
    assert_eq!(titles(&node).await.len(), 3);
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_server_that_fails_in_the_middle_takes_nothing_away() {
    let server = SourceServer::start().await;
    let source = format!(
        "[[sources]]\nname = \"archive\"\nkind = \"index\"\nurl = \"{}/crates/\"\ninterval_seconds = 0\nanswer_seconds = 2\n",
        server.url
    );
    let node = Node::start_with(Setup::new("europe").await.extra(&source)).await;
    let harvest = async || node.admin().post("/api/v1/sources/archive/harvest", &Value::Null).await.expect(200).json();
    put_index(&server, &[(1, "Alpha"), (2, "Beta"), (3, "Gamma")]);
    assert_eq!(counts(&harvest().await), [3, 3, 0, 0, 0]);
    let all = set(&["Alpha", "Beta", "Gamma"]);

    // One of them cannot be had: it stays, and another that is new is taken.
    put_index(&server, &[(1, "Alpha"), (2, "Beta"), (3, "Gamma")]);
    for (what, page) in [
        ("gone", Page::status(404)),
        ("cut off", Page::json(&Words::study(2, "Beta")).fault(Fault::CutOff)),
        ("no crate", Page::json(&json!({"nothing": true}))),
        ("no end", Page::json(&json!(0)).fault(Fault::Endless)),
        ("no JSON", Page::html("<html>sorry</html>")),
    ] {
        server.put("/crates/sub/2.json", page);
        let report = harvest().await;
        assert_eq!(counts(&report), [3, 0, 2, 0, 1], "{what}: {report}");
        assert_eq!(titles(&node).await, all, "{what}");
    }
    // A folder of the listing cannot be had: nobody knows what would be in it.
    put_index(&server, &[(1, "Alpha")]);
    server.put("/crates/sub/", Page::html("<html><body><a href='1.json'>1</a>").fault(Fault::CutOff));
    let report = harvest().await;
    assert!(report["stopped"].is_string(), "{report}");
    assert_eq!(titles(&node).await, all);
    put_index(&server, &[(1, "Alpha")]);
    assert_eq!(counts(&harvest().await), [1, 0, 1, 2, 0]);
    assert_eq!(titles(&node).await, set(&["Alpha"]));
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_source_with_an_interval_is_harvested_by_itself() {
    let server = SourceServer::start().await;
    put_index(&server, &[(1, "Alpha")]);
    let source = format!(
        "[[sources]]\nname = \"archive\"\nkind = \"index\"\nurl = \"{}/crates/\"\ninterval_seconds = 1\n",
        server.url
    );
    let node = Node::start_with(Setup::new("europe").await.extra(&source)).await;
    let shows = async |expected: &[&str]| {
        e2e_tests::eventually("the source is shown", || async {
            let found = node.anybody().search("q=&size=200").await["hits"].clone();
            let found: BTreeSet<String> =
                found.as_array().unwrap().iter().map(|hit| hit["title"].as_str().unwrap().to_owned()).collect();
            if found == set(expected) { Ok(()) } else { Err(format!("{found:?}")) }
        })
        .await;
    };
    shows(&["Alpha"]).await;
    put_index(&server, &[(1, "Alpha"), (2, "Beta")]);
    shows(&["Alpha", "Beta"]).await;
    put_index(&server, &[(2, "Beta")]);
    shows(&["Beta"]).await;
    assert!(server.asked().iter().all(|asked| asked == "/robots.txt" || asked.starts_with("/crates/")));
    node.assert_quiet_log(&[]);
}
