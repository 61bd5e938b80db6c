//! The pictures, one file each, and the one table that names them all.

mod attention;
mod block;
mod embedding;
mod mixing;
mod mlp;
mod norm;
mod parts;
mod qkv;
mod rope;
mod logits;
mod residual;
mod sample;
mod shared;
mod text;
mod tokens;
mod values;

use super::picture::Picture;
use super::spot::PictureKind;

/// The picture of every kind, ready to be drawn. Adding a picture is one line here.
#[must_use]
pub fn create(kind: PictureKind) -> Box<dyn Picture> {
    match kind {
        PictureKind::Text => Box::new(text::TextPicture),
        PictureKind::Tokens => Box::new(tokens::TokensPicture),
        PictureKind::Embedding => Box::new(embedding::EmbeddingPicture),
        PictureKind::Attention => Box::new(attention::AttentionPicture::default()),
        PictureKind::Qkv => Box::new(qkv::QkvPicture::default()),
        PictureKind::Block => Box::new(block::BlockPicture),
        PictureKind::Norm => Box::new(norm::NormPicture::default()),
        PictureKind::Rope => Box::new(rope::RopePicture::default()),
        PictureKind::Mixing => Box::new(mixing::MixingPicture),
        PictureKind::Mlp => Box::new(mlp::MlpPicture::default()),
        PictureKind::Logits => Box::new(logits::LogitsPicture::default()),
        PictureKind::Sample => Box::new(sample::SamplePicture::default()),
        PictureKind::Residual => Box::new(residual::ResidualPicture::default()),
        other => Box::new(values::ValuesPicture::of(other)),
    }
}
