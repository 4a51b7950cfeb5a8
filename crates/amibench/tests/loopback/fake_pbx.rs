//! A scripted PBX on a real socket. It knows lines and headers and no session code: a script says what each action is
//! answered with, and when: what happens is driven by what the client sends, never by time.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

/// What one action said.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// The connection it came on, counted from 0.
    pub(crate) connection: usize,
    headers: Vec<(String, String)>,
}

impl Said {
    pub(crate) fn get(&self, name: &str) -> &str {
        let of_name = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .find(of_name)
            .map_or("", |(_, value)| value)
    }

    pub(crate) fn name(&self) -> &str {
        self.get("Action")
    }
}

/// Whether a connection goes on after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    GoOn,
    Close,
}

type Script = dyn Fn(&Said, &Line) -> io::Result<Then> + Send + Sync;
type Greeting = dyn Fn(usize, &Line) -> io::Result<Then> + Send + Sync;

/// The PBX's end of one connection; clones write to the same.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Scripts of several connections may write at once; a frame stays whole.
    stream: Arc<Mutex<TcpStream>>,
    /// Those who wait to write.
    waiting: Arc<AtomicUsize>,
}

impl Line {
    /// Writes a frame: lines without their ends.
    pub(crate) fn say(&self, lines: &[&str]) -> io::Result<Then> {
        self.write(&wire(lines))
    }

    /// Answers one action, with its ActionID.
    pub(crate) fn answer(&self, said: &Said, lines: &[&str]) -> io::Result<Then> {
        let id = format!("ActionID: {}", said.get("ActionID"));
        let (first, rest) = lines.split_first().expect("an answer has a first line");
        let mut all = vec![*first, id.as_str()];
        all.extend(rest);
        self.say(&all)
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<Then> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut stream = self.stream.lock().expect("no script panics");
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        stream.write_all(bytes)?;
        Ok(Then::GoOn)
    }

    /// Says the same again and again until the client is gone; answers get in between.
    pub(crate) fn go_on_saying(&self, bytes: Vec<u8>) {
        let line = self.clone();
        std::thread::spawn(move || {
            while line.write(&bytes).is_ok() {
                while line.waiting.load(Ordering::SeqCst) > 0 {
                    std::thread::yield_now();
                }
            }
        });
    }

    pub(crate) fn close(&self) {
        // The client may have closed before.
        let stream = self.stream.lock().expect("no script panics");
        let _ = stream.shutdown(Shutdown::Both);
    }
}

/// A frame as bytes.
pub(crate) fn wire(lines: &[&str]) -> Vec<u8> {
    let mut text = lines.join("\r\n");
    text.push_str("\r\n\r\n");
    text.into_bytes()
}

#[derive(Default)]
struct Log {
    said: Mutex<Vec<Said>>,
    changed: Condvar,
    connections: Mutex<usize>,
}

pub(crate) struct FakePbx {
    address: SocketAddr,
    log: Arc<Log>,
    stop: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

/// What a PBX does: how it greets, and how it answers the actions that are not as usual.
pub(crate) struct Manners {
    greeting: Box<Greeting>,
    scripts: BTreeMap<&'static str, Box<Script>>,
}

impl Manners {
    pub(crate) fn usual() -> Self {
        Self {
            greeting: Box::new(|_, line| line.write(b"Asterisk Call Manager/11.0.0\r\n")),
            scripts: BTreeMap::new(),
        }
    }

    pub(crate) fn greets(
        mut self,
        greeting: impl Fn(usize, &Line) -> io::Result<Then> + Send + Sync + 'static,
    ) -> Self {
        self.greeting = Box::new(greeting);
        self
    }

    pub(crate) fn on(
        mut self,
        action: &'static str,
        script: impl Fn(&Said, &Line) -> io::Result<Then> + Send + Sync + 'static,
    ) -> Self {
        self.scripts.insert(action, Box::new(script));
        self
    }

