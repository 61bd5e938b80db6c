//! The formulas, held against sizes worked out by hand.

use super::need::*;
use crate::hub::{EmbeddedModel, ModelFiles};
use crate::model::cache::CacheOptions;
use crate::model::config::ModelConfig;
use crate::model::loader::Compute;
use crate::model::weights::{Checkpoint, Dtype};

const CPU: Compute = Compute {
    on_gpu: false,
    own_kernels: true,
};
const GPU: Compute = Compute {
    on_gpu: true,
    own_kernels: false,
};

fn classroom(model: EmbeddedModel) -> (Checkpoint, ModelConfig) {
    let files = ModelFiles::embedded(model);
    let config =
        ModelConfig::from_bytes("classroom", files.read("config.json").unwrap().as_deref())
            .unwrap();
    (files.checkpoint().unwrap(), config)
}

#[test]
fn weights_are_counted_as_they_are_held() {
    let (four_bits, _) = classroom(EmbeddedModel::Classroom4);
    let stored = four_bits.n_bytes();
    assert_eq!(weight_bytes(four_bits.infos(), GPU), stored);
    let packed: u64 = four_bits
        .infos()
        .filter(|info| info.dtype == Dtype::U32)
        .map(|info| info.n_bytes as u64)
        .sum();
    assert_eq!(
        weight_bytes(four_bits.infos(), CPU),
        packed + 2 * (stored - packed)
    );
    let (half, _) = classroom(EmbeddedModel::Classroom16);
    let on_cpu = weight_bytes(half.infos(), CPU);
    assert!(on_cpu > half.n_bytes() && on_cpu < half.n_bytes() + half.n_bytes() / 50);
    let for_mlx = Compute {
        own_kernels: false,
        ..CPU
    };
    assert_eq!(weight_bytes(half.infos(), for_mlx), 2 * half.n_bytes());
}

#[test]
fn the_cache_grows_in_chunks() {
    let (_, config) = classroom(EmbeddedModel::Classroom4);
    let plain = CacheOptions::default();
    let of = |n_positions: usize| cache_bytes(&config, &plain, n_positions, CPU);
    assert_eq!(of(0), 0);
    // 2 · 6 layers · 2 heads · 32 wide · 256 positions · 4 bytes
    assert_eq!(of(1), 786_432);
    assert_eq!((of(256), of(257)), (786_432, 2 * 786_432));
    assert_eq!(cache_bytes(&config, &plain, 1, GPU), 786_432 / 2);
    let rotating = CacheOptions {
        max_size: Some(256),
        ..plain
    };
    assert_eq!(cache_bytes(&config, &rotating, 100_000, CPU), 786_432);
    let quantized = CacheOptions {
        bits: Some(8),
        ..plain
    };
    // One byte a value, and 8 bytes of scale and bias per group of 32.
    assert_eq!(
        cache_bytes(&config, &quantized, 1, CPU),
        786_432 / 4 + 786_432 / 4 / 32 * 8
    );
}

#[test]
fn a_pass_needs_more_the_longer_it_is() {
    let (_, config) = classroom(EmbeddedModel::Classroom4);
    let plain = CacheOptions::default();
    let of = |n_new: usize, n_logit_rows: usize| {
        let pass = PassSize {
            n_before: 0,
            n_new,
            n_logit_rows,
        };
        activation_bytes(&config, &plain, pass, CPU)
    };
    assert!(of(1, 1) < 5_000_000);
    // Two maps of 6 heads · 512 · 512 in float32 are 12.6 MB.
    assert!(
        (17_000_000..25_000_000).contains(&of(512, 1)),
        "{}",
        of(512, 1)
    );
    assert!(of(512, 512) > 16_000_000);
    let pass = PassSize {
        n_before: 250,
        n_new: 10,
        n_logit_rows: 1,
    };
    assert_eq!(
        MemoryNeed::of_pass(&config, &plain, pass, CPU).cache,
        786_432
    );
}

#[test]
fn what_does_not_fit_is_refused_with_figures_and_advice() {
    let need = MemoryNeed {
        weights: 14_000_000_000,
        cache: 500_000_000,
        activations: 100_000_000,
    };
    assert!(need.check(16_000_000_000).is_ok());
    // It would just fit, but leave nothing to the rest of the machine.
    assert!(need.check(need.total()).is_err());
    let message = need.check(8_000_000_000).unwrap_err().to_string();
    for part in [
        "14.6 GB would be needed",
        "weights 14.0 GB",
        "500 MB",
        "8.0 GB are free",
        "smaller model",
    ] {
        assert!(message.contains(part), "{message}\nlacks: {part}");
    }
    let long = MemoryNeed {
        weights: 0,
        cache: 9 << 30,
        activations: 1 << 20,
    };
    let message = long.check(1 << 30).unwrap_err().to_string();
    assert!(
        message.contains("--max-kv-size") && message.contains("--kv-bits"),
        "{message}"
    );
}

#[test]
fn an_absurd_size_is_refused_and_does_not_wrap_around() {
    let (checkpoint, config) = classroom(EmbeddedModel::Classroom4);
    let pass = PassSize {
        n_before: usize::MAX,
        n_new: usize::MAX,
        n_logit_rows: usize::MAX,
    };
    let need = MemoryNeed::of_pass(&config, &CacheOptions::default(), pass, CPU);
    assert!(need.check(u64::MAX / 2).is_err());
    let load = MemoryNeed::of_load(&checkpoint, &config, CPU);
    assert!(load.weights > 1_700_000 && load.total() < 10_000_000);
    assert!(
        load.check(crate::engine::memory::available().unwrap())
            .is_ok()
    );
}
