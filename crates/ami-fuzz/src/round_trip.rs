//! Both ways: what was encoded is decoded as it was, and what was decoded can be encoded again.

use ami_proto::{Action, ActionId, Decoder, FrameKind, Limits};

pub fn run(data: &[u8]) {
    encoded_is_decoded(data);
    decoded_is_encoded(data);
}

type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// Lines of the data are offered as headers; what is taken comes out again, and nothing else.
fn encoded_is_decoded(data: &[u8]) {
    let mut action = Action::new("Fuzz");
    let mut kept = Vec::new();
    for line in data.split(|&byte| byte == b'\n') {
        let colon = line
            .iter()
            .position(|&byte| byte == b':')
            .unwrap_or(line.len());
        let (name, value) = (String::from_utf8_lossy(&line[..colon]), &line[colon..]);
        if let Ok(longer) = action.clone().with(&name, value) {
            action = longer;
            kept.push((name.into_owned().into_bytes(), value.to_vec()));
        }
    }
    let (name, id, headers) = over_the_wire(&action, "id").expect("what is encoded is an action");
    assert_eq!(
        (name.as_slice(), id.as_slice(), headers),
        (&b"Fuzz"[..], &b"id"[..], kept)
    );
}

/// An action that somebody sends without anything odd in it can be sent again.
fn decoded_is_encoded(data: &[u8]) {
    let mut decoder = Decoder::server(Limits::default());
    let mut input = data;
    while let Some(frame) = decoder.decode(&mut input) {
        if frame.kind() != FrameKind::Action || !frame.anomalies().is_empty() {
            continue;
        }
        let headers: Headers = frame
            .headers()
            .map(|header| (header.name.to_vec(), header.value.to_vec()))
            .collect();
        if let Some((action, id)) = rebuilt(&headers) {
            let (name, id, others) =
                over_the_wire(&action, &id).expect("what is encoded is an action");
            let mut again = vec![(b"Action".to_vec(), name), (b"ActionID".to_vec(), id)];
            again.extend(others);
            let mut headers = headers;
            headers[0].0 = b"Action".to_vec();
            headers[1].0 = b"ActionID".to_vec();
            assert_eq!(again, headers);
        }
    }
}

/// The same action with the same ActionID, if it is one that we would send.
fn rebuilt(headers: &Headers) -> Option<(Action, String)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let [(action, name), (action_id, id), others @ ..] = headers.as_slice() else {
        return None;
    };
    if !action.eq_ignore_ascii_case(b"Action") || !action_id.eq_ignore_ascii_case(b"ActionID") {
        return None;
    }
    let id = text(id).filter(|id| ActionId::checked(id).is_ok())?;
    let action = others.iter().try_fold(
        Action::named(&text(name)?).ok()?,
        |action, (name, value)| action.with(&text(name)?, value).ok(),
    )?;
    Some((action, id))
}

/// Name, ActionID and headers of an action as its receiver sees them; none if it is anything but one sound action.
fn over_the_wire(action: &Action, id: &str) -> Option<(Vec<u8>, Vec<u8>, Headers)> {
    let mut wire = Vec::new();
    action.encode(&ActionId::checked(id).ok()?, &mut wire);
    let mut decoder = Decoder::server(Limits::default());
    let mut input = wire.as_slice();
    let frame = decoder.decode(&mut input)?;
    let whole = frame.bytes() == wire && frame.anomalies().is_empty();
    let mut headers = frame
        .headers()
        .map(|header| (header.name.to_vec(), header.value.to_vec()));
    let (action, action_id) = (headers.next()?, headers.next()?);
    let named = action.0 == b"Action" && action_id.0 == b"ActionID";
    (whole && named).then(|| (action.1, action_id.1, headers.collect()))
}
