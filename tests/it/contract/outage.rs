//! One outage, from its first failure to its end.

use tower::ServiceExt;
use tower_breaker::{CircuitOpen, Class, State};

use crate::support::doubles::*;

#[tokio::test(start_paused = true)]
async fn a_circuit_opens_rejects_half_opens_and_closes() {
    let (mut service, script, handle) = guarded(config());
    assert_eq!(call(&mut service).await.unwrap(), "ok");
    trip(&mut service, &script, &handle).await;
    assert_eq!(script.calls(), 3);

    let error = call(&mut service).await.unwrap_err();
    let open = CircuitOpen::find(&*error).expect("a rejection");
    assert_eq!(
        (open.name(), open.state(), open.retry_after()),
        ("db", State::Open, Some(COOLDOWN))
    );
    assert_eq!(script.calls(), 3);

    cool_down(&handle).await;
    assert_eq!(call(&mut service).await.unwrap(), "ok");
    assert_eq!(handle.state(), State::Closed);
    let totals = handle.snapshot().totals;
    assert_eq!((totals.success, totals.failure, totals.rejected), (2, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_failed_probe_reopens_the_circuit() {
    let (mut service, script, handle) = guarded(config());
    trip(&mut service, &script, &handle).await;
    cool_down(&handle).await;
    script.reply(Reply::Fails);
    assert!(call(&mut service).await.unwrap_err().is::<Down>());
    assert_eq!((handle.state(), script.calls()), (State::Open, 3));
    assert_eq!(handle.snapshot().last_error.unwrap().class, Class::Failure);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_during_a_probe_has_state_half_open() {
    let (mut service, script, handle) = guarded(config());
    trip(&mut service, &script, &handle).await;
    cool_down(&handle).await;
    script.reply(Reply::Hangs);
    let probe = tokio::spawn(service.ready().await.unwrap().clone().oneshot(()));
    tokio::task::yield_now().await;
    assert_eq!(handle.snapshot().probes, 1);

    let error = call(&mut service).await.unwrap_err();
    assert_eq!(CircuitOpen::find(&*error).unwrap().state(), State::HalfOpen);
    script.finish(Ok("late"));
    assert_eq!(probe.await.unwrap().unwrap(), "late");
    assert_eq!((handle.state(), script.calls()), (State::Closed, 3));
}

#[tokio::test(start_paused = true)]
async fn the_result_of_a_call_from_before_the_outage_decides_nothing() {
    let (mut service, script, handle) = guarded(config());
    script.reply(Reply::Hangs);
    let early = tokio::spawn(service.clone().oneshot(()));
    tokio::task::yield_now().await;
    trip(&mut service, &script, &handle).await;
    cool_down(&handle).await;
    script.finish(Ok("late"));
    assert_eq!(early.await.unwrap().unwrap(), "late");
    assert_eq!((handle.state(), handle.snapshot().totals.late), (State::HalfOpen, 1));
}
