//! Facts about single steps; the folder holds the properties and the comparison with mlx-lm.

mod against_mlx_lm;
mod properties;

use std::collections::BTreeMap;

use super::*;

fn params() -> SamplingParams {
    SamplingParams {
        temperature: 1.0,
        ..Default::default()
    }
}

/// Logits whose softmax is `shares`.
fn logits(shares: &[f64]) -> Vec<f32> {
    shares.iter().map(|share| share.ln() as f32).collect()
}

/// The token that `random` points at.
fn pointed(params: &SamplingParams, logits: &[f32], random: f64) -> u32 {
    choose(params, logits, &[], Some(random), None)
        .unwrap()
        .token
}

#[test]
fn greedy_takes_the_lowest_id_among_equals() {
    let mut sampler = Sampler::new(SamplingParams::default(), 0).unwrap();
    let draw = sampler.sample(&[0.5, 2.0, -1.0, 2.0], &[]).unwrap();
    assert_eq!((draw.token, draw.random, draw.share), (1, None, 1.0));
    assert!((f64::from(draw.logprob).exp() - 0.4400).abs() < 1e-4);
}

#[test]
fn the_curve_begins_with_the_most_probable_token_and_equal_ones_go_by_id() {
    let logits = logits(&[0.1, 0.4, 0.1, 0.4]);
    let drawn = [0.0, 0.39, 0.41, 0.79, 0.81, 0.89, 0.91, 0.9999]
        .map(|random| pointed(&params(), &logits, random));
    assert_eq!(drawn, [1, 1, 3, 3, 0, 0, 2, 2]);
}

#[test]
fn zero_and_minus_zero_are_equal_logits() {
    assert_eq!(pointed(&params(), &[-0.0, 0.0], 0.0), 0);
    assert_eq!(pointed(&params(), &[0.0, -0.0], 0.0), 0);
}

#[test]
fn a_tiny_temperature_is_nearly_greedy_and_no_error() {
    let cold = SamplingParams {
        temperature: 1e-42,
        ..params()
    };
    assert_eq!(pointed(&cold, &[1.0, 1.5, 1.4], 0.999), 1);
}

#[test]
fn xtc_tosses_a_coin_of_its_own_and_records_it() {
    let sometimes = SamplingParams {
        xtc_probability: 0.5,
        ..params()
    };
    let logits = logits(&[0.5, 0.3, 0.15, 0.05]);
    let mut sampler = Sampler::new(sometimes, 5).unwrap();
    let mut n_struck = 0;
    for _ in 0..400 {
        let draw = sampler.sample(&logits, &[]).unwrap();
        let struck = draw.xtc_coin.unwrap() <= 0.5;
        // 0.5 and 0.3 are above the threshold and not the last to be.
        assert_eq!(draw.n_candidates, if struck { 2 } else { 4 });
        n_struck += u32::from(struck);
    }
    assert!((160..240).contains(&n_struck), "{n_struck} of 400");
}

#[test]
fn what_xtc_leaves_can_be_drawn_at_any_temperature() {
    let cold = SamplingParams {
        xtc_probability: 1.0,
        xtc_threshold: 0.0,
        temperature: 0.01,
        ..params()
    };
    // The one token left is e^-1000 times as heavy as the highest was at this temperature.
    let draw = choose(&cold, &[10.0, 0.0, 4.0], &[], Some(0.3), Some(0.0)).unwrap();
    assert_eq!((draw.token, draw.share, draw.n_candidates), (1, 1.0, 1));
    let seen = filtered(&cold, &[10.0, 0.0, 4.0], &[], Some(&draw), 3).unwrap();
    assert!((seen.candidates[2].probabilities[0] - 1.0).abs() < 1e-6);
}

#[test]
fn top_k_counts_what_xtc_left() {
    let both = SamplingParams {
        xtc_probability: 1.0,
        xtc_threshold: 0.1,
        xtc_special_tokens: vec![1, 2, 3],
        top_k: 1,
        ..params()
    };
    // Token 0 and 4 go, token 5 is the least above the threshold; the special token 1 is first.
    let logits = logits(&[0.2, 0.19, 0.18, 0.17, 0.14, 0.12]);
    let draw = choose(&both, &logits, &[], Some(0.99), Some(0.0)).unwrap();
    assert_eq!((draw.token, draw.n_candidates), (1, 1));
}

