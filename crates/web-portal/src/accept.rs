//! Content negotiation (RFC 9110 §12.5.1) of the addresses that have more than one form.

use axum::http::{HeaderMap, header};
use node::ExportFormat;

/// A form of a dataset page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The page.
    Html,
    /// Its record in the form of another service.
    Export(ExportFormat),
    /// Its triples as Turtle.
    Turtle,
    /// Its triples as N-Triples.
    NTriples,
}

/// All forms, the best first where a client has no preference: plain `text/turtle` means the record's own triples.
fn forms() -> impl Iterator<Item = Form> {
    let exports = ExportFormat::ALL.into_iter().filter(|format| *format != ExportFormat::RoCrate).map(Form::Export);
    [Form::Html, Form::Export(ExportFormat::RoCrate), Form::Turtle, Form::NTriples].into_iter().chain(exports)
}

impl Form {
    /// The media types it is asked for by, the one it is sent as first.
    pub(crate) fn media_types(self) -> &'static [&'static str] {
        match self {
            Self::Html => &["text/html"],
            Self::Export(format) => format.media_types(),
            Self::Turtle => &["text/turtle"],
            Self::NTriples => &["application/n-triples"],
        }
    }

    fn profile(self) -> Option<&'static str> {
        match self {
            Self::Export(format) => format.profile(),
            Self::Html | Self::Turtle | Self::NTriples => None,
        }
    }

    /// The form by its name in `?format=`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "html" => Some(Self::Html),
            "jsonld" => Some(Self::Export(ExportFormat::RoCrate)),
            "turtle" => Some(Self::Turtle),
            "ntriples" => Some(Self::NTriples),
            other => ExportFormat::named(other).map(Self::Export),
        }
    }

    /// What can be asked for, in a line.
    pub(crate) fn offered() -> String {
        let mut lines: Vec<String> = Vec::new();
        for form in forms() {
            let media_type = form.media_types().first().copied().unwrap_or_default();
            let profile = form.profile().map(|profile| format!("; profile=\"{profile}\"")).unwrap_or_default();
            lines.push(format!("{media_type}{profile}"));
        }
        lines.join(", ")
    }
}

/// One media range of an `Accept` header.
#[derive(Debug)]
struct Range {
    media_type: String,
    profile: Option<String>,
    /// In thousandths.
    weight: u16,
}

/// How well a range names a form: not at all, by any type, by kind, by type, by type and profile.
type Specificity = u8;

/// The form the client likes best, and the media type by which it asked; nothing when it takes none of them.
pub(crate) fn negotiate(headers: &HeaderMap) -> Option<(Form, &'static str)> {
    let ranges = ranges(headers);
    if ranges.is_empty() {
        return Some((Form::Html, "text/html"));
    }
    let mut best: Option<(Form, &'static str, (u16, Specificity))> = None;
    for form in forms() {
        for media_type in form.media_types() {
            let Some((specificity, weight)) = quality(&ranges, form, media_type).filter(|(_, weight)| *weight > 0)
            else {
                continue;
            };
            // Who names a profile means it; apart from that, the order of forms decides among equals.
            let rank = (weight, Specificity::from(specificity == PROFILE));
            if best.is_none_or(|(_, _, before)| rank > before) {
                best = Some((form, media_type, rank));
            }
        }
    }
    best.map(|(form, media_type, _)| (form, media_type))
}

/// Whether a page is an answer this client can show.
pub(crate) fn takes_html(headers: &HeaderMap) -> bool {
    let ranges = ranges(headers);
    ranges.is_empty() || quality(&ranges, Form::Html, "text/html").is_some_and(|(_, weight)| weight > 0)
}

const PROFILE: Specificity = 4;

/// The most specific range that names a form by this media type, and its weight.
fn quality(ranges: &[Range], form: Form, media_type: &str) -> Option<(Specificity, u16)> {
    let of = |range: &Range| {
        let specificity = match range.media_type.strip_suffix("/*") {
            Some("*") => 1,
            Some(kind) => media_type.starts_with(&format!("{kind}/")).then_some(2)?,
            None if range.media_type != media_type => return None,
            // A profile of ours rules out the other forms of the type; any other, such as JSON-LD's own, says nothing here.
            None => match range.profile.as_deref().filter(|profile| is_ours(profile)) {
                Some(profile) => form.profile().is_some_and(|own| same(own, profile)).then_some(PROFILE)?,
                None => 3,
            },
        };
        Some((specificity, range.weight))
    };
    ranges.iter().filter_map(of).max_by_key(|(specificity, _)| *specificity)
}

fn is_ours(profile: &str) -> bool {
    ExportFormat::ALL.into_iter().filter_map(ExportFormat::profile).any(|own| same(own, profile))
}

/// Profiles are compared without their protocol, slash at the end and version below 1.
fn same(own: &str, profile: &str) -> bool {
    let bare = |text: &str| {
        let text = text.trim().trim_start_matches("https://").trim_start_matches("http://");
        text.trim_end_matches('/').to_ascii_lowercase()
    };
    let (own, profile) = (bare(own), bare(profile));
    own == profile || profile.strip_prefix(&own).is_some_and(|rest| rest.starts_with("/1"))
}

fn ranges(headers: &HeaderMap) -> Vec<Range> {
    let fields = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    fields.flat_map(|field| split(field, ',')).filter_map(range).collect()
}

/// Splits where a mark stands outside of quotes.
fn split(text: &str, mark: char) -> Vec<&str> {
    let mut quoted = false;
    let parts = text.split(move |c| {
        quoted ^= c == '"';
        c == mark && !quoted
    });
    parts.map(str::trim).collect()
}

fn range(text: &str) -> Option<Range> {
    let mut parts = split(text, ';').into_iter();
    let media_type = parts.next().filter(|range| range.contains('/'))?.to_ascii_lowercase();
    let (mut profile, mut weight) = (None, 1000);
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => weight = thousandths(value.trim()),
            "profile" => profile = Some(value.trim().trim_matches('"').to_owned()),
            _ => {}
        }
    }
    Some(Range { media_type, profile, weight })
}

