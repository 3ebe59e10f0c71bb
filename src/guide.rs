// The pages are the files in `docs/`. `tests/guide` compiles and runs their code. On GitHub, a link leads to a file. Here,
// the definitions of `links.md` come before each page, because Markdown uses the first definition of a link.

macro_rules! chapters {
    ($($name:ident = $file:literal;)*) => {
        $(
            #[doc = include_str!("guide/links.md")]
            #[doc = include_str!(concat!("../docs/", $file))]
            pub mod $name {}
        )*
    };
}

chapters! {
    quick_start = "guide/quick-start.md";
    decision_matrix = "guide/decision-matrix.md";
    states = "guide/states.md";
    settings = "guide/settings.md";
    layer_order = "guide/layer-order.md";
    classification = "guide/classification.md";
    rejections = "guide/rejections.md";
    fallback = "guide/fallback.md";
    retry = "guide/retry.md";
    http_and_axum = "guide/http-and-axum.md";
    grpc_and_tonic = "guide/grpc-and-tonic.md";
    reqwest = "guide/reqwest.md";
    hyper = "guide/hyper.md";
    llm = "guide/llm.md";
    without_tower = "guide/without-tower.md";
    mesh_and_gateway = "guide/mesh-and-gateway.md";
    observing = "guide/observing.md";
    runbook = "guide/runbook.md";
    troubleshooting = "guide/troubleshooting.md";
    adaptive_thresholds = "guide/adaptive-thresholds.md";
    testing = "guide/testing.md";
    cost = "guide/cost.md";
    verification = "guide/verification.md";
    words = "guide/words.md";
    comparison = "comparison.md";
    async_openai = "recipes/async-openai.md";
}
