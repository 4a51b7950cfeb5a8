//! Sessions over HTTP of who proves with each request to know the secret: which is theirs, and when their nonce is stale.

use std::time::Duration;

use super::{Exchange, WebSession};
use crate::server_session::Addresses;
use crate::web::{Credentials, Freshness, Method, NONCE_LIFETIME, Refusal, WebRequest, challenge};

/// What a real one takes for the secret of an account that has none.
const NO_SECRET: &str = "(null)";

/// How a session with digest is recognised.
#[derive(Debug)]
pub(super) struct DigestUse {
    user: String,
    /// The nonce before this one, which is stale.
    before: Option<u32>,
    count: u32,
    since: Duration,
}

impl DigestUse {
    pub(super) fn begin(now: Duration, user: String) -> Self {
        Self {
            user,
            before: None,
            count: 0,
            since: now,
        }
    }
}

impl Exchange {
    /// Who proves to know a secret, with a nonce that may still be used.
    pub(super) fn digest_session(
        &mut self,
        now: Duration,
        addresses: Addresses,
        request: &WebRequest,
    ) -> Result<u32, Refusal> {
        let method = match request.method {
            Method::Post => "POST",
            Method::Head => "HEAD",
            Method::Get | Method::Other => "GET",
        };
        let accounts = &self.pbx.accounts;
        let credentials = request.credentials.as_ref();
        let named = credentials.and_then(|it| Some((it, accounts.find(&it.username)?)));
        if let Some((_, account)) = named
            && !account.acl.permits(addresses.remote.ip())
        {
            return Err(Refusal::PermissionDenied);
        }
        let proved = named.filter(|(it, account)| {
            it.prove(account.secret.as_deref().unwrap_or(NO_SECRET), method)
        });
        let Some((credentials, account)) =
            proved.map(|(it, account)| (it.clone(), account.clone()))
        else {
            let nonce = self.next_web_id();
            return Err(Refusal::Unauthorized(challenge(nonce, Freshness::New)));
        };
        match self.find_nonce(&credentials) {
            None => self.new_web_session(now, addresses, Some((credentials.nonce, account))),
            Some(id) => self.use_nonce(now, id, &credentials),
        }
    }

    /// The session that goes by this nonce, or went by it before.
    fn find_nonce(&self, credentials: &Credentials) -> Option<u32> {
        let is_it = |(id, session): (&u32, &WebSession)| {
            let digest = session.digest.as_ref()?;
            let nonce = Some(credentials.nonce);
            let mine = Some(*id) == nonce || digest.before == nonce;
            (mine && digest.user.eq_ignore_ascii_case(&credentials.username)).then_some(*id)
        };
        self.web.sessions.iter().find_map(is_it)
    }

    fn use_nonce(
        &mut self,
        now: Duration,
        id: u32,
        credentials: &Credentials,
    ) -> Result<u32, Refusal> {
        let fresh = self.next_web_id();
        let Some(mut session) = self.web.sessions.remove(&id) else {
            return Ok(id);
        };
        let mut kept = id;
        if let Some(digest) = &mut session.digest {
            let current = credentials.nonce == id;
            let again = credentials.counts() && credentials.count <= digest.count;
            if current && (again || now > digest.since + NONCE_LIFETIME) {
                kept = fresh;
                (digest.before, digest.count, digest.since) = (Some(id), 0, now);
            } else if current {
                digest.count = credentials.count;
            }
        }
        let usable = kept == credentials.nonce;
        self.web.sessions.insert(kept, session);
        if usable {
            Ok(kept)
        } else {
            Err(Refusal::Unauthorized(challenge(kept, Freshness::Stale)))
        }
    }
}
