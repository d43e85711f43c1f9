use std::collections::{HashSet, VecDeque};

use serde_json::Value;
use url::Url;

use super::{
    Found, SourceClient,
    markup::{Piece, find_ignoring_case, pieces},
    signposting::link_headers,
};
use crate::FederationError;

const ACCEPT: &str = "text/html, application/json, text/uri-list, text/plain;q=0.9, */*;q=0.1";
/// Folders below the listing's own.
const MAX_DEPTH: usize = 16;
/// As many entries of a folder GitHub's contents API gives at most, without saying that there are more.
const GITHUB_MOST: usize = 1000;
/// The members of a JSON object that may hold the list.
const LISTS: [&str; 4] = ["crates", "items", "records", "results"];
/// The members of a list's entry that may hold its address.
const ADDRESSES: [&str; 5] = ["download_url", "url", "href", "contentUrl", "@id"];

/// A file that a listing names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// Its place in the listing: from the listing's folder where it is below it, else its whole address.
    pub path: String,
    /// Where it is.
    pub url: Url,
}

/// A listing of crates on a web server, read page by page: folders as Apache, nginx and others show them, a list of
/// addresses as JSON or text, or what GitHub's contents API says of a folder.
#[derive(Debug)]
pub struct IndexListing {
    client: SourceClient,
    home: Url,
    /// Pages to read, with their depth.
    pages: VecDeque<(Url, usize)>,
    known_pages: HashSet<Url>,
    files: VecDeque<FoundFile>,
    known_files: HashSet<Url>,
    doubt: Option<String>,
}

impl IndexListing {
    /// The listing at an address.
    pub fn new(client: SourceClient, home: Url) -> Self {
        let pages = VecDeque::from([(home.clone(), 0)]);
        let known_pages = HashSet::from([home.clone()]);
        Self { client, home, pages, known_pages, files: VecDeque::new(), known_files: HashSet::new(), doubt: None }
    }

    /// The next file; nothing at the end of the listing.
    ///
    /// # Errors
    /// When a page of the listing cannot be had, is no listing, or was cut off; when there are more items than the limit.
    pub async fn next(&mut self) -> Result<Option<FoundFile>, FederationError> {
        while self.files.is_empty() {
            let Some((url, depth)) = self.pages.pop_front() else { return Ok(None) };
            let found = self.client.crawl(&url, ACCEPT, self.client.limits().page_bytes).await?;
            if url == self.home {
                // A folder asked for without its slash is answered with it: only now it is clear what is below it.
                self.home = found.url.clone();
            }
            self.read(&found, depth)?;
        }
        Ok(self.files.pop_front())
    }

    /// Why the listing may not be whole although it was read to its end, if so.
    pub fn doubt(&self) -> Option<&str> {
        self.doubt.as_deref()
    }

    fn read(&mut self, found: &Found, depth: usize) -> Result<(), FederationError> {
        let text = std::str::from_utf8(&found.body)
            .map_err(|_| FederationError::malformed(format!("{} is no UTF-8 text", found.url)))?;
        let next = link_headers(&found.links, &found.url).into_iter().find(|link| link.has_rel("next"));
        if let Some(next) = next {
            self.add_page(next.target, depth)?;
        }
        match found.media_type.as_str() {
            "text/html" | "application/xhtml+xml" => self.read_html(&found.url, text, depth),
            kind if kind.ends_with("json") => self.read_json(&found.url, text, depth),
            "text/plain" | "text/uri-list" if text.trim_start().starts_with(['[', '{']) => {
                self.read_json(&found.url, text, depth)
            }
            "text/plain" | "text/uri-list" => self.read_lines(&found.url, text),
            other => Err(FederationError::malformed(format!("{} is '{other}', which is no listing", found.url))),
        }
    }

