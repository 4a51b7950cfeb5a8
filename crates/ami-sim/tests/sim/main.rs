//! The simulated PBX as a client meets it, in virtual time unless a test says otherwise.
//! `cfg(test)` is always on here; it tells the lints that helpers may unwrap.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod defects;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod queue_calls;
#[cfg(test)]
mod queues;
#[cfg(test)]
mod rebuilt;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod rude;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod talk;
#[cfg(test)]
mod vendors;
#[cfg(test)]
mod web;
#[cfg(test)]
mod wires;
