//! An answer token by token: coloured by how likely each was, with what else could have stood
//! there, and the way into the pass that chose it.

use egui::{Popup, Rect, Response, Sense, Ui, WidgetInfo, pos2, vec2};

use super::ChatCommand;
use crate::chat::{Message, MessageId, Reply};
use crate::trace::answer::{GeneratedToken, TopToken};
use crate::trace::units;
use crate::ui::controls::{Button, card, focus_ring};
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Role, Type, corner, space};
use crate::ui::tokens;

/// Height of a line.
const LINE: f32 = 26.0;
/// Surprise that has the full colour, in bits.
const MOST_BITS: f32 = 8.0;

/// Where the lines of an answer begin, as numbers of tokens: those that can be laid out by themselves.
#[must_use]
pub fn lines(tokens: &[GeneratedToken]) -> Vec<std::ops::Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (number, token) in tokens.iter().enumerate() {
        if token.text.contains('\n') || number + 1 == tokens.len() {
            lines.push(start..number + 1);
            start = number + 1;
        }
    }
    lines
}

/// How surprising a token was, in bits: 0 for one that was certain.
#[must_use]
pub fn bits(logprob: f32) -> f32 {
    // Not below zero, where rounding leaves a probability a hair above one.
    (-logprob / std::f32::consts::LN_2).max(0.0)
}

/// Draws the tokens `range` of an answer as a line that wraps between words.
pub(super) fn line_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    message: &Message,
    range: std::ops::Range<usize>,
) {
    let Some(reply) = &message.reply else {
        return;
    };
    let shown = reply.tokens.get(range.clone()).unwrap_or_default();
    let galleys: Vec<_> = shown.iter().map(|token| galley(ui, &token.text)).collect();
    let widths: Vec<f32> = galleys
        .iter()
        .map(|galley| galley.size().x.max(4.0))
        .collect();
    let places = wrap(shown, &widths, ui.available_width());
    let n_lines = places.last().map_or(1, |(_, line)| line + 1);
    let size = vec2(ui.available_width(), n_lines as f32 * LINE);
    let (area, _) = ui.allocate_exact_size(size, Sense::hover());
    for (((number, token), galley), (width, (x, line))) in range
        .zip(shown)
        .zip(galleys)
        .zip(widths.iter().zip(&places))
    {
        let top = area.top() + *line as f32 * LINE;
        let rect = Rect::from_min_size(pos2(area.left() + x, top + 1.0), vec2(*width, LINE - 3.0));
        if !ui.is_rect_visible(rect) {
            continue;
        }
        let response = token_ui(ui, message.id, number, token, rect, galley);
        told_ui(ui, scene, message, number, &response);
    }
}

fn galley(ui: &Ui, text: &str) -> std::sync::Arc<egui::Galley> {
    let text: String = text.chars().filter(|letter| *letter != '\n').collect();
    ui.painter()
        .layout_no_wrap(text, Type::Talk.font(), Palette::of(ui).text)
}

/// Where each token stands: its x, and its line. A word of several tokens stays whole where it can.
fn wrap(tokens: &[GeneratedToken], widths: &[f32], room: f32) -> Vec<(f32, usize)> {
    let begins_word = |number: usize| {
        let text = tokens.get(number).map(|token| token.text.as_str());
        text.is_none_or(|text| text.starts_with(char::is_whitespace))
    };
    let mut places = Vec::with_capacity(tokens.len());
    let (mut x, mut line) = (0.0, 0);
    for (number, width) in widths.iter().enumerate() {
        let n_more = (number + 1..tokens.len())
            .take_while(|next| !begins_word(*next))
            .count();
        let word: f32 = widths.iter().skip(number).take(1 + n_more).sum();
        let is_start = number == 0 || begins_word(number);
        let breaks = x + width > room || is_start && x + word > room && word <= room;
        if breaks && x > 0.0 {
            x = 0.0;
            line += 1;
        }
        places.push((x, line));
        x += width;
    }
    places
}

