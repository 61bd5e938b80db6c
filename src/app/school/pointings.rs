//! What an address points at: head, token and key, as its hook's shape has them.

use crate::trace::{Address, BlockHook, Hook, Place};
use crate::ui::command::Pointing;

/// What the index of `address` names; rows of its pass begin at the position `start`.
pub fn pointings(address: Option<&Address>, start: usize) -> Vec<Pointing> {
    let Some(address) = address else {
        return Vec::new();
    };
    let row = |row: &usize| Pointing::Token(start + row);
    let mut index = address.index.iter();
    let named = match address.place {
        Place::Hook(Hook::Block(_, BlockHook::Scores | BlockHook::Pattern)) => [
            index.next().map(|head| Pointing::Head(*head)),
            index.next().map(row),
            index.next().map(|key| Pointing::Key(Some(*key))),
        ],
        Place::Hook(Hook::Block(_, hook)) if has_heads(hook) => [
            index.next().map(row),
            index.next().map(|head| Pointing::Head(*head)),
            None,
        ],
        Place::Hook(_) => [index.next().map(row), None, None],
        Place::Stage(_) | Place::View(_) => [None, None, None],
    };
    named.into_iter().flatten().collect()
}

fn has_heads(hook: BlockHook) -> bool {
    matches!(
        hook,
        BlockHook::Q
            | BlockHook::K
            | BlockHook::V
            | BlockHook::QNorm
            | BlockHook::KNorm
            | BlockHook::RotQ
            | BlockHook::RotK
            | BlockHook::Z
            | BlockHook::ResultNorm
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_read_as_the_shape_of_its_hook() {
        let of = |text: &str| pointings(Some(&text.parse().unwrap()), 0);
        assert_eq!(
            of("blocks.2.attn.hook_pattern[3, 10, 9]"),
            [
                Pointing::Head(3),
                Pointing::Token(10),
                Pointing::Key(Some(9))
            ]
        );
        assert_eq!(of("blocks.2.attn.hook_pattern[3]"), [Pointing::Head(3)]);
        assert_eq!(
            of("blocks.0.attn.hook_q[4, 1]"),
            [Pointing::Token(4), Pointing::Head(1)]
        );
        assert_eq!(of("hook_embed[2]"), [Pointing::Token(2)]);
        assert_eq!(of("kv-cache"), []);
    }
}
