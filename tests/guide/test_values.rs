//! The snippet on values for tests.

fn error_page(open: &tower_breaker::CircuitOpen) -> String {
    match open.retry_after_secs() {
        Some(wait) => format!("{} is not available. Try again in {wait} s.", open.name()),
        None => format!("{} is not available.", open.name()),
    }
}

fn alert(transition: &tower_breaker::Transition) -> Option<String> {
    (transition.attempt >= 4).then(|| format!("{} stays down", transition.breaker))
}

fn status_line(snapshot: &tower_breaker::Snapshot) -> String {
    format!("{}: {}, {} rejected", snapshot.breaker, snapshot.state, snapshot.totals.rejected)
}

#[test]
fn values_of_a_breaker_are_built_in_a_test() {
    // guide: values
    use std::time::Duration;
    use tower_breaker::{Cause, CircuitOpen, Snapshot, State, Transition};

    let wait = Some(Duration::from_secs(9));
    let open = CircuitOpen::for_test("payments", State::Open, Cause::Overdue, wait);
    assert_eq!(error_page(&open), "payments is not available. Try again in 9 s.");

    let (from, to) = (State::HalfOpen, State::Open);
    let mut transition = Transition::for_test("payments", from, to, Cause::ProbeFailed);
    transition.attempt = 4;
    assert_eq!(alert(&transition), Some("payments stays down".to_owned()));

    let mut snapshot = Snapshot::for_test("payments", State::Open);
    snapshot.totals.rejected = 12;
    assert_eq!(status_line(&snapshot), "payments: open, 12 rejected");
    // guide: end
}
