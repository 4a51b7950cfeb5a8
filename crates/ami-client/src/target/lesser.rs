//! `[conform.accounts.…]` of a target file: accounts beside the one that everything is done with, each of which lacks something.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use toml::Spanned;

use super::Endpoint;
use super::secret_keys::SecretKeys;
use crate::document::{Document, DocumentError};
use crate::secret::SecretSource;

/// What an account lacks.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Some classes.
    Limited,
    /// It has the classes `call,,user`, with an item that names none.
    EmptyItem,
    /// Every class to write but `originate`.
    OriginateOnly,
    /// A second session.
    SingleLogin,
    /// Leave to log in from here.
    WrongAddress,
    NoSecret,
    /// It is not to work any more.
    SwitchedOff,
}

impl Standing {
    pub const ALL: [Self; 7] = [
        Self::Limited,
        Self::EmptyItem,
        Self::OriginateOnly,
        Self::SingleLogin,
        Self::WrongAddress,
        Self::NoSecret,
        Self::SwitchedOff,
    ];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Limited => "limited",
            Self::EmptyItem => "empty-item",
            Self::OriginateOnly => "originate-only",
            Self::SingleLogin => "single-login",
            Self::WrongAddress => "wrong-address",
            Self::NoSecret => "no-secret",
            Self::SwitchedOff => "switched-off",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.slug())
    }
}

/// An account that lacks something.
#[derive(Clone, Debug)]
pub struct Lesser {
    pub account: String,
    /// None of the one that has none.
    pub secret: Option<SecretSource>,
    /// Its classes, of a limited one.
    pub read: BTreeSet<String>,
    pub write: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LesserFile {
    account: String,
    secret_env: Option<String>,
    secret_file: Option<String>,
    secret_command: Option<String>,
    read: Option<BTreeSet<String>>,
    write: Option<BTreeSet<String>>,
}

/// All that the file names, of which a simulated PBX has its own.
pub(super) fn resolve(
    files: BTreeMap<Standing, Spanned<LesserFile>>,
    document: &Document,
    endpoint: &Endpoint,
) -> Result<BTreeMap<Standing, Lesser>, DocumentError> {
    let mut accounts = BTreeMap::new();
    for (standing, file) in files {
        if let Endpoint::Simulated(_) = endpoint {
            let message = "a simulated PBX has its own accounts of this kind";
            return Err(document.error_at(file.span(), message));
        }
        accounts.insert(standing, lesser(standing, file, document)?);
    }
    Ok(accounts)
}

fn lesser(
    standing: Standing,
    file: Spanned<LesserFile>,
    document: &Document,
) -> Result<Lesser, DocumentError> {
    let span = file.span();
    let refused = |message: String| Err(document.error_at(span.clone(), message));
    let LesserFile {
        account,
        secret_env,
        secret_file,
        secret_command,
        read,
        write,
    } = file.into_inner();
    let keys = SecretKeys {
        env: secret_env,
        file: secret_file,
        command: secret_command,
    };
    let secret = keys.source(document, span.clone())?;
    match (standing, &secret) {
        (Standing::NoSecret, Some(_)) => {
            return refused("an account without a secret has no source of one".to_owned());
        }
        (Standing::NoSecret, None) | (_, Some(_)) => {}
        (_, None) => {
            return refused(format!(
                "the account `{standing}` has one of `secret_env`, `secret_file` and `secret_command`"
            ));
        }
    }
    let (read, write) = match (standing, read, write) {
        (Standing::Limited, Some(read), Some(write)) => (read, write),
        (Standing::Limited, ..) => {
            return refused(
                "the account `limited` says its classes in `read` and `write`".to_owned(),
            );
        }
        (_, None, None) => Default::default(),
        _ => {
            return refused(
                "only the account `limited` says its classes in `read` and `write`".to_owned(),
            );
        }
    };
    Ok(Lesser {
        account,
        secret,
        read,
        write,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Target;

    fn parse(conform: &str) -> Result<Target, DocumentError> {
        let text = format!("address = \"pbx\"\naccount = \"qa\"\n{conform}");
        Target::parse("pbx", &Document::embedded("pbx", Path::new(""), &text))
    }

    fn check_error(conform: &str, expected: &str) {
        let error = parse(conform).expect_err("a bad table").to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn an_account_has_a_secret_and_what_is_limited_says_its_classes() {
        let target = parse(
            "[conform.accounts.limited]\naccount = \"few\"\nsecret_env = \"FEW\"\nread = [\"call\"]\nwrite = []\n\
             [conform.accounts.no-secret]\naccount = \"open\"",
        )
        .unwrap();
        let accounts = target.conform.accounts;
        let limited = &accounts[&Standing::Limited];
        assert_eq!(limited.account, "few");
        assert!(limited.read.contains("call") && limited.write.is_empty());
        assert!(accounts[&Standing::NoSecret].secret.is_none());
        for standing in Standing::ALL {
            let secret = match standing {
                Standing::NoSecret => "",
                Standing::Limited => "secret_env = \"X\"\nread = []\nwrite = []",
                _ => "secret_env = \"X\"",
            };
            let table = format!("[conform.accounts.{standing}]\naccount = \"x\"\n{secret}");
            assert!(
                parse(&table)
                    .unwrap()
                    .conform
                    .accounts
                    .contains_key(&standing)
            );
        }
    }

    #[test]
    fn errors_name_line_and_column() {
        check_error(
            "[conform.accounts.limitd]\naccount = \"few\"",
            "3:19: unknown variant `limitd`, expected one of `limited`, `empty-item`",
        );
        check_error(
            "[conform.accounts.single-login]\naccount = \"one\"",
            "3:1: the account `single-login` has one of `secret_env`",
        );
        check_error(
            "[conform.accounts.single-login]\nsecret_env = \"X\"",
            "missing field `account`",
        );
        check_error(
            "[conform.accounts.limited]\naccount = \"few\"\nsecret_env = \"X\"\nsecret_file = \"x\"",
            "3:1: an account has one of",
        );
        check_error(
            "[conform.accounts.limited]\naccount = \"few\"\nsecret_env = \"X\"\nread = []",
            "3:1: the account `limited` says its classes",
        );
        check_error(
            "[conform.accounts.single-login]\naccount = \"few\"\nsecret_env = \"X\"\nread = []",
            "3:1: only the account `limited` says",
        );
        check_error(
            "[conform.accounts.no-secret]\naccount = \"few\"\nsecret_env = \"X\"",
            "3:1: an account without a secret",
        );
    }
}
