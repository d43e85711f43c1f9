use askama::Template;

/// An address, and when what is there was changed last.
#[derive(Debug)]
pub(crate) struct Located {
    pub address: String,
    pub changed: Option<String>,
}

/// The pages search engines should know.
#[derive(Debug, Template)]
#[template(path = "sitemap.xml")]
pub(crate) struct Sitemap {
    pub pages: Vec<Located>,
}

/// The sitemaps there are.
#[derive(Debug, Template)]
#[template(path = "sitemap_index.xml")]
pub(crate) struct SitemapIndex {
    pub maps: Vec<Located>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located(address: &str) -> Located {
        Located { address: address.into(), changed: Some("2026-11-21T10:00:00Z".into()) }
    }

    #[test]
    fn addresses_are_escaped_for_xml() {
        let map = Sitemap { pages: vec![located("https://e.org/a?b&c")] }.render().unwrap();
        assert!(map.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"), "{map}");
        let page = "<url><loc>https://e.org/a?b&#38;c</loc><lastmod>2026-11-21T10:00:00Z</lastmod></url>";
        assert!(map.contains(page), "{map}");
        let index = SitemapIndex { maps: vec![located("https://e.org/sitemap/1.xml")] }.render().unwrap();
        let map = "<sitemap><loc>https://e.org/sitemap/1.xml</loc><lastmod>2026-11-21T10:00:00Z</lastmod></sitemap>";
        assert!(index.contains(map), "{index}");
    }
}
