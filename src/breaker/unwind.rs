//! Panics of the code that runs while a call is in progress.
//!
//! A panic always reaches the caller unchanged. The call that it ends is settled while the stack unwinds, by the
//! destructor of the value that owns the permit. What the call records depends on the code that panicked:
//!
//! | code that panicked | how the destructor knows | the call |
//! |---|---|---|
//! | the guarded service, its future, its body or stream | [`Runs::Call`] is set around it | a failure, reason "panic" |
//! | a classifier, while the caller of the classifier owns the permit | [`Runs::Classifier`] is set around it | ignored |
//! | a classifier that owns the permit itself | the permit is marked, and [`classifying`] sets a flag of the thread | ignored |
//! | any other code, such as the task that holds the future | none of these | cancelled |
//!
//! The mark alone is not enough: a classifier may move its [`Permit`](crate::Permit) into a body or a task, and a panic
//! there is not one of the classifier.
//!
//! Settling may itself run a user callback, and so may panic in a destructor: see [`in_drop`].

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::outcome::Outcome;
use crate::sync::thread_local;

/// The code that runs while the owner of a permit waits for it to return. If the owner is dropped meanwhile, that code
/// has panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runs {
    Nothing,
    /// The guarded service, its future or its body.
    Call,
    /// The classifier or an override.
    Classifier,
}

impl Runs {
    /// Returns the outcome of the call if this code has panicked, or `None` if no code was running.
    pub(crate) fn unwound(self) -> Option<Outcome> {
        match self {
            Self::Nothing => None,
            Self::Call => Some(Outcome::failure().reason("panic")),
            Self::Classifier => Some(Outcome::ignored()),
        }
    }
}

thread_local! {
    /// Whether this thread runs a classifier that owns its permit.
    static CLASSIFYING: Cell<bool> = const { Cell::new(false) };
}

/// Runs a classifier that owns its permit. If it panics, the call is ignored.
#[inline(always)]
pub(crate) fn classifying<T>(classify: impl FnOnce() -> T) -> T {
    let _guard = ClassifyingGuard { outer: CLASSIFYING.replace(true) };
    classify()
}

/// Returns whether this thread runs a classifier that owns its permit.
pub(super) fn is_classifying() -> bool {
    CLASSIFYING.get()
}

struct ClassifyingGuard {
    /// The value to restore: a classifier may poll another guarded service.
    outer: bool,
}

impl Drop for ClassifyingGuard {
    #[inline(always)]
    fn drop(&mut self) {
        CLASSIFYING.set(self.outer);
    }
}

/// Runs `work`, which may call a user callback, in a destructor. If the thread is already unwinding, a second panic is
/// caught, because it would abort the process.
pub(crate) fn in_drop(work: impl FnOnce()) {
    if std::thread::panicking() {
        let _second = catch_unwind(AssertUnwindSafe(work));
    } else {
        work();
    }
}
