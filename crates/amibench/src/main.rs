//! The `amibench` binary.

fn main() {}
