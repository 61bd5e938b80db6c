//! The pictures, one file each, and the one table that names them all.

mod attention;
mod block;
mod compare;
mod embedding;
mod experiments;
pub(in crate::ui) mod kit;
mod kv_cache;
mod logits;
mod mixing;
mod mlp;
mod norm;
mod parts;
mod qkv;
mod residual;
mod rope;
mod sample;
mod screen;
mod shared;
mod text;
mod timeline;
mod tokens;
mod weights;

use super::picture::Picture;
use super::spot::{PictureKind, Spot};
use crate::trace::Address;

/// The picture of every kind, ready to be drawn. Adding a picture is one line here.
#[must_use]
pub fn create(kind: PictureKind) -> Box<dyn Picture> {
    match kind {
        PictureKind::Text => Box::new(text::TextPicture::default()),
        PictureKind::Tokens => Box::new(tokens::TokensPicture::default()),
        PictureKind::Embedding => Box::new(embedding::EmbeddingPicture::default()),
        PictureKind::Attention => Box::new(attention::AttentionPicture::default()),
        PictureKind::Qkv => Box::new(qkv::QkvPicture::default()),
        PictureKind::Block => Box::new(block::BlockPicture),
        PictureKind::Norm => Box::new(norm::NormPicture::default()),
        PictureKind::Rope => Box::new(rope::RopePicture::default()),
        PictureKind::Mixing => Box::new(mixing::MixingPicture),
        PictureKind::Mlp => Box::new(mlp::MlpPicture::default()),
        PictureKind::Logits => Box::new(logits::LogitsPicture::default()),
        PictureKind::Sample => Box::new(sample::SamplePicture::default()),
        PictureKind::Screen => Box::new(screen::ScreenPicture),
        PictureKind::KvCache => Box::new(kv_cache::KvCachePicture::default()),
        PictureKind::Timeline => Box::new(timeline::TimelinePicture::default()),
        PictureKind::Residual => Box::new(residual::ResidualPicture::default()),
        PictureKind::Experiments => Box::new(experiments::ExperimentsPicture::default()),
        PictureKind::Compare => Box::new(compare::ComparePicture::default()),
        PictureKind::Weights => Box::new(weights::WeightsPicture::default()),
    }
}

/// Whether the picture of a spot has the tab that the spot names.
///
/// # Errors
/// If it has not; the message lists those that it has.
pub fn check_tab(spot: &Spot) -> Result<(), String> {
    let (Some(tab), Some(kind)) = (&spot.tab, PictureKind::of(spot.address.place)) else {
        return Ok(());
    };
    let tabs: Vec<String> = create(kind)
        .tabs()
        .iter()
        .map(|tab| tab.to_lowercase())
        .collect();
    if tabs.contains(tab) {
        return Ok(());
    }
    let place = Address::at(spot.address.place);
    Err(match tabs.is_empty() {
        true => format!("{place} has no tabs, so there is no #{tab}."),
        false => format!("{place} has no tab #{tab}: it has #{}.", tabs.join(", #")),
    })
}
