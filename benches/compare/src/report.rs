//! The results as a Markdown document.

use std::fmt::Write;

use crate::comparison::Comparison;
use crate::rounds::{Finished, Row, Spread, disturbed};
use crate::workloads::Column;

/// The whole document.
pub fn markdown(comparison: &Comparison) -> String {
    let mut out = String::new();
    head(&mut out, comparison);
    for section in &comparison.sections {
        let _ = writeln!(out, "\n## {}\n\n{}", section.name, section.about);
        if let Some(reason) = &section.left_out {
            let _ = writeln!(out, "\nLeft out: {reason}.");
        }
        for finished in &section.cells {
            table(&mut out, comparison, finished);
        }
    }
    out
}

fn head(out: &mut String, comparison: &Comparison) {
    let machine = &comparison.machine;
    let effort = &comparison.effort;
    let pinning = match machine.pinned {
        Some((server, load)) => {
            format!("The server is pinned to core {server}, the load generator to core {load}.")
        }
        None => "Nothing is pinned: there is no taskset, or a single core.".to_owned(),
    };
    let _ = write!(
        out,
        "# soquete beside the others\n\n\
         {}, {} cores, {} MiB, {}, {}.\n\
         {pinning}\n\
         Rounds are interleaved: {} of {:.2} s each, after {:.2} s to warm up. Figures are medians, \
         in parentheses the least and the most of all rounds; CPU shares are of one core and show \
         who was the bottleneck. *of ours* is the median of the rounds' own ratios of the first figure \
         to soquete's.\n",
        machine.cpu,
        machine.cores.len(),
        machine.memory_mib,
        machine.kernel,
        machine.date,
        effort.rounds,
        effort.seconds.as_secs_f64(),
        effort.warm_up.as_secs_f64(),
    );
    if effort.quick {
        let _ = writeln!(
            out,
            "\nThis is the quick form: few workloads, short rounds, rough figures, and hardly time enough \
             for a just-in-time compiler to do its work."
        );
    }
    let (disturbed, rounds) = comparison.disturbed();
    if disturbed > 0 {
        let _ = writeln!(
            out,
            "\n**The machine was not idle**: in {disturbed} of {rounds} measurements under load, \
             something else had one of the two cores for more than 5 % of the time. The tables say \
             where; repeat those before quoting them."
        );
    }
    let _ = writeln!(out, "\n| peer | version |\n|---|---|");
    for peer in &comparison.peers {
        let _ = writeln!(out, "| {} | {} |", peer.label, peer.version);
    }
    for left_out in &comparison.left_out {
        let _ = writeln!(out, "| {} | left out: {} |", left_out.id, left_out.reason);
    }
}

fn table(out: &mut String, comparison: &Comparison, finished: &Finished) {
    let Finished { cell, rows, .. } = finished;
    let Some((first, others)) = cell.columns.split_first() else {
        return;
    };
    let _ = write!(
        out,
        "\n### {}\n\n| peer | {} | of ours |",
        cell.title, first.title
    );
    for column in others {
        let _ = write!(out, " {} |", column.title);
    }
    let _ = writeln!(out, "\n|---|{}", "---:|".repeat(cell.columns.len() + 1));
    for row in rows {
        let _ = write!(out, "| {} |", comparison.peers[row.peer].label);
        if let Some(failure) = &row.failure {
            let _ = write!(
                out,
                " failed: {} |",
                failure.replace('|', "/").replace('\n', " ")
            );
        } else {
            let of_ours = finished.of_ours(&comparison.peers, row, first.key);
            leading(out, row, first, of_ours);
            for column in others {
                let median = row
                    .spread(column.key)
                    .map(|spread| number(spread.median, column.decimals));
                let _ = write!(out, " {} |", median.unwrap_or_default());
            }
        }
        out.push('\n');
    }
    let (disturbed, rounds) = disturbed(rows, &comparison.peers);
    if disturbed > 0 {
        let again = match finished.repeats {
            0 => String::new(),
            1 => ", the quieter of two attempts".to_owned(),
            more => format!(", the quietest of {} attempts", more + 1),
        };
        let _ = writeln!(
            out,
            "\n*Disturbed: {disturbed} of {rounds} measurements{again}.*"
        );
    }
}

fn leading(out: &mut String, row: &Row, column: &Column, of_ours: Option<f64>) {
    let Some(Spread {
        median,
        least,
        most,
    }) = row.spread(column.key)
    else {
        out.push_str(" | |");
        return;
    };
    let _ = write!(out, " {}", number(median, column.decimals));
    if row.rounds.len() > 1 {
        let (least, most) = (
            number(least, column.decimals),
            number(most, column.decimals),
        );
        let _ = write!(out, " ({least}–{most})");
    }
    let ratio = of_ours
        .map(|ratio| format!("{ratio:.2}"))
        .unwrap_or_default();
    let _ = write!(out, " | {ratio} |");
}

/// A number with its thousands set apart.
pub fn number(value: f64, decimals: usize) -> String {
    let text = format!("{:.*}", decimals, value.abs());
    let (whole, fraction) = text
        .split_once('.')
        .map_or((text.as_str(), None), |(whole, fraction)| {
            (whole, Some(fraction))
        });
    let mut out = String::new();
    if value < 0.0 {
        out.push('-');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart_and_decimals_kept() {
        assert_eq!(number(1_234_567.0, 0), "1,234,567");
        assert_eq!(number(999.4, 0), "999");
        assert_eq!(number(1234.5, 2), "1,234.50");
        assert_eq!(number(-1234.5, 1), "-1,234.5");
    }
}
