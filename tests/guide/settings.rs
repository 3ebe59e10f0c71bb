//! The snippets of the chapters on states and settings.

#[cfg(feature = "http")]
#[test]
fn the_bound_on_calls_to_a_dead_dependency() -> Result<(), tower_breaker::ConfigError> {
    // guide: bound
    use std::time::Duration;
    use tower_breaker::{Config, Settings};

    let client = Settings::http_client();
    let trip = client.trip().consecutive_over(Duration::ZERO).overdue(5, Duration::from_secs(5));
    let config = Config::http_client().settings(client.to_builder().trip(trip).build()?);
    // guide: end
    let _ = config;
    Ok(())
}

#[test]
fn settings_are_checked_when_they_are_built() -> Result<(), tower_breaker::ConfigError> {
    // guide: builder
    use std::time::Duration;
    use tower_breaker::{Backoff, Config, Probe, Settings, Trip, Window};

    let settings = Settings::builder()
        .trip(Trip::none().failure_rate(0.3, 50))
        .window(Window::count(200))
        .cooldown(Backoff::fixed(Duration::from_secs(10)))
        .probe(Probe::successes(3))
        .build()?;
    let config = Config::default().name("search").settings(settings);
    // guide: end
    let _ = config;
    Ok(())
}

#[cfg(all(feature = "http", feature = "serde"))]
#[test]
fn settings_come_from_a_file() -> Result<(), serde_norway::Error> {
    // guide: file
    use tower_breaker::{CircuitBreakerLayer, Config, Settings};

    let settings: Settings = serde_norway::from_str(
        "
preset: http_client
trip:
  consecutive: { failures: 5, over: 500ms }
  failure_rate: { rate: 0.5, min_calls: 20 }
  overdue: { calls: 5, after: 5s }
window: { period: 30s }
cooldown: { initial: 5s, max: 60s }
cancelled_after: 10s
",
    )?;

    let breaker = CircuitBreakerLayer::new(Config::http_client().settings(settings.clone()));
    breaker.handle().reconfigure(settings); // later, when the file has changed

    let error =
        serde_norway::from_str::<Settings>("trip: { failure_rate: { rate: 50 } }").unwrap_err();
    assert!(
        error.to_string().contains("trip.failure_rate.rate is 50, must be from 0.000001 to 1.0")
    );
    // guide: end
    Ok(())
}
