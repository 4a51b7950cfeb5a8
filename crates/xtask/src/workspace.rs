//! Where the workspace is.

use std::path::{Path, PathBuf};

/// Cargo says where the package is when it runs us; without it we trust where we were built.
pub(crate) fn dir() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package
        .ancestors()
        .nth(2)
        .map_or_else(|| PathBuf::from("/"), Path::to_owned)
}
