//! Between reqwest's responses and those of the http crate, without reading a body.

use std::mem;

use bytes::Bytes;
use http::{Extensions, Response};
use http_body::Body;
use reqwest::ResponseBuilderExt;

use crate::BoxError;
use crate::classify::BreakerBody;

/// The body of a guarded service as one of reqwest's. It is not read here: its frames pass as they come, and its end
/// settles the call.
impl<B> From<BreakerBody<B>> for reqwest::Body
where
    B: Body<Data: Into<Bytes>, Error: Into<BoxError>>,
    BreakerBody<B>: Send + Sync + 'static,
{
    fn from(body: BreakerBody<B>) -> Self {
        Self::wrap(body)
    }
}

/// A response of the http crate as one of reqwest's, with the URL that it came from. Its body is not read here.
///
/// With it, a guarded stack of hyper's or tower-http's gives what callers of reqwest know: `json`, `bytes_stream`,
/// `error_for_status`. reqwest's own conversion does the same, and knows no URL.
///
/// ```
/// use tower_breaker::{BreakerBody, integration::with_reqwest::reqwest_response};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let response = http::Response::new(BreakerBody::new("[1, 2]".to_owned()));
/// let url = reqwest::Url::parse("https://api.example.com/v1").unwrap();
/// let response = reqwest_response(url, response);
///
/// assert_eq!(response.url().as_str(), "https://api.example.com/v1");
/// assert_eq!(response.json::<Vec<u32>>().await.unwrap(), [1, 2]);
/// # }
/// ```
pub fn reqwest_response<B>(url: reqwest::Url, mut response: Response<B>) -> reqwest::Response
where
    B: Into<reqwest::Body>,
{
    set_url(response.extensions_mut(), url);
    response.into()
}

/// The URL as reqwest finds it there.
fn set_url(extensions: &mut Extensions, url: reqwest::Url) {
    if let Some(with_url) = http::response::Builder::new().url(url).extensions_mut() {
        extensions.extend(mem::take(with_url));
    }
}

/// The URL goes along in the extensions: reqwest's own conversion forgets it.
pub(super) fn from_reqwest(response: reqwest::Response) -> Response<reqwest::Body> {
    let url = response.url().clone();
    let mut response = Response::<reqwest::Body>::from(response);
    set_url(response.extensions_mut(), url);
    response
}

/// The way back. The body carries the permit on, if the call has not ended.
pub(super) fn into_reqwest(response: Response<BreakerBody<reqwest::Body>>) -> reqwest::Response {
    reqwest::Response::from(response.map(|body| body.settled().unwrap_or_else(Into::into)))
}
