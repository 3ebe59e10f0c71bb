//! One task per file, so that a run reports every file that fails.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::client::Clients;
use super::server::Server;

/// The clients and the server of a test.
pub(crate) struct Net {
    pub(crate) server: Server,
    pub(crate) clients: Clients,
}

/// The number of tasks that run at a time.
const TOGETHER: usize = 8;

/// Runs a test on each item.
///
/// # Panics
///
/// Panics after all tests have ended, if any of them panicked.
pub(crate) async fn each<T, F>(all: Vec<T>, test: impl Fn(Arc<Net>, T) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let net = Arc::new(Net { server: Server::start().await, clients: Clients::new() });
    let (mut running, mut failed) = (JoinSet::new(), 0);
    for one in all {
        if running.len() == TOGETHER {
            failed += usize::from(running.join_next().await.unwrap().is_err());
        }
        running.spawn(test(Arc::clone(&net), one));
    }
    while let Some(ended) = running.join_next().await {
        failed += usize::from(ended.is_err());
    }
    assert_eq!(failed, 0, "the number of tests that failed");
}
