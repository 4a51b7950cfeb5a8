//! Which local ports a process has connections from: others may talk to the same PBX meanwhile.

use std::collections::{BTreeSet, HashSet};
use std::fs;

/// Ports from which the process is connected to `server_port` of loopback right now.
///
/// Nothing is known of a process that has ended.
pub(super) fn of_process(pid: u32, server_port: u16) -> BTreeSet<u16> {
    let sockets = fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten();
    let sockets: HashSet<String> = sockets
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|link| inode(link.to_str()?))
        .collect();
    let table = fs::read_to_string(format!("/proc/{pid}/net/tcp")).unwrap_or_default();
    ports(&table, &sockets, server_port)
}

/// `socket:[12345]`.
fn inode(link: &str) -> Option<String> {
    let inode = link.strip_prefix("socket:[")?.strip_suffix(']')?;
    Some(inode.to_owned())
}

fn ports(table: &str, sockets: &HashSet<String>, server_port: u16) -> BTreeSet<u16> {
    let rows = table.lines().filter_map(|row| {
        let mut fields = row.split_whitespace().skip(1);
        let (local, remote) = (port(fields.next()?)?, port(fields.next()?)?);
        let inode = fields.nth(6)?;
        (remote == server_port && sockets.contains(inode)).then_some(local)
    });
    rows.collect()
}

/// `0100007F:5616`.
fn port(address: &str) -> Option<u16> {
    let (_, port) = address.split_once(':')?;
    u16::from_str_radix(port, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sockets_of_the_process_to_that_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:C350 0100007F:5616 01 00000000:00000000 00:00000000 00000000     0        0 71 1 0 20 4 30 10 -1\n\
            1: 0100007F:C351 0100007F:5616 01 00000000:00000000 00:00000000 00000000     0        0 72 1 0 20 4 30 10 -1\n\
            2: 0100007F:C352 0100007F:0050 01 00000000:00000000 00:00000000 00000000     0        0 73 1 0 20 4 30 10 -1\n";
        let sockets = ["socket:[71]", "socket:[73]", "pipe:[72]"];
        let sockets = sockets.into_iter().filter_map(inode).collect();
        assert_eq!(ports(table, &sockets, 22038), BTreeSet::from([50000]));
    }
}
