use std::{
    collections::{HashSet, VecDeque},
    io::Read,
};

use quick_xml::{Reader, events::Event};
use url::Url;

use super::SourceClient;
use crate::FederationError;

/// An index of indexes of indexes is as deep as any is.
const MAX_DEPTH: usize = 3;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A page that a sitemap names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SitemapPage {
    /// Where it is.
    pub url: Url,
    /// When it last changed, as the sitemap writes it.
    pub lastmod: Option<String>,
}

/// The pages of a sitemap, or of all sitemaps of an index ([sitemaps.org](https://www.sitemaps.org/protocol.html)); plain or
/// gzipped.
#[derive(Debug)]
pub struct SitemapListing {
    client: SourceClient,
    maps: VecDeque<(Url, usize)>,
    known_maps: HashSet<Url>,
    pages: VecDeque<SitemapPage>,
    known_pages: HashSet<Url>,
}

impl SitemapListing {
    /// The sitemap at an address.
    pub fn new(client: SourceClient, home: Url) -> Self {
        let (maps, known_maps) = (VecDeque::from([(home.clone(), 0)]), HashSet::from([home]));
        Self { client, maps, known_maps, pages: VecDeque::new(), known_pages: HashSet::new() }
    }

    /// The next page; nothing at the end.
    ///
    /// # Errors
    /// When a sitemap cannot be had, is none, or was cut off; when there are more pages than the limit.
    pub async fn next(&mut self) -> Result<Option<SitemapPage>, FederationError> {
        while self.pages.is_empty() {
            let Some((url, depth)) = self.maps.pop_front() else { return Ok(None) };
            let most = self.client.limits().page_bytes;
            let found = self.client.crawl(&url, "application/xml, text/xml, */*;q=0.5", most).await?;
            let text = unpacked(&found.body, most, &url)?;
            self.take(&url, &text, depth)?;
        }
        Ok(self.pages.pop_front())
    }

    fn take(&mut self, url: &Url, text: &str, depth: usize) -> Result<(), FederationError> {
        let wrong = |what: String| FederationError::malformed(format!("the sitemap {url} {what}"));
        let (is_index, entries) = read(text, self.client.limits().items).map_err(wrong)?;
        for (address, lastmod) in entries {
            let address = address.trim();
            let target =
                url.join(address).map_err(|_| wrong(format!("has no address: '{}'", address.escape_debug())))?;
            if is_index {
                if self.known_maps.insert(target.clone()) {
                    self.maps.push_back((target, depth + 1));
                }
            } else if self.known_pages.insert(target.clone()) {
                self.pages.push_back(SitemapPage { url: target, lastmod });
            }
        }
        let limits = self.client.limits();
        if depth >= MAX_DEPTH && is_index || self.known_maps.len() > limits.pages {
            return Err(FederationError::Unbounded { what: format!("its sitemaps are more than {}", limits.pages) });
        }
        if self.known_pages.len() > limits.items {
            return Err(FederationError::Unbounded { what: format!("it has more than {} pages", limits.items) });
        }
        Ok(())
    }
}

/// The text of a sitemap.
fn unpacked(body: &[u8], most: u64, url: &Url) -> Result<String, FederationError> {
    let no_text = |_| FederationError::malformed(format!("the sitemap {url} is no UTF-8 text"));
    if !body.starts_with(&GZIP) {
        return String::from_utf8(body.to_vec()).map_err(no_text);
    }
    let mut bytes = Vec::new();
    let read = flate2::read::MultiGzDecoder::new(body).take(most + 1).read_to_end(&mut bytes);
    read.map_err(|error| FederationError::malformed(format!("the sitemap {url} cannot be unpacked: {error}")))?;
    if bytes.len() as u64 > most {
        return Err(FederationError::TooLarge { what: format!("the sitemap {url}, unpacked,"), limit: most });
    }
    String::from_utf8(bytes).map_err(no_text)
}

