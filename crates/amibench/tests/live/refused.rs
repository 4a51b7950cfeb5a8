//! Accounts that may not do what a load needs, and ports that are not the manager's.

use crate::lab::Pbx;

/// The doctor's verdict and the code of both verbs, for each account.
fn check(name: &str) {
    let Some(pbx) = Pbx::running(name) else {
        return;
    };
    let table = [
        ("bench", 0, "ready for load", "✓ connect"),
        (
            "noevents",
            2,
            "not ready for load",
            "✗ call events   account noevents may not read class call",
        ),
        (
            "readonly",
            2,
            "not ready for load",
            "✗ calls         account readonly may not run Originate, Hangup",
        ),
        (
            "originate-only",
            2,
            "not ready for load",
            "✗ calls         account originate-only may not run Hangup",
        ),
        (
            "denied",
            3,
            "no way in",
            "✗ login         account denied is refused, and the PBX does not say why",
        ),
    ];
    for (account, code, verdict, first) in table {
        let target = pbx.write("account.toml", &pbx.target_of(account));
        let looked = pbx.run(&["doctor", &target]);
        let page = String::from_utf8_lossy(&looked.stdout);
        assert_eq!(looked.status.code(), Some(code), "{account}: {page}");
        let mut lines = page.lines();
        assert!(lines.next().unwrap().ends_with(verdict), "{page}");
        assert!(lines.next().unwrap().trim().starts_with(first), "{page}");
        if code != 0 && account != "noevents" {
            let out = pbx.path("run").display().to_string();
            let loaded = pbx.run(&[
                "load",
                "quickstart",
                "-t",
                &target,
                "-d",
                "1s",
                "--out",
                &out,
            ]);
            assert_eq!(loaded.status.code(), Some(code), "{account}: {loaded:?}");
            assert!(!pbx.path("run").exists(), "{account} measured nothing");
        }
    }
}

#[test]
fn an_account_without_rights_is_told_on_asterisk_22() {
    check("asterisk-22");
}

#[test]
fn an_account_without_rights_is_told_on_asterisk_16() {
    check("asterisk-16");
}

/// Nothing that can be asked tells that it reads no calls: the first one does.
#[test]
fn an_account_that_sees_no_calls_is_told_by_the_first_of_them() {
    let Some(pbx) = Pbx::running("asterisk-22") else {
        return;
    };
    let target = pbx.write("account.toml", &pbx.target_of("noevents"));
    let out = pbx.path("blind").display().to_string();
    let args = [
        "load",
        "-t",
        &target,
        "--originate",
        "5/s",
        "-d",
        "30s",
        "-o",
        &out,
    ];
    let ran = pbx.run(&args);
    let told = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2), "{told}");
    assert!(told.contains("read = call"), "{told}");
}
