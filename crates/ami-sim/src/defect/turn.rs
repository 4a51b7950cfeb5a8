//! One action and its answer, as a defect gets them into its hands.

use std::time::Duration;

use super::{How, Notes};
use crate::account::Account;
use crate::message::Headers;
use crate::pbx::Pbx;
use crate::request::Request;
use crate::server_session::Dialogue;
use crate::text::Text;

pub(crate) struct Turn<'a> {
    pub(crate) now: Duration,
    pub(crate) request: &'a mut Request,
    pub(crate) session: &'a mut Dialogue,
    pub(crate) pbx: &'a mut Pbx,
    /// The answer: none yet before the model has seen the action.
    pub(crate) texts: Vec<Text>,
    /// Bytes of the client that wait behind this action.
    pub(crate) waiting: usize,
    pub(crate) course: Course,
}

/// Whether the model gets to see an action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Course {
    #[default]
    GoOn,
    Answered,
}

/// Bytes that were read of a client.
pub(crate) struct Incoming<'a> {
    pub(crate) now: Duration,
    pub(crate) bytes: Vec<u8>,
    pub(crate) session: &'a mut Dialogue,
}

impl Turn<'_> {
    pub(super) fn run(&mut self, which: impl Fn(How) -> Option<fn(&mut Turn<'_>)>) {
        for how in self.pbx.defects.hows() {
            if let Some(rewrite) = which(how) {
                rewrite(self);
            }
        }
    }

    pub(crate) fn is(&self, action: &str) -> bool {
        self.request
            .action()
            .eq_ignore_ascii_case(action.as_bytes())
    }

    pub(crate) fn asks(&self, name: &str) -> String {
        self.request.text(name)
    }

    pub(crate) fn each(&mut self, edit: impl FnMut(&mut Text)) {
        self.texts.iter_mut().for_each(edit);
    }

    /// Every message that is not an event.
    pub(crate) fn responses(&mut self, edit: impl FnMut(&mut Text)) {
        self.texts
            .iter_mut()
            .filter(|text| text.is_response())
            .for_each(edit);
    }

    pub(crate) fn is_list(&self) -> bool {
        self.texts.first().is_some_and(Text::opens_list)
    }

    pub(crate) fn is_error(&self) -> bool {
        self.texts.first().is_some_and(|text| text.is("Error"))
    }

    pub(crate) fn says(&self, message: &str) -> bool {
        self.texts
            .first()
            .is_some_and(|text| text.text("Message").contains(message))
    }

    /// Answers in the model's place.
    pub(crate) fn answer(&mut self, kind: &str, message: &str) {
        let headers = Headers::response(kind, self.request.action_id()).with("Message", message);
        self.texts = vec![Text::of(headers.into(), self.session.framing())];
        self.course = Course::Answered;
    }

    /// An error becomes a success.
    pub(crate) fn excuse(&mut self, message: &str) {
        if self.is_error() && self.says(message) {
            self.each(|text| {
                text.set("Response", "Success");
                text.set("Message", "Done");
            });
        }
    }

    /// A success becomes an error.
    pub(crate) fn accuse(&mut self, message: &str) {
        if self.texts.first().is_some_and(|text| text.is("Success")) {
            self.answer("Error", message);
        }
    }

    /// What the client sent, line by line.
    pub(crate) fn edit_request(&mut self, edit: impl FnOnce(&mut Vec<Vec<u8>>)) {
        let mut lines: Vec<Vec<u8>> = self.request.lines().map(<[u8]>::to_vec).collect();
        edit(&mut lines);
        self.request.replace_lines(&lines);
    }

    /// Another value for the first header of that name.
    pub(crate) fn ask_instead(&mut self, name: &str, value: &str) {
        self.edit_request(|lines| {
            let known = |line: &&mut Vec<u8>| is_header(line, name);
            let line = format!("{name}: {value}").into_bytes();
            match lines.iter_mut().find(known) {
                Some(found) => *found = line,
                None => lines.push(line),
            }
        });
    }

    pub(crate) fn forget_header(&mut self, name: &str) {
        self.edit_request(|lines| lines.retain(|line| !is_header(line, name)));
    }

    /// The account that a login names.
    pub(crate) fn named_account(&self) -> Option<Account> {
        self.pbx.accounts.find(&self.asks("Username")).cloned()
    }

    /// A login that was refused is accepted.
    pub(crate) fn let_in(&mut self) {
        if let Some(account) = self.named_account().filter(|_| self.is_error()) {
            self.session.let_in(self.now, account);
            self.excuse("");
            self.each(|text| text.set("Message", "Authentication accepted"));
        }
    }

    pub(crate) fn is_anonymous(&self) -> bool {
        self.session.account().is_none()
    }

    pub(crate) fn notes(&mut self) -> &mut Notes {
        self.session.notes()
    }
}

pub(crate) fn is_header(line: &[u8], name: &str) -> bool {
    line.split_at_checked(name.len())
        .is_some_and(|(head, rest)| {
            head.eq_ignore_ascii_case(name.as_bytes()) && rest.starts_with(b":")
        })
}

/// Whether a request belongs to the way in.
pub(crate) fn is_login(request: &Request) -> bool {
    let action = request.action();
    action.eq_ignore_ascii_case(b"Login") || action.eq_ignore_ascii_case(b"Challenge")
}

/// Lets defects at what a client sent.
pub(crate) fn receive(incoming: &mut Incoming<'_>, pbx: &Pbx) {
    for how in pbx.defects.hows() {
        if let How::Input(rewrite) = how {
            rewrite(incoming);
        }
    }
}

/// Lets defects at an action before the model sees it.
pub(crate) fn before(turn: &mut Turn<'_>) {
    turn.run(|how| match how {
        How::Action(rewrite) => Some(rewrite),
        _ => None,
    });
}

/// Lets defects at the answer.
pub(crate) fn after(turn: &mut Turn<'_>) {
    turn.run(|how| match how {
        How::Answer(rewrite) => Some(rewrite),
        _ => None,
    });
}
