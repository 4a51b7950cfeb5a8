//! Where a target begins: the corpora, the files of the repository, and conversations written here. Made when they are needed,
//! so that nothing is kept twice.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ami_proto::transcript::Transcript;
use ami_sim::Profile;

use crate::session::{Kind, Operation, Reply};

/// Longer ones are cut: a mutation of a long input costs more and finds no more. Above it there is the job with long inputs.
const SEED_LEN_MAX: usize = 4096;
/// From each folder of transcripts, which hold hundreds of thousands of bytes of one kind.
const TRANSCRIPTS_PER_FOLDER: usize = 12;

/// What a target is begun with.
#[derive(Debug, Clone, Copy)]
pub enum Seeds {
    /// What servers said, behind bytes that the target reads first.
    Streams {
        prefix: &'static [u8],
    },
    /// The same for both forms of the login, which the first byte picks.
    Logins,
    /// What clients said.
    Requests,
    /// Operations on a session.
    Operations,
    Transcripts,
    Captures,
    /// Of the repository, as users have them.
    Files {
        folder: &'static str,
        suffix: &'static str,
    },
    ManagerConf,
}

pub type Named = (String, Vec<u8>);

/// The workspace that this crate was built in.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

impl Seeds {
    /// By name, in the order of the names, cut to what a fuzzer likes.
    pub fn read(self) -> io::Result<Vec<Named>> {
        let root = workspace();
        let mut seeds = match self {
            Self::Streams { prefix } => prefixed(prefix, streams(&root)?),
            Self::Requests => requests(&root)?,
            Self::Logins => logins(&root)?,
            Self::Operations => conversations(),
            Self::Transcripts => transcripts(&root)?,
            Self::Captures => captures(&root)?,
            Self::Files { folder, suffix } => files(&root.join(folder), &[suffix])?,
            Self::ManagerConf => prefixed(&[0], manager_confs()),
        };
        for (_, bytes) in &mut seeds {
            bytes.truncate(SEED_LEN_MAX);
        }
        seeds.sort();
        Ok(seeds)
    }
}

fn prefixed(prefix: &[u8], seeds: Vec<Named>) -> Vec<Named> {
    let with_prefix = |(name, bytes): Named| (name, [prefix, bytes.as_slice()].concat());
    seeds.into_iter().map(with_prefix).collect()
}

/// The files of a folder and those below, whose names end so.
fn files(folder: &Path, suffixes: &[&str]) -> io::Result<Vec<Named>> {
    let mut found = Vec::new();
    for path in paths(folder)? {
        let name = path
            .strip_prefix(folder)
            .unwrap_or(&path)
            .to_string_lossy()
            .replace('/', "-");
        if suffixes.iter().any(|suffix| name.ends_with(suffix)) {
            found.push((name, fs::read(&path)?));
        }
    }
    Ok(found)
}

