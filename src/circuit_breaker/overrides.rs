//! The methods of [`Config`] that add overrides.

use std::error::Error;

use crate::circuit_breaker::config::Config;
use crate::classify::overrides::{
    Decide, Ignore, OfCause, OfError, OfResponse, Only, Override, WithOverride,
};
use crate::outcome::Outcome;

/// # Overrides
///
/// Overrides classify some results before the classifier does. They run in the order in which they are written, and the
/// first outcome decides. See [`overrides`](crate::classify::overrides).
impl<C, R> Config<C, R> {
    /// Ignores the errors for which `ignore` returns `true`. They count in no rate and no streak.
    ///
    /// Use it for errors that are no evidence about the dependency.
    ///
    /// ```
    /// use std::io::{self, ErrorKind};
    /// use tower_breaker::Config;
    ///
    /// let config = Config::default().ignore_errors(|error: &io::Error| error.kind() == ErrorKind::NotFound);
    /// # let _ = config;
    /// ```
    pub fn ignore_errors<E, F>(self, ignore: F) -> Config<ByError<C, E, Ignore<F>>, R>
    where
        F: Fn(&E) -> bool,
    {
        self.before_classifier(Ignore(ignore))
    }

    /// Classifies the errors for which `only` returns `false` as successes, as a 404 is: the dependency responded. The
    /// next overrides and the classifier decide about the others.
    ///
    /// Successes close a half-open circuit. To ignore errors instead, use [`ignore_errors`](Self::ignore_errors) for
    /// them.
    ///
    /// `recordExceptions` of resilience4j (its issue 568) and `failOn` of MicroProfile Fault Tolerance also classify the
    /// other errors as successes.
    ///
    /// ```
    /// use tower::{BoxError, timeout::error::Elapsed};
    /// use tower_breaker::Config;
    ///
    /// let config = Config::default().only_errors(|error: &BoxError| error.is::<Elapsed>());
    /// # let _ = config;
    /// ```
    pub fn only_errors<E, F>(self, only: F) -> Config<ByError<C, E, Only<F>>, R>
    where
        F: Fn(&E) -> bool,
    {
        self.before_classifier(Only(only))
    }

    /// Classifies errors with `classify`, which sets class, weight and wait. If it returns `None`, the next overrides
    /// and the classifier decide.
    ///
    /// ```
    /// use tower::{BoxError, timeout::error::Elapsed};
    /// use tower_breaker::{Config, Outcome};
    ///
    /// // A timeout counts as three failures.
    /// let config = Config::default()
    ///     .classify_errors(|error: &BoxError| error.is::<Elapsed>().then(|| Outcome::failure().weight(3)));
    /// # let _ = config;
    /// ```
    pub fn classify_errors<E, F>(self, classify: F) -> Config<ByError<C, E, Decide<F>>, R>
    where
        F: Fn(&E) -> Option<Outcome>,
    {
        self.before_classifier(Decide(classify))
    }

    /// Like [`ignore_errors`](Self::ignore_errors), for errors of one type: the error of the service or any of its
    /// sources.
    ///
    /// The error of the service must be a [`BoxError`](crate::BoxError) or a [`std::error::Error`]. The compiler infers
    /// which of them it is (`K`) from the service.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # use tower::{BoxError, Layer, ServiceExt, service_fn};
    /// # use tower_breaker::CircuitBreakerLayer;
    /// use std::io::{self, ErrorKind};
    /// use tower_breaker::Config;
    ///
    /// let config = Config::default().ignore_caused_by(|cause: &io::Error| cause.kind() == ErrorKind::NotFound);
    /// # let client = service_fn(async |_: ()| Err::<(), _>(BoxError::from(io::Error::from(ErrorKind::NotFound))));
    /// # let breaker = CircuitBreakerLayer::new(config);
    /// # let handle = breaker.handle();
    /// # breaker.layer(client).oneshot(()).await.unwrap_err();
    /// # assert_eq!(handle.snapshot().totals.ignored, 1);
    /// # }
    /// ```
    pub fn ignore_caused_by<T, K, F>(self, ignore: F) -> Config<ByCause<C, T, K, Ignore<F>>, R>
    where
        T: Error + 'static,
        F: Fn(&T) -> bool,
    {
        self.before_classifier(Ignore(ignore))
    }

