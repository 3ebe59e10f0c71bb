//! The preset for HTTP servers: the cost to classify a response, and to reject with one.

use std::convert::Infallible;

use http::Response;
use tower_breaker::{CircuitBreakerLayer, Config};
use tower_breaker_benches::inner::{HttpInner, Inner, get};
use tower_layer::Layer;

use crate::case::Case;
use crate::outcome::Outcome;
use crate::peer::Subject;
use crate::scenario::Scenario;

pub(super) const SUBJECT: Subject = Subject {
    krate: "tower-breaker",
    config: "http()",
    groups: &[&[Scenario::ClosedSuccess, Scenario::Rejection, Scenario::Tokio]],
    unsupported: &[],
    case,
};

fn case(scenario: Scenario) -> Result<Case, String> {
    let layer = CircuitBreakerLayer::new(Config::http());
    match scenario {
        Scenario::ClosedSuccess | Scenario::Tokio => {
            let service = layer.layer(HttpInner(Inner::Works));
            Ok(Case::new(service, false, get, outcome, Outcome::Served))
        }
        Scenario::Rejection => {
            // The cooldown of the preset would end during the measurement.
            layer.handle().hold_for(std::time::Duration::from_secs(3600));
            let service = layer.layer(HttpInner(Inner::Works));
            Ok(Case::new(service, false, get, outcome, Outcome::Rejected))
        }
        _ => Err("not a scenario of this subject".to_owned()),
    }
}

fn outcome<B>(result: &Result<Response<B>, Infallible>) -> Outcome {
    match result {
        Err(never) => match *never {},
        Ok(response) if response.headers().contains_key("x-circuit-open") => Outcome::Rejected,
        Ok(response) if response.status().is_success() => Outcome::Served,
        Ok(_) => Outcome::Failed,
    }
}
