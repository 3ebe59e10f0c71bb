use std::time::Duration;

use http::{HeaderMap, HeaderValue, Version, response};
use http_body::{Body, Frame};
use reqwest::ResponseBuilderExt;

use super::convert::{from_reqwest, into_reqwest};
use crate::classify::{BreakerBody, Classified, Classify, Http, Verdict};
use crate::{
    BoxError, BreakerHandle, Class, Outcome, Settings,
    classify::{AnswerFor, ToOutcome},
};

const URL: &str = "https://api.example.com/v1?q=1";

fn response(status: u16, body: impl Into<reqwest::Body>) -> reqwest::Response {
    let head = response::Builder::new().status(status).url(URL.parse().unwrap());
    head.body(body).unwrap().into()
}

/// Passes a response through the classifier of a client.
fn classified<Req: 'static>(
    request: &Req,
    response: reqwest::Response,
    handle: &BreakerHandle,
) -> reqwest::Response {
    let http = Http::client();
    let permit = handle.try_acquire().unwrap();
    let info = Classify::<Req, reqwest::Response, ()>::request(&http, request);
    let classified = Classify::<Req, _, ()>::result(&http, info, Ok(response), permit);
    let Classified::Ready(result) = classified else { panic!("the response is deferred") };
    result.unwrap()
}

fn handle() -> BreakerHandle {
    BreakerHandle::new("api", Settings::http_client())
}

/// Two frames and trailers, of unknown size.
fn stream() -> reqwest::Body {
    let mut trailers = HeaderMap::new();
    trailers.insert("sum", HeaderValue::from_static("7"));
    let frames = [
        Ok(Frame::data(bytes::Bytes::from_static(b"one"))),
        Ok(Frame::data(bytes::Bytes::from_static(b"two"))),
        Ok::<_, std::io::Error>(Frame::trailers(trailers)),
    ];
    reqwest::Body::wrap(http_body_util::StreamBody::new(futures_util::stream::iter(frames)))
}

#[tokio::test]
async fn a_response_is_unchanged_after_both_conversions() {
    for body in
        [BreakerBody::new, |body| BreakerBody::guarded(body, handle().try_acquire().unwrap())]
    {
        let mut original = response(206, "body");
        original.headers_mut().insert("x", HeaderValue::from_static("y"));
        original.extensions_mut().insert(7u8);
        let mut there = from_reqwest(original);
        *there.version_mut() = Version::HTTP_2;
        let back = into_reqwest(there.map(body));
        assert_eq!(back.url().as_str(), URL);
        assert_eq!((back.status().as_u16(), back.version()), (206, Version::HTTP_2));
        assert_eq!(back.headers()["x"], "y");
        assert_eq!(back.extensions().get::<u8>(), Some(&7));
        assert_eq!(back.extensions().len(), 1);
        assert_eq!(back.content_length(), Some(4));
        assert_eq!(back.text().await.unwrap(), "body");
    }
}

#[tokio::test]
async fn the_end_of_a_body_settles_the_call_and_frames_pass_unchanged() {
    let handle = handle();
    let mut response = classified(&"any request", response(200, stream()), &handle);
    assert_eq!(response.content_length(), None);
    assert_eq!(handle.snapshot().totals.success, 0);
    assert_eq!(response.chunk().await.unwrap().unwrap(), "one");
    assert_eq!(response.chunk().await.unwrap().unwrap(), "two");
    assert_eq!(response.chunk().await.unwrap(), None);
    assert_eq!(handle.snapshot().totals.success, 1);
}

#[test]
fn the_head_of_an_error_settles_the_call_and_its_body_is_unchanged() {
    let handle = handle();
    let response = classified(&(), response(503, "busy"), &handle);
    assert_eq!(handle.snapshot().totals.failure, 1);
    let body = http::Response::<reqwest::Body>::from(response).into_body();
    assert_eq!(body.size_hint().exact(), Some(4));
}

#[test]
fn an_unread_response_is_a_cancelled_call() {
    let handle = handle();
    drop(classified(&(), response(200, stream()), &handle));
    assert_eq!(handle.snapshot().totals.cancelled, 1);
}

