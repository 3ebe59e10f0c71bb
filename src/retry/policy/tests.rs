use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::time::Instant;
use tower::retry::budget::TpsBudget;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

use super::*;
use crate::classify::ErrorsAsFailures;
use crate::{BoxError, BreakerError, Cause, CircuitOpen, State, classify::ToOutcome};

const S: fn(u64) -> Duration = Duration::from_secs;
const MS: fn(u64) -> Duration = Duration::from_millis;

/// A response with any outcome and advice.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Reply(Outcome, Option<RetryAdvice>);

impl ToOutcome for Reply {
    fn to_outcome(&self) -> Outcome {
        self.0
    }

    fn retry_advice(&self) -> Option<RetryAdvice> {
        self.1
    }
}

fn reply(outcome: Outcome) -> Result<Reply, BoxError> {
    Ok(Reply(outcome, None))
}

fn advised(outcome: Outcome, advice: RetryAdvice) -> Result<Reply, BoxError> {
    Ok(Reply(outcome, Some(advice)))
}

fn open(wait: Option<Duration>) -> CircuitOpen {
    CircuitOpen::new(Arc::new("db".into()), State::Open, Cause::FailureRate, wait)
}

/// Waits exactly 1 s, 2 s, 4 s.
fn exact(retries: u32) -> RetryPolicy {
    RetryPolicy::new(retries).backoff(Backoff::exponential(S(1), S(8)).jitter(0.0))
}

/// Returns the wait before the next attempt.
async fn slept<P, Res, E>(policy: &mut P, mut result: Result<Res, E>) -> Option<Duration>
where
    P: Policy<(), Res, E>,
{
    let start = Instant::now();
    policy.retry(&mut (), &mut result)?.await;
    Some(start.elapsed())
}

/// The timer of tokio counts milliseconds, and rounds up.
fn within(wait: Duration, from: Duration, to: Duration) -> bool {
    (from..=to + MS(1)).contains(&wait)
}

#[tokio::test(start_paused = true)]
async fn each_class_is_retried_or_not() {
    for (outcome, retried) in [
        (Outcome::success(), false),
        (Outcome::failure(), true),
        (Outcome::throttled(), true),
        (Outcome::exhausted(), false),
        (Outcome::exhausted().retry_after(MS(1)), false),
        (Outcome::ignored(), false),
        (Outcome::ignored().retry_after(MS(1)), false),
    ] {
        let wait = slept(&mut exact(1), reply(outcome)).await;
        assert_eq!(wait, retried.then_some(S(1)), "{outcome:?}");
    }
    let error: Result<Reply, BoxError> = Err("down".into());
    assert_eq!(slept(&mut exact(1), error).await, Some(S(1)));
}

#[tokio::test(start_paused = true)]
async fn the_advice_of_a_response_overrides_its_class() {
    for outcome in [Outcome::success(), Outcome::exhausted(), Outcome::failure()] {
        let retry = advised(outcome, RetryAdvice::Retry(None));
        assert_eq!(slept(&mut exact(1), retry).await, Some(S(1)), "{outcome:?}");
        let stop = advised(outcome, RetryAdvice::Stop);
        assert_eq!(slept(&mut exact(1), stop).await, None, "{outcome:?}");
    }
    let later = advised(Outcome::success(), RetryAdvice::Retry(Some(S(10))));
    let wait = slept(&mut exact(1), later).await.unwrap();
    assert!(within(wait, S(11), S(12)), "{wait:?}");
}

