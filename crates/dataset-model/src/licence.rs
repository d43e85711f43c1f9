use serde::{Deserialize, Serialize};

/// A licence: the URL a crate gives, and its SPDX identifier where we know one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Licence {
    /// The URL as normalised (https, trailing slash for Creative Commons).
    pub url: String,
    /// The SPDX identifier, such as `CC-BY-4.0`. Ports of Creative Commons licences that SPDX does not list are named in the
    /// same way, `CC-BY-2.1-JP`.
    pub spdx: Option<String>,
}

/// The licences of Creative Commons, as in its addresses and in SPDX.
const KINDS: [&str; 6] = ["by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd"];
/// Their versions. 2.1 exists only as a port.
const VERSIONS: [&str; 6] = ["1.0", "2.0", "2.1", "2.5", "3.0", "4.0"];
/// Other licences that data and software come under, with where their text is.
const OTHERS: [(&str, &str); 10] = [
    ("MIT", "https://opensource.org/licenses/MIT"),
    ("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    ("BSD-2-Clause", "https://opensource.org/licenses/BSD-2-Clause"),
    ("BSD-3-Clause", "https://opensource.org/licenses/BSD-3-Clause"),
    ("GPL-2.0-only", "https://www.gnu.org/licenses/old-licenses/gpl-2.0"),
    ("GPL-3.0-only", "https://www.gnu.org/licenses/gpl-3.0"),
    ("ODbL-1.0", "https://opendatacommons.org/licenses/odbl/1-0/"),
    ("ODC-By-1.0", "https://opendatacommons.org/licenses/by/1-0/"),
    ("PDDL-1.0", "https://opendatacommons.org/licenses/pddl/1-0/"),
    ("etalab-2.0", "https://www.etalab.gouv.fr/licence-ouverte-open-licence/"),
];

impl Licence {
    /// Reads a licence by URL, SPDX id or name, in any of its usual spellings.
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        let of_path =
            |path: String| Self { spdx: spdx_of_path(&path), url: format!("https://creativecommons.org/{path}/") };
        if let Some(path) = creative_commons(text) {
            return of_path(path);
        }
        let name = strip_ignoring_case(text, "https://spdx.org/licenses/").unwrap_or(text);
        let name = name.trim_end_matches('/').trim_end_matches(".html").trim_end_matches(".json");
        if let Some((spdx, url)) = other(name) {
            return Self { url, spdx: Some(spdx) };
        }
        match path_of_name(name) {
            Some(path) => of_path(path),
            None => Self { url: text.to_owned(), spdx: None },
        }
    }

    /// The name people read: the SPDX id, else the URL.
    pub fn label(&self) -> &str {
        self.spdx.as_deref().unwrap_or(&self.url)
    }
}

fn strip_ignoring_case<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let head = text.get(..start.len())?;
    if head.eq_ignore_ascii_case(start) { text.get(start.len()..) } else { None }
}

/// The path below creativecommons.org without `deed`, `legalcode` or a language.
fn creative_commons(url: &str) -> Option<String> {
    let rest = ["https://", "http://"].iter().find_map(|start| strip_ignoring_case(url, start)).unwrap_or(url);
    let rest = strip_ignoring_case(rest, "www.").unwrap_or(rest);
    let rest = strip_ignoring_case(rest, "creativecommons.org/")?;
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let mut names: Vec<&str> = rest.split('/').filter(|name| !name.is_empty()).collect();
    names.retain(|name| !name.starts_with("deed") && !name.starts_with("legalcode"));
    if let ["licenses", "zero", version] = names.as_slice() {
        return Some(format!("publicdomain/zero/{version}"));
    }
    (names.len() >= 3).then(|| names.join("/").to_lowercase())
}

fn spdx_of_path(path: &str) -> Option<String> {
    let names: Vec<&str> = path.split('/').collect();
    let exists = |kind: &&str, version: &&str| KINDS.contains(kind) && VERSIONS.contains(version);
    match names.as_slice() {
        ["publicdomain", "zero", "1.0"] => Some("CC0-1.0".to_owned()),
        ["publicdomain", "mark", "1.0"] => Some("CC-PDM-1.0".to_owned()),
        ["licenses", kind, version] if exists(kind, version) => Some(format!("CC-{}-{version}", kind.to_uppercase())),
        ["licenses", kind, version, port] if exists(kind, version) && is_port(port) => {
            Some(format!("CC-{}-{version}-{}", kind.to_uppercase(), port.to_uppercase()))
        }
        _ => None,
    }
}