#[test]
fn a_penalty_sees_only_the_recent_tokens() {
    let penalized = SamplingParams {
        presence_penalty: 5.0,
        penalty_context: 2,
        ..SamplingParams::default()
    };
    let mut sampler = Sampler::new(penalized, 0).unwrap();
    let mut after = |history: &[u32]| sampler.sample(&[3.0, 2.0, 1.0], history).unwrap().token;
    assert_eq!(after(&[]), 0);
    assert_eq!(after(&[0, 1]), 2);
    assert_eq!(after(&[0, 1, 2]), 0);
    // The model's own end of vocabulary is nobody's mistake.
    assert_eq!(after(&[99, 0]), 1);
}

#[test]
fn a_log_probability_is_the_models_own_whatever_is_set() {
    let logits = logits(&[0.6, 0.3, 0.1]);
    let changed = SamplingParams {
        logit_bias: BTreeMap::from([(2, 50.0)]),
        ..SamplingParams::default()
    };
    let draw = Sampler::new(changed, 0)
        .unwrap()
        .sample(&logits, &[])
        .unwrap();
    assert_eq!(draw.token, 2);
    assert!((f64::from(draw.logprob) - 0.1_f64.ln()).abs() < 1e-6);
    assert_eq!(draw.logprob, logprob_of(&logits, 2).unwrap());
}

#[test]
fn top_logprobs_are_those_of_the_full_vocabulary() {
    let top = top_logprobs(&logits(&[0.1, 0.4, 0.1, 0.4]), 3).unwrap();
    let tokens: Vec<u32> = top.iter().map(|top| top.token).collect();
    assert_eq!(tokens, [1, 3, 0]);
    assert!((f64::from(top[2].logprob) - 0.1_f64.ln()).abs() < 1e-6);
    assert_eq!(top_logprobs(&[1.0, 2.0], 9).unwrap().len(), 2);
    assert!(top_logprobs(&[1.0, 2.0], 0).unwrap().is_empty());
}

#[test]
fn a_token_that_is_ruled_out_is_never_drawn() {
    let logits = [f32::NEG_INFINITY, 1.0, f32::NEG_INFINITY, 1.0];
    for temperature in [0.0, 1.0] {
        let params = SamplingParams {
            temperature,
            ..params()
        };
        let mut sampler = Sampler::new(params.clone(), 3).unwrap();
        for _ in 0..50 {
            let draw = sampler.sample(&logits, &[]).unwrap();
            assert!([1, 3].contains(&draw.token), "{draw:?}");
        }
        let banned = forced(&params, &logits, &[], 0, None).unwrap();
        assert_eq!((banned.share, banned.logprob), (0.0, f32::NEG_INFINITY));
    }
    let params = SamplingParams {
        temperature: 1.0,
        ..params()
    };
    let half = forced(&params, &logits, &[], 3, None).unwrap();
    assert!((half.share - 0.5).abs() < 1e-6 && half.random.is_none());
}

#[test]
fn what_cannot_be_drawn_from_is_a_sentence_and_no_panic() {
    let sample = |logits: &[f32]| {
        let mut sampler = Sampler::new(params(), 0).unwrap();
        sampler.sample(logits, &[]).unwrap_err().to_string()
    };
    assert!(sample(&[]).starts_with("The model gave no logits"));
    assert!(sample(&[1.0, f32::NAN]).starts_with("The logit of token 1 is NaN"));
    assert!(sample(&[f32::NEG_INFINITY; 2]).starts_with("The logit of token 0 is -inf"));
    assert!(sample(&[f32::NEG_INFINITY, f32::NAN]).contains("token 0 is -inf"));
    assert!(sample(&[0.0; 40].map(|_| f32::INFINITY)).contains("token 0 is inf"));

    let biased = SamplingParams {
        logit_bias: BTreeMap::from([(7, 1.0)]),
        ..params()
    };
    let error = Sampler::new(biased, 0)
        .unwrap()
        .sample(&[0.0; 7], &[])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "--logit-bias 7:1 is for a token that this model does not have: its ids end at 6."
    );
}

