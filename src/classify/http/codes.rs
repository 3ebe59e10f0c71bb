//! Codes that the user moved to another class.

use std::sync::Arc;

use crate::Class;

/// Nothing for the default sets, which then cost one compare; else a sorted list behind one reference count.
#[derive(Clone, Debug, Default)]
pub(in crate::classify) struct Codes(Option<Arc<Vec<(u16, Class)>>>);

impl Codes {
    pub(in crate::classify) const fn none() -> Self {
        Self(None)
    }

    /// Moves codes; the last move of a code wins.
    pub(in crate::classify) fn insert(
        &mut self,
        codes: impl IntoIterator<Item = u16>,
        class: Class,
    ) {
        for code in codes {
            let moved = Arc::make_mut(self.0.get_or_insert_default());
            match moved.binary_search_by_key(&code, |&(code, _)| code) {
                Ok(at) => moved[at].1 = class,
                Err(at) => moved.insert(at, (code, class)),
            }
        }
    }

    /// The class of a code that was moved.
    pub(in crate::classify) fn class(&self, code: u16) -> Option<Class> {
        let moved = self.0.as_deref()?;
        let at = moved.binary_search_by_key(&code, |&(code, _)| code).ok()?;
        Some(moved[at].1)
    }
}

/// The setters of a classifier that has `moved: Codes`.
macro_rules! code_setters {
    ($what:literal) => {
        #[doc = concat!("These ", $what, " are failures, with the wait that the response asks for.")]
        pub fn failure_on(self, codes: impl IntoIterator<Item = u16>) -> Self {
            self.moving(codes, Class::Failure)
        }

        #[doc = concat!("These ", $what, " are successes.")]
        pub fn success_on(self, codes: impl IntoIterator<Item = u16>) -> Self {
            self.moving(codes, Class::Success)
        }

        #[doc = concat!("These ", $what, " are throttled, with the wait that the response asks for.")]
        pub fn throttled_on(self, codes: impl IntoIterator<Item = u16>) -> Self {
            self.moving(codes, Class::Throttled)
        }

        #[doc = concat!("These ", $what, " are exhausted, with the wait that the response asks for.")]
        pub fn exhausted_on(self, codes: impl IntoIterator<Item = u16>) -> Self {
            self.moving(codes, Class::Exhausted)
        }

        #[doc = concat!("These ", $what, " are ignored, without a wait.")]
        pub fn ignored_on(self, codes: impl IntoIterator<Item = u16>) -> Self {
            self.moving(codes, Class::Ignored)
        }

        fn moving(mut self, codes: impl IntoIterator<Item = u16>, class: Class) -> Self {
            self.moved.insert(codes, class);
            self
        }
    };
}
pub(in crate::classify) use code_setters;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_move_of_a_code_wins() {
        let mut codes = Codes::none();
        codes.insert([503, 404, 429], Class::Ignored);
        codes.insert([404], Class::Failure);
        assert_eq!(codes.class(404), Some(Class::Failure));
        assert_eq!(codes.class(429), Some(Class::Ignored));
        assert_eq!(codes.class(503), Some(Class::Ignored));
        assert_eq!(codes.class(500), None);
    }

    #[test]
    fn moving_codes_in_a_clone_leaves_the_original_alone() {
        let mut codes = Codes::none();
        codes.insert([404], Class::Failure);
        let mut clone = codes.clone();
        clone.insert([404], Class::Ignored);
        assert_eq!(codes.class(404), Some(Class::Failure));
        assert_eq!(clone.class(404), Some(Class::Ignored));
    }

    #[test]
    fn moving_no_code_allocates_nothing() {
        let mut codes = Codes::none();
        codes.insert([], Class::Failure);
        assert!(codes.0.is_none());
    }
}
