//! The rules of the machine, through the public API. The name of each test states a rule.

mod admission;
mod canary;
mod custom;
mod epochs;
mod half_open;
mod handle;
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
