//! One format a file, each a `fn(&Summary) -> String` over the same tables.

pub mod markdown;
pub mod text;

mod tables;
