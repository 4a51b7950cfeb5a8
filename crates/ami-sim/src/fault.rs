//! Faults: what goes wrong with delivery, from a moment on. The messages stay as they are; when they come, and whether, does not.

use std::time::Duration;

/// What befalls every session of a PBX, or one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Whatever is said comes so much later, one thing after the other.
    Late(Duration),
    /// The session whose action brought it on is closed with RST in place of the answer.
    Reset,
}

/// A fault that begins with the answer to the `count`-th action of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planted {
    pub fault: Fault,
    pub action: String,
    pub count: u64,
}

impl Planted {
    pub fn new(fault: Fault, action: &str, count: u64) -> Self {
        Self {
            fault,
            action: action.to_owned(),
            count,
        }
    }
}

/// What a PBX's faults are at the moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    planted: Vec<Planted>,
    /// How much later everything is said.
    pub(crate) late: Option<Duration>,
}

impl Faults {
    pub(crate) fn plant(&mut self, planted: Planted) {
        self.planted.push(planted);
    }

    /// The faults that an action brings on, of which it is the `count`-th.
    pub(crate) fn brought_on(&mut self, action: &str, count: u64) -> Vec<Fault> {
        let is_due = |planted: &mut Planted| planted.action == action && planted.count == count;
        let due: Vec<Fault> = self
            .planted
            .extract_if(.., is_due)
            .map(|planted| planted.fault)
            .collect();
        for fault in &due {
            if let Fault::Late(by) = fault {
                self.late = Some(*by);
            }
        }
        due
    }
}
