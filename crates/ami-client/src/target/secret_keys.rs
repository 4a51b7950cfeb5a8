//! The three keys that say where the secret of an account comes from, of which one is given.

use std::ops::Range;

use crate::document::{Document, DocumentError};
use crate::secret::SecretSource;

pub(super) struct SecretKeys {
    pub(super) env: Option<String>,
    pub(super) file: Option<String>,
    pub(super) command: Option<String>,
}

impl SecretKeys {
    /// None where none is given; `span` is where the account stands.
    pub(super) fn source(
        self,
        document: &Document,
        span: Range<usize>,
    ) -> Result<Option<SecretSource>, DocumentError> {
        let file = self.file.map(|path| document.resolve(&path));
        let sources = [
            self.env.map(SecretSource::Environment),
            file.map(SecretSource::File),
            self.command.map(SecretSource::Command),
        ];
        let mut sources = sources.into_iter().flatten();
        match (sources.next(), sources.next()) {
            (_, Some(_)) => {
                let message =
                    "an account has one of `secret_env`, `secret_file` and `secret_command`";
                Err(document.error_at(span, message))
            }
            (source, None) => Ok(source),
        }
    }
}
