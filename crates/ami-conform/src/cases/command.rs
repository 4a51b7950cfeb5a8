//! Command: what the console prints, framed.

use ami_client::target::Standing;

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::cases::refused;
use crate::device::CommandFraming;
use crate::finding::{Finding, Judged};
use crate::probe::Got;
use crate::reading::text_of;

const NEEDS: &[Need] = &[Need::Action("Command")];
/// One line for each action that there is; ListCommands tells which of them there must be.
const LONG: &str = "manager show commands";

pub(super) const CASES: &[Case] = &[
    Case {
        id: "command.framing.follows",
        requirement: "Before 14 a Command is answered by `Response: Follows` and its text up to `--END COMMAND--`.",
        authority: Authority::Asterisk,
        severity: Severity::Blocker,
        needs: &[Need::Action("Command"), Need::Before(14, 0)],
        source: "manager.c action_command up to 13",
        catches: &["starpy#34"],
        check: Check::Active(|bench| Box::pin(framed(bench, CommandFraming::Follows))),
        ..CASE
    },
    Case {
        id: "command.framing.output",
        requirement: "From 14 on a Command is answered by Success and an `Output` header for each line.",
        authority: Authority::Asterisk,
        severity: Severity::Blocker,
        needs: &[Need::Action("Command"), Need::Since(14, 0)],
        source: "manager.c action_command since 14",
        catches: &["starpy#34"],
        check: Check::Active(|bench| Box::pin(framed(bench, CommandFraming::Output))),
        ..CASE
    },
    Case {
        id: "command.line.unknown",
        requirement: "An unknown console command is answered by what the console says to it, and the session goes on.",
        level: Level::Should,
        needs: NEEDS,
        source: "manager.c action_command",
        check: Check::Active(|bench| Box::pin(unknown(bench))),
        ..CASE
    },
    Case {
        id: "command.line.missing",
        requirement: "A Command without a command is an error.",
        safety: Safety::Noisy,
        needs: NEEDS,
        source: "manager.c action_command",
        check: Check::Active(|bench| Box::pin(refused(bench, "Command", &[]))),
        ..CASE
    },
    Case {
        id: "command.line.blacklisted",
        requirement: "A Command that would load a module is refused.",
        level: Level::Should,
        authority: Authority::Asterisk,
        safety: Safety::Noisy,
        needs: NEEDS,
        source: "manager.c command_blacklist, since 1.4.5",
        check: Check::Active(|bench| Box::pin(blacklisted(bench))),
        ..CASE
    },
    Case {
        id: "command.limited.denied",
        requirement: "A Command of an account without class command is denied.",
        severity: Severity::Blocker,
        safety: Safety::Noisy,
        needs: &[Need::Action("Command"), Need::Account(Standing::Limited)],
        source: "manager.c process_message",
        check: Check::Active(|bench| Box::pin(limited(bench))),
        ..CASE
    },
    Case {
        id: "command.text.long",
        requirement: "Long output comes whole, and its end is found.",
        level: Level::Should,
        needs: NEEDS,
        source: "manager.c action_command",
        check: Check::Active(|bench| Box::pin(long(bench))),
        ..CASE
    },
    Case {
        id: "command.text.empty-lines",
        requirement: "Empty lines of the output are kept.",
        level: Level::Should,
        severity: Severity::Minor,
        needs: NEEDS,
        source: "manager.c action_command",
        check: Check::Active(|bench| Box::pin(empty_lines(bench))),
        ..CASE
    },
    Case {
        id: "command.text.no-escapes",
        requirement: "The output has no colours or other escape sequences.",
        level: Level::Should,
        severity: Severity::Minor,
        needs: NEEDS,
        source: "manager.c action_command: term_strip",
        check: Check::Active(|bench| Box::pin(no_escapes(bench))),
        ..CASE
    },
    Case {
        id: "command.text.same-twice",
        requirement: "The same question about the version gets the same text twice.",
        level: Level::Should,
        severity: Severity::Minor,
        needs: NEEDS,
        source: "the console's answer does not depend on the session",
        check: Check::Active(|bench| Box::pin(same_twice(bench))),
        ..CASE
    },
];

async fn ask(bench: &mut Bench<'_>, line: &str) -> Result<Got, Finding> {
    let mut probe = bench.session().await?;
    let answer = probe.ask("Command", &[("Command", line)]).await?;
    probe.barrier().await?;
    Ok(answer)
}