fn is_port(text: &str) -> bool {
    (2..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Licences by their SPDX id or the address of their text.
fn other(text: &str) -> Option<(String, String)> {
    let plain = |text: &str| {
        let text = text.trim_end_matches('/').trim_end_matches(".html").trim_end_matches(".txt").to_lowercase();
        let text = text.replacen("http://", "https://", 1).replacen("https://www.", "https://", 1);
        text.trim_end_matches(".en").replace("/license/", "/licenses/")
    };
    let found = OTHERS.iter().find(|(id, url)| id.eq_ignore_ascii_case(text) || plain(url) == plain(text));
    found.map(|(id, url)| ((*id).to_owned(), (*url).to_owned()))
}

/// The path of a Creative Commons licence by its SPDX id, `CC-BY-4.0`, or its name, `CC BY 4.0` or `Creative Commons
/// Attribution 4.0 International`.
fn path_of_name(text: &str) -> Option<String> {
    let words = text.to_lowercase().replace("creative commons", "cc").replace("cc0", "cc zero");
    let words: Vec<&str> = words.split([' ', '-', '_', '(', ')', ',']).filter(|word| !word.is_empty()).collect();
    let (first, rest) = words.split_first()?;
    if *first != "cc" {
        return None;
    }
    let (mut kind, mut version, mut port): (Vec<&str>, _, _) = (Vec::new(), None, None);
    for word in rest {
        match *word {
            "by" | "attribution" => kind.push("by"),
            "sa" | "sharealike" => kind.push("sa"),
            "nc" | "noncommercial" => kind.push("nc"),
            "nd" | "noderivatives" | "noderivs" => kind.push("nd"),
            "zero" => kind.push("zero"),
            "international" | "unported" | "generic" | "universal" | "license" | "licence" | "public" | "domain"
            | "dedication" => {}
            number if VERSIONS.contains(&number) && version.is_none() => version = Some(number),
            other if version.is_some() && port.is_none() && is_port(other) => port = Some(other),
            _ => return None,
        }
    }
    if kind == ["zero"] {
        return matches!(version, None | Some("1.0")).then(|| "publicdomain/zero/1.0".to_owned());
    }
    kind.dedup();
    let (kind, version) = (kind.join("-"), version?);
    let port = port.map_or_else(String::new, |port| format!("/{port}"));
    KINDS.contains(&kind.as_str()).then(|| format!("licenses/{kind}/{version}{port}"))
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
            "https://creativecommons.org/licenses/by/4.0/?ref=chooser-v1",
            "creativecommons.org/licenses/by/4.0",
            "https://spdx.org/licenses/CC-BY-4.0.html",
            "CC-BY-4.0",
            "cc-by-4.0",
            "CC BY 4.0",
            "Creative Commons Attribution 4.0 International",
        ] {
            let licence = Licence::read(text);
            assert_eq!(licence.url, "https://creativecommons.org/licenses/by/4.0/", "{text}");
            assert_eq!(licence.spdx.as_deref(), Some("CC-BY-4.0"), "{text}");
        }
        for text in [
            "https://creativecommons.org/publicdomain/zero/1.0/",
            "http://creativecommons.org/licenses/zero/1.0/",
            "CC0",
            "CC0 1.0 Universal",
            "CC0-1.0",
        ] {
            let licence = Licence::read(text);
            assert_eq!(licence.url, "https://creativecommons.org/publicdomain/zero/1.0/", "{text}");
            assert_eq!(licence.label(), "CC0-1.0");
        }
    }

    #[test]
    fn old_versions_ports_and_other_licences_are_named() {
        for (text, spdx) in [
            ("https://creativecommons.org/licenses/by-nc-sa/2.1/jp/", "CC-BY-NC-SA-2.1-JP"),
            ("http://creativecommons.org/licenses/by/2.1/jp/deed.ja", "CC-BY-2.1-JP"),
            ("https://creativecommons.org/licenses/by-nc-nd/3.0/", "CC-BY-NC-ND-3.0"),
            ("CC-BY-SA-2.1-JP", "CC-BY-SA-2.1-JP"),
            ("https://opensource.org/licenses/MIT", "MIT"),
            ("https://opensource.org/license/mit/", "MIT"),
            ("mit", "MIT"),
            ("http://www.apache.org/licenses/LICENSE-2.0.html", "Apache-2.0"),
            ("https://www.gnu.org/licenses/gpl-3.0.en.html", "GPL-3.0-only"),
        ] {
            assert_eq!(Licence::read(text).spdx.as_deref(), Some(spdx), "{text}");
        }
        for text in [
            "https://v18.proteinatlas.org/about/licence",
            "https://creativecommons.org/licenses/of-mine/4.0/",
            "CC",
            "CC BY",
            "CC BY 9.0",
            "ask the author",
            "",
        ] {
            assert_eq!(Licence::read(text).spdx, None, "{text}");
            assert_eq!(Licence::read(text).label(), text);
        }
    }

    #[test]
    fn reading_twice_changes_nothing() {
        for text in [
            "CC BY-NC 3.0",
            "MIT",
            "https://creativecommons.org/licenses/by/2.1/jp",
            "x",
            "http://gnu.org/licenses/gpl-3.0",
        ] {
            let once = Licence::read(text);
            assert_eq!(Licence::read(&once.url), once, "{text}");
        }
    }
}
