//! Heads of responses.

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::input::Input;

/// The headers that the classifiers read.
const NAMES: [&str; 8] = [
    "retry-after",
    "retry-after-ms",
    "x-ms-retry-after-ms",
    "grpc-retry-pushback-ms",
    "grpc-status",
    "x-circuit-open",
    "content-type",
    "retry-after",
];

/// Parses lines of a header number and a value. Lines whose value is not a valid header value are skipped.
pub(crate) fn headers(lines: &[u8]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n').take(16) {
        let Some((name, value)) = line.split_first() else { continue };
        let name = HeaderName::from_static(NAMES[usize::from(*name) % NAMES.len()]);
        if let Ok(value) = HeaderValue::from_bytes(value) {
            map.append(name, value);
        }
    }
    map
}

/// Parses a status and header lines.
pub(crate) fn response(input: &mut Input<'_>) -> Response<String> {
    const COMMON: [u16; 12] = [200, 200, 200, 429, 503, 500, 501, 505, 402, 404, 529, 302];
    let status = match input.byte() {
        common @ 0..=199 => COMMON[usize::from(common) % COMMON.len()],
        high => u16::from(high - 200) * 16 + u16::from(input.byte()) % 16 + 100,
    };
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    *response.headers_mut() = headers(input.take(4096));
    response
}