async fn framed(bench: &mut Bench<'_>, framing: CommandFraming) -> Judged {
    let answer = ask(bench, "core show version").await?;
    let (first, has_text) = match framing {
        CommandFraming::Follows => ("Follows", answer.frame().body().is_some()),
        CommandFraming::Output => ("Success", answer.frame().get("Output").is_some()),
    };
    answer.expect("Response", first)?;
    if !has_text {
        let got = format!("`{}`", answer.summary());
        return Ok(Finding::fail("the text in that form", got).with(answer.evidence()));
    }
    Ok(Finding::pass(text_of(&answer).trim().to_owned()).with(answer.evidence()))
}

async fn unknown(bench: &mut Bench<'_>) -> Judged {
    let line = format!("nosuch{}", bench.id());
    let answer = ask(bench, &line).await?;
    if !String::from_utf8_lossy(answer.frame().bytes()).contains(&line) {
        let got = format!("`{}`", answer.summary());
        return Ok(Finding::fail("a complaint that names it", got).with(answer.evidence()));
    }
    Ok(Finding::pass("a complaint that names it").with(answer.evidence()))
}

async fn blacklisted(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    // A module that nobody has: loading it could only fail.
    let line = format!("module load nosuch-{}", bench.id());
    let answer = probe.ask("Command", &[("Command", &line)]).await?;
    answer.expect_error("Command blacklisted")?;
    Ok(Finding::pass("`Command blacklisted`").with(answer.evidence()))
}

async fn limited(bench: &mut Bench<'_>) -> Judged {
    if bench.lesser(Standing::Limited)?.write.contains("command") {
        let why = "the account `limited` has class command";
        return Ok(Finding::not_applicable(why));
    }
    let mut probe = bench.lesser_session(Standing::Limited, "off").await?;
    let line = [("Command", "core show version")];
    let answer = probe.ask("Command", &line).await?;
    answer.expect_error("Permission denied")?;
    probe.barrier().await?;
    Ok(Finding::pass("`Permission denied`").with(answer.evidence()))
}

async fn long(bench: &mut Bench<'_>) -> Judged {
    /// Releases up to 12 cut names in their columns.
    const NAME_BYTES: usize = 15;
    let Some(actions) = &bench.device.actions else {
        return Ok(Finding::inconclusive("there is no list to compare it with"));
    };
    let actions = actions.clone();
    let answer = ask(bench, LONG).await?;
    let text = text_of(&answer);
    let printed: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let is_printed = |name: &&String| {
        let head = name.get(..NAME_BYTES).unwrap_or(name);
        printed.iter().any(|printed| printed.starts_with(head))
    };
    let lines = printed.len();
    match actions.keys().find(|name| !is_printed(name)) {
        None => Ok(Finding::pass("a line for each action").with(answer.evidence())),
        Some(name) => {
            let got = format!("{lines} lines, none for {name}");
            Ok(Finding::fail("a line for each action", got).with(answer.evidence()))
        }
    }
}

async fn empty_lines(bench: &mut Bench<'_>) -> Judged {
    let answer = ask(bench, "manager show settings").await?;
    let text = text_of(&answer);
    if !text.contains("Settings") {
        let why = "`manager show settings` prints something else here";
        return Ok(Finding::inconclusive(why).with(answer.evidence()));
    }
    if text.lines().next().is_some_and(str::is_empty) {
        return Ok(Finding::pass("the first one").with(answer.evidence()));
    }
    Ok(Finding::fail("an empty line before its head", "none").with(answer.evidence()))
}

async fn no_escapes(bench: &mut Bench<'_>) -> Judged {
    let answer = ask(bench, "core show version").await?;
    if answer.frame().bytes().contains(&0x1b) {
        return Ok(Finding::fail("text", "an escape sequence").with(answer.evidence()));
    }
    if text_of(&answer).trim().is_empty() {
        return Ok(Finding::inconclusive(
            "`core show version` prints nothing here",
        ));
    }
    Ok(Finding::pass("none").with(answer.evidence()))
}

async fn same_twice(bench: &mut Bench<'_>) -> Judged {
    let first = ask(bench, "core show version").await?;
    let second = ask(bench, "core show version").await?;
    let (one, two) = (text_of(&first), text_of(&second));
    if one != two {
        return Ok(Finding::fail(one, two)
            .with(first.evidence())
            .with(second.evidence()));
    }
    if one.trim().is_empty() {
        return Ok(Finding::inconclusive(
            "`core show version` prints nothing here",
        ));
    }
    Ok(Finding::pass("the same").with(second.evidence()))
}
