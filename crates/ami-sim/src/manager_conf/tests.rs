//! What Asterisk 16.28 and 22.10 make of a manager.conf: users, rights and refusals as they showed them.

use super::*;

const HEAD: &str = "[general]\nenabled = yes\nbindaddr = 127.0.0.1\n";

fn parse(profile: &str, text: &str) -> Result<ManagerConf, Note> {
    ManagerConf::parse(text, &Profile::named(profile).unwrap())
}

fn read(text: &str) -> ManagerConf {
    parse("asterisk-22", &format!("{HEAD}{text}")).unwrap()
}

/// The account `a` of a file, and the warnings about it.
fn account(text: &str) -> (Option<Account>, Vec<String>) {
    let conf = read(text);
    let warnings = conf.warnings.iter().map(Note::to_string).collect();
    (conf.accounts.find("A").cloned(), warnings)
}

#[test]
fn an_account_has_what_its_section_says_and_else_nothing() {
    let (a, warnings) = account("[a]\nsecret = x;y\nread = call, user\nwrite = call,,user\n");
    let a = a.unwrap();
    assert_eq!((a.secret.as_deref(), a.read), (Some("x"), Classes::CALL));
    assert_eq!(a.write, Classes::ALL, "an empty item grants all");
    assert_eq!(a.write_timeout, Duration::from_millis(100));
    assert!(warnings.is_empty());
    assert!(
        read("[a]\nsecret = 1\n")
            .accounts
            .find("a")
            .unwrap()
            .read
            .is_empty()
    );
}

#[test]
fn an_empty_secret_is_one_and_a_line_without_a_value_is_none() {
    let secret = |text: &str| account(text).0.unwrap().secret;
    for text in ["secret =", "secret = ;x", "secret = 1\nsecret ="] {
        assert_eq!(
            secret(&format!("[a]\n{text}\n")).as_deref(),
            Some(""),
            "{text}"
        );
    }
    assert_eq!(secret("[a]\nread = call\n"), None);
    assert_eq!(secret("[a]\nsecret\n"), None);
}

#[test]
fn a_later_value_and_a_later_section_of_the_same_name_stand() {
    let (a, _) = account("[a]\nsecret=1\nsecret=2\nread=call\nwritetimeout=300\n[A]\nread=user\n");
    let a = a.unwrap();
    assert_eq!((a.secret.as_deref(), a.read), (Some("2"), Classes::USER));
    assert_eq!(a.write_timeout, Duration::from_millis(300));
}

#[test]
fn access_lists_and_filters_of_an_earlier_section_do_not_stand() {
    let (a, _) = account("[a]\nsecret=1\ndeny=0.0.0.0/0\neventfilter=!A\n[a]\neventfilter=!B\n");
    let a = a.unwrap();
    assert_eq!(a.secret.as_deref(), Some("1"));
    assert!(a.acl.permits([127, 0, 0, 1].into()));
    assert!(a.filters.pass(b"A") && !a.filters.pass(b"B"));
}

#[test]
fn general_comes_first_wherever_it_stands() {
    let text = "[a]\nsecret=1\n[b]\nallowmultiplelogin=yes\n[general]\nallowmultiplelogin = nope\ndisplayconnects = 0\n";
    let conf = read(text);
    let of = |name: &str| {
        let account = conf.accounts.find(name).unwrap();
        (account.multiple_login, account.notices)
    };
    assert_eq!(of("a"), (MultipleLogin::Refused, Notices::Hidden));
    assert_eq!(of("b"), (MultipleLogin::Allowed, Notices::Hidden));
}

#[test]
fn settings_are_taken_where_asterisk_takes_them() {
    let conf = read(
        "authtimeout = 5s\nauthlimit = 0\nhttptimeout = abc\nchannelvars = A,, B\ndisabledevents = X, Y\n\
         brokeneventsaction = y\nwebenabled = on\ntimestampevents = yes\nfoo\ndebug = on\nwrong = 1\n",
    );
    assert_eq!(conf.accounts.auth_timeout, Duration::from_secs(5));
    assert_eq!(conf.accounts.auth_limit, 50);
    assert_eq!(conf.settings.http_timeout(), Duration::from_secs(60));
    assert_eq!(conf.channel_variables, ["A", "", " B"]);
    assert_eq!(conf.settings.disabled_events, ["X", "Y"]);
    assert_eq!(
        (conf.settings.events_answer, conf.settings.web),
        (EventsAnswer::Broken, Web::Enabled)
    );
    assert!(conf.timestamp_events);
    let warned: Vec<String> = conf.warnings.iter().map(Note::to_string).collect();
    assert_eq!(
        warned,
        [
            "12:1: a line without \"=\" says nothing",
            "5:1: authlimit is a number from 1: the default stands",
            "6:1: httptimeout is a number from 1: the default stands",
            "13:1: debug headers are not simulated",
            "14:1: wrong is no key of [general]",
        ]
    );
}

