//! The lesson before a room: from part to part, and from lesson to lesson. A learner's progress
//! stays as it is.

use super::App;

impl App {
    /// The lesson on view belongs to the room while one presents, afterwards to its learner again.
    pub(super) fn show_lesson_to_room(&mut self) {
        let is_presenting = self.view.is_presenting;
        let open = self.school.board.open.as_mut();
        if open.is_some_and(|open| open.show_to_room(is_presenting)) {
            self.lead();
        }
    }

    /// To the next part of the step, the next step, the end of the lesson, and then the next lesson;
    /// or back as far as its beginning.
    pub(in crate::app) fn pass_on_in_lesson(&mut self, forward: bool) {
        let Some(open) = &mut self.school.board.open else {
            return;
        };
        let has_moved = match forward {
            _ if open.is_over => false,
            true => open.next_beat(),
            false => open.beat_before(),
        };
        match forward {
            _ if has_moved => self.lead(),
            true => self.past_the_step(),
            false => self.before_the_step(),
        }
    }

    fn past_the_step(&mut self) {
        let board = &mut self.school.board;
        let Some(open) = &mut board.open else {
            return;
        };
        let next = open.step + 1;
        if next < open.steps.len() {
            self.go_to_step(next);
        } else if !open.is_over {
            open.is_over = true;
            self.lead();
        } else if let Some(card) = board.cards.get(open.number) {
            // Numbers count from 1: this is the place of the next one.
            let name = card.name.clone();
            self.open_lesson(&name, Some(0));
        }
    }

    fn before_the_step(&mut self) {
        let Some(open) = &mut self.school.board.open else {
            return;
        };
        if open.is_over {
            open.is_over = false;
            self.lead();
        } else if let Some(before) = open.step.checked_sub(1) {
            self.go_to_step(before);
            if let Some(open) = &mut self.school.board.open {
                open.to_last_beat();
            }
            self.lead();
        }
    }
}
