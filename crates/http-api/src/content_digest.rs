//! `Content-Digest` and `Repr-Digest` (RFC 9530): `sha-256=:<base64>:`.

use axum::http::HeaderMap;
use base64::{Engine, engine::general_purpose::STANDARD};
use dataset_model::Digest;

use crate::Problem;

/// The digest a client promises for the body it sends, where it promises one.
pub(crate) fn promised(headers: &HeaderMap) -> Result<Option<Digest>, Problem> {
    let Some(value) = headers.get("content-digest") else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let ours = text.split(',').find_map(|member| member.trim().strip_prefix("sha-256="));
    let encoded = ours.and_then(|value| value.strip_prefix(':')?.strip_suffix(':'));
    let bytes = encoded.and_then(|encoded| STANDARD.decode(encoded).ok()).and_then(|bytes| bytes.try_into().ok());
    let expected = || Problem::invalid(format!("Content-Digest '{text}': send 'sha-256=:<base64 of 32 bytes>:'"));
    bytes.map(|bytes| Some(Digest::from_bytes(bytes))).ok_or_else(expected)
}

/// A digest as the field value.
pub(crate) fn field(digest: &Digest) -> String {
    format!("sha-256=:{}:", STANDARD.encode(digest.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("content-digest", value.parse().unwrap());
        headers
    }

    #[test]
    fn what_is_written_is_read() {
        let digest = Digest::of("bytes");
        assert_eq!(promised(&headers(&field(&digest))).unwrap(), Some(digest));
        let several = format!("sha-512=:AAAA:, {}", field(&digest));
        assert_eq!(promised(&headers(&several)).unwrap(), Some(digest));
        assert_eq!(promised(&HeaderMap::new()).unwrap(), None);
    }

    #[test]
    fn a_digest_that_cannot_be_read_is_refused_not_ignored() {
        for bad in ["md5=:AAAA:", "sha-256=AAAA", "sha-256=:AAAA:", "x"] {
            assert!(promised(&headers(bad)).is_err(), "{bad}");
        }
    }
}
