//! The snippets of the chapter on adaptive thresholds.

use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
use tower_breaker::State;

/// Returns the number of failures that open the circuit, after `successes` successes in the same minute.
async fn failures_to_open(successes: u64) -> Result<u64, BoxError> {
    // guide: tiers
    use std::time::Duration;
    use tower_breaker::{CircuitBreakerLayer, Config, Settings, Trip, Window};

    let settings = Settings::builder()
        .trip(Trip::none())
        .window(Window::time(Duration::from_secs(60)))
        .build()?;
    let config = Config::default().settings(settings).trip_when(|window| {
        let threshold = match window.calls {
            0..50 => 5,
            50..=100 => 10,
            _ => 20,
        };
        window.failures >= threshold
    });
    let breaker = CircuitBreakerLayer::new(config);
    // guide: end
    let handle = breaker.handle();
    let service =
        ServiceBuilder::new().layer(breaker).service(service_fn(|good: bool| async move {
            if good { Ok(()) } else { Err(BoxError::from("down")) }
        }));
    for _ in 0..successes {
        service.clone().oneshot(true).await?;
    }
    let mut failures = 0;
    while handle.state() == State::Closed {
        service.clone().oneshot(false).await.unwrap_err();
        failures += 1;
    }
    Ok(failures)
}

#[tokio::test(start_paused = true)]
async fn the_threshold_follows_the_traffic() -> Result<(), BoxError> {
    // Calls including the failures: 5; 49; 60, because the fifth failure is call 50; 100; 120.
    let mut found = Vec::new();
    for successes in [0, 44, 45, 50, 90, 91, 100, 1_000] {
        found.push((successes, failures_to_open(successes).await?));
    }
    assert_eq!(
        found,
        [(0, 5), (44, 5), (45, 10), (50, 10), (90, 10), (91, 20), (100, 20), (1_000, 20)]
    );
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_share_that_shrinks_with_the_traffic() {
    // guide: share
    use tower_breaker::{CircuitBreakerLayer, Config};

    let breaker = CircuitBreakerLayer::new(Config::default().trip_when(|window| {
        let tolerated = if window.calls > 1_000 { 0.05 } else { 0.5 };
        window.calls >= 20 && window.failures as f64 >= tolerated * window.calls as f64
    }));
    // guide: end
    assert_eq!(breaker.handle().state(), State::Closed);
}
