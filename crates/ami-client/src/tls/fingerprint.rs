//! The SHA-256 of a certificate: what a target pins, and what openssl and browsers show.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

const BYTES: usize = 32;
/// Of a malformed one, as its error shows it: digits and colons.
const TEXT_MAX: usize = 3 * BYTES;

#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; BYTES]);

#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{text:?} is no SHA-256 fingerprint: 64 hexadecimal digits, with or without colons, as \
     `openssl x509 -noout -fingerprint -sha256` prints them"
)]
pub struct FingerprintError {
    text: String,
}

impl Fingerprint {
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || FingerprintError {
            text: text.chars().take(TEXT_MAX).collect(),
        };
        let mut bytes = [0; BYTES];
        let mut digits = text.chars().filter(|c| *c != ':');
        for byte in &mut bytes {
            for _ in 0..2 {
                let digit = digits.next().and_then(|digit| digit.to_digit(16));
                let digit = digit.and_then(|digit| u8::try_from(digit).ok());
                *byte = *byte << 4 | digit.ok_or_else(malformed)?;
            }
        }
        match digits.next() {
            None => Ok(Self(bytes)),
            Some(_) => Err(malformed()),
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of no bytes.
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn every_usual_way_to_write_one_is_read() {
        let pairs: Vec<&str> = (0..32).map(|at| &EMPTY[2 * at..2 * at + 2]).collect();
        let colons = pairs.join(":");
        for text in [
            EMPTY,
            &EMPTY.to_uppercase(),
            &colons,
            &colons.to_uppercase(),
        ] {
            assert_eq!(text.parse(), Ok(Fingerprint::of(b"")), "{text}");
        }
        assert_eq!(Fingerprint::of(b"").to_string(), EMPTY);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "e3b0",
            &EMPTY[1..],
            &format!("{EMPTY}0"),
            &EMPTY.replace('e', "g"),
        ] {
            let error = text.parse::<Fingerprint>().expect_err(text).to_string();
            assert!(error.contains("64 hexadecimal digits"), "{error}");
        }
    }
}
