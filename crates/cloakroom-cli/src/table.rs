//! [`Table`]: rows and columns for people, aligned by what is shown and not by bytes.

use comfy_table::{CellAlignment, ContentArrangement, presets};

/// A table without lines, whose first column is text and whose others are figures.
pub(crate) struct Table(comfy_table::Table);

impl Table {
    pub(crate) fn new<const N: usize>(head: [&str; N]) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(head);
        for column in table.column_iter_mut() {
            let is_first = column.index == 0;
            column.set_padding(if is_first { (0, 1) } else { (2, 0) });
            if !is_first {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Self(table)
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.0.add_row(cells);
    }

    /// The lines, none with spaces at its end.
    pub(crate) fn lines(&self) -> String {
        self.0.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }
}

/// A number with its thousands apart.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn figures_stand_at_the_right_and_text_at_the_left() {
        let mut table = Table::new(["", "rate"]);
        table.row(["read".to_owned(), "12,000".to_owned()]);
        table.row(["sign out".to_owned(), "7".to_owned()]);
        assert_eq!(table.lines(), "             rate\nread       12,000\nsign out        7\n");
    }
}
