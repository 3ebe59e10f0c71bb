//! The code of `README.md` and of the pages in `docs/`. It is compiled and run here, and shown there.
//!
//! A snippet stands between `// guide: NAME` and `// guide: end`. `pages` compares the snippets with the code blocks of
//! the pages, so that a page shows no scaffolding and no line that does not compile.

#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "http")]
mod classification;
#[cfg(feature = "http")]
mod fallback;
mod handle;
#[cfg(feature = "http")]
mod hyper;
#[cfg(all(feature = "llm", feature = "retry"))]
mod llm;
mod observers;
mod pages;
#[cfg(all(feature = "http", feature = "retry"))]
mod readme;
#[cfg(feature = "http")]
mod rejections;
#[cfg(feature = "http")]
mod retry;
mod settings;
#[cfg(feature = "test_util")]
mod test_values;
mod testing;
mod thresholds;
#[cfg(feature = "tonic")]
mod tonic;
mod without_tower;
