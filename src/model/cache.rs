//! The KV cache: keys (after RoPE) and values of every position seen so far, per layer.
//!
//! A cache is made of slots. A plain cache fills them in order and grows in chunks; a rotating
//! one keeps the first few positions and, once full, overwrites the oldest of the others. Which
//! position a slot holds is always known, so masks and pictures never have to guess.

use anyhow::{Context, Result, ensure};
use mlx_rs::ops::indexing::{TryIndexMutOp, TryIndexOp, take_axis};
use mlx_rs::ops::{self, concatenate};
use mlx_rs::{Array, Dtype};

/// Slots are allocated in chunks of this many (as mlx-lm does), so that growing is rare.
pub const CHUNK: usize = 256;

/// How keys and values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct CacheOptions {
    /// At most this many positions; the first [`CacheOptions::KEEP`] and the newest stay.
    pub max_size: Option<usize>,
    /// Keep keys and values in 8 or 4 bits.
    pub bits: Option<i32>,
}

impl CacheOptions {
    /// How many of the first positions a rotating cache never overwrites (mlx-lm keeps 4 too):
    /// many models lean on them as an attention sink.
    pub const KEEP: usize = 4;

    /// # Errors
    /// If `bits` is neither 4 nor 8, or `max_size` leaves no room beside the kept positions.
    pub fn validate(&self) -> Result<()> {
        if let Some(bits) = self.bits {
            ensure!(
                bits == 4 || bits == 8,
                "a KV cache can be kept in 8 or 4 bits, not {bits}: use --kv-bits 8 or --kv-bits 4"
            );
        }
        if let Some(max) = self.max_size {
            ensure!(
                max > Self::KEEP * 2,
                "a rotating KV cache needs more than {} positions, not {max}: raise --max-kv-size",
                Self::KEEP * 2
            );
        }
        Ok(())
    }
}

/// The keys and values of one layer.
#[derive(Debug, Clone)]
pub struct KvCache {
    keys: Store,
    values: Store,
    /// The position that each used slot holds.
    positions: Vec<usize>,
    /// The position that comes next.
    next: usize,
    max_size: Option<usize>,
}

/// What attention reads: the used slots of one layer.
#[derive(Debug)]
pub struct KvView {
    /// `[1, kv_head, slot, head_dim]`.
    pub keys: Array,
    /// `[1, kv_head, slot, head_dim]`.
    pub values: Array,
}

impl KvCache {
    /// An empty cache.
    #[must_use]
    pub fn new(options: &CacheOptions) -> Self {
        Self {
            keys: Store::new(options.bits),
            values: Store::new(options.bits),
            positions: Vec::new(),
            next: 0,
            max_size: options.max_size,
        }
    }

    /// Keys and values with all allocated slots, `[1, kv_head, capacity, head_dim]`, where they are
    /// kept as plain float32 values.
    #[must_use]
    pub fn plain(&self) -> Option<(&Array, &Array)> {
        match (self.keys.parts.as_slice(), self.values.parts.as_slice()) {
            ([keys], [values]) if keys.dtype() == Dtype::Float32 => Some((keys, values)),
            _ => None,
        }
    }

    /// The position that the next token will have.
    #[must_use]
    pub fn next_position(&self) -> usize {
        self.next
    }

    /// The positions held, by slot. Ascending unless a rotating cache has wrapped around.
    #[must_use]
    pub fn positions(&self) -> &[usize] {
        &self.positions
    }

    /// Whether a query at position `query` may read the key at position `key` (at or before it).
    #[must_use]
    pub fn reaches(&self, query: usize, key: usize) -> bool {
        let newest = self.max_size.map(|max| max - CacheOptions::KEEP);
        key < CacheOptions::KEEP || newest.is_none_or(|newest| key + newest > query)
    }

    /// Whether some position has been overwritten or left out.
    #[must_use]
    pub fn has_dropped(&self) -> bool {
        self.positions.len() != self.next
    }

    /// Appends `keys` and `values`, `[1, kv_head, pos, head_dim]`, and returns all there are.
    ///
    /// # Errors
    /// If MLX cannot build the graph, or a quantized cache does not fit the head size.
    pub fn append(&mut self, keys: &Array, values: &Array) -> Result<KvView> {
        let n_new = keys.dim(2) as usize;
        self.make_room(n_new)?;
        let first_slot = self.first_slot_for(n_new);
        for offset in 0..n_new {
            let (slot, position) = (first_slot + offset, self.next + offset);
            match self.positions.get_mut(slot) {
                Some(held) => *held = position,
                None => self.positions.push(position),
            }
        }
        self.next += n_new;
        self.keys.write(first_slot, keys)?;
        self.values.write(first_slot, values)?;
        self.view()
    }

