//! Reading published bytes as browsers, viewers and Zarr libraries do (RFC 9110, RFC 9530, CORS).

use std::ops::Range;

use base64::{Engine, engine::general_purpose::STANDARD};
use dataset_model::Digest;
use e2e_tests::{Answer, Client, Dataset, Node, Words, escape_path, raw_request, sha256};
use reqwest::Method;

/// Bytes no compressor likes and no text looks like.
fn noise(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * at / 7 + at * 31) as u8).collect()
}

const LARGE: usize = 3 << 20;

struct Shelf {
    node: Node,
    base: String,
    small: Vec<u8>,
    large: Vec<u8>,
}

impl Shelf {
    async fn new() -> Self {
        let node = Node::start("europe").await;
        let (small, large) = (noise(1000), noise(LARGE));
        let mut dataset = Dataset::small("Bytes");
        let mut put = |path: &str, bytes: &[u8]| drop(dataset.files.insert(path.into(), bytes.to_vec()));
        put("raw/small.bin", &small);
        put("raw/large.bin", &large);
        put("raw/empty", b"");
        put("pages/evil.html", b"<script>alert(1)</script>");
        put("pages/evil.svg", b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>");
        put("raw/text.json", "{\"repeat\": \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}".repeat(100).as_bytes());
        let published = node.depositor().deposit(&dataset).await;
        let base = format!("/data/{}/v1", published.id);
        Self { node, base, small, large }
    }

    fn client(&self) -> Client {
        self.node.anybody()
    }

    async fn small(&self, headers: &[(&str, &str)]) -> Answer {
        self.client().get_with(&format!("{}/raw/small.bin", self.base), headers).await
    }

    fn etag(&self) -> String {
        format!("\"{}\"", sha256(&self.small))
    }
}

#[tokio::test]
async fn a_whole_file_comes_with_everything_a_cache_needs() {
    let shelf = Shelf::new().await;
    let answer = shelf.small(&[]).await.expect(200);
    assert_eq!(answer.body, shelf.small);
    assert_eq!(answer.header("content-length"), "1000");
    assert_eq!(answer.header("etag"), shelf.etag());
    assert_eq!(answer.header("accept-ranges"), "bytes");
    assert!(answer.header("cache-control").contains("immutable"), "{answer:?}");
    let digest = format!("sha-256=:{}:", STANDARD.encode(Digest::of(&shelf.small).as_bytes()));
    assert_eq!(answer.header("repr-digest"), digest);
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let large = shelf.client().get(&format!("{}/raw/large.bin", shelf.base)).await.expect(200);
    assert!(large.body == shelf.large, "a large file came back other than it was sent");
    assert_eq!(large.header("content-length"), LARGE.to_string());
    let empty = shelf.client().get(&format!("{}/raw/empty", shelf.base)).await.expect(200);
    assert_eq!((empty.body.len(), empty.header("content-length")), (0, "0"));
    shelf.node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn the_second_answer_and_the_routers_are_the_first_again() {
    let shelf = Shelf::new().await;
    // The encoded name goes another way through the server.
    let (plain, encoded) = (format!("{}/raw/small.bin", shelf.base), format!("{}/raw/small%2Ebin", shelf.base));
    for headers in [&[][..], &[("range", "bytes=10-19")], &[("range", "bytes=-7")], &[("range", "bytes=0-1,5-6")]] {
        let mut answers = Vec::new();
        for path in [&encoded, &plain, &plain, &plain] {
            let mut answer = shelf.client().get_with(path, headers).await;
            answer.headers.remove("date");
            answers.push((answer.status, answer.headers, answer.body));
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{headers:?}: {answers:#?}");
    }
    shelf.node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_file_read_before_follows_what_happens_to_its_dataset() {
    let node = Node::start("europe").await;
    let client = node.depositor();
    let mut dataset = Dataset::small("Bytes");
    dataset.files.insert("raw/note.txt".into(), b"old".to_vec());
    let published = client.deposit(&dataset).await;
    let (latest, first) =
        (format!("/data/{}/latest/raw/note.txt", published.id), format!("/data/{}/v1/raw/note.txt", published.id));
    for path in [&latest, &latest, &first, &first] {
        assert_eq!(client.get(path).await.expect(200).body, "old");
    }
    client.new_version(&published.id, &Words::titled("Bytes").crate_json(), &[("raw/note.txt", b"new")]).await;
    for (path, wanted) in [(&latest, "new"), (&latest, "new"), (&first, "old"), (&first, "old")] {
        assert_eq!(client.get(path).await.expect(200).body, wanted, "{path}");
    }
    let wrong_token = [("authorization", "Bearer nobody's")];
    node.anybody().get_with(&first, &wrong_token).await.problem(401);
    node.admin().withdraw(&published.id, "retracted").await;
    for path in [&latest, &first] {
        client.get(path).await.problem(410);
    }
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn head_says_what_get_would_send() {
    let shelf = Shelf::new().await;
    for name in ["raw/small.bin", "raw/large.bin", "raw/empty", "image.ome.zarr/zarr.json"] {
        let path = format!("{}/{name}", shelf.base);
        let get = shelf.client().get(&path).await.expect(200);
        let head = shelf.client().send(shelf.client().request(Method::HEAD, &path)).await.expect(200);
        assert!(head.body.is_empty());
        for header in ["content-length", "etag", "content-type", "repr-digest", "cache-control", "accept-ranges"] {
            assert_eq!(head.header(header), get.header(header), "{header} of {name}");
        }
    }
    let path = format!("{}/raw/small.bin", shelf.base);
    let raw = raw_request(&shelf.node.url(), "HEAD", &path, &[], b"").await;
    assert_eq!((raw.status, raw.header("content-length"), raw.body.len()), (200, "1000", 0), "{raw:?}");
    let missing = raw_request(&shelf.node.url(), "HEAD", &format!("{}/raw/none", shelf.base), &[], b"").await;
    assert_eq!((missing.status, missing.body.len()), (404, 0));
    shelf.node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn single_and_suffix_ranges() {
    let shelf = Shelf::new().await;
    let cases: [(&str, Range<usize>); 6] = [
        ("bytes=0-0", 0..1),
        ("bytes=0-99", 0..100),
        ("bytes=500-", 500..1000),
        ("bytes=-1", 999..1000),
        ("bytes=-5000", 0..1000),
        ("bytes=990-5000", 990..1000),
    ];
    for (header, range) in cases {
        let answer = shelf.small(&[("range", header)]).await.expect(206);
        assert_eq!(answer.body, shelf.small[range.clone()], "{header}");
        assert_eq!(answer.header("content-range"), format!("bytes {}-{}/1000", range.start, range.end - 1));
        assert_eq!(answer.header("content-length"), range.len().to_string());
        assert_eq!(answer.header("etag"), shelf.etag());
    }
    let path = format!("{}/raw/large.bin", shelf.base);
    for range in [1_000_000..1_000_010, 0..LARGE - 1, LARGE - 70_000..LARGE] {
        let header = format!("bytes={}-{}", range.start, range.end - 1);
        let answer = shelf.client().get_with(&path, &[("range", &header)]).await.expect(206);
        assert!(answer.body == shelf.large[range], "{header}");
    }
    shelf.node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn several_ranges_come_as_parts() {
    let shelf = Shelf::new().await;
    let path = format!("{}/raw/large.bin", shelf.base);
    let ranges = [0..10, 2_000_000..2_000_050, LARGE - 5..LARGE];
    let answer = shelf.client().get_with(&path, &[("range", "bytes=0-9, 2000000-2000049, -5")]).await.expect(206);
    let media_type = answer.header("content-type");
    let boundary = media_type.strip_prefix("multipart/byteranges; boundary=").unwrap_or_else(|| panic!("{media_type}"));
    assert_eq!(answer.header("content-length"), answer.body.len().to_string());
    let parts = parts_of(&answer.body, boundary);
    assert_eq!(parts.len(), 3);
    for ((head, body), range) in parts.iter().zip(ranges) {
        let expected = format!("content-range: bytes {}-{}/{LARGE}", range.start, range.end - 1);
        assert!(head.to_lowercase().contains(&expected), "{head}");
        assert!(*body == shelf.large[range], "{head}");
    }
    let many = format!("bytes={}", (0..500).map(|at| format!("{at}-{at}")).collect::<Vec<_>>().join(","));
    let refused = shelf.client().get_with(&path, &[("range", &many)]).await;
    assert!([200, 416].contains(&refused.status), "{} ranges were served: {}", 500, refused.status);
    shelf.node.assert_quiet_log(&[]);
}

/// Head and body of each part (RFC 2046 §5.1.1).
fn parts_of(body: &[u8], boundary: &str) -> Vec<(String, Vec<u8>)> {
    let find = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|window| window == what);
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut rest = &body[find(body, delimiter.as_bytes()).unwrap() + delimiter.len()..];
    while !rest.starts_with(b"--") {
        let next = format!("\r\n{delimiter}");
        let end = find(rest, next.as_bytes()).unwrap();
        let part = &rest[2..end];
        let split = find(part, b"\r\n\r\n").unwrap();
        parts.push((String::from_utf8_lossy(&part[..split]).into_owned(), part[split + 4..].to_vec()));
        rest = &rest[end + next.len()..];
    }
    parts
}

#[tokio::test]
async fn ranges_that_cannot_be_met_or_read() {
    let shelf = Shelf::new().await;
    for header in ["bytes=1000-", "bytes=5000-6000", "bytes=-0"] {
        let answer = shelf.small(&[("range", header)]).await.expect(416);
        assert_eq!(answer.header("content-range"), "bytes */1000", "{header}");
    }
    for header in ["lines=1-2", "bytes=9-1", "bytes=x-y", "bytes"] {
        assert_eq!(shelf.small(&[("range", header)]).await.expect(200).body, shelf.small, "{header}");
    }
    let empty = shelf.client().get_with(&format!("{}/raw/empty", shelf.base), &[("range", "bytes=0-")]).await;
    assert_eq!(empty.header("content-range"), "bytes */0", "{empty:?}");
    shelf.node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn conditions_against_the_entity_tag() {
    let shelf = Shelf::new().await;
    let etag = shelf.etag();
    let weak = format!("W/{etag}");
    let listed = format!("\"other\", {etag}");
    for tag in [&etag, &weak, &listed, "*"] {
        let answer = shelf.small(&[("if-none-match", tag)]).await.expect(304);
        assert!(answer.body.is_empty());
        assert_eq!(answer.header("etag"), etag);
        assert!(!answer.header("cache-control").is_empty());
    }
    shelf.small(&[("if-none-match", "\"other\"")]).await.expect(200);
    shelf.small(&[("if-match", &etag)]).await.expect(200);
    shelf.small(&[("if-match", "*")]).await.expect(200);
    let failed = shelf.small(&[("if-match", "\"other\"")]).await.expect(412);
    assert!(!failed.body.windows(20).any(|window| window == &shelf.small[..20]));
    let range = ("range", "bytes=0-9");
    shelf.small(&[range, ("if-range", &etag)]).await.expect(206);
    assert_eq!(shelf.small(&[range, ("if-range", "\"other\"")]).await.expect(200).body, shelf.small);
    shelf.small(&[range, ("if-range", &weak)]).await.expect(200);
    shelf.small(&[range, ("if-none-match", &etag)]).await.expect(304);
    shelf.node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn viewers_on_other_sites_may_read() {
    let shelf = Shelf::new().await;
    let origin = ("origin", "https://viewer.example");
    let answer = shelf.small(&[origin, ("range", "bytes=0-9")]).await.expect(206);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let exposed = answer.header("access-control-expose-headers").to_lowercase();
    for name in ["content-range", "content-length", "etag", "accept-ranges"] {
        assert!(exposed.contains(name), "{name} is not exposed: {exposed}");
    }
    let absent = shelf.client().get_with(&format!("{}/image.ome.zarr/0/c/7/7", shelf.base), &[origin]).await;
    assert_eq!((absent.status, absent.header("access-control-allow-origin")), (404, "*"));
    let preflight = shelf.client().request(Method::OPTIONS, &format!("{}/raw/small.bin", shelf.base));
    let preflight = preflight.header("origin", "https://viewer.example").header("access-control-request-method", "GET");
    let answer = shelf
        .client()
        .send(preflight.header("access-control-request-headers", "range, if-none-match"))
        .await
        .expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(answer.header("access-control-allow-methods").contains("GET"), "{answer:?}");
    let allowed = answer.header("access-control-allow-headers").to_lowercase();
    assert!(allowed.contains("range") && allowed.contains("if-none-match"), "{allowed}");
    assert!(!answer.header("access-control-max-age").is_empty());
    shelf.node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn an_absent_chunk_is_404_so_that_readers_fill_it() {
    let shelf = Shelf::new().await;
    for name in ["image.ome.zarr/0/c/7/7", "image.ome.zarr/.zattrs", "image.ome.zarr", "image.ome.zarr/", "nothing"] {
        let answer = shelf.client().get(&format!("{}/{name}", shelf.base)).await;
        assert_eq!(answer.status, 404, "{answer:?}");
    }
    shelf.client().get("/data/nobody/v1/zarr.json").await.problem(404);
    let v0 = shelf.base.replace("/v1", "/v0");
    for base in [v0, shelf.base.replace("/v1", "/newest"), shelf.base.replace("/v1", "/v99999999999999999999")] {
        shelf.client().get(&format!("{base}/raw/small.bin")).await.problem(404);
    }
    shelf.node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn a_deposited_page_cannot_act_in_the_nodes_name() {
    let shelf = Shelf::new().await;
    for name in ["pages/evil.html", "pages/evil.svg", "raw/small.bin"] {
        let answer = shelf.client().get(&format!("{}/{name}", shelf.base)).await.expect(200);
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"), "{name}: {policy}");
        assert!(!policy.contains("allow-scripts"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{name}");
    }
    let json = shelf.client().get(&format!("{}/image.ome.zarr/zarr.json", shelf.base)).await;
    assert!(json.header("content-type").starts_with("application/json"), "{json:?}");
    shelf.node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn bytes_are_never_compressed_on_the_way() {
    let shelf = Shelf::new().await;
    let plain = shelf.client().get(&format!("{}/raw/text.json", shelf.base)).await.expect(200);
    let headers = [("accept-encoding", "gzip, br, zstd, deflate")];
    let asked = shelf.client().get_with(&format!("{}/raw/text.json", shelf.base), &headers).await.expect(200);
    assert_eq!(asked.header("content-encoding"), "");
    assert_eq!(asked.body, plain.body);
    assert_eq!(asked.header("content-length"), plain.body.len().to_string());
    shelf.node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn names_with_blanks_signs_and_all_scripts() {
    let node = Node::start("europe").await;
    let names = [
        "with blank/a b.txt",
        "signs/100% #1?&=+;,'()!.txt",
        "細胞/核.txt",
        "emoji 🔬/z.txt",
        "x/..y",
        "dots/a..b",
        "e\u{301}.txt",
        "é.txt",
        "colon:name",
        "quote\"name",
        "-dash",
        "~tilde",
        "percent%41.txt",
        "plus+plus",
    ];
    let mut dataset = Dataset::small("Names");
    for name in names {
        dataset.files.insert(name.into(), name.as_bytes().to_vec());
    }
    let published = node.depositor().deposit(&dataset).await;
    for name in names {
        let answer = node.anybody().get(&format!("/data/{}/v1/{}", published.id, escape_path(name))).await.expect(200);
        assert_eq!(answer.body, name.as_bytes(), "{name}");
    }
    let manifest = node.anybody().get(&format!("/api/v1/datasets/{}/versions/1/manifest", published.id)).await.ok();
    let listed: Vec<&str> = manifest.as_array().unwrap().iter().filter_map(|file| file["path"].as_str()).collect();
    assert!(names.iter().all(|name| listed.contains(name)), "{listed:?}");
    assert!(listed.is_sorted(), "{listed:?}");
    node.assert_quiet_log(&[]);
}

#[tokio::test]
async fn no_path_leads_out_of_a_dataset() {
    let shelf = Shelf::new().await;
    let secret = std::fs::read_to_string(shelf.node.data_dir().join("keys/admin-token")).unwrap();
    let deep = "../".repeat(12);
    let escapes = [
        "../v1/raw/small.bin".to_owned(),
        "../../../../keys/admin-token".to_owned(),
        format!("{deep}etc/passwd"),
        "%2e%2e/%2e%2e/keys/admin-token".into(),
        "..%2f..%2f..%2fkeys%2fadmin-token".into(),
        "/etc/passwd".into(),
        "%2fetc%2fpasswd".into(),
        "..%5c..%5ckeys%5cadmin-token".into(),
        "raw/%00".into(),
        "raw/small.bin%00.json".into(),
        "raw/../raw/small.bin".into(),
        "./raw/small.bin".into(),
        "raw//small.bin".into(),
        "raw/small.bin/".into(),
        "%c0%ae%c0%ae/x".into(),
        "%ff".into(),
    ];
    for escape in escapes {
        let target = format!("{}/{escape}", shelf.base);
        let answer = raw_request(&shelf.node.url(), "GET", &target, &[], b"").await;
        assert!([400, 404].contains(&answer.status), "{target}: {answer:?}");
        let text = answer.text();
        assert!(!text.contains(secret.trim()) && !text.contains("root:"), "{target}: {text}");
    }
    for id in ["..", "%2e%2e", "..%2f..", "a%2fb"] {
        let answer = raw_request(&shelf.node.url(), "GET", &format!("/data/{id}/v1/keys/admin-token"), &[], b"").await;
        assert!([400, 404].contains(&answer.status), "{id}: {answer:?}");
    }
    shelf.node.assert_quiet_log(&[]);
}
