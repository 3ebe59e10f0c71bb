//! The snippets of the chapter on observing.

#[test]
fn a_handle_shows_and_controls_its_breaker() -> Result<(), Box<dyn std::error::Error>> {
    // guide: handle
    use std::time::Duration;
    use tower_breaker::{BreakerError, BreakerHandle, Settings, State, Trip};

    let settings = Settings::builder().trip(Trip::none().consecutive(2)).build()?;
    let database = BreakerHandle::new("database", settings);
    let mut events = database.events();

    let query = || Err::<(), _>("connection refused");
    for _ in 0..2 {
        assert_eq!(database.call(query), Err(BreakerError::Inner("connection refused")));
    }
    assert!(matches!(database.call(query), Err(BreakerError::Open(_)))); // the query did not run

    let seen = database.snapshot();
    assert_eq!((seen.state, seen.totals.failure, seen.totals.rejected), (State::Open, 2, 1));
    let opened = events.try_recv().expect("a transition")?;
    assert_eq!((opened.from, opened.to), (State::Closed, State::Open));

    database.force_open(Some(Duration::from_secs(60)));
    assert_eq!(database.state(), State::ForcedOpen);
    database.reset();
    // guide: end
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_health_check_decides_half_open() {
    use tower_breaker::{BreakerHandle, Settings, State};

    let payments = BreakerHandle::new("payments", Settings::default());
    async fn get_health() -> Result<(), std::io::Error> {
        Ok(())
    }
    // guide: health_check
    let checked = payments.clone();
    tokio::spawn(async move { checked.health_check(get_health).await });
    // guide: end
    payments.hold_for(std::time::Duration::from_secs(30));
    let mut states = payments.watch();
    assert_eq!(states.changed().await, State::HalfOpen);
    assert_eq!(states.changed().await, State::Closed);
}
