//! How fast bytes become frames, beside `httparse` on the same header blocks in the same run, and whether the time
//! stays linear when one large message comes in small reads.

use std::hint::black_box;

use ami_proto::{Decoder, Limits};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

mod stream;

const STREAM_LEN: usize = 50_000_000;
/// What ami-client reads at a time.
const READ_LEN: usize = 64 * 1024;
/// The payload of one Ethernet segment.
const SEGMENT_LEN: usize = 1460;
const LOOKUPS: [&str; 3] = ["Event", "Uniqueid", "Channel"];

fn owned_with_lookups(stream: &[u8]) -> usize {
    let mut decoder = Decoder::client(Limits::default());
    let mut found = 0;
    for mut read in stream.chunks(READ_LEN) {
        while let Some(frame) = decoder.decode(&mut read) {
            let owned = frame.to_owned();
            let frame = black_box(&owned).as_frame();
            found += LOOKUPS
                .iter()
                .filter_map(|name| frame.get(name))
                .map(<[u8]>::len)
                .sum::<usize>();
        }
    }
    found
}

fn borrowed_with_lookups(stream: &[u8]) -> usize {
    let mut decoder = Decoder::client(Limits::default());
    let mut found = 0;
    for mut read in stream.chunks(READ_LEN) {
        while let Some(frame) = decoder.decode(&mut read) {
            found += LOOKUPS
                .iter()
                .filter_map(|name| frame.get(name))
                .map(<[u8]>::len)
                .sum::<usize>();
        }
    }
    found
}

fn borrowed(stream: &[u8], read_len: usize) -> usize {
    let mut decoder = Decoder::client(Limits::default());
    let mut frames = 0;
    for mut read in stream.chunks(read_len) {
        while let Some(frame) = decoder.decode(&mut read) {
            black_box(frame.bytes());
            frames += 1;
        }
    }
    frames
}

/// The headers only, and no copy: httparse has neither owned blocks nor lookup. The array is used again.
fn httparse_blocks(stream: &[u8]) -> usize {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut rest = stream;
    let mut blocks = 0;
    while !rest.is_empty() {
        match httparse::parse_headers(rest, &mut headers) {
            Ok(httparse::Status::Complete((len, parsed))) => {
                black_box(parsed);
                rest = &rest[len..];
                blocks += 1;
            }
            other => panic!("the generated stream is one that httparse takes: {other:?}"),
        }
    }
    blocks
}

fn events(criterion: &mut Criterion) {
    let stream = stream::events(STREAM_LEN);
    assert_eq!(
        borrowed(&stream, READ_LEN),
        httparse_blocks(&stream),
        "both see the same messages"
    );
    let mut group = criterion.benchmark_group("events");
    group
        .throughput(Throughput::Bytes(stream.len() as u64))
        .sample_size(20);
    group.bench_function("ami-proto owned, 3 lookups", |b| {
        b.iter(|| owned_with_lookups(&stream))
    });
    group.bench_function("httparse", |b| b.iter(|| httparse_blocks(&stream)));
    group.bench_function("ami-proto borrowed, 3 lookups", |b| {
        b.iter(|| borrowed_with_lookups(&stream));
    });
    group.bench_function("ami-proto borrowed", |b| {
        b.iter(|| borrowed(&stream, READ_LEN))
    });
    group.bench_function("ami-proto borrowed, 1460-byte reads", |b| {
        b.iter(|| borrowed(&stream, SEGMENT_LEN));
    });
    group.finish();
}

fn one_message(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one message in 1460-byte reads");
    for megabytes in [1, 2, 4] {
        let mut message = b"Response: Success\r\n".to_vec();
        while message.len() < megabytes * 1_000_000 {
            message.extend_from_slice(b"Output: PJSIP/1000-00000001  default  1000  Up\r\n");
        }
        message.extend_from_slice(b"\r\n");
        assert_eq!(borrowed(&message, SEGMENT_LEN), 1);
        group
            .throughput(Throughput::Bytes(message.len() as u64))
            .sample_size(20);
        group.bench_function(format!("{megabytes} MB"), |b| {
            b.iter(|| borrowed(&message, SEGMENT_LEN));
        });
    }
    group.finish();
}

/// The ratios that count, by turns: on a shared machine the neighbours then disturb both sides alike.
#[expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock"
)]
#[expect(
    clippy::print_stdout,
    reason = "the figures are for whoever runs the benchmark"
)]
fn ratios(_: &mut Criterion) {
    type Contender = (&'static str, fn(&[u8]) -> usize);
    const ROUNDS: usize = 41;
    const CONTENDERS: [Contender; 4] = [
        ("httparse", httparse_blocks),
        ("owned, 3 lookups", owned_with_lookups),
        ("borrowed, 3 lookups", borrowed_with_lookups),
        ("borrowed", |stream| borrowed(stream, READ_LEN)),
    ];
    let stream = stream::events(STREAM_LEN);
    let mut seconds = CONTENDERS.map(|_| Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        for ((_, run), seconds) in CONTENDERS.iter().zip(&mut seconds) {
            let start = std::time::Instant::now();
            black_box(run(&stream));
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    for ((name, _), taken) in CONTENDERS.iter().zip(&seconds) {
        let median = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let ratio = median(
            seconds[0]
                .iter()
                .zip(taken)
                .map(|(anchor, own)| anchor / own)
                .collect(),
        );
        let best = taken.iter().copied().fold(f64::INFINITY, f64::min);
        let megabytes = stream.len() as f64 / 1e6;
        println!(
            "{name:20} median {:5.0} MB/s, best {:5.0} MB/s, {ratio:.2} x httparse",
            megabytes / median(taken.clone()),
            megabytes / best,
        );
    }
}

criterion_group!(benches, events, one_message, ratios);
criterion_main!(benches);
