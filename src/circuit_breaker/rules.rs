//! The rules of a user, one line each.

use std::error::Error;

use crate::circuit_breaker::config::Config;
use crate::classify::rules::{Decide, Ignore, OfCause, OfError, OfResponse, Only, Rule, Ruled};
use crate::outcome::Outcome;

/// Rules that go before the classifier of the preset, from the top down: the first that says something decides. See
/// [`rules`](crate::classify::rules).
impl<C, R> Config<C, R> {
    /// Errors that say nothing about the dependency: they are ignored, in no rate and no streak.
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
        self.rule(Ignore(ignore))
    }

    /// Only these errors may be failures: what they mean is for the next rules and the classifier to say. The others
    /// are successes, as a 404 is: the dependency answered. Successes close a half-open circuit; to have the others
    /// ignored instead, use [`ignore_errors`](Self::ignore_errors) and say which.
    ///
    /// That the others are successes, and not ignored, is how `recordExceptions` of resilience4j (its issue 568) and
    /// `failOn` of MicroProfile Fault Tolerance have it.
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
        self.rule(Only(only))
    }

    /// What an error means: its class, its weight, the wait that it names. `None` leaves it to the next rules and the
    /// classifier.
    ///
    /// ```
    /// use tower::{BoxError, timeout::error::Elapsed};
    /// use tower_breaker::{Config, Outcome};
    ///
    /// // A timeout weighs three failures.
    /// let config = Config::default()
    ///     .classify_errors(|error: &BoxError| error.is::<Elapsed>().then(|| Outcome::failure().weight(3)));
    /// # let _ = config;
    /// ```
    pub fn classify_errors<E, F>(self, classify: F) -> Config<ByError<C, E, Decide<F>>, R>
    where
        F: Fn(&E) -> Option<Outcome>,
    {
        self.rule(Decide(classify))
    }

    /// Like [`ignore_errors`](Self::ignore_errors), for errors of one type: the error of the service or any of its
    /// sources. That error is a [`BoxError`](crate::BoxError), or any [`std::error::Error`]; which of them (`K`), the
    /// compiler learns from the service.
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
        self.rule(Ignore(ignore))
    }

    /// Like [`only_errors`](Self::only_errors), for errors of one type: where neither the error of the service nor any
    /// of its sources is one of these, the call is a success.
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
        self.rule(Only(only))
    }

    /// Like [`classify_errors`](Self::classify_errors), for errors of one type: the error of the service or any of its
    /// sources, from the outside in until the closure says something.
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
        self.rule(Decide(classify))
    }

    /// What a response means. `None` leaves it to the next rules and the classifier; anything else settles the call
    /// with the head of the response, and nothing is asked of its body.
    ///
    /// The response of the guarded service stays what the classifier makes of it. A fallback or a retry outside of the
    /// breaker judges it for itself, and does not know the rule.
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
        self.rule(Decide(classify))
    }

    fn rule<S, A>(self, answer: A) -> Config<Ruled<C, Rule<S, A>>, R> {
        let Self { name, settings, callbacks, observers, classify, on_rejected, pending } = self;
        let classify = Ruled::new(classify, Rule::new(answer));
        Config { name, settings, callbacks, observers, classify, on_rejected, pending }
    }
}

type ByError<C, E, A> = Ruled<C, Rule<OfError<E>, A>>;
type ByCause<C, T, K, A> = Ruled<C, Rule<OfCause<T, K>, A>>;
type ByResponse<C, Res, A> = Ruled<C, Rule<OfResponse<Res>, A>>;
