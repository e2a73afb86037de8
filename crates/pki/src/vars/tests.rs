// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a vars file may hold and what is refused, by example; that the values
//! are those of a real shell is a test of the command line, `vars_like_sh.rs`.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Default)]
struct Variables(BTreeMap<String, String>);

impl Scope for Variables {
    fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn set(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), value);
    }

    fn set_if_unset(&mut self, name: &str, value: String) {
        self.0.entry(name.to_owned()).or_insert(value);
    }
}

fn value_of(text: &str) -> Result<String, Reason> {
    let mut variables = Variables::default();
    variables.set("HOME", "/home/jane doe".to_owned());
    variables.set("EASYRSA_CERT_EXPIRE", "90".to_owned());
    apply(text, &mut variables).map_err(|error| error.reason)?;
    Ok(variables.value("X").unwrap_or("(unset)").to_owned())
}

#[test]
fn a_value_ends_at_its_limit() {
    let doubled = |expression: &str| {
        let lines: String = (0..60).map(|_| format!("force_set_var X {expression}\n")).collect();
        value_of(&format!("set_var X ab\n{lines}"))
    };
    for expression in [r#""$X$X""#, "$X$X", r#"'$X$X'"#, r#""$X"'$X'"#] {
        assert_eq!(doubled(expression), Err(Reason::TooLong), "{expression}");
    }
    let longest = "x".repeat(VALUE_LIMIT);
    assert_eq!(value_of(&format!("set_var X {longest}")).as_ref(), Ok(&longest));
    assert_eq!(value_of(&format!("set_var Y {longest}\nset_var X '$Y'")).as_ref(), Ok(&longest));
    assert_eq!(value_of(&format!("set_var X {longest}x")), Err(Reason::TooLong));
    assert_eq!(value_of(&format!("set_var Y {longest}\nset_var X '$Y-'")), Err(Reason::TooLong));
    // Blanks that leave nothing behind take their time too.
    let blanks = " ".repeat(VALUE_LIMIT);
    assert_eq!(
        value_of(&format!("set_var Y '{blanks}'\nset_var X {}", "$Y".repeat(9))),
        Err(Reason::TooLong)
    );
}

