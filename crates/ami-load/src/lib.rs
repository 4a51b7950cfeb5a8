//! Load engine: scenario, plan, sessions, records.
