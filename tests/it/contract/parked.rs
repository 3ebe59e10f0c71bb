//! Callers that wait for the readiness of the inner service are woken when the circuit opens.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio_test::{assert_pending, assert_ready_ok};
use tower::{Layer, Service, ServiceExt};
use tower_breaker::{BreakerHandle, CircuitBreakerLayer, CircuitOpen, State};

use crate::support::doubles::*;

#[tokio::test(start_paused = true)]
async fn ten_waiters_are_woken_at_once_when_the_circuit_opens() {
    let (service, script, handle) = guarded(config());
    let permits = [handle.try_acquire().unwrap(), handle.try_acquire().unwrap()];
    script.readiness(Readiness::Pending);
    let mut waiters: Vec<_> = (0..10).map(|_| (task(), service.clone())).collect();
    for (task, service) in &mut waiters {
        assert_pending!(poll_ready(task, service));
    }
    let [first, second] = permits;
    first.failure();
    assert!(waiters.iter().all(|(task, _)| !task.is_woken()), "nothing has opened yet");
    second.failure();
    assert_eq!(handle.state(), State::Open);
    for (task, service) in &mut waiters {
        assert!(task.is_woken());
        assert_ready_ok!(poll_ready(task, service));
        assert!(service.call(()).await.unwrap_err().is::<CircuitOpen>());
    }
    assert_eq!(script.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_is_woken_however_the_circuit_opens() {
    let opens: [fn(&BreakerHandle); 3] = [
        |handle| handle.force_open(None),
        |handle| handle.force_open(Some(COOLDOWN)),
        |handle| handle.hold_for(COOLDOWN),
    ];
    for open in opens {
        let (mut service, script, handle) = guarded(config());
        script.readiness(Readiness::Pending);
        let mut task = task();
        assert_pending!(poll_ready(&mut task, &mut service));
        open(&handle);
        assert!(task.is_woken());
        assert_ready_ok!(poll_ready(&mut task, &mut service));
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_is_polled_by_another_task_wakes_that_task() {
    let (mut service, script, handle) = guarded(config());
    script.readiness(Readiness::Pending);
    let (mut old, mut new) = (task(), task());
    assert_pending!(poll_ready(&mut old, &mut service));
    assert_pending!(poll_ready(&mut new, &mut service));
    handle.force_open(None);
    assert!(new.is_woken());
}

#[tokio::test(start_paused = true)]
async fn a_waiter_is_woken_by_every_opening_and_not_only_by_the_first() {
    let (mut service, script, handle) = guarded(config());
    script.readiness(Readiness::Pending);
    let mut task = task();
    for _ in 0..3 {
        assert_pending!(poll_ready(&mut task, &mut service));
        handle.force_open(None);
        assert!(task.is_woken());
        assert_ready_ok!(poll_ready(&mut task, &mut service));
        handle.force_closed();
    }
}

struct Count;

impl Wake for Count {
    fn wake(self: Arc<Self>) {}
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_gave_up_or_is_ready_leaves_nothing_behind() {
    let (mut service, script, handle) = guarded(config());
    let count = Arc::new(Count);
    let waker = Waker::from(Arc::clone(&count));
    let mut cx = Context::from_waker(&waker);
    let bare = Arc::strong_count(&count);

    script.readiness(Readiness::Pending);
    let mut gone = service.clone();
    assert_pending!(gone.poll_ready(&mut cx));
    assert_pending!(service.poll_ready(&mut cx));
    assert_eq!(
        Arc::strong_count(&count),
        bare + 4,
        "registered with the inner service and with the breaker"
    );
    drop(gone);
    script.readiness(Readiness::Ready);
    assert_eq!(Arc::strong_count(&count), bare + 1);
    assert_ready_ok!(service.poll_ready(&mut cx));
    assert_eq!(Arc::strong_count(&count), bare);
    handle.force_open(None);
}

/// Never ready. Opens the circuit in `poll_ready`, after the first check of the gate and before the waiter registers.
struct Opens(BreakerHandle);

impl Service<()> for Opens {
    type Response = ();
    type Error = Down;
    type Future = std::future::Ready<Result<(), Down>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Down>> {
        self.0.force_open(None);
        Poll::Pending
    }

    fn call(&mut self, (): ()) -> Self::Future {
        unreachable!("never ready")
    }
}

#[tokio::test(start_paused = true)]
async fn an_opening_between_the_first_check_and_the_registration_is_seen() {
    let layer = CircuitBreakerLayer::new(config());
    let mut service = layer.layer(Opens(layer.handle()));
    assert_ready_ok!(poll_ready(&mut task(), &mut service));
    assert!(service.call(()).await.unwrap_err().is::<CircuitOpen>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_wake_is_lost_between_registration_and_check() {
    let (service, script, handle) = guarded(config());
    script.readiness(Readiness::Pending);
    for round in 0..2_000 {
        let mut waiter = service.clone();
        let waiting = tokio::spawn(async move { waiter.ready().await.map(drop) });
        if round % 3 == 0 {
            tokio::task::yield_now().await;
        }
        handle.force_open(None);
        let woken = tokio::time::timeout(Duration::from_secs(10), waiting).await;
        woken.expect("woken").unwrap().unwrap();
        handle.force_closed();
        script.readiness(Readiness::Pending);
    }
}
