//! What the administration of a PBX asks of an AMI account before it makes one.

use serde::Deserialize;
use thiserror::Error;

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct AccountRules {
    username_min: usize,
    secret_min: usize,
    secret: SecretRule,
    pub without_permit: WithoutPermit,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum SecretRule {
    Anything,
    /// A digit, and something that is none.
    DigitAndAnother,
}

/// Who may come in on an account that names no address.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum WithoutPermit {
    Allowed,
    Denied,
}

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AccountRefused {
    #[error("the user name {name:?} is shorter than the {min} characters that this PBX asks for")]
    UsernameTooShort { name: String, min: usize },
    #[error("the secret of {name:?} is shorter than the {min} characters that this PBX asks for")]
    SecretTooShort { name: String, min: usize },
    #[error(
        "the secret of {name:?} lacks a digit, or has nothing but digits: this PBX asks for both"
    )]
    SecretTooPlain { name: String },
}

impl AccountRules {
    pub fn check(&self, name: &str, secret: &str) -> Result<(), AccountRefused> {
        let shorter = |text: &str, min| text.chars().count() < min;
        let name = name.to_owned();
        if shorter(&name, self.username_min) {
            let min = self.username_min;
            return Err(AccountRefused::UsernameTooShort { name, min });
        }
        if shorter(secret, self.secret_min) {
            let min = self.secret_min;
            return Err(AccountRefused::SecretTooShort { name, min });
        }
        let digit = |character: char| character.is_ascii_digit();
        let mixed = secret.contains(digit) && !secret.chars().all(digit);
        if self.secret == SecretRule::DigitAndAnother && !mixed {
            return Err(AccountRefused::SecretTooPlain { name });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::profile::Profile;

    fn check(profile: &str, name: &str, secret: &str, expected: &str) {
        let rules = Profile::named(profile).unwrap().account_rules;
        let told = match rules.check(name, secret) {
            Ok(()) => String::new(),
            Err(refused) => refused.to_string(),
        };
        assert!(
            told.contains(expected) && told.is_empty() == expected.is_empty(),
            "{told:?}"
        );
    }

    #[test]
    fn the_documented_rules_are_applied() {
        check("ucm6xxx", "amitest123", "test123", "");
        check("ucm6xxx", "johndoe", "test123", "8 characters");
        check("ucm6xxx", "ucmamiuser1", "te123", "6 characters");
        check("ucm6xxx", "ucmamiuser1", "secret", "lacks a digit");
        check("ucm6xxx", "ucmamiuser1", "123456", "nothing but digits");
        check("asterisk-22", "a", "", "");
    }
}