fn token_ui(
    ui: &mut Ui,
    message: MessageId,
    number: usize,
    token: &GeneratedToken,
    rect: Rect,
    galley: std::sync::Arc<egui::Galley>,
) -> Response {
    let palette = Palette::of(ui);
    let id = ui.scope_id().with((message, number));
    let response = ui.interact(rect, id, Sense::click());
    response.widget_info(|| {
        let share = units::percent(f64::from(token.logprob.exp()));
        let name = format!("token {number}: {}, {share}", tokens::visible(&token.text));
        WidgetInfo::labeled(egui::Role::Button, true, name)
    });
    let share = (bits(token.logprob) / MOST_BITS).min(1.0);
    let fill = palette.wash(Role::Logits, share.sqrt() * 0.55);
    if share > 0.003 {
        ui.painter().rect_filled(rect, corner::CELL, fill);
    }
    let is_open = Popup::is_id_open(ui.ctx(), popup_id(&response));
    if response.hovered() || is_open {
        let ring = egui::Stroke::new(1.5, palette.text);
        let stroke = rect.expand(1.0);
        ui.painter()
            .rect_stroke(stroke, corner::CELL, ring, egui::StrokeKind::Middle);
    }
    focus_ring(ui, &response, rect);
    let at = pos2(rect.left(), rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, palette.text);
    response.on_hover_cursor(egui::CursorIcon::PointingHand)
}

fn popup_id(response: &Response) -> egui::Id {
    Popup::default_response_id(response)
}

/// What stands beside a token: at once while one points at it, with the ways on once it is clicked.
fn told_ui(ui: &Ui, scene: &mut Scene<'_>, message: &Message, number: usize, response: &Response) {
    let Some(reply) = message.reply.as_deref() else {
        return;
    };
    let Some(token) = reply.tokens.get(number) else {
        return;
    };
    if response.double_clicked() {
        scene.tell_chat(ChatCommand::Inspect(message.id, number));
        return;
    }
    let is_open = Popup::is_id_open(&response.ctx, popup_id(response));
    if !is_open {
        response.clone().on_hover_ui(|ui| {
            alternatives_ui(ui, token, None);
        });
    }
    let popup = Popup::from_toggle_button_response(response)
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
        .frame(card(ui).inner_margin(0));
    popup.show(|ui| card_ui(ui, scene, message, reply, number));
}

/// The card of a token.
fn card_ui(ui: &mut Ui, scene: &mut Scene<'_>, message: &Message, reply: &Reply, number: usize) {
    let palette = Palette::of(ui);
    let Some(token) = reply.tokens.get(number) else {
        return;
    };
    egui::Frame::new()
        .inner_margin(space::MEDIUM)
        .show(ui, |ui| {
            let id = ui.scope_id().with("chosen");
            let first = token.top_logprobs.iter().find(|top| top.id != token.id);
            let chosen: Option<u32> = ui.data(|data| data.get_temp(id));
            let chosen = chosen.or(first.map(|top| top.id));
            if let Some(clicked) = alternatives_ui(ui, token, chosen) {
                ui.data_mut(|data| data.insert_temp(id, clicked));
            }
            ui.add_space(space::SMALL);
            let name = &reply.setup.model;
            let is_other = !name.is_empty() && *name != scene.chat.model;
            if is_other {
                let text = format!("Written by {name}, which is not the model in use.");
                ui.label(Type::Small.text(text, palette.muted));
            }
            let is_free = scene.chat.writing.is_none();
            ui.horizontal(|ui| {
                let label = match is_other {
                    true => "Load its model and open this pass",
                    false => "Open this pass",
                };
                let mut open = Button::new(label);
                open.is_primary = true;
                if open.show(ui, 30.0).clicked() {
                    scene.tell_chat(ChatCommand::Inspect(message.id, number));
                    ui.close();
                }
                let other = token.top_logprobs.iter().find(|top| Some(top.id) == chosen);
                if let Some(other) = other.filter(|_| is_free && !is_other) {
                    let label = format!("Go on with “{}”", tokens::visible(other.text.trim()));
                    if Button::new(&label).show(ui, 30.0).clicked() {
                        let other = Box::new(other.clone());
                        scene.tell_chat(ChatCommand::Differ(message.id, number, other));
                        ui.close();
                    }
                }
            });
        });
}

