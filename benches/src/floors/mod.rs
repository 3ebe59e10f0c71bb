//! What the same rules cost when somebody writes them by hand, for one use, with nothing around them.
//!
//! A floor has the rule, the trip and the rejection. It has no epochs, no totals, no half-open, no names, no events.

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
