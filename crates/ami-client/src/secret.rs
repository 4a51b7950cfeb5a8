//! Where an account's secret comes from: an environment variable, a file, a command; never the command line.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use ami_proto::session::Secret;
use thiserror::Error;

#[derive(Clone, Debug)]
pub enum SecretSource {
    Environment(String),
    File(PathBuf),
    Command(String),
    /// Asked from whoever sits at the terminal.
    Prompt,
    /// Known already: an embedded simulator's, or one that was prompted for.
    Given(Secret),
}

#[derive(Debug, Error)]
pub enum SecretError {
    #[error("failed to take the secret from the environment: {variable} is not set")]
    Environment { variable: String },
    #[error("failed to read the secret from {path}")]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("failed to run the secret command {command:?}")]
    Command {
        command: String,
        source: std::io::Error,
    },
    #[error("the secret command {command:?} ended with {status}")]
    CommandStatus {
        command: String,
        status: std::process::ExitStatus,
    },
    #[error("the secret from {origin} is empty or has a line break inside")]
    Unusable { origin: String },
    #[error(
        "no secret for the account: set secret_env, secret_file or secret_command in the target, or AMIBENCH_SECRET"
    )]
    Missing,
}

impl SecretSource {
    pub fn resolve(&self) -> Result<Secret, SecretError> {
        match self {
            Self::Environment(variable) => {
                let text = std::env::var(variable).map_err(|_| SecretError::Environment {
                    variable: variable.clone(),
                })?;
                usable(text, variable)
            }
            Self::File(path) => {
                let text = std::fs::read_to_string(path).map_err(|source| SecretError::File {
                    path: path.clone(),
                    source,
                })?;
                usable(text, &path.display().to_string())
            }
            Self::Command(command) => usable(output_of(command)?, command),
            Self::Prompt => Err(SecretError::Missing),
            Self::Given(secret) => Ok(secret.clone()),
        }
    }
}

fn output_of(command: &str) -> Result<String, SecretError> {
    let output = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| SecretError::Command {
            command: command.to_owned(),
            source,
        })?;
    if !output.status.success() {
        return Err(SecretError::CommandStatus {
            command: command.to_owned(),
            status: output.status,
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Files and commands end in a line break that is not part of the secret.
fn usable(text: String, origin: &str) -> Result<Secret, SecretError> {
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() || secret.contains(['\r', '\n', '\0']) {
        return Err(SecretError::Unusable {
            origin: origin.to_owned(),
        });
    }
    Ok(Secret::new(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_final_line_break_of_a_file_or_command_is_not_part_of_the_secret() {
        let secret = SecretSource::Command("echo hunter2".to_owned())
            .resolve()
            .unwrap();
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn a_failing_command_and_an_empty_secret_are_errors() {
        let status = SecretSource::Command("exit 3".to_owned())
            .resolve()
            .unwrap_err();
        assert!(matches!(status, SecretError::CommandStatus { .. }));
        let empty = SecretSource::Command("true".to_owned())
            .resolve()
            .unwrap_err();
        assert!(matches!(empty, SecretError::Unusable { .. }));
    }
}
