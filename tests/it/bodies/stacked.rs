//! Guarded bodies combined with the other layers and bodies of a stack.

use std::convert::Infallible;
use std::future::{Ready, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Empty, Full, Limited};
use tower::retry::Policy;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::classify::{Http, SettleAt};
use tower_breaker::{BreakerHandle, CircuitBreakerLayer, Class, FallbackLayer};

use super::client::*;
use super::script::Step::{Breaks, Data, Trailers, Waits};
use super::script::{Script, Step, breaker};
use crate::support::sockets::{Act, RawServer, answer_and_close, answer_and_hang, write};

const WHOLE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
const BROKEN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello";

fn counting_layer() -> (CircuitBreakerLayer<Http>, BreakerHandle) {
    let layer = breaker(counting(), SettleAt::End);
    let handle = layer.handle();
    (layer, handle)
}

/// Responds to each request with the script.
fn scripted(
    steps: &'static [Step],
) -> impl Service<Request<()>, Response = Response<Script>, Error = Infallible> + Clone {
    service_fn(move |_| ready(Ok(Response::new(Script::new(steps)))))
}

async fn one<S: Service<Request<()>>>(service: S) -> S::Response
where
    S::Error: std::fmt::Debug,
{
    service.oneshot(Request::new(())).await.expect("a response")
}

#[tokio::test]
async fn two_breakers_count_a_body_once_each() {
    for (steps, polls, class) in [
        (&[Data(5), Trailers][..], 9, Class::Success),
        (&[Data(5)], 9, Class::Success),
        (&[Data(5), Breaks], 9, Class::Failure),
        (&[Breaks], 9, Class::Failure),
        (&[Data(5), Waits], 1, Class::Success),
        (&[Data(5), Waits], 0, Class::Cancelled),
    ] {
        let ((outer, outside), (inner, inside)) = (counting_layer(), counting_layer());
        let service = ServiceBuilder::new().layer(outer).layer(inner).service(scripted(steps));
        let mut body = one(service).await.into_body();
        for _ in 0..polls {
            let _ = body.frame().await;
        }
        drop(body);
        ended_now(&inside, &[(class, 1)]);
        ended_now(&outside, &[(class, 1)]);
    }
}

#[tokio::test]
async fn two_breakers_over_a_socket_count_a_body_once_each() {
    for (page, received, class) in [
        (WHOLE, Received::data("hello"), Class::Success),
        (BROKEN, Received::broken("hello"), Class::Failure),
        ("HTTP/1.1 204 No Content\r\n\r\n", Received::default(), Class::Success),
    ] {
        let server = RawServer::start(answer_and_close(page)).await;
        let (client, inside) = counted(http1());
        let (client, outside) = counted_service(client);
        let answer = get(&client, server.address).await.unwrap();
        assert_eq!(receive(answer.into_body()).await, received);
        ended_now(&inside, &[(class, 1)]);
        ended_now(&outside, &[(class, 1)]);
    }
}

#[tokio::test]
async fn a_good_body_under_a_fallback_is_settled_by_its_breaker() {
    for (page, received, class) in [
        (WHOLE, Received::data("hello"), Class::Success),
        (BROKEN, Received::broken("hello"), Class::Failure),
        (
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nbusy",
            Received::data("spare"),
            Class::Failure,
        ),
    ] {
        let server = RawServer::start(answer_and_close(page)).await;
        let (client, handle) = counted(http1());
        let spare = Response::new(Full::new(Bytes::from_static(b"spare")));
        let client = FallbackLayer::value(spare).either_body().layer(client);
        let answer = get(&client, server.address).await.unwrap();
        assert_eq!(receive(answer.into_body()).await, received);
        ended_now(&handle, &[(class, 1)]);
    }
}

#[tokio::test]
async fn a_body_limit_inside_is_a_failure_and_one_outside_is_a_success() {
    for (bytes, inside, outside) in
        [(20, Class::Success, Class::Success), (7, Class::Failure, Class::Success)]
    {
        let (layer, handle) = counting_layer();
        let limited = scripted(&[Data(5), Data(5), Data(5)])
            .map_response(move |response| response.map(|body| Limited::new(body, bytes)));
        let body = one(layer.layer(limited)).await.into_body();
        assert_eq!(body.collect().await.is_ok(), bytes == 20);
        ended_now(&handle, &[(inside, 1)]);

        let (layer, handle) = counting_layer();
        let limited = layer
            .layer(scripted(&[Data(5), Data(5), Data(5)]))
            .map_response(move |response| response.map(|body| Limited::new(body, bytes)));
        let body = one(limited).await.into_body();
        assert_eq!(body.collect().await.is_ok(), bytes == 20);
        ended_now(&handle, &[(outside, 1)]);
    }
}

