//! Sessions over HTTP: who they belong to, how long they last, and what may be asked.

use std::time::Duration;

use tokio::time::sleep;

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::finding::{Finding, Judged};
use crate::web::Request;

/// A session may outlive its time by as much as it takes until somebody looks.
const GRACE: Duration = Duration::from_secs(10);
/// One that lives longer is not waited for.
const MAX_AGE: u64 = 60;
/// In stock Asterisk such a session has 5 s, and every 5 s one whose time is over is taken away.
const STRANGER: Duration = Duration::from_secs(20);
const COOKIES: usize = 10;
/// Two ids of 32 bits are nearer by chance once in 30,000 times.
const NEAR: u64 = 1 << 16;
/// Stock Asterisk takes 40,960.
const LARGE_BODY: usize = 41_000;

const HTTP: Case = Case {
    authority: Authority::Asterisk,
    needs: &[Need::Http],
    source: "manager.c generic_http_callback",
    ..CASE
};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "http.login.session",
        requirement: "A login over HTTP opens a session, and its cookie names it in later requests.",
        severity: Severity::Blocker,
        check: Check::Active(|bench| Box::pin(login(bench))),
        ..HTTP
    },
    Case {
        id: "http.logoff.ends",
        requirement: "Who logs off over HTTP has no session any more.",
        level: Level::Should,
        safety: Safety::Noisy,
        check: Check::Active(|bench| Box::pin(logoff(bench))),
        ..HTTP
    },
    Case {
        id: "http.session.own",
        requirement: "Who has no cookie has no part in the session of another.",
        severity: Severity::Blocker,
        safety: Safety::Noisy,
        check: Check::Active(|bench| Box::pin(own(bench))),
        ..HTTP
    },
    Case {
        id: "http.session.expires",
        requirement: "A session that nobody uses ends within 10 s of what its cookie says.",
        level: Level::Should,
        safety: Safety::Noisy,
        source: "manager.c purge_sessions; httptimeout",
        waits: 70,
        check: Check::Active(|bench| Box::pin(expires(bench))),
        ..HTTP
    },
    Case {
        id: "http.session.stranger",
        requirement: "Whether a session without a login is gone after 20 s.",
        level: Level::Observe,
        severity: Severity::Info,
        safety: Safety::Noisy,
        source: "manager.c generic_http_callback: 5 s",
        waits: 20,
        check: Check::Active(|bench| Box::pin(stranger(bench))),
        ..HTTP
    },
    Case {
        id: "http.cookie.max-age",
        requirement: "How long a session over HTTP lives, as its cookie says.",
        level: Level::Observe,
        severity: Severity::Info,
        source: "httptimeout, 60 s by default",
        check: Check::Active(|bench| Box::pin(max_age(bench))),
        ..HTTP
    },
    Case {
        id: "http.cookie.unpredictable",
        requirement: "Cookies are all different, and none follows from another.",
        level: Level::Should,
        severity: Severity::Blocker,
        safety: Safety::Noisy,
        source: "manager.c build_mansession: ast_random",
        check: Check::Active(|bench| Box::pin(unpredictable(bench))),
        ..HTTP
    },
    Case {
        id: "http.status.of-error",
        requirement: "The status of an answer whose action failed.",
        level: Level::Observe,
        severity: Severity::Info,
        check: Check::Active(|bench| Box::pin(status(bench))),
        ..HTTP
    },
    Case {
        id: "http.form.as-query",
        requirement: "An action in the address is answered as one in a form.",
        source: "http.c ast_http_get_post_vars; manager.c generic_http_callback",
        check: Check::Active(|bench| Box::pin(form(bench))),
        ..HTTP
    },
    Case {
        id: "http.limit.body",
        requirement: "A body of 41,000 bytes is refused with status 413, and others are served.",
        level: Level::Should,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        needs: &[Need::Http, Need::Since(12, 4)],
        source: "http.c MAX_CONTENT, 40,960 bytes",
        check: Check::Active(|bench| Box::pin(large_body(bench))),
        ..HTTP
    },
    Case {
        id: "http.method.unknown",
        requirement: "A method that is neither GET nor HEAD nor POST is refused with status 501.",
        level: Level::May,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        needs: &[Need::Http, Need::Since(11, 0)],
        check: Check::Active(|bench| Box::pin(method(bench))),
        ..HTTP
    },
];

async fn login(bench: &mut Bench<'_>) -> Judged {
    let answer = bench.web(&bench.web_login("off")?).await?;
    answer.expect("Response", "Success")?;
    let Some(cookie) = answer.cookie() else {
        return Ok(Finding::fail("a cookie", "none").with(answer.evidence));
    };
    bench.web_sessions.push(cookie.clone());
    let ping = Request::post("rawman", "Ping").header("Cookie", &cookie);
    let pong = bench.web(&ping).await?;
    pong.expect("Response", "Success")?;
    Ok(Finding::pass("a Ping with its cookie is answered").with(pong.evidence))
}

async fn logoff(bench: &mut Bench<'_>) -> Judged {
    let session = bench.web_session("off").await?;
    let goodbye = session.says(Request::post("rawman", "Logoff"));
    bench.web(&goodbye).await?.expect_status(200)?;
    let ping = session.says(Request::post("rawman", "Ping"));
    let answer = bench.web(&ping).await?;
    answer.expect("Response", "Error")?;
    Ok(Finding::pass("its cookie is that of nobody").with(answer.evidence))
}

