//! A verdict: what an edit did to the next token, in one sentence.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::distribution::Distribution;
use super::{NamedToken, TokenShare};
use crate::trace::units;

/// What stands below every verdict.
pub const REMINDER: &str = "This is one prompt. Switching a part off can also break what other \
                            parts rely on, so it does not show what that part alone does.";

/// What changed between two rows of logits for the same place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The likeliest token before.
    pub before: TokenShare,
    /// The same token after.
    pub kept: TokenShare,
    /// The likeliest token after.
    pub after: TokenShare,
    /// Divergence of the distribution after from that before, in bits: `Σ p log₂(p / q)` with `p`
    /// before and `q` after. `None` where it is infinite: the edit rules a token out (or a `q` is 0).
    pub kl_bits: Option<f64>,
    /// Where [`Self::kl_bits`] is infinite: the divergence over the tokens that are not ruled out,
    /// the shares of each side scaled to add up to 1.
    #[serde(default)]
    pub rest_kl_bits: Option<f64>,
    /// Whether the logits after hold what is no number: nothing can be said about them.
    #[serde(default)]
    pub is_broken: bool,
    /// How many ranks the old answer fell.
    pub ranks_fallen: usize,
    /// Whether any logit changed at all.
    pub changed: bool,
}

impl Verdict {
    /// Compares logits, `[vocab]` each; `name` gives a token's text.
    #[must_use]
    pub fn of(before: &[f32], after: &[f32], name: impl Fn(u32) -> NamedToken) -> Self {
        let (old, new) = (Distribution::new(before), Distribution::new(after));
        let share = |row: &Distribution<'_>, token: u32| row.share(name(token));
        let top = |row: &Distribution<'_>| row.top(1).first().copied().unwrap_or_default();
        let (old_top, new_top) = (top(&old), top(&new));
        let kept = share(&new, old_top);
        let kl_bits = Some(old.kl_bits(&new)).filter(|bits| bits.is_finite());
        let is_broken = !new.is_sound();
        Self {
            before: share(&old, old_top),
            ranks_fallen: kept.rank.saturating_sub(1),
            kept,
            after: share(&new, new_top),
            kl_bits: kl_bits.filter(|_| !is_broken),
            rest_kl_bits: match kl_bits {
                None if !is_broken => rest_kl_bits(before, after),
                _ => None,
            },
            is_broken,
            changed: before != after,
        }
    }
}

/// The divergence over the tokens that `after` does not rule out.
fn rest_kl_bits(before: &[f32], after: &[f32]) -> Option<f64> {
    let pairs = before.iter().zip(after);
    let left = pairs.filter(|(_, after)| **after > f32::NEG_INFINITY);
    let (before, after): (Vec<f32>, Vec<f32>) = left.unzip();
    let bits = Distribution::new(&before).kl_bits(&Distribution::new(&after));
    Some(bits).filter(|bits| bits.is_finite())
}

impl fmt::Display for Verdict {
    /// `' Paris' 71 % → 22 %; top is now ' France' at 40 %`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_broken {
            return f.write_str(
                "the edits left logits that are no numbers (NaN or infinite), so no token can be \
                 drawn; take them back (undo) or switch them off",
            );
        }
        let (old, was) = (&self.before.token, units::percent(self.before.probability));
        if !self.changed {
            return write!(f, "nothing changed: '{}' stays at {was}", old.text);
        }
        write!(
            f,
            "'{}' {was} → {}",
            old.text,
            units::percent(self.kept.probability)
        )?;
        if self.after.token == *old {
            return f.write_str("; it stays on top");
        }
        let now = units::percent(self.after.probability);
        write!(f, "; top is now '{}' at {now}", self.after.token.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(id: u32) -> NamedToken {
        let text = [" Paris", " France", " the"]
            .get(id as usize)
            .unwrap_or(&"?");
        NamedToken {
            id,
            text: (*text).to_owned(),
        }
    }

    fn logits(shares: [f32; 3]) -> [f32; 3] {
        shares.map(f32::ln)
    }

    #[test]
    fn a_verdict_reads_as_a_sentence() {
        let (before, after) = (logits([0.71, 0.2, 0.09]), logits([0.22, 0.48, 0.3]));
        let verdict = Verdict::of(&before, &after, named);
        assert_eq!(
            verdict.to_string(),
            "' Paris' 71 % → 22 %; top is now ' France' at 48 %"
        );
        assert_eq!(verdict.ranks_fallen, 2);
        assert!(verdict.kl_bits.unwrap() > 0.5);
        let same = Verdict::of(&before, &before, named);
        assert_eq!(same.to_string(), "nothing changed: ' Paris' stays at 71 %");
        let weaker = Verdict::of(&before, &logits([0.5, 0.3, 0.2]), named);
        assert_eq!(weaker.to_string(), "' Paris' 71 % → 50 %; it stays on top");
    }

    #[test]
    fn a_ban_alone_leaves_the_other_tokens_as_they_are() {
        let before = logits([0.71, 0.2, 0.09]);
        let banned = [f32::NEG_INFINITY, before[1], before[2]];
        let verdict = Verdict::of(&before, &banned, named);
        assert_eq!(verdict.kl_bits, None);
        assert!(verdict.rest_kl_bits.unwrap() < 1e-9, "{verdict:?}");
    }

    #[test]
    fn logits_that_are_no_numbers_are_no_result() {
        let broken = Verdict::of(&logits([0.7, 0.2, 0.1]), &[f32::NAN; 3], named);
        assert!(broken.to_string().contains("no numbers"), "{broken}");
        assert_eq!((broken.kl_bits, broken.rest_kl_bits), (None, None));
    }
}
