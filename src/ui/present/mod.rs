//! Before a room: large type, the picture, the tokens and one sentence.
//!
//! | file | holds |
//! |---|---|
//! | `state.rs` | what is shown, and what may be asked for |
//! | `keys.rs` | the keys, a clicker's among them |
//! | `says.rs`, `lines.rs` | the one sentence, and how large it is set |
//! | `foot.rs` | which stop it is, and the keys at hand |
//! | `room.rs` | how the window is shared out, and pictures that are drawn smaller to fit |
//! | `notes.rs` | the speaker's own window |
//! | `still.rs` | what a frozen room goes on seeing |
//! | `talk.rs` | the sheet of prepared stops |

mod foot;
pub mod keys;
mod lines;
mod notes;
mod room;
mod says;
mod state;
pub mod still;
mod talk;

use egui::{
    Align, CentralPanel, Color32, Frame, LayerId, Layout, Margin, Mesh, Order, Panel, Pos2, Rect,
    Ui, UiBuilder, Vec2, pos2, vec2,
};

pub use notes::notes_ui;
pub use state::{PresentCommand, Presenting, Talk};
pub use talk::talk_ui;

use super::command::Command;
use super::controls::text_button;
use super::lessons::{OpenLesson, covered_ui};
use super::picture::{Picture, Scene};
use super::spot::PictureKind;
use super::state::Mode;
use super::strip;
use super::theme::{Palette, space};

/// Sizes of everything before a room: 1 is normal.
pub const SCALES: [f32; 5] = [1.5, 1.75, 2.0, 2.5, 3.0];

/// Draws the whole window for a room.
pub fn present_ui(ui: &mut Ui, scene: &mut Scene<'_>, picture: &mut dyn Picture) {
    if scene.view.present.is_black {
        let black = CentralPanel::default().frame(Frame::new().fill(Color32::BLACK));
        black.show(ui, |_| {});
        return;
    }
    let share = room::Share::of(ui.ctx().content_rect().height());
    let is_frozen = still::is_there(ui.ctx());
    if is_frozen {
        still::show(ui);
    } else {
        let height = strip::height(scene) + 2.0 * f32::from(share.strip_margin);
        let strip = Panel::top("strip").exact_size(height);
        strip
            .frame(margins(ui, 20, share.strip_margin))
            .show(ui, |ui| strip_ui(ui, scene, share));
    }
    let foot = match (is_frozen, scene.view.present.has_notes) {
        (false, _) => share.foot,
        // With a window of one's own nothing tells the room that it looks at a still.
        (true, true) => 0.0,
        (true, false) => share.foot.max(room::LEAST_FOOT),
    };
    if foot > 0.0 {
        let foot = Panel::bottom("present foot").exact_size(foot);
        foot.frame(margins(ui, 20, 0))
            .show(ui, |ui| foot::foot_ui(ui, scene));
    }
    if !is_frozen {
        let centre = CentralPanel::default().frame(margins(ui, 20, share.margin));
        centre.show(ui, |ui| centre_ui(ui, scene, picture, share));
    }
    if scene.view.present.has_spotlight {
        spotlight_ui(ui);
    }
}

/// The tokens; where there is no foot, with the way out beside them.
fn strip_ui(ui: &mut Ui, scene: &mut Scene<'_>, share: room::Share) {
    if share.foot > 0.0 {
        strip::strip_ui(ui, scene);
        return;
    }
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        if text_button(ui, "Leave").clicked() {
            scene.send(Command::Present(false));
        }
        ui.add_space(space::MEDIUM);
        let chips = Layout::left_to_right(Align::Center);
        ui.with_layout(chips, |ui| strip::strip_ui(ui, scene));
    });
}

/// The picture, with its sentence beside it or under it.
fn centre_ui(ui: &mut Ui, scene: &mut Scene<'_>, picture: &mut dyn Picture, share: room::Share) {
    let says = says::Says::of(scene, picture);
    let room = ui.available_rect_before_wrap();
    let hides = hides_picture(scene);
    let (shown, words, said) = placed(ui, scene, &says, room, share);
    ui.scope_builder(UiBuilder::new().max_rect(shown), |ui| {
        if hides {
            covered_ui(ui, "The picture shows itself with the answer: key A.");
            return;
        }
        room::fitted_ui(ui, shown, room::least_room(scene.view), |ui| {
            picture.main_ui(ui, scene);
        });
    });
    ui.scope_builder(UiBuilder::new().max_rect(words), |ui| said.show(ui));
    ui.advance_cursor_after_rect(room);
}

/// Whether the picture would give away what the room is asked.
fn hides_picture(scene: &Scene<'_>) -> bool {
    let open = scene.board.open.as_ref();
    scene.view.mode == Mode::Lessons
        && open.is_some_and(OpenLesson::hides_picture)
        && !scene.view.present.shows_answer
}

/// Where the picture stands and where its words, with the words.
type Placed = (Rect, Rect, lines::Fitted);