    pub(crate) fn start(self) -> FakePbx {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let log = Arc::new(Log::default());
        let stop = Arc::new(AtomicBool::new(false));
        let accepting = {
            let (log, stop, manners) = (Arc::clone(&log), Arc::clone(&stop), Arc::new(self));
            std::thread::spawn(move || {
                for (connection, stream) in listener.incoming().enumerate() {
                    let (Ok(stream), false) = (stream, stop.load(Ordering::SeqCst)) else {
                        return;
                    };
                    *log.connections.lock().expect("no script panics") = connection + 1;
                    let (log, manners) = (Arc::clone(&log), Arc::clone(&manners));
                    std::thread::spawn(move || {
                        // The client may go at any moment; what it saw is in its records.
                        let _ = manners.talk(connection, &log, stream);
                    });
                }
            })
        };
        FakePbx {
            address,
            log,
            stop,
            accepting: Some(accepting),
        }
    }

    fn talk(&self, connection: usize, log: &Log, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let line = Line {
            stream: Arc::new(Mutex::new(stream.try_clone()?)),
            waiting: Arc::default(),
        };
        let mut input = BufReader::new(stream);
        let mut then = (self.greeting)(connection, &line)?;
        while then == Then::GoOn {
            let Some(said) = read_action(connection, &mut input)? else {
                break;
            };
            log.said
                .lock()
                .expect("no script panics")
                .push(said.clone());
            log.changed.notify_all();
            then = match self.scripts.get(said.name()) {
                Some(script) => script(&said, &line)?,
                None => usual(&said, &line)?,
            };
        }
        line.close();
        Ok(())
    }
}

/// The answer of a PBX that has nothing against us.
pub(crate) fn usual(said: &Said, line: &Line) -> io::Result<Then> {
    match said.name() {
        "Logoff" => {
            line.answer(said, &["Response: Goodbye"])?;
            Ok(Then::Close)
        }
        "ListCommands" => {
            let all = [
                "Ping",
                "Originate",
                "Hangup",
                "CoreShowChannels",
                "Status",
                "UserEvent",
                "Getvar",
                "MailboxCount",
                "Command",
                "SIPpeers",
            ];
            let commands: Vec<String> = all.iter().map(|name| format!("{name}: yes")).collect();
            let mut lines = vec!["Response: Success"];
            lines.extend(commands.iter().map(String::as_str));
            line.answer(said, &lines)
        }
        "CoreShowChannels" | "Status" => list(said, line, &[], 0),
        _ => line.answer(said, &["Response: Success"]),
    }
}

/// An event list that claims to have `listed` items.
pub(crate) fn list(said: &Said, line: &Line, items: &[&[&str]], listed: usize) -> io::Result<Then> {
    line.answer(said, &["Response: Success", "EventList: start"])?;
    for item in items {
        line.answer(said, item)?;
    }
    let count = format!("ListItems: {listed}");
    line.answer(
        said,
        &["Event: ListComplete", "EventList: Complete", &count],
    )
}

fn read_action(connection: usize, input: &mut impl BufRead) -> io::Result<Option<Said>> {
    let mut headers = Vec::new();
    loop {
        let mut text = String::new();
        if input.read_line(&mut text)? == 0 {
            return Ok(None);
        }
        match text.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_owned(), value.trim().to_owned())),
            None => {
                return Ok(Some(Said {
                    connection,
                    headers,
                }));
            }
        }
    }
}

impl FakePbx {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn connections(&self) -> usize {
        *self.log.connections.lock().expect("no script panics")
    }

    /// Every action of that name so far.
    pub(crate) fn said(&self, action: &str) -> Vec<Said> {
        let said = self.log.said.lock().expect("no script panics");
        said.iter()
            .filter(|said| said.name() == action)
            .cloned()
            .collect()
    }

    pub(crate) fn count(&self, action: &str) -> usize {
        self.said(action).len()
    }

    /// Waits until so many actions of that name have come.
    pub(crate) fn wait_for(&self, action: &str, count: usize) {
        let said = self.log.said.lock().expect("no script panics");
        let enough =
            |said: &mut Vec<Said>| said.iter().filter(|said| said.name() == action).count() < count;
        drop(
            self.log
                .changed
                .wait_while(said, enough)
                .expect("no script panics"),
        );
    }
}

impl Drop for FakePbx {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            accepting.join().expect("accepting does not panic");
        }
    }
}
