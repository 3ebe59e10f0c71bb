//! The cost of a guarded call in this crate and in the others, measured in one binary in the same way.
//!
//! Every guard is a tower service around the same service, which responds immediately. Breakers without a tower service
//! are called as their manual says, from a service that does nothing else. Every case checks before and after the
//! measurement that its calls end as its name says.
#![forbid(unsafe_code)]

pub mod case;
pub mod dependency;
pub mod direct;
pub mod half_open;
pub mod options;
pub mod outcome;
pub mod peer;
pub mod row;
pub mod run;
pub mod runtime;
pub mod scenario;
pub mod subjects;