/// Whether it is an index, and its entries: address and time of the last change.
#[expect(clippy::type_complexity, reason = "two words for each entry")]
fn read(text: &str, most: usize) -> Result<(bool, Vec<(String, Option<String>)>), String> {
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
    let mut path: Vec<String> = Vec::new();
    let (mut is_index, mut ended) = (false, false);
    let mut entries: Vec<(String, Option<String>)> = Vec::new();
    loop {
        match reader.read_event().map_err(|error| format!("is not well-formed XML: {error}"))? {
            Event::Start(start) => {
                path.push(start.local_name().as_ref().to_owned());
                match (path.len(), path[path.len() - 1].as_str()) {
                    (1, "sitemapindex") => is_index = true,
                    (1, "urlset") => {}
                    (1, other) => return Err(format!("has the root '{}', which is none", other.escape_debug())),
                    (2, "url" | "sitemap") => entries.push((String::new(), None)),
                    (depth, _) if depth > 16 => return Err("nests its elements too deep".to_owned()),
                    _ => {}
                }
                if entries.len() > most {
                    return Err(format!("has more than {most} entries"));
                }
            }
            Event::End(_) => {
                path.pop();
                ended |= path.is_empty();
            }
            Event::Text(text) => add(&path, &mut entries, &text),
            Event::CData(text) => add(&path, &mut entries, &text),
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().ok().flatten().map(String::from);
                let known = || quick_xml::escape::resolve_predefined_entity(&reference).map(str::to_owned);
                let text = character.or_else(known).ok_or("uses an entity that XML does not have")?;
                add(&path, &mut entries, &text);
            }
            Event::DocType(_) => return Err("declares a document type, which is not read".to_owned()),
            Event::Eof => break,
            _ => {}
        }
    }
    if !ended {
        return Err("ends before its last element does: it was cut off".to_owned());
    }
    Ok((is_index, entries))
}

fn add(path: &[String], entries: &mut [(String, Option<String>)], text: &str) {
    let (Some(entry), [_, _, name]) = (entries.last_mut(), path) else { return };
    match name.as_str() {
        "loc" => entry.0.push_str(text),
        "lastmod" => entry.1.get_or_insert_default().push_str(text.trim()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sitemaps_and_indexes_are_told_apart() {
        let text = "<?xml version='1.0'?><urlset xmlns='x' xmlns:i='y'><url><loc> https://a.example/?a=1&amp;b=2 </loc><i:image><i:loc>no</i:loc></i:image>\
                    <lastmod>2026-01-02</lastmod></url><url><loc><![CDATA[https://a.example/c]]></loc></url></urlset>";
        let (is_index, entries) = read(text, 10).unwrap();
        assert!(!is_index);
        assert_eq!(entries[0], (" https://a.example/?a=1&b=2 ".to_owned(), Some("2026-01-02".to_owned())));
        assert_eq!(entries[1], ("https://a.example/c".to_owned(), None));
        assert!(read("<sitemapindex><sitemap><loc>a</loc></sitemap></sitemapindex>", 10).unwrap().0);
    }

    #[test]
    fn what_is_cut_off_or_hostile_is_refused() {
        for text in [
            "",
            "<html></html>",
            "<urlset><url><loc>a</loc></url>",
            "<!DOCTYPE a [<!ENTITY a \"b\">]><urlset></urlset>",
            "<urlset><url><loc>&a;</loc></url></urlset>",
            "<urlset><url></url><url></url><url></url></urlset>",
        ] {
            assert!(read(text, 2).is_err(), "{text}");
        }
        assert!(read(&"<urlset>".repeat(1000), 10).is_err());
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        use std::io::Write;
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(&vec![b' '; 4 << 20]).unwrap();
        let url = Url::parse("https://a.example/").unwrap();
        let packed = packer.finish().unwrap();
        assert!(matches!(unpacked(&packed, 1 << 20, &url), Err(FederationError::TooLarge { .. })));
        assert!(unpacked(&packed, 8 << 20, &url).is_ok());
        assert!(unpacked(&packed[..packed.len() / 2], 8 << 20, &url).is_err());
    }
}
