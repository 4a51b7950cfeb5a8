//! The machine that makes the load, as far as it bears on the numbers: kernel, CPUs and how we are scheduled.

use std::fs;
use std::thread;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    pub os: String,
    pub kernel: String,
    pub cpus: usize,
    /// Of the thread that asked: `other`, `fifo 10`, …
    pub scheduling_policy: String,
}

impl Host {
    /// What this process can see without asking a command; a file that cannot be read leaves its field "unknown".
    pub fn detect() -> Self {
        let line = |path: &str| fs::read_to_string(path).map(|text| text.trim().to_owned());
        let unknown = || "unknown".to_owned();
        Self {
            os: fs::read_to_string("/etc/os-release")
                .ok()
                .and_then(|text| pretty_name(&text))
                .unwrap_or_else(|| std::env::consts::OS.to_owned()),
            kernel: line("/proc/sys/kernel/osrelease").unwrap_or_else(|_| unknown()),
            cpus: thread::available_parallelism().map_or(1, usize::from),
            scheduling_policy: line("/proc/thread-self/stat")
                .ok()
                .and_then(|stat| policy(&stat))
                .unwrap_or_else(unknown),
        }
    }
}

fn pretty_name(os_release: &str) -> Option<String> {
    let value = os_release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(value.trim_matches('"').to_owned())
}

/// Fields 40 and 41 of proc(5) stat; the name in parentheses may hold anything, so count from its end.
fn policy(stat: &str) -> Option<String> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(37);
    let priority = fields.next()?;
    let name = match fields.next()? {
        "0" => "other",
        "1" => return Some(format!("fifo {priority}")),
        "2" => return Some(format!("rr {priority}")),
        "3" => "batch",
        "5" => "idle",
        "6" => "deadline",
        _ => return None,
    };
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{policy, pretty_name};

    #[test]
    fn the_policy_is_read_behind_any_thread_name() {
        let stat = |priority: u32, policy: u32| {
            format!("1 (a) b) R {}{priority} {policy} 0 0", "0 ".repeat(36))
        };
        assert_eq!(policy(&stat(0, 0)).as_deref(), Some("other"));
        assert_eq!(policy(&stat(10, 1)).as_deref(), Some("fifo 10"));
        assert_eq!(policy("1 (a) R 0"), None);
    }

    #[test]
    fn the_name_of_the_system_loses_its_quotes() {
        let text = "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
        assert_eq!(
            pretty_name(text).as_deref(),
            Some("Debian GNU/Linux 12 (bookworm)")
        );
    }
}
