//! A click in a picture as an answer: what was pointed at, as the question counts places.

use super::App;
use crate::lesson::{Answer, Click, ShownKind};
use crate::trace::{Address, BlockHook, Hook, Place};
use crate::ui::command::{Command, Pointing};
use crate::ui::lessons::{LessonCommand, OpenLesson};

impl App {
    /// Whether a picture was clicked while a question waits for that: then it is the answer.
    /// `from` is where the pictures' commands begin.
    pub(in crate::app) fn answer_by_click(&mut self, from: usize) {
        let open = self.board().open.as_ref();
        // Before a room one points at things to speak of them.
        let open = open.filter(|open| open.beat.is_none());
        let Some(ShownKind::Click(on)) = open
            .and_then(|open| open.waiting())
            .map(|asked| &asked.kind)
        else {
            return;
        };
        let on = *on;
        let commands = self.commands.get(from..).unwrap_or_default();
        let row = open.and_then(OpenLesson::asked_row);
        let clicked = clicked(on, commands, self.view.layer, row);
        if let Some(place) = clicked {
            let answer = LessonCommand::Answer(Answer::Place(place));
            self.commands.push(Command::Lesson(answer));
        }
    }
}

/// The place that `commands` point at, if they do. Where the step is about one `row` of a map, a cell
/// of another row is no answer.
fn clicked(
    on: Click,
    commands: &[Command],
    layer: usize,
    row: Option<usize>,
) -> Option<Vec<usize>> {
    let points = || commands.iter().filter_map(pointing);
    let lock = points().find_map(|pointing| match pointing {
        Pointing::Lock(at) => at.as_ref(),
        _ => None,
    });
    let cell = lock.and_then(cell_of);
    let layer_at = || {
        let of_point = points().find_map(|pointing| match pointing {
            Pointing::Layer(layer) => Some(*layer),
            _ => None,
        });
        let of_spot = || {
            commands.iter().find_map(|command| match command {
                Command::Go(spot) | Command::Look(spot) => spot.layer(),
                _ => None,
            })
        };
        of_point.or_else(of_spot)
    };
    match on {
        // In a map the column is what is read; the strip names the token itself.
        Click::Token => match cell {
            Some([query, key]) => row.is_none_or(|row| row == query).then(|| vec![key]),
            None => points().find_map(token_of).map(|token| vec![token]),
        },
        Click::Cell => cell.map(|cell| cell.to_vec()),
        Click::Head => {
            let head = points().find_map(|pointing| match pointing {
                Pointing::Head(head) => Some(*head),
                _ => None,
            })?;
            Some(vec![layer_at().unwrap_or(layer), head])
        }
        Click::Block => layer_at().map(|layer| vec![layer]),
        Click::Neuron => neuron_of(lock?).map(|neuron| vec![neuron]),
    }
}

fn pointing(command: &Command) -> Option<&Pointing> {
    match command {
        Command::Point(pointing) => Some(pointing),
        _ => None,
    }
}

fn token_of(pointing: &Pointing) -> Option<usize> {
    match pointing {
        Pointing::Token(token) => Some(*token),
        _ => None,
    }
}

/// Query and key of a cell of an attention map.
fn cell_of(at: &Address) -> Option<[usize; 2]> {
    match (at.place, at.index.as_slice()) {
        (Place::Hook(Hook::Block(_, BlockHook::Scores | BlockHook::Pattern)), [_, query, key]) => {
            Some([*query, *key])
        }
        _ => None,
    }
}

fn neuron_of(at: &Address) -> Option<usize> {
    match (at.place, at.index.as_slice()) {
        (
            Place::Hook(Hook::Block(_, BlockHook::Pre | BlockHook::PreLinear | BlockHook::Post)),
            [.., neuron],
        ) => Some(*neuron),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(text: &str) -> Command {
        Command::Point(Pointing::Lock(Some(text.parse().unwrap())))
    }

    #[test]
    fn a_click_is_read_as_the_question_asks() {
        let map = [
            Command::Point(Pointing::Token(10)),
            Command::Point(Pointing::Key(Some(9))),
            lock("blocks.2.attn.hook_pattern[3, 10, 9]"),
        ];
        assert_eq!(clicked(Click::Token, &map, 2, None), Some(vec![9]));
        assert_eq!(clicked(Click::Token, &map, 2, Some(10)), Some(vec![9]));
        assert_eq!(clicked(Click::Token, &map, 2, Some(7)), None);
        assert_eq!(clicked(Click::Cell, &map, 2, None), Some(vec![10, 9]));
        assert_eq!(clicked(Click::Head, &map, 2, None), None);
        let strip = [Command::Point(Pointing::Token(4))];
        assert_eq!(clicked(Click::Token, &strip, 2, None), Some(vec![4]));
        let grid = [
            Command::Point(Pointing::Head(1)),
            Command::Look("blocks.5.attn.hook_pattern".parse().unwrap()),
        ];
        assert_eq!(clicked(Click::Head, &grid, 2, None), Some(vec![5, 1]));
        assert_eq!(clicked(Click::Block, &grid, 2, None), Some(vec![5]));
        let neuron = [lock("blocks.0.mlp.hook_post[4, 77]")];
        assert_eq!(clicked(Click::Neuron, &neuron, 2, None), Some(vec![77]));
        let hover = [Command::Point(Pointing::Hover(None))];
        assert_eq!(clicked(Click::Token, &hover, 2, None), None);
    }
}
