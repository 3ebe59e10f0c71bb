//! A breaker for each origin.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::Url;

use crate::machine::Settings;
use crate::{BreakerHandle, Mode, State};
use crate::{CircuitBreakerLayer, Config};

const CAPACITY: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

/// A breaker for each origin that is called: scheme, host and port. See
/// [`CircuitBreakerMiddleware::per_host`](super::CircuitBreakerMiddleware::per_host).
pub struct PerHost<C, R> {
    hosts: Arc<Mutex<Hosts<C, R>>>,
}

struct Hosts<C, R> {
    config: Config<C, R>,
    capacity: NonZeroUsize,
    breakers: HashMap<String, Host<C, R>>,
    /// How often any of them was asked for.
    uses: u64,
}

struct Host<C, R> {
    breaker: CircuitBreakerLayer<C, R>,
    /// [`Hosts::uses`] then.
    used: u64,
}

impl<C, R> PerHost<C, R> {
    pub(super) fn new(config: Config<C, R>) -> Self {
        let hosts = Hosts { config, capacity: CAPACITY, breakers: HashMap::new(), uses: 0 };
        Self { hosts: Arc::new(Mutex::new(hosts)) }
    }

    /// Nothing is left half done in here, whatever panics.
    fn lock(&self) -> MutexGuard<'_, Hosts<C, R>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_capacity(&self, capacity: NonZeroUsize) {
        let mut forgotten = Vec::new();
        let mut hosts = self.lock();
        hosts.capacity = capacity;
        while hosts.breakers.len() > capacity.get() {
            forgotten.extend(hosts.forget_one());
        }
        drop(hosts);
    }

    pub(super) fn handle(&self, url: &Url) -> Option<BreakerHandle> {
        self.lock().breakers.get(&origin(url)).map(|host| host.breaker.handle())
    }

    pub(super) fn handles(&self) -> Vec<BreakerHandle> {
        let mut handles: Vec<_> =
            self.lock().breakers.values().map(|host| host.breaker.handle()).collect();
        handles.sort_by(|one, other| one.name().cmp(other.name()));
        handles
    }

    pub(super) fn reconfigure(&self, settings: Settings) {
        let mut hosts = self.lock();
        hosts.config.set_settings(settings.clone());
        let handles: Vec<_> = hosts.breakers.values().map(|host| host.breaker.handle()).collect();
        drop(hosts);
        for handle in handles {
            handle.reconfigure(settings.clone());
        }
    }
}

impl<C: Clone, R: Clone> PerHost<C, R> {
    /// The breaker for a call of `url`.
    pub(super) fn get(&self, url: &Url) -> CircuitBreakerLayer<C, R> {
        let origin = origin(url);
        let mut hosts = self.lock();
        hosts.uses += 1;
        let used = hosts.uses;
        if let Some(host) = hosts.breakers.get_mut(&origin) {
            host.used = used;
            return host.breaker.clone();
        }
        let breaker = CircuitBreakerLayer::new(hosts.config.clone().name(origin.as_str()));
        let full = hosts.breakers.len() >= hosts.capacity.get();
        let forgotten = if full { hosts.forget_one() } else { None };
        hosts.breakers.insert(origin, Host { breaker: breaker.clone(), used });
        // What is forgotten is a user's in part: its destructors run without the lock.
        drop(hosts);
        drop(forgotten);
        breaker
    }
}

impl<C, R> Hosts<C, R> {
    /// Takes out the one that is missed least.
    fn forget_one(&mut self) -> Option<Host<C, R>> {
        let least = self.breakers.iter().min_by_key(|(_, host)| (host.worth(), host.used));
        let origin = least?.0.clone();
        self.breakers.remove(&origin)
    }
}

impl<C, R> Host<C, R> {
    /// What would be lost with it.
    fn worth(&self) -> Worth {
        // Before a handle is made: that is one that holds it.
        if self.breaker.is_held() {
            return Worth::Held;
        }
        let handle = self.breaker.handle();
        if handle.mode() == Mode::Normal && handle.state() == State::Closed {
            Worth::Closed
        } else {
            Worth::Knows
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    Closed,
    /// It knows of an outage, or of a person's decision.
    Knows,
    /// A call is under way, or somebody watches.
    Held,
}

/// Scheme, host and port, as text: `https://api.example.com`. Nothing of the user, the path or the query is in it.
fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

impl<C, R> Clone for PerHost<C, R> {
    fn clone(&self) -> Self {
        Self { hosts: Arc::clone(&self.hosts) }
    }
}

impl<C, R> fmt::Debug for PerHost<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.lock();
        f.debug_struct("PerHost")
            .field("origins", &hosts.breakers.len())
            .field("capacity", &hosts.capacity)
            .finish_non_exhaustive()
    }
}
