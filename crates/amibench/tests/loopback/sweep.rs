//! Sessions that nobody waits on: their events are read all the same, and delay nobody else.

use std::sync::{Arc, Condvar, Mutex};

use ami_results::outcome::Outcome;

use crate::bench::Bench;
use crate::fake_pbx::{Line, Manners, Said, Then, usual};

const EVENT: &str = "Event: VarSet\r\nPrivilege: dialplan,all\r\nVariable: X\r\nValue: y\r\n\r\n";
/// More than the sockets between us can hold.
const FLOOD_BYTES: usize = 16 << 20;

/// One session that listens, and one that pings twenty times.
fn scenario(listener: &str) -> String {
    format!(
        "[[group]]\nname = \"pings\"\nsessions = 1\n\
         [[group]]\nname = \"listener\"\nsessions = 1\nevents = \"on\"\n{listener}\n\
         [[phase]]\nname = \"steady\"\nduration = \"1s\"\narrival = {{ constant = {{ rate = \"20/s\" }} }}\n\
         mix = [{{ ping = {{}}, group = \"pings\" }}]\n"
    )
}

#[derive(Clone, Default)]
struct Flood {
    over: Arc<(Mutex<bool>, Condvar)>,
}

impl Flood {
    /// Takes the login; who listens then hears more than can lie between us.
    fn pour(&self, said: &Said, line: &Line) -> std::io::Result<Then> {
        let then = usual(said, line)?;
        if said.get("Events") == "on" {
            let (flood, line) = (self.clone(), line.clone());
            std::thread::spawn(move || {
                let chunk = EVENT.repeat(1000);
                let whole = (0..FLOOD_BYTES / chunk.len())
                    .try_for_each(|_| line.write(chunk.as_bytes()).map(drop));
                if whole.is_ok() {
                    *flood.over.0.lock().expect("no script panics") = true;
                    flood.over.1.notify_all();
                }
            });
        }
        Ok(then)
    }

    fn is_over(&self) -> bool {
        *self.over.0.lock().expect("no script panics")
    }

    fn wait(&self) {
        let over = self.over.0.lock().expect("no script panics");
        drop(
            self.over
                .1
                .wait_while(over, |over| !*over)
                .expect("no script panics"),
        );
    }
}

#[test]
fn a_session_that_only_listens_is_read() {
    let flood = Flood::default();
    let pour = flood.clone();
    let pbx = Manners::usual()
        .on("Login", move |said, line| pour.pour(said, line))
        .on("Ping", move |said, line| {
            flood.wait();
            usual(said, line)
        })
        .start();
    let ran = Bench::new(scenario("")).target(pbx.address()).run();
    ran.check_books();
    assert_eq!(ran.count(Outcome::Success), 20);
    assert!(
        ran.gauges
            .iter()
            .any(|gauge| gauge.event_read_delay_max_ns > 0)
    );
}

#[test]
fn a_slow_reader_is_slow_and_stops_nobody_else() {
    let flood = Flood::default();
    let pour = flood.clone();
    let still_pouring = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&still_pouring);
    let pbx = Manners::usual()
        .on("Login", move |said, line| pour.pour(said, line))
        .on("Ping", move |said, line| {
            seen.lock()
                .expect("no script panics")
                .push(!flood.is_over());
            usual(said, line)
        })
        .start();
    let ran = Bench::new(scenario("read-every = \"1h\""))
        .target(pbx.address())
        .run();
    ran.check_books();
    assert_eq!(ran.count(Outcome::Success), 20);
    let still_pouring = still_pouring.lock().expect("no script panics");
    assert_eq!(*still_pouring, [true; 20], "the slow session was read");
}