#[test]
fn a_head_request_is_settled_with_its_head() {
    let handle = handle();
    let head = reqwest::Request::new(http::Method::HEAD, URL.parse().unwrap());
    let kept = classified(&head, response(200, stream()), &handle);
    assert_eq!(handle.snapshot().totals.success, 1);
    drop(kept);
    let get = reqwest::Request::new(http::Method::GET, URL.parse().unwrap());
    let kept = classified(&get, response(200, stream()), &handle);
    assert_eq!(handle.snapshot().totals.success, 1);
    drop(kept);
}

#[test]
fn a_response_is_classified_by_its_verdict_then_by_its_head() {
    let mut limited = response(429, "");
    limited.headers_mut().insert("retry-after", HeaderValue::from_static("3"));
    assert_eq!(limited.to_outcome().class(), Class::Throttled);
    assert_eq!(limited.to_outcome().wait(), Some(Duration::from_secs(3)));
    limited.extensions_mut().insert(Verdict(Outcome::exhausted()));
    assert_eq!(limited.to_outcome().class(), Class::Exhausted);
    let through = into_reqwest(from_reqwest(limited).map(BreakerBody::new));
    assert_eq!(through.to_outcome().class(), Class::Exhausted);
    assert_eq!(response(404, "").to_outcome().class(), Class::Success);
}

#[test]
fn a_request_that_cannot_be_built_is_ignored() {
    fn parsed(url: impl reqwest::IntoUrl) -> reqwest::Error {
        url.into_url().unwrap_err()
    }
    fn ended<E: 'static>(error: E) -> u64 {
        let handle = handle();
        let permit = handle.try_acquire().unwrap();
        let classified = Classify::<(), reqwest::Response, E>::result(
            &Http::client(),
            false,
            Err(error),
            permit,
        );
        assert!(matches!(classified, Classified::Ready(Err(_))));
        let totals = handle.snapshot().totals;
        assert_eq!(totals.failure + totals.ignored, 1);
        totals.ignored
    }
    assert_eq!(ended(parsed("no url")), 1);
    assert_eq!(ended(BoxError::from(parsed("no url"))), 1);
    assert_eq!(ended(BoxError::from(std::io::Error::other(parsed("no url")))), 1);
    let status = || response(500, "").error_for_status().unwrap_err();
    assert_eq!(ended(status()), 0);
    assert_eq!(ended(BoxError::from(status())), 0);
    #[cfg(feature = "reqwest-middleware")]
    {
        assert_eq!(ended(reqwest_middleware::Error::from(parsed("no url"))), 1);
        assert_eq!(ended(reqwest_middleware::Error::from(status())), 0);
    }
}

#[test]
fn a_response_of_the_http_crate_is_an_answer() {
    let answer: reqwest::Response =
        response::Builder::new().url(URL.parse().unwrap()).body("kept").unwrap().into_answer();
    assert_eq!(answer.url().as_str(), URL);
    let guarded = http::Response::new(BreakerBody::new(stream()));
    let _answer: reqwest::Response = guarded.into_answer();
}

#[cfg(feature = "llm")]
#[tokio::test]
async fn the_body_of_an_llm_error_is_read_and_kept() {
    use crate::Provider;
    use crate::llm::Llm;

    let body = r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    let mut error = response(429, reqwest::Body::wrap(http_body_util::Full::new(body.as_bytes())));
    error.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    let handle = BreakerHandle::new("llm", Settings::llm());
    let permit = handle.try_acquire().unwrap();
    let llm = Llm::new(Provider::OpenAi);
    let classified = Classify::<(), _, ()>::result(&llm, false, Ok(error), permit);
    let Classified::Deferred(deferred) = classified else { panic!("the response is not deferred") };
    let response = deferred.await.unwrap();
    assert_eq!(handle.snapshot().totals.exhausted, 1);
    assert_eq!(response.to_outcome().class(), Class::Exhausted);
    assert_eq!(response.url().as_str(), URL);
    assert_eq!(response.text().await.unwrap(), body);
}
