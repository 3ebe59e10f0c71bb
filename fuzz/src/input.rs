//! The bytes of the fuzzer as values.

use std::time::Duration;

/// Takes values from the front of the bytes. Past the end, every value is zero.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// Creates an input from `data`.
    pub fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    /// Takes at most `max` bytes.
    pub(crate) fn take(&mut self, max: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(max.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn word(&mut self) -> u64 {
        let mut bytes = [0; 8];
        let taken = self.take(8);
        bytes[..taken.len()].copy_from_slice(taken);
        u64::from_le_bytes(bytes)
    }

    /// Takes a number: small, at a limit, or arbitrary.
    pub(crate) fn number(&mut self) -> u32 {
        match self.byte() {
            small @ 0..=199 => u32::from(small),
            200..=209 => u32::MAX,
            210..=219 => 1_000,
            220..=229 => 1_000_000,
            _ => self.word() as u32,
        }
    }

    /// Takes a fraction: a rate, a factor, or an invalid value.
    pub(crate) fn fraction(&mut self) -> f64 {
        match self.byte() {
            percent @ 0..=199 => f64::from(percent) / 100.0,
            200..=204 => f64::NAN,
            205..=209 => f64::INFINITY,
            210..=214 => -0.0,
            215..=219 => f64::MIN_POSITIVE,
            220..=224 => 0.000_001,
            225..=229 => 1.0 + f64::EPSILON,
            _ => f64::from_bits(self.word()),
        }
    }

    /// Takes a duration, from zero through common values to the maximum.
    pub(crate) fn time(&mut self) -> Duration {
        match self.byte() {
            0 => Duration::ZERO,
            ms @ 1..=99 => Duration::from_millis(ms.into()),
            secs @ 100..=199 => Duration::from_secs(u64::from(secs) - 99),
            200..=204 => Duration::MAX,
            205..=209 => Duration::from_nanos(1),
            210..=214 => THIRTY_YEARS,
            215..=219 => THIRTY_YEARS + Duration::from_nanos(1),
            220..=229 => Duration::from_secs(self.word()),
            230..=239 => Duration::from_secs(u64::from(self.word() as u32)),
            _ => Duration::from_nanos(self.word()),
        }
    }
}

/// The longest duration of any setting.
pub(crate) const THIRTY_YEARS: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
