//! The three scenarios.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tower::BoxError;

use crate::clock::real;
use crate::load::{Options, Run, Variant};
use crate::report::Report;
use crate::servers::Manner;

pub(crate) const FIVE_MINUTES: &str = "five_minute_outage";
pub(crate) const TEN_THOUSAND: &str = "ten_thousand_requests";
pub(crate) const STORM: &str = "retry_storm";
pub(crate) const NAMES: [&str; 3] = [FIVE_MINUTES, TEN_THOUSAND, STORM];

/// The number of closed-loop clients of `ten_thousand_requests`.
pub(crate) const WORKERS: u64 = 50;
/// The number of tasks of `retry_storm`.
pub(crate) const TASKS: u64 = 40;

/// The maximum time to wait for recovery after the outage. It exceeds the longest cooldown plus a probe before it.
const PATIENCE: Duration = Duration::from_secs(240);
/// The interval between requests of `five_minute_outage`, and of every scenario after its outage.
const PACE: Duration = Duration::from_millis(600);

/// The description of a scenario.
pub(crate) fn story(name: &str) -> &'static str {
    match name {
        FIVE_MINUTES => {
            "100 requests a minute, 1 retry. For five minutes every call hangs until a timeout of 30 s."
        }
        TEN_THOUSAND => {
            "10 000 requests, 50 at a time, 1 retry. Every call is answered with 503 at once."
        }
        _ => {
            "40 tasks, 5 requests each, 3 retries. Every call is held for 10 s, then answered with 503."
        }
    }
}

/// Plays a scenario with all clients at the same time. Each client has its own servers.
pub(crate) async fn play(name: &'static str, options: Options) -> Result<Report, BoxError> {
    let client = |variant| tokio::spawn(client(name, variant, options));
    let (naive, protected) = (client(Variant::Naive), client(Variant::Protected));
    let no_overdue = client(Variant::NoOverdue);
    let (naive, _) = naive.await??.finish().await;
    let (protected, timeline) = protected.await??.finish().await;
    let (protected_no_overdue, _) = no_overdue.await??.finish().await;
    Ok(Report { name, naive, protected, protected_no_overdue, timeline })
}

async fn client(name: &'static str, variant: Variant, options: Options) -> Result<Run, BoxError> {
    let retries = if name == STORM { 3 } else { 1 };
    let run = Run::start(variant, options, retries).await?;
    match name {
        FIVE_MINUTES => five_minutes(&run).await,
        TEN_THOUSAND => ten_thousand(&run).await,
        _ => storm(&run).await,
    }
    Ok(run)
}

/// Sends one request every 0.6 s, in an open loop: for one healthy minute, for five minutes in which calls hang, and
/// then until the circuit has closed.
async fn five_minutes(run: &Run) {
    const BEGIN: u32 = 100;
    const END: u32 = 600;
    const ENOUGH: u32 = END + 50;
    let start = Instant::now();
    let mut requests = JoinSet::new();
    for number in 0.. {
        sleep_until(start + real(PACE * number)).await;
        match number {
            BEGIN => run.begin_outage(Manner::Hang),
            END => run.end_outage(),
            ENOUGH.. if run.has_recovered() || PACE * (number - END) > PATIENCE => break,
            _ => {}
        }
        let mut user = run.user();
        requests.spawn(async move { user.request().await });
    }
    requests.join_all().await;
}

/// Runs fifty clients in a closed loop: each sends its next request when the previous one has ended.
async fn ten_thousand(run: &Run) {
    at_a_time(WORKERS, 500, run).await;
    run.begin_outage(Manner::Refuse);
    at_a_time(WORKERS, 10_000, run).await;
    recover(run).await;
}

async fn at_a_time(workers: u64, requests: u64, run: &Run) {
    let sent = Arc::new(AtomicU64::new(0));
    let mut all = JoinSet::new();
    for _ in 0..workers {
        let (mut user, sent) = (run.user(), sent.clone());
        all.spawn(async move {
            while sent.fetch_add(1, Ordering::Relaxed) < requests {
                user.request().await;
            }
        });
    }
    all.join_all().await;
}

/// Runs forty users. Each sends a request ten seconds after the previous one has ended. A user starts every half
/// second.
async fn storm(run: &Run) {
    at_a_time(TASKS, TASKS, run).await;
    run.begin_outage(Manner::HoldThenRefuse(Duration::from_secs(10)));
    let mut tasks = JoinSet::new();
    for number in 0..TASKS as u32 {
        let mut user = run.user();
        tasks.spawn(async move {
            sleep(real(Duration::from_millis(500) * number)).await;
            for _ in 0..5 {
                user.request().await;
                sleep(real(Duration::from_secs(10))).await;
            }
        });
    }
    tasks.join_all().await;
    recover(run).await;
}

/// Ends the outage, and sends one request at a time until the circuit has closed.
async fn recover(run: &Run) {
    run.end_outage();
    let end = Instant::now() + real(PATIENCE);
    while !run.has_recovered() && Instant::now() < end {
        run.user().request().await;
        sleep(real(PACE)).await;
    }
}