    /// All there is, as attention reads it.
    ///
    /// # Errors
    /// If nothing was written yet, or MLX cannot build the graph.
    pub fn view(&self) -> Result<KvView> {
        let used = self.positions.len();
        Ok(KvView {
            keys: self.keys.read(used)?,     // [1, kv_head, slot, head_dim]
            values: self.values.read(used)?, // [1, kv_head, slot, head_dim]
        })
    }

    /// The slot that the next `n_new` tokens start at: the end, or the oldest when full.
    fn first_slot_for(&self, n_new: usize) -> usize {
        let is_full = self.max_size.is_some_and(|max| self.positions.len() >= max);
        if !is_full || n_new > 1 {
            return self.positions.len();
        }
        let after_kept = self.positions.iter().enumerate().skip(CacheOptions::KEEP);
        let oldest = after_kept.min_by_key(|(_, position)| **position);
        oldest.map_or(0, |(slot, _)| slot)
    }

    /// A rotating cache that takes several tokens at once is first put in order of position, and
    /// keeps only what the first of them can still reach. So each of them sees exactly what it
    /// would have seen had they come one by one.
    fn make_room(&mut self, n_new: usize) -> Result<()> {
        let Some(max) = self.max_size else {
            return Ok(());
        };
        let overflows = self.positions.len() + n_new > max;
        if !overflows || (n_new == 1 && self.positions.len() == max) {
            return Ok(());
        }
        let by_slot = self.positions.iter().copied().enumerate();
        let mut kept: Vec<(usize, usize)> = by_slot
            .filter(|(_, position)| self.reaches(self.next, *position))
            .collect();
        kept.sort_by_key(|(_, position)| *position);
        self.keep_slots(&kept)
    }

    /// Keeps these slots, given with the positions they hold, in this order.
    fn keep_slots(&mut self, kept: &[(usize, usize)]) -> Result<()> {
        let slots = kept.iter().map(|(slot, _)| *slot);
        if slots.clone().eq(0..self.positions.len()) {
            return Ok(());
        }
        let index: Vec<i32> = slots.map(|slot| slot as i32).collect();
        let index = Array::from_slice(&index, &[index.len() as i32]);
        self.keys.gather(&index)?;
        self.values.gather(&index)?;
        self.positions = kept.iter().map(|(_, position)| *position).collect();
        Ok(())
    }

    /// Forgets every position from `len` on. Returns whether that was possible: a cache that has
    /// dropped positions below `len` that a plain one would hold cannot go back.
    pub fn trim(&mut self, len: usize) -> bool {
        if len >= self.next {
            return true;
        }
        if self.has_dropped() {
            return false;
        }
        self.positions.truncate(len);
        self.next = len;
        true
    }

    /// Bytes of the positions held.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        let n_slots = self.keys.n_slots().max(1);
        self.allocated_bytes() / n_slots * self.positions.len()
    }

    /// Bytes allocated: whole chunks of [`CHUNK`] slots.
    #[must_use]
    pub fn allocated_bytes(&self) -> usize {
        self.keys.bytes() + self.values.bytes()
    }

    /// Bytes of one value as it is kept: 4 in float32; in 4 bits a half, and its share of a scale
    /// and a bias. `None` before anything was written.
    #[must_use]
    pub fn bytes_per_value(&self) -> Option<f64> {
        match (self.keys.parts.as_slice(), self.keys.bits) {
            ([values], None) => Some(values.item_size() as f64),
            ([words, scales, _], Some(bits)) => {
                let group = group_size(words.dim(-1) * 32 / bits).ok()?;
                let of_group = 2.0 * scales.item_size() as f64; // a scale and a bias
                Some(f64::from(bits) / 8.0 + of_group / f64::from(group))
            }
            _ => None,
        }
    }

    /// Everything the cache holds, to be evaluated together.
    pub fn arrays(&self) -> impl Iterator<Item = &Array> {
        self.keys.parts.iter().chain(&self.values.parts)
    }

    /// The used slots as they are kept: `(name, array)`, for a prompt cache file.
    ///
    /// # Errors
    /// If MLX cannot build the graph.
    pub fn save(&self) -> Result<Vec<(String, Array)>> {
        let mut saved = Vec::new();
        for (name, store) in [("keys", &self.keys), ("values", &self.values)] {
            for (part, array) in store.parts.iter().enumerate() {
                let used = self.positions.len() as i32;
                let array = array.try_index((.., .., ..used))?;
                saved.push((format!("{name}.{part}"), array));
            }
        }
        let positions: Vec<i32> = self.positions.iter().map(|p| *p as i32).collect();
        let positions = Array::from_slice(&positions, &[positions.len() as i32]);
        saved.push(("positions".to_owned(), positions));
        Ok(saved)
    }

    /// A cache with the slots of a prompt cache file; `find` gives an array by its saved name.
    ///
    /// # Errors
    /// If an array is missing or the arrays do not fit together.
    pub fn restore(
        options: &CacheOptions,
        next: usize,
        mut find: impl FnMut(&str) -> Option<Array>,
    ) -> Result<Self> {
        let mut cache = Self::new(options);
        let positions = find("positions").context("it has no positions")?;
        let positions = positions.to_vec_exact::<i32>()?;
        let in_range = |position: i32| usize::try_from(position).ok().filter(|p| *p < next);
        let positions: Option<Vec<usize>> = positions.into_iter().map(in_range).collect();
        cache.positions = positions.context("a position lies outside the saved prompt")?;
        cache.next = next;
        for (name, store) in [("keys", &mut cache.keys), ("values", &mut cache.values)] {
            let n_parts = if options.bits.is_some() { 3 } else { 1 };
            for part in 0..n_parts {
                let array = find(&format!("{name}.{part}")).context("an array is missing")?;
                let fits = array.ndim() == 4 && array.dim(2) as usize == cache.positions.len();
                ensure!(fits, "{name} do not have a row per position");
                store.parts.push(array);
            }
        }
        Ok(cache)
    }
}

