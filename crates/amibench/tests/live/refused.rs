//! Accounts that may not do what a load needs, and ports that are not the manager's.

use crate::lab::Pbx;

/// The doctor's last line and the code of both verbs, for each account.
fn check(name: &str) {
    let Some(pbx) = Pbx::running(name) else {
        return;
    };
    let table = [
        ("bench", 0, "ready for load"),
        ("noevents", 0, "ready for load"),
        ("readonly", 2, "not ready: mend calls"),
        ("originate-only", 2, "not ready: mend calls"),
        ("denied", 3, "not reachable: see login"),
    ];
    for (account, code, verdict) in table {
        let target = pbx.write("account.toml", &pbx.target_of(account));
        let looked = pbx.run(&["doctor", &target]);
        let page = String::from_utf8_lossy(&looked.stdout);
        assert_eq!(looked.status.code(), Some(code), "{account}: {page}");
        assert_eq!(page.lines().last().map(str::trim), Some(verdict), "{page}");
        if code != 0 {
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
