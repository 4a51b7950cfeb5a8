//! The same contenders under criterion, for who works on one of them:
//! `cargo bench --manifest-path crates/ami-bench/Cargo.toml -- decode`.

use ami_bench::{GROUPS, Scale};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn all(criterion: &mut Criterion) {
    for (name, make) in GROUPS {
        let made = make(Scale::Timed);
        let mut group = criterion.benchmark_group(name);
        group.sample_size(20);
        for mut contender in made.contenders {
            group.throughput(Throughput::Elements(contender.units));
            group.bench_function(contender.name, |b| b.iter(|| contender.pass()));
        }
        group.finish();
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
