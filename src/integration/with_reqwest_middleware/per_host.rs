//! One breaker per origin.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::{Arc, PoisonError, RwLock};

use reqwest::Url;

use crate::breaker::BreakerHandle;
use crate::registry::{KeyRef, KeyedStore};
use crate::{CircuitBreakerLayer, Config, Settings};

const DEFAULT_CAPACITY: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

/// One breaker per origin: scheme, host and port. See
/// [`CircuitBreakerMiddleware::per_host`](super::CircuitBreakerMiddleware::per_host).
pub struct PerHost<C, R> {
    shared: Arc<Shared<C, R>>,
}

struct Shared<C, R> {
    config: Config<C, R>,
    /// The settings of `reconfigure`, which replace those of `config`.
    settings: RwLock<Option<Arc<Settings>>>,
    breakers: KeyedStore<Origin, CircuitBreakerLayer<C, R>>,
}

/// The key of a breaker: scheme, host and port.
struct Origin {
    scheme: Box<str>,
    host: Box<str>,
    port: Option<u16>,
}

/// The origin of a URL, without user information, path and query.
struct OriginOf<'a>(&'a Url);

impl Hash for OriginOf<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self(url) = self;
        (url.scheme(), url.host_str(), url.port()).hash(state);
    }
}

impl KeyRef<Origin> for OriginOf<'_> {
    fn matches(&self, key: &Origin) -> bool {
        let Self(url) = self;
        url.host_str().unwrap_or_default() == &*key.host
            && url.scheme() == &*key.scheme
            && url.port() == key.port
    }

    fn to_key(&self) -> Origin {
        let Self(url) = self;
        let host = url.host_str().unwrap_or_default();
        Origin { scheme: url.scheme().into(), host: host.into(), port: url.port() }
    }
}

impl<C, R> PerHost<C, R> {
    pub(super) fn new(config: Config<C, R>) -> Self {
        let breakers = KeyedStore::new(DEFAULT_CAPACITY);
        Self { shared: Arc::new(Shared { config, settings: RwLock::default(), breakers }) }
    }

    pub(super) fn set_capacity(&self, capacity: NonZeroUsize) {
        self.shared.breakers.set_capacity(capacity);
    }

    pub(super) fn handle(&self, url: &Url) -> Option<BreakerHandle> {
        self.shared.breakers.get(&OriginOf(url), CircuitBreakerLayer::handle)
    }

    pub(super) fn handles(&self) -> Vec<BreakerHandle> {
        let mut handles = self.shared.breakers.map(CircuitBreakerLayer::handle);
        handles.sort_by(|one, other| one.name().cmp(other.name()));
        handles
    }

    pub(super) fn reconfigure(&self, settings: Settings) {
        let settings = Arc::new(settings);
        let mut current = self.shared.settings.write().unwrap_or_else(PoisonError::into_inner);
        *current = Some(Arc::clone(&settings));
        drop(current);
        for handle in self.handles() {
            handle.reconfigure(Settings::clone(&settings));
        }
    }

    fn settings(&self) -> Option<Arc<Settings>> {
        self.shared.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<C: Clone, R: Clone> PerHost<C, R> {
    /// Returns the layer of the origin of `url`. Creates it if there is none.
    pub(super) fn layer(&self, url: &Url) -> CircuitBreakerLayer<C, R> {
        let mut created_with = None;
        let layer = self.shared.breakers.get_or_insert_with(&OriginOf(url), |_| {
            let mut config = self.shared.config.clone().name(url.origin().ascii_serialization());
            let settings = self.settings();
            if let Some(settings) = settings.as_deref() {
                config = config.settings(settings.clone());
            }
            created_with = Some(settings);
            CircuitBreakerLayer::new(config)
        });
        // `reconfigure` may have missed a breaker that was inserted after it read the store.
        if let Some(settings) = created_with
            && let Some(current) = self.settings()
            && settings.is_none_or(|settings| !Arc::ptr_eq(&settings, &current))
        {
            layer.handle().reconfigure(Settings::clone(&current));
        }
        layer
    }
}

impl<C, R> Clone for PerHost<C, R> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<C, R> fmt::Debug for PerHost<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerHost")
            .field("origins", &self.shared.breakers.len())
            .field("capacity", &self.shared.breakers.capacity())
            .finish_non_exhaustive()
    }
}
