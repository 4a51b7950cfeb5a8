//! What an Originate leads to, on each PBX: to whom it is told, when, and with which reason.

use std::time::Duration;

use ami_client::Connection;
use ami_proto::action::channel;
use ami_proto::action::originate::{Completion, Destination, Originate};
use ami_proto::session::Answer;

use crate::line::{Manner, beside};

/// Profile, context, who answers, who is busy, who only rings, and where the other half of the call goes.
const PBXS: [(&str, &str, [&str; 3], &str); 3] = [
    (
        "asterisk-22",
        "amibench",
        ["answer-2s", "busy", "ring"],
        "hold",
    ),
    ("ucm6xxx", "from-internal", ["1000", "1100", "1200"], "1001"),
    (
        "yeastar-s",
        "DLPN_DialPlan1000",
        ["1000", "1100", "1200"],
        "1001",
    ),
];
const TEN_SECONDS: Duration = Duration::from_secs(10);
const RING: Duration = Duration::from_secs(5);

fn originate(context: &str, number: &str, exten: &str) -> Originate {
    let destination = Destination::Extension {
        context: context.to_owned(),
        exten: exten.to_owned(),
        priority: "1".to_owned(),
    };
    let mut originate = Originate::new(format!("Local/{number}@{context}"), destination);
    originate.timeout_ms = u32::try_from(RING.as_millis()).unwrap();
    originate.channel_id = Some(format!("test-{number}"));
    originate
}

/// The next event of that name, its Response and Reason.
async fn completion(observer: &mut Connection) -> (String, String) {
    loop {
        let event = observer.next_event(TEN_SECONDS).await.unwrap();
        let event = event.expect("an Originate has its completion");
        let event = event.as_frame();
        if event.get("Event") == Some(b"OriginateResponse") {
            let text = |name| event.text(name).unwrap().into_owned();
            return (text("Response"), text("Reason"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_outcome_is_told_to_the_observer() {
    for (profile, context, numbers, exten) in PBXS {
        beside(profile, |pbx| async move {
            let mut caller = pbx.log_in(Manner::default()).await.unwrap();
            let call = Manner {
                events: "call",
                ..Manner::default()
            };
            let mut observer = pbx.log_in(call).await.unwrap();
            let expected = [("Success", "4"), ("Failure", "5"), ("Failure", "3")];
            for (number, (response, reason)) in numbers.into_iter().zip(expected) {
                let action = originate(context, number, exten).action().unwrap();
                let told = async {
                    let ack = caller.request(&action, Answer::Single, TEN_SECONDS).await;
                    assert!(ack.unwrap().is_success());
                    completion(&mut observer).await
                };
                let (told, took) = pbx.time(told).await;
                assert_eq!(
                    (told.0.as_str(), told.1.as_str()),
                    (response, reason),
                    "{profile} {number}"
                );
                if reason == "3" {
                    assert!(
                        took >= RING && took < RING + Duration::from_millis(10),
                        "{took:?}"
                    );
                }
            }
            let counters = pbx.simulator().counters();
            assert_eq!((counters.calls_placed, counters.calls_answered), (3, 1));
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_synchronous_originate_is_answered_when_the_call_is() {
    beside("asterisk-22", |pbx| async move {
        let mut caller = pbx.log_in(Manner::default()).await.unwrap();
        for (number, answered, least) in [("answer-2s", true, 2), ("ring", false, 5)] {
            let mut originate = originate("amibench", number, "hold");
            originate.completion = Completion::Response;
            let action = originate.action().unwrap();
            let request = caller.request(&action, Answer::Single, TEN_SECONDS);
            let (reply, took) = pbx.time(request).await;
            assert_eq!(reply.unwrap().is_success(), answered, "{number}");
            assert_eq!(took.as_secs(), least, "{number}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_extension_that_does_not_exist_is_refused_at_once() {
    for (profile, context, numbers, _) in PBXS {
        beside(profile, |pbx| async move {
            let mut caller = pbx.log_in(Manner::default()).await.unwrap();
            let action = originate(context, numbers[0], "no-such").action().unwrap();
            let reply = caller
                .request(&action, Answer::Single, TEN_SECONDS)
                .await
                .unwrap();
            assert!(!reply.is_success(), "{profile}");
            assert_eq!(reply.message(), "Extension does not exist.");
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_has_as_many_items_as_it_says() {
    for (profile, context, numbers, exten) in PBXS {
        beside(profile, |pbx| async move {
            let mut caller = pbx.log_in(Manner::default()).await.unwrap();
            for calls in 0..4 {
                let list = caller
                    .request(&channel::core_show_channels(), Answer::List, TEN_SECONDS)
                    .await
                    .unwrap();
                let items = list.events("CoreShowChannel").count();
                let complete = list.events("CoreShowChannelsComplete").next().unwrap();
                let listed = complete.text("ListItems").unwrap().into_owned();
                assert_eq!(items.to_string(), listed, "{profile}, {calls} calls");
                assert_eq!(items > 0, calls > 0, "{profile}, {calls} calls");
                let mut originate = originate(context, numbers[0], exten);
                originate.channel_id = Some(format!("test-{calls}"));
                originate.completion = Completion::Response;
                let action = originate.action().unwrap();
                let reply = caller.request(&action, Answer::Single, TEN_SECONDS).await;
                assert!(reply.unwrap().is_success(), "{profile}");
            }
        })
        .await;
    }
}
