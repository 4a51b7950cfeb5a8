//! A plan as people read it, and the fingerprint that two runs of the same load share.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::{
    PATIENCE, Plan, PlannedAction, PlannedGroup, PlannedTarget, Protection, Segment, What,
};
use crate::arrival::OpenLoop;
use crate::rate::show_duration;
use crate::scenario::Measure;

impl Plan {
    /// The plan as people read it, ending in the SHA-256 over all of it.
    pub fn describe(&self) -> String {
        let mut text = self.parameters();
        let planned: Vec<u64> = self
            .target_indices()
            .map(|target| self.planned(target))
            .collect();
        let all: u64 = planned.iter().sum();
        if all > 0 {
            let _ = writeln!(text, "planned  {all} arrivals");
        }
        if self.segment != Segment::WHOLE {
            let (segment, sessions) = (self.segment, self.own_sessions_per_target());
            let own: u64 = self
                .target_indices()
                .map(|target| self.own_planned(target))
                .sum();
            let _ = writeln!(
                text,
                "segment  {segment}: {sessions} sessions on each target, {own} arrivals"
            );
        }
        for arrival in OpenLoop::new(self).take(5) {
            let target = &self.targets[usize::from(arrival.target)].target.name;
            let phase = &self.phases[usize::from(arrival.phase)];
            let action = &self.actions[usize::from(phase.mix[usize::from(arrival.mix)].action)];
            let at = arrival.at.as_secs_f64() * 1000.0;
            let _ = writeln!(
                text,
                "arrival  +{at:.3} ms  {target}  {}  {action}",
                phase.name
            );
        }
        let _ = writeln!(text, "sha256   {}", self.sha256());
        text
    }

    fn parameters(&self) -> String {
        let mut text = format!("scenario {}\nseed     {}\n", self.scenario, self.seed);
        for PlannedTarget {
            target, protection, ..
        } in &self.targets
        {
            let _ = writeln!(
                text,
                "target   {} at {} as {}",
                target.name, target.endpoint, target.account
            );
            if *protection == Protection::Guarded {
                let environment = target.environment;
                let _ = writeln!(text, "guard    {}, {environment}", target.name);
            }
        }
        for group in &self.groups {
            let PlannedGroup {
                name,
                sessions,
                events,
                measure,
                read_every,
            } = group;
            let measures = match measure {
                Some(Measure::EventDelay) => ", measures event delay",
                None => "",
            };
            let _ = write!(
                text,
                "group    {name}: {sessions} sessions on each target, events {events}{measures}"
            );
            let _ = match read_every {
                Some(every) => writeln!(text, ", read every {}", show_duration(*every)),
                None => writeln!(text),
            };
        }
        text.push_str(&self.flows_as_read());
        for phase in &self.phases {
            let kind = if phase.warm_up {
                "warm-up "
            } else {
                "phase   "
            };
            let (name, arrival) = (&phase.name, &phase.arrival);
            let duration = show_duration(phase.duration);
            let _ = writeln!(text, "{kind} {name}: {duration}, {arrival}");
            for entry in &phase.mix {
                text.push_str(&self.entry_as_read(entry));
            }
        }
        if self.patience != PATIENCE {
            let patience = show_duration(self.patience);
            let _ = writeln!(text, "patience {patience}");
        }
        for threshold in &self.thresholds {
            let _ = writeln!(text, "hold     {}", threshold.text);
        }
        let total = f64::from(self.sessions_per_target()) * self.targets.len() as f64;
        let _ = writeln!(
            text,
            "fleet    {} targets, {total} sessions",
            self.targets.len()
        );
        text
    }

    fn entry_as_read(&self, entry: &PlannedAction) -> String {
        let by = match entry.what {
            What::Login => "on connections of their own".to_owned(),
            _ => format!("by {}", self.groups[usize::from(entry.group)].name),
        };
        let how = match entry.what {
            What::Flow(_) => "step by step".to_owned(),
            _ => format!("timeout {}", show_duration(entry.timeout)),
        };
        let slug = &self.actions[usize::from(entry.action)];
        format!("  {:>5} × {slug} {by}, {how}\n", entry.share)
    }

    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.parameters());
        for PlannedTarget { roles, .. } in &self.targets {
            hash.update(format!("{roles:?}"));
        }
        for phase in &self.phases {
            hash.update(format!("{:?}", phase.mix));
        }
        for feed in &self.feeds {
            hash.update(format!("{:?}", feed.rows));
        }
        for flow in &self.flows {
            hash.update(format!("{flow:?}"));
        }
        for arrival in OpenLoop::new(self) {
            hash.update(arrival.at.as_nanos().to_le_bytes());
            hash.update(arrival.target.to_le_bytes());
            hash.update(arrival.phase.to_le_bytes());
            hash.update(arrival.mix.to_le_bytes());
        }
        hash.finalize()
            .iter()
            .fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
    }
}
