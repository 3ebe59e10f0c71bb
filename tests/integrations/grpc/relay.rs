//! A relay whose connection a test can cut.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Forwards connections to a server until they are cut.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    passing: JoinHandle<()>,
}

impl Relay {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let passing = tokio::spawn(async move {
            // One connection at a time, because a channel has only one.
            while let Ok((mut near, _)) = listener.accept().await {
                let mut far = TcpStream::connect(server).await.unwrap();
                let _ = copy_bidirectional(&mut near, &mut far).await;
            }
        });
        Self { address, passing }
    }

    /// Cuts the connection and accepts no other.
    pub(crate) fn cut(&self) {
        self.passing.abort();
    }
}