fn paths(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The catalogue of client bugs, and what servers said in recorded sessions.
fn streams(root: &Path) -> io::Result<Vec<Named>> {
    let mut seeds = files(&root.join("corpora/frames"), &[".ami"])?;
    seeds.extend(said(root, |transcript| {
        transcript.server_chunks(0).collect::<Vec<_>>().concat()
    })?);
    Ok(seeds)
}

/// And a login by challenge that goes well, which no recorded session shows to a session with other ActionIDs.
fn logins(root: &Path) -> io::Result<Vec<Named>> {
    let mut seeds = Vec::new();
    for form in [0, 1] {
        let named = |(name, bytes)| (format!("{form}-{name}"), bytes);
        seeds.extend(prefixed(&[form], streams(root)?).into_iter().map(named));
    }
    let challenged = "Asterisk Call Manager/2.8.0\r\nResponse: Success\r\nChallenge: 1\r\n\r\n\
        Response: Success\r\n\r\nEvent: X\r\n\r\n";
    seeds.extend(prefixed(
        &[1],
        vec![("challenged".to_owned(), challenged.into())],
    ));
    Ok(seeds)
}

/// A byte for each profile in turn, logged in, in reads of 16 or whole.
fn requests(root: &Path) -> io::Result<Vec<Named>> {
    let clients = said(root, |transcript| {
        transcript.client_chunks(0).collect::<Vec<_>>().concat()
    })?;
    let profiles = u8::try_from(Profile::names().count()).unwrap_or(u8::MAX);
    let seeds = clients.into_iter().zip((0..profiles).cycle());
    Ok(seeds
        .map(|((name, bytes), profile)| (name, [&[profile, 0xff], bytes.as_slice()].concat()))
        .collect())
}

fn said(root: &Path, side: fn(&Transcript) -> Vec<u8>) -> io::Result<Vec<Named>> {
    let mut seeds = Vec::new();
    for (name, text) in transcripts(root)? {
        // Another rule sees to transcripts that cannot be read.
        if let Ok(transcript) = Transcript::parse(&String::from_utf8_lossy(&text)) {
            seeds.push((name, side(&transcript)));
        }
    }
    Ok(seeds)
}

fn transcripts(root: &Path) -> io::Result<Vec<Named>> {
    let mut seeds = Vec::new();
    let root = root.join("corpora/transcripts");
    let mut folders: Vec<PathBuf> = fs::read_dir(&root)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<_>>()?;
    folders.retain(|path| path.is_dir());
    folders.sort();
    for folder in folders {
        let name = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let all = files(&folder, &[".ami.jsonl"])?;
        let step = all.len().div_ceil(TRANSCRIPTS_PER_FOLDER).max(1);
        seeds.extend(
            all.into_iter()
                .step_by(step)
                .map(|(file, bytes)| (format!("{name}-{file}"), bytes)),
        );
    }
    Ok(seeds)
}

fn captures(root: &Path) -> io::Result<Vec<Named>> {
    let mut seeds = files(
        &root.join("crates/ami-conform/tests/recorded/captures"),
        &[".pcap", ".pcapng"],
    )?;
    let log = "2026-11-21 10:00:00 Action: Ping\nActionID: 1\n\nResponse: Success\nActionID: 1\nPing: Pong\n\n";
    seeds.push(("log".to_owned(), log.as_bytes().to_vec()));
    seeds.extend(transcripts(root)?.into_iter().take(TRANSCRIPTS_PER_FOLDER));
    Ok(seeds)
}

fn manager_confs() -> Vec<Named> {
    let one = "[general]\nenabled = yes\nwebenabled=yes\nport = 5038\nbindaddr = 0.0.0.0\ntimestampevents = yes\n\
        channelvars = A,B\nallowmultiplelogin = no\nauthtimeout = 30\nauthlimit = 50\n\n\
        [bench]\nsecret = s3cret\ndeny=0.0.0.0/0.0.0.0\npermit=127.0.0.1/255.255.255.255\n\
        read = system,call,log ; and more\nwrite = all\nwritetimeout = 100\neventfilter=!Event: RTP.*\n";
    let two = "; nothing\n#include \"more.conf\"\n[a](!)\nread=all\n[b](a)\nsecret=x\nacl=y\nsetvar=A=1\ndisplayconnects=no\n\
        [b](+)\nwrite=call\n[c]\n--;\n;--\n";
    [("general", one), ("templates", two)]
        .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
        .to_vec()
}

const fn send(answer: Kind) -> Operation {
    Operation::Send {
        answer,
        patience: 50,
    }
}

const fn to(to: u8, reply: Reply) -> Operation {
    Operation::Deliver { reply, to, cut: 11 }
}

const fn nameless(reply: Reply) -> Operation {
    Operation::Nameless { reply, cut: 3 }
}

const COMPLETE: Reply = Reply::Complete { listed: 1 };

/// One of each kind that a session has.
const CONVERSATIONS: [(&str, &[Operation]); 6] = [
    (
        "ping",
        &[send(Kind::Single), to(0, Reply::Pong), to(0, Reply::Pong)],
    ),
    (
        "list",
        &[
            send(Kind::List),
            to(0, Reply::ListStart),
            to(0, Reply::Item),
            to(0, COMPLETE),
        ],
    ),
    (
        "old-list",
        &[
            send(Kind::List),
            to(0, Reply::Success),
            to(0, Reply::OnlyItem),
            to(0, Reply::NamedComplete),
        ],
    ),
    (
        "raw",
        &[
            send(Kind::Raw),
            to(0, Reply::Text),
            to(0, Reply::Error),
            to(0, Reply::Pong),
        ],
    ),
    (
        "late",
        &[
            send(Kind::Single),
            send(Kind::List),
            Operation::Wait { span: 60 },
            to(1, Reply::Success),
            to(0, Reply::Error),
        ],
    ),
    (
        "crossed",
        &[
            send(Kind::Single),
            send(Kind::Single),
            to(1, Reply::Success),
            nameless(Reply::Error),
            send(Kind::Single),
            to(0, Reply::Success),
            nameless(Reply::Goodbye),
            Operation::Close,
        ],
    ),
];

fn conversations() -> Vec<Named> {
    let encoded = |(name, operations): (&str, &[Operation])| {
        let bytes = operations.iter().flat_map(|operation| operation.to_bytes());
        (name.to_owned(), bytes.collect())
    };
    CONVERSATIONS.map(encoded).to_vec()
}
