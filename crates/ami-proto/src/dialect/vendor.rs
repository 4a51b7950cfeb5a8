//! Whose PBX it is, as far as the wire and the target show it, and what that vendor calls the things an operator is
//! sent to: menus, privileges, lists. Data; `docs/pbx-*.md` say where each word comes from.

use crate::frame::Frame;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Vendor {
    /// Asterisk with its own configuration files; also what nothing is known of.
    #[default]
    Stock,
    FreePbx,
    Ucm,
    Yeastar,
}

/// How a PBX turns away an address that its access list does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessList {
    /// At the login, with the words for a wrong secret.
    LikeAWrongSecret,
    /// Before the banner, without a byte.
    WithoutAWord,
}

/// What a vendor calls it. `{us}` stands for our address, `{account}` for the account.
#[derive(Debug)]
pub struct Words {
    pub name: &'static str,
    /// Where accounts are kept.
    pub accounts: &'static str,
    /// How the manager interface is switched on, and where its port stands.
    pub enable: &'static str,
    pub permit: &'static str,
    pub access_list: AccessList,
    /// Where it is written which of several causes it was; none where the operator sees no such log.
    pub log: Option<&'static str>,
    /// Where actions are permitted (`write`) and events (`read`).
    pub write: &'static str,
    pub read: &'static str,
    /// Names of classes where they differ.
    privileges: &'static [(&'static str, &'static str)],
    pub timestamps: &'static str,
    pub multiple_login: &'static str,
    /// The page about it.
    pub page: &'static str,
}

/// The ports of the manager that are usual, for who has another.
pub const USUAL_PORTS: &str = "5038 is usual, 7777 on a Grandstream UCM, 5039 over TLS";

const UCM_PORT: u16 = 7777;
/// Actions that only a UCM has; all but the first may be run without any privilege, so that they are always listed.
const UCM_ACTIONS: [&str; 4] = ["GSAgents", "AnalogChanlists", "PauseCall", "QueueClean"];

impl Vendor {
    /// Before anything was said: from the port and from the contexts that the target dials.
    pub fn of_target<'a>(port: Option<u16>, contexts: impl IntoIterator<Item = &'a str>) -> Self {
        if port == Some(UCM_PORT) {
            return Self::Ucm;
        }
        let of_context = |context: &str| match context {
            _ if context.starts_with("DLPN_") => Some(Self::Yeastar),
            "from-internal" => Some(Self::FreePbx),
            _ => None,
        };
        contexts
            .into_iter()
            .find_map(of_context)
            .unwrap_or_default()
    }

    /// With the answer to ListCommands, which shows what a vendor has added.
    #[must_use]
    pub fn seen_in_commands(self, commands: &Frame<'_>) -> Self {
        if UCM_ACTIONS.iter().any(|name| commands.get(name).is_some()) {
            return Self::Ucm;
        }
        match self {
            Self::Ucm => Self::Stock,
            other => other,
        }
    }

    pub fn words(self) -> &'static Words {
        match self {
            Self::Stock => &STOCK,
            Self::FreePbx => &FREEPBX,
            Self::Ucm => &UCM,
            Self::Yeastar => &YEASTAR,
        }
    }
}

