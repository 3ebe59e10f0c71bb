//! The cost of a guarded call: hand-written floors and `tower-breaker` side by side, in one binary.
//!
//! A call is `poll_ready`, `call` and one poll of the future with a waker that does nothing, on one service value.
//! The inner service responds immediately, so that all the time is spent in the guard.

pub mod allocator;
pub mod bodies;
pub mod cases;
pub mod drive;
pub mod floors;
pub mod format;
pub mod inner;
pub mod measure;
pub mod ours;
pub mod report;
