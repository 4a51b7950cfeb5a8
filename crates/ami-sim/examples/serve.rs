//! `cargo run -p ami-sim --example serve -- PROFILE ADDRESS [SECRET]`: one simulated PBX until it is killed.

use ami_sim::{Accounts, DEFAULT_SECRET, Profile, Server};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let profile = arguments
        .next()
        .and_then(|name| Profile::named(&name))
        .ok_or("name a profile")?;
    let address = arguments
        .next()
        .ok_or("give an address such as 127.0.0.1:5038")?
        .parse()?;
    let secret = arguments
        .next()
        .unwrap_or_else(|| DEFAULT_SECRET.to_owned());
    let server = Server::bind(profile, address, Accounts::bench(&secret), 1)?;
    server.run(std::future::pending()).await;
    Ok(())
}
