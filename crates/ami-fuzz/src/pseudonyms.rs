//! Pseudonyms: what was replaced stays replaced, is the same everywhere, and no number of anybody is left.

use ami_report::pseudonym::Pseudonyms;

/// So many digits in a row are somebody's number.
const NUMBER_MIN: usize = 3;

/// Each line as the sentence of a PBX, then as a header.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines: Vec<&str> = text
        .split(['\r', '\n'])
        .filter(|line| !line.is_empty())
        .collect();
    sentences(&lines);
    headers(&lines);
}

fn sentences(lines: &[&str]) {
    let mut names = Pseudonyms::default();
    let once: Vec<String> = lines.iter().map(|line| names.peer_text(line)).collect();
    for (line, once) in lines.iter().zip(&once) {
        assert_eq!(names.peer_text(line), *once, "{line:?} is the same later");
        assert_eq!(names.peer_text(once), *once, "{line:?} again");
        let numbers = once.split(|c: char| !c.is_numeric());
        let longest = numbers.map(|number| number.chars().count()).max();
        assert!(
            longest.unwrap_or(0) < NUMBER_MIN,
            "{line:?} became {once:?}"
        );
    }
}

/// Headers are disguised in two passes, since a sentence may name somebody who is met later; a third changes nothing.
fn headers(lines: &[&str]) {
    let mut names = Pseudonyms::default();
    let mut pass = || -> Vec<String> { lines.iter().map(|line| names.line(line)).collect() };
    pass();
    let second = pass();
    assert_eq!(pass(), second);
    for (line, disguised) in lines.iter().zip(&second) {
        let name = |line: &str| line.split_once(':').map(|(name, _)| name.to_owned());
        assert_eq!(name(line), name(disguised), "the header keeps its name");
    }
}
