//! The results as a chart: one panel of bars per headline cell.
//!
//! Plain SVG with its own style sheet, so that it follows the reader's light or dark scheme.
//! Bars are to scale within a panel, from zero; the longest is the greatest figure.

use std::fmt::Write;

use crate::comparison::Comparison;
use crate::report::number;
use crate::rounds::Finished;
use crate::workloads::Better;

const COLUMNS: usize = 2;
const PANEL_WIDTH: usize = 470;
const MARGIN: usize = 20;
const LABEL_WIDTH: usize = 172;
const FIGURE_WIDTH: usize = 82;
const BAR_HEIGHT: usize = 14;
const LINE_HEIGHT: usize = 20;
const TITLE_HEIGHT: usize = 44;
const HEAD_HEIGHT: usize = 62;

const STYLE: &str = "\
  text { font: 12px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; }
  text.head { font-size: 18px; font-weight: 600; }
  text.title { font-size: 13px; font-weight: 600; }
  text.strong { font-weight: 600; }
  text { fill: #1f2328; }
  text.faint { fill: #59636e; }
  .paper { fill: #ffffff; }
  .bar { fill: #b6c2cf; }
  .ours { fill: #1a7f5a; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    text.faint { fill: #9198a1; }
    .paper { fill: #0d1117; }
    .bar { fill: #4a5562; }
    .ours { fill: #3fb98a; }
  }
";

struct Bar {
    label: String,
    value: f64,
    figure: String,
    ours: bool,
}

/// The chart of a comparison's headline cells.
pub fn chart(comparison: &Comparison) -> String {
    let cells = comparison
        .sections
        .iter()
        .flat_map(|section| &section.cells);
    let panels: Vec<(&Finished, Vec<Bar>)> = cells
        .filter(|finished| finished.cell.headline)
        .map(|finished| (finished, bars(comparison, finished)))
        .filter(|(_, bars)| !bars.is_empty())
        .collect();
    let mut body = String::new();
    let mut top = HEAD_HEIGHT;
    for row in panels.chunks(COLUMNS) {
        for (column, (finished, bars)) in row.iter().enumerate() {
            panel(
                &mut body,
                MARGIN + column * (PANEL_WIDTH + MARGIN),
                top,
                finished,
                bars,
            );
        }
        let longest = row.iter().map(|(_, bars)| bars.len()).max().unwrap_or(0);
        top += TITLE_HEIGHT + longest * LINE_HEIGHT + MARGIN;
    }
    let width = MARGIN + COLUMNS * (PANEL_WIDTH + MARGIN);
    let machine = &comparison.machine;
    let warning = match comparison.disturbed() {
        (0, _) => "",
        _ => "; the machine was not idle",
    };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {top}\" width=\"{width}\" \
         height=\"{top}\" role=\"img\" aria-label=\"soquete beside the others\">\n\
         <style>\n{STYLE}</style>\n\
         <rect class=\"paper\" width=\"{width}\" height=\"{top}\" rx=\"8\"/>\n\
         <text class=\"head\" x=\"{MARGIN}\" y=\"30\">soquete beside the others</text>\n\
         <text class=\"faint\" x=\"{MARGIN}\" y=\"48\">{}</text>\n\
         {body}</svg>\n",
        escape(&format!(
            "{}, {}, {}{warning}",
            machine.cpu, machine.kernel, machine.date
        )),
    )
}

fn bars(comparison: &Comparison, finished: &Finished) -> Vec<Bar> {
    let Some(column) = finished.cell.columns.first() else {
        return Vec::new();
    };
    let bars = finished.rows.iter().filter_map(|row| {
        let peer = &comparison.peers[row.peer];
        let value = row.spread(column.key)?.median.max(0.0);
        Some(Bar {
            label: peer.label.clone(),
            value,
            figure: number(value, column.decimals),
            ours: peer.id.starts_with("ours"),
        })
    });
    bars.collect()
}

fn panel(out: &mut String, left: usize, top: usize, finished: &Finished, bars: &[Bar]) {
    let Some(column) = finished.cell.columns.first() else {
        return;
    };
    let direction = match column.better {
        Better::More => "more is better",
        Better::Less => "less is better",
        Better::Neither => "",
    };
    let _ = writeln!(
        out,
        "<text class=\"title\" x=\"{left}\" y=\"{}\">{}</text>\n\
         <text class=\"faint\" x=\"{left}\" y=\"{}\">{}, {direction}</text>",
        top + 14,
        escape(&finished.cell.title),
        top + 30,
        escape(column.title),
    );
    let greatest = bars
        .iter()
        .map(|bar| bar.value)
        .fold(f64::MIN_POSITIVE, f64::max);
    let room = (PANEL_WIDTH - LABEL_WIDTH - FIGURE_WIDTH) as f64;
    for (index, bar) in bars.iter().enumerate() {
        let y = top + TITLE_HEIGHT + index * LINE_HEIGHT;
        let length = (bar.value / greatest * room).max(1.0);
        let (class, weight) = if bar.ours {
            ("ours", "strong")
        } else {
            ("bar", "")
        };
        let x = left + LABEL_WIDTH;
        let _ = writeln!(
            out,
            "<text class=\"{weight}\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n\
             <rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{length:.1}\" \
             height=\"{BAR_HEIGHT}\" rx=\"2\"/>\n\
             <text class=\"{weight}\" x=\"{:.1}\" y=\"{}\">{}</text>",
            x - 8,
            y + 11,
            escape(&bar.label),
            x as f64 + length + 6.0,
            y + 11,
            bar.figure,
        );
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
