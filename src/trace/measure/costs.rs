//! What a pass costs: time, and the weights that are read for it.
//!
//! To make one token, a model reads every weight once. A small product does so little with each
//! weight that memory, not arithmetic, sets the pace, so memory bandwidth sets a ceiling:
//!
//! ```text
//! ceiling in tokens per second = bytes per second ÷ bytes of weights per token
//! ```
//!
//! A prefill reads the weights once for many tokens, and so is faster per token. What the KV cache
//! adds grows with the text and is not in the ceiling. Norms and biases are too small to matter and
//! are left out; of the embedding only the rows of the pass' tokens are read.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::trace::Stage;

/// What one stage of a pass cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageCost {
    /// Which.
    #[serde(with = "super::as_text")]
    pub stage: Stage,
    /// How long it took, in seconds; with other sessions at work it was waiting too.
    pub seconds: f64,
    /// Bytes of weights that were read.
    pub weight_bytes: u64,
    /// How those weights are held, each form once.
    pub formats: Vec<String>,
}

/// What a pass cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PassCost {
    /// 0 is the prefill, then one per generated token.
    pub pass: usize,
    /// Tokens it ran over.
    pub n_pos: usize,
    /// Pieces it ran in: each reads the weights of the blocks again.
    pub n_chunks: usize,
    /// The stages that were executed, in order.
    pub stages: Vec<StageCost>,
}

impl PassCost {
    /// Seconds in all.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.stages.iter().map(|stage| stage.seconds).sum()
    }

    /// Bytes of weights in all.
    #[must_use]
    pub fn weight_bytes(&self) -> u64 {
        self.stages.iter().map(|stage| stage.weight_bytes).sum()
    }

    /// Bytes of weights for each token of the pass: in a prefill they are shared.
    #[must_use]
    pub fn weight_bytes_per_token(&self) -> f64 {
        self.weight_bytes() as f64 / self.n_pos.max(1) as f64
    }

    /// Tokens per second.
    #[must_use]
    pub fn tokens_per_second(&self) -> f64 {
        rate(self.n_pos as f64, self.seconds())
    }

    /// Bytes of weights read per second: what of the memory's bandwidth the pass made use of.
    #[must_use]
    pub fn bytes_per_second(&self) -> f64 {
        rate(self.weight_bytes() as f64, self.seconds())
    }
}

/// Most tokens per second that memory of `bytes_per_second` allows, one token at a time.
#[must_use]
pub fn ceiling(bytes_per_second: f64, weight_bytes_per_token: u64) -> f64 {
    rate(bytes_per_second, weight_bytes_per_token as f64)
}

/// `a / b`; 0 where nothing was measured.
fn rate(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}

/// Weights that one stage reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageWeights {
    /// Which.
    #[serde(with = "super::as_text")]
    pub stage: Stage,
    /// Bytes that are read each time, whatever the tokens.
    pub fixed_bytes: u64,
    /// Bytes that are read for each token: a row of the embedding.
    pub bytes_per_token: u64,
    /// How the weights are held, each form once.
    pub formats: Vec<String>,
}

impl StageWeights {
    /// The cost of running the stage over `n_pos` tokens in `n_chunks` pieces.
    #[must_use]
    pub fn cost(&self, time: Duration, n_pos: usize, n_chunks: usize) -> StageCost {
        let n_reads = match self.stage {
            Stage::Embed | Stage::Block(_) => n_chunks,
            Stage::FinalNorm | Stage::Logits => 1,
        };
        let of_tokens = self.bytes_per_token * n_pos as u64;
        StageCost {
            stage: self.stage,
            seconds: time.as_secs_f64(),
            weight_bytes: self.fixed_bytes * n_reads as u64 + of_tokens,
            formats: self.formats.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(stage: Stage) -> StageWeights {
        StageWeights {
            stage,
            fixed_bytes: 1_000,
            bytes_per_token: 0,
            formats: vec!["float32".to_owned()],
        }
    }

    #[test]
    fn a_prefill_shares_its_weights_between_tokens() {
        let time = Duration::from_millis(5);
        let stages = [Stage::Block(0), Stage::Logits];
        let pass = PassCost {
            pass: 0,
            n_pos: 20,
            n_chunks: 2,
            stages: stages
                .map(|stage| weights(stage).cost(time, 20, 2))
                .to_vec(),
        };
        assert_eq!(pass.weight_bytes(), 3_000);
        assert_eq!(pass.weight_bytes_per_token(), 150.0);
        assert!((pass.tokens_per_second() - 2_000.0).abs() < 1e-6);
        assert_eq!(ceiling(32e9, 1_600_000_000), 20.0);
        assert_eq!(ceiling(32e9, 0), 0.0);
    }

    #[test]
    fn a_stage_is_written_by_name() {
        let text = serde_json::to_string(&weights(Stage::Block(3))).unwrap();
        assert!(text.contains("\"blocks.3\""));
        assert_eq!(
            serde_json::from_str::<StageWeights>(&text).unwrap(),
            weights(Stage::Block(3))
        );
    }
}
