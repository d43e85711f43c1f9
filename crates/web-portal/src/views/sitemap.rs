use askama::Template;

/// As many addresses a sitemap may have (sitemaps.org).
pub(crate) const MOST: usize = 50_000;

/// The pages search engines should know.
#[derive(Debug, Template)]
#[template(path = "sitemap.xml")]
pub(crate) struct Sitemap {
    pub addresses: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_escaped_for_xml() {
        let map = Sitemap { addresses: vec!["https://e.org/a?b&c".into()] }.render().unwrap();
        assert!(map.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"), "{map}");
        assert!(map.contains("<loc>https://e.org/a?b&#38;c</loc>"), "{map}");
    }
}
