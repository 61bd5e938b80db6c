//! Memory: how much there is, and how much a load or a pass needs.
//!
//! Asked before the work and not after: a program that asks for more than there is, is killed by the system
//! without a word. So what will not fit is refused with the figures and with what would help.

mod cgroup;
mod measured;
mod need;
#[cfg(test)]
mod tests;

pub use measured::{available, give_back, installed, peak_resident, resident};
pub use need::{MemoryNeed, NotEnough, PassSize, activation_bytes, cache_bytes, weight_bytes};
