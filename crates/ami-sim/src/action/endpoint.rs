//! PJSIP: endpoints, their addresses and authentications; registrations and subscriptions, of which the model has none.

use crate::action::{Act, Handler};
use crate::endpoint::Endpoint;
use crate::message::Headers;
use crate::pbx::Pbx;
use crate::release::Release;

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("PJSIPShowEndpoints", endpoints),
    ("PJSIPShowEndpoint", endpoint),
    ("PJSIPShowAors", aors),
    ("PJSIPShowAuths", auths),
    ("PJSIPShowContacts", contacts),
    ("PJSIPShowRegistrationsInbound", inbound),
    ("PJSIPShowRegistrationsOutbound", outbound),
    (
        "PJSIPShowRegistrationInboundContactStatuses",
        contact_statuses,
    ),
    ("PJSIPShowResourceLists", resource_lists),
    ("PJSIPShowSubscriptionsInbound", inbound_subscriptions),
    ("PJSIPShowSubscriptionsOutbound", outbound_subscriptions),
    ("PJSIPQualify", qualify),
    ("PJSIPRegister", register),
    ("PJSIPUnregister", register),
    ("PJSIPHangup", hangup),
    ("PJSIPSetMaintenance", set_maintenance),
    ("PJSIPShowMaintenance", show_maintenance),
];

fn known(act: &Act<'_>) -> Vec<Endpoint> {
    act.pbx.profile.endpoints.clone()
}

fn find(act: &Act<'_>, name: &str) -> Option<Endpoint> {
    let mut endpoints = act.pbx.profile.endpoints.iter();
    endpoints.find(|endpoint| endpoint.name == name).cloned()
}

/// A list: its first text, the name of its items and of its end.
fn list<T>(
    act: &mut Act<'_>,
    [message, event, complete]: [&str; 3],
    items: &[T],
    describe: impl Fn(&Pbx, &T, Headers) -> Headers,
) {
    let id = act.request.action_id();
    act.answer(Headers::list_start(id, message));
    for item in items {
        let headers = Headers::list_item(event, id);
        act.session.answer(describe(act.pbx, item, headers));
    }
    act.answer(Headers::list_complete(complete, id, items.len()));
}

/// `Not in use`, `Unavailable` …, and how many channels it has up: an empty value where older releases have none.
fn state_lines(pbx: &Pbx, endpoint: &Endpoint, headers: Headers) -> Headers {
    let device = format!("PJSIP/{}", endpoint.name);
    let state = pbx.device_state_of(&device);
    let up = pbx
        .channels
        .values()
        .filter(|channel| channel.device == device)
        .count();
    let headers = headers.with("DeviceState", state.words());
    if up == 0 && !pbx.profile.base.has_newer_pjsip_settings() {
        headers.with("ActiveChannels", "")
    } else {
        headers.with_display("ActiveChannels", up)
    }
}

fn endpoints(act: &mut Act<'_>) {
    let texts = [
        "A listing of Endpoints follows, presented as EndpointList events",
        "EndpointList",
        "EndpointListComplete",
    ];
    list(act, texts, &known(act), |pbx, endpoint, headers| {
        let headers = headers
            .with("ObjectType", "endpoint")
            .with("ObjectName", &endpoint.name)
            .with("Transport", &endpoint.transport)
            .with("Aor", &endpoint.name)
            .with("Auths", endpoint.auth())
            .with("OutboundAuths", "")
            .with("Contacts", endpoint.contact_list());
        state_lines(pbx, endpoint, headers)
    });
}

fn endpoint(act: &mut Act<'_>) {
    let name = act.request.text("Endpoint");
    if name.is_empty() {
        return act.error("PJSIPShowEndpoint requires an endpoint name\n");
    }
    let Some(endpoint) = find(act, &name) else {
        return act.error(&format!("Unable to retrieve endpoint {name}\n"));
    };
    let (id, base) = (act.request.action_id(), act.pbx.profile.base);
    act.answer(Headers::list_start(
        id,
        "Following are Events for each object associated with the Endpoint",
    ));
    let detail = endpoint.endpoint_lines(base, Headers::list_item("EndpointDetail", id));
    act.answer(state_lines(act.pbx, &endpoint, detail));
    let mut items = 3;
    if endpoint.password.is_some() {
        items += 1;
        let auth = endpoint.auth_lines(base, Headers::list_item("AuthDetail", id));
        act.answer(auth.with("EndpointName", &name));
    }
    let transport = endpoint.transport_lines(base, Headers::list_item("TransportDetail", id));
    act.answer(transport.with("EndpointName", &name));
    let contacts = u8::from(!endpoint.contact.is_empty());
    let aor = endpoint
        .aor_lines(base, Headers::list_item("AorDetail", id))
        .with_display("TotalContacts", contacts)
        .with("ContactsRegistered", "0");
    act.answer(aor.with("EndpointName", &name));
    if contacts > 0 {
        items += 1;
        act.answer(contact_status(&endpoint, base, id));
    }
    act.answer(Headers::list_complete("EndpointDetailComplete", id, items));
}

