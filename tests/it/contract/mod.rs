//! The contract of the breaker as a tower service, line by line. The inner doubles panic when they are called unready.

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
