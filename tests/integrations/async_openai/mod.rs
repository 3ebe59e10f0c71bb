//! async-openai with its tower stack, over real sockets: a breaker inside and outside of its retry layer, streams, a second
//! provider, and `RetryPolicy` in place of its own policy. The server and the functions are those of the example.

mod client;
mod fallback;
mod inside;
mod outside;
mod own_retry;
mod page;
#[path = "../../../examples/async_openai/recipe.rs"]
mod recipe;
#[path = "../../../examples/async_openai/server.rs"]
mod server;
mod streaming;

/// The page of the recipe contains its functions verbatim.
#[test]
fn the_page_shows_the_functions_of_the_example() {
    let page = include_str!("../../../docs/recipes/async-openai.md");
    let recipe = include_str!("../../../examples/async_openai/recipe.rs");
    for name in ["openai_error", "rejection", "outcome"] {
        let (_, rest) = recipe.split_once(&format!("pub(crate) fn {name}(")).expect(name);
        let (function, _) = rest.split_once("\n}\n").expect(name);
        assert!(page.contains(&format!("\nfn {name}({function}\n}}\n")), "{name}");
    }
}