/// Of a written address that is never asked whether it answers.
fn contact_status(endpoint: &Endpoint, base: Release, id: &[u8]) -> Headers {
    let headers = Headers::list_item("ContactStatusDetail", id)
        .with("AOR", &endpoint.name)
        .with("URI", &endpoint.contact)
        .with("UserAgent", "")
        .with("RegExpire", "0")
        .with("Status", "NonQualified")
        .with("RoundtripUsec", "N/A")
        .with("EndpointName", &endpoint.name)
        .with_display(
            "ID",
            format_args!("{}@@{}", endpoint.name, endpoint.contact_hash()),
        )
        .with("AuthenticateQualify", "0")
        .with("OutboundProxy", "")
        .with("Path", "")
        .with("QualifyFrequency", "0")
        .with("QualifyTimeout", "3.000");
    if base.has_newer_pjsip_settings() {
        headers.with("Qualify2xxOnly", "0")
    } else {
        headers
    }
}

fn aors(act: &mut Act<'_>) {
    let texts = [
        "A listing of AORs follows, presented as AorList events",
        "AorList",
        "AorListComplete",
    ];
    list(act, texts, &known(act), |pbx, endpoint, headers| {
        endpoint.aor_lines(pbx.profile.base, headers)
    });
}

fn auths(act: &mut Act<'_>) {
    let texts = [
        "A listing of Auths follows, presented as AuthList events",
        "AuthList",
        "AuthListComplete",
    ];
    let mut endpoints = known(act);
    endpoints.retain(|endpoint| endpoint.password.is_some());
    list(act, texts, &endpoints, |pbx, endpoint, headers| {
        endpoint.auth_lines(pbx.profile.base, headers)
    });
}

/// Of those that registered; a written address is not among them.
fn contacts(act: &mut Act<'_>) {
    act.error("No Contacts found\n");
}

fn inbound(act: &mut Act<'_>) {
    let texts = [
        "Following are Events for each Inbound registration",
        "InboundRegistrationDetail",
        "InboundRegistrationDetailComplete",
    ];
    list(act, texts, &known(act), |pbx, endpoint, headers| {
        endpoint.inbound_lines(pbx.profile.base, headers)
    });
}

fn outbound(act: &mut Act<'_>) {
    let id = act.request.action_id();
    act.answer(Headers::list_start(
        id,
        "Following are Events for each Outbound registration",
    ));
    let complete = Headers::list_complete("OutboundRegistrationDetailComplete", id, 0);
    act.answer(complete.with("Registered", "0").with("NotRegistered", "0"));
}

fn nothing(act: &mut Act<'_>, message: &str, complete: &str) {
    let id = act.request.action_id();
    act.answer(Headers::list_start(id, message));
    act.answer(Headers::list_complete(complete, id, 0));
}

fn contact_statuses(act: &mut Act<'_>) {
    let message = "Following are ContactStatusEvents for each Inbound registration";
    nothing(act, message, "ContactStatusDetailComplete");
}

fn inbound_subscriptions(act: &mut Act<'_>) {
    let message = "Following are Events for each inbound Subscription";
    nothing(act, message, "InboundSubscriptionDetailComplete");
}

fn outbound_subscriptions(act: &mut Act<'_>) {
    let message = "Following are Events for each outbound Subscription";
    nothing(act, message, "OutboundSubscriptionDetailComplete");
}

fn resource_lists(act: &mut Act<'_>) {
    act.error("No resource lists found\n");
}

fn qualify(act: &mut Act<'_>) {
    let name = act.request.text("Endpoint");
    if name.is_empty() {
        act.error("Endpoint parameter missing.");
    } else if find(act, &name).is_none() {
        act.error("Unable to retrieve endpoint\n");
    } else {
        act.success("Endpoint found, will qualify");
    }
}

/// The model registers nowhere.
fn register(act: &mut Act<'_>) {
    if act.request.text("Registration").is_empty() {
        act.error("Registration parameter missing.");
    } else {
        act.error("Unable to retrieve registration entry\n");
    }
}

/// No channel of the model comes in by PJSIP.
fn hangup(act: &mut Act<'_>) {
    if act.request.text("Channel").is_empty() {
        act.error("No channel specified");
    } else {
        act.error("No such channel");
    }
}

fn set_maintenance(act: &mut Act<'_>) {
    let name = act.request.text("Endpoint");
    if name.is_empty() {
        act.error("Endpoint parameter missing");
    } else if find(act, &name).is_none() {
        act.error(&format!("Endpoint '{name}' not found"));
    } else {
        act.error("Not simulated");
    }
}

/// Without a name only those under maintenance are listed, and none is.
fn show_maintenance(act: &mut Act<'_>) {
    let texts = [
        "Maintenance status events follow",
        "PJSIPMaintenanceStatus",
        "PJSIPMaintenanceStatusComplete",
    ];
    let name = act.request.text("Endpoint");
    let chosen: Vec<Endpoint> = find(act, &name).into_iter().collect();
    list(act, texts, &chosen, |_, endpoint, headers| {
        headers
            .with("Endpoint", &endpoint.name)
            .with("Status", "disabled")
    });
}
