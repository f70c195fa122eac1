//! [`Tickets`]: the cookies of very many visitors, in a file that all application processes read.

use std::io::{self, Write};
use std::path::Path;

/// Cookies of one length, in the order of their visitors' numbers.
pub struct Tickets {
    lines: String,
    width: usize,
}

impl Tickets {
    /// The cookies of visitors whose numbers are 0, 1, 2 and so on, in whatever order they come.
    pub fn of(mut numbered: Vec<(usize, String)>) -> Self {
        numbered.sort_unstable_by_key(|(number, _)| *number);
        let in_order = numbered.iter().enumerate().all(|(at, (number, _))| at == *number);
        assert!(in_order, "every visitor has one ticket");
        let mut lines = String::new();
        for (_, cookie) in &numbered {
            lines.push_str(cookie);
            lines.push('\n');
        }
        Self::parse(lines)
    }

    /// Reads what [`write`](Self::write) has written.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn read(file: &Path) -> io::Result<Self> {
        std::fs::read_to_string(file).map(Self::parse)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, mut file: impl Write) -> io::Result<()> {
        file.write_all(self.lines.as_bytes())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lines.len() / self.width
    }

    /// One visitor's cookie.
    pub fn cookie(&self, number: usize) -> &str {
        let at = number * self.width;
        &self.lines[at..at + self.width - 1]
    }

    fn parse(lines: String) -> Self {
        let width = lines.find('\n').expect("there is a ticket") + 1;
        assert_eq!(lines.len() % width, 0, "all tickets have one length");
        Self { lines, width }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_are_found_by_their_visitors_numbers() {
        let numbered = [(1, "b=2"), (2, "c=3"), (0, "a=1")];
        let tickets = Tickets::of(numbered.map(|(at, text)| (at, text.to_owned())).to_vec());
        assert_eq!(tickets.count(), 3);
        assert_eq!([0, 1, 2].map(|at| tickets.cookie(at)), ["a=1", "b=2", "c=3"]);
    }
}
