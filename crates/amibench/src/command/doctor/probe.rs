//! A port that does not greet is asked what else it is.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::refusal::Silence;

const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// A web server waits for its client to speak, and so do others.
pub(super) async fn silence(address: &str) -> Silence {
    match timeout(ANSWER_WITHIN, http(address)).await {
        Ok(Ok(true)) => Silence::Web,
        _ => Silence::Unexplained,
    }
}

async fn http(address: &str) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"HEAD / HTTP/1.0\r\n\r\n").await?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await?;
    Ok(&answer == b"HTTP/")
}
