//! Content codings.

use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// Returns whether a body with these headers is compressed or otherwise encoded, so that a classifier cannot read it.
///
/// Every `Content-Encoding` header counts. The value `identity` stands for no coding (RFC 9110, section 12.5.3). It is
/// trimmed and compared without regard to ASCII case.
pub(crate) fn is_encoded(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    codings.any(|coding| !coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity"))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn encoded(codings: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for coding in codings {
            headers.append(CONTENT_ENCODING, HeaderValue::from_str(coding).unwrap());
        }
        is_encoded(&headers)
    }

    #[test]
    fn a_body_without_a_coding_is_not_encoded() {
        assert!(!encoded(&[]));
    }

    #[test]
    fn identity_is_no_coding_in_any_case_and_with_spaces() {
        for identity in ["identity", "Identity", "IDENTITY", " identity\t"] {
            assert!(!encoded(&[identity]), "{identity:?}");
        }
        assert!(!encoded(&["identity", "Identity"]));
    }

    #[test]
    fn every_other_value_is_a_coding() {
        for coding in ["gzip", "br", "zstd", "", "identity, gzip", "identity;q=1", "unknown"] {
            assert!(encoded(&[coding]), "{coding:?}");
        }
    }

    #[test]
    fn every_header_counts() {
        assert!(encoded(&["identity", "gzip"]));
        assert!(encoded(&["gzip", "identity"]));
    }

    #[test]
    fn bytes_that_are_not_text_are_a_coding() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_bytes(b"\xff").unwrap());
        assert!(is_encoded(&headers));
    }
}
