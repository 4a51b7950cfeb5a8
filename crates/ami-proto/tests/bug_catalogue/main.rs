//! The cases of the client bug catalogue that a decoder can answer, each by its id (W wire, D correlation, S connection,
//! Q quirk of a dialect, F found by fuzzing). Bytes and expectations are files in `corpora/frames`; correlation of answers is tested in
//! `session/tests.rs`, outgoing values (O) in `action.rs`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accessors;
mod corpus;
mod grammar;
mod limits;

use corpus::{Sighting, check, each_case, expected_of, sightings};

#[test]
fn w01_an_empty_last_header_is_kept() {
    check("w01");
}

#[test]
fn w02_no_space_after_the_colon() {
    check("w02");
}

#[test]
fn w03_one_line_ended_by_lf_alone() {
    check("w03");
}

#[test]
fn w04_an_empty_line_ended_by_lf_alone_ends_the_message() {
    check("w04");
}

#[test]
fn w05_empty_messages_are_none() {
    check("w05");
}

#[test]
fn w06_a_line_without_colon_harms_nothing() {
    check("w06");
}

#[test]
fn w07_repeated_headers_are_kept_in_order() {
    check("w07");
}

#[test]
fn w08_latin_1_bytes_stay() {
    check("w08");
}

#[test]
fn w09_a_character_may_be_split_between_reads() {
    check("w09");
}

#[test]
fn w11_blanks_of_a_value_stay() {
    check("w11");
}

#[test]
fn w12_colons_of_a_value_stay() {
    check("w12");
}

#[test]
fn w13_names_have_no_magic() {
    check("w13");
}

#[test]
fn w14_a_value_of_twelve_thousand_bytes() {
    check("w14");
}

#[test]
fn w15_six_hundred_output_lines() {
    check("w15");
}

#[test]
fn w16_seventy_kilobytes_of_output() {
    check("w16");
}

#[test]
fn w17_command_text_with_blank_lines_and_colons() {
    check("w17");
}

#[test]
fn w18_command_text_without_a_last_line_end() {
    check("w18");
}

#[test]
fn w20_names_with_brackets_slashes_and_spaces() {
    check("w20");
}

#[test]
fn w21_reads_of_one_byte() {
    check("w21");
}

#[test]
fn w22_nul_in_a_value_stays() {
    check("w22");
}

#[test]
fn w24_raw_text_is_one_unclassified_frame() {
    check("w24");
}

#[test]
fn w26_a_message_without_its_head_is_unclassified() {
    check("w26");
}

#[test]
fn w27_names_of_one_byte() {
    check("w27");
}

#[test]
fn w28_every_split_of_the_message_ends() {
    check("w28");
}

#[test]
fn w29_a_failed_command_has_its_output() {
    check("w29");
}

#[test]
fn w30_empty_output_lines_are_kept() {
    check("w30");
}

#[test]
fn d01_an_event_is_an_event_whatever_it_carries() {
    check("d01");
    check("d01-response-first");
}

#[test]
fn d01_response_follows_inside_a_user_event_opens_no_body() {
    check("d01-follows");
}

#[test]
fn d08_an_error_without_action_id_is_a_response() {
    check("d08");
}

#[test]
fn d10_a_state_given_twice_is_kept_twice() {
    check("d10");
}

#[test]
fn d12_variable_has_no_magic() {
    check("d12");
}

#[test]
fn s03_a_torn_message_is_reported_at_the_end() {
    check("s03");
}

#[test]
fn s10_strange_banners_and_none() {
    check("s10-none");
    check("s10-proxy");
    check("s10-long");
}

#[test]
fn q02_an_empty_line_after_the_banner() {
    check("q02");
}

#[test]
fn q04_command_text_of_any_shape() {
    check("q04-empty");
    check("q04-marker");
}

#[test]
fn q05_command_text_whose_last_line_ends_with_cr_lf() {
    check("q05");
}

#[test]
fn q06_literal_backslashes_before_the_marker() {
    check("q06");
}

#[test]
fn q07_command_text_without_privilege_and_text_that_looks_like_headers() {
    check("q07");
    check("q07-after");
}

#[test]
fn f01_a_header_before_command_text_ended_by_lf_alone() {
    check("f01");
}

#[test]
fn f02_a_header_without_a_name() {
    check("f02");
}

#[test]
fn q10_an_item_closed_twice() {
    check("q10");
}

#[test]
fn q15_names_that_differ_in_case_only() {
    check("q15");
}

/// Holds also for files that no test above names.
#[test]
fn every_file_is_decoded_as_its_sidecar_says() {
    let mut cases = 0;
    each_case(|path, wire| {
        assert_eq!(sightings(&[wire]), expected_of(path), "{}", path.display());
        cases += 1;
    });
    assert!(cases >= 45, "the corpus is there");
}

/// A case in `malformed` names an anomaly somewhere, or is Unclassified; one in `valid` does neither.
#[test]
fn malformed_files_show_it_and_valid_ones_show_nothing() {
    each_case(|path, wire| {
        let odd = sightings(&[wire]).iter().any(Sighting::is_odd);
        let class = path.parent().and_then(|class| class.file_name()).unwrap();
        match class.to_str().unwrap() {
            "valid" => assert!(!odd, "{}", path.display()),
            "malformed" => assert!(odd, "{}", path.display()),
            _ => {}
        }
    });
}

/// The grammar derives what is labelled valid, and nothing that is labelled malformed.
#[test]
fn the_labels_are_those_of_the_grammar() {
    each_case(|path, wire| {
        let class = path.parent().and_then(|class| class.file_name()).unwrap();
        match class.to_str().unwrap() {
            "valid" => assert!(grammar::derives(wire), "{}", path.display()),
            "malformed" => assert!(!grammar::derives(wire), "{}", path.display()),
            _ => {}
        }
    });
}