/// The likeliest tokens at a place with their shares. Returns the one that was clicked.
fn alternatives_ui(ui: &mut Ui, token: &GeneratedToken, chosen: Option<u32>) -> Option<u32> {
    let palette = Palette::of(ui);
    ui.set_width(280.0);
    ui.spacing_mut().item_spacing.y = 2.0;
    ui.horizontal(|ui| {
        let text = tokens::visible(token.text.trim_start_matches(' '));
        ui.label(Type::Strong.text(text, palette.text));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let told = format!("{:.1} bits", bits(token.logprob));
            ui.label(Type::MonoSmall.text(told, palette.muted))
                .on_hover_text("how surprising it was: 0 bits is certain, 1 bit is one of two");
        });
    });
    let own = TopToken {
        id: token.id,
        text: token.text.clone(),
        logprob: token.logprob,
    };
    let is_listed = token.top_logprobs.iter().any(|top| top.id == token.id);
    let rest = (!is_listed).then_some(&own);
    let most = token.top_logprobs.first().map_or(0.0, |top| top.logprob);
    let mut clicked = None;
    for top in token.top_logprobs.iter().chain(rest) {
        let is_own = top.id == token.id;
        let is_chosen = chosen == Some(top.id) && !is_own;
        let response = alternative_ui(ui, top, most.exp(), is_own, is_chosen);
        if response.clicked() && !is_own {
            clicked = Some(top.id);
        }
    }
    clicked
}

fn alternative_ui(
    ui: &mut Ui,
    top: &TopToken,
    most: f32,
    is_own: bool,
    is_chosen: bool,
) -> Response {
    let palette = Palette::of(ui);
    let size = vec2(ui.available_width(), 22.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let share = top.logprob.exp();
    let percent = units::percent(f64::from(share));
    response.widget_info(|| {
        let name = format!("instead: {}, {percent}", tokens::visible(&top.text));
        WidgetInfo::selected(egui::Role::RadioButton, !is_own, is_chosen, name)
    });
    if is_chosen || response.hovered() && !is_own {
        ui.painter().rect_filled(
            rect,
            corner::SMALL,
            if is_chosen {
                palette.chosen
            } else {
                palette.sunk
            },
        );
    }
    let font = if is_own { Type::Strong } else { Type::Body };
    let painter = ui.painter();
    let middle = rect.center().y;
    let text = painter.layout_no_wrap(tokens::visible(&top.text), font.font(), palette.text);
    let name = Rect::from_min_max(rect.min, pos2(rect.left() + 104.0, rect.max.y));
    painter
        .with_clip_rect(name.intersect(ui.clip_rect()))
        .galley(
            pos2(rect.left() + 4.0, middle - text.size().y / 2.0),
            text,
            palette.text,
        );
    let bar = pos2(name.right() + 6.0, middle - 4.0);
    let width = 104.0 * (share / most.max(f32::MIN_POSITIVE)).clamp(0.0, 1.0);
    painter.rect_filled(
        Rect::from_min_size(bar, vec2(width.max(1.0), 8.0)),
        2.0,
        palette.role(Role::Logits),
    );
    let percent = painter.layout_no_wrap(percent, Type::MonoSmall.font(), palette.muted);
    let at = pos2(
        rect.right() - 4.0 - percent.size().x,
        middle - percent.size().y / 2.0,
    );
    painter.galley(at, percent, palette.muted);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(texts: &[&str]) -> Vec<GeneratedToken> {
        let token = |text: &&str| GeneratedToken {
            id: 0,
            text: (*text).to_owned(),
            logprob: -1.0,
            top_logprobs: Vec::new(),
            random: None,
            xtc_coin: None,
        };
        texts.iter().map(token).collect()
    }

    #[test]
    fn a_line_ends_with_its_line_break() {
        let tokens = answer(&["One", " two", ".\n", "Three", "\n\n", "four"]);
        assert_eq!(lines(&tokens), [0..3, 3..5, 5..6]);
        assert!(lines(&[]).is_empty());
    }

    #[test]
    fn words_of_several_tokens_stay_whole() {
        let tokens = answer(&["One", " inter", "esting", " word"]);
        let places = wrap(&tokens, &[30.0, 40.0, 50.0, 30.0], 100.0);
        let lines: Vec<usize> = places.iter().map(|(_, line)| *line).collect();
        assert_eq!(lines, [0, 1, 1, 2]);
        // A word that is wider than all there is breaks where it must.
        let places = wrap(&tokens, &[30.0, 40.0, 50.0, 30.0], 60.0);
        let lines: Vec<usize> = places.iter().map(|(_, line)| *line).collect();
        assert_eq!(lines, [0, 1, 2, 3]);
    }

    #[test]
    fn surprise_is_measured_in_bits() {
        assert!((bits(0.5_f32.ln()) - 1.0).abs() < 1e-6);
        assert_eq!(bits(1e-7), 0.0);
    }
}