    /// Like [`only_errors`](Self::only_errors), for errors of one type: the call is a success unless `only` returns
    /// `true` for the error of the service or one of its sources.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # use tower::{BoxError, Layer, ServiceExt, service_fn};
    /// # use tower_breaker::CircuitBreakerLayer;
    /// use tower::timeout::error::Elapsed;
    /// use tower_breaker::Config;
    ///
    /// let config = Config::default().only_caused_by(|_: &Elapsed| true);
    /// # let breaker = CircuitBreakerLayer::new(config);
    /// # let handle = breaker.handle();
    /// # let client = service_fn(async |_: ()| Err::<(), _>(BoxError::from("no timeout")));
    /// # breaker.layer(client).oneshot(()).await.unwrap_err();
    /// # assert_eq!(handle.snapshot().totals.success, 1);
    /// # }
    /// ```
    pub fn only_caused_by<T, K, F>(self, only: F) -> Config<ByCause<C, T, K, Only<F>>, R>
    where
        T: Error + 'static,
        F: Fn(&T) -> bool,
    {
        self.before_classifier(Only(only))
    }

    /// Like [`classify_errors`](Self::classify_errors), for errors of one type: the error of the service and its sources,
    /// from the outermost to the innermost, until `classify` returns an outcome.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # use std::{error::Error, fmt, time::Duration};
    /// # use tower::{BoxError, Layer, ServiceExt, service_fn};
    /// # use tower_breaker::CircuitBreakerLayer;
    /// use tower_breaker::{Config, Outcome};
    /// # #[derive(Debug)] struct Limited { wait: Duration }
    /// # impl fmt::Display for Limited {
    /// #     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("limited") }
    /// # }
    /// # impl Error for Limited {}
    ///
    /// let config = Config::default()
    ///     .classify_caused_by(|cause: &Limited| Some(Outcome::throttled().retry_after(cause.wait)));
    /// # let breaker = CircuitBreakerLayer::new(config);
    /// # let handle = breaker.handle();
    /// # let client = service_fn(async |_: ()| Err::<(), BoxError>(Limited { wait: Duration::from_secs(20) }.into()));
    /// # breaker.layer(client).oneshot(()).await.unwrap_err();
    /// # assert_eq!(handle.snapshot().totals.throttled, 1);
    /// # }
    /// ```
    pub fn classify_caused_by<T, K, F>(self, classify: F) -> Config<ByCause<C, T, K, Decide<F>>, R>
    where
        T: Error + 'static,
        F: Fn(&T) -> Option<Outcome>,
    {
        self.before_classifier(Decide(classify))
    }

    /// Classifies responses with `classify`. If it returns `None`, the next overrides and the classifier decide.
    ///
    /// An outcome settles the call with the head of the response. The body is not classified. The response type of the
    /// guarded service stays that of the classifier. A fallback or a retry outside the breaker classifies the response
    /// itself, without the override.
    ///
    /// ```
    /// # #[cfg(feature = "http")] {
    /// use http::Response;
    /// use hyper::body::Incoming;
    /// use tower_breaker::{Config, Outcome};
    ///
    /// let config = Config::http_client().classify_responses(|response: &Response<Incoming>| {
    ///     response.headers().contains_key("x-degraded").then(|| Outcome::failure().reason("degraded"))
    /// });
    /// # let _ = config;
    /// # }
    /// ```
    pub fn classify_responses<Res, F>(self, classify: F) -> Config<ByResponse<C, Res, Decide<F>>, R>
    where
        F: Fn(&Res) -> Option<Outcome>,
    {
        self.before_classifier(Decide(classify))
    }

    fn before_classifier<S, A>(self, action: A) -> Config<WithOverride<C, Override<S, A>>, R> {
        let Self { parts, classify, on_rejected } = self;
        let classify = WithOverride::new(classify, Override::new(action));
        Config { parts, classify, on_rejected }
    }
}

type ByError<C, E, A> = WithOverride<C, Override<OfError<E>, A>>;
type ByCause<C, T, K, A> = WithOverride<C, Override<OfCause<T, K>, A>>;
type ByResponse<C, Res, A> = WithOverride<C, Override<OfResponse<Res>, A>>;
