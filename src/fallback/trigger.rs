//! The result of the primary that made the fallback answer.

use crate::error::{BoxError, CircuitOpen};

/// The result of the primary that made the fallback answer. The caller gets it if the fallback fails as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger<Res, E> {
    /// A bad response of the primary.
    Response(Res),
    /// An error of the primary, such as a rejection.
    Error(E),
}

impl<Res, E> Trigger<Res, E> {
    /// Returns the bad response, if there is one.
    pub fn response(&self) -> Option<&Res> {
        self.as_result().ok()
    }

    /// Returns the error, if there is one.
    pub fn error(&self) -> Option<&E> {
        self.as_result().err()
    }

    /// Returns the result by reference.
    ///
    /// # Errors
    ///
    /// Returns the error of [`Trigger::Error`].
    pub fn as_result(&self) -> Result<&Res, &E> {
        match self {
            Self::Response(response) => Ok(response),
            Self::Error(error) => Err(error),
        }
    }

    /// Converts the trigger back to the result of the primary.
    ///
    /// # Errors
    ///
    /// Returns the error of [`Trigger::Error`].
    pub fn into_result(self) -> Result<Res, E> {
        match self {
            Self::Response(response) => Ok(response),
            Self::Error(error) => Err(error),
        }
    }
}

impl<Res> Trigger<Res, BoxError> {
    /// Returns the rejection of a breaker, if the error or one of its sources is one.
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
    fn a_rejection_is_found_at_any_depth_and_other_errors_are_not_rejections() {
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
    fn a_trigger_converts_to_and_from_a_result() {
        for result in [Ok(1), Err("no")] {
            let trigger = Trigger::from(result);
            assert_eq!(trigger.as_result(), result.as_ref());
            assert_eq!(
                (trigger.response(), trigger.error()),
                (result.as_ref().ok(), result.as_ref().err())
            );
            assert_eq!(trigger.into_result(), result);
        }
    }
}
