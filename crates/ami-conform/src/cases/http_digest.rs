//! Digest over HTTP: who proves with each request to know the secret.

use std::fmt::Write as _;

use md5::{Digest as _, Md5};

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Need, Safety, Severity};
use crate::finding::{Finding, Judged};
use crate::web::{Answer, Request};

const DIGEST: Case = Case {
    authority: Authority::Asterisk,
    severity: Severity::Blocker,
    needs: &[Need::Http, Need::Since(1, 8)],
    source: "manager.c auth_http_callback; RFC 2617",
    ..CASE
};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "http.digest.challenge",
        requirement: "Who asks without a digest is answered with status 401 and a challenge with `qop=auth`.",
        check: Check::Active(|bench| Box::pin(challenged(bench))),
        ..DIGEST
    },
    Case {
        id: "http.digest.accepted",
        requirement: "A request with the right digest is answered without a login or a cookie.",
        check: Check::Active(|bench| Box::pin(accepted(bench))),
        ..DIGEST
    },
    Case {
        id: "http.digest.count-once",
        requirement: "A digest is taken once: the same again is answered with status 401 and a new nonce.",
        safety: Safety::Noisy,
        check: Check::Active(|bench| Box::pin(counted(bench))),
        ..DIGEST
    },
    Case {
        id: "http.digest.count-rises",
        requirement: "A digest whose count is not above that of the one before is answered with status 401 and a new nonce.",
        safety: Safety::Noisy,
        check: Check::Active(|bench| Box::pin(rising(bench))),
        ..DIGEST
    },
    Case {
        id: "http.digest.unknown-user",
        requirement: "A digest of a user whom nobody knows is answered with status 401, and others are served.",
        safety: Safety::Disruptive,
        catches: &[
            "a crash of Asterisk before 20.20.1, 21.12.3, 22.10.1 and 23.4.1 (GHSA-3rhj-hhw7-m6fw)",
        ],
        check: Check::Active(|bench| Box::pin(unknown_user(bench))),
        ..DIGEST
    },
];

/// What a PBX asks to be answered.
struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    text: String,
}

impl Challenge {
    fn of(answer: &Answer) -> Result<Self, Finding> {
        answer.expect_status(401)?;
        let text = answer.header("WWW-Authenticate").unwrap_or_default();
        let (Some(realm), Some(nonce)) = (value(text, "realm"), value(text, "nonce")) else {
            let got = format!("`{text}`");
            return Err(Finding::fail("a realm and a nonce", got).with(answer.evidence.clone()));
        };
        Ok(Self {
            realm,
            nonce,
            opaque: value(text, "opaque"),
            text: text.to_owned(),
        })
    }

    async fn ask(bench: &mut Bench<'_>) -> Result<Self, Finding> {
        let answer = bench.web(&ping()).await?;
        Self::of(&answer)
    }

    /// The proof that belongs to this request.
    fn sign(
        &self,
        bench: &Bench<'_>,
        (user, secret): (&str, &str),
        count: u32,
        request: Request,
    ) -> Request {
        let Self { realm, nonce, .. } = self;
        let uri = request.address(&bench.device.web_prefix);
        let client = bench.id();
        let who = md5(&format!("{user}:{realm}:{secret}"));
        let what = md5(&format!("{}:{uri}", request.method()));
        let proof = md5(&format!("{who}:{nonce}:{count:08x}:{client}:auth:{what}"));
        let mut header = format!(
            "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", algorithm=MD5, \
             qop=auth, nc={count:08x}, cnonce=\"{client}\", response=\"{proof}\""
        );
        if let Some(opaque) = &self.opaque {
            let _ = write!(header, ", opaque=\"{opaque}\"");
        }
        request.header("Authorization", &header)
    }

    fn sign_as_us(
        &self,
        bench: &Bench<'_>,
        count: u32,
        request: Request,
    ) -> Result<Request, Finding> {
        let us = bench.credentials()?;
        Ok(self.sign(bench, (&us.username, us.secret.expose()), count, request))
    }
}

fn ping() -> Request {
    Request::get("arawman", "Ping")
}

/// Of a parameter, without its quotes.
fn value(text: &str, name: &str) -> Option<String> {
    let mut parts = text.split([',', ' ']);
    parts.find_map(|part| {
        let value = part.strip_prefix(name)?.strip_prefix('=')?;
        Some(value.trim_matches('"').to_owned())
    })
}

fn md5(text: &str) -> String {
    super::hex(&Md5::digest(text))
}

async fn challenged(bench: &mut Bench<'_>) -> Judged {
    let answer = bench.web(&ping()).await?;
    let challenge = Challenge::of(&answer)?;
    let qop = value(&challenge.text, "qop");
    if qop.as_deref() != Some("auth") {
        let got = qop.map_or_else(|| "no qop".to_owned(), |qop| format!("`qop={qop}`"));
        return Ok(Finding::fail("`qop=auth`", got).with(answer.evidence));
    }
    Ok(Finding::pass("a realm, a nonce and `qop=auth`").with(answer.evidence))
}

async fn accepted(bench: &mut Bench<'_>) -> Judged {
    let challenge = Challenge::ask(bench).await?;
    let signed = challenge.sign_as_us(bench, 1, ping())?;
    let answer = bench.web(&signed).await?;
    answer.expect_status(200)?;
    answer.expect("Response", "Success")?;
    Ok(Finding::pass("a Ping is answered").with(answer.evidence))
}

async fn counted(bench: &mut Bench<'_>) -> Judged {
    let challenge = Challenge::ask(bench).await?;
    refused_again(bench, &challenge, 1).await
}

async fn rising(bench: &mut Bench<'_>) -> Judged {
    let challenge = Challenge::ask(bench).await?;
    let first = challenge.sign_as_us(bench, 1, ping())?;
    bench.web(&first).await?;
    refused_again(bench, &challenge, 2).await
}

async fn refused_again(bench: &mut Bench<'_>, challenge: &Challenge, count: u32) -> Judged {
    let signed = challenge.sign_as_us(bench, count, ping())?;
    if bench.web(&signed).await?.status != 200 {
        return Ok(Finding::inconclusive("a digest is not taken at all"));
    }
    let again = bench.web(&signed).await?;
    let renewed = Challenge::of(&again)?;
    if renewed.nonce == challenge.nonce {
        return Ok(Finding::fail("a new nonce", "the same").with(again.evidence));
    }
    Ok(Finding::pass("status 401 and a new nonce").with(again.evidence))
}

async fn unknown_user(bench: &mut Bench<'_>) -> Judged {
    let challenge = Challenge::ask(bench).await?;
    let nobody = format!("nobody-{}", bench.id());
    let signed = challenge.sign(bench, (&nobody, "secret"), 1, ping());
    let answer = bench.web(&signed).await?;
    answer.expect_status(401)?;
    let mut probe = bench.session().await?;
    probe.barrier().await?;
    Ok(Finding::pass("status 401, and others are served").with(answer.evidence))
}
