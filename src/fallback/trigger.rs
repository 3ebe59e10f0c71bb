//! Why the fallback was asked.

use crate::error::{BoxError, CircuitOpen};

/// The primary's outcome that was not good enough: what the caller gets if the fallback fails as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger<Res, E> {
    /// The primary answered, badly.
    Response(Res),
    /// The primary failed, or a layer around it rejected the call.
    Error(E),
}

impl<Res, E> Trigger<Res, E> {
    /// The bad response, if there was one.
    pub fn response(&self) -> Option<&Res> {
        self.as_result().ok()
    }

    /// The error, if there was one.
    pub fn error(&self) -> Option<&E> {
        self.as_result().err()
    }

    /// The outcome, borrowed.
    ///
    /// # Errors
    ///
    /// The error of [`Trigger::Error`].
    pub fn as_result(&self) -> Result<&Res, &E> {
        match self {
            Self::Response(response) => Ok(response),
            Self::Error(error) => Err(error),
        }
    }

    /// The outcome, as the primary gave it.
    ///
    /// # Errors
    ///
    /// The error of [`Trigger::Error`].
    pub fn into_result(self) -> Result<Res, E> {
        match self {
            Self::Response(response) => Ok(response),
            Self::Error(error) => Err(error),
        }
    }
}

impl<Res> Trigger<Res, BoxError> {
    /// The breaker's rejection, if that is what the error is or comes from.
    pub fn rejection(&self) -> Option<&CircuitOpen> {
        CircuitOpen::find(&**self.error()?)
    }
}

impl<Res, E> From<Result<Res, E>> for Trigger<Res, E> {
    fn from(result: Result<Res, E>) -> Self {
        match result {
            Ok(response) => Self::Response(response),
            Err(error) => Self::Error(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::fmt;

    use super::*;
    use crate::state::{Cause, State};

    #[derive(Debug)]
    struct Wrapped(CircuitOpen);

    impl fmt::Display for Wrapped {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("gave up")
        }
    }

    impl Error for Wrapped {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn a_rejection_is_found_however_deep_and_nothing_else_is_taken_for_one() {
        let open = CircuitOpen::new(
            std::sync::Arc::new("payments".into()),
            State::Open,
            Cause::FailureRate,
            None,
        );
        let rejected = Trigger::<(), BoxError>::Error(Box::new(Wrapped(open)));
        assert_eq!(rejected.rejection().map(CircuitOpen::name), Some("payments"));
        assert_eq!(Trigger::<(), BoxError>::Error("other".into()).rejection(), None);
        assert_eq!(Trigger::<(), BoxError>::Response(()).rejection(), None);
    }

    #[test]
    fn a_trigger_is_the_outcome_that_it_was_made_of() {
        for outcome in [Ok(1), Err("no")] {
            let trigger = Trigger::from(outcome);
            assert_eq!(trigger.as_result(), outcome.as_ref());
            assert_eq!(
                (trigger.response(), trigger.error()),
                (outcome.as_ref().ok(), outcome.as_ref().err())
            );
            assert_eq!(trigger.into_result(), outcome);
        }
    }
}
