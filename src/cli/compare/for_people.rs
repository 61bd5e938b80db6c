//! A comparison as tables for people.

use super::super::table::{Column, Table};
use crate::trace::measure::NamedToken;
use crate::trace::measure::compare::{Comparison, Parting, Side};
use crate::trace::measure::state::Gap;
use crate::trace::units;

/// Positions up to which a table shows each of them.
const N_POSITIONS: usize = 12;

pub(super) fn for_people(comparison: &Comparison) -> String {
    let (a, b) = (&comparison.a, &comparison.b);
    let mut text = format!(
        "A  {} · {}\nB  {} · {}\n\n",
        a.name, a.model, b.name, b.model
    );
    text.push_str(&tokens(comparison));
    text.push('\n');
    text.push_str(&match comparison.first_other_token {
        None => "the tokens are the same\n".to_owned(),
        Some(at) => {
            let token = |side: &Side| match side.tokens.get(at) {
                Some(token) => format!("'{}'", token.text),
                None => "the end".to_owned(),
            };
            format!(
                "the tokens part at position {at}: {} and {}\n",
                token(a),
                token(b)
            )
        }
    });
    match &comparison.no_states {
        Some(why) => text.push_str(&format!("no states compared: {why}\n")),
        None => text.push_str(&states(comparison)),
    }
    if !a.next.is_empty() && !b.next.is_empty() {
        text.push_str(&match (a.after, b.after) {
            (Some(at), Some(other)) if at != other => {
                format!("\nnext token, after positions {at} and {other}\n")
            }
            (Some(at), _) => format!("\nnext token, after position {at}\n"),
            (None, _) => "\nnext token\n".to_owned(),
        });
        text.push_str(&next(a, b).to_string());
    }
    if let Some(bits) = comparison.kl_bits {
        text.push_str(&format!("divergence of B from A: {bits:.3} bits\n"));
    }
    text
}

/// Tokens side by side, with the first point where the states at each position part.
fn tokens(comparison: &Comparison) -> String {
    let mut table = Table::new([
        Column::Right("pos"),
        Column::Left("A"),
        Column::Left("B"),
        Column::Left("states part"),
        Column::Right("cosine at the end"),
    ]);
    let (a, b) = (&comparison.a.tokens, &comparison.b.tokens);
    let n = a.len().max(b.len());
    for position in 0..n {
        let shown = |tokens: &[NamedToken]| {
            let text = tokens.get(position).map(|token| token.text.escape_debug());
            text.map_or("–".to_owned(), |text| format!("'{text}'"))
        };
        let mut gaps = comparison
            .states
            .iter()
            .filter_map(|(_, gaps)| gaps.get(position));
        let first = gaps.clone().find(|gap| gap.largest > comparison.tolerance);
        let last = gaps.next_back();
        table.row([
            position.to_string(),
            shown(a),
            shown(b),
            match (first, last) {
                (Some(gap), _) => gap.point.to_string(),
                (None, Some(_)) => "nowhere".to_owned(),
                (None, None) => String::new(),
            },
            last.map_or(String::new(), |gap| format!("{:.4}", gap.cosine)),
        ]);
    }
    table.to_string()
}

fn states(comparison: &Comparison) -> String {
    let place = |parting: Parting| {
        format!(
            "{} at position {}, by up to {:.2e}",
            parting.gap.point, parting.position, parting.gap.largest
        )
    };
    let mut text = match (comparison.first_layer(), comparison.first_position()) {
        (Some(layer), Some(position)) => format!(
            "first layer that differs: {}\nfirst token that differs: position {}, at {}\n",
            place(layer),
            position.position,
            position.gap.point
        ),
        _ => match comparison.tolerance {
            0.0 => {
                "the residual stream is equal at every layer and position, bit for bit\n".to_owned()
            }
            tolerance => format!("no state differs by more than {tolerance}\n"),
        },
    };
    if comparison.n_aligned <= N_POSITIONS && comparison.first_layer().is_some() {
        text.push_str("\ncosine by layer and position\n");
        for (point, gaps) in &comparison.states {
            let cells = gaps.iter().map(|gap| format!("{:>8.4}", gap.cosine));
            let point = point.to_string();
            text.push_str(&format!("  {point:26}{}\n", cells.collect::<String>()));
        }
    } else if comparison.first_layer().is_some() {
        text.push_str(&farthest(comparison).to_string());
    }
    text
}

/// Of each layer the position that is farthest apart.
fn farthest(comparison: &Comparison) -> Table {
    let mut table = Table::new([
        Column::Left("layer"),
        Column::Right("farthest position"),
        Column::Right("cosine"),
        Column::Right("largest difference"),
    ]);
    for (point, gaps) in &comparison.states {
        let by_cosine =
            |(_, a): &(usize, &Gap), (_, b): &(usize, &Gap)| a.cosine.total_cmp(&b.cosine);
        if let Some((position, gap)) = gaps.iter().enumerate().min_by(by_cosine) {
            table.row([
                point.to_string(),
                position.to_string(),
                format!("{:.4}", gap.cosine),
                format!("{:.2e}", gap.largest),
            ]);
        }
    }
    table
}

fn next(a: &Side, b: &Side) -> Table {
    let mut table = Table::new([
        Column::Left("A"),
        Column::Right(""),
        Column::Left("B"),
        Column::Right(""),
    ]);
    let shown = |side: &Side, rank: usize| match side.next.get(rank) {
        Some(share) => (
            format!("'{}'", share.token.text.escape_debug()),
            units::percent(share.probability),
        ),
        None => (String::new(), String::new()),
    };
    for rank in 0..5 {
        let ((a, p), (b, q)) = (shown(a, rank), shown(b, rank));
        table.row([a, p, b, q]);
    }
    table
}
