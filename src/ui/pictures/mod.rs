//! The pictures, one file each, and the one table that names them all.

mod attention;
mod embedding;
mod parts;
mod qkv;
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
        other => Box::new(values::ValuesPicture::of(other)),
    }
}
