//! `call` takes the permit before it calls the inner service. Nothing is held before that.

use futures_util::future::join_all;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_breaker::{CircuitBreakerLayer, CircuitOpen, Probe, State};

use crate::support::doubles::*;

#[tokio::test(start_paused = true)]
async fn a_thousand_ready_clones_reach_a_half_open_inner_exactly_once() {
    let (mut service, script, handle) = guarded(config());
    trip(&mut service, &script, &handle).await;
    cool_down(&handle).await;
    let mut clones = vec![service; 1_000];
    for clone in &mut clones {
        clone.ready().await.unwrap();
    }
    script.reply(Reply::Hangs);
    let calls: Vec<_> = clones.iter_mut().map(|clone| clone.call(())).collect();
    assert_eq!((script.calls(), handle.snapshot().probes), (3, 1));
    script.finish(Ok("ok"));
    let results = join_all(calls).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(results.into_iter().filter_map(Result::err).all(|error| error.is::<CircuitOpen>()));
    assert_eq!((handle.state(), handle.snapshot().totals.rejected), (State::Closed, 999));
}

#[tokio::test(start_paused = true)]
async fn no_more_probes_pass_than_the_settings_allow() {
    let settings = settings().to_builder().probe(Probe::successes(3).in_flight(3)).build().unwrap();
    let (mut service, script, handle) = guarded(config().settings(settings));
    trip(&mut service, &script, &handle).await;
    cool_down(&handle).await;
    let mut clones = vec![service; 100];
    for clone in &mut clones {
        clone.ready().await.unwrap();
    }
    script.reply(Reply::Hangs);
    let calls: Vec<_> = clones.iter_mut().map(|clone| clone.call(())).collect();
    assert_eq!((script.calls(), handle.snapshot().probes), (5, 3));
    drop(calls);
    assert_eq!(handle.snapshot().probes, 0);
}

#[tokio::test(start_paused = true)]
async fn a_ready_idle_clone_holds_nothing() {
    let (mut service, script, handle) = guarded(config());
    trip(&mut service, &script, &handle).await;
    cool_down(&handle).await;
    let mut idle = service.clone();
    idle.ready().await.unwrap();
    assert_eq!(handle.snapshot().probes, 0);
    assert_eq!(call(&mut service).await.unwrap(), "ok");
    assert_eq!(handle.state(), State::Closed);
    drop(idle);
    assert_eq!(handle.snapshot().totals.cancelled, 0);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_ready_service_leaks_nothing() {
    let (mut service, script, handle) = guarded(config());
    trip(&mut service, &script, &handle).await;
    cool_down(&handle).await;
    for _ in 0..100 {
        service.clone().ready().await.unwrap();
    }
    assert_eq!(call(&mut service).await.unwrap(), "ok");
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_permit_is_taken_before_the_inner_is_called() {
    let layer = CircuitBreakerLayer::new(config());
    let handle = layer.handle();
    handle.hold_for(COOLDOWN);
    cool_down(&handle).await;
    let inside = handle.clone();
    let mut service = layer.layer(service_fn(move |()| {
        let probes = inside.snapshot().probes;
        async move { Ok::<_, Down>(probes) }
    }));
    assert_eq!(call(&mut service).await.unwrap(), 1);
    assert_eq!(handle.snapshot().probes, 0);
}

#[tokio::test(start_paused = true)]
async fn the_inner_may_use_its_own_breaker_from_inside_a_call() {
    let layer = CircuitBreakerLayer::new(config());
    let handle = layer.handle();
    let inside = handle.clone();
    let mut service = layer.layer(service_fn(move |()| {
        inside.force_open(None);
        let inside = inside.clone();
        async move {
            inside.force_closed();
            Err::<(), _>(Down)
        }
    }));
    assert!(call(&mut service).await.unwrap_err().is::<Down>());
    assert_eq!((handle.state(), handle.snapshot().totals.late), (State::Closed, 1));
}
