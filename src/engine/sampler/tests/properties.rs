//! What must hold for any logits and settings.

use proptest::prelude::*;

use super::super::softmax::exp;
use super::super::*;

prop_compose! {
    /// Settings within their ranges, each filter on or off.
    fn any_params()(
        temperature in 0.05_f32..3.0,
        top_p in prop_oneof![Just(1.0_f32), 0.01_f32..1.0],
        min_p in prop_oneof![Just(0.0_f32), 0.001_f32..1.0],
        top_k in prop_oneof![Just(0_usize), 1_usize..60],
        xtc_probability in prop_oneof![Just(0.0_f32), 0.0_f32..=1.0],
        xtc_threshold in 0.0_f32..=0.5,
        xtc_special_tokens in prop::collection::vec(0_u32..50, 0..4),
        repetition_penalty in 0.5_f32..2.0,
        frequency_penalty in -1.0_f32..1.0,
    ) -> SamplingParams {
        SamplingParams {
            temperature, top_p, min_p, top_k, xtc_probability, xtc_threshold, xtc_special_tokens,
            repetition_penalty, frequency_penalty, ..SamplingParams::default()
        }
    }
}

/// Logits of any spread, some of them equal.
fn any_logits() -> impl Strategy<Value = Vec<f32>> {
    let logit = prop_oneof![
        -30.0_f32..30.0,
        (-3_i8..3).prop_map(f32::from),
        Just(-0.0_f32)
    ];
    prop::collection::vec(logit, 1..50)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_recorded_draw_replays_to_itself(
        params in any_params(), logits in any_logits(), seed: u64, history in prop::collection::vec(0_u32..50, 0..30)
    ) {
        let mut sampler = Sampler::new(params.clone(), seed).unwrap();
        let draw = sampler.sample(&logits, &history).unwrap();
        let written = serde_json::to_string(&draw).unwrap();
        let read: Draw = serde_json::from_str(&written).unwrap();
        prop_assert_eq!((read.random, read.xtc_coin), (draw.random, draw.xtc_coin));
        prop_assert_eq!(replay(&params, &logits, &history, &read).unwrap(), draw);
    }

    #[test]
    fn the_view_shows_the_curve_that_was_drawn_from(
        params in any_params(), logits in any_logits(), seed: u64
    ) {
        let draw = Sampler::new(params.clone(), seed).unwrap().sample(&logits, &[]).unwrap();
        let seen = filtered(&params, &logits, &[], Some(&draw), usize::MAX).unwrap();
        prop_assert_eq!(seen.candidates.len(), logits.len());
        prop_assert_eq!(seen.n_kept, draw.n_candidates);
        let n_kept = seen.candidates.iter().filter(|c| c.excluded.is_none()).count();
        prop_assert_eq!(n_kept, draw.n_candidates);
        let drawn = seen.candidates.iter().find(|c| c.token == draw.token).unwrap();
        prop_assert!(drawn.excluded.is_none());
        prop_assert!((drawn.share - draw.share).abs() < 1e-9);
        let random = draw.random.unwrap();
        prop_assert!(drawn.cumulative - drawn.share <= random + 1e-9);
        prop_assert!(random <= drawn.cumulative + 1e-9);
        prop_assert!((seen.candidates.last().unwrap().cumulative - 1.0).abs() < 1e-9);
    }

    #[test]
    fn probabilities_after_each_filter_sum_to_one(
        params in any_params(), logits in any_logits(), seed: u64
    ) {
        let draw = Sampler::new(params.clone(), seed).unwrap().sample(&logits, &[]).unwrap();
        let seen = filtered(&params, &logits, &[], Some(&draw), usize::MAX).unwrap();
        for i in 0..seen.stages.len() {
            let sum: f64 = seen.candidates.iter().map(|c| c.probabilities[i]).sum();
            prop_assert!((sum - 1.0).abs() < 1e-6, "stage {} sums to {}", i, sum);
            let n_kept = seen.candidates.iter().filter(|c| c.probabilities[i] > 0.0).count();
            prop_assert!(n_kept <= seen.stages[i].n_kept);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_tokens(params in any_params(), seed: u64) {
        let logits: Vec<f32> = (0..50).map(|i| (i as f32).sin()).collect();
        let tokens = || {
            let mut sampler = Sampler::new(params.clone(), seed).unwrap();
            let draws = (0..20).map(|_| sampler.sample(&logits, &[]).unwrap());
            draws.collect::<Vec<Draw>>()
        };
        prop_assert_eq!(tokens(), tokens());
    }

    #[test]
    fn our_exponential_is_right_to_float32(x in -87.0_f32..=0.0) {
        let right = f64::from(x).exp();
        prop_assert!((f64::from(exp(x)) - right).abs() <= 3e-7 * right);
    }

    #[test]
    fn log_probabilities_sum_to_one(logits in prop::collection::vec(-40.0_f32..40.0, 1..700)) {
        let n = logits.len();
        let sum: f64 = top_logprobs(&logits, n).unwrap().iter().map(|t| f64::from(t.logprob).exp()).sum();
        prop_assert!((sum - 1.0).abs() < 1e-5, "{}", sum);
    }
}

#[test]
fn tokens_come_as_often_as_their_shares_say() {
    let params = SamplingParams {
        temperature: 0.8,
        top_p: 0.95,
        ..SamplingParams::default()
    };
    let logits: Vec<f32> = (0..20).map(|i| 3.0 * (i as f32).sin()).collect();
    let mut sampler = Sampler::new(params.clone(), 42).unwrap();
    let n_draws = 20_000;
    let mut counts = [0.0_f64; 20];
    for _ in 0..n_draws {
        counts[sampler.sample(&logits, &[]).unwrap().token as usize] += 1.0;
    }
    for candidate in filtered(&params, &logits, &[], None, 20)
        .unwrap()
        .candidates
    {
        let expected = candidate.share * f64::from(n_draws);
        let deviation = (counts[candidate.token as usize] - expected).abs();
        // Five standard deviations of a count.
        assert!(
            deviation <= 5.0 * expected.sqrt(),
            "{candidate:?}: {deviation}"
        );
    }
}

#[test]
fn a_vocabulary_as_large_as_real_ones_goes_through_the_same_order() {
    // Every bucket holds many tokens here, and some thousands are equal.
    let noise = |i: u32| (i.wrapping_mul(2_654_435_761) >> 16) as f32 / 65_536.0;
    let logits: Vec<f32> = (0..40_000)
        .map(|i| (12.0 * noise(i)).powi(2) / 12.0)
        .collect();
    let params = SamplingParams {
        temperature: 1.0,
        top_p: 0.97,
        ..SamplingParams::default()
    };
    let seen = filtered(&params, &logits, &[], None, usize::MAX).unwrap();
    let is_before = |pair: &[Candidate]| {
        let (a, b) = (&pair[0], &pair[1]);
        a.logit > b.logit || (a.logit == b.logit && a.token < b.token)
    };
    assert!(seen.candidates.windows(2).all(is_before));
    for i in 0..40 {
        let random = f64::from(i) / 40.0;
        let draw = super::super::choose(&params, &logits, &[], Some(random), None).unwrap();
        let pointed = seen
            .candidates
            .iter()
            .find(|c| c.cumulative > random)
            .unwrap();
        assert_eq!(draw.token, pointed.token);
    }
}
