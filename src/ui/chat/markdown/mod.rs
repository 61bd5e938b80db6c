//! Formatted text, as models write it: Markdown with tables, code and formulas.

mod code;
mod draw;
mod math;
mod parse;
mod pieces;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use egui::Ui;

use code::Painter;
use parse::Block;

pub use pieces::{pieces, reasoning};

/// So many pieces of text are kept as they were taken apart.
const N_KEPT: usize = 1_024;

/// Text that was taken apart, and code that was coloured.
#[derive(Default)]
pub struct Markdown {
    blocks: HashMap<u64, Arc<Vec<Block>>>,
    painter: Painter,
}

impl Markdown {
    /// Forgets what was taken apart.
    pub fn forget(&mut self) {
        self.blocks.clear();
    }

    /// Draws a piece of formatted text, which may still be growing.
    pub fn show(&mut self, ui: &mut Ui, text: &str, is_growing: bool) {
        let blocks = self.blocks(text, is_growing);
        draw::blocks_ui(ui, &mut self.painter, &blocks, is_growing);
    }

    fn blocks(&mut self, text: &str, is_growing: bool) -> Arc<Vec<Block>> {
        if is_growing {
            return Arc::new(parse::blocks(text));
        }
        if self.blocks.len() > N_KEPT {
            self.blocks.clear();
        }
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let known = self.blocks.entry(hasher.finish());
        Arc::clone(known.or_insert_with(|| Arc::new(parse::blocks(text))))
    }
}
