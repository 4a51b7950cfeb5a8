//! What a judge asks over HTTP to find defects out.

use ami_sim::{Addresses, After, Reading, SessionKey, WebReader};
use md5::{Digest, Md5};

use crate::scene::Scene;
use crate::talk::SECRET;

pub(crate) fn web(scene: &mut Scene) {
    let login = format!("action=login&username=bench&secret={}", escaped(SECRET));
    let session = get(scene, &login, "");
    get(scene, "action=ping", &session);
    get(scene, "action=nonsense", &session);
    get(scene, "action=coresettings", &session);
    let other = get(scene, "action=ping", "");
    page(
        scene,
        &format!("PUT /rawman?action=ping HTTP/1.1\r\nCookie: {session}\r\n\r\n"),
    );
    let command = "/mxml?action=command&command=manager+show+settings";
    page(
        scene,
        &format!("GET {command} HTTP/1.1\r\nCookie: {session}\r\n\r\n"),
    );
    page(
        scene,
        "POST /rawman HTTP/1.1\r\nContent-Length: 40961\r\n\r\n",
    );
    for parameter in [
        "action=ping&actionid=a%0d%0aX:1",
        "action=userevent&userevent=a%0d%0aEvent:%20X",
    ] {
        get(scene, parameter, &session);
    }
    scene.pass(5500);
    get(scene, "action=ping", &other);
    let key = scene.login("bench", "Events: off");
    let waits: Vec<SessionKey> = (0..3)
        .filter_map(|_| ask(scene, &request("action=waitevent", &session)).err())
        .collect();
    scene.say(key, &["Action: UserEvent", "UserEvent: Mark"]);
    scene.pass(3000);
    for ticket in waits {
        take(scene, ticket);
    }
    scene.pass(70_000);
    get(scene, "action=ping", &session);
    digest(scene);
}

fn digest(scene: &mut Scene) {
    let challenge = page(scene, "GET /arawman?action=ping HTTP/1.1\r\n\r\n");
    let nonce = between(&challenge, "nonce=\"", "\"");
    for (user, count) in [("bench", 1), ("bench", 2), ("bench", 2), ("nobody", 1)] {
        let proof = md5(&format!(
            "{}:{nonce}:{count:08x}:abcd:auth:{}",
            md5(&format!("{user}:asterisk:{SECRET}")),
            md5("GET:/arawman?action=ping")
        ));
        page(
            scene,
            &format!(
                "GET /arawman?action=ping HTTP/1.1\r\nAuthorization: Digest username=\"{user}\", realm=\"asterisk\", \
                 nonce=\"{nonce}\", uri=\"/arawman?action=ping\", qop=auth, nc={count:08x}, cnonce=\"abcd\", \
                 response=\"{proof}\", algorithm=MD5\r\n\r\n"
            ),
        );
    }
}

fn request(query: &str, session: &str) -> String {
    format!("GET /rawman?{query} HTTP/1.1\r\nCookie: {session}\r\n\r\n")
}

/// The cookie of the session that answered.
fn get(scene: &mut Scene, query: &str, session: &str) -> String {
    let answer = page(scene, &request(query, session));
    let id = between(&answer, "mansession_id=\"", "\"");
    format!("mansession_id={id}")
}

fn page(scene: &mut Scene, request: &str) -> String {
    match ask(scene, request) {
        Ok(answer) => answer,
        Err(ticket) => {
            scene.pass(1000);
            take(scene, ticket).unwrap_or_default()
        }
    }
}

/// The answer, or how to get it later.
fn ask(scene: &mut Scene, request: &str) -> Result<String, SessionKey> {
    let mut reader = WebReader::default();
    reader.push(request.as_bytes());
    let now = scene.talk.now;
    let addresses = Addresses {
        local: "127.0.0.1:8088".parse().unwrap(),
        remote: "127.0.0.1:40000".parse().unwrap(),
    };
    let exchange = &mut scene.talk.exchange;
    match reader.read() {
        Reading::Request(request) => {
            let ticket = exchange.ask_web(now, addresses, &request);
            take(scene, ticket).ok_or(ticket)
        }
        Reading::Refused(refusal) => {
            let response = exchange.web_refusal(now, &refusal, After::Close);
            let text = String::from_utf8_lossy(&response.bytes).into_owned();
            scene.note(text.escape_debug().to_string());
            Ok(text)
        }
        Reading::Partial => panic!("{request} is not all"),
    }
}

fn take(scene: &mut Scene, ticket: SessionKey) -> Option<String> {
    let response = scene.talk.exchange.take_web(ticket)?;
    let text = String::from_utf8_lossy(&response.bytes).into_owned();
    scene.note(text.escape_debug().to_string());
    Some(text)
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let rest = text.split(start).nth(1).unwrap_or_default();
    rest.split(end).next().unwrap_or_default()
}

fn escaped(text: &str) -> String {
    text.replace('<', "%3C").replace('>', "%3E")
}

fn md5(text: &str) -> String {
    let digest = Md5::new().chain_update(text).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