impl Words {
    pub fn privilege(&self, class: &'static str) -> &'static str {
        let named = self.privileges.iter().find(|(known, _)| *known == class);
        named.map_or(class, |(_, name)| name)
    }
}

const STOCK: Words = Words {
    name: "Asterisk",
    accounts: "manager.conf",
    enable: "in manager.conf under [general]: `enabled = yes`, `bindaddr = 0.0.0.0` (127.0.0.1 lets only the PBX itself \
             in), `port = 5038`; then restart Asterisk",
    permit: "under [{account}] in manager.conf: `permit = {us}/255.255.255.255`; then `manager reload`",
    access_list: AccessList::LikeAWrongSecret,
    log: Some("Asterisk's log (notice) names the cause beside {us}"),
    write: "under [{account}] in manager.conf, add to `write`:",
    read: "under [{account}] in manager.conf, add to `read`:",
    privileges: &[],
    timestamps: "set `timestampevents = yes` under [general] of manager.conf",
    multiple_login: "set `allowmultiplelogin = yes` in manager.conf",
    page: "docs/pbx-asterisk.md",
};

const FREEPBX: Words = Words {
    name: "FreePBX",
    accounts: "Settings > Asterisk Manager Users",
    enable: "it is on as shipped: is Asterisk up (`fwconsole start`), and does the firewall module trust {us}?",
    permit: "in Settings > Asterisk Manager Users > {account}, Permit: `&{us}/255.255.255.255` behind what stands there; \
             then Apply Config",
    access_list: AccessList::LikeAWrongSecret,
    log: Some("Reports > Asterisk Logfiles names the cause beside {us}"),
    write: "in Settings > Asterisk Manager Users > {account} > Permissions, Write:",
    read: "in Settings > Asterisk Manager Users > {account} > Permissions, Read:",
    privileges: &[],
    timestamps: "set `timestampevents = yes` in manager_custom.conf",
    multiple_login: "set `allowmultiplelogin = yes` in manager_custom.conf",
    page: "docs/pbx-freepbx.md",
};

const UCM: Words = Words {
    name: "UCM",
    accounts: "Value-added Features > AMI",
    enable: "its port stands in Value-added Features > AMI > AMI Settings (7777 as shipped; TLS 5039, off as shipped)",
    permit: "in Value-added Features > AMI > {account}, Permitted IP(s): {us} / 255.255.255.255 (an empty list lets \
             nobody in); then Save and Apply Changes",
    access_list: AccessList::WithoutAWord,
    log: None,
    write: "in Value-added Features > AMI > {account}, Privilege, tick:",
    read: "in Value-added Features > AMI > {account}, Privilege, tick:",
    privileges: &[
        ("agent", "Queue"),
        ("all", "All"),
        ("call", "Call"),
        ("cdr", "CDR"),
        ("command", "Special Command"),
        ("dialplan", "Dialplan"),
        ("dtmf", "DTMF"),
        ("originate", "Originate"),
        ("reporting", "Reporting"),
        ("security", "Security Events"),
        ("system", "All"),
        ("user", "User Events"),
    ],
    timestamps: "switch on Timestamp Events in Value-added Features > AMI > AMI Settings",
    multiple_login: "its menus have no switch for it: give each client an account of its own",
    page: "docs/pbx-grandstream-ucm.md",
};

const YEASTAR: Words = Words {
    name: "Yeastar",
    accounts: "Settings > System > Security > Service",
    enable: "tick AMI in Settings > System > Security > Service; then Save and Apply",
    permit: "in Settings > System > Security > Service, AMI, Permitted IP: {us}/255.255.255.255; then Save and Apply",
    access_list: AccessList::LikeAWrongSecret,
    log: None,
    write: "its menus have no privileges; the account should have had:",
    read: "its menus have no privileges; the account should have had:",
    privileges: &[],
    timestamps: "its menus have no switch for it",
    multiple_login: "its menus have no switch for it: the one account cannot be shared",
    page: "docs/pbx-yeastar-s.md",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::decode::{Decoder, Limits};

    fn check(port: u16, contexts: &[&str], commands: &str, expected: Vendor) {
        let before = Vendor::of_target(Some(port), contexts.iter().copied());
        let wire = format!("Response: Success\r\n{commands}\r\n\r\n");
        let mut decoder = Decoder::server(Limits::default());
        let mut bytes = wire.as_bytes();
        let frame = decoder.decode(&mut bytes).expect("a whole frame");
        let found = before.seen_in_commands(&frame);
        assert_eq!(found, expected, "{port} {contexts:?} {commands}");
    }

    #[test]
    fn a_vendor_shows_in_port_contexts_and_commands() {
        let ping = "Ping: Keepalive command.  (Priv: <none>)";
        let own = "PauseCall:  (Priv: <none>)";
        check(5038, &["internal"], ping, Vendor::Stock);
        check(5038, &["DLPN_DialPlan1000"], ping, Vendor::Yeastar);
        check(5038, &["from-internal"], ping, Vendor::FreePbx);
        check(5038, &["from-internal"], own, Vendor::Ucm);
        check(5038, &[], "GSAgents:  (Priv: agent,all)", Vendor::Ucm);
        // A tunnel, or a setting: what is said is stronger than the port.
        check(7777, &[], ping, Vendor::Stock);
        assert_eq!(Vendor::of_target(Some(7777), []), Vendor::Ucm);
    }

    #[test]
    fn privileges_are_named_as_the_menus_name_them() {
        assert_eq!(Vendor::Ucm.words().privilege("agent"), "Queue");
        assert_eq!(Vendor::Stock.words().privilege("agent"), "agent");
    }
}
