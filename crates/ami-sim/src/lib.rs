//! Simulated PBXs that speak the Asterisk Manager Interface.
//!
//! Layers: model (`pbx`, `call`, `dialplan`) → messages → encoder → faults → `Output`, which only `server` executes. All but
//! `server` is pure: time comes in as an argument, randomness from a seed. Read `profile` (how a PBX behaves), `exchange`
//! (a PBX and its sessions), `server_session`, `action`, then the model.

mod account;
mod account_rules;
mod acl;
mod action;
mod agenda;
mod attended_transfer;
mod bridge;
mod call;
mod cdr;
mod channel;
mod channel_event;
mod class;
mod config_file;
mod counters;
mod database;
mod defect;
mod device_state;
mod dial;
mod dial_application;
mod dialplan;
mod dialplan_list;
mod encode;
mod endpoint;
mod event_filter;
mod exchange;
mod extension;
mod fault;
mod feature;
mod function;
mod hangup;
mod hint;
mod line;
mod mailbox;
mod manager_conf;
mod manager_settings;
mod message;
mod module;
mod near;
mod occupation;
mod optimisation;
mod outbox;
mod parking;
mod pbx;
mod profile;
mod queue;
mod queue_call;
mod queue_event;
mod queue_talk;
mod queue_text;
mod release;
mod replaying;
mod request;
mod security;
mod server;
mod server_session;
mod signal;
mod sms;
mod text;
mod transfer;
mod web;

pub use account::{Account, Accounts, DEFAULT_SECRET, LIMITED_CLASSES, MultipleLogin, Notices};
pub use account_rules::{AccountRefused, AccountRules, WithoutPermit};
pub use acl::{Acl, AclError, Sense};
pub use cdr::CdrSettings;
pub use class::Classes;
pub use counters::Counters;
pub use defect::{ClientEnd, Defect};
pub use encode::CommandFraming;
pub use endpoint::Endpoint;
pub use event_filter::EventFilters;
pub use exchange::Exchange;
pub use extension::{Behaviour, Device, Effect, Extension, Media, Step, Wait};
pub use fault::{Appetite, Fault, Planted, PlantedError};
pub use feature::FeatureCodes;
pub use hint::Hint;
pub use mailbox::Mailbox;
pub use manager_conf::{Files, ManagerConf, Note};
pub use manager_settings::{EventsAnswer, ManagerSettings, Web};
pub use near::UnknownName;
pub use outbox::{Chunk, Output, SharedEvent};
pub use parking::ParkingLot;
pub use pbx::{Pbx, SessionKey};
pub use profile::{
    Commands, Confidence, Evidence, Explained, Profile, ProfileError, Shares, SnapshotField, Timing,
};
pub use queue::member::{MemberSettings, Membership};
pub use queue::{QueueSettings, QueuesAnswer, Strategy, WhenEmpty};
pub use release::Release;
pub use replaying::{Replaying, Silent};
pub use server::{
    Ending, Handle, Server, Simulator, Tls, TlsError, TlsFault, spawn_replaying_thread,
    spawn_thread, spawn_tls_thread,
};
pub use server_session::{Addresses, ServerSession};
pub use sms::{Sim, SmsSettings};
pub use web::{After, Reading, Refusal, WebReader, WebRequest, WebResponse};