/// `0.8` as 800; what is no weight counts as none.
fn thousandths(text: &str) -> u16 {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = decimals.chars().chain("000".chars()).take(3).collect();
    match (whole, digits.parse::<u16>()) {
        ("0", Ok(part)) => part,
        ("1", Ok(0)) => 1000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn for_accept(accept: &str) -> Option<Form> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        negotiate(&headers).map(|(form, _)| form)
    }

    const CRATE: Option<Form> = Some(Form::Export(ExportFormat::RoCrate));

    #[test]
    fn browsers_get_the_page() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        assert_eq!(for_accept(browser), Some(Form::Html));
        assert_eq!(for_accept("*/*"), Some(Form::Html));
        assert_eq!(negotiate(&HeaderMap::new()), Some((Form::Html, "text/html")));
    }

    #[test]
    fn machines_get_what_they_name() {
        assert_eq!(for_accept("application/ld+json"), CRATE);
        assert_eq!(for_accept("application/ld+json;profile=\"http://www.w3.org/ns/json-ld#compacted\""), CRATE);
        assert_eq!(for_accept("text/turtle, application/ld+json;q=0.5"), Some(Form::Turtle));
        assert_eq!(for_accept("application/n-triples"), Some(Form::NTriples));
        assert_eq!(for_accept("text/html;q=0.3, text/turtle;q=0.9"), Some(Form::Turtle));
        assert_eq!(for_accept("application/x-bibtex"), Some(Form::Export(ExportFormat::BibTex)));
        assert_eq!(for_accept("text/xml, application/rdf+xml"), Some(Form::Export(ExportFormat::DataCiteXml)));
        let preferences = "application/vnd.datacite.datacite+json;q=0.9, application/vnd.citationstyles.csl+json";
        assert_eq!(for_accept(preferences), Some(Form::Export(ExportFormat::CslJson)));
    }

    #[test]
    fn a_profile_chooses_among_forms_of_one_media_type() {
        for format in ExportFormat::ALL {
            let Some(profile) = format.profile() else { continue };
            let accept = format!("{}; profile=\"{profile}\"; q=0.5, text/html;q=0.4", format.media_type());
            assert_eq!(for_accept(&accept), Some(Form::Export(format)), "{accept}");
        }
        assert_eq!(for_accept("application/ld+json;profile=https://w3id.org/ro/crate/1.2"), CRATE);
        let schema_org = Some(Form::Export(ExportFormat::SchemaOrg));
        assert_eq!(for_accept("application/ld+json;profile=\"http://schema.org/\", application/ld+json"), schema_org);
        assert_eq!(for_accept("text/turtle;profile=\"a,b;c\""), Some(Form::Turtle));
    }

    #[test]
    fn every_export_can_be_had_by_its_own_media_type() {
        for format in ExportFormat::ALL {
            let accept = format.content_type();
            let wanted = match format {
                // The record's own triples, and the first of several kinds of XML, unless a profile is named.
                ExportFormat::DcatTurtle => Form::Turtle,
                ExportFormat::DublinCore | ExportFormat::Jpcoar => Form::Export(ExportFormat::DataCiteXml),
                other => Form::Export(other),
            };
            assert_eq!(for_accept(&accept), Some(wanted), "{accept}");
        }
    }

    #[test]
    fn a_form_ruled_out_with_weight_zero_is_not_given() {
        assert_eq!(for_accept("text/html;q=0, */*;q=0.1"), CRATE);
        assert_eq!(for_accept("image/png"), None);
        assert_eq!(for_accept("text/html;q=nonsense"), None);
    }

    #[test]
    fn every_named_form_can_be_asked_for_in_the_address() {
        assert_eq!(Form::named("turtle"), Some(Form::Turtle));
        assert_eq!(Form::named("ro-crate"), CRATE);
        assert_eq!(Form::named("exe"), None);
        assert!(Form::offered().contains("profile=\"http://mlcommons.org/croissant/1.1\""));
    }
}
