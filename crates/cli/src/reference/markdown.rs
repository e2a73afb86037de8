// SPDX-License-Identifier: MIT OR Apache-2.0
//! `docs/cli`: a page for every command, and one each for all commands and options,
//! the variables, and the exit codes.

use clap::{Arg, Command};

use super::{Pages, examples, own_arguments, remark, subcommands, usage, variables};
use crate::{report::ExitCode, settings::env};

const MADE: &str = "<!-- Made by `cargo xtask docs`. -->\n\n";

/// All pages of `docs/cli`.
pub(super) fn pages(program: &Command) -> Pages {
    let mut pages = Pages::new();
    pages.insert("README.md".to_owned(), index(program));
    pages.insert("environment.md".to_owned(), environment());
    pages.insert("exit-codes.md".to_owned(), exit_codes());
    for command in subcommands(program) {
        pages.insert(format!("{}.md", command.get_name()), page(command));
    }
    pages
}

/// All commands and all options that every one of them takes.
fn index(program: &Command) -> String {
    let mut text = format!("{MADE}# certkeep\n\n{}\n\n", long_about(program));
    text.push_str(&code(&usage(program)));
    text.push_str("## Commands\n\n| command | what it does |\n|---|---|\n");
    for command in subcommands(program) {
        let name = command.get_name();
        let aliases: String = command.get_visible_aliases().map(|alias| format!(", `{alias}`")).collect();
        text.push_str(&format!("| [`{name}`]({name}.md){aliases} | {} |\n", cell(&about(command))));
    }
    text.push_str(
        "\n## Options\n\nEvery command takes them, before or behind its name, as `--option=value` or \
         `--option value`.\n[environment.md](environment.md) has the variables that say the same, and \
         [exit-codes.md](exit-codes.md) how a command ends.\n",
    );
    let mut heading = None;
    for option in program.get_arguments().filter(|argument| !argument.is_hide_set()) {
        let title = option.get_help_heading().unwrap_or("Program");
        if heading != Some(title) {
            heading = Some(title);
            text.push_str(&format!("\n### {title}\n\n| option | meaning |\n|---|---|\n"));
        }
        text.push_str(&row(option));
    }
    if let Some(examples) = examples(program) {
        text.push_str(&format!("\n## Examples\n\n{}", code(&examples)));
    }
    if let Some(remark) = remark(program) {
        text.push_str(&format!("{}\n", prose(&remark)));
    }
    text
}

/// A command with the commands below it.
fn page(command: &Command) -> String {
    let mut text = format!("{MADE}# certkeep {}\n\n", command.get_name());
    text.push_str(&body(command));
    below(command, &format!("certkeep {}", command.get_name()), "##", &mut text);
    text.push_str("Options of every command: [README.md](README.md#options).\n");
    text
}

/// The commands below a command, each under a heading of one more `#`.
fn below(command: &Command, words: &str, heading: &str, text: &mut String) {
    for sub in subcommands(command) {
        let words = format!("{words} {}", sub.get_name());
        text.push_str(&format!("{heading} {words}\n\n{}", body(sub)));
        below(sub, &words, &format!("{heading}#"), text);
    }
}

fn body(command: &Command) -> String {
    let mut text = format!("{}\n\n{}", long_about(command), code(&usage(command)));
    let aliases: Vec<String> = command
        .get_visible_aliases()
        .chain(hidden_aliases(command))
        .map(|alias| format!("`{alias}`"))
        .collect();
    if !aliases.is_empty() {
        text.push_str(&format!("Also called {}.\n\n", aliases.join(", ")));
    }
    let (positional, options): (Vec<&Arg>, Vec<&Arg>) =
        own_arguments(command).partition(|argument| argument.is_positional());
    for (title, arguments) in [("argument", positional), ("option", options)] {
        if !arguments.is_empty() {
            text.push_str(&format!("| {title} | meaning |\n|---|---|\n"));
            text.extend(arguments.iter().map(|argument| row(argument)));
            text.push('\n');
        }
    }
    if let Some(examples) = examples(command) {
        text.push_str(&code(&examples));
    }
    text
}

