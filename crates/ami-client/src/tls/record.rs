//! How actions are cut into TLS records. Stock Asterisk takes at most 1024 bytes of a record at once, fewer when it has
//! the beginning of a line already; what it leaves waits inside its TLS library until another record comes.

/// Plaintext of one record.
pub(super) const RECORD_MAX: usize = 1000;
/// What rustls counts into the size of a record besides.
pub(super) const HEADER_BYTES: usize = 5;

/// What is to be sent next in records of its own: whole lines, so that the PBX begins every record with a free buffer. A
/// line longer than a record is two of them, and still fits the buffer.
pub(crate) fn next_lines(bytes: &[u8]) -> &[u8] {
    let is_end = |byte: &u8| *byte == b'\n';
    let record = &bytes[..bytes.len().min(RECORD_MAX)];
    let end = match record.len() == bytes.len() {
        true => None,
        false => record
            .iter()
            .rposition(is_end)
            .or_else(|| bytes.iter().position(is_end)),
    };
    end.map_or(bytes, |end| &bytes[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[usize], expected: &[usize]) {
        let line = |length: &usize| [vec![b'x'; length - 1], vec![b'\n']].concat();
        let bytes = lines.iter().flat_map(line).collect::<Vec<u8>>();
        let mut rest = bytes.as_slice();
        let mut sizes = Vec::new();
        while !rest.is_empty() {
            let next = next_lines(rest);
            sizes.push(next.len());
            rest = &rest[next.len()..];
        }
        assert_eq!(sizes, expected, "{lines:?}");
    }

    #[test]
    fn a_record_never_begins_inside_a_line() {
        check(&[60, 40], &[100]);
        check(&[600, 400], &[1000]);
        check(&[600, 401], &[600, 401]);
        check(&[300, 300, 300, 300, 2], &[900, 302]);
        check(&[1022, 2], &[1022, 2]);
        check(&[10, 1022, 2], &[10, 1022, 2]);
    }
}
