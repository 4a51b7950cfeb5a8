//! The doctor's one call on real PBXs: it ends as its role says, and nothing of it is left.

use ami_load::RunTag;

use crate::lab::{Pbx, of_run};

fn check(name: &str) {
    let Some(pbx) = Pbx::running(name) else {
        return;
    };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let target = pbx.write("bench.toml", &pbx.target_of("bench"));
    let table = [
        ("answers", "answered (reason 4) after "),
        ("busy", "busy (reason 5) after "),
        ("rings", "nobody answered (reason 3) after "),
    ];
    for (role, said) in table {
        let ran = pbx.run(&["doctor", &target, "--one-call", role]);
        let page = String::from_utf8_lossy(&ran.stdout);
        assert_eq!(ran.status.code(), Some(0), "{page}");
        let line = page
            .lines()
            .find(|line| line.contains(&format!("✓ call {role}")));
        assert!(line.is_some_and(|line| line.contains(said)), "{page}");
        let (_, tag) = page.split_once("taken by the PBX, tag ").unwrap();
        let tag = RunTag::parse(tag.lines().next().unwrap()).unwrap();
        let left = runtime.block_on(async { of_run(&mut pbx.session().await, &tag).await });
        assert_eq!(left, 0, "{page}");
    }
}

#[test]
fn one_call_of_each_role_on_asterisk_22() {
    check("asterisk-22");
}

#[test]
fn one_call_of_each_role_on_asterisk_16() {
    check("asterisk-16");
}