    fn read_html(&mut self, page: &Url, text: &str, depth: usize) -> Result<(), FederationError> {
        // A page that was cut off looks like one with fewer files.
        if find_ignoring_case(text, "</html").is_none() {
            return Err(FederationError::malformed(format!("{page} ends before its closing tag: it was cut off")));
        }
        let home = folder_of(&self.home);
        for piece in pieces(text) {
            let Piece::Tag(name, attributes) = piece else { continue };
            let href = attributes.get("href").filter(|href| name == "a" && !href.starts_with(['?', '#']));
            let Some(mut url) = href.and_then(|href| page.join(href.trim()).ok()) else { continue };
            url.set_fragment(None);
            let below = url.origin() == page.origin() && url.path().starts_with(&home) && url.query().is_none();
            if !below || url == *page || page.path().starts_with(url.path()) {
                continue;
            }
            if url.path().ends_with('/') {
                self.add_page(url, depth + 1)?;
            } else if is_crate_file(url.path()) {
                self.add_file(url)?;
            }
        }
        Ok(())
    }

    fn read_json(&mut self, page: &Url, text: &str, depth: usize) -> Result<(), FederationError> {
        let wrong = |what: &str| FederationError::malformed(format!("{page} {what}"));
        let document: Value = serde_json::from_str(text).map_err(|error| wrong(&format!("is no JSON: {error}")))?;
        if document.get("@graph").is_some() {
            return self.add_file(page.clone());
        }
        let list = LISTS.iter().find_map(|name| document.get(name)).unwrap_or(&document);
        let list = list.as_array().ok_or_else(|| wrong("holds no list of addresses"))?;
        let of_github = |entry: &Value| entry.get("download_url").is_some() && entry.get("type").is_some();
        if list.len() >= GITHUB_MOST && list.iter().all(of_github) {
            self.doubt = Some(format!("{page} shows {GITHUB_MOST} entries, the most that GitHub gives of a folder"));
        }
        for entry in list {
            if of_github(entry) && entry["type"] == "dir" {
                let folder = entry["url"].as_str().and_then(|url| page.join(url).ok());
                self.add_page(folder.ok_or_else(|| wrong("has a folder without an address"))?, depth + 1)?;
                continue;
            }
            if of_github(entry) && !entry["name"].as_str().is_some_and(is_crate_file) {
                continue;
            }
            let address = entry.as_str().or_else(|| ADDRESSES.iter().find_map(|name| entry.get(name)?.as_str()));
            let url = address.and_then(|address| page.join(address).ok());
            self.add_file(url.ok_or_else(|| wrong("has an entry without an address"))?)?;
        }
        match document.get("next").and_then(Value::as_str) {
            Some(next) => {
                let next = page.join(next).map_err(|_| wrong("has a next page that is no address"))?;
                self.add_page(next, depth)
            }
            None => Ok(()),
        }
    }

    fn read_lines(&mut self, page: &Url, text: &str) -> Result<(), FederationError> {
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let url = page.join(line);
            let url = url.map_err(|_| {
                FederationError::malformed(format!("{page} has a line that is no address: '{}'", line.escape_debug()))
            })?;
            self.add_file(url)?;
        }
        Ok(())
    }

    fn add_page(&mut self, url: Url, depth: usize) -> Result<(), FederationError> {
        if self.known_pages.contains(&url) {
            return Ok(());
        }
        let most = self.client.limits().pages;
        if depth > MAX_DEPTH || self.known_pages.len() >= most {
            let what = format!("it has more than {most} pages, or folders more than {MAX_DEPTH} deep");
            return Err(FederationError::Unbounded { what });
        }
        self.known_pages.insert(url.clone());
        self.pages.push_back((url, depth));
        Ok(())
    }

    fn add_file(&mut self, url: Url) -> Result<(), FederationError> {
        if self.known_files.contains(&url) {
            return Ok(());
        }
        let most = self.client.limits().items;
        if self.known_files.len() >= most {
            return Err(FederationError::Unbounded { what: format!("it has more than {most} items") });
        }
        let below = (url.origin() == self.home.origin()).then(|| url.path().strip_prefix(&folder_of(&self.home)));
        let path = below.flatten().filter(|path| !path.is_empty() && url.query().is_none());
        let path = path.map_or_else(|| url.to_string(), unescaped);
        self.known_files.insert(url.clone());
        self.files.push_back(FoundFile { path, url });
        Ok(())
    }
}

