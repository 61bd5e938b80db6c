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
use super::spot::PictureKind;

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
