//! Codes that the user moved to another class, or gave another weight.

use std::sync::Arc;

use crate::Class;

/// Nothing for the default sets, which then cost one compare; else a sorted list behind one reference count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Codes(Option<Arc<Vec<(u16, Own)>>>);

/// What the user said of one code.
#[derive(Clone, Copy, Debug, Default)]
struct Own {
    class: Option<Class>,
    weight: Option<u8>,
}

impl Codes {
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// Moves codes; the last move of a code wins.
    pub(crate) fn insert(&mut self, codes: impl IntoIterator<Item = u16>, class: Class) {
        self.edit(codes, |own| own.class = Some(class));
    }

    /// Weighs codes; the last weight of a code wins.
    pub(crate) fn weigh(&mut self, codes: impl IntoIterator<Item = u16>, weight: u8) {
        self.edit(codes, |own| own.weight = Some(weight));
    }

    fn edit(&mut self, codes: impl IntoIterator<Item = u16>, edit: impl Fn(&mut Own)) {
        for code in codes {
            let list = Arc::make_mut(self.0.get_or_insert_default());
            match list.binary_search_by_key(&code, |&(code, _)| code) {
                Ok(at) => edit(&mut list[at].1),
                Err(at) => {
                    let mut own = Own::default();
                    edit(&mut own);
                    list.insert(at, (code, own));
                }
            }
        }
    }

    /// The class of a code that was moved.
    #[inline]
    pub(crate) fn class(&self, code: u16) -> Option<Class> {
        find(self.0.as_deref()?, code)?.class
    }

    /// The weight of a code that has one of its own.
    #[inline]
    pub(crate) fn weight(&self, code: u16) -> Option<u8> {
        find(self.0.as_deref()?, code)?.weight
    }
}

/// Out of the way of the default sets.
#[cold]
#[inline(never)]
fn find(list: &[(u16, Own)], code: u16) -> Option<Own> {
    let at = list.binary_search_by_key(&code, |&(code, _)| code).ok()?;
    Some(list[at].1)
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

        #[doc = concat!("These ", $what, " weigh that much where they are failures, 1 to 100; outside that range it is clamped.")]
        ///
        /// Default 1. They stay in their class. What a weight counts in: [`Outcome::weight`].
        pub fn weight_on(mut self, codes: impl IntoIterator<Item = u16>, weight: u8) -> Self {
            self.moved.weigh(codes, weight);
            self
        }

        fn moving(mut self, codes: impl IntoIterator<Item = u16>, class: Class) -> Self {
            self.moved.insert(codes, class);
            self
        }
    };
}
pub(crate) use code_setters;

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
    fn a_code_has_a_class_and_a_weight_in_either_order() {
        let mut codes = Codes::none();
        codes.insert([504], Class::Failure);
        codes.weigh([504, 503], 3);
        codes.weigh([503], 5);
        codes.insert([503], Class::Ignored);
        assert_eq!((codes.class(504), codes.weight(504)), (Some(Class::Failure), Some(3)));
        assert_eq!((codes.class(503), codes.weight(503)), (Some(Class::Ignored), Some(5)));
        assert_eq!((codes.class(500), codes.weight(500)), (None, None));
    }

    #[test]
    fn a_weight_alone_moves_no_code() {
        let mut codes = Codes::none();
        codes.weigh([504], 3);
        assert_eq!(codes.class(504), None);
    }

    #[test]
    fn moving_no_code_allocates_nothing() {
        let mut codes = Codes::none();
        codes.insert([], Class::Failure);
        codes.weigh([], 3);
        assert!(codes.0.is_none());
    }
}