/// Questions, and what is said of a map, which is as high as it is wide, stand in a column where they
/// fit into one; all else under the picture.
fn placed(ui: &Ui, scene: &Scene<'_>, says: &says::Says, room: Rect, share: room::Share) -> Placed {
    let answered = says::answered(scene, says);
    let is_map = scene.view.picture() == Some(PictureKind::Attention);
    let has_grid = is_map && scene.view.present.shows_heads;
    let has_column = (answered.is_some() || is_map) && !has_grid;
    // What is said with the answer is laid out: nothing moves when it is shown.
    let whole = answered.as_ref().unwrap_or(says);
    let mut column = has_column.then(|| beside(ui, whole, room)).flatten();
    // Until then there is more room for what the question speaks of.
    if column.is_some_and(|(_, _, step)| !lines::keeps_before(step)) {
        column = beside(ui, says, room);
    }
    if let Some((shown, words, step)) = column {
        let said = says.laid_out(ui, words.width(), true, step);
        return (shown, words, said);
    }
    let most = share.words(false);
    let fits = whole.fitted(ui, vec2(room.width(), most), false).height() <= most;
    let most = if fits {
        most
    } else {
        share.words(answered.is_some())
    };
    under(ui, says, room, most)
}

/// What is said in a column of its own, if it fits there: the picture's place, that of the words, and
/// their size.
fn beside(ui: &Ui, says: &says::Says, room: Rect) -> Option<(Rect, Rect, usize)> {
    let wide = (room.height() * 1.16).min(room.width() * 0.62);
    let at = room.left() + wide;
    let mut words = Rect::from_min_max(pos2(at + 34.0, room.top()), room.max);
    let said = says.fitted(ui, words.size(), true);
    let free = room.height() - said.height();
    words.min.y += (room.height() * 0.3).min(free * 0.6);
    let shown = Rect::from_min_max(room.min, pos2(at, room.bottom()));
    (free >= 0.0).then_some((shown, words, said.step))
}

/// What is said under the picture, at most so high.
fn under(ui: &Ui, says: &says::Says, room: Rect, most: f32) -> Placed {
    let said = says.fitted(ui, vec2(room.width(), most), false);
    // The picture stays where it is, however much is said.
    let at = room.bottom() - said.height().max(room::SENTENCE.min(most));
    let shown = Rect::from_min_max(room.min, pos2(room.right(), at - room::GAP));
    let words = Rect::from_min_max(pos2(room.left(), at), room.max);
    (shown, words, said)
}

/// Dims everything but what is around the pointer.
fn spotlight_ui(ui: &Ui) {
    let whole = ui.ctx().content_rect();
    let Some(at) = ui.input(|input| input.pointer.latest_pos()) else {
        return;
    };
    let layer = LayerId::new(Order::Foreground, egui::Id::unique("spotlight"));
    let painter = ui.ctx().layer_painter(layer);
    painter.add(spotlight(at, whole.width() + whole.height()));
    ui.ctx()
        .request_repaint_after(std::time::Duration::from_millis(33));
}

/// A dark ring around `at` with a soft inner edge, as wide as `far`.
fn spotlight(at: Pos2, far: f32) -> Mesh {
    const RADIUS: f32 = 92.0;
    const EDGE: f32 = 14.0;
    const N_CORNERS: u32 = 96;
    let dim = Color32::from_black_alpha(160);
    let rings = [
        (RADIUS, Color32::TRANSPARENT),
        (RADIUS + EDGE, dim),
        (RADIUS + far, dim),
    ];
    let mut mesh = Mesh::default();
    for corner in 0..N_CORNERS {
        let angle = std::f32::consts::TAU * corner as f32 / N_CORNERS as f32;
        for (radius, colour) in rings {
            mesh.colored_vertex(at + radius * Vec2::angled(angle), colour);
        }
    }
    for corner in 0..N_CORNERS {
        let (here, next) = (3 * corner, 3 * ((corner + 1) % N_CORNERS));
        for ring in 0..2 {
            mesh.add_triangle(here + ring, here + ring + 1, next + ring);
            mesh.add_triangle(here + ring + 1, next + ring + 1, next + ring);
        }
    }
    mesh
}

fn margins(ui: &Ui, x: i8, y: i8) -> Frame {
    let fill = Palette::of(ui).background;
    Frame::new()
        .fill(fill)
        .inner_margin(Margin::symmetric(x, y))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spotlight_covers_all_but_its_circle() {
        let mesh = spotlight(pos2(100.0, 100.0), 3_000.0);
        assert!(mesh.is_valid());
        let nearest = mesh
            .vertices
            .iter()
            .map(|v| v.pos.distance(pos2(100.0, 100.0)));
        assert!(nearest.fold(f32::INFINITY, f32::min) > 90.0);
        assert!(
            mesh.calc_bounds()
                .contains_rect(Rect::from_min_size(pos2(0.0, 0.0), Vec2::splat(2_000.0)))
        );
    }
}
