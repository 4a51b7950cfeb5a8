//! Who may log in, with what rights, and the limits of `manager.conf` that concern sessions.

use std::fmt;
use std::time::Duration;

use crate::class::Classes;

/// The secret of the account `bench` of an embedded simulator, which only listens on loopback.
pub const DEFAULT_SECRET: &str = "amibench-simulated";

#[derive(Clone)]
pub struct Account {
    pub name: String,
    pub secret: String,
    pub read: Classes,
    pub write: Classes,
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
            secret: secret.to_owned(),
            read: Classes::from_list(read),
            write: Classes::from_list(write),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultipleLogin {
    Allowed,
    Refused,
}

#[derive(Clone, Debug)]
pub struct Accounts {
    accounts: Vec<Account>,
    pub multiple_login: MultipleLogin,
    /// An unauthenticated session is closed after this long.
    pub auth_timeout: Duration,
    /// More unauthenticated sessions than this are closed without a banner.
    pub auth_limit: usize,
    /// A session that takes no bytes for this long is closed.
    pub write_timeout: Duration,
}

impl Accounts {
    /// One account that may do everything, and the limits of a stock `manager.conf`.
    pub fn new(account: Account) -> Self {
        Self {
            accounts: vec![account],
            multiple_login: MultipleLogin::Allowed,
            auth_timeout: Duration::from_secs(30),
            auth_limit: 50,
            write_timeout: Duration::from_millis(100),
        }
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

    /// User names are compared without regard to case.
    pub fn find(&self, name: &str) -> Option<&Account> {
        self.accounts
            .iter()
            .find(|account| account.name.eq_ignore_ascii_case(name))
    }
}

impl Default for Accounts {
    fn default() -> Self {
        Self::bench(DEFAULT_SECRET)
    }
}
