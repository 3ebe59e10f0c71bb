//! The layer.

use std::future::Future;

use tower_layer::Layer;

use super::backup::Backup;
use super::keep::{KeepFn, KeepNothing, KeepRequest, TryKeepFn};
use super::lift::AsPrimary;
#[cfg(feature = "http")]
use super::lift::EitherBodies;
use super::service::Fallback;
use super::source::{Attempt, FromFn, Value, ValueFn};
use super::trigger::Trigger;
use super::when::WhenFn;
use crate::classify::ByResponse;

/// Answers if the primary fails, rejects the call or returns a bad response. See the [module docs](super).
///
/// `T` is the [source](super::Source) of the answer. `W` [classifies](crate::classify::Outcomes) the results of the
/// primary. `K` [keeps](super::Keep) a part of the request for the source. `L` converts the answer to a response.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
/// use tower_breaker::{FallbackLayer, fallback::OnError};
///
/// let service = ServiceBuilder::new()
///     .layer(FallbackLayer::value("yesterday's news").when(OnError))
///     .service(service_fn(|_: ()| async { Err::<&str, BoxError>("press strike".into()) }));
///
/// assert_eq!(service.oneshot(()).await.unwrap(), "yesterday's news");
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FallbackLayer<T, W = ByResponse, K = KeepNothing, L = AsPrimary> {
    source: T,
    when: W,
    keep: K,
    lift: L,
}

impl<T, K> FallbackLayer<T, ByResponse, K> {
    const fn of(source: T, keep: K) -> Self {
        Self { source, when: ByResponse, keep, lift: AsPrimary }
    }
}

impl<V> FallbackLayer<Value<V>> {
    /// Answers with a clone of `value`.
    ///
    /// If the response is not `Clone`, as with a streaming body, use [`value_fn`](FallbackLayer::value_fn).
    pub fn value(value: V) -> Self {
        Self::of(Value::new(value), KeepNothing)
    }
}

impl<F> FallbackLayer<ValueFn<F>> {
    /// Answers with what `f` returns.
    pub const fn value_fn<V>(f: F) -> Self
    where
        F: Fn() -> V,
    {
        Self::of(ValueFn::new(f), KeepNothing)
    }
}

impl<F, Kept, Res, E> FallbackLayer<FromFn<F, Kept, Res, E>> {
    /// Answers with what the async function `f` resolves to: `Ok(answer)` or `Some(answer)`. After `Err` or `None`, the
    /// caller gets the primary's result.
    ///
    /// The arguments of `f` are the kept part of the request and the result of the primary. The kept part is `()` unless
    /// [`keep`](Self::keep) or a similar method is called. The future of `f` cannot borrow the result.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
    /// # use tower_breaker::{FallbackLayer, fallback::OnError};
    /// let cached = FallbackLayer::from_fn(|key: u32, trigger| {
    ///     let rejected = trigger.rejection().is_some();
    ///     async move { (key == 7 && !rejected).then_some("seven") }
    /// })
    /// .keep(|request: &u32| *request)
    /// .when(OnError);
    /// # let primary = service_fn(|_: u32| async { Err::<&str, BoxError>("down".into()) });
    /// let service = ServiceBuilder::new().layer(cached).service(primary);
    ///
    /// assert_eq!(service.clone().oneshot(7).await.unwrap(), "seven");
    /// assert_eq!(service.oneshot(8).await.unwrap_err().to_string(), "down");
    /// # }
    /// ```
    pub const fn from_fn<Fut>(f: F) -> Self
    where
        F: Fn(Kept, &Trigger<Res, E>) -> Fut,
        Fut: Future<Output: Attempt>,
    {
        Self::of(FromFn::new(f), KeepNothing)
    }
}

