//! The snippets of the chapter on the fallback.

use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};

#[tokio::test]
async fn a_function_answers_from_a_part_of_the_request() {
    let primary = service_fn(|_: u32| async { Err::<String, BoxError>("down".into()) });
    // guide: from_fn
    use tower_breaker::{FallbackLayer, fallback::OnError};

    let service = ServiceBuilder::new()
        .layer(
            FallbackLayer::from_fn(|id: u32, _| async move {
                (id < 10).then(|| format!("cached {id}"))
            })
            .keep(|id: &u32| *id)
            .when(OnError),
        )
        .service(primary);

    assert_eq!(service.clone().oneshot(7).await.unwrap(), "cached 7");
    assert_eq!(service.oneshot(70).await.unwrap_err().to_string(), "down");
    // guide: end
}
