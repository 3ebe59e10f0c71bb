//! What a guarded call costs, in this crate and in the others, measured in one binary in the same way.
//!
//! Every guard is a tower service around the same service that answers at once; breakers that have no tower service
//! are called in their own way, from a service that does nothing else. Every case is asked before and after whether
//! its calls still end as its name says.
#![forbid(unsafe_code)]

pub mod case;
pub mod dependency;
pub mod half_open;
pub mod options;
pub mod outcome;
pub mod own;
pub mod peer;
pub mod row;
pub mod run;
pub mod runtime;
pub mod scenario;
pub mod subjects;