#[tokio::test(start_paused = true)]
async fn advice_to_retry_does_not_exceed_the_limits() {
    let now = advised(Outcome::failure(), RetryAdvice::Retry(None));
    assert_eq!(slept(&mut exact(0), now).await, None);
    let late = advised(Outcome::failure(), RetryAdvice::Retry(Some(S(61))));
    assert_eq!(slept(&mut exact(1), late).await, None);
    let broke = Arc::new(TpsBudget::new(S(1), 0, 1.0));
    let now = advised(Outcome::failure(), RetryAdvice::Retry(None));
    assert_eq!(slept(&mut exact(1).budget(broke), now).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_is_final() {
    let mut policy = exact(9);
    let boxed: BoxError = Box::new(open(Some(MS(1))));
    assert_eq!(slept(&mut policy, Err::<Reply, _>(boxed)).await, None);
    let typed = BreakerError::<Infallible>::Open(open(None));
    assert_eq!(slept(&mut policy, Err::<Reply, _>(typed)).await, None);
    let answered = advised(Outcome::failure(), RetryAdvice::Rejected(Some(MS(1))));
    assert_eq!(slept(&mut policy, answered).await, None);
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_a_circuit_without_using_up_a_retry() {
    let mut policy = exact(1).wait_for_circuit(S(5)).max_circuit_waits(2);
    let rejected = || Err::<Reply, BoxError>(Box::new(open(Some(S(5)))));
    assert_eq!(slept(&mut policy, rejected()).await, Some(S(5)));
    let answered = advised(Outcome::failure(), RetryAdvice::Rejected(Some(S(3))));
    assert_eq!(slept(&mut policy, answered).await, Some(S(3)));
    assert_eq!(slept(&mut policy, rejected()).await, None);
    assert_eq!(slept(&mut policy, reply(Outcome::failure())).await, Some(S(1)));

    let mut once = exact(1).wait_for_circuit(S(5));
    for wait in [None, Some(S(6))] {
        let rejected = Err::<Reply, BoxError>(Box::new(open(wait)));
        assert_eq!(slept(&mut once, rejected).await, None, "{wait:?}");
    }
    assert_eq!(slept(&mut once, rejected()).await, Some(S(5)));
    assert_eq!(slept(&mut once, rejected()).await, None);
}

#[tokio::test(start_paused = true)]
async fn the_backoff_grows_with_the_retries_and_ends_with_them() {
    let mut policy = exact(5);
    let mut waits = Vec::new();
    while let Some(wait) = slept(&mut policy, reply(Outcome::failure())).await {
        waits.push(wait.as_secs());
    }
    assert_eq!(waits, [1, 2, 4, 8, 8]);
}

#[tokio::test(start_paused = true)]
async fn by_default_the_waits_are_those_of_the_sdks() {
    let mut widest = (Duration::MAX, Duration::ZERO);
    for _ in 0..200 {
        let mut policy = RetryPolicy::new(6);
        for full in [500, 1000, 2000, 4000, 8000, 8000].map(MS) {
            let wait = slept(&mut policy, reply(Outcome::failure())).await.unwrap();
            assert!(within(wait, full.mul_f64(0.75), full), "{wait:?} of {full:?}");
            if full == S(8) {
                widest = (widest.0.min(wait), widest.1.max(wait));
            }
        }
    }
    assert!(widest.0 < MS(6_200) && widest.1 > MS(7_800), "{widest:?}");
}

#[tokio::test(start_paused = true)]
#[cfg_attr(miri, ignore = "200 clients, one after the other")]
async fn a_servers_wait_is_obeyed_and_200_clients_do_not_wake_in_step() {
    for asked in [MS(43), S(3), S(60)] {
        let mut seen = HashSet::new();
        let policy = RetryPolicy::new(1);
        for _ in 0..200 {
            let throttled = reply(Outcome::throttled().retry_after(asked));
            let wait = slept(&mut policy.clone(), throttled).await.unwrap();
            assert!(within(wait, asked.mul_f64(1.1), asked.mul_f64(1.2)), "{wait:?} of {asked:?}");
            seen.insert(wait);
        }
        // With 43 ms, a timer of milliseconds has five different waits.
        assert!(seen.len() > if asked < S(1) { 3 } else { 80 }, "{asked:?}: {}", seen.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_of_zero_counts_as_none() {
    let zero = reply(Outcome::failure().retry_after(Duration::ZERO));
    assert_eq!(slept(&mut exact(1), zero).await, Some(S(1)));
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_server_asks_for_more_than_the_maximum_is_not_retried() {
    let asks = |wait| reply(Outcome::throttled().retry_after(wait));
    assert_eq!(slept(&mut exact(1), asks(S(60) + MS(1))).await, None);
    assert!(slept(&mut exact(1), asks(S(60))).await.is_some());
    assert_eq!(slept(&mut exact(1).max_wait(S(2)), asks(S(3))).await, None);
    assert_eq!(slept(&mut exact(1), asks(Duration::MAX)).await, None);
    // The maximum does not limit the backoff, which has its own.
    assert_eq!(slept(&mut exact(1).max_wait(MS(1)), reply(Outcome::failure())).await, Some(S(1)));
    // The longest possible wait does not overflow.
    let endless = asks(Duration::MAX);
    assert!(exact(1).max_wait(Duration::MAX).wait(endless.as_ref()) > Some(S(60)));
}

#[tokio::test(start_paused = true)]
async fn values_out_of_range_are_clamped() {
    for odd in [-1.0, -0.0, f64::NAN, f64::NEG_INFINITY, 0.5] {
        let mut policy = RetryPolicy::new(2)
            .backoff(Backoff::exponential(S(1), S(8)).multiplier(odd).jitter(odd.min(0.0)));
        for _ in 0..2 {
            let wait = slept(&mut policy, reply(Outcome::failure())).await;
            assert_eq!(wait, Some(S(1)), "{odd}");
        }
    }
    for much in [2.0, f64::INFINITY] {
        let backoff = Backoff::exponential(S(1), S(8)).multiplier(1e300).jitter(much);
        let mut policy = RetryPolicy::new(3).backoff(backoff);
        for full in [S(1), S(8), S(8)] {
            let wait = slept(&mut policy, reply(Outcome::failure())).await.unwrap();
            assert!(wait <= full + MS(1), "{wait:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_fed_by_successes_and_ends_retrying() {
    #[derive(Default)]
    struct Purse(AtomicU32);
    impl Budget for Purse {
        fn deposit(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn withdraw(&self) -> bool {
            let spend = |left: u32| left.checked_sub(1);
            self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).is_ok()
        }
    }
    let purse = Arc::new(Purse::default());
    let policy = exact(9).budget(Arc::clone(&purse));
    let left = || purse.0.load(Ordering::Relaxed);

    let calls = [
        (reply(Outcome::failure()), None, 0),
        (reply(Outcome::success()), None, 1),
        (reply(Outcome::success()), None, 2),
        // Neither a success nor worth a retry.
        (reply(Outcome::ignored()), None, 2),
        (reply(Outcome::exhausted()), None, 2),
        (Err(open(None).into()), None, 2),
        (reply(Outcome::failure().retry_after(S(99))), None, 2),
        (reply(Outcome::failure()), Some(S(1)), 1),
        (advised(Outcome::success(), RetryAdvice::Retry(None)), Some(S(1)), 0),
        (reply(Outcome::failure()), None, 0),
    ];
    for (nth, (result, wait, after)) in calls.into_iter().enumerate() {
        assert_eq!((slept(&mut policy.clone(), result).await, left()), (wait, after), "{nth}");
    }
    // A request without a retry left withdraws nothing from the budget.
    policy.budget.as_ref().unwrap().0.deposit();
    let mut spent = exact(0).budget(Arc::clone(&purse));
    assert_eq!((slept(&mut spent, reply(Outcome::failure())).await, left()), (None, 1));
}

#[tokio::test(start_paused = true)]
async fn retries_and_waits_belong_to_one_request() {
    let policy = exact(2).wait_for_circuit(S(5));
    let hits = AtomicU32::new(0);
    let service = ServiceBuilder::new().retry(policy).service(service_fn(|()| {
        hits.fetch_add(1, Ordering::Relaxed);
        std::future::ready(reply(Outcome::failure()))
    }));
    for nth in 1..=3 {
        let start = Instant::now();
        service.clone().oneshot(()).await.unwrap();
        assert_eq!((start.elapsed(), hits.load(Ordering::Relaxed)), (S(3), 3 * nth));
    }
}

#[tokio::test(start_paused = true)]
async fn a_closure_or_a_classifier_decides_in_place_of_the_response() {
    let answers = |retries, answer: Result<u32, BoxError>| {
        let classify = |result: Result<&u32, &BoxError>| match result {
            Ok(0) => Outcome::throttled(),
            Ok(_) => Outcome::success(),
            Err(_) => Outcome::ignored(),
        };
        let mut policy = exact(retries).classify_fn(classify);
        async move { slept(&mut policy, answer).await }
    };
    assert_eq!(answers(1, Ok(0)).await, Some(S(1)));
    assert_eq!(answers(1, Ok(1)).await, None);
    assert_eq!(answers(1, Err("down".into())).await, None);

    let mut errors = exact(1).classify(ErrorsAsFailures);
    assert_eq!(slept(&mut errors, Ok::<u32, BoxError>(0)).await, None);
    let down: Result<u32, BoxError> = Err("down".into());
    assert_eq!(slept(&mut errors, down).await, Some(S(1)));
}

#[tokio::test(start_paused = true)]
async fn a_closure_does_not_see_a_rejection() {
    let mut policy =
        exact(1).classify_fn(|_: Result<&u32, &BoxError>| unreachable!("a rejection is none"));
    assert_eq!(slept(&mut policy, Err(open(None).into())).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_not_cloned_is_not_retried() {
    struct Order {
        id: u32,
        once: bool,
    }
    let hits = AtomicU32::new(0);
    let policy = exact(2)
        .clone_with(|order: &Order| (!order.once).then_some(Order { id: order.id, once: false }));
    let service = ServiceBuilder::new().retry(policy).service(service_fn(|order: Order| {
        assert_eq!(order.id, 7);
        hits.fetch_add(1, Ordering::Relaxed);
        std::future::ready(reply(Outcome::failure()))
    }));
    service.clone().oneshot(Order { id: 7, once: true }).await.unwrap();
    assert_eq!(hits.swap(0, Ordering::Relaxed), 1);
    service.oneshot(Order { id: 7, once: false }).await.unwrap();
    assert_eq!(hits.load(Ordering::Relaxed), 3);
}

#[test]
fn the_policy_is_shared_between_threads_and_small() {
    fn shared<T: Send + Sync + Clone + fmt::Debug + 'static>(_: &T) {}
    let policy = RetryPolicy::new(2).clone_with(|(): &()| Some(()));
    shared(&policy);
    assert!(size_of_val(&policy) <= 128, "{}", size_of_val(&policy));
    let _ = tower::retry::RetryLayer::new(policy).layer(());
}

#[tokio::test(start_paused = true)]
async fn it_can_be_wrapped() {
    let mut wrapped = super::super::StopAtRejection::new(exact(1)).wait_for_circuit(S(5));
    let rejected = Err::<Reply, BoxError>(open(Some(S(4))).into());
    assert_eq!(slept(&mut wrapped, rejected).await, Some(S(4)));
    assert_eq!(slept(&mut wrapped, reply(Outcome::failure())).await, Some(S(1)));
    assert_eq!(slept(&mut wrapped, reply(Outcome::failure())).await, None);
}
