use serde::{Deserialize, Serialize};

/// A licence: the URL a crate gives, and its SPDX identifier where we know one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Licence {
    /// The URL as normalised (https, trailing slash for Creative Commons).
    pub url: String,
    /// The SPDX identifier, such as `CC-BY-4.0`.
    pub spdx: Option<String>,
}

impl Licence {
    /// Reads a licence URL or SPDX id in any of its usual spellings.
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        if let Some(url) = spdx_url(text) {
            return Self { url, spdx: Some(text.to_owned()) };
        }
        match creative_commons(text) {
            Some(path) => Self { spdx: spdx_of_path(&path), url: format!("https://creativecommons.org/{path}/") },
            None => Self { url: text.to_owned(), spdx: None },
        }
    }

    /// The name people read: the SPDX id, else the URL.
    pub fn label(&self) -> &str {
        self.spdx.as_deref().unwrap_or(&self.url)
    }
}

/// The path below creativecommons.org without `deed`, `legalcode` or a language.
fn creative_commons(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let rest = rest.strip_prefix("www.").unwrap_or(rest).strip_prefix("creativecommons.org/")?;
    let mut names: Vec<&str> = rest.split('/').filter(|name| !name.is_empty()).collect();
    names.retain(|name| !name.starts_with("deed") && !name.starts_with("legalcode"));
    (names.len() >= 3).then(|| names.join("/").to_lowercase())
}

fn spdx_of_path(path: &str) -> Option<String> {
    let names: Vec<&str> = path.split('/').collect();
    match names.as_slice() {
        ["publicdomain", "zero", version] | ["licenses", "zero", version] => Some(format!("CC0-{version}")),
        ["licenses", kind, version] => Some(format!("CC-{}-{version}", kind.to_uppercase())),
        ["licenses", kind, version, port] => {
            Some(format!("CC-{}-{version}-{}", kind.to_uppercase(), port.to_uppercase()))
        }
        _ => None,
    }
}

fn spdx_url(id: &str) -> Option<String> {
    if let Some(version) = id.strip_prefix("CC0-") {
        return Some(format!("https://creativecommons.org/publicdomain/zero/{version}/"));
    }
    let (kind, version) = id.strip_prefix("CC-")?.rsplit_once('-')?;
    Some(format!("https://creativecommons.org/licenses/{}/{version}/", kind.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_licence_agree() {
        for text in [
            "https://creativecommons.org/licenses/by/4.0/",
            "http://creativecommons.org/licenses/by/4.0",
            "https://creativecommons.org/licenses/by/4.0/deed.en",
            "https://creativecommons.org/licenses/BY/4.0/legalcode",
            "CC-BY-4.0",
        ] {
            let licence = Licence::read(text);
            assert_eq!(licence.url, "https://creativecommons.org/licenses/by/4.0/", "{text}");
            assert_eq!(licence.spdx.as_deref(), Some("CC-BY-4.0"), "{text}");
        }
        assert_eq!(Licence::read("https://creativecommons.org/publicdomain/zero/1.0/").label(), "CC0-1.0");
        assert_eq!(Licence::read("https://v18.proteinatlas.org/about/licence").spdx, None);
    }
}
