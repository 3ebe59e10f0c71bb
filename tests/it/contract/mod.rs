//! The contract of the breaker as a tower service. The inner doubles panic if they are called unready.

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
mod responses;
mod sharing;
mod shed;
mod tiers;
