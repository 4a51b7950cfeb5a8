//! One format a file, over the same [`crate::summary::Summary`]; text and Markdown also share their tables.

pub mod csv;
pub mod hgrm;
pub mod junit;
pub mod markdown;
pub mod text;

mod tables;
