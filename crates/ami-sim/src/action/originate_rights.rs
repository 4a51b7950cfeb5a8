//! What an Originate runs only for an account of class system: applications and functions that reach beyond the call.

use crate::action::Act;
use crate::class::Classes;
use crate::release::Release;

/// Parts of names of applications, in any case.
const APPLICATIONS: [&str; 6] = [
    "system",
    "exec",
    "agi",
    "mixmonitor",
    "externalivr",
    "originate",
];
const DATA: [&str; 2] = ["SHELL", "EVAL"];
/// What came later.
const MORE_APPLICATIONS: [&str; 2] = ["dbdeltree", "reload"];
const MORE_DATA: [&str; 5] = ["CURL", "DB", "FILE", "ODBC", "REALTIME"];

pub(super) fn refusal(act: &Act<'_>) -> Option<&'static str> {
    let write = act.session.account().map(|account| account.write);
    if write.is_some_and(|write| write.contains(Classes::SYSTEM)) {
        return None;
    }
    let application = act.request.text("Application").to_ascii_lowercase();
    if application.is_empty() {
        return None;
    }
    refused(
        act.pbx.profile.base,
        &application,
        &act.request.text("Data"),
    )
}

fn refused(base: Release, application: &str, data: &str) -> Option<&'static str> {
    let runs = |parts: &[&str]| parts.iter().any(|part| application.contains(part));
    let reads = |parts: &[&str]| parts.iter().any(|part| data.contains(part));
    if base.restricts_originated_data() {
        let refused =
            runs(&APPLICATIONS) || runs(&MORE_APPLICATIONS) || reads(&DATA) || reads(&MORE_DATA);
        return refused.then_some("Originate Access Forbidden: app or data blacklisted");
    }
    if runs(&APPLICATIONS) {
        Some("Originate Access Forbidden: Application")
    } else if reads(&DATA) {
        Some("Originate Access Forbidden: Data")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_release_has_its_list_and_its_words() {
        let check = |(major, minor), application: &str, data: &str, expected: &str| {
            let base = Release::new(major, minor, 0);
            let told = refused(base, application, data).unwrap_or_default();
            assert!(
                told.ends_with(expected) && told.is_empty() == expected.is_empty(),
                "{told}"
            );
        };
        check((16, 28), "trysystem", "true", ": Application");
        check((16, 28), "noop", "${SHELL(true)}", ": Data");
        check((16, 28), "noop", "${FILE(/x)}", "");
        check((22, 10), "noop", "${FILE(/x)}", "app or data blacklisted");
        check((22, 10), "system", "", "app or data blacklisted");
        check((22, 10), "wait", "1", "");
    }
}