async fn own(bench: &mut Bench<'_>) -> Judged {
    let session = bench.web_session("off").await?;
    let ping = Request::post("rawman", "Ping");
    let pong = bench.web(&session.says(ping.clone())).await?;
    if !pong.is("Response", "Success") {
        return Ok(Finding::inconclusive("who has a cookie is refused too"));
    }
    let answer = bench.web(&ping).await?;
    answer.expect("Response", "Error")?;
    Ok(Finding::pass("it is refused").with(answer.evidence))
}

async fn expires(bench: &mut Bench<'_>) -> Judged {
    let session = bench.web_session("off").await?;
    let ping = session.says(Request::post("rawman", "Ping"));
    let before = bench.web(&ping).await?;
    if !before.is("Response", "Success") {
        return Ok(Finding::inconclusive("it is over at once"));
    }
    let seconds = before
        .cookie_value("Max-Age")
        .and_then(|age| age.parse().ok());
    let seconds: u64 = match seconds {
        Some(seconds) if seconds <= MAX_AGE => seconds,
        Some(seconds) => {
            let why = format!("its cookie says {seconds} s, of which {MAX_AGE} are waited");
            return Ok(Finding::inconclusive(why));
        }
        None => return Ok(Finding::inconclusive("its cookie does not say how long")),
    };
    sleep(Duration::from_secs(seconds) + GRACE).await;
    let answer = bench.web(&ping).await?;
    answer.expect("Response", "Error")?;
    Ok(Finding::pass(format!("gone {} s later", seconds + GRACE.as_secs())).with(answer.evidence))
}

/// What is answered, with a cookie, to who has not logged in.
fn stranger_asks() -> Request {
    Request::post("rawman", "Challenge").with("AuthType", "MD5")
}

async fn stranger(bench: &mut Bench<'_>) -> Judged {
    let ask = stranger_asks();
    let before = bench.web(&ask).await?;
    let Some(cookie) = before.cookie() else {
        return Ok(Finding::inconclusive(
            "who has not logged in gets no cookie",
        ));
    };
    sleep(STRANGER).await;
    let after = bench.web(&ask.header("Cookie", &cookie)).await?;
    let got = match after.cookie() {
        Some(other) if other == cookie => "still there",
        _ => "gone",
    };
    Ok(Finding::pass(format!("{got} after {} s", STRANGER.as_secs())).with(after.evidence))
}

async fn max_age(bench: &mut Bench<'_>) -> Judged {
    let ask = stranger_asks();
    let answer = bench.web(&ask).await?;
    let got = match answer.cookie_value("Max-Age") {
        Some(age) => format!("{age} s"),
        None => "it does not say".to_owned(),
    };
    Ok(Finding::pass(got).with(answer.evidence))
}

async fn unpredictable(bench: &mut Bench<'_>) -> Judged {
    let ask = stranger_asks();
    let mut ids = Vec::new();
    let mut evidence = Vec::new();
    for _ in 0..COOKIES {
        let answer = bench.web(&ask).await?;
        let Some(cookie) = answer.cookie() else {
            return Ok(Finding::inconclusive(
                "who has not logged in gets no cookie",
            ));
        };
        let id = cookie.split_once('=').map_or("", |(_, id)| id);
        let id = id.trim_matches('"');
        let Ok(number) = u64::from_str_radix(id, 16) else {
            return Ok(Finding::inconclusive("the ids are no numbers of 64 bits"));
        };
        ids.push(number);
        evidence.push(answer.evidence);
    }
    evidence.truncate(super::SHOWN);
    let near = ids
        .windows(2)
        .filter(|two| two[0].abs_diff(two[1]) < NEAR)
        .count();
    if near > 1 {
        let got = "ids that lie beside each other";
        return Ok(Finding::fail("ids from all over", got).with_all(evidence));
    }
    ids.sort_unstable();
    ids.dedup();
    if ids.len() < COOKIES {
        return Ok(Finding::fail("ids of their own", "the same twice").with_all(evidence));
    }
    Ok(Finding::pass(format!("{COOKIES} ids from all over")).with_all(evidence))
}

async fn status(bench: &mut Bench<'_>) -> Judged {
    // An error that nobody is alarmed about: AuthType is missing.
    let answer = bench.web(&Request::post("rawman", "Challenge")).await?;
    if !answer.is("Response", "Error") {
        return Ok(Finding::inconclusive(
            "a Challenge without AuthType is no error",
        ));
    }
    Ok(Finding::pass(format!("status {}", answer.status)).with(answer.evidence))
}

async fn form(bench: &mut Bench<'_>) -> Judged {
    let session = bench.web_session("off").await?;
    let id = bench.id();
    for request in [
        Request::post("rawman", "Ping"),
        Request::get("rawman", "Ping"),
    ] {
        let answer = bench
            .web(&session.says(request.with("ActionID", &id)))
            .await?;
        answer.expect("Response", "Success")?;
        answer.expect("ActionID", &id)?;
    }
    Ok(Finding::pass("both are answered"))
}

async fn large_body(bench: &mut Bench<'_>) -> Judged {
    let answer = bench
        .web(&Request::announcing("rawman", LARGE_BODY))
        .await?;
    answer.expect_status(413)?;
    Ok(Finding::pass("status 413").with(answer.evidence))
}

async fn method(bench: &mut Bench<'_>) -> Judged {
    let request = Request::of("PUT", "rawman").with("Action", "Ping");
    let answer = bench.web(&request).await?;
    answer.expect_status(501)?;
    Ok(Finding::pass("status 501").with(answer.evidence))
}
