//! The snippets on observers.

use std::sync::mpsc::channel;

#[test]
fn an_observer_and_a_listener_are_notified() {
    let ((pages, paged), (lines, logged), (states, seen)) = (channel(), channel(), channel());

    // guide: observer
    use std::sync::{Arc, mpsc::Sender};
    use tower_breaker::handle::Observer;
    use tower_breaker::{CircuitBreakerLayer, Config, Outcome, State, Transition};

    /// Sends a page when the circuit opens, and a line for each call that went wrong.
    struct Pager {
        pages: Sender<String>,
        lines: Sender<String>,
    }

    impl Observer for Pager {
        fn transition(&self, transition: &Transition) {
            if transition.to == State::Open {
                let _ = self.pages.send(format!("{}: {}", transition.breaker, transition.cause));
            }
        }

        fn settled(&self, breaker: &str, outcome: &Outcome) {
            let _ = self.lines.send(format!("{breaker}: {}", outcome.class()));
        }
    }

    let config = Config::default().name("payments").observe(Pager { pages, lines });
    let breaker = CircuitBreakerLayer::new(config);
    // guide: end

    // guide: listener
    let listener = Arc::new(move |transition: &Transition| {
        let _ = states.send(transition.to);
    });
    breaker.handle().add_listener(&listener);
    // guide: end

    for _ in 0..5 {
        let _ = breaker.handle().call(|| Err::<(), _>("connection refused"));
    }
    drop(listener);
    breaker.handle().reset();
    drop(breaker);
    assert_eq!(paged.iter().collect::<Vec<_>>(), ["payments: consecutive_failures"]);
    assert_eq!(logged.iter().collect::<Vec<_>>(), ["payments: failure"; 5]);
    assert_eq!(seen.iter().collect::<Vec<_>>(), [State::Open]);
}
