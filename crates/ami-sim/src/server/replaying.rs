//! The port of a PBX that says again what was recorded.

use std::cell::RefCell;
use std::future::Future;
use std::net::TcpListener as StdListener;
use std::rc::Rc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
#[expect(clippy::disallowed_types, reason = "servers own sockets")]
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep_until};

use super::{ACCEPT_PAUSE, spawn};
use crate::replaying::Replaying;

const READ_BYTES: usize = 4096;

/// Until `shutdown` is done; every session is closed then.
pub(super) async fn serve(
    pbx: Replaying,
    listener: StdListener,
    shutdown: impl Future<Output = ()>,
) {
    let pbx = Rc::new(RefCell::new(pbx));
    let accepting = async {
        #[expect(clippy::disallowed_types, reason = "servers own sockets")]
        let listener = TcpListener::from_std(listener).expect("the listener is non-blocking");
        #[expect(clippy::disallowed_methods, reason = "this is where its clock begins")]
        let origin = Instant::now();
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let pbx = Rc::clone(&pbx);
                    spawn(async move { session(&pbx, stream, origin).await });
                }
                #[expect(
                    clippy::disallowed_methods,
                    reason = "nothing can be accepted until others close"
                )]
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    };
    LocalSet::new()
        .run_until(async {
            tokio::select! {
                () = accepting => {}
                () = shutdown => {}
            }
        })
        .await;
}

#[expect(clippy::disallowed_types, reason = "servers own sockets")]
async fn session(pbx: &RefCell<Replaying>, mut stream: TcpStream, origin: Instant) {
    let key = pbx.borrow_mut().accept(origin.elapsed());
    let mut input = vec![0; READ_BYTES];
    loop {
        let now = origin.elapsed();
        let output = pbx.borrow_mut().poll_output(now, key);
        if let Some(bytes) = output
            && stream.write_all(&bytes).await.is_err()
        {
            break;
        }
        if pbx.borrow().is_over(now, key) {
            break;
        }
        let next = pbx.borrow().poll_timeout(key);
        tokio::select! {
            () = sleep_until(origin + next.unwrap_or_default()), if next.is_some() => {}
            read = stream.read(&mut input) => match read {
                Ok(0) | Err(_) => break,
                Ok(length) => {
                    let now = origin.elapsed();
                    pbx.borrow_mut().handle_input(now, key, &input[..length]);
                }
            },
        }
    }
    pbx.borrow_mut().leave(key);
}
