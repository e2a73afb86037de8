// SPDX-License-Identifier: MIT OR Apache-2.0
//! A manual page for the program and one for every command.
//!
//! clap_mangen writes the sections that follow from the command line; examples,
//! variables and exit codes are ours. A page of a command leaves the options out that
//! every command takes.

use clap::{Arg, Command};
use clap_mangen::Man;

use super::{Pages, examples, own_arguments, remark, subcommands, usage, variables};
use crate::report::ExitCode;

/// How clap_mangen writes an apostrophe in groff and elsewhere.
const APOSTROPHE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// All manual pages.
pub(super) fn pages(program: &Command) -> Pages {
    let mut pages = Pages::new();
    let mut text = page(program, "certkeep");
    text.push_str(&environment());
    text.push_str(&exit_status());
    text.push_str(".SH SEE ALSO\n.BR age (1),\n.BR git (1),\n.BR gpg (1),\n.BR openssl (1)\n");
    pages.insert("certkeep.1".to_owned(), text);
    below(program, &["certkeep".to_owned()], &mut pages);
    pages
}

/// The pages of the commands below the one whose page, and those above it, are `above`.
fn below(command: &Command, above: &[String], pages: &mut Pages) {
    for sub in subcommands(command) {
        let name = format!("{}-{}", above.last().map_or("", String::as_str), sub.get_name());
        let mut text = page(sub, &name);
        text.push_str(".SH SEE ALSO\n");
        text.push_str("The options of every command:\n.BR certkeep (1).\n");
        for page in above.iter().skip(1) {
            text.push_str(&format!(".br\n.BR {} (1)\n", escaped(page)));
        }
        pages.insert(format!("{name}.1"), text);
        below(sub, &[above, &[name]].concat(), pages);
    }
}

/// All sections but those that only the program's own page has.
fn page(command: &Command, name: &str) -> String {
    let is_program = name == "certkeep";
    let shown = command.clone().mut_args(|argument| {
        let common = argument.is_global_set() || argument.get_id() == "help";
        let argument = argument.hide_short_help(false);
        if common && !is_program { argument.hide(true) } else { with_aliases(argument) }
    });
    // The usage of clap's help instead of a list of all options.
    let shown = shown.override_usage(usage(command)).display_name(name.to_owned());
    let man = Man::new(shown);
    let mut bytes = format!(".TH {} 1 \"\" certkeep\n", escaped(&name.to_uppercase())).into_bytes();
    let has_options = is_program || own_arguments(command).next().is_some();
    let sections = [
        man.render_name_section(&mut bytes),
        man.render_synopsis_section(&mut bytes),
        man.render_description_section(&mut bytes),
        if has_options { man.render_options_section(&mut bytes) } else { Ok(()) },
        if subcommands(command).next().is_some() {
            man.render_subcommands_section(&mut bytes)
        } else {
            Ok(())
        },
    ];
    assert!(sections.iter().all(Result::is_ok), "writing to memory does not fail");
    let mut text = String::from_utf8(bytes).expect("clap_mangen writes text");
    // clap_mangen's sections each define the apostrophe anew, and break lines twice.
    let (title, rest) = text.split_once('\n').unwrap_or_default();
    let rest = rest.replace(APOSTROPHE, "").replace(".br\n\n.br\n", ".sp\n");
    text = format!("{title}\n{APOSTROPHE}{rest}");
    if let Some(examples) = examples(command) {
        let lines: String = examples.lines().map(|line| format!("{}\n", escaped(line))).collect();
        text.push_str(&format!(".SH EXAMPLES\n.nf\n{lines}.fi\n"));
    }
    if let Some(remark) = remark(command) {
        text.push_str(&format!(".PP\n{}\n", escaped(&remark)));
    }
    text
}

/// An option whose help tells its other names too, which clap_mangen leaves out.
fn with_aliases(argument: Arg) -> Arg {
    let aliases = argument.get_all_aliases().unwrap_or_default();
    if aliases.is_empty() {
        return argument;
    }
    let aliases: Vec<String> = aliases.iter().map(|alias| format!("--{alias}")).collect();
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    argument.help(format!("{help}. Also {}", aliases.join(", ")))
}

fn environment() -> String {
    let mut text = ".SH ENVIRONMENT\n".to_owned();
    for variable in variables::all() {
        let default = variable.default.map(|default| format!(" (default: {default})")).unwrap_or_default();
        let options = match variable.options.is_empty() {
            true => String::new(),
            false => format!("; option {}", variable.options.join(", ")),
        };
        let line = format!("{}{default}{options}", variable.meaning);
        text.push_str(&format!(".TP\n.B {}\n{}\n", escaped(variable.name), escaped(&line)));
    }
    text
}

fn exit_status() -> String {
    let mut text = ".SH EXIT STATUS\n".to_owned();
    for (exit, meaning) in ExitCode::ALL {
        text.push_str(&format!(".TP\n.B {}\n{}\n", exit.code(), escaped(meaning)));
    }
    text
}

/// Text in which nothing means anything to roff.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq").replace('`', "\\(ga");
    if text.starts_with('.') { format!("\\&{text}") } else { text }
}
