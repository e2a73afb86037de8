// SPDX-License-Identifier: MIT OR Apache-2.0
//! docs/compat.md as rows: what each is about, its state, and the tests that it
//! names.
//!
//! A table counts if one of its columns is called `state`; what stands in the
//! columns before it, in backquotes, are the names. Tests stand in a comment at the
//! end of a row, or in one before the table that begins with `all rows:`.

const PAGE: &str = include_str!("../../../../docs/compat.md");

/// The page.
pub(crate) struct Page {
    pub(crate) rows: Vec<Row>,
}

/// A row.
#[derive(Debug)]
pub(crate) struct Row {
    section: String,
    /// The names, column by column.
    pub(crate) names: Vec<Vec<String>>,
    /// The word in the column `state`.
    pub(crate) state: String,
    /// The remark, without its comment.
    pub(crate) text: String,
    /// The tests that the row names.
    pub(crate) tests: Vec<String>,
    /// The tests that are named for all rows of its table.
    pub(crate) tests_of_table: Vec<String>,
}

impl Page {
    pub(crate) fn read() -> Self {
        let mut rows = Vec::new();
        let mut section = String::new();
        let mut for_all = Vec::new();
        let mut column = None;
        for line in PAGE.lines() {
            if let Some(title) = line.strip_prefix("## ") {
                (section, for_all) = (title.to_owned(), Vec::new());
            } else if let Some(tests) = line.strip_prefix("<!-- all rows: ") {
                for_all = list(tests.trim_end_matches("-->"));
            }
            let Some(row) = line.strip_prefix('|').and_then(|row| row.strip_suffix('|')) else {
                column = None;
                continue;
            };
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            match column {
                None => column = Some(cells.iter().position(|cell| *cell == "state").unwrap_or(0)),
                Some(0) => {}
                Some(_) if row.starts_with("---") => {}
                Some(state) => rows.push(Row::of(&cells, state, &section, &for_all)),
            }
        }
        Self { rows }
    }

    /// The rows of a section.
    pub(crate) fn rows(&self, section: &str) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.section == section)
    }
}

impl Row {
    fn of(cells: &[&str], state: usize, section: &str, for_all: &[String]) -> Self {
        let (text, tests) = match cells.last().and_then(|last| last.split_once("<!--")) {
            Some((text, tests)) => (text, list(tests.trim_end_matches("-->"))),
            None => (cells.last().copied().unwrap_or_default(), Vec::new()),
        };
        Self {
            section: section.to_owned(),
            names: cells[..state].iter().map(|cell| names(cell)).collect(),
            state: cells[state].to_owned(),
            text: text.trim().to_owned(),
            tests,
            tests_of_table: for_all.to_vec(),
        }
    }

    /// Whether a column has this name.
    pub(crate) fn has(&self, column: usize, name: &str) -> bool {
        self.names[column].iter().any(|listed| listed == name)
    }

    /// What a test has to mention: every name, but for the commands that a word stands behind.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = &String> {
        let columns = if self.section == "Words behind a command" { 1 } else { self.names.len() };
        self.names[..columns].iter().flatten()
    }
}

/// What stands in backquotes.
fn names(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(|test| test.trim().to_owned()).collect()
}
