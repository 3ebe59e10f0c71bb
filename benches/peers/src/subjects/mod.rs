//! The measured crates.

mod bare;
mod breaker;
mod failsafe;
mod fallbacks;
mod floors;
mod ours;
mod ours_http;
mod recloser;
mod seatbelt;
mod small;
mod tower_resilience;

use crate::peer::Subject;

/// Returns all subjects, in the order of the table.
pub fn all() -> Vec<Subject> {
    vec![
        Subject::of::<bare::Nothing>(),
        Subject::of::<bare::ReadsClock>(),
        Subject::of::<bare::Boxes>(),
        Subject::of::<floors::Streak>(),
        Subject::of::<floors::Rate>(),
        Subject::of::<ours::Streak>(),
        Subject::of::<ours::Default>(),
        Subject::of::<ours::Call>(),
        ours_http::SUBJECT,
        Subject::of::<tower_resilience::Count>(),
        Subject::of::<tower_resilience::Streak>(),
        Subject::of::<tower_resilience::Time>(),
        Subject::of::<seatbelt::Tower>(),
        Subject::of::<seatbelt::TowerFast>(),
        Subject::of::<seatbelt::Layered>(),
        Subject::of::<breaker::Tower>(),
        Subject::of::<breaker::Call>(),
        Subject::of::<failsafe::Streak>(),
        Subject::of::<failsafe::Default>(),
        Subject::of::<recloser::Future>(),
        Subject::of::<recloser::Function>(),
        Subject::of::<small::CircuitbreakerRs>(),
        Subject::of::<small::CircuitBreaker>(),
        Subject::of::<small::Ninelives>(),
        Subject::of::<fallbacks::OursValue>(),
        Subject::of::<fallbacks::OursService>(),
        Subject::of::<fallbacks::ResilienceValue>(),
        Subject::of::<fallbacks::ResilienceClosure>(),
        Subject::of::<fallbacks::ResilienceService>(),
        Subject::of::<fallbacks::Seatbelt>(),
        Subject::of::<fallbacks::TowerFallback>(),
    ]
}
