//! The contenders: amibench's parts, and beside each what it is compared with.
//!
//! `cargo xtask bench` has them take turns, counts their instructions and allocations; `cargo bench` hands them to criterion.

use std::hint::black_box;

mod decode;
mod loopback;
mod plan;
mod record;
mod session;
mod simulator;
mod stream;

/// How much is done in a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Some milliseconds: long beside a clock's tick, short beside a neighbour's mood.
    Timed,
    /// A tenth of it, for those who count every instruction.
    Counted,
}

impl Scale {
    fn of(self, timed: usize) -> usize {
        match self {
            Self::Timed => timed,
            Self::Counted => timed / 10,
        }
    }
}

/// Who is measured: a name, and a pass that does so many units of work.
pub struct Contender {
    pub name: &'static str,
    pub units: u64,
    pass: Box<dyn FnMut()>,
}

impl Contender {
    fn new<T>(name: &'static str, units: u64, mut pass: impl FnMut() -> T + 'static) -> Self {
        Self {
            name,
            units,
            pass: Box::new(move || {
                black_box(pass());
            }),
        }
    }

    /// Not inlined: callgrind counts what happens in here.
    #[inline(never)]
    pub fn pass(&mut self) {
        (self.pass)();
        black_box(&self);
    }
}

/// Contenders that do the same work, in the same unit.
pub struct Group {
    pub name: &'static str,
    /// One of them.
    pub unit: &'static str,
    pub contenders: Vec<Contender>,
    /// Whose speed is divided by whose. Not by who waits for memory where the other computes: that ratio is the neighbours'.
    pub pairs: &'static [(&'static str, &'static str)],
    pub counting: Counting,
}

/// Whether instructions can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    Repeatable,
    /// Sockets and threads: no two passes are alike.
    Varying,
}

type Maker = fn(Scale) -> Group;

/// By name, since a group takes memory and time to make.
pub const GROUPS: [(&str, Maker); 7] = [
    ("decode", decode::group),
    ("loopback", loopback::group),
    ("session", session::group),
    ("record", record::group),
    ("merge", record::merging),
    ("plan", plan::group),
    ("simulator", simulator::group),
];
