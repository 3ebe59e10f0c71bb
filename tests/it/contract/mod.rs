//! The contract of the breaker as a tower service. The inner services panic if they are called before they are ready.

mod answers;
mod auto_traits;
mod cancelled;
mod deadlines;
mod limits;
mod outage;
mod panics;
mod parked;
mod pending;
mod permit;
mod readiness;
mod rejections;
mod sharing;
mod shed;
mod tiers;
