//! One client under load: the results that its users saw, the counts of its provider, and the timeline of its breaker.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::Empty;
use tokio::time::{Instant, timeout};
use tower::{BoxError, ServiceExt};
use tower_breaker::Settings;

use crate::clock::scenario;
use crate::report::{Figures, Line};
use crate::servers::{Manner, Server};
use crate::stack::{self, Client, Request};
use crate::timeline::Timeline;

/// Options that apply to every scenario.
#[derive(Clone, Copy, Default)]
pub(crate) struct Options {
    /// The provider stays healthy.
    pub(crate) healthy: bool,
    /// The protected client is built without breaker and fallback.
    pub(crate) no_breaker: bool,
}

/// The clients of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    Naive,
    Protected,
    NoOverdue,
}

impl Variant {
    fn settings(self) -> Option<Settings> {
        match self {
            Self::Naive => None,
            Self::Protected => Some(stack::settings(true)),
            Self::NoOverdue => Some(stack::settings(false)),
        }
    }
}

/// The result of one request.
struct Sample {
    in_outage: bool,
    took: Duration,
    error: bool,
    by_backup: bool,
}

/// A provider, its backup, a client of both, and the results so far.
pub(crate) struct Run {
    options: Options,
    provider: Server,
    /// Dropping it would stop the server.
    _backup: Server,
    client: Client,
    timeline: Option<Timeline>,
    started: Instant,
    outage: Mutex<Outage>,
    samples: Arc<Mutex<Vec<Sample>>>,
}

#[derive(Clone, Copy, Default)]
struct Outage {
    from: Option<Instant>,
    until: Option<Instant>,
}

impl Run {
    pub(crate) async fn start(
        variant: Variant,
        options: Options,
        retries: u32,
    ) -> Result<Self, BoxError> {
        let provider = Server::start("provider").await?;
        let backup = Server::start("backup").await?;
        let settings = variant.settings().filter(|_| !options.no_breaker);
        let (client, timeline) = match settings {
            None => (stack::naive(provider.address(), retries), None),
            Some(settings) => {
                let servers = (provider.address(), backup.address());
                let (client, handle) = stack::protected(servers.0, servers.1, retries, settings);
                (client, Some(Timeline::of(handle)))
            }
        };
        Ok(Self {
            options,
            provider,
            _backup: backup,
            client,
            timeline,
            started: Instant::now(),
            outage: Mutex::default(),
            samples: Arc::default(),
        })
    }

    /// Begins the outage: sets the behaviour of the provider, and counts later calls and requests as part of the
    /// outage.
    pub(crate) fn begin_outage(&self, manner: Manner) {
        let manner = if self.options.healthy { Manner::Healthy } else { manner };
        self.provider.set(manner, true);
        self.outage(|outage| outage.from = Some(Instant::now()));
    }

    /// Ends the outage: the provider is healthy again.
    pub(crate) fn end_outage(&self) {
        self.provider.set(Manner::Healthy, false);
        self.outage(|outage| outage.until = Some(Instant::now()));
    }

    fn outage<T>(&self, with: impl FnOnce(&mut Outage) -> T) -> T {
        with(&mut self.outage.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns a user whose requests count as part of the current phase of the scenario.
    pub(crate) fn user(&self) -> User {
        let in_outage = self.outage(|outage| outage.from.is_some() && outage.until.is_none());
        User { in_outage, client: self.client.clone(), samples: self.samples.clone() }
    }

    /// Returns `true` if there is no breaker, or if its circuit is closed.
    pub(crate) fn has_recovered(&self) -> bool {
        self.timeline.as_ref().is_none_or(Timeline::is_closed)
    }

    /// Returns the figures and the timeline. All requests must have ended.
    pub(crate) async fn finish(self) -> (Figures, Vec<Line>) {
        // The client has closed the connection of every call that the provider still holds.
        let held = timeout(Duration::from_secs(10), self.provider.settled()).await;
        let counts = held.expect("the provider notices the closed connections");
        let outage = self.outage(|outage| *outage);
        let (from, until) = outage.from.zip(outage.until).expect("a scenario plays to its end");
        let timeline = self.timeline.as_ref();
        let closed = timeline.and_then(|timeline| timeline.closed_after(until));

        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let (inside, outside): (Vec<_>, Vec<_>) = samples.iter().partition(|s| s.in_outage);
        let errors = |of: &[&Sample]| of.iter().filter(|sample| sample.error).count() as u64;
        let mut times: Vec<_> = inside.iter().map(|sample| sample.took).collect();
        times.sort_unstable();
        let figures = Figures {
            requests: inside.len() as u64,
            user_visible_errors: errors(&inside),
            provider_calls: counts.calls,
            mean_ms: millis(mean(&times)),
            p99_ms: millis(percentile(&times, 99)),
            recovery_to_closed_ms: closed.map(|closed| millis(scenario(closed - until))),
            outage_ms: millis(scenario(until - from)),
            probes: timeline.map_or(0, |timeline| timeline.probes(from, until)),
            answered_by_backup: inside.iter().filter(|sample| sample.by_backup).count() as u64,
            max_in_flight: counts.most_held,
            held_call_seconds: counts.held_for.as_secs(),
            provider_calls_outside_outage: counts.calls_outside,
            errors_outside_outage: errors(&outside),
        };
        (figures, self.lines(from, until))
    }

    /// The transitions of the breaker, and the marks of the outage.
    fn lines(&self, from: Instant, until: Instant) -> Vec<Line> {
        let Some(timeline) = &self.timeline else { return Vec::new() };
        let since_start = |at: Instant| scenario(at.saturating_duration_since(self.started));
        let mut lines = timeline.lines(since_start);
        if !self.options.healthy {
            let mark = |at, text: &str| Line { at: since_start(at), text: text.to_owned() };
            lines.push(mark(from, "-- the outage begins --"));
            lines.push(mark(until, "-- the provider is healthy again --"));
            lines.sort_by_key(|line| line.at);
        }
        lines
    }
}

/// Sends requests and records their results.
#[derive(Clone)]
pub(crate) struct User {
    in_outage: bool,
    client: Client,
    samples: Arc<Mutex<Vec<Sample>>>,
}

impl User {
    pub(crate) async fn request(&mut self) {
        let begun = Instant::now();
        let reply = self.client.clone().oneshot(Request::new(Empty::new())).await;
        let sample = Sample {
            in_outage: self.in_outage,
            took: scenario(begun.elapsed()),
            error: !reply.as_ref().is_ok_and(|reply| reply.status.is_success()),
            by_backup: reply.is_ok_and(|reply| reply.by_backup),
        };
        self.samples.lock().unwrap_or_else(PoisonError::into_inner).push(sample);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn mean(times: &[Duration]) -> Duration {
    let count = u32::try_from(times.len()).unwrap_or(u32::MAX).max(1);
    times.iter().sum::<Duration>() / count
}

/// The nearest-rank percentile of sorted times.
fn percentile(times: &[Duration], percent: usize) -> Duration {
    let rank = (times.len() * percent).div_ceil(100);
    times.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}
