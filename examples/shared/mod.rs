//! Code that the examples share.
#![allow(dead_code, reason = "each example uses a part of this module")]

pub(crate) mod http1;
pub(crate) mod run;
pub(crate) mod server;
pub(crate) mod table;
