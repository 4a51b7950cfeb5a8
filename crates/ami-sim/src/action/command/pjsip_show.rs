//! `pjsip show …` and `pjsip list …`.

use crate::action::Act;
use crate::action::command::{Printed, Run};
use crate::endpoint::Endpoint;
use crate::pbx::Pbx;

pub(super) const COMMANDS: &[(&str, Run)] = &[
    ("pjsip show endpoints", endpoints),
    ("pjsip list endpoints", list_endpoints),
    ("pjsip show endpoint *", endpoint),
    ("pjsip show aors", aors),
    ("pjsip show auths", auths),
    ("pjsip show contacts", contacts),
    ("pjsip show registrations", nothing),
    ("pjsip show transports", transports),
    ("pjsip show channels", nothing),
];

const RULE: &str =
    "==========================================================================================";
const NOTHING: &str = "No objects found.\n\n";

const ENDPOINT_HEAD: &str =
    " Endpoint:  <Endpoint/CID.....................................>  <State.....>  <Channels.>\n";
const ENDPOINT_PARTS: &str = include_str!("pjsip-endpoints.txt");
const AOR_HEAD: &str = "      Aor:  <Aor..............................................>  <MaxContact>\n    Contact:  <Aor/ContactUri............................> <Hash....> <Status> <RTT(ms)..>\n";
const AUTH_HEAD: &str =
    "  I/OAuth:  <AuthId/UserName.............................................................>\n";
const CONTACT_HEAD: &str =
    "  Contact:  <Aor/ContactUri..............................> <Hash....> <Status> <RTT(ms)..>\n";
const TRANSPORT_HEAD: &str =
    "Transport:  <TransportId........>  <Type>  <cos>  <tos>  <BindAddress....................>\n";

/// A table with its head, or the word that there is none.
fn table(head: &str, rows: &[String]) -> Printed {
    if rows.is_empty() {
        return Ok(NOTHING.to_owned());
    }
    Ok(format!(
        "\n{head}{RULE}\n\n{}\nObjects found: {}\n\n",
        rows.concat(),
        rows.len()
    ))
}

fn nothing(_: &mut Act<'_>, _: &[&str]) -> Printed {
    Ok(NOTHING.to_owned())
}

fn endpoint_row(pbx: &Pbx, endpoint: &Endpoint) -> String {
    let number = endpoint
        .callerid
        .rsplit_once('<')
        .and_then(|(_, rest)| rest.strip_suffix('>'));
    let name = match number {
        Some(number) if number != "unknown" => format!("{}/{number}", endpoint.name),
        _ => endpoint.name.clone(),
    };
    let device = format!("PJSIP/{}", endpoint.name);
    let up = pbx
        .channels
        .values()
        .filter(|channel| channel.device == device)
        .count();
    let state = pbx.device_state_of(&device).words();
    format!(" Endpoint:  {name:<50}   {state:<12} {up:>2} of inf\n")
}

/// What a row about a contact ends in; the round trip was never measured, and each C library prints that its own way.
fn contact_end(pbx: &Pbx, endpoint: &Endpoint) -> String {
    let unmeasured = if pbx.profile.base.has_newer_pjsip_settings() {
        "-nan"
    } else {
        "nan"
    };
    let hash = endpoint.contact_hash();
    format!("{} NonQual {unmeasured:>11}\n", &hash[..10])
}

fn parts(pbx: &Pbx, endpoint: &Endpoint) -> String {
    let name = &endpoint.name;
    let auth = match endpoint.password {
        Some(_) => format!("     InAuth:  {name}/{name}\n"),
        None => String::new(),
    };
    let aor = format!("        Aor:  {name:<50} {}\n", endpoint.max_contacts);
    let contact = if endpoint.contact.is_empty() {
        String::new()
    } else {
        let end = contact_end(pbx, endpoint);
        format!("      Contact:  {:<42} {end}", endpoint.contact_name())
    };
    let transport = format!(
        "  Transport:  {:<25} udp      0      0  {}\n\n",
        endpoint.transport, endpoint.bind
    );
    [endpoint_row(pbx, endpoint), auth, aor, contact, transport].concat()
}

fn endpoints(act: &mut Act<'_>, _: &[&str]) -> Printed {
    let pbx = &*act.pbx;
    let endpoints = pbx.profile.endpoints.iter();
    let rows: Vec<String> = endpoints.map(|endpoint| parts(pbx, endpoint)).collect();
    table(&format!("{ENDPOINT_HEAD}{ENDPOINT_PARTS}"), &rows)
}

fn list_endpoints(act: &mut Act<'_>, _: &[&str]) -> Printed {
    let pbx = &*act.pbx;
    let endpoints = pbx.profile.endpoints.iter();
    let rows: Vec<String> = endpoints
        .map(|endpoint| endpoint_row(pbx, endpoint))
        .collect();
    table(ENDPOINT_HEAD, &rows)
}

fn endpoint(act: &mut Act<'_>, words: &[&str]) -> Printed {
    let name = words.last().copied().unwrap_or_default();
    let mut endpoints = act.pbx.profile.endpoints.iter();
    if endpoints.any(|endpoint| endpoint.name == name) {
        return Err("Not simulated\n".to_owned());
    }
    Ok(format!("Unable to find object {name}.\n\n"))
}

fn aors(act: &mut Act<'_>, _: &[&str]) -> Printed {
    let pbx = &*act.pbx;
    let rows: Vec<String> = pbx
        .profile
        .endpoints
        .iter()
        .map(|endpoint| {
            let aor = format!(
                "      Aor:  {:<52} {}\n",
                endpoint.name, endpoint.max_contacts
            );
            if endpoint.contact.is_empty() {
                return aor + "\n";
            }
            let end = contact_end(pbx, endpoint);
            aor + &format!("    Contact:  {:<44} {end}\n", endpoint.contact_name())
        })
        .collect();
    table(AOR_HEAD, &rows)
}

fn auths(act: &mut Act<'_>, _: &[&str]) -> Printed {
    let endpoints = act.pbx.profile.endpoints.iter();
    let rows: Vec<String> = endpoints
        .filter(|endpoint| endpoint.password.is_some())
        .map(|endpoint| format!("     Auth:  {0}/{0}\n", endpoint.name))
        .collect();
    table(AUTH_HEAD, &rows)
}

fn contacts(act: &mut Act<'_>, _: &[&str]) -> Printed {
    let pbx = &*act.pbx;
    let endpoints = pbx.profile.endpoints.iter();
    let rows: Vec<String> = endpoints
        .filter(|endpoint| !endpoint.contact.is_empty())
        .map(|endpoint| {
            let end = contact_end(pbx, endpoint);
            format!("  Contact:  {:<46} {end}", endpoint.contact_name())
        })
        .collect();
    table(CONTACT_HEAD, &rows)
}

fn transports(act: &mut Act<'_>, _: &[&str]) -> Printed {
    let mut rows: Vec<String> = Vec::new();
    for endpoint in &act.pbx.profile.endpoints {
        let row = format!(
            "Transport:  {:<25} udp      0      0  {}\n",
            endpoint.transport, endpoint.bind
        );
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    table(TRANSPORT_HEAD, &rows)
}
