//! The simulated PBX without sockets: bytes of actions in, bytes of answers out, beside the decoding of the actions alone.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use ami_proto::{Decoder, Limits};
use ami_sim::{Accounts, Addresses, Exchange, Output, Pbx, Profile, SessionKey};

use crate::{Contender, Counting, Group, Scale};

const SECRET: &str = "secret";
const EPOCH: Duration = Duration::from_secs(1_795_248_936);
const NOW: Duration = Duration::from_secs(1);
const PINGS: usize = 5000;
const READ_LEN: usize = 4096;

const ANSWERED: &str = "pings answered";
const DECODED: &str = "pings decoded only";

pub(crate) fn group(scale: Scale) -> Group {
    let pings = scale.of(PINGS);
    let requests = (0..pings).fold(String::new(), |mut text, number| {
        write!(text, "Action: Ping\r\nActionID: bench-{number}\r\n\r\n").expect("a string grows");
        text
    });
    let requests = requests.into_bytes();
    let (mut exchange, key) = logged_in();
    Group {
        name: "simulator",
        unit: "action",
        contenders: vec![
            Contender::new(ANSWERED, pings as u64, {
                let requests = requests.clone();
                move || {
                    for read in requests.chunks(READ_LEN) {
                        exchange.handle_input(NOW, key, read);
                        black_box(heard(&mut exchange, key));
                    }
                }
            }),
            Contender::new(DECODED, pings as u64, move || {
                let mut decoder = Decoder::server(Limits::default());
                for mut read in requests.chunks(READ_LEN) {
                    while let Some(frame) = decoder.decode(&mut read) {
                        black_box(frame.bytes());
                    }
                }
            }),
        ],
        pairs: &[(ANSWERED, DECODED)],
        counting: Counting::Repeatable,
    }
}

fn logged_in() -> (Exchange, SessionKey) {
    let profile = Profile::named("asterisk-22").expect("it is built in");
    let mut exchange = Exchange::new(Pbx::new(profile, Accounts::bench(SECRET), 7, EPOCH));
    let addresses = Addresses {
        local: ([127, 0, 0, 1], 5038).into(),
        remote: ([127, 0, 0, 1], 40_000).into(),
    };
    let key = exchange
        .accept(NOW, addresses)
        .expect("it lets the first in");
    let login =
        format!("Action: Login\r\nUsername: bench\r\nSecret: {SECRET}\r\nEvents: off\r\n\r\n");
    exchange.handle_input(NOW, key, login.as_bytes());
    assert!(heard(&mut exchange, key) > 0);
    (exchange, key)
}

fn heard(exchange: &mut Exchange, key: SessionKey) -> usize {
    let mut len = 0;
    while let Some(output) = exchange.poll_output(key) {
        if let Output::Write(chunk) = output {
            len += chunk.bytes().len();
        }
    }
    len
}