#[test]
fn a_bad_network_takes_the_account_away_and_a_bad_number_nothing() {
    let (a, warnings) = account("[a]\nsecret=1\npermit = 10.0.0.0/8&127.0.0.1/32\n");
    assert!(a.is_none());
    assert_eq!(
        warnings,
        [
            "6:1: there is no account \"a\": \"10.0.0.0/8&127.0.0.1/32\" is no address, address/bits or address/mask"
        ]
    );
    let (a, warnings) = account("[a]\nsecret=1\nwritetimeout = 99\nfoo = 1\n");
    assert_eq!(a.unwrap().write_timeout, Duration::from_millis(100));
    assert_eq!(warnings.len(), 2);
}

#[test]
fn every_named_list_must_let_an_address_in_and_one_that_is_not_there_lets_none() {
    let files = |name: &str| {
        match name {
        "acl.conf" => vec![(
            name.to_owned(),
            "[near]\ndeny = 0.0.0.0/0\npermit = 127.0.0.0/8\n[ten]\ndeny = 0.0.0.0/0\npermit = 10.0.0.0/8\n"
                .to_owned(),
        )],
        _ => Vec::new(),
    }
    };
    let check = |text: &str, near: bool, ten: bool| {
        let profile = Profile::named("asterisk-22").unwrap();
        let text = format!("[a]\nsecret = 1\n{text}");
        let conf = ManagerConf::parse_among(&text, &files, &profile).unwrap();
        let acl = &conf.accounts.find("a").unwrap().acl;
        let permits = [[127, 0, 0, 1], [10, 0, 0, 1]].map(|address| acl.permits(address.into()));
        assert_eq!(permits, [near, ten], "{text}");
    };
    check("acl = near\n", true, false);
    check("acl = near\nacl = ten\n", false, false);
    check("acl = ten\ndeny = 10.0.0.1\n", false, false);
    check("acl = nosuch\n", false, false);
    check("", true, true);
}

#[test]
fn an_account_may_set_variables() {
    let (a, warnings) = account("[a]\nsetvar = A=1\nsetvar = B=2=3\nsetvar = C\n");
    let names = [("A", "1"), ("B", "2=3")];
    let names = names.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(a.unwrap().variables, names);
    assert!(warnings.is_empty());
}

#[test]
fn filters_with_criteria_are_unknown_to_older_releases() {
    let event = b"Event: VarSet\r\nPrivilege: dialplan,all\r\n\r\n";
    for (profile, passes, warnings) in [("asterisk-22", false, 1), ("asterisk-16", true, 2)] {
        let text = "[a]\neventfilter(action(exclude),name(VarSet)) =\neventfilter = (\n";
        let conf = parse(profile, text).unwrap();
        assert_eq!(
            conf.accounts.find("a").unwrap().filters.pass(event),
            passes,
            "{profile}"
        );
        assert_eq!(
            conf.warnings.len(),
            warnings,
            "{profile}: {:?}",
            conf.warnings
        );
    }
}

#[test]
fn a_vendor_may_refuse_what_asterisk_takes() {
    let fault = |text: &str| parse("ucm6xxx", text).unwrap_err().to_string();
    assert!(fault("[bench]\n").starts_with("1:1: the user name \"bench\" is shorter than"));
    let secret = fault("\n[amibench]\nsecret = hunter\n");
    assert!(
        secret.starts_with("2:1: the secret of \"amibench\" lacks a digit")
            && !secret.contains("hunter")
    );
    let conf = parse(
        "ucm6xxx",
        "[amibench]\nsecret=hunter2\n[permitted]\nsecret=hunter2\npermit = 127.0.0.1/32\n",
    )
    .unwrap();
    let local = [127, 0, 0, 1].into();
    assert!(!conf.accounts.find("amibench").unwrap().acl.permits(local));
    let acl = &conf.accounts.find("permitted").unwrap().acl;
    assert!(acl.permits(local) && !acl.permits([10, 0, 0, 1].into()));
}
