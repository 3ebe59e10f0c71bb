//! Helpers that the test binaries share.
#![allow(dead_code, reason = "each binary uses a part of this module")]

pub(crate) mod breakers;
pub(crate) mod counts;
pub(crate) mod doubles;
pub(crate) mod program;
pub(crate) mod sockets;
pub(crate) mod until;
