//! A request over HTTP and its answer, as a defect gets them into its hands.

use super::{Defects, How, Notes};
use crate::pbx::{Pbx, SessionKey};
use crate::web::{WebRequest, WebResponse};

/// An answer; its length is told anew behind the rewrite.
pub(crate) struct WebAnswer<'a> {
    /// None where the bytes of the client were no request.
    pub(crate) asked: Option<&'a WebRequest>,
    /// Up to the empty line.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) notes: &'a mut Notes,
}

impl WebAnswer<'_> {
    /// Whether this answers such an action.
    pub(crate) fn is(&self, action: &str) -> bool {
        self.asked
            .and_then(|asked| asked.parameter("action"))
            .is_some_and(|asked| asked.eq_ignore_ascii_case(action.as_bytes()))
    }

    pub(crate) fn change_head(&mut self, from: &str, to: &str) {
        self.head = self.head.replace(from, to);
    }

    pub(crate) fn change_body(&mut self, from: &str, to: &str) {
        let mut text = crate::text::Text(std::mem::take(&mut self.body));
        text.replace(from.as_bytes(), to.as_bytes());
        self.body = text.0;
    }

    fn into_bytes(self) -> Vec<u8> {
        let length = self.body.len();
        let lines = self.head.split_inclusive("\r\n").map(|line| {
            if line.starts_with("Content-Length:") {
                format!("Content-Length: {length}\r\n")
            } else {
                line.to_owned()
            }
        });
        let mut bytes = lines.collect::<String>().into_bytes();
        bytes.extend_from_slice(b"\r\n");
        bytes.extend(self.body);
        bytes
    }
}

impl Defects {
    pub(crate) fn forget_web(&mut self, ticket: SessionKey) {
        self.asked.remove(&ticket);
    }
}

impl Pbx {
    pub(crate) fn rewrite_web_request(
        &mut self,
        ticket: SessionKey,
        request: &WebRequest,
    ) -> WebRequest {
        let mut request = request.clone();
        let hows = self.defects.hows();
        for how in &hows {
            if let How::Web { ask, .. } = how {
                ask(&mut request, &mut self.defects.notes);
            }
        }
        if !hows.is_empty() {
            self.defects.asked.insert(ticket, request.clone());
        }
        request
    }

    pub(crate) fn rewrite_web_answer(
        &mut self,
        ticket: Option<SessionKey>,
        response: WebResponse,
    ) -> WebResponse {
        let hows = self.defects.hows();
        let end = response
            .bytes
            .windows(4)
            .position(|bytes| bytes == b"\r\n\r\n");
        let (Some(end), false) = (end, hows.is_empty()) else {
            return response;
        };
        let asked = ticket.and_then(|ticket| self.defects.asked.remove(&ticket));
        let (head, body) = response.bytes.split_at(end + 2);
        let mut answer = WebAnswer {
            asked: asked.as_ref(),
            head: String::from_utf8_lossy(head).into_owned(),
            body: body[2..].to_vec(),
            notes: &mut self.defects.notes,
        };
        for how in hows {
            if let How::Web {
                answer: rewrite, ..
            } = how
            {
                rewrite(&mut answer);
            }
        }
        WebResponse {
            bytes: answer.into_bytes(),
            after: response.after,
        }
    }
}
