//! The whole program from outside: what it says, which code it ends with, what it leaves behind. Simulated PBXs only.

#![expect(clippy::unwrap_used, reason = "fixtures are tests too")]

mod allow_list;
mod bad_input;
mod check;
mod cleanup;
mod conform;
mod desk;
mod docs;
mod doctor;
mod doctor_finds;
mod doctor_finds_tls;
mod exports;
mod flows;
mod help;
mod interrupted;
mod judged;
mod library;
mod merge;
mod plan;
mod production;
mod profiles;
mod record;
mod replay;
mod results;
mod run;
mod secrets;
mod sim;
mod tls;
mod unreachable;