/// The path of the folder that an address is of, with its last slash.
fn folder_of(url: &Url) -> String {
    let path = url.path();
    path[..=path.rfind('/').unwrap_or(0).min(path.len().saturating_sub(1))].to_owned()
}

fn is_crate_file(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path.ends_with(".json") || path.ends_with(".jsonld")
}

fn unescaped(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match hex.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::SourceLimits;

    fn listing(home: &str) -> IndexListing {
        let home = Url::parse(home).unwrap();
        IndexListing::new(SourceClient::new(&home, &[], "test", SourceLimits::default()).unwrap(), home)
    }

    fn read(listing: &mut IndexListing, media_type: &str, text: &str) -> Result<Vec<String>, FederationError> {
        let found = Found {
            url: listing.home.clone(),
            media_type: media_type.into(),
            links: Vec::new(),
            stamp: None,
            body: bytes::Bytes::from(text.to_owned()),
        };
        listing.read(&found, 0)?;
        Ok(listing.files.drain(..).map(|file| file.path).collect())
    }

    #[test]
    fn folders_of_web_servers_are_read_and_never_left() {
        let mut listing = listing("https://a.example/crates/");
        let page = "<html><a href='?C=N;O=D'>Name</a><a href='/crates/'>.</a><a href='../'>Parent</a><a href='/'>Home</a>\
                    <a href='https://b.example/crates/x.json'>x</a><a href='a%20b.json'>a</a><a href='c.JSONLD#x'>c</a>\
                    <a href='sub/'>sub</a><a href='image.png'>i</a><a href='/crates/sub/../d.json'>d</a></html>";
        assert_eq!(read(&mut listing, "text/html", page).unwrap(), ["a b.json", "c.JSONLD", "d.json"]);
        let pages: Vec<_> = listing.pages.iter().map(|(url, _)| url.path().to_owned()).collect();
        assert_eq!(pages, ["/crates/", "/crates/sub/"], "the first is the listing itself");
        let cut = read(&mut listing, "text/html", "<html><a href='e.json'>e").unwrap_err();
        assert!(cut.to_string().contains("cut off"), "{cut}");
    }

    #[test]
    fn lists_of_addresses_are_read() {
        let mut one = listing("https://a.example/list");
        assert_eq!(
            read(&mut one, "text/uri-list", "# all\r\nc/1.json\r\n\r\nhttps://a.example/other?x=1\n").unwrap(),
            ["c/1.json", "https://a.example/other?x=1"]
        );
        let mut two = listing("https://a.example/list.json");
        let text = r#"{"items": ["1.json", {"url": "https://c.example/2.json"}], "next": "list2.json"}"#;
        assert_eq!(read(&mut two, "application/json", text).unwrap(), ["1.json", "https://c.example/2.json"]);
        assert_eq!(two.pages.len(), 2);
        assert!(read(&mut two, "application/json", r#"{"message": "not found"}"#).is_err());
        assert!(read(&mut two, "application/json", r#"[{"name": "nothing"}]"#).is_err());
        assert!(read(&mut two, "image/png", "[]").is_err());
    }

    #[test]
    fn a_folder_that_github_may_have_cut_is_doubted() {
        let mut listing = listing("https://api.example/contents/crates");
        let entry = |at: usize| serde_json::json!({"name": format!("{at}.json"), "type": "file", "download_url": format!("https://api.example/{at}.json")});
        let text = serde_json::Value::Array((0..1000).map(entry).collect()).to_string();
        assert_eq!(read(&mut listing, "application/json", &text).unwrap().len(), 1000);
        assert!(listing.doubt().is_some());
    }
}
