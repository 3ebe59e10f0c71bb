//! The rules of the state machine, tested through the public API.

mod admission;
mod custom;
mod epochs;
mod half_open;
mod handle;
mod health_check;
mod holds;
mod lazy;
mod manual;
mod manual_table;
mod outcomes;
mod overdue;
mod plain;
mod ramp;
mod random;
mod reconfigure;
mod stream;
mod totals;
mod trip;
mod waits;
mod windows;
