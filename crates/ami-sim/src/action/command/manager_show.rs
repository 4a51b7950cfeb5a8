//! `manager show …`: what the manager says of itself and of its accounts, as Asterisk 16 and 22 print it.

use crate::account::{Account, MultipleLogin};
use crate::action::Act;
use crate::class::Classes;

pub(super) fn user(account: &Account, multiple: MultipleLogin) -> String {
    let rows = [
        ("username", account.name.clone()),
        ("secret", "<Set>".to_owned()),
        ("ACL", "no".to_owned()),
        ("read perm", permissions(account.read)),
        ("write perm", permissions(account.write)),
        ("displayconnects", "no".to_owned()),
        ("allowmultiplelogin", yes_or_no(multiple).to_lowercase()),
        ("Variables", String::new()),
    ];
    let rows = rows.map(|(name, value)| format!("{name:>18}: {value}\n"));
    format!("\n{}", rows.concat())
}

pub(super) fn settings(act: &Act<'_>) -> String {
    let stamped = if act.pbx.profile.timestamp_events {
        "Yes"
    } else {
        "No"
    };
    let rows = [
        ("Manager (AMI):", "Yes".to_owned()),
        ("Web Manager (AMI/HTTP):", "No".to_owned()),
        ("TCP Bindaddress:", act.session.addresses.local.to_string()),
        ("HTTP Timeout (seconds):", "60".to_owned()),
        ("TLS Enable:", "No".to_owned()),
        ("TLS Bindaddress:", "Disabled".to_owned()),
        (
            "Allow multiple login:",
            yes_or_no(act.pbx.accounts.multiple_login).to_owned(),
        ),
        ("Display connects:", "No".to_owned()),
        ("Timestamp events:", stamped.to_owned()),
        ("Debug:", "No".to_owned()),
    ];
    let rows = rows.map(|(name, value)| format!("  {name:25}  {value:15}\n"));
    format!("\nGlobal Settings:\n----------------\n{}", rows.concat())
}

/// A `Privilege:` header ends in `all` always, this list only where everything is granted.
fn permissions(classes: Classes) -> String {
    let text = classes.to_string();
    if classes == Classes::ALL {
        return text;
    }
    text.strip_suffix(",all").unwrap_or(&text).to_owned()
}

fn yes_or_no(multiple: MultipleLogin) -> &'static str {
    match multiple {
        MultipleLogin::Allowed => "Yes",
        MultipleLogin::Refused => "No",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_shown_as_asterisk_shows_it() {
        let account = Account::new("originate-only", "s", "call", "originate");
        let text = user(&account, MultipleLogin::Allowed);
        assert!(
            text.starts_with("\n          username: originate-only\n            secret: <Set>\n")
        );
        assert!(text.contains("         read perm: call\n        write perm: originate\n"));
        let nothing = Account::new("noevents", "s", "", "all");
        let text = user(&nothing, MultipleLogin::Allowed);
        assert!(text.contains("         read perm: <none>\n"));
        assert!(text.contains("message,all\n"));
    }
}
