//! A relay between client and PBX that hands over what the PBX says byte by byte, so that reads end everywhere: in a
//! character, in a CRLF, in the banner.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// Long enough that who waits for bytes mostly reads each by itself.
const PAUSE: Duration = Duration::from_millis(2);
/// In a character of several bytes: surely, on a busy machine too.
const PAUSE_IN_CHARACTER: Duration = Duration::from_millis(100);
const READ_BYTES: usize = 4096;

/// The port where a client finds the PBX. It takes one connection, whose threads end with it.
pub fn to(pbx: SocketAddr) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || -> io::Result<()> {
        let (client, _) = listener.accept()?;
        let pbx = TcpStream::connect(pbx)?;
        client.set_nodelay(true)?;
        pbx.set_nodelay(true)?;
        let (from, to) = (client.try_clone()?, pbx.try_clone()?);
        thread::spawn(move || pass(from, to, READ_BYTES));
        pass(pbx, client, 1)
    });
    Ok(address)
}

fn pass(mut from: TcpStream, mut to: TcpStream, at_once: usize) -> io::Result<()> {
    let mut bytes = [0; READ_BYTES];
    loop {
        let length = from.read(&mut bytes).unwrap_or_default();
        if length == 0 {
            return to.shutdown(Shutdown::Write);
        }
        for piece in bytes[..length].chunks(at_once) {
            to.write_all(piece)?;
            if at_once < READ_BYTES {
                thread::sleep(if piece.is_ascii() {
                    PAUSE
                } else {
                    PAUSE_IN_CHARACTER
                });
            }
        }
    }
}
