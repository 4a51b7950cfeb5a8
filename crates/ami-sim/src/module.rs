//! The modules of a PBX, as `module show` lists them.

use crate::release::Release;

/// Both are Debian's builds with what the lab leaves out; other releases show the nearer one.
const OLDER: &str = include_str!("module/16.txt");
const NEWER: &str = include_str!("module/22.txt");

/// What a request to reload a module comes to, as the event Reload numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reload {
    Done = 0,
    NotFound = 2,
    Unsupported = 6,
}

/// The rows of `module show`.
pub(crate) fn rows(base: Release) -> impl Iterator<Item = &'static str> {
    let text = if base.prints_newer_texts() {
        NEWER
    } else {
        OLDER
    };
    text.lines()
}

/// Whether a module is loaded; its name may lack the ending `.so`.
pub(crate) fn is_loaded(base: Release, name: &str) -> bool {
    let with_ending = format!("{name}.so");
    rows(base)
        .filter_map(|row| row.split(' ').next())
        .any(|known| known == name || known == with_ending)
}

/// Which modules have nothing to reload is only known of some kinds.
pub(crate) fn reload(base: Release, name: &str) -> Reload {
    let idle = ["func_", "codec_", "format_", "bridge_"];
    if !is_loaded(base, name) {
        Reload::NotFound
    } else if idle.iter().any(|kind| name.starts_with(kind)) {
        Reload::Unsupported
    } else {
        Reload::Done
    }
}
