//! The load engine: scenario → plan → sessions → records.
//!
//! `scenario` is the file as written, `plan` everything resolved, `arrival` the intended instants (pure); `worker` sends
//! and reads, `call_table` follows the calls, `run` leads the whole and `cleanup` removes what a run left behind.
//! `question` is what is asked of a PBX without a load.

pub mod arrival;
mod call_table;
pub mod cleanup;
pub mod cli_command;
mod fan_out;
pub mod feed;
mod flow;
mod guard;
mod ledger;
pub mod originate;
pub mod plan;
mod presence;
pub mod query;
pub mod question;
pub mod rate;
pub mod run;
pub mod run_tag;
pub mod scenario;
mod script;
mod sight;
pub mod template;
pub mod threshold;
mod worker;

pub use guard::Trip;
pub use plan::{Overrides, Plan, PlanError};
pub use run_tag::RunTag;
pub use scenario::Scenario;
