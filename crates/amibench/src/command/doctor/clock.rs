//! How far the PBX's clock is from ours: the Timestamp in the answer to a Ping, against ours half-way through.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ami_client::Connection;
use ami_client::connection::{Reply, RequestError};
use ami_proto::action::system;
use ami_proto::session::Answer;

use super::ANSWER_WITHIN;
use super::examine::Milliseconds;
use super::page::Finding;

/// The quickest of these bounds the error best.
const PINGS: usize = 5;
/// From here on event delays, which compare both clocks, say nothing.
const OFFSET_SECONDS_MAX: f64 = 1.0;

struct Sample {
    round_trip: Duration,
    /// Seconds that the PBX is ahead.
    offset: Option<f64>,
}

pub(super) async fn finding(connection: &mut Connection) -> Result<Finding, RequestError> {
    let mut quickest = sample(connection).await?;
    for _ in 1..PINGS {
        let next = sample(connection).await?;
        if next.round_trip < quickest.round_trip {
            quickest = next;
        }
    }
    Ok(describe(&quickest))
}

async fn sample(connection: &mut Connection) -> Result<Sample, RequestError> {
    let sent_at = SystemTime::now();
    let reply = connection
        .request(&system::ping(), Answer::Single, ANSWER_WITHIN)
        .await?;
    let round_trip = sent_at.elapsed().unwrap_or_default();
    let ours = sent_at + round_trip / 2;
    let ours = ours
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64();
    Ok(Sample {
        round_trip,
        offset: timestamp(&reply).map(|theirs| theirs - ours),
    })
}

fn timestamp(reply: &Reply) -> Option<f64> {
    reply.response().text("Timestamp")?.trim().parse().ok()
}

fn describe(sample: &Sample) -> Finding {
    let ping = format!("ping {}", Milliseconds(sample.round_trip));
    let Some(offset) = sample.offset else {
        return Finding::note("clock", format!("{ping}, its answer bears no Timestamp"));
    };
    let error = sample.round_trip / 2;
    let size = Duration::from_secs_f64(offset.abs());
    let ahead = if offset < 0.0 {
        "behind ours"
    } else {
        "ahead of ours"
    };
    if size <= error {
        return Finding::good(
            "clock",
            format!("{ping}, agrees with ours within {}", Milliseconds(error)),
        );
    }
    let fact = format!(
        "{ping}, {} ± {} {ahead}",
        Milliseconds(size),
        Milliseconds(error)
    );
    if offset.abs() < OFFSET_SECONDS_MAX {
        Finding::good("clock", fact)
    } else {
        Finding::note("clock", fact).advise("let both machines use the same time server")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(round_trip_ms: u64, offset: Option<f64>, expected: Finding) {
        let round_trip = Duration::from_millis(round_trip_ms);
        assert_eq!(describe(&Sample { round_trip, offset }), expected);
    }

    #[test]
    fn an_offset_counts_from_half_the_round_trip() {
        check(
            4,
            Some(0.001),
            Finding::good("clock", "ping 4.00 ms, agrees with ours within 2.00 ms"),
        );
        check(
            4,
            Some(-0.25),
            Finding::good("clock", "ping 4.00 ms, 250 ms ± 2.00 ms behind ours"),
        );
        check(
            4,
            Some(3600.0),
            Finding::note("clock", "ping 4.00 ms, 3600000 ms ± 2.00 ms ahead of ours")
                .advise("let both machines use the same time server"),
        );
        check(
            4,
            None,
            Finding::note("clock", "ping 4.00 ms, its answer bears no Timestamp"),
        );
    }
}
