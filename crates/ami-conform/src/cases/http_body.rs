//! What an answer over HTTP holds: the messages as on a wire, as XML, or a page to try them out.

use roxmltree::{Document, Node};

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::finding::{Finding, Judged};
use crate::reading::SURVEY;
use crate::web::{Answer, Request};

/// What only reads and is no list.
const READ_ONLY: [&str; 3] = ["Ping", "ListCommands", "CoreSettings"];
/// All that XML has a meaning of its own for.
const AWKWARD: &str = "a<b>&\"c'd";

const BODY: Case = Case {
    level: Level::Should,
    authority: Authority::Asterisk,
    needs: &[Need::Http],
    source: "manager.c xml_translate",
    ..CASE
};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "http.body.as-on-the-wire",
        requirement: "Over HTTP an action has the same answer, byte for byte, as on a session of its own.",
        needs: &[Need::Http, Need::Action("CoreSettings")],
        source: "manager.c generic_http_callback, FORMAT_RAW",
        check: Check::Active(|bench| Box::pin(as_on_the_wire(bench))),
        ..BODY
    },
    Case {
        id: "http.mxml.well-formed",
        requirement: "Answers as XML are well-formed, and in UTF-8.",
        severity: Severity::Blocker,
        check: Check::Active(|bench| Box::pin(well_formed(bench))),
        ..BODY
    },
    Case {
        id: "http.mxml.values",
        requirement: "In XML a value is what it is elsewhere, whatever stands in it.",
        check: Check::Active(|bench| Box::pin(values(bench))),
        ..BODY
    },
    Case {
        id: "http.mxml.numbered",
        requirement: "In XML a header that comes again is numbered: `output`, `output-2`.",
        needs: &[Need::Http, Need::Action("Command"), Need::Since(14, 0)],
        check: Check::Active(|bench| Box::pin(numbered(bench))),
        ..BODY
    },
    Case {
        id: "http.page.form",
        requirement: "The page to try it out has a form.",
        level: Level::May,
        severity: Severity::Minor,
        source: "manager.c generic_http_callback, FORMAT_HTML",
        check: Check::Active(|bench| Box::pin(page(bench))),
        ..BODY
    },
    Case {
        id: "http.inject.action-id",
        requirement: "Line ends in an ActionID make no headers of their own.",
        safety: Safety::Noisy,
        source: "manager.c generic_http_callback takes parameters as they are",
        catches: &["a web page that makes a PBX answer what it likes"],
        check: Check::Active(|bench| Box::pin(injected(bench))),
        ..BODY
    },
];

async fn as_on_the_wire(bench: &mut Bench<'_>) -> Judged {
    let session = bench.web_session("off").await?;
    let mut probe = bench.session().await?;
    let id = probe.send("CoreSettings", &[]).await;
    let wire = probe.answer_to(&id).await?;
    let request = Request::post("rawman", "CoreSettings").with("ActionID", &id);
    let web = bench.web(&session.says(request)).await?;
    let evidence = [wire.evidence(), web.evidence.clone()];
    if web.body.trim_ascii_end() != wire.frame().bytes().trim_ascii_end() {
        return Ok(Finding::fail("the same bytes", "others").with_all(evidence));
    }
    Ok(Finding::pass("the same bytes").with_all(evidence))
}

/// What cannot be read as XML is a failure.
fn tree<'a>(answer: &'a Answer, what: &str) -> Result<Document<'a>, Finding> {
    answer.expect_status(200)?;
    let text = std::str::from_utf8(&answer.body).map_err(|_| {
        Finding::fail("UTF-8", format!("{what}: other bytes")).with(answer.evidence.clone())
    })?;
    Document::parse(text).map_err(|error| {
        let got = format!("{what}: {error}");
        Finding::fail("well-formed XML", got).with(answer.evidence.clone())
    })
}

/// The elements that hold a message.
fn messages<'a>(tree: &'a Document<'_>) -> impl Iterator<Item = Node<'a, 'a>> {
    let named = |node: &Node<'_, '_>| node.attribute("response").is_some();
    tree.descendants().filter(named)
}

async fn well_formed(bench: &mut Bench<'_>) -> Judged {
    let session = bench.web_session("off").await?;
    let may = |action: &&&str| {
        let actions = bench.device.actions.as_ref();
        actions.is_none_or(|actions| actions.contains_key(**action))
    };
    let asked: Vec<&str> = READ_ONLY
        .iter()
        .chain(SURVEY)
        .filter(may)
        .copied()
        .collect();
    let mut evidence = Vec::new();
    for action in &asked {
        let answer = bench
            .web(&session.says(Request::post("mxml", action)))
            .await?;
        tree(&answer, action)?;
        evidence.push(answer.evidence);
    }
    evidence.truncate(super::SHOWN);
    Ok(Finding::pass(format!("{} answers", asked.len())).with_all(evidence))
}

async fn values(bench: &mut Bench<'_>) -> Judged {
    let session = bench.web_session("off").await?;
    let request = Request::post("mxml", "Ping").with("ActionID", AWKWARD);
    let answer = bench.web(&session.says(request)).await?;
    let tree = tree(&answer, "Ping")?;
    let id = messages(&tree).find_map(|node| node.attribute("actionid"));
    if id != Some(AWKWARD) {
        let got = id.map_or_else(|| "no actionid".to_owned(), |id| format!("`{id}`"));
        return Ok(Finding::fail(format!("`{AWKWARD}`"), got).with(answer.evidence.clone()));
    }
    Ok(Finding::pass("as it was sent").with(answer.evidence.clone()))
}

async fn numbered(bench: &mut Bench<'_>) -> Judged {
    let session = bench.web_session("off").await?;
    let request = Request::post("mxml", "Command").with("Command", "manager show settings");
    let answer = bench.web(&session.says(request)).await?;
    let tree = tree(&answer, "Command")?;
    let Some(message) = messages(&tree).next() else {
        return Ok(Finding::fail("a response", "none").with(answer.evidence.clone()));
    };
    for name in ["output", "output-2"] {
        if message.attribute(name).is_none() {
            let expected = format!("an attribute {name}");
            return Ok(Finding::fail(expected, "none").with(answer.evidence.clone()));
        }
    }
    Ok(Finding::pass("`output`, `output-2` and so on").with(answer.evidence.clone()))
}

async fn page(bench: &mut Bench<'_>) -> Judged {
    let session = bench.web_session("off").await?;
    let answer = bench
        .web(&session.says(Request::get("manager", "Ping")))
        .await?;
    answer.expect_status(200)?;
    let page = String::from_utf8_lossy(&answer.body).to_ascii_lowercase();
    if !page.contains("<form ") {
        return Ok(Finding::fail("a form", "none").with(answer.evidence));
    }
    Ok(Finding::pass("it has one").with(answer.evidence))
}

async fn injected(bench: &mut Bench<'_>) -> Judged {
    let session = bench.web_session("off").await?;
    let id = format!("{}\r\nX-Injected: 1", bench.id());
    let request = Request::post("rawman", "Ping").with("ActionID", &id);
    let answer = bench.web(&session.says(request)).await?;
    if answer.is("X-Injected", "1") {
        return Ok(Finding::fail("no header of its own", "`X-Injected: 1`").with(answer.evidence));
    }
    Ok(Finding::pass("none").with(answer.evidence))
}
