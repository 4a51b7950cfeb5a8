//! What no rewrite of a message can bring about: named fields of the model, sound unless a defect says otherwise.

use std::time::Duration;

use crate::pbx::SessionKey;
use crate::server::TlsFault;

/// As stock Asterisk.
const FAILURE_DELAY: Duration = Duration::from_secs(1);
/// Likewise.
const WEB_PATIENCE: Duration = Duration::from_secs(5);

/// What the buffer for a line holds, as in stock Asterisk.
const TLS_RECORD_BYTES: usize = 1024;

/// What a defect may set where no message shows it.
#[derive(Debug)]
pub(crate) struct Flaws {
    /// A failed login is answered after so long, and the session ends.
    pub(crate) failure_delay: Duration,
    /// What a session is greeted by, of the banner.
    pub(crate) greet: fn(&str, SessionKey) -> String,
    pub(crate) overhearing: Overhearing,
    pub(crate) client_end: ClientEnd,
    pub(crate) lost_session: LostSession,
    /// A session over HTTP that has not logged in is forgotten then.
    pub(crate) web_patience: Duration,
    /// One that has lives so long, whatever its cookie says.
    pub(crate) web_lifetime: Option<Duration>,
    /// What is wrong with the port for TLS.
    pub(crate) tls: Option<TlsFault>,
    /// So many bytes of a record of TLS are read at once.
    pub(crate) tls_record_bytes: usize,
}

/// Who hears events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overhearing {
    Nobody,
    /// Who is not logged in.
    Strangers,
}

/// What the end of a client's own direction leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientEnd {
    Close,
    StayOpen,
}

/// What the loss of a session that did not log off does to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LostSession {
    Nothing,
    EndsAll,
    /// All are lost now.
    AllAtOnce,
}

impl Default for Flaws {
    fn default() -> Self {
        Self {
            failure_delay: FAILURE_DELAY,
            greet: |banner, _| format!("{banner}\r\n"),
            overhearing: Overhearing::Nobody,
            client_end: ClientEnd::Close,
            lost_session: LostSession::Nothing,
            web_patience: WEB_PATIENCE,
            web_lifetime: None,
            tls: None,
            tls_record_bytes: TLS_RECORD_BYTES,
        }
    }
}
