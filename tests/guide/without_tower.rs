//! The snippet of the chapter on use without tower.

use std::io::{Error, ErrorKind};

use futures_util::{Stream, StreamExt, stream};

fn query() -> Result<u32, Error> {
    Ok(7)
}

async fn find(id: u32) -> Result<u32, Error> {
    Ok(id)
}

fn rows() -> impl Stream<Item = Result<u32, Error>> {
    stream::iter([Ok(1), Ok(2)])
}

#[tokio::test]
#[allow(unused_variables)] // on the page, each line is an independent example
async fn every_way_to_use_a_handle() {
    // guide: ways
    use tower_breaker::{BreakerHandle, Outcome, Settings};

    let db = BreakerHandle::new("db", Settings::default());

    let row = db.call(query); // a function, on any thread, without a runtime
    let row = db.run(find(7)).await; // a future
    let rows: Vec<_> = db.guard_stream(rows()).collect().await; // a stream, as one call
    let find = db.wrap(find); // an async function, for all its calls
    let row = find(7).await;

    let guard = db.clone(); // blocking work of an async program
    let row = tokio::task::spawn_blocking(move || guard.call(query)).await;

    // A closure classifies the result: an `Ok` that is a failure, one error that is a failure, an error that is ignored.
    let row = db.call_with(query, |row| Outcome::failure_if(!matches!(row, Ok(1..))));
    let row = db.call_with(query, |row| {
        Outcome::failure_if(matches!(row, Err(error) if error.kind() == ErrorKind::TimedOut))
    });
    let row = db.call_with(query, |row| match row {
        Err(error) if error.kind() == ErrorKind::NotFound => Outcome::ignored(),
        other => Outcome::by_result(other),
    });
    // guide: end
    let _ = (row, rows);
    assert_eq!(db.snapshot().totals.success + db.snapshot().totals.failure, 8);
}