#[test]
fn values_are_quoted_and_expanded_as_in_a_shell() {
    for (text, expected) in [
        ("set_var X rsa", "rsa"),
        ("\tset_var\tX\t\trsa  # the default\r\n", "rsa"),
        ("set_var X \"San Francisco\"", "San Francisco"),
        ("set_var X 'a b'\"c d\"e", "a bc de"),
        ("set_var X foo#bar", "foo#bar"),
        ("set_var X", ""),
        ("set_var X \"\"", ""),
        ("set_var X \"$HOME/pki\"", "/home/jane doe/pki"),
        ("set_var X ${EASYRSA_CERT_EXPIRE}d", "90d"),
        ("set_var X \"\\\\\\$HOME\"", "$HOME"),
        ("set_var X a\\\nb", "ab"),
        ("set_var X \\\n  rsa", "rsa"),
        ("set_var X \"first\nsecond\"", "first\nsecond"),
        ("set_var X ~/pki", "/home/jane doe/pki"),
        ("set_var X Zürich", "Zürich"),
        ("set_var X 1\nset_var X 2", "1"),
        ("set_var X 1\nforce_set_var X 2", "2"),
        ("#set_var X rsa\n\n   # set_var X ec\n", "(unset)"),
        ("if [ -z \"$EASYRSA_CALLER\" ]; then\n\techo no >&2\n\treturn 1\nfi\nset_var X rsa", "rsa"),
        ("if [ -z \"${EASYRSA_CALLER}\" ]\nthen\n return 1; fi # done\nset_var X rsa", "rsa"),
    ] {
        assert_eq!(value_of(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn whatever_would_run_a_command_is_refused() {
    for (text, reason) in [
        ("set_var X $(id)", Reason::CommandSubstitution),
        ("set_var X \"`id`\"", Reason::CommandSubstitution),
        ("set_var X '$(id)'", Reason::CommandSubstitution),
        ("set_var X '`id`'", Reason::CommandSubstitution),
        ("set_var X $((1+1))", Reason::CommandSubstitution),
        ("set_var X a; id", Reason::Operator(';')),
        ("set_var X a | id", Reason::Operator('|')),
        ("set_var X a & id", Reason::Operator('&')),
        ("set_var X a > /tmp/x", Reason::Operator('>')),
        ("( id )", Reason::Operator('(')),
        ("export X=1", Reason::Command("export".to_owned())),
        ("unset X", Reason::Command("unset".to_owned())),
        (". ./other", Reason::Command(".".to_owned())),
        ("alias awk=/bin/awk", Reason::Command("alias".to_owned())),
        ("EASYRSA_ALGO=ec", Reason::Assignment("EASYRSA_ALGO".to_owned())),
        ("$HOME X", Reason::Expansion),
        ("if true; then\nset_var X 1\nfi", Reason::Condition),
        ("if [ -z \"$EASYRSA_CALLER\" ]; then\nreturn\nelse\nset_var X 1\nfi", Reason::Condition),
        ("if [ -n \"$EASYRSA_CALLER\" ]; then\nset_var X 1\nfi", Reason::Condition),
        ("if [ -z \"$EASYRSA_CALLER\" ]; then\nreturn", Reason::Unterminated("if")),
        ("set_var X 'a", Reason::Unterminated("'")),
        ("set_var X \"a", Reason::Unterminated("\"")),
        ("set_var X ${HOME:-x}", Reason::Expansion),
        ("set_var X ${0%/*}", Reason::Expansion),
        ("set_var X $1", Reason::Expansion),
        ("set_var X $'a'", Reason::Expansion),
        ("set_var X ~root/pki", Reason::Tilde),
        ("set_var X a b", Reason::Excess("X".to_owned())),
        ("set_var X $HOME", Reason::Excess("X".to_owned())),
        ("set_var", Reason::MissingName),
        ("set_var 1X a", Reason::Name("1X".to_owned())),
        ("set_var X=1", Reason::Name("X=1".to_owned())),
        ("set_var X a}b", Reason::Unescaped('}')),
        ("set_var X 'C:\\'", Reason::Unescaped('\\')),
        ("set_var X '\"a\"'", Reason::Unescaped('"')),
        ("set_var X a\0b", Reason::Nul),
        ("set_var EASYRSA_PASSIN pass:x", Reason::Secret("EASYRSA_PASSIN")),
        ("set_var CERTKEEP_IDENTITY x", Reason::Secret("CERTKEEP_IDENTITY")),
        ("force_set_var EASYRSA_PASSOUT pass:x", Reason::Secret("EASYRSA_PASSOUT")),
        ("set_var EASYRSA_PASS\"OUT\" x", Reason::Secret("EASYRSA_PASSOUT")),
        ("set_var X $EASYRSA_PASSIN", Reason::Secret("EASYRSA_PASSIN")),
    ] {
        assert_eq!(value_of(text), Err(reason), "{text}");
    }
}

#[test]
fn a_passphrase_may_be_talked_about_in_a_comment() {
    assert_eq!(value_of("set_var X 1 # never EASYRSA_PASSIN\n# nor EASYRSA_PASSOUT").as_deref(), Ok("1"));
}

#[test]
fn an_error_names_its_place() {
    let error = apply("# one\n\nset_var X \"a\nb\" `id`\n", &mut Variables::default()).expect_err("refused");
    assert_eq!(error.to_string(), "line 4, column 4: a command substitution would run a program");
    let error = apply("  export X\r\n", &mut Variables::default()).expect_err("refused");
    assert_eq!(error.to_string(), "line 1, column 3: `export` is not a command of a vars file");
}

proptest! {
    #[test]
    fn any_text_is_carried_out_or_refused(text in "\\PC*") {
        let _ = apply(&text, &mut Variables::default());
    }

    #[test]
    fn any_mixture_of_the_language_is_carried_out_or_refused(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "set_var", "force_set_var", " ", "\n", "\r\n", "\t", "X", "\"", "'", "\\", "$", "${", "}", "`",
                "#", "~", "/", "if [ -z \"$EASYRSA_CALLER\" ]; then", "fi", ";", "é", "\u{0}", "=", "1",
            ]),
            0..24,
        )
    ) {
        let _ = apply(&pieces.concat(), &mut Variables::default());
    }

    #[test]
    fn a_value_in_single_quotes_without_syntax_is_itself(value in "[a-zA-Z0-9 .,:;/@&|<>()*?~#=-]*") {
        prop_assert_eq!(value_of(&format!("set_var X '{value}'")), Ok(value));
    }
}
