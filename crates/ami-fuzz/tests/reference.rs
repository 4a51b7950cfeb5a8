//! The decoder beside the slow one, on streams made of what breaks decoders.

use ami_fuzz::dictionary::WORDS;
use ami_fuzz::{decoder, differential, round_trip};
use proptest::prelude::{ProptestConfig, Strategy, any, prop_oneof, proptest};

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop_oneof![
        8 => proptest::sample::select(&WORDS[..]).prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..90),
    ];
    proptest::collection::vec(fragment, 0..60).prop_map(|fragments| fragments.concat())
}

fn with(prefix: &[u8], stream: &[u8]) -> Vec<u8> {
    [prefix, stream].concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// read(s) is what the slow decoder reads, on both sides, within small limits and usual ones, in any reads.
    #[test]
    fn the_decoder_reads_what_the_slow_one_reads(stream in stream(), setup in 0..4_u8, len in any::<u8>()) {
        differential::run(&with(&[setup, len], &stream));
    }

    /// No byte is lost or made up, and what is there is found.
    #[test]
    fn every_byte_is_in_a_frame_or_counted(stream in stream(), setup in 0..4_u8) {
        decoder::decode(&with(&[setup], &stream));
    }

    /// decode(encode(a)) = a, and encode(decode(b)) decodes to the same.
    #[test]
    fn actions_go_over_the_wire_and_back(stream in stream()) {
        round_trip::run(&stream);
    }
}
