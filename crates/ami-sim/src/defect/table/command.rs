//! Defects of Command.

use super::super::{Row, Turn};
use super::{action, answer};
use crate::class::Classes;
use crate::server_session::Auth;
use crate::text::contains;

/// Lines that a cut text keeps.
const CUT_LINES: usize = 20;

pub(super) const ROWS: &[Row] = &[
    answer(
        (
            "command.follows.unended",
            "command.framing.follows",
            "the text of Command has no end mark",
        ),
        |turn| {
            of_command(turn, |turn| {
                turn.each(|text| text.replace(b"--END COMMAND--", b""))
            })
        },
    ),
    answer(
        (
            "command.output.bare",
            "command.framing.output",
            "the lines of Command are no headers",
        ),
        |turn| {
            of_command(turn, |turn| {
                turn.each(|text| text.replace(b"Output: ", b""))
            })
        },
    ),
    answer(
        (
            "command.unknown.success",
            "command.line.unknown",
            "an unknown command is a success without output",
        ),
        |turn| {
            let unknown = turn
                .texts
                .first()
                .is_some_and(|text| contains(&text.0, b"o such command"));
            if turn.is("Command") && unknown {
                turn.answer("Success", "Command output follows");
            }
        },
    ),
    answer(
        (
            "command.missing.success",
            "command.line.missing",
            "Command without a command is a success",
        ),
        |turn| turn.excuse("No command provided"),
    ),
    answer(
        (
            "command.blacklist.ignored",
            "command.line.blacklisted",
            "a command that is not permitted is a success",
        ),
        |turn| turn.excuse("Command blacklisted"),
    ),
    answer(
        (
            "command.output.cut",
            "command.text.long",
            "the text of Command ends after 20 lines",
        ),
        |turn| {
            of_command(turn, |turn| {
                turn.each(|text| text.edit_lines(|lines| lines.truncate(3 + CUT_LINES)));
            })
        },
    ),
    answer(
        (
            "command.output.no-empty-lines",
            "command.text.empty-lines",
            "empty lines of Command are left out",
        ),
        |turn| {
            of_command(turn, |turn| {
                turn.each(|text| {
                    text.edit_lines(|lines| {
                        lines.retain(|line| line.trim_ascii_end() != b"Output:")
                    })
                });
            })
        },
    ),
    answer(
        (
            "command.output.coloured",
            "command.text.no-escapes",
            "the text of Command has escape sequences",
        ),
        |turn| {
            of_command(turn, |turn| {
                turn.each(|text| text.replace(b"Output: ", b"Output: \x1b[1m"))
            })
        },
    ),
    action(
        (
            "command.privilege.ignored",
            "command.limited.denied",
            "Command needs no class",
        ),
        |turn| {
            if turn.is("Command")
                && let Auth::User { account, .. } = &mut turn.session.auth
            {
                account.write = account.write | Classes::COMMAND;
            }
        },
    ),
    answer(
        (
            "command.output.counts",
            "command.text.same-twice",
            "each text of the version is another",
        ),
        |turn| {
            if turn.asks("Command") == "core show version" {
                let notes = turn.pbx.defects.notes();
                notes.count += 1;
                let line = format!("Output: asked {} times\r\n", notes.count).into_bytes();
                turn.each(|text| text.edit_lines(|lines| lines.push(line.clone())));
            }
        },
    ),
];

fn of_command(turn: &mut Turn<'_>, edit: impl FnOnce(&mut Turn<'_>)) {
    if turn.is("Command") {
        edit(turn);
    }
}
