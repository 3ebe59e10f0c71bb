//! Notification of changes: the log of transitions, the observers, and the tasks that wait.

mod log;
mod observer;
#[cfg(test)]
mod tests;
mod waiters;

pub use log::Lagged;
pub(crate) use log::Log;
pub use observer::Observer;
pub(crate) use observer::Observers;
pub(crate) use waiters::Waiters;
