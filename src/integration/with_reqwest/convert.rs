//! Conversions between the responses of reqwest and of the http crate. No conversion reads the body.

use std::mem;

use bytes::Bytes;
use http::{Extensions, Response};
use http_body::Body;
use reqwest::ResponseBuilderExt;

use crate::BoxError;
use crate::classify::BreakerBody;

/// Wraps the body of a guarded service. Frames pass as they arrive, and the end of the body settles the call.
impl<B> From<BreakerBody<B>> for reqwest::Body
where
    B: Body<Data: Into<Bytes>, Error: Into<BoxError>>,
    BreakerBody<B>: Send + Sync + 'static,
{
    fn from(body: BreakerBody<B>) -> Self {
        Self::wrap(body)
    }
}

/// Converts a response of the http crate to one of reqwest, with the given URL. It does not read the body.
///
/// A guarded stack on hyper or tower-http can thus offer the methods of reqwest: `json`, `bytes_stream`,
/// `error_for_status`. The conversion in reqwest itself sets no URL.
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
/// assert_eq!(response.text().await.unwrap(), "[1, 2]");
/// # }
/// ```
pub fn reqwest_response<B>(url: reqwest::Url, mut response: Response<B>) -> reqwest::Response
where
    B: Into<reqwest::Body>,
{
    set_url(response.extensions_mut(), url);
    response.into()
}

/// Stores the URL in the form in which reqwest looks it up.
fn set_url(extensions: &mut Extensions, url: reqwest::Url) {
    if let Some(with_url) = http::response::Builder::new().url(url).extensions_mut() {
        extensions.extend(mem::take(with_url));
    }
}

/// Converts a response of reqwest and stores its URL in the extensions. The conversion in reqwest drops the URL.
pub(super) fn from_reqwest(response: reqwest::Response) -> Response<reqwest::Body> {
    let url = response.url().clone();
    let mut response = Response::<reqwest::Body>::from(response);
    set_url(response.extensions_mut(), url);
    response
}

/// Converts back to a response of reqwest. The body carries the permit if the call has not been settled.
pub(super) fn into_reqwest(response: Response<BreakerBody<reqwest::Body>>) -> reqwest::Response {
    reqwest::Response::from(
        response.map(|body| body.into_settled().map_or_else(Into::into, Option::unwrap_or_default)),
    )
}
