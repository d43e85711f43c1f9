//! Content negotiation (RFC 9110 §12.5.1) of the addresses that have more than one form.

use axum::http::{HeaderMap, header};

/// A form of a dataset page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The page.
    Html,
    /// The RO-Crate, byte for byte.
    Crate,
    /// Its triples as Turtle.
    Turtle,
    /// Its triples as N-Triples.
    NTriples,
}

/// The forms, the best first where a client has no preference.
const FORMS: [Form; 4] = [Form::Html, Form::Crate, Form::Turtle, Form::NTriples];

impl Form {
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html",
            Self::Crate => "application/ld+json",
            Self::Turtle => "text/turtle",
            Self::NTriples => "application/n-triples",
        }
    }

    /// The form by its name in `?format=`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "html" => Some(Self::Html),
            "ro-crate" | "jsonld" => Some(Self::Crate),
            "turtle" => Some(Self::Turtle),
            "ntriples" => Some(Self::NTriples),
            _ => None,
        }
    }
}

/// The form the client likes best; nothing when it takes none of them.
pub(crate) fn negotiate(headers: &HeaderMap) -> Option<Form> {
    let accepted = accepted(headers);
    if accepted.is_empty() {
        return Some(Form::Html);
    }
    let weighed = FORMS.into_iter().map(|form| (form, quality(&accepted, form.media_type())));
    let mut best: Option<(Form, u16)> = None;
    for (form, quality) in weighed.filter(|(_, quality)| *quality > 0) {
        if best.is_none_or(|(_, before)| quality > before) {
            best = Some((form, quality));
        }
    }
    best.map(|(form, _)| form)
}

/// Whether a page is an answer this client can show.
pub(crate) fn takes_html(headers: &HeaderMap) -> bool {
    let accepted = accepted(headers);
    accepted.is_empty() || quality(&accepted, Form::Html.media_type()) > 0
}

/// Media ranges with their weights in thousandths.
fn accepted(headers: &HeaderMap) -> Vec<(String, u16)> {
    let fields = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    fields.flat_map(|field| field.split(',')).filter_map(range).collect()
}

fn range(text: &str) -> Option<(String, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let media_range = parts.next().filter(|range| range.contains('/'))?.to_ascii_lowercase();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    Some((media_range, weight.map_or(1000, thousandths)))
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

/// The weight of the most specific range that matches.
fn quality(accepted: &[(String, u16)], media_type: &str) -> u16 {
    let kind = media_type.split('/').next().unwrap_or_default();
    let any_of_kind = format!("{kind}/*");
    [media_type, &any_of_kind, "*/*"]
        .into_iter()
        .find_map(|wanted| accepted.iter().find(|(range, _)| range == wanted))
        .map_or(0, |(_, weight)| *weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn for_accept(accept: &str) -> Option<Form> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        negotiate(&headers)
    }

    #[test]
    fn browsers_get_the_page() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        assert_eq!(for_accept(browser), Some(Form::Html));
        assert_eq!(for_accept("*/*"), Some(Form::Html));
        assert_eq!(negotiate(&HeaderMap::new()), Some(Form::Html));
    }

    #[test]
    fn machines_get_what_they_name() {
        assert_eq!(for_accept("application/ld+json"), Some(Form::Crate));
        assert_eq!(
            for_accept("application/ld+json;profile=\"http://www.w3.org/ns/json-ld#compacted\""),
            Some(Form::Crate)
        );
        assert_eq!(for_accept("text/turtle, application/ld+json;q=0.5"), Some(Form::Turtle));
        assert_eq!(for_accept("application/n-triples"), Some(Form::NTriples));
        assert_eq!(for_accept("text/html;q=0.3, text/turtle;q=0.9"), Some(Form::Turtle));
    }

    #[test]
    fn a_form_ruled_out_with_weight_zero_is_not_given() {
        assert_eq!(for_accept("text/html;q=0, */*;q=0.1"), Some(Form::Crate));
        assert_eq!(for_accept("image/png"), None);
        assert_eq!(for_accept("text/html;q=nonsense"), None);
    }

    #[test]
    fn every_named_form_can_be_asked_for_in_the_address() {
        assert_eq!(Form::named("turtle"), Some(Form::Turtle));
        assert_eq!(Form::named("exe"), None);
    }
}
