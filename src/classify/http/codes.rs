//! Codes whose class or weight is overridden.

use std::sync::Arc;

use crate::Class;

/// The overridden codes of one classifier.
///
/// Without overrides, a lookup costs one comparison and a clone is free. With overrides, they are a sorted list behind
/// one reference count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Codes(Option<Arc<Vec<(u16, Override)>>>);

/// The overrides of one code.
#[derive(Clone, Copy, Debug, Default)]
struct Override {
    class: Option<Class>,
    weight: Option<u8>,
}

impl Codes {
    /// Returns a value without overrides.
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// Sets the class of codes. The last class of a code wins.
    pub(crate) fn insert(&mut self, codes: impl IntoIterator<Item = u16>, class: Class) {
        self.edit(codes, |code| code.class = Some(class));
    }

    /// Sets the weight of codes. The last weight of a code wins.
    pub(crate) fn weigh(&mut self, codes: impl IntoIterator<Item = u16>, weight: u8) {
        self.edit(codes, |code| code.weight = Some(weight));
    }

    fn edit(&mut self, codes: impl IntoIterator<Item = u16>, edit: impl Fn(&mut Override)) {
        for code in codes {
            let list = Arc::make_mut(self.0.get_or_insert_default());
            match list.binary_search_by_key(&code, |&(code, _)| code) {
                Ok(index) => edit(&mut list[index].1),
                Err(index) => {
                    let mut new = Override::default();
                    edit(&mut new);
                    list.insert(index, (code, new));
                }
            }
        }
    }

    /// Returns the overridden class of a code.
    #[inline]
    pub(crate) fn class(&self, code: u16) -> Option<Class> {
        find(self.0.as_deref()?, code)?.class
    }

    /// Returns the overridden weight of a code.
    #[inline]
    pub(crate) fn weight(&self, code: u16) -> Option<u8> {
        find(self.0.as_deref()?, code)?.weight
    }
}

// Cold, so that classifiers without overrides do not carry the search.
#[cold]
#[inline(never)]
fn find(list: &[(u16, Override)], code: u16) -> Option<Override> {
    let index = list.binary_search_by_key(&code, |&(code, _)| code).ok()?;
    Some(list[index].1)
}

/// Implements the setters of a classifier whose [`Codes`] are at the given path in `self`.
macro_rules! code_setters {
    ($what:literal, $($codes:tt)+) => {
        #[doc = concat!("Classifies these ", $what, " as failures, with the wait that the response asks for.")]
        pub fn failure_on(self, codes: impl IntoIterator<Item = u16>) -> Self {
            self.with_class(codes, Class::Failure)
        }

        #[doc = concat!("Classifies these ", $what, " as successes.")]
        pub fn success_on(self, codes: impl IntoIterator<Item = u16>) -> Self {
            self.with_class(codes, Class::Success)
        }

        #[doc = concat!("Classifies these ", $what, " as throttled, with the wait that the response asks for.")]
        pub fn throttled_on(self, codes: impl IntoIterator<Item = u16>) -> Self {
            self.with_class(codes, Class::Throttled)
        }

        #[doc = concat!("Classifies these ", $what, " as exhausted, with the wait that the response asks for.")]
        pub fn exhausted_on(self, codes: impl IntoIterator<Item = u16>) -> Self {
            self.with_class(codes, Class::Exhausted)
        }

        #[doc = concat!("Ignores these ", $what, ". Their wait is not read.")]
        pub fn ignored_on(self, codes: impl IntoIterator<Item = u16>) -> Self {
            self.with_class(codes, Class::Ignored)
        }

        #[doc = concat!("Sets the weight of failures with these ", $what, ", from 1 to 100. A value outside that range is clamped.")]
        ///
        /// Default: 1. The class of the codes does not change. [`Outcome::weight`] lists the rules that count weights.
        pub fn weight_on(mut self, codes: impl IntoIterator<Item = u16>, weight: u8) -> Self {
            self.$($codes)+.weigh(codes, weight);
            self
        }

        fn with_class(mut self, codes: impl IntoIterator<Item = u16>, class: Class) -> Self {
            self.$($codes)+.insert(codes, class);
            self
        }
    };
}
pub(crate) use code_setters;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_class_of_a_code_wins() {
        let mut codes = Codes::none();
        codes.insert([503, 404, 429], Class::Ignored);
        codes.insert([404], Class::Failure);
        assert_eq!(codes.class(404), Some(Class::Failure));
        assert_eq!(codes.class(429), Some(Class::Ignored));
        assert_eq!(codes.class(503), Some(Class::Ignored));
        assert_eq!(codes.class(500), None);
    }

    #[test]
    fn overriding_codes_in_a_clone_leaves_the_original_unchanged() {
        let mut codes = Codes::none();
        codes.insert([404], Class::Failure);
        let mut clone = codes.clone();
        clone.insert([404], Class::Ignored);
        assert_eq!(codes.class(404), Some(Class::Failure));
        assert_eq!(clone.class(404), Some(Class::Ignored));
    }

    #[test]
    fn a_code_takes_a_class_and_a_weight_in_either_order() {
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
    fn a_weight_alone_changes_no_class() {
        let mut codes = Codes::none();
        codes.weigh([504], 3);
        assert_eq!(codes.class(504), None);
    }

    #[test]
    fn overriding_no_code_allocates_nothing() {
        let mut codes = Codes::none();
        codes.insert([], Class::Failure);
        codes.weigh([], 3);
        assert!(codes.0.is_none());
    }
}
