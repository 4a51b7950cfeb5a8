//! `junit.xml` holds nothing that the schema of Jenkins' xUnit plugin (junit-10.xsd, version 10 of what most CI servers read)
//! does not know. Its rules are written here as a table; of the values it only constrains times.

use ami_report::Format;
use ami_report::conformance;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::judgements::everything;

struct Rule {
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    children: &'static [&'static str],
}

const fn rule(
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    children: &'static [&'static str],
) -> Rule {
    Rule {
        name,
        required,
        optional,
        children,
    }
}

const OUTPUT: [&str; 2] = ["system-out", "system-err"];

const RULES: [Rule; 10] = [
    rule(
        "testsuites",
        &[],
        &["name", "time", "tests", "failures", "errors"],
        &["testsuite"],
    ),
    rule(
        "testsuite",
        &["name", "tests", "failures", "errors"],
        &[
            "group",
            "time",
            "skipped",
            "timestamp",
            "hostname",
            "id",
            "package",
            "file",
            "log",
            "url",
        ],
        &["testsuite", "properties", "testcase", OUTPUT[0], OUTPUT[1]],
    ),
    rule("properties", &[], &[], &["property"]),
    rule("property", &["name", "value"], &[], &[]),
    rule(
        "testcase",
        &["name"],
        &["time", "classname", "group"],
        &["skipped", "error", "failure", OUTPUT[0], OUTPUT[1]],
    ),
    rule("skipped", &[], &["type", "message"], &[]),
    rule("error", &[], &["type", "message"], &[]),
    rule("failure", &[], &["type", "message"], &[]),
    rule("system-out", &[], &[], &[]),
    rule("system-err", &[], &[], &[]),
];

/// The first breach.
fn check(xml: &str) -> Result<(), String> {
    let mut reader = Reader::from_str(xml);
    let mut open: Vec<&Rule> = Vec::new();
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(tag) => {
                let rule = element(&tag, open.last().copied())?;
                open.push(rule);
            }
            Event::Empty(tag) => {
                element(&tag, open.last().copied())?;
            }
            Event::End(_) => drop(open.pop()),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn element(tag: &BytesStart<'_>, within: Option<&Rule>) -> Result<&'static Rule, String> {
    let name = String::from_utf8_lossy(tag.name().as_ref()).into_owned();
    let rule = RULES.iter().find(|rule| rule.name == name);
    let rule = rule.ok_or_else(|| format!("<{name}> is not known"))?;
    let belongs = within.map_or(name == "testsuites", |outer| {
        outer.children.contains(&name.as_str())
    });
    if !belongs {
        return Err(format!("<{name}> does not belong there"));
    }
    let attributes = tag.attributes().map(|attribute| {
        let attribute = attribute.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(attribute.key.as_ref()), text(&attribute.value))
    });
    let attributes: Vec<(String, String)> = attributes.collect();
    for (key, value) in &attributes {
        if !rule.required.contains(&key.as_str()) && !rule.optional.contains(&key.as_str()) {
            return Err(format!("<{name}> has no {key}"));
        }
        let is_time = |c: char| c.is_ascii_digit() || ".,".contains(c);
        if key == "time" && !value.chars().all(is_time) {
            return Err(format!("<{name}> has the time {value}"));
        }
    }
    let has = |key: &str| attributes.iter().any(|(known, _)| known == key);
    match rule.required.iter().find(|key| !has(key)) {
        Some(missing) => Err(format!("<{name}> lacks {missing}")),
        None => Ok(rule),
    }
}

#[test]
fn every_junit_keeps_the_schema() {
    let (_, judged) = conformance::document(&everything(), Format::Junit).unwrap();
    let (_, load) = Format::Junit.document(crate::completed()).unwrap();
    for xml in [&judged, &load] {
        assert!(xml.contains("<testcase"), "{xml}");
        assert_eq!(check(xml), Ok(()));
    }
    assert!(
        judged.contains("skipped=\"") && judged.contains("<skipped"),
        "{judged}"
    );
    let wrong = judged.replacen("<testsuites ", "<testsuites skipped=\"1\" ", 1);
    assert_eq!(check(&wrong), Err("<testsuites> has no skipped".to_owned()));
    let wrong = load.replacen("<testcase name", "<testcase title", 1);
    assert_eq!(check(&wrong), Err("<testcase> has no title".to_owned()));
}
