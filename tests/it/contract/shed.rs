//! `call` follows the decision of the last `poll_ready`.

use std::time::Duration;

use tower::{Service, ServiceExt};
use tower_breaker::{CircuitOpen, State};

use crate::support::doubles::*;

#[tokio::test(start_paused = true)]
async fn a_call_that_was_ready_to_be_rejected_is_rejected_although_the_circuit_half_opened() {
    let (mut service, script, handle) = guarded(config());
    trip(&mut service, &script, &handle).await;
    script.readiness(Readiness::Pending);
    let polls = script.polls();
    let ready = service.ready().await.unwrap();
    cool_down(&handle).await;
    let error = ready.call(()).await.unwrap_err();
    // The rejection has the wait of the moment of `poll_ready`.
    assert_eq!(CircuitOpen::find(&*error).unwrap().retry_after(), Some(COOLDOWN));
    assert_eq!((script.polls(), script.calls()), (polls, 2));
    assert_eq!((handle.state(), handle.snapshot().probes), (State::HalfOpen, 0));
}

#[tokio::test(start_paused = true)]
async fn at_most_one_ready_call_is_rejected_after_the_circuit_closed() {
    for close in [0, 1, 2, 3, 4] {
        let (mut service, script, handle) = guarded(config());
        trip(&mut service, &script, &handle).await;
        let ready = service.ready().await.unwrap();
        match close {
            0 => handle.force_closed(),
            1 => handle.reset(),
            2 => handle.disable(),
            3 => handle.shadow(),
            _ => {
                cool_down(&handle).await;
                handle.call(|| Ok::<_, ()>(())).unwrap();
            }
        }
        let error = ready.call(()).await.unwrap_err();
        assert_eq!(CircuitOpen::find(&*error).unwrap().retry_after(), Some(Duration::ZERO));
        assert_eq!(script.calls(), 2);
        assert_eq!(call(&mut service).await.unwrap(), "ok");
        assert_eq!(script.calls(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_ready_clone_does_not_reach_the_inner_once_the_circuit_is_open() {
    let (mut service, script, handle) = guarded(config());
    let mut other = service.clone();
    let ready = other.ready().await.unwrap();
    trip(&mut service, &script, &handle).await;
    let error = ready.call(()).await.unwrap_err();
    assert!(error.is::<CircuitOpen>());
    assert_eq!((script.calls(), handle.snapshot().totals.rejected), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn polling_again_replaces_the_first_readiness() {
    let (mut service, script, handle) = guarded(config());
    trip(&mut service, &script, &handle).await;
    service.ready().await.unwrap();
    cool_down(&handle).await;
    assert_eq!(service.ready().await.unwrap().call(()).await.unwrap(), "ok");
    assert_eq!(handle.state(), State::Closed);

    // The reverse order: ready, then open, then polled again.
    service.ready().await.unwrap();
    handle.force_open(None);
    service.ready().await.unwrap();
    handle.force_closed();
    assert!(service.call(()).await.unwrap_err().is::<CircuitOpen>());
    assert_eq!(call(&mut service).await.unwrap(), "ok");
}

#[tokio::test(start_paused = true)]
async fn a_rejection_changes_only_its_total() {
    let (mut service, script, handle) = guarded(config());
    trip(&mut service, &script, &handle).await;
    let before = handle.snapshot();
    for _ in 0..1_000 {
        call(&mut service).await.unwrap_err();
    }
    let mut after = handle.snapshot();
    assert_eq!(after.totals.rejected, 1_000);
    after.totals.rejected = before.totals.rejected;
    assert_eq!(after, before);
}