#[test]
fn a_setting_out_of_range_is_named_with_its_flag() {
    let message = |change: fn(&mut SamplingParams)| {
        let mut params = params();
        change(&mut params);
        Sampler::new(params, 0).unwrap_err().to_string()
    };
    assert_eq!(
        message(|p| p.top_p = 1.5),
        "--top-p must lie between 0 and 1, but is 1.5."
    );
    assert!(message(|p| p.min_p = f32::NAN).starts_with("--min-p"));
    assert!(message(|p| p.temperature = -1.0).starts_with("--temp "));
    assert!(message(|p| p.temperature = f32::INFINITY).starts_with("--temp "));
    assert!(message(|p| p.xtc_threshold = 0.6).starts_with("--xtc-threshold"));
    assert!(message(|p| p.xtc_probability = -0.1).starts_with("--xtc-probability"));
    assert!(message(|p| p.repetition_penalty = -1.0).starts_with("--repetition-penalty"));
    assert!(message(|p| p.presence_penalty = f32::NAN).starts_with("--presence-penalty"));
    assert!(message(|p| p.frequency_penalty = f32::NAN).starts_with("--frequency-penalty"));
    assert!(message(|p| p.logit_bias = [(3, f32::NAN)].into()).starts_with("--logit-bias 3:NaN"));
    assert!(message(|p| p.min_tokens_to_keep = 0).starts_with("min_tokens_to_keep"));
}

#[test]
fn a_replay_at_another_temperature_needs_a_random_number() {
    let logits = logits(&[0.6, 0.4]);
    let greedy = Sampler::new(SamplingParams::default(), 0);
    let draw = greedy.unwrap().sample(&logits, &[]).unwrap();
    let error = replay(&params(), &logits, &[], &draw).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("This token was chosen at temperature 0")
    );
}

#[test]
fn the_view_says_which_filter_took_a_token_out_and_why() {
    let all = SamplingParams {
        top_p: 0.9,
        min_p: 0.3,
        top_k: 2,
        xtc_probability: 1.0,
        xtc_threshold: 0.2,
        ..params()
    };
    let logits = logits(&[0.3, 0.25, 0.19, 0.15, 0.08, 0.03]);
    let struck = choose(&all, &logits, &[], Some(0.5), Some(0.0)).unwrap();
    let seen = filtered(&all, &logits, &[], Some(&struck), 10).unwrap();
    let reasons: Vec<&str> = seen
        .candidates
        .iter()
        .map(|candidate| candidate.excluded.as_ref().map_or("-", |out| &out.reason))
        .collect();
    assert_eq!(
        reasons,
        [
            "XTC: 33.7 % is above the threshold of 20.0 %, and so is a less probable token.",
            "XTC: 28.1 % is above the threshold of 20.0 %, and so is a less probable token.",
            "-",
            "-",
            "Min-p 0.3: 8.25 % is less than 0.3 times the 30.9 % of the most probable token.",
            "Top-p 0.9: the 5 more probable tokens hold 97.0 % already.",
        ]
    );
    let n_kept: Vec<usize> = seen.stages.iter().map(|stage| stage.n_kept).collect();
    assert_eq!(n_kept, [5, 4, 2, 2]);
    assert_eq!((seen.n_vocab, seen.n_kept), (6, 2));
    let curve: Vec<f64> = seen.candidates.iter().map(|c| c.cumulative).collect();
    assert!((curve[2] - 0.19 / 0.34).abs() < 1e-6 && (curve[5] - 1.0).abs() < 1e-12);
}

#[test]
fn a_seed_gives_these_numbers_for_ever() {
    let mut random = Random::new(1234567);
    // The first outputs in the reference implementation's own test.
    let reference = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ];
    assert_eq!([(); 3].map(|()| random.next()), reference);
    assert_eq!(Random::new(1234567).uniform(), 0.350079542021);
}
