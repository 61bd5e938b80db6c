//! The table of a sweep in words: its strongest cells, the edit behind each, and all of it as CSV.

use crate::trace::measure::sweep::{Outcome, Over, SweepTable};
use crate::trace::measure::verdict::REMINDER;
use crate::ui::pictures::kit::csv_text;
use crate::ui::tokens::visible;
use crate::ui::widgets::heatmap::{MapCell, figure};

/// The strongest cells, in words.
pub(super) fn strongest(table: &SweepTable) -> String {
    let cells = table.strongest(3);
    let cells = cells.iter().map(|cell| {
        let at = MapCell {
            row: cell.row,
            col: cell.column,
        };
        format!("{} ({})", place_of(table, at), signed(cell.effect as f32))
    });
    format!(
        "Strongest: {}. {REMINDER}",
        cells.collect::<Vec<_>>().join(", ")
    )
}

fn place_of(table: &SweepTable, cell: MapCell) -> String {
    match table.over {
        Over::Heads => format!("L{}.H{}", cell.row, cell.col),
        Over::LayersXPositions => {
            let text = table
                .columns
                .get(cell.col)
                .map(|text| visible(text.trim()))
                .unwrap_or_default();
            format!("block {} at {text}", cell.row)
        }
    }
}

/// The edit that a cell stands for, in its text form.
pub(super) fn edit_at(table: &SweepTable, cell: MapCell) -> String {
    let change = &table.change;
    match table.over {
        Over::Heads => format!("blocks.{}.attn.hook_z[:, {}]={change}", cell.row, cell.col),
        Over::LayersXPositions => format!(
            "blocks.{}.hook_resid_pre[{}]={change}",
            cell.row,
            table.first_position + cell.col
        ),
    }
}

pub(super) fn number(table: &SweepTable, value: f64) -> String {
    match table.outcome {
        Outcome::Probability(_) => crate::trace::units::percent(value),
        _ => figure(value as f32),
    }
}

pub(super) fn unit(table: &SweepTable) -> &'static str {
    match table.outcome {
        Outcome::Probability(_) => "probability",
        Outcome::Logit(_) | Outcome::Difference(..) => "logit",
        Outcome::KlBits => "bits",
    }
}

pub(super) fn signed(effect: f32) -> String {
    if effect > 0.0 {
        format!("+{}", figure(effect))
    } else {
        figure(effect)
    }
}

/// The outcomes as a CSV file with a head.
pub(super) fn sweep_csv(table: &SweepTable) -> String {
    let columns: Vec<String> = table.columns.iter().map(|text| csv_text(text)).collect();
    let line = |(name, values): (&String, &Vec<f64>)| {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        format!("{name},{}", values.join(","))
    };
    let lines: Vec<String> = table.rows.iter().zip(&table.values).map(line).collect();
    format!(
        "{},{}\n{}",
        csv_text(&table.what()),
        columns.join(","),
        lines.join("\n")
    )
}
