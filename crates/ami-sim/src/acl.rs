//! Who may log in from where: the `deny`, `permit` and `acl` lines of an account, as Asterisk weighs them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    Deny,
    Permit,
}

/// Rules in their order: the last one that an address falls under counts, and one that falls under none is let in. Each of
/// the named lists must let it in besides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acl {
    rules: Vec<Rule>,
    named: Vec<(String, Self)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rule {
    sense: Sense,
    network: Network,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Network {
    V4 {
        address: u32,
        mask: u32,
    },
    V6 {
        address: u128,
        mask: u128,
    },
    /// A named list that does not exist: every address falls under it.
    Undefined,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is no address, address/bits or address/mask")]
pub struct AclError(String);

impl Acl {
    /// Lets nobody in.
    pub(crate) fn closed() -> Self {
        let network = Network::Undefined;
        let sense = Sense::Deny;
        Self {
            rules: vec![Rule { sense, network }],
            named: Vec::new(),
        }
    }

    pub(crate) fn add_named(&mut self, name: &str, list: Self) {
        self.named.push((name.to_owned(), list));
    }

    /// The value of one line: networks between commas, those after a `!` in the other sense.
    pub fn add(&mut self, sense: Sense, list: &str) -> Result<(), AclError> {
        for item in list.split(',') {
            let (sense, network) = match (item.strip_prefix('!'), sense) {
                (None, sense) => (sense, item),
                (Some(network), Sense::Deny) => (Sense::Permit, network),
                (Some(network), Sense::Permit) => (Sense::Deny, network),
            };
            let network = Network::parse(network).ok_or_else(|| AclError(item.to_owned()))?;
            self.rules.push(Rule { sense, network });
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.named.is_empty()
    }

    pub fn permits(&self, address: IpAddr) -> bool {
        let last = self.rules.iter().rfind(|rule| rule.network.holds(address));
        last.is_none_or(|rule| rule.sense == Sense::Permit)
            && self.named.iter().all(|(_, list)| list.permits(address))
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, mask) = match text.split_once('/') {
            Some((address, mask)) => (address, Some(mask)),
            None => (text, None),
        };
        match address.parse::<IpAddr>().ok()?.to_canonical() {
            IpAddr::V4(address) => {
                let mask = mask.map_or(Some(u32::MAX), mask_v4)?;
                let address = address.to_bits() & mask;
                Some(Self::V4 { address, mask })
            }
            IpAddr::V6(address) => {
                let mask = mask.map_or(Some(u128::MAX), mask_v6)?;
                let address = address.to_bits() & mask;
                Some(Self::V6 { address, mask })
            }
        }
    }

    fn holds(self, address: IpAddr) -> bool {
        match (self, address.to_canonical()) {
            (Self::V4 { address, mask }, IpAddr::V4(other)) => other.to_bits() & mask == address,
            (Self::V6 { address, mask }, IpAddr::V6(other)) => other.to_bits() & mask == address,
            (Self::Undefined, _) => true,
            _ => false,
        }
    }
}

/// A number of bits, or a dotted mask whose bits need not hang together.
fn mask_v4(text: &str) -> Option<u32> {
    if let Ok(mask) = text.parse::<Ipv4Addr>() {
        return Some(mask.to_bits());
    }
    let bits = text.parse::<u32>().ok().filter(|bits| *bits <= 32)?;
    Some(u32::MAX.checked_shl(32 - bits).unwrap_or(0))
}

fn mask_v6(text: &str) -> Option<u128> {
    if let Ok(mask) = text.parse::<Ipv6Addr>() {
        return Some(mask.to_bits());
    }
    let bits = text.parse::<u32>().ok().filter(|bits| *bits <= 128)?;
    Some(u128::MAX.checked_shl(128 - bits).unwrap_or(0))
}

/// As `manager show user` prints the lists.
impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = "-".repeat(45);
        if !self.rules.is_empty() {
            write!(f, "ACL: (unnamed)\n{line}\n")?;
        }
        for (number, rule) in self.rules.iter().enumerate() {
            let sense = match rule.sense {
                Sense::Deny => "deny",
                Sense::Permit => "allow",
            };
            write!(f, "{number:3}: {sense:>5} - ")?;
            match rule.network {
                Network::V4 { address, mask } => {
                    let (address, mask) = (Ipv4Addr::from_bits(address), Ipv4Addr::from_bits(mask));
                    writeln!(f, "{address}/{mask}")?;
                }
                Network::V6 { address, mask } => {
                    let (address, mask) = (Ipv6Addr::from_bits(address), Ipv6Addr::from_bits(mask));
                    writeln!(f, "{address}/{mask}")?;
                }
                Network::Undefined => writeln!(f, "0.0.0.0/0.0.0.0")?,
            }
        }
        for (name, list) in &self.named {
            let rules = list.to_string();
            f.write_str(&rules.replacen("(unnamed)", name, 1))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether 127.0.0.1 may log in: each as Asterisk 16.28 and 22.10 answered such an account. `None`: no account.
    fn check(lines: &[(Sense, &str)], expected: Option<bool>) {
        let mut acl = Acl::default();
        let added = lines
            .iter()
            .try_for_each(|(sense, list)| acl.add(*sense, list));
        let permits = added
            .is_ok()
            .then(|| acl.permits(Ipv4Addr::LOCALHOST.into()));
        assert_eq!(permits, expected, "{lines:?}");
    }

    #[test]
    fn the_last_rule_that_an_address_falls_under_counts() {
        use Sense::{Deny, Permit};
        check(&[], Some(true));
        check(
            &[
                (Deny, "0.0.0.0/0.0.0.0"),
                (Permit, "127.0.0.1/255.255.255.255"),
            ],
            Some(true),
        );
        check(
            &[(Permit, "127.0.0.1/32"), (Deny, "0.0.0.0/0")],
            Some(false),
        );
        check(&[(Permit, "10.0.0.0/8")], Some(true));
        check(
            &[(Permit, "10.0.0.0/255.0.0.0"), (Deny, "127.0.0.1")],
            Some(false),
        );
        check(&[(Deny, "127.0.0.0/255.0.255.0")], Some(false));
        check(&[(Deny, "::/0"), (Permit, "::1")], Some(true));
        check(
            &[(Deny, "0.0.0.0/0"), (Permit, "::ffff:127.0.0.1")],
            Some(true),
        );
    }

    #[test]
    fn a_line_may_hold_several_networks_but_not_as_freepbx_writes_them() {
        use Sense::{Deny, Permit};
        let all = (Deny, "0.0.0.0/0.0.0.0");
        check(
            &[
                all,
                (Permit, "10.0.0.0/255.0.0.0,127.0.0.1/255.255.255.255"),
            ],
            Some(true),
        );
        check(
            &[
                all,
                (Permit, "10.0.0.0/255.0.0.0&127.0.0.1/255.255.255.255"),
            ],
            None,
        );
        check(&[(Deny, "0.0.0.0/0,!127.0.0.1/32")], Some(true));
        check(&[all, (Permit, "!10.0.0.0/8")], Some(false));
    }

    #[test]
    fn what_is_no_network_is_an_error() {
        for bad in [
            "nonsense",
            "",
            "127.0.0.1/33",
            "localhost",
            "127.0.0.1 / 32",
            "10.0.0.0/8, 127.0.0.1/32",
        ] {
            check(&[(Sense::Deny, bad)], None);
        }
    }

    #[test]
    fn a_list_is_shown_as_asterisk_shows_it() {
        let mut acl = Acl::default();
        acl.add(Sense::Deny, "0.0.0.0/0,!127.0.0.1/24").unwrap();
        acl.add_named("nosuch", Acl::closed());
        let line = "-".repeat(45);
        let shown = format!(
            "ACL: (unnamed)\n{line}\n  0:  deny - 0.0.0.0/0.0.0.0\n  1: allow - 127.0.0.0/255.255.255.0\n\
             ACL: nosuch\n{line}\n  0:  deny - 0.0.0.0/0.0.0.0\n"
        );
        assert_eq!(acl.to_string(), shown);
    }
}
