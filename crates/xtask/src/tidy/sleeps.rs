//! A test waits for what it wants to see, never for time to pass.

use super::scan::scan;
use super::{Breach, File};

pub(super) fn check(file: &File) -> Vec<Breach> {
    if !file.is_rust() {
        return Vec::new();
    }
    let lines = scan(&file.text);
    let sleeping = lines.iter().enumerate().filter(|(_, line)| {
        let test = line.in_test || file.is_test();
        test && line.code.contains("sleep(")
    });
    sleeping
        .map(|(index, _)| Breach::new(index + 1, "a test that sleeps"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;
    use super::*;

    #[test]
    fn a_sleep_in_a_test_is_a_breach() {
        let planted = "fn a() { sleep(1) }\n#[cfg(test)]\nmod tests {\n  fn b() { sleep(2) }\n}\n";
        assert_eq!(found(check, "crates/a/src/b.rs", planted)[0].0, 4);
        assert_eq!(found(check, "crates/a/src/b.rs", planted).len(), 1);
        assert_eq!(
            found(check, "crates/a/tests/b.rs", "thread::sleep(x);").len(),
            1
        );
        assert_eq!(
            found(check, "crates/a/tests/b.rs", "// sleep(x)\nf(\"sleep(\")"),
            []
        );
    }
}
