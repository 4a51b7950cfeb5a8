//! `cargo run -p ami-sim --example serve -- PROFILE ADDRESS [SECRET]`: one simulated PBX until it is killed.
//!
//! PROFILE is the name of an embedded profile or the path of a TOML file. The accounts have the rights of the lab's.

use ami_sim::{Account, Accounts, DEFAULT_SECRET, Profile, Server};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("name a profile")?;
    let profile = match Profile::named(&name) {
        Some(profile) => profile,
        None => Profile::from_toml(&std::fs::read_to_string(&name)?)?,
    };
    let address = arguments
        .next()
        .ok_or("give an address such as 127.0.0.1:5038")?
        .parse()?;
    let secret = arguments
        .next()
        .unwrap_or_else(|| DEFAULT_SECRET.to_owned());
    let accounts = Accounts::bench(&secret)
        .with(Account::new("readonly", &secret, "all", ""))
        .with(Account::new("originate-only", &secret, "call", "originate"))
        .with(Account::new("callonly", &secret, "call", "call"))
        .with(Account::new("noevents", &secret, "", "all"));
    let server = Server::bind(profile, address, accounts, 1)?;
    server.run(std::future::pending()).await;
    Ok(())
}
