//! How large a trace will be, told before anything runs.

use std::path::Path;

use anyhow::{Result, bail, ensure};

use super::hooks::hooks_of;
use crate::engine::memory;
use crate::engine::watch::Watch;
use crate::hub::download::free_bytes;
use crate::trace::file::Precision;
use crate::trace::measure::family::FamilyView;
use crate::trace::{Hook, units};

/// What a trace is expected to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expected {
    /// Tensors.
    pub n_tensors: u64,
    /// Values in all of them.
    pub n_values: u64,
}

/// What is traced.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// The model.
    pub family: &'a FamilyView,
    /// The hooks that are kept.
    pub watch: &'a Watch,
    /// Tokens of the prompt.
    pub n_prompt: usize,
    /// Tokens that are generated.
    pub steps: usize,
    /// Whether every position of the prompt gets logits.
    pub all_logits: bool,
}

impl Expected {
    /// The size, from the shapes of the hooks.
    #[must_use]
    pub fn of(plan: &Plan<'_>) -> Self {
        let hooks = hooks_of(plan.family);
        let mut expected = Self::default();
        for (hook, info) in hooks.iter().zip(&plan.family.hooks) {
            if !plan.watch.has(*hook) {
                continue;
            }
            let is_head = matches!(hook, Hook::FinalNorm | Hook::Logits) && !plan.all_logits;
            for pass in 0..=plan.steps {
                let n_pos = if pass == 0 { plan.n_prompt } else { 1 };
                let sizes = info.axes.iter().map(|(name, size)| match name.as_str() {
                    "key_pos" => (plan.n_prompt + pass) as u64,
                    "pos" if is_head => 1,
                    "pos" | "query_pos" => n_pos as u64,
                    _ => size.unwrap_or(1) as u64,
                });
                expected.n_tensors += 1;
                let n_values = sizes.fold(1_u64, u64::saturating_mul);
                expected.n_values = expected.n_values.saturating_add(n_values);
            }
        }
        expected
    }

    /// Bytes in memory, where values are float32.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.n_values.saturating_mul(4)
    }

    /// Bytes on disk.
    #[must_use]
    pub fn file_bytes(&self, precision: Precision) -> u64 {
        self.n_values.saturating_mul(precision.n_bytes())
    }
}

/// Refuses a trace that does not fit in memory or on the disk of `out`; `budget` is what may be
/// recorded at most.
///
/// # Errors
/// If it does not fit.
pub fn check(
    expected: &Expected,
    precision: Precision,
    budget: Option<u64>,
    out: &Path,
) -> Result<()> {
    let less = "keep fewer --hooks or --layers, use a shorter prompt, or set a --budget";
    let limit = |bytes: u64| budget.map_or(bytes, |budget| bytes.min(budget));
    let needed = limit(expected.memory_bytes());
    if let Some(free) = memory::available() {
        // A tenth is left for everything else.
        ensure!(
            needed <= free / 10 * 9,
            "the trace would take {} of memory, and only {} are free: {less}",
            units::bytes(needed),
            units::bytes(free)
        );
    } else if needed > LARGEST_UNKNOWN {
        bail!(
            "the trace would take {} of memory: {less}",
            units::bytes(needed)
        );
    }
    let written = limit(expected.file_bytes(precision));
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(free) = free_bytes(folder.unwrap_or(Path::new("."))) {
        ensure!(
            written <= free,
            "the trace would take {} on a disk that has {} free: {less}, or --f16",
            units::bytes(written),
            units::bytes(free)
        );
    }
    Ok(())
}

/// Most bytes where the system does not say how much memory there is.
const LARGEST_UNKNOWN: u64 = 16 << 30;

/// Reads a size: `500MB`, `2 GB`, or a number of bytes.
///
/// # Errors
/// If it is none.
pub fn parse(text: &str) -> Result<u64, String> {
    let no_size = || format!("'{text}' is no size: write 500MB, 2GB, or a number of bytes");
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let factor = match unit.trim().to_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" | "k" => 1e3,
        "mb" | "m" => 1e6,
        "gb" | "g" => 1e9,
        _ => return Err(no_size()),
    };
    let number: f64 = number.parse().map_err(|_| no_size())?;
    Ok((number * factor) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!(parse("500MB"), Ok(500_000_000));
        assert_eq!(parse("1.5 gb"), Ok(1_500_000_000));
        assert_eq!(parse("12"), Ok(12));
        assert!(parse("many").is_err() && parse("3 apples").is_err() && parse("").is_err());
    }

    #[test]
    fn a_trace_beyond_the_machine_is_refused_with_what_to_do() {
        let expected = Expected {
            n_tensors: 1,
            n_values: u64::MAX / 16,
        };
        let out = Path::new("never.safetensors");
        let error = check(&expected, Precision::F32, None, out).unwrap_err();
        assert!(error.to_string().contains("keep fewer --hooks"), "{error}");
        check(&expected, Precision::F32, Some(1_000), out).unwrap();
    }
}
