//! The search form offers terms as one types, in a real browser, and works without.

use std::path::{Path, PathBuf};

use e2e_tests::{Dataset, Node, Store, Words, python};
use serde_json::{Value, json};

/// Chromium or Chrome: `HELIOGRAPH_BROWSER`, or where systems install it.
fn browser() -> Option<PathBuf> {
    let named = std::env::var_os("HELIOGRAPH_BROWSER").map(PathBuf::from);
    let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].map(PathBuf::from);
    let found = named.into_iter().chain(usual).find(|path| path.exists());
    if found.is_none() {
        eprintln!("SKIPPED: no Chromium here; set HELIOGRAPH_BROWSER");
    }
    found
}

async fn node() -> Node {
    let node = Node::start("europe").await;
    let words = Words::titled("Retina of mice").organism("10090", "Mus musculus");
    node.depositor().deposit(&Dataset::new(&words, &[Store::v05("image.ome.zarr", 7)])).await;
    node
}

#[tokio::test]
async fn terms_are_offered_and_taken_with_the_keyboard_alone() {
    let Some(browser) = browser() else { return };
    let node = node().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/completion_check.py");
    let output =
        tokio::process::Command::new(python()).arg(script).arg(browser).arg(node.url()).output().await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    let seen: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    let offered = seen["offered"].as_array().unwrap();
    assert!(offered[0].as_str().unwrap().starts_with("Mus musculus"), "{seen:#}");
    assert!(offered[0].as_str().unwrap().ends_with("NCBITaxon:10090 · 1 dataset"), "{seen:#}");
    assert_eq!((&seen["active"], &seen["taken"]), (&json!("true"), &json!("Mus musculus")), "{seen:#}");
    assert_eq!((&seen["stays"], &seen["closed"]), (&json!(""), &json!("false")), "taking is not searching: {seen:#}");
    assert!(seen["asked"].as_str().unwrap().contains("q=Mus+musculus"), "{seen:#}");
    assert_eq!(seen["last word"], "Mus musculus retina Danio rerio", "{seen:#}");
    assert_eq!(seen["escaped"], "false");
    assert!(seen["methods"].to_string().contains("FBbi:"), "{seen:#}");
    assert_eq!(seen["complaints"], json!([]), "the policy of the page lets its script work");
    assert_eq!(seen["plain"], false, "without scripts it is a form");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn only_own_scripts_run_and_none_of_them_is_in_the_page() {
    let node = node().await;
    for path in ["/", "/search"] {
        let page = node.anybody().get(path).await.expect(200);
        let policy = page.header("content-security-policy").to_owned();
        assert!(
            policy.contains("script-src 'self';") && policy.contains("require-trusted-types-for 'script'"),
            "{policy}"
        );
        let text = page.text();
        assert_eq!(text.matches("<script").count(), 1, "{text}");
        let address = text.split("<script src=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let script = node.anybody().get(address).await.expect(200);
        assert!(script.header("content-type").starts_with("text/javascript"));
        assert!(!script.text().contains("innerHTML"));
        // All fields that are completed are plain fields of forms.
        assert!(text.contains("<input id=\"q\" type=\"search\" name=\"q\""), "{text}");
    }
    let found = node.anybody().get("/search?organism=mouse&method=&entity=").await.expect(200).text();
    assert!(found.contains("Retina of mice"), "{found}");
    node.assert_quiet_log(&[]);
}
