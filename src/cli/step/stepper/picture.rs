//! What the latest step has made, drawn in text.

use anyhow::Result;

use super::Stepper;
use crate::cli::step::pictures;
use crate::trace::{Address, BlockHook, Hook, Place, Stage};

impl Stepper {
    /// What the latest step has made, drawn in text.
    pub(super) fn picture(&mut self) -> Result<String> {
        let number = self.state.passes.len().saturating_sub(1);
        let Some(pass) = self.state.passes.last().cloned() else {
            return Ok(String::new());
        };
        let stage = pass.executed.last().map(|(stage, _)| *stage);
        match (self.state.cursor, stage) {
            (Some(cursor), _) => self.picture_of_hook(cursor.hook, number),
            (None, _) if pass.draw.is_some() => Ok(String::new()),
            (None, Some(Stage::Block(layer))) => {
                self.picture_of_hook(Hook::Block(layer, BlockHook::Pattern), number)
            }
            (None, Some(Stage::Logits)) => Ok(pictures::bars(&self.state.likeliest)),
            (None, Some(stage)) => {
                let state = self.look(Address {
                    pass: Some(number),
                    ..Address::at(Place::Stage(stage))
                })?;
                Ok(pictures::of_rows(&state, &self.texts(number)))
            }
            (None, None) => Ok(String::new()),
        }
    }

    fn picture_of_hook(&mut self, hook: Hook, pass: usize) -> Result<String> {
        let mut address = Address {
            pass: Some(pass),
            ..Address::of(hook)
        };
        let texts = self.texts(pass);
        let Hook::Block(layer, at @ (BlockHook::Pattern | BlockHook::Scores)) = hook else {
            let value = self.look(address)?;
            return Ok(match value.shape() {
                [_, _] if hook_counts_heads(hook) => pictures::of_heads(&value),
                [_, _, _] => pictures::of_heads(&value),
                _ => pictures::of_rows(&value, &texts),
            });
        };
        address.index = vec![self.head];
        let map = match self.look(address.clone()) {
            Ok(map) => map,
            // Past the last head the first one comes again.
            Err(_) if self.head > 0 => {
                self.head = 0;
                address.index = vec![0];
                self.look(address)?
            }
            Err(error) => return Err(error),
        };
        let head = self.head;
        Ok(match at {
            BlockHook::Pattern => format!(
                "attention of L{layer}.H{head} (h for another head), row: reads, column: is read; \
                 █ ≥ 50 %, ▓ ≥ 20 %, ▒ ≥ 5 %, ░ less:\n{}",
                pictures::shades(&map, &texts)
            ),
            _ => format!(
                "scores of L{layer}.H{head} (h for another head) at the newest position:\n{}",
                pictures::scores(&map, &self.state.texts)
            ),
        })
    }

    fn texts(&self, pass: usize) -> Vec<String> {
        let pass = self.state.passes.get(pass);
        let (start, n) = pass.map_or((0, 0), |pass| (pass.start, pass.n_pos));
        let texts = self.state.texts.iter().skip(start).take(n);
        texts.map(|text| pictures::visible(text)).collect()
    }
}

fn hook_counts_heads(hook: Hook) -> bool {
    matches!(hook, Hook::Block(_, BlockHook::ResultNorm))
}