/// easy-rsa's other names of a command.
fn hidden_aliases(command: &Command) -> impl Iterator<Item = &str> {
    let visible: Vec<&str> = command.get_visible_aliases().collect();
    command.get_all_aliases().filter(move |alias| !visible.contains(alias))
}

fn row(argument: &Arg) -> String {
    let mut names = Vec::new();
    if let Some(short) = argument.get_short() {
        names.push(format!("`-{short}`"));
    }
    if let Some(long) = argument.get_long() {
        names.push(format!("`--{long}{}`", value(argument)));
    }
    names.extend(argument.get_all_aliases().into_iter().flatten().map(|alias| format!("`--{alias}`")));
    if argument.is_positional() {
        names.push(format!("`{}`", cell(&value_names(argument))));
    }
    let mut meaning = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let words = argument.get_possible_values();
    if !words.is_empty() && !matches!(argument.get_action(), clap::ArgAction::SetTrue) {
        let words: Vec<&str> = words.iter().map(clap::builder::PossibleValue::get_name).collect();
        meaning.push_str(&format!(": {}", words.join(", ")));
    }
    format!("| {} | {} |\n", names.join(", "), cell(&meaning))
}

/// `=VALUE` of an option that takes one.
fn value(argument: &Arg) -> String {
    let range = argument.get_num_args().unwrap_or_default();
    match (range.takes_values(), range.min_values() > 0) {
        (false, _) => String::new(),
        (true, true) => format!("={}", cell(&value_names(argument))),
        (true, false) => format!("[={}]", cell(&value_names(argument))),
    }
}

fn value_names(argument: &Arg) -> String {
    let id = argument.get_id().as_str().to_uppercase();
    argument.get_value_names().map_or(id, |names| names.join(" "))
}

fn environment() -> String {
    let mut text = format!(
        "{MADE}# Variables\n\nRead from the environment, and all that begin with `EASYRSA` or `CERTKEEP` from a vars \
         file too, but for\n`EASYRSA_PASSIN`, `EASYRSA_PASSOUT` and `CERTKEEP_IDENTITY`. An option outweighs the \
         environment, which\noutweighs the vars file. \"Any text\": the variable is a switch, and on unless it is \
         empty.\n\n| variable | option | default | meaning |\n|---|---|---|---|\n"
    );
    for variable in variables::all() {
        let options: Vec<String> = variable.options.iter().map(|option| format!("`{option}`")).collect();
        text.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            variable.name,
            options.join(", "),
            cell(variable.default.unwrap_or_default()),
            cell(variable.meaning)
        ));
    }
    text.push_str(&format!(
        "\n`certkeep exec` sets `{}` for its command: the folder with the PKI in the clear.\n",
        env::CERTKEEP_DIR
    ));
    text.push_str(
        "\n## Without effect\n\nThese variables of easy-rsa may be set and change nothing: what they ",
    );
    text.push_str("govern is not there.\n\n");
    for name in env::WITHOUT_EFFECT {
        text.push_str(&format!("* `{name}`\n"));
    }
    text
}

fn exit_codes() -> String {
    let mut text = format!("{MADE}# Exit codes\n\n| code | meaning |\n|---|---|\n");
    for (exit, meaning) in ExitCode::ALL {
        text.push_str(&format!("| {} | {} |\n", exit.code(), cell(meaning)));
    }
    text.push_str(
        "\n`exec` ends with the exit code of its command, and by a signal if that did. An interrupt ends the \
         process by\nits signal, which a shell shows as 130.\n",
    );
    text
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn long_about(command: &Command) -> String {
    let text = command.get_long_about().or_else(|| command.get_about()).map(ToString::to_string);
    let text = text.unwrap_or_default();
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    prose(format!("{}.\n{rest}", first.trim_end_matches('.')).trim_end())
}

fn code(text: &str) -> String {
    format!("```text\n{}\n```\n\n", text.trim_end())
}

/// Text outside of a table.
fn prose(text: &str) -> String {
    text.replace('<', "\\<").replace('*', "\\*")
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    prose(&text.replace('\n', " ")).replace('|', "\\|")
}
