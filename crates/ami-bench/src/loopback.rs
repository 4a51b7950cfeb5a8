//! Peers that only parse what they read themselves: each is a client on loopback, of a server that says all it has to say
//! and closes. What counts is the processor time of the client's thread, with its system calls.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use asterisk_ami::AmiConnection;
use asterisk_manager::{AmiEvent, Manager, ManagerOptions};
use tokio::runtime::{self, Runtime};
use tokio::sync::broadcast::error::RecvError;
use tokio_stream::StreamExt;

use crate::decode::{self, READ_LEN};
use crate::{Contender, Counting, Group, Scale, stream};

const STREAM_LEN: usize = 8_000_000;
const SHORT_LEN: usize = 1_000_000;
const BANNER: &[u8] = b"Asterisk Call Manager/11.0.0\r\n";
const LAST: &str = "TheLast";

const OURS: &str = "ami-proto, owned, 3 lookups";
const MANAGER: &str = "asterisk-manager";
const AMI: &str = "asterisk-ami";

pub(crate) fn group(scale: Scale) -> Group {
    let long: Arc<[u8]> = said(scale.of(STREAM_LEN)).into();
    let short: Arc<[u8]> = said(scale.of(SHORT_LEN)).into();
    let messages = |stream: &[u8]| decode::count(&mut decode::decoder(), stream, READ_LEN) as u64;
    let runtime = || {
        let mut builder = runtime::Builder::new_current_thread();
        let built = builder.enable_all().build();
        built.expect("a runtime on this thread")
    };
    let (for_manager, for_ami) = (runtime(), runtime());
    Group {
        name: "loopback",
        unit: "message",
        contenders: vec![
            Contender::new(OURS, messages(&long), move || ours(&long)),
            Contender::new(MANAGER, messages(&short), {
                let short = Arc::clone(&short);
                move || manager(&for_manager, &short)
            }),
            Contender::new(AMI, messages(&short), move || ami(&for_ami, &short)),
        ],
        pairs: &[(OURS, MANAGER), (OURS, AMI)],
        counting: Counting::Varying,
    }
}

fn said(len: usize) -> Vec<u8> {
    let mut stream = stream::events(len);
    stream.extend_from_slice(format!("Event: {LAST}\r\n\r\n").as_bytes());
    stream
}

/// Whether the server lets the client speak first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Login {
    Awaited,
    None,
}

fn serve(stream: &Arc<[u8]>, login: Login) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port of loopback");
    let address = listener.local_addr().expect("it is bound");
    let stream = Arc::clone(stream);
    thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("a client comes");
        client.write_all(BANNER).expect("it reads");
        if login == Login::Awaited {
            let mut id = String::new();
            let lines = BufReader::new(&client).lines().map_while(Result::ok);
            for line in lines.take_while(|line| !line.is_empty()) {
                if let Some(value) = line.strip_prefix("ActionID: ") {
                    value.clone_into(&mut id);
                }
            }
            let welcome =
                format!("Response: Success\r\nActionID: {id}\r\nMessage: welcome\r\n\r\n");
            client.write_all(welcome.as_bytes()).expect("it reads");
        }
        // A client that has heard the last may close before everything is acknowledged.
        let _ = client.write_all(&stream);
    });
    address
}

fn ours(stream: &Arc<[u8]>) -> usize {
    let mut server = TcpStream::connect(serve(stream, Login::None)).expect("the server listens");
    let mut decoder = decode::decoder();
    let mut buffer = vec![0; READ_LEN];
    let mut found = 0;
    loop {
        let len = server.read(&mut buffer).expect("the server writes");
        if len == 0 {
            return found;
        }
        let mut read = &buffer[..len];
        while let Some(frame) = decoder.decode(&mut read) {
            found += decode::look_up(frame.to_owned().as_frame());
        }
    }
}

fn manager(runtime: &Runtime, stream: &Arc<[u8]>) -> usize {
    let address = serve(stream, Login::Awaited);
    let options = ManagerOptions {
        port: address.port(),
        host: address.ip().to_string(),
        username: "bench".to_owned(),
        password: "secret".to_owned(),
        events: true,
    };
    runtime.block_on(async {
        let mut manager = Manager::new_with_buffer(1 << 14);
        let mut events = manager.all_events_stream().await;
        manager
            .connect_and_login(options)
            .await
            .expect("it is let in");
        let mut heard = 0;
        while let Some(event) = events.next().await {
            heard += 1;
            match event {
                Ok(AmiEvent::UnknownEvent { event_type, .. }) if event_type == LAST => break,
                _ => {}
            }
        }
        heard
    })
}

fn ami(runtime: &Runtime, stream: &Arc<[u8]>) -> usize {
    let address = serve(stream, Login::None);
    runtime.block_on(async {
        let connection = AmiConnection::connect(address).await.expect("it is let in");
        let mut events = connection.events();
        let mut heard = 0;
        loop {
            match events.recv().await {
                Ok(Some(_)) => heard += 1,
                Err(RecvError::Lagged(missed)) => {
                    heard += usize::try_from(missed).expect("64 bits");
                }
                Ok(None) | Err(RecvError::Closed) => return heard,
            }
        }
    })
}
