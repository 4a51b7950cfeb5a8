//! `host:port` as people write it.

use toml::Spanned;

use crate::document::{Document, DocumentError};

/// The usual ports of the manager; vendors have others.
pub(super) const PORT_PLAIN: u16 = 5038;
pub(super) const PORT_TLS: u16 = 5039;
/// Of Asterisk's web server.
pub(super) const PORT_HTTP: u16 = 8088;
pub(super) const PORT_HTTPS: u16 = 8089;

/// As a file gives it: of the form `host` or `host:port`, and no URI.
pub(super) fn read(
    document: &Document,
    given: &Spanned<String>,
    usual: u16,
) -> Result<String, DocumentError> {
    let text = given.get_ref();
    if text.is_empty() || text.contains(['/', '@', ' ']) {
        let message = format!("address {text:?} is not of the form host or host:port");
        return Err(document.error_at(given.span(), message));
    }
    Ok(with_port(text, usual))
}

/// What stands before `/rawman`, without a slash at its end.
pub(super) fn prefix(path: &str) -> Option<String> {
    let path = path.trim_end_matches('/');
    let is_path = path.is_empty() || path.starts_with('/');
    let usual = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'%');
    (is_path && path.bytes().all(usual)).then(|| path.to_owned())
}

/// With the port that is meant where none is given.
pub(super) fn with_port(host: &str, usual: u16) -> String {
    let is_bare_ipv6 = host.matches(':').count() > 1 && !host.starts_with('[');
    let has_port = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.contains("]:"),
        None => host.contains(':'),
    };
    match (is_bare_ipv6, has_port) {
        (true, _) => format!("[{host}]:{usual}"),
        (false, true) => host.to_owned(),
        (false, false) => format!("{host}:{usual}"),
    }
}

/// The host alone, without the brackets of IPv6.
pub(super) fn host(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_get_the_usual_port_and_give_their_host() {
        for (written, expected, alone) in [
            ("pbx", "pbx:5038", "pbx"),
            ("pbx:7777", "pbx:7777", "pbx"),
            ("::1", "[::1]:5038", "::1"),
            ("[::1]", "[::1]:5038", "::1"),
            ("[::1]:7777", "[::1]:7777", "::1"),
        ] {
            let address = with_port(written, PORT_PLAIN);
            assert_eq!((address.as_str(), host(&address)), (expected, alone));
        }
        assert_eq!(with_port("pbx", PORT_TLS), "pbx:5039");
    }
}
