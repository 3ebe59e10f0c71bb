//! The formula for a sequence of waits, and its jitter.

use std::time::Duration;

/// A sequence of waits, fixed or exponential, with jitter.
///
/// The wait of attempt *a* is `initial * multiplier^a`. Jitter is applied next, and the result is capped at `max`. As a
/// cooldown, the attempt is 0 for the first trip. It grows by one with each failed half-open period and with each trip
/// soon after a close (see [`SettingsBuilder::stable_for`](crate::SettingsBuilder::stable_for)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    pub(crate) initial: Duration,
    pub(crate) multiplier: f64,
    pub(crate) max: Duration,
    pub(crate) jitter: f64,
}

/// The longest wait: 30 years. Longer durations are capped before they are added to a clock reading.
pub(crate) const FOREVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

impl Backoff {
    /// Creates a sequence with the same wait for every attempt, without jitter.
    pub const fn fixed(wait: Duration) -> Self {
        Self { initial: wait, multiplier: 1.0, max: wait, jitter: 0.0 }
    }

    /// Creates a sequence that starts at `initial` and doubles with each attempt up to `max`, with a jitter of ±20 %.
    pub const fn exponential(initial: Duration, max: Duration) -> Self {
        Self { initial, multiplier: 2.0, max, jitter: 0.2 }
    }

    /// Sets the factor between two attempts, 1.0 or more; the settings builder checks it. Default: 2.0 for
    /// [`exponential`](Self::exponential), 1.0 for [`fixed`](Self::fixed).
    pub const fn multiplier(mut self, factor: f64) -> Self {
        self.multiplier = factor;
        self
    }

    /// Sets the share by which a wait changes at random, up or down, 0.0 to 1.0; the settings builder checks it. 0.2
    /// means ±20 %.
    pub const fn jitter(mut self, share: f64) -> Self {
        self.jitter = share;
        self
    }

    /// Sets the longest wait, after jitter. At most 30 years.
    pub const fn max(mut self, max: Duration) -> Self {
        self.max = max;
        self
    }

    /// Returns the wait of an attempt, before jitter.
    pub(crate) fn nominal(&self, attempt: u32) -> Duration {
        let factor = self.multiplier.powi(i32::try_from(attempt).unwrap_or(i32::MAX));
        let seconds = self.initial.as_secs_f64() * factor;
        let max = self.max.min(FOREVER);
        if seconds.is_finite() && seconds < max.as_secs_f64() {
            Duration::from_secs_f64(seconds)
        } else {
            max
        }
    }

    /// Applies jitter to a wait and caps it at `max`.
    pub(crate) fn finish(&self, wait: Duration, random: &mut Random) -> Duration {
        let max = self.max.min(FOREVER);
        let wait = wait.min(max);
        if self.jitter <= 0.0 {
            return wait;
        }
        let factor = 1.0 + self.jitter * (2.0 * random.unit() - 1.0);
        stretch(wait, factor).min(max)
    }
}

/// Returns a server's wait with upward jitter, at most `cap`. Without jitter, the replicas of a fleet would all send
/// their probes at the same time.
pub(crate) fn server_wait(
    asked: Duration,
    cap: Duration,
    jitter: f64,
    random: &mut Random,
) -> Duration {
    let cap = cap.min(FOREVER);
    let wait = asked.min(cap);
    if jitter <= 0.0 { wait } else { stretch(wait, 1.0 + jitter * random.unit()).min(cap) }
}

fn stretch(wait: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(wait.as_secs_f64() * factor).unwrap_or(FOREVER)
}

/// SplitMix64 (Steele, Lea, Flood 2014). Good enough for jitter, and reproducible from a seed.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a number in `0.0..1.0`.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        // 53 bits, the precision of an `f64`.
        (z >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn an_exponential_cooldown_doubles_up_to_its_maximum() {
        let cooldown = Backoff::exponential(S(5), S(60)).jitter(0.0);
        let waits: Vec<_> = (0..6).map(|attempt| cooldown.nominal(attempt).as_secs()).collect();
        assert_eq!(waits, [5, 10, 20, 40, 60, 60]);
        assert_eq!(cooldown.nominal(u32::MAX), S(60));
    }

    #[test]
    fn jitter_stays_within_its_share_and_below_the_maximum() {
        let cooldown = Backoff::exponential(S(10), S(11)).jitter(0.2);
        let mut random = Random::new(1);
        let waits: Vec<_> = (0..1000).map(|_| cooldown.finish(S(10), &mut random)).collect();
        assert!(waits.iter().all(|wait| (S(8)..=S(11)).contains(wait)));
        assert!(waits.iter().any(|wait| *wait < S(9)) && waits.contains(&S(11)));
    }

    #[test]
    fn a_server_wait_is_never_shortened() {
        let mut random = Random::new(2);
        for _ in 0..1000 {
            let wait = server_wait(S(100), S(300), 0.1, &mut random);
            assert!((S(100)..=S(110)).contains(&wait), "{wait:?}");
        }
        assert_eq!(server_wait(S(100), S(60), 0.1, &mut random), S(60));
        assert_eq!(server_wait(Duration::MAX, Duration::MAX, 0.1, &mut random), FOREVER);
    }

    #[test]
    fn the_generator_matches_the_splitmix64_reference_values() {
        let mut random = Random::new(1_234_567);
        for drawn in [0x599e_d017_fb08_fc85_u64, 0x2c73_f084_5854_0fa5, 0x883e_bce5_a3f2_7c77] {
            // A literal, because `powi` may not be exact.
            let unit = (drawn >> 11) as f64 / 9_007_199_254_740_992.0;
            assert_eq!(random.unit().to_bits(), unit.to_bits());
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_waits() {
        let draw = |seed| {
            let mut random = Random::new(seed);
            [random.unit(), random.unit(), random.unit()]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }
}
