//! Two ways to settle the call of a response: at its head, or by its body.

use http::{Response, StatusCode};
use http_body::Body;

use super::{BodyClassifier, BodyPermit, BreakerBody, SettleAt};
use crate::Outcome;
use crate::breaker::Permit;

/// Wraps the body of a response whose call is settled.
pub(crate) fn settled<B: Body>(response: Response<B>) -> Response<BreakerBody<B>> {
    response.map(BreakerBody::new)
}

/// Settles a call with `outcome`, and returns its result.
pub(crate) fn settle_at_head<B: Body, E>(
    result: Result<Response<B>, E>,
    permit: Permit,
    outcome: Outcome,
) -> Result<Response<BreakerBody<B>>, E> {
    permit.settle(outcome);
    result.map(settled)
}

/// Moves the permit into the body of a response with a good head, so that the body settles the call.
///
/// Settles the call at once for [`SettleAt::Head`], or if the response has no body, by `no_body` or by its head.
pub(crate) fn settle_by_body<B: Body>(
    response: Response<B>,
    no_body: bool,
    at: SettleAt,
    permit: Permit,
    classifier: BodyClassifier,
) -> Response<BreakerBody<B>> {
    if at == SettleAt::Head {
        permit.success();
        return settled(response);
    }
    let mut permit = BodyPermit::new(permit, classifier, at == SettleAt::FirstContent);
    if no_body || has_no_body(&response) {
        permit.settle_at_end();
        return settled(response);
    }
    response.map(|body| BreakerBody::with_permit(body, permit))
}

/// Returns whether a response consists of its head alone. For some status codes this holds whatever the headers say
/// (RFC 9110, sections 6.4.1 and 15.3.5).
pub(crate) fn has_no_body<B: Body>(response: &Response<B>) -> bool {
    let status = response.status();
    status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || response.body().is_end_stream()
}
