//! The output of `tonic-prost-build` for `examples/tonic/orders.proto`. It is checked in, so that the crate needs no build
//! script.

#[allow(
    clippy::all,
    missing_debug_implementations,
    missing_docs,
    rust_2018_idioms,
    unreachable_pub
)]
pub(crate) mod orders {
    include!("../../../examples/tonic/orders.rs");
}

/// `UPDATE_ORDERS=1 cargo test --manifest-path tests/integrations/Cargo.toml generated` updates it.
#[test]
fn the_generated_code_matches_the_proto_file() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/tonic");
    let out = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("orders");
    std::fs::create_dir_all(&out).unwrap();

    let descriptors = protox::compile(["orders.proto"], [&folder]).unwrap();
    let generator = tonic_prost_build::configure().out_dir(&out).emit_rerun_if_changed(false);
    generator.compile_fds(descriptors).unwrap();
    let new = std::fs::read_to_string(out.join("orders.v1.rs")).unwrap();

    let checked_in = folder.join("orders.rs");
    if std::env::var_os("UPDATE_ORDERS").is_some() {
        std::fs::write(&checked_in, &new).unwrap();
    }
    let old = std::fs::read_to_string(checked_in).unwrap();
    assert!(old == new, "orders.rs differs from the output for orders.proto: set UPDATE_ORDERS=1");
}
