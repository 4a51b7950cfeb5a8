//! `manager show …`: what the manager says of itself and of its accounts, as Asterisk 16 and 22 print it.

use crate::account::{Account, MultipleLogin, Notices};
use crate::action::Act;
use crate::class::Classes;
use crate::manager_settings::Web;

pub(super) fn user(account: &Account) -> String {
    let is_listed = !account.acl.is_empty();
    let multiple = is(account.multiple_login, MultipleLogin::Allowed);
    let secret = match &account.secret {
        Some(_) => "<Set>",
        None => "(N/A)",
    };
    let rows = [
        ("username", account.name.clone()),
        ("secret", secret.to_owned()),
        ("ACL", is(is_listed, true).to_lowercase()),
        ("read perm", permissions(account.read)),
        ("write perm", permissions(account.write)),
        (
            "displayconnects",
            is(account.notices, Notices::Shown).to_lowercase(),
        ),
        ("allowmultiplelogin", multiple.to_lowercase()),
        ("Variables", String::new()),
    ];
    let rows = rows.map(|(name, value)| format!("{name:>18}: {value}\n"));
    format!("\n{}{}", rows.concat(), account.acl)
}

pub(super) fn settings(act: &Act<'_>) -> String {
    let (profile, accounts) = (&act.pbx.profile, &act.pbx.accounts);
    let manager = &profile.manager;
    let multiple = is(accounts.multiple_login, MultipleLogin::Allowed);
    let rows = [
        ("Manager (AMI):", "Yes".to_owned()),
        ("Web Manager (AMI/HTTP):", is(manager.web, Web::Enabled)),
        ("TCP Bindaddress:", act.session.addresses.local.to_string()),
        (
            "HTTP Timeout (seconds):",
            manager.http_timeout().as_secs().to_string(),
        ),
        ("TLS Enable:", "No".to_owned()),
        ("TLS Bindaddress:", "Disabled".to_owned()),
        ("TLS Certfile:", "asterisk.pem".to_owned()),
        ("TLS Privatekey:", String::new()),
        ("TLS Cipher:", String::new()),
        ("Allow multiple login:", multiple),
        ("Display connects:", is(accounts.notices, Notices::Shown)),
        ("Timestamp events:", is(profile.timestamp_events, true)),
        ("Channel vars:", profile.channel_variables.join(",")),
        ("Disabled events:", manager.disabled_events.join(",")),
        ("Debug:", "No".to_owned()),
    ];
    let rows = rows.map(|(name, value)| format!("  {name:25}  {value:15}\n"));
    format!("\nGlobal Settings:\n----------------\n{}", rows.concat())
}

/// A `Privilege:` header ends in `all` always, this list only where everything is granted. The class that one vendor added is
/// in no list that was seen.
fn permissions(classes: Classes) -> String {
    let text = classes.to_string().replace("specialcommand,", "");
    if classes == Classes::ALL {
        return text;
    }
    text.strip_suffix(",all").unwrap_or(&text).to_owned()
}

/// Whether a setting is the one that reads as yes.
fn is<T: PartialEq>(setting: T, yes: T) -> String {
    if setting == yes { "Yes" } else { "No" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_shown_as_asterisk_shows_it() {
        let account = Account::new("originate-only", "s", "call", "originate");
        let text = user(&account);
        assert!(
            text.starts_with("\n          username: originate-only\n            secret: <Set>\n")
        );
        assert!(text.contains("         read perm: call\n        write perm: originate\n"));
        let nothing = Account {
            secret: None,
            ..Account::new("noevents", "", "", "all")
        };
        let text = user(&nothing);
        assert!(text.contains("            secret: (N/A)\n"));
        assert!(text.contains("         read perm: <none>\n"));
        assert!(text.contains("message,all\n"));
    }
}
