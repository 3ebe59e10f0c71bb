//! An outage inside good responses, like the 80 minutes of Anthropic in BerriAI/litellm#24005, which no status showed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Empty;
use tower::{BoxError, Layer, Service};
use tower_breaker::{Backoff, BreakerBody, Cause, FallbackLayer, Provider, Settings, State, Trip};

use super::client::{Clients, LONG, get, holding, read_all};
use super::corpus::{Case, streams};
use super::random::Random;
use super::server::{Pieces, Wire, serve};

/// A server that sends streams of the corpus: good ones, or overloaded ones during the outage.
#[derive(Clone, Default)]
struct Anthropic {
    overloaded: Arc<AtomicBool>,
    calls: Arc<AtomicU64>,
}

impl Anthropic {
    fn answer(&self, good: &Case, bad: &[Case]) -> Response<Pieces> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let mut random = Random::of(&format!("outage {call}"));
        let case = match self.overloaded.load(Ordering::Relaxed) {
            true => &bad[random.below(bad.len())],
            false => good,
        };
        let longest = 1 + random.below(200);
        let mut answer = Response::new(Pieces::of(random.pieces(&case.body, longest)));
        *answer.headers_mut() = case.headers.clone();
        answer
    }

    fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

fn named(names: &[&str]) -> Vec<Case> {
    let streams = streams().into_iter().map(|(case, _)| case);
    let found: Vec<_> = streams.filter(|case| names.contains(&&*case.name)).collect();
    assert_eq!(found.len(), names.len());
    found
}

async fn text<S>(service: &S, uri: &Uri) -> Vec<u8>
where
    S: Service<
            Request<Empty<Bytes>>,
            Response = Response<BreakerBody<hyper::body::Incoming>>,
            Error = BoxError,
        > + Clone,
{
    read_all(get(service, uri.clone()).await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn an_outage_inside_good_responses_opens_the_circuit_and_callers_do_not_see_it() {
    let good = named(&["anthropic/stream_messages"]).remove(0);
    let bad = named(&["anthropic/stream_overloaded_at_once", "anthropic/stream_overloaded_first"]);
    let spare = named(&["openrouter/stream_chat"]).remove(0);
    let primary = Anthropic::default();
    let (address, _primary) = {
        let (primary, good) = (primary.clone(), good.clone());
        serve(false, move |_| primary.answer(&good, &bad)).await
    };
    let (backup, _backup) = {
        let spare = spare.clone();
        serve(true, move |_| {
            let mut answer = Response::new(Pieces::of([&*spare.body]));
            *answer.headers_mut() = spare.headers.clone();
            answer
        })
        .await
    };
    let uri: Uri = format!("http://{address}/v1/messages").parse().unwrap();

    let settings = Settings::llm()
        .to_builder()
        .trip(Trip::none().consecutive(5).consecutive_over(Duration::ZERO))
        .cooldown(Backoff::fixed(Duration::from_secs(1)))
        .build()
        .unwrap();
    let clients = Clients::new();
    let guarded = clients.guarded(Wire::Chunked, holding(Provider::Anthropic).settings(settings));
    let handle = guarded.handle.clone();
    let elsewhere = FallbackLayer::service(clients.unguarded(Wire::Http2)).keep(
        move |_: &Request<Empty<Bytes>>| {
            Request::post(format!("http://{backup}/api/v1/chat/completions"))
                .body(Empty::<Bytes>::new())
                .unwrap()
        },
    );
    let service = elsewhere.layer(guarded.service.clone());

    for _ in 0..3 {
        assert_eq!(text(&service, &uri).await, good.body);
    }
    primary.overloaded.store(true, Ordering::Relaxed);
    for failure in 1..=5 {
        assert_eq!(handle.state(), State::Closed);
        assert_eq!(text(&service, &uri).await, spare.body, "the caller never sees the error");
        assert_eq!(handle.snapshot().totals.failure, failure);
    }
    let opened = handle.snapshot();
    assert!(matches!(opened.cause, Cause::ConsecutiveFailures), "{:?}", opened.cause);
    assert_eq!(opened.last_error.unwrap().reason, Some("overloaded_error"));
    assert_eq!(primary.calls(), 8);

    // While the circuit is open, only probes reach the primary. They fail as long as the outage lasts.
    let fails_again = async {
        while handle.snapshot().totals.failure == 5 {
            assert_eq!(text(&service, &uri).await, spare.body);
        }
    };
    tokio::time::timeout(LONG, fails_again).await.unwrap();
    let totals = handle.snapshot().totals;
    assert!(totals.rejected > 0, "{totals:?}");
    assert_eq!((handle.state(), totals.failure, primary.calls()), (State::Open, 6, 9));

    primary.overloaded.store(false, Ordering::Relaxed);
    guarded.until(State::HalfOpen).await;
    assert_eq!(text(&service, &uri).await, good.body);
    assert_eq!(handle.state(), State::Closed);
    assert_eq!(text(&service, &uri).await, good.body);
    let totals = handle.snapshot().totals;
    assert_eq!((totals.success, totals.failure, totals.broken_after), (5, 6, 0));
    assert_eq!(primary.calls(), totals.settled());
}
