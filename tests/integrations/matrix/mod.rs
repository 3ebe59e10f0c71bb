//! The composition matrix: every stack below with a breaker, with a fallback, and with both. Each makes one call that
//! succeeds and two that fail, and shows their results and the number of calls that reached the dependency.

mod cell;
mod clients;
mod plain;
mod tower_layers;
mod web;

use cell::{Cell, LAYERS};

/// The results with the breaker, with the fallback, and with both. In most stacks the breaker opens with the first failure,
/// so that the third call is rejected. The fallback answers the calls that fail. With both, it answers, and the third call
/// does not reach the dependency.
const PLAIN: [&str; 3] =
    ["ok, down, open: 2 calls", "ok, backup, backup: 3 calls", "ok, backup, backup: 2 calls"];

/// A call that fails is made twice, unless a fallback has answered it. The second failure opens the circuit.
const RETRIED: [&str; 3] =
    ["ok, down, open: 3 calls", "ok, backup, backup: 3 calls", "ok, backup, backup: 3 calls"];

const STACKS: [(&str, [&str; 3]); 23] = [
    ("axum Router::layer", PLAIN),
    ("axum Router::route_layer", PLAIN),
    ("axum MethodRouter::layer", PLAIN),
    ("axum MethodRouter::route_layer", PLAIN),
    ("axum under HandleErrorLayer, a timeout inside", PLAIN),
    ("axum bodies that stream, a router as backup", PLAIN),
    ("BoxCloneService on either side", PLAIN),
    ("BoxCloneSyncService on either side", PLAIN),
    ("BoxService on either side", PLAIN),
    ("a future that is not Send", PLAIN),
    ("the error ()", PLAIN),
    ("a request that is not Clone", PLAIN),
    ("a timeout outside", PLAIN),
    ("a retry outside", RETRIED),
    (
        "a retry inside",
        ["ok, down, open: 3 calls", "ok, backup, backup: 5 calls", "ok, backup, backup: 3 calls"],
    ),
    ("a hedge outside", PLAIN),
    ("a hedge inside", PLAIN),
    ("a buffer outside", PLAIN),
    ("a buffer inside", PLAIN),
    ("a balancer outside", PLAIN),
    ("a balancer inside", PLAIN),
    ("a reqwest client", PLAIN),
    ("a tonic channel", PLAIN),
];

#[tokio::test]
async fn every_stack_takes_either_layer_and_both() {
    let mut cells: Vec<Cell> = Vec::new();
    cells.extend(web::cells().await);
    cells.extend(plain::cells().await);
    cells.extend(tower_layers::cells().await);
    cells.extend(clients::cells().await);

    for cell in &cells {
        println!("{:<46}  {:<8}  {}", cell.stack, cell.layers, cell.shown);
    }
    let expected = STACKS.iter().flat_map(|(stack, shown)| {
        LAYERS.iter().zip(shown).map(|(layers, shown)| Cell::new(stack, layers, shown))
    });
    let missing: Vec<_> = expected.filter(|cell| !cells.contains(cell)).collect();
    assert!(missing.is_empty(), "missing cells: {missing:#?}");
    assert_eq!(cells.len(), STACKS.len() * LAYERS.len(), "an unexpected cell");
}
