//! What the PBX's console says of its manager and of our account. Only asked where the account may run Command.

use ami_client::Connection;
use ami_client::connection::{Reply, RequestError};
use ami_proto::action::system;
use ami_proto::dialect::recognition::Recognition;
use ami_proto::session::Answer;

use super::ANSWER_WITHIN;

/// What was told; a PBX that does not know the lines tells nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// The classes that the account may read.
    pub(super) read: Option<String>,
    /// `Yes` or `No`.
    pub(super) timestamps: Option<String>,
}

/// Both lines only print.
pub(super) async fn ask(
    connection: &mut Connection,
    account: &str,
    recognition: &mut Recognition,
) -> Result<Settings, RequestError> {
    let user = format!("manager show user {account}");
    let user = command(connection, &user, recognition).await?;
    let settings = command(connection, "manager show settings", recognition).await?;
    Ok(Settings {
        read: value(&user, "read perm"),
        timestamps: value(&settings, "timestamp events"),
    })
}

async fn command(
    connection: &mut Connection,
    line: &str,
    recognition: &mut Recognition,
) -> Result<String, RequestError> {
    // An account that logged in has no line end in its name.
    let Ok(action) = system::command(line) else {
        return Ok(String::new());
    };
    let reply: Reply = connection
        .request(&action, Answer::Single, ANSWER_WITHIN)
        .await?;
    recognition.see(&reply.response());
    Ok(String::from_utf8_lossy(reply.response().bytes()).into_owned())
}

/// `   read perm: call,user`, bare or behind `Output: `.
fn value(text: &str, key: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let line = line.strip_prefix("Output: ").unwrap_or(line);
        let (name, value) = line.split_once(':')?;
        let found = name.trim().eq_ignore_ascii_case(key);
        found.then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, key: &str, expected: Option<&str>) {
        assert_eq!(value(text, key).as_deref(), expected, "{text}");
    }

    #[test]
    fn both_framings_of_a_command_are_read() {
        let new = "Response: Success\r\nOutput: \r\nOutput:           username: qa\r\nOutput:          read perm: call\r\n\r\n";
        let old = "Response: Follows\r\nPrivilege: Command\r\n          username: qa\n         read perm: <none>\n--END COMMAND--\r\n\r\n";
        check(new, "read perm", Some("call"));
        check(old, "read perm", Some("<none>"));
        check(
            "Output:   Timestamp events:          No             \r\n",
            "timestamp events",
            Some("No"),
        );
        check(
            "Response: Error\r\nMessage: Permission denied\r\n\r\n",
            "read perm",
            None,
        );
    }
}
