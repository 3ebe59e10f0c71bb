//! A relay that parses HTTP/2 frames and breaks its first connection at one of them.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// A fault in the frames that the server sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Resets the connection in the middle of the first head.
    ResetInHead,
    /// The connection is reset in the middle of the first message.
    ResetInMessage,
    /// The first head and everything after it never arrive.
    Hang,
    /// The first message and everything after it never arrive.
    HangBehindHead,
    /// Everything arrives byte by byte.
    Drip,
    /// A `GOAWAY` with this error code replaces the first head. No stream was handled.
    GoAway(u32),
    /// A `GOAWAY` follows the first message. The stream continues, but no new stream is accepted.
    GoAwayInStream,
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;

/// A `GOAWAY` with the last stream that the server handles and an error code.
fn go_away(last: u32, reason: u32) -> Vec<u8> {
    let mut frame = vec![0, 0, 8, 7, 0, 0, 0, 0, 0];
    frame.extend(last.to_be_bytes());
    frame.extend(reason.to_be_bytes());
    frame
}

/// Starts a relay whose first connection has the fault. Later connections have none.
pub(crate) async fn relay(server: SocketAddr, fault: Fault) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut fault = Some(fault);
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(server).await.unwrap();
            tokio::spawn(pass(near, far, fault.take()));
        }
    });
    address
}

async fn pass(near: TcpStream, far: TcpStream, fault: Option<Fault>) {
    let (mut near_read, mut near_write) = near.into_split();
    let (mut far_read, mut far_write) = far.into_split();
    let up = tokio::spawn(async move { copy(&mut near_read, &mut far_write).await });
    match fault {
        None => drop(copy(&mut far_read, &mut near_write).await),
        Some(fault) => {
            if let Ok(true) = down(&mut far_read, &mut near_write, fault).await {
                // With this option, closing the socket resets the connection.
                #[allow(deprecated)]
                near_write.as_ref().set_linger(Some(Duration::ZERO)).unwrap();
            }
        }
    }
    up.abort();
    let _ = up.await;
}

/// Forwards frames until there are no more. Returns whether the connection must be reset.
async fn down(
    far: &mut OwnedReadHalf,
    near: &mut OwnedWriteHalf,
    fault: Fault,
) -> io::Result<bool> {
    let mut behind_message = false;
    loop {
        let mut frame = vec![0; 9];
        far.read_exact(&mut frame).await?;
        let length = u32::from_be_bytes([0, frame[0], frame[1], frame[2]]) as usize;
        frame.resize(9 + length, 0);
        far.read_exact(&mut frame[9..]).await?;
        match (frame[3], fault) {
            (HEADERS, Fault::ResetInHead) | (DATA, Fault::ResetInMessage) => {
                near.write_all(&frame[..9 + length / 2]).await?;
                // A reset overtakes the bytes that were sent before it. The wait lets the client read them.
                sleep(Duration::from_millis(20)).await;
                return Ok(true);
            }
            (HEADERS, Fault::Hang) | (DATA, Fault::HangBehindHead) => return pending().await,
            (HEADERS, Fault::GoAway(reason)) => {
                near.write_all(&go_away(0, reason)).await?;
                return pending().await;
            }
            (_, Fault::Drip) => {
                for byte in frame {
                    near.write_all(&[byte]).await?;
                    near.flush().await?;
                    tokio::task::yield_now().await;
                }
            }
            (DATA, Fault::GoAwayInStream) if !behind_message => {
                behind_message = true;
                near.write_all(&frame).await?;
                near.write_all(&go_away(i32::MAX as u32, 0)).await?;
            }
            _ => near.write_all(&frame).await?,
        }
    }
}
