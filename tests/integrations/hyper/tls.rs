//! `https` with a server that does not speak TLS.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::AsyncWriteExt;
use tower::ServiceExt;
use tower_breaker::{CircuitOpen, Class, State};

use super::client::*;
use super::server::Server;

fn https() -> Client<HttpsConnector<HttpConnector>, Empty<Bytes>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http1().build();
    Client::builder(TokioExecutor::new()).build(connector)
}

#[tokio::test]
async fn a_handshake_that_fails_is_a_failure_to_connect() {
    for answer in ["HTTP/1.1 400 Bad Request\r\n\r\n", ""] {
        let (client, handle) = guard(https(), three());
        let server = Server::new(move |_, mut stream: tokio::net::TcpStream| async move {
            stream.readable().await.unwrap();
            let _ = stream.write_all(answer.as_bytes()).await;
        })
        .await;
        let get = || {
            let uri = format!("https://{}/", server.address);
            client.clone().oneshot(Request::get(uri).body(Empty::new()).unwrap())
        };
        for _ in 0..3 {
            let error = get().await.unwrap_err();
            assert!(of_client(&error).is_connect(), "{error:?}");
        }
        assert_eq!(handle.state(), State::Open);
        assert!(get().await.unwrap_err().is::<CircuitOpen>());
        counted(&handle, [(Class::Failure, 3)]);
        assert_eq!(server.connections(), 3);
    }
}
