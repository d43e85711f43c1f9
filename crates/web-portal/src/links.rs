//! Addresses: which of a record's may become links, and how ours are written.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

/// What stays as it is in one name of a path (RFC 3986 §2.3 and a few that are harmless there).
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@').remove(b'+');

/// An address from a record, if it is one a browser may follow: `http` or `https`, nothing else.
pub(crate) fn web(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then(|| url.to_string())
}

/// An address of a picture: as [`web`], or a path on this node.
pub(crate) fn picture(text: &str) -> Option<String> {
    let local = text.starts_with('/') && !text.starts_with("//") && !text.contains('\\');
    if local { Some(text.to_owned()) } else { web(text) }
}

/// Escapes one name of a path.
pub(crate) fn name(text: &str) -> String {
    utf8_percent_encode(text, NAME).to_string()
}

/// Escapes a path name by name.
pub(crate) fn path(text: &str) -> String {
    text.split('/').map(name).collect::<Vec<_>>().join("/")
}

/// Escapes everything, for the part behind `#`.
pub(crate) fn fragment(text: &str) -> String {
    utf8_percent_encode(text, NAME).to_string()
}

/// The address of a dataset's page here; `node` is named where another node announced it.
pub(crate) fn dataset(id: &str, node: Option<&str>) -> String {
    with_node(&format!("/datasets/{}", name(id)), node)
}

/// Adds `?node=` to an address of ours.
pub(crate) fn with_node(address: &str, node: Option<&str>) -> String {
    match node {
        Some(node) => format!("{address}?node={}", name(node)),
        None => address.to_owned(),
    }
}

/// An accession, DOI or address as a link, where it can be one.
pub(crate) fn identifier(text: &str) -> Option<String> {
    let doi = text.strip_prefix("doi:").unwrap_or(text);
    if doi.starts_with("10.") && doi.contains('/') {
        return web(&format!("https://doi.org/{doi}"));
    }
    web(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_become_links() {
        assert_eq!(
            web("https://orcid.org/0000-0002-1825-0097").as_deref(),
            Some("https://orcid.org/0000-0002-1825-0097")
        );
        for bad in ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//evil.org", "", "https://", "x"]
        {
            assert_eq!(web(bad), None, "{bad}");
        }
    }

    #[test]
    fn quotes_in_addresses_are_escaped_by_the_url_parser() {
        let link = web("https://e.org/\"><script>").unwrap();
        assert!(!link.contains('"') && !link.contains('<'), "{link}");
    }

    #[test]
    fn pictures_may_be_on_this_node() {
        assert_eq!(picture("/render/a/v1/x/thumbnail").as_deref(), Some("/render/a/v1/x/thumbnail"));
        assert_eq!(picture("//evil.org/x.png"), None);
        assert_eq!(picture("javascript:x"), None);
    }

    #[test]
    fn odd_file_names_survive_in_paths() {
        assert_eq!(path("a b/ü#?.tif"), "a%20b/%C3%BC%23%3F.tif");
        assert_eq!(path("x.ome.zarr/c/0/0"), "x.ome.zarr/c/0/0");
    }

    #[test]
    fn dois_lead_to_the_resolver() {
        assert_eq!(identifier("10.1016/j.x.1").as_deref(), Some("https://doi.org/10.1016/j.x.1"));
        assert_eq!(identifier("doi:10.1/x").as_deref(), Some("https://doi.org/10.1/x"));
        assert_eq!(identifier("S-BIAD1002"), None);
    }
}
