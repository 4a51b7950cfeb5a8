//! Who may log in, with what rights, and the limits of `manager.conf` that concern sessions.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::acl::Acl;
use crate::class::Classes;
use crate::event_filter::EventFilters;

/// The secret of the account `bench` of an embedded simulator, which only listens on loopback.
pub const DEFAULT_SECRET: &str = "amibench-simulated";

/// What the account `limited` may read and write.
pub const LIMITED_CLASSES: &str = "call,reporting,user";

/// What applies before a session has logged in, and to accounts that say nothing else.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_millis(100);

#[derive(Clone)]
pub struct Account {
    pub name: String,
    /// An empty one lets in who gives none; where there is none nobody logs in.
    pub secret: Option<String>,
    pub read: Classes,
    pub write: Classes,
    /// From where it may log in.
    pub acl: Acl,
    pub filters: EventFilters,
    pub multiple_login: MultipleLogin,
    /// A session that takes no bytes for this long is closed.
    pub write_timeout: Duration,
    pub notices: Notices,
    /// `setvar`: what its calls are given.
    pub variables: Vec<(String, String)>,
    /// `read` and `write`, if an empty item named no class.
    pub strict: [Classes; 2],
}

/// The secret never shows.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name, read, write, ..
        } = self;
        write!(f, "Account({name}, read {read}, write {write})")
    }
}

impl Account {
    /// `read` and `write` are lists as in `manager.conf`.
    pub fn new(name: &str, secret: &str, read: &str, write: &str) -> Self {
        Self {
            name: name.to_owned(),
            secret: Some(secret.to_owned()),
            read: Classes::from_list(read),
            write: Classes::from_list(write),
            acl: Acl::default(),
            filters: EventFilters::default(),
            multiple_login: MultipleLogin::Allowed,
            write_timeout: WRITE_TIMEOUT,
            notices: Notices::Shown,
            variables: Vec::new(),
            strict: [read, write].map(Classes::from_strict_list),
        }
    }
}

/// `allowmultiplelogin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultipleLogin {
    Allowed,
    Refused,
}

/// `displayconnects`: whether the console tells of logins. Nothing on the wire depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notices {
    Shown,
    Hidden,
}

#[derive(Clone, Debug)]
pub struct Accounts {
    accounts: Vec<Account>,
    /// Accounts that are not to work any more.
    switched_off: Vec<Account>,
    /// As `[general]` has it; what counts is each account's own.
    pub(crate) multiple_login: MultipleLogin,
    pub(crate) notices: Notices,
    /// An unauthenticated session is closed after this long.
    pub auth_timeout: Duration,
    /// More unauthenticated sessions than this are closed without a banner.
    pub auth_limit: usize,
}

impl Accounts {
    /// No account, and the limits of a stock `manager.conf`.
    pub(crate) fn none() -> Self {
        Self {
            accounts: Vec::new(),
            switched_off: Vec::new(),
            multiple_login: MultipleLogin::Allowed,
            notices: Notices::Shown,
            auth_timeout: Duration::from_secs(30),
            auth_limit: 50,
        }
    }

    /// One account, and the limits of a stock `manager.conf`.
    pub fn new(account: Account) -> Self {
        Self::none().with(account)
    }

    /// The account `bench` with every right.
    pub fn bench(secret: &str) -> Self {
        Self::new(Account::new("bench", secret, "all", "all"))
    }

    #[must_use]
    pub fn with(mut self, account: Account) -> Self {
        self.accounts.push(account);
        self
    }

    /// And accounts that lack something, each named after what it lacks; the others have this secret.
    #[must_use]
    pub fn with_lesser(self, secret: &str) -> Self {
        let one = |name, read, write| Account::new(name, secret, read, write);
        let accounts = self
            .with(one("limited", LIMITED_CLASSES, LIMITED_CLASSES))
            .with(one("empty-item", "call,,user", "call,,user"))
            .with(one("originate-only", "call", "originate"))
            .with(Account {
                multiple_login: MultipleLogin::Refused,
                ..one("single-login", "call", "call")
            })
            .with(Account {
                acl: Acl::closed(),
                ..one("wrong-address", "call", "call")
            })
            .with(Account {
                secret: None,
                ..one("no-secret", "call", "call")
            });
        Self {
            switched_off: vec![one("switched-off", "call", "call")],
            ..accounts
        }
    }

    /// As with `allowmultiplelogin = no` in `[general]`.
    #[must_use]
    pub fn one_login_each(mut self) -> Self {
        self.multiple_login = MultipleLogin::Refused;
        for account in &mut self.accounts {
            account.multiple_login = MultipleLogin::Refused;
        }
        self
    }

    /// User names are compared without regard to case.
    pub fn find(&self, name: &str) -> Option<&Account> {
        self.accounts
            .iter()
            .find(|account| account.name.eq_ignore_ascii_case(name))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter()
    }

    /// Accounts that were switched off work again.
    pub(crate) fn switch_on(&mut self) {
        self.accounts.append(&mut self.switched_off);
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Account> {
        self.accounts.iter_mut()
    }

    /// Whether somebody may log in from there.
    pub(crate) fn permit(&self, address: IpAddr) -> bool {
        self.accounts
            .iter()
            .any(|account| account.acl.permits(address))
    }
}

impl Default for Accounts {
    fn default() -> Self {
        Self::bench(DEFAULT_SECRET)
    }
}