/// Keys or values of one layer: `[1, kv_head, slot, …]`, allocated in chunks.
#[derive(Debug, Clone)]
struct Store {
    /// Plain: the values. Quantized: packed words, scales, biases. Empty before the first write.
    parts: Vec<Array>,
    bits: Option<i32>,
}

impl Store {
    fn new(bits: Option<i32>) -> Self {
        Self {
            parts: Vec::new(),
            bits,
        }
    }

    fn n_slots(&self) -> usize {
        self.parts.first().map_or(0, |part| part.dim(2) as usize)
    }

    fn bytes(&self) -> usize {
        self.parts.iter().map(Array::nbytes).sum()
    }

    /// Writes `rows`, `[1, kv_head, pos, head_dim]`, from `slot` on.
    fn write(&mut self, slot: usize, rows: &Array) -> Result<()> {
        let rows = match self.bits {
            None => vec![rows.clone()],
            Some(bits) => {
                let group = group_size(rows.dim(-1))?;
                let (words, scales, biases) = ops::quantize(rows, group, bits)?;
                vec![words, scales, biases]
            }
        };
        let end = slot + rows.first().map_or(0, |part| part.dim(2) as usize);
        self.grow(end, &rows)?;
        for (part, rows) in self.parts.iter_mut().zip(&rows) {
            part.try_index_mut((.., .., slot as i32..end as i32), rows)?;
        }
        Ok(())
    }

    /// Makes room for `n_slots`, in whole chunks.
    fn grow(&mut self, n_slots: usize, like: &[Array]) -> Result<()> {
        let has = self.n_slots();
        if n_slots <= has {
            return Ok(());
        }
        let missing = n_slots.next_multiple_of(CHUNK) - has;
        let mut grown = Vec::with_capacity(like.len());
        for (part, like) in like.iter().enumerate() {
            let mut shape = like.shape().to_vec();
            if let Some(slots) = shape.get_mut(2) {
                *slots = missing as i32;
            }
            let fresh = ops::zeros_dtype(&shape, like.dtype())?; // [1, kv_head, missing, …]
            grown.push(match self.parts.get(part) {
                Some(old) => concatenate(&[old, &fresh], 2)?,
                None => fresh,
            });
        }
        self.parts = grown;
        Ok(())
    }

    /// The first `used` slots as values, `[1, kv_head, used, head_dim]`.
    fn read(&self, used: usize) -> Result<Array> {
        let mut parts = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            parts.push(part.try_index((.., .., ..used as i32))?);
        }
        match (parts.as_slice(), self.bits) {
            ([values], None) => Ok(values.clone()),
            ([words, scales, biases], Some(bits)) => {
                let head_dim = words.dim(-1) * 32 / bits;
                let group = group_size(head_dim)?;
                Ok(ops::dequantize(words, scales, biases, group, bits)?)
            }
            _ => anyhow::bail!("the KV cache is read before anything was written"),
        }
    }

    fn gather(&mut self, slots: &Array) -> Result<()> {
        for part in &mut self.parts {
            *part = take_axis(&*part, slots, 2)?;
        }
        Ok(())
    }
}

/// The largest group that divides a head (mlx-lm's default is 64).
fn group_size(head_dim: i32) -> Result<i32> {
    let fitting = [64, 32].into_iter().find(|group| head_dim % group == 0);
    fitting.with_context(|| {
        format!("heads of {head_dim} values cannot be kept in 4 or 8 bits: leave out --kv-bits")
    })
}
