//! Small pictures in text.

use crate::trace::HostTensor;
use crate::trace::answer::TopToken;
use crate::trace::units;

/// How many rows a picture has, at most.
const N_ROWS: usize = 16;

/// A token for one line: control characters as escapes, everything else as it is.
pub fn visible(text: &str) -> String {
    let shown = text.chars().flat_map(|letter| match letter.is_control() {
        true => letter.escape_debug().collect::<Vec<_>>(),
        false => vec![letter],
    });
    shown.collect()
}

/// One bar per position: the size of its vector, `[pos, …]`. A value that has only the last
/// positions is told with their texts.
pub fn of_rows(value: &HostTensor, texts: &[String]) -> String {
    let n_rows = value.shape().first().copied().unwrap_or(0);
    let texts = texts.get(texts.len().saturating_sub(n_rows)..);
    let rows = texts.unwrap_or_default().iter().enumerate();
    let rows = rows.map(|(row, text)| (text.clone(), size(value.at(&[row]))));
    let rows: Vec<(String, f32)> = rows.collect();
    let newest = rows.get(rows.len().saturating_sub(N_ROWS)..);
    format!(
        "length of each position's vector:\n{}",
        sizes(newest.unwrap_or_default())
    )
}

/// One bar per head: the size of its vector at the newest position, `[pos, head, …]`.
pub fn of_heads(value: &HostTensor) -> String {
    let (n_pos, n_heads) = match value.shape() {
        [n_pos, n_heads, ..] => (*n_pos, *n_heads),
        _ => return String::new(),
    };
    let newest = n_pos.saturating_sub(1);
    let heads = (0..n_heads).map(|head| (format!("head {head}"), size(value.at(&[newest, head]))));
    let heads: Vec<(String, f32)> = heads.collect();
    format!(
        "length of each head's vector at the newest position:\n{}",
        sizes(&heads)
    )
}

fn size(vector: Option<&[f32]>) -> f32 {
    let squares = vector.unwrap_or_default().iter().map(|x| x * x);
    squares.sum::<f32>().sqrt()
}

fn sizes(rows: &[(String, f32)]) -> String {
    let largest = rows.iter().map(|(_, size)| *size);
    let largest = largest.fold(f32::MIN_POSITIVE, f32::max);
    let rows = rows.iter().map(|(text, size)| {
        let bar = "█".repeat((size / largest * 24.0) as usize);
        format!("  {text:>14}  {size:8.3}  {bar}")
    });
    rows.collect::<Vec<_>>().join("\n")
}

/// The newest row of one head's scores, `[query_pos, key_pos]`, highest first.
pub fn scores(map: &HostTensor, texts: &[String]) -> String {
    let Some(newest) = map.shape().first().and_then(|n| n.checked_sub(1)) else {
        return String::new();
    };
    let row = map.at(&[newest]).unwrap_or_default().iter().zip(texts);
    let seen = row.filter(|(score, _)| score.is_finite());
    let mut seen: Vec<(f32, String)> = seen.map(|(x, text)| (*x, visible(text))).collect();
    seen.sort_by(|a, b| b.0.total_cmp(&a.0));
    let rows = seen.iter().take(N_ROWS);
    let rows = rows.map(|(score, text)| format!("  {text:>14}  {score:8.3}"));
    rows.collect::<Vec<_>>().join("\n")
}

/// A map in four shades: the newest 16 queries against the newest 48 keys.
pub fn shades(map: &HostTensor, texts: &[String]) -> String {
    let &[n_queries, n_keys] = map.shape() else {
        return String::new();
    };
    let first_key = n_keys.saturating_sub(48);
    let first_query = n_queries.saturating_sub(N_ROWS);
    let rows = (first_query..n_queries).map(|query| {
        let cells = (first_key..n_keys).map(|key| shade(map.value(&[query, key]).unwrap_or(0.0)));
        let text = texts.get(query).map_or("", String::as_str);
        format!("  {text:>14}  {}", cells.collect::<String>())
    });
    rows.collect::<Vec<_>>().join("\n")
}

fn shade(share: f32) -> char {
    match share {
        share if share >= 0.5 => '█',
        share if share >= 0.2 => '▓',
        share if share >= 0.05 => '▒',
        share if share > 0.0 => '░',
        _ => ' ',
    }
}

/// The likeliest tokens with their probabilities as bars.
pub fn bars(tokens: &[TopToken]) -> String {
    let rows = tokens.iter().take(6).map(|token| {
        let p = token.logprob.exp();
        let bar = "█".repeat((p * 32.0).round() as usize);
        let (text, share) = (visible(&token.text), units::percent(f64::from(p)));
        format!("  {:>16}  {share:>7}  {bar}", format!("'{text}'"))
    });
    rows.collect::<Vec<_>>().join("\n")
}

/// The first numbers of a value, eight in a line.
pub fn numbers(value: &HostTensor) -> String {
    let shown: Vec<String> = value
        .values()
        .iter()
        .take(64)
        .map(|x| format!("{x:9.4}"))
        .collect();
    let mut lines: Vec<String> = shown.chunks(8).map(|line| line.join(" ")).collect();
    let n = value.values().len();
    if n > 64 {
        lines.push(format!("… {} more", n - 64));
    }
    lines.join("\n")
}
