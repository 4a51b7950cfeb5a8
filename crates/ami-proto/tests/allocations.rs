//! Once its buffers have grown, the core reads without allocating: frames that are borrowed, what they are to a session.

#![expect(clippy::unwrap_used, reason = "what a test did not expect ends it")]

use std::time::Duration;

use allocation_counter::measure;
use ami_proto::action::system;
use ami_proto::session::{Answer, Disposition, LoginForm, Secret, Session, SessionConfig};
use ami_proto::{Decoder, Limits};

const FRAMES: usize = 1000;
/// The payload of one Ethernet segment: most frames straddle two.
const SEGMENT_LEN: usize = 1460;
const EVENT: &str = "Event: VarSet\r\nPrivilege: dialplan,all\r\nChannel: PJSIP/trunk-00000a2f\r\nChannelStateDesc: Up\r\n\
    CallerIDName: Zoë Müller\r\nAccountCode: \r\nUniqueid: 1795248936.4711\r\nVariable: DIALSTATUS\r\nValue: a: b\r\n\r\n";
const FAR: Duration = Duration::from_secs(3600);

/// Reads everything, and says how many bytes three lookups found.
fn look_up(decoder: &mut Decoder, stream: &[u8]) -> usize {
    let mut found = 0;
    for mut read in stream.chunks(SEGMENT_LEN) {
        while let Some(frame) = decoder.decode(&mut read) {
            let values = ["Event", "Uniqueid", "Channel"].map(|name| frame.get(name));
            found += values.into_iter().flatten().map(<[u8]>::len).sum::<usize>();
        }
    }
    found
}

fn ready() -> (Session, Decoder) {
    let config = SessionConfig {
        username: "bench".into(),
        secret: Secret::new("secret"),
        login: LoginForm::Plain,
        events: "on".into(),
        connection_id: 7,
        login_deadline: FAR,
    };
    let mut session = Session::new(config, Duration::ZERO).unwrap();
    let mut decoder = Decoder::client(Limits::default());
    hear(
        &mut session,
        &mut decoder,
        b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nMessage: Authentication accepted\r\n\r\n",
    );
    assert!(session.is_ready());
    (session, decoder)
}

/// How many frames were events, and how many answers.
fn hear(session: &mut Session, decoder: &mut Decoder, stream: &[u8]) -> (usize, usize) {
    let (mut events, mut answers) = (0, 0);
    for mut read in stream.chunks(SEGMENT_LEN) {
        while let Some(frame) = decoder.decode(&mut read) {
            match session.handle_frame(Duration::ZERO, &frame) {
                Disposition::Event => events += 1,
                Disposition::Answer { .. } => answers += 1,
                _ => {}
            }
        }
    }
    (events, answers)
}

#[test]
fn a_borrowed_frame_and_its_lookups_take_no_memory() {
    let stream = EVENT.repeat(FRAMES);
    let mut decoder = Decoder::client(Limits::default());
    let warm_up = look_up(&mut decoder, stream.as_bytes());
    let mut found = 0;
    let taken = measure(|| found = look_up(&mut decoder, stream.as_bytes()));
    assert_eq!((found, taken.count_total), (warm_up, 0));
}

#[test]
fn an_event_that_answers_nobody_takes_no_memory() {
    let stream = EVENT.repeat(FRAMES);
    let (mut session, mut decoder) = ready();
    hear(&mut session, &mut decoder, stream.as_bytes());
    let mut heard = (0, 0);
    let taken = measure(|| heard = hear(&mut session, &mut decoder, stream.as_bytes()));
    assert_eq!((heard, taken.count_total), ((FRAMES, 0), 0));
}

#[test]
fn finding_whose_answer_it_is_takes_no_memory() {
    const WAITING: usize = 100;
    let (mut session, mut decoder) = ready();
    let mut taken = 1;
    // The first time buffers grow.
    for _ in 0..2 {
        let mut answers = String::new();
        for _ in 0..WAITING {
            let slot = session.send(Duration::ZERO, &system::ping(), Answer::Single, FAR);
            let id = session.action_id(slot.unwrap());
            let answer = ["Response: Success\r\nActionID: ", id.as_str(), "\r\n\r\n"];
            answers.extend(answer);
        }
        let mut heard = (0, 0);
        let answers = answers.as_bytes();
        taken = measure(|| heard = hear(&mut session, &mut decoder, answers)).count_total;
        assert_eq!(heard, (0, WAITING));
    }
    assert_eq!(taken, 0);
}