impl<S> FallbackLayer<Backup<S>, ByResponse, KeepRequest> {
    /// Answers with the response of another service, whatever its status. After an error of that service, the caller gets
    /// the primary's result.
    ///
    /// A clone of each request is kept for the service. If the request is not `Clone`, or the service takes another
    /// type, use [`keep`](Self::keep).
    ///
    /// `service` is stored in an `Arc` and cloned when it is needed. The response future is therefore `Send` only if
    /// the service is `Send + Sync`. Among the boxed services of tower, use `BoxCloneSyncService`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
    /// # use tower_breaker::{FallbackLayer, fallback::OnError};
    /// # #[derive(Debug)] struct Prompt { text: String }
    /// let small_model = service_fn(|text: String| async move { Ok::<_, BoxError>(text.len()) });
    /// let layer = FallbackLayer::service(small_model)
    ///     .keep(|prompt: &Prompt| prompt.text.clone())
    ///     .when(OnError);
    /// # let primary = service_fn(|_: Prompt| async { Err::<usize, BoxError>("down".into()) });
    /// let service = ServiceBuilder::new().layer(layer).service(primary);
    ///
    /// assert_eq!(service.oneshot(Prompt { text: "hello".into() }).await.unwrap(), 5);
    /// # }
    /// ```
    pub fn service(service: S) -> Self {
        Self::of(Backup::new(service), KeepRequest)
    }
}

impl<T, W, K, L> FallbackLayer<T, W, K, L> {
    /// Sets which results make the fallback answer: those whose outcome
    /// [wants another](crate::Outcome::wants_another). Default: [`ByResponse`].
    pub fn when<W2>(self, when: W2) -> FallbackLayer<T, W2, K, L> {
        let Self { source, keep, lift, .. } = self;
        FallbackLayer { source, when, keep, lift }
    }

    /// Falls back if `f` returns `true`. The closure sees the responses and the errors of the primary.
    pub fn when_fn<F, Res, E>(self, f: F) -> FallbackLayer<T, WhenFn<F, Res, E>, K, L>
    where
        F: Fn(Result<&Res, &E>) -> bool,
    {
        self.when(WhenFn::new(f))
    }

    /// Keeps what `f` returns for each request, as an argument of the function or as the request of the backup service.
    ///
    /// `f` runs for every call, before the primary is called.
    pub fn keep<F, Req, Kept>(self, f: F) -> FallbackLayer<T, W, KeepFn<F, Req>, L>
    where
        F: Fn(&Req) -> Kept,
    {
        self.with_keep(KeepFn::new(f))
    }

    /// Like [`keep`](Self::keep). If `f` returns `None`, the call has no fallback, and the caller gets the primary's
    /// result.
    pub fn try_keep<F, Req, Kept>(self, f: F) -> FallbackLayer<T, W, TryKeepFn<F, Req>, L>
    where
        F: Fn(&Req) -> Option<Kept>,
    {
        self.with_keep(TryKeepFn::new(f))
    }

    /// Keeps a clone of each request. This is the default for [`service`](FallbackLayer::service) only.
    pub fn keep_request(self) -> FallbackLayer<T, W, KeepRequest, L> {
        self.with_keep(KeepRequest)
    }

    /// Keeps a part of each request with your own [`Keep`](super::Keep).
    pub fn with_keep<K2>(self, keep: K2) -> FallbackLayer<T, W, K2, L> {
        let Self { source, when, lift, .. } = self;
        FallbackLayer { source, when, keep, lift }
    }

    /// Converts the bodies of the primary's response and of the answer to an [`EitherBody`](super::EitherBody), whose
    /// errors are boxed. Use it if the two body types differ.
    #[cfg(feature = "http")]
    pub fn either_body(self) -> FallbackLayer<T, W, K, EitherBodies> {
        let Self { source, when, keep, .. } = self;
        FallbackLayer { source, when, keep, lift: EitherBodies }
    }
}

impl<S, T, W, K, L> Layer<S> for FallbackLayer<T, W, K, L>
where
    T: Clone,
    W: Clone,
    K: Clone,
    L: Clone,
{
    type Service = Fallback<S, T, W, K, L>;

    fn layer(&self, inner: S) -> Self::Service {
        let Self { source, when, keep, .. } = self.clone();
        Fallback::new(inner, source, when, keep)
    }
}
