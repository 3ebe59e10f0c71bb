//! Services of `tower-breaker` with the same rules as the floors.

use std::time::Duration;

use tower_breaker::classify::ErrorsAsFailures;
use tower_breaker::{
    Backoff, CircuitBreaker, CircuitBreakerLayer, Config, Settings, Trip,
    rejection::{RejectWithBoxError, RejectWithBreakerError},
};
use tower_layer::Layer;

use crate::drive::Load;
use crate::inner::{HttpInner, Inner, get, number};

/// A threshold that no count reaches.
pub const NEVER: u32 = u32::MAX;

/// Creates settings with the given rules and a cooldown of one hour.
pub fn settings(trip: Trip) -> Settings {
    let hour = Backoff::fixed(Duration::from_secs(3600)).jitter(0.0);
    Settings::builder().trip(trip).cooldown(hour).build().expect("valid settings")
}

fn typed(trip: Trip) -> CircuitBreakerLayer<ErrorsAsFailures, RejectWithBreakerError> {
    with(settings(trip))
}

/// Creates a layer with the given settings that rejects with a typed error.
pub fn with(settings: Settings) -> CircuitBreakerLayer<ErrorsAsFailures, RejectWithBreakerError> {
    let config = Config::default().name("bench").settings(settings);
    CircuitBreakerLayer::new(config.on_rejected(RejectWithBreakerError))
}

/// Creates a layer that trips at five consecutive failures.
pub fn consecutive() -> CircuitBreakerLayer<ErrorsAsFailures, RejectWithBreakerError> {
    typed(Trip::none().consecutive(5))
}

/// Creates a layer with `Config::default()`.
pub fn default() -> CircuitBreakerLayer<ErrorsAsFailures, RejectWithBoxError> {
    CircuitBreakerLayer::new(Config::default())
}

/// Creates a service with `Config::default()`.
pub fn default_service() -> CircuitBreaker<Inner, ErrorsAsFailures, RejectWithBoxError> {
    default().layer(Inner::Works)
}

/// Closed with one rule. Every call succeeds.
pub fn success_consecutive() -> Load {
    Load::new(consecutive().layer(Inner::Works), number)
}

/// Closed with `Config::default()`. Every call succeeds.
pub fn success_default() -> Load {
    Load::new(default_service(), number)
}

/// Closed. Every call fails, and the streak never reaches the threshold.
pub fn failure_consecutive() -> Load {
    Load::new(typed(Trip::none().consecutive(NEVER)).layer(Inner::Fails), number)
}

/// Closed with the two rules of the default. Every call fails, and neither rule reaches its threshold.
pub fn failure_default() -> Load {
    let trip = Trip::none().consecutive(NEVER).failure_rate(0.5, NEVER);
    Load::new(typed(trip).layer(Inner::Fails), number)
}

/// Open. Calls are rejected with a typed error.
pub fn rejection_typed() -> Load {
    Load::new(typed(Trip::none().consecutive(1)).layer(Inner::Fails), number)
}

/// Open. Calls are rejected with a response that costs nothing.
pub fn rejection_value() -> Load {
    let config = Config::default().name("bench").settings(settings(Trip::none().consecutive(1)));
    let layer = CircuitBreakerLayer::new(config.reject_with(|_: u64, _| 0_u64));
    Load::new(layer.layer(Inner::Fails), number)
}

/// Open. Calls are rejected with 503 and two headers.
pub fn rejection_http() -> Load {
    let config = Config::http().name("bench").settings(settings(Trip::none().consecutive(1)));
    Load::new(CircuitBreakerLayer::new(config).layer(HttpInner(Inner::Fails)), get)
}

/// Closed. Every call returns an empty 200.
pub fn success_http() -> Load {
    let config = Config::http().name("bench").settings(settings(Trip::none().consecutive(5)));
    Load::new(CircuitBreakerLayer::new(config).layer(HttpInner(Inner::Works)), get)
}

/// Closed, with the rule for overdue calls.
pub fn overdue() -> Load {
    let trip = Trip::none().consecutive(5).overdue(5, Duration::from_secs(5));
    Load::new(typed(trip).layer(Inner::Works), number)
}

/// Closed, with the rule for slow calls.
pub fn slow() -> Load {
    let trip = Trip::none().consecutive(5).slow(Duration::from_secs(2), 0.8, 20);
    Load::new(typed(trip).layer(Inner::Works), number)
}

/// Closed. A call that is dropped after 10 s is a failure.
pub fn cancelled_after() -> Load {
    let settings = settings(Trip::none().consecutive(5)).to_builder();
    let settings =
        settings.cancelled_after(Duration::from_secs(10)).build().expect("valid settings");
    let config =
        Config::default().name("bench").settings(settings).on_rejected(RejectWithBreakerError);
    Load::new(CircuitBreakerLayer::new(config).layer(Inner::Works), number)
}

#[cfg(test)]
mod tests {
    use tower_breaker::{State, Window};

    use super::*;

    /// Unlike in the tests of the crate, the clock cannot be paused here, so the coarse clock counts the successes.
    #[test]
    fn the_exact_clock_finds_the_calls_that_the_coarse_clock_counted() {
        let period = Duration::from_millis(300);
        let trip = Trip::none().failure_rate(1.0, 1_000);
        let settings = settings(trip).to_builder().window(Window::time(period));
        let config = Config::default().settings(settings.build().expect("valid settings"));
        let layer = CircuitBreakerLayer::new(config);
        let handle = layer.handle();
        let mut load = Load::new(layer.layer(Inner::Works), number);
        for _ in 0..3 {
            let start = std::time::Instant::now();
            load.run(100);
            let calls = handle.snapshot().window.calls;
            // On a busy machine, the calls may already have left the window.
            assert!(calls == 100 || start.elapsed() > period / 2, "{calls}");
            while handle.snapshot().window.calls > 0 {
                std::thread::yield_now();
            }
        }
        assert_eq!(handle.snapshot().totals.success, 300);
    }

    #[test]
    fn a_circuit_is_open_for_its_cooldown_and_not_one_tick_longer() {
        let cooldown = Duration::from_millis(100);
        let settings = settings(Trip::none().consecutive(1)).to_builder();
        let settings = settings.cooldown(Backoff::fixed(cooldown).jitter(0.0)).build();
        let config = Config::default().settings(settings.expect("valid settings"));
        let layer = CircuitBreakerLayer::new(config);
        let handle = layer.handle();
        let mut service = layer.layer(Inner::Fails);
        for _ in 0..5 {
            crate::drive::drive(&mut service, 1).expect_err("fails");
            let until = handle.snapshot().until.expect("open");
            let probes = handle.snapshot().totals.failure + 1;
            loop {
                let before = std::time::Instant::now();
                crate::drive::drive(&mut service, 1).expect_err("rejected, or a probe that fails");
                let probed = handle.snapshot().totals.failure == probes;
                assert!(probed || before < until, "a call after the cooldown is a probe");
                if probed {
                    assert!(
                        std::time::Instant::now() >= until,
                        "no call before the end of the cooldown is a probe"
                    );
                    break;
                }
            }
            handle.reset();
        }
        assert_eq!(handle.state(), State::Closed);
    }
}