#[tokio::test]
async fn errors_that_are_mapped_on_either_side_are_one_failure() {
    let (layer, handle) = counting_layer();
    let inner = scripted(&[Data(5), Breaks])
        .map_response(|response| response.map(|body| body.map_err(|error| format!("{error}!"))));
    let outer = layer
        .layer(inner)
        .map_response(|response| response.map(|body| body.map_err(|error| format!("{error}?"))));
    let error = one(outer).await.into_body().collect().await.err().unwrap();
    assert_eq!(error, "broken as ordered!?");
    ended_now(&handle, &[(Class::Failure, 1)]);
}

#[tokio::test]
async fn a_boxed_body_still_settles_its_call() {
    let (layer, handle) = counting_layer();
    let boxed = layer
        .layer(scripted(&[Data(5), Trailers]))
        .map_response(|response: Response<_>| response.map(BodyExt::boxed_unsync));
    let body = one(boxed).await.into_body();
    assert_eq!(body.size_hint().lower(), 5);
    assert!(body.collect().await.unwrap().trailers().is_some());
    ended_now(&handle, &[(Class::Success, 1)]);
}

/// Retries a response that has the header `x-again`, whatever its status.
#[derive(Clone)]
struct Again;

impl<B, E> Policy<Request<Empty<Bytes>>, Response<B>, E> for Again {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<Empty<Bytes>>,
        result: &mut Result<Response<B>, E>,
    ) -> Option<Ready<()>> {
        let again = result.as_ref().is_ok_and(|answer| answer.headers().contains_key("x-again"));
        again.then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Request<Empty<Bytes>>) -> Option<Request<Empty<Bytes>>> {
        Some(request.clone())
    }
}

#[tokio::test]
async fn the_body_that_a_retry_drops_is_settled_once() {
    for (head, class) in [
        ("HTTP/1.1 503 Busy\r\nx-again: 1\r\ncontent-length: 4\r\n\r\nbusy", Class::Failure),
        ("HTTP/1.1 200 OK\r\nx-again: 1\r\ncontent-length: 4\r\n\r\nwait", Class::Cancelled),
        ("HTTP/1.1 200 OK\r\nx-again: 1\r\ncontent-length: 0\r\n\r\n", Class::Success),
    ] {
        let (client, handle) = counted_service(attempts([head, head, WHOLE]).await);
        let client = ServiceBuilder::new().retry(Again).service(client);
        let answer = client.oneshot(Request::new(Empty::new())).await.unwrap();
        assert_eq!(receive(answer.into_body()).await, Received::data("hello"));
        ended_now(&handle, &[(class, 2), (Class::Success, 1)]);
    }
}

/// A client that sends each call to the next server. Each server has one page.
async fn attempts(
    pages: [&'static str; 3],
) -> impl Service<Request<Empty<Bytes>>, Response = Response<hyper::body::Incoming>, Error = BoxError>
+ Clone {
    let mut servers = Vec::new();
    for page in pages {
        servers.push(RawServer::start(answer_and_hang(page)).await);
    }
    let servers = std::sync::Arc::new(servers);
    let client = http1();
    let next = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    service_fn(move |_: Request<Empty<Bytes>>| {
        let turn = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let (client, address) = (client.clone(), servers[turn].address);
        async move { Ok(get(&client, address).await?) }
    })
}

#[tokio::test]
async fn the_rejection_of_an_inner_breaker_is_ignored_by_the_outer_one() {
    let server = RawServer::start(vec![Act::Request, write(BROKEN)]).await;
    let (client, inside) = counted(http1());
    let (client, outside) = counted_service(client);
    inside.force_open(None);
    assert!(get(&client, server.address).await.is_err());
    ended_now(&outside, &[(Class::Ignored, 1)]);
    assert_eq!(inside.snapshot().totals.rejected, 1);
}
