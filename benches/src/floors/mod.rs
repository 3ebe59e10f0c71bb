//! Floors: the same rules written by hand for one use. They show what a rule costs by itself.
//!
//! A floor has a rule, a trip and a rejection. It has no epochs, no totals, no half-open state, no names and no events.

mod answer;
mod cancelled;
mod consecutive;
mod gate;
mod guarded;
mod overdue;
mod slow;
mod windowed;

pub use answer::{Answer, Named, NamedRejected, Page, PreparedPage, Rejected, Typed, Value};
pub use cancelled::CancelledAfter;
pub use consecutive::Consecutive;
pub use gate::Gate;
pub use guarded::{Guarded, GuardedFuture, Rule};
pub use overdue::Overdue;
pub use slow::Slow;
pub use windowed::Windowed;

#[cfg(test)]
mod tests;
