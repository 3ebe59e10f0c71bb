//! The classifiers and the permit.

use super::*;
use crate::breaker::BreakerHandle;
use crate::{Class, Outcome, Settings};

/// Runs one call through a classifier and returns the result and the class that the breaker counted.
pub(crate) fn settle<C, Req, Res, E>(
    classify: &C,
    request: &Req,
    result: Result<Res, E>,
) -> (Result<C::Response, E>, Class)
where
    C: Classify<Req, Res, E>,
{
    let handle = BreakerHandle::new("test", Settings::default());
    let permit = handle.try_acquire().unwrap();
    let info = classify.request(request);
    let Classified::Ready(result) = classify.result(info, result, permit) else {
        panic!("deferred beyond the head");
    };
    (result, counted(&handle))
}

fn counted(handle: &BreakerHandle) -> Class {
    counted_yet(handle).expect("no call was settled")
}

/// Returns the class of the only call that has ended.
pub(crate) fn counted_yet(handle: &BreakerHandle) -> Option<Class> {
    let totals = handle.snapshot().totals;
    let counts = [
        (totals.success, Class::Success),
        (totals.failure, Class::Failure),
        (totals.throttled, Class::Throttled),
        (totals.exhausted, Class::Exhausted),
        (totals.ignored, Class::Ignored),
        (totals.cancelled, Class::Cancelled),
    ];
    let mut counted = counts.into_iter().filter(|(count, _)| *count > 0);
    let (count, class) = counted.next()?;
    assert_eq!((count, counted.next()), (1, None), "settled more than once");
    Some(class)
}

#[test]
fn an_ok_is_a_success_and_an_err_is_a_failure() {
    assert_eq!(settle(&ErrorsAsFailures, &(), Ok::<_, ()>(1)), (Ok(1), Class::Success));
    assert_eq!(settle(&ErrorsAsFailures, &(), Err::<(), _>(2)), (Err(2), Class::Failure));
}

#[test]
fn a_closure_decides_on_the_whole_result() {
    let classify = ClassifyFn::new(|result: Result<&u8, &u8>| match result {
        Ok(0) => Outcome::success(),
        Ok(_) => Outcome::failure(),
        Err(1) => Outcome::throttled(),
        Err(_) => Outcome::ignored(),
    });
    assert_eq!(settle(&classify, &(), Ok(0)), (Ok(0), Class::Success));
    assert_eq!(settle(&classify, &(), Ok(9)), (Ok(9), Class::Failure));
    assert_eq!(settle(&classify, &(), Err(1)), (Err(1), Class::Throttled));
    assert_eq!(settle(&classify, &(), Err(2)), (Err(2), Class::Ignored));
}

#[cfg(feature = "http")]
mod heads {
    use ::http::{Request, Response};

    use super::*;

    fn response(status: u16) -> Response<String> {
        let mut response = Response::new(String::new());
        *response.status_mut() = ::http::StatusCode::from_u16(status).unwrap();
        response
    }

    fn class<C>(classify: &C, status: u16) -> Class
    where
        C: Classify<Request<()>, Response<String>, (), Response = Response<BreakerBody<String>>>,
    {
        let (answer, class) = settle(classify, &Request::new(()), Ok(response(status)));
        let answer = answer.unwrap();
        assert_eq!(answer.status(), status);
        class
    }

    #[test]
    fn a_response_without_a_body_settles_once_at_its_head() {
        assert_eq!(class(&Http::server(), 200), Class::Success);
        assert_eq!(class(&Http::server(), 500), Class::Failure);
        assert_eq!(class(&Http::client(), 429), Class::Throttled);
        assert_eq!(class(&Grpc::client(), 503), Class::Failure);
        #[cfg(feature = "llm")]
        assert_eq!(class(&crate::llm::Llm::new(crate::Provider::Anthropic), 402), Class::Exhausted);
    }

    /// Returns the class of a call whose body is dropped unread.
    fn unread<C>(classify: &C, method: &str, status: u16, headers: &[(&str, &str)]) -> Class
    where
        C: Classify<Request<()>, Response<String>, (), Response = Response<BreakerBody<String>>>,
    {
        let request = Request::builder().method(method).body(()).unwrap();
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let handle = BreakerHandle::new("test", Settings::default());
        let permit = handle.try_acquire().unwrap();
        let info = classify.request(&request);
        let answer = classify.result(info, Ok(response.body("body".to_owned()).unwrap()), permit);
        assert!(matches!(answer, Classified::Ready(Ok(_))));
        drop(answer);
        counted(&handle)
    }

    #[test]
    fn an_unread_body_is_cancelled_only_if_it_could_change_the_outcome() {
        let http = Http::client();
        assert_eq!(unread(&http, "GET", 200, &[]), Class::Cancelled);
        assert_eq!(unread(&http, "GET", 206, &[]), Class::Cancelled);
        for status in [204, 301, 304, 400, 404, 501] {
            assert_eq!(unread(&http, "GET", status, &[]), Class::Success, "{status}");
        }
        assert_eq!(unread(&http, "HEAD", 200, &[]), Class::Success);
        assert_eq!(
            unread(&http.clone().settle_at(SettleAt::Head), "GET", 200, &[]),
            Class::Success
        );
        assert_eq!(unread(&http.success_on([500]), "GET", 500, &[]), Class::Success);

        let grpc = [("content-type", "application/grpc")];
        assert_eq!(unread(&Grpc::client(), "POST", 200, &grpc), Class::Cancelled);
        assert_eq!(unread(&Grpc::client(), "POST", 404, &[]), Class::Success);
        let head = Grpc::client().settle_at(SettleAt::Head);
        assert_eq!(unread(&head, "POST", 200, &grpc), Class::Success);
    }

    #[test]
    fn a_page_in_place_of_grpc_is_a_failure_only_for_a_client() {
        let page = [("content-type", "text/html")];
        assert_eq!(unread(&Grpc::client(), "POST", 200, &page), Class::Failure);
        assert_eq!(unread(&Grpc::server(), "POST", 200, &page), Class::Cancelled);
    }

    #[test]
    fn an_error_settles_and_passes_unchanged() {
        let (result, class) =
            settle(&Http::client(), &Request::new(()), Err::<Response<String>, _>("reset"));
        assert_eq!(result.unwrap_err(), "reset");
        assert_eq!(class, Class::Failure);
    }
}
