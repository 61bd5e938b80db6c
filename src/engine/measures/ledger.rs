//! The KV cache in figures: see [`crate::trace::measure::ledger`].

use anyhow::Result;

use super::Looking;
use crate::model::cache::KvCache;
use crate::trace::measure::ledger::{LayerLedger, Ledger};

impl Looking<'_> {
    /// The KV cache after pass `pass`; of the newest pass as it stands now.
    ///
    /// # Errors
    /// If there is no such pass.
    pub fn ledger(&self, pass: usize) -> Result<Ledger> {
        let run = &*self.run;
        let seen = run.pass(pass)?;
        let config = self.loaded().model.config();
        let is_newest = pass + 1 == run.passes().len();
        let caches = run.context().layers();
        let layers: Vec<LayerLedger> = match is_newest {
            true => caches.iter().enumerate().map(layer_now).collect(),
            // Once a pass has ended, every layer holds as much.
            false => {
                let (size, n) = (seen.cache(), caches.len().max(1));
                let of_layer = |layer| LayerLedger {
                    layer,
                    positions: size
                        .positions
                        .min(held_at_most(run.context().options().max_size)),
                    used_bytes: size.used_bytes / n,
                    allocated_bytes: size.allocated_bytes / n,
                };
                (0..caches.len()).map(of_layer).collect()
            }
        };
        let held: usize = layers.iter().map(|layer| layer.positions).sum();
        let values_per_head = (held * 2 * config.head_dim) as f64; // a key and a value
        let bytes_per_value = caches
            .iter()
            .find_map(KvCache::bytes_per_value)
            .unwrap_or_default();
        let of_heads = |n: usize| (values_per_head * n as f64 * bytes_per_value) as u64;
        let options = run.context().options();
        Ok(Ledger {
            pass,
            positions: seen.start() + seen.n_pos(),
            layers,
            n_kv_heads: config.num_key_value_heads,
            n_heads: config.num_attention_heads,
            head_dim: config.head_dim,
            bytes_per_value,
            formula_bytes: of_heads(config.num_key_value_heads),
            without_gqa_bytes: of_heads(config.num_attention_heads),
            bits: options.bits,
            max_size: options.max_size,
            has_dropped: caches.iter().any(KvCache::has_dropped),
        })
    }
}

fn layer_now((layer, cache): (usize, &KvCache)) -> LayerLedger {
    LayerLedger {
        layer,
        positions: cache.positions().len(),
        used_bytes: cache.used_bytes(),
        allocated_bytes: cache.allocated_bytes(),
    }
}

fn held_at_most(max_size: Option<usize>) -> usize {
    max_size.unwrap_or(usize::MAX)
}
