// SPDX-License-Identifier: MIT OR Apache-2.0
//! `completions`: the scripts work in the shells that they are for. Needs the
//! packages fish and zsh; for PowerShell and Elvish there is no Debian package, so
//! their scripts are looked at only.
#![cfg(unix)]

#[expect(dead_code, reason = "each topic uses a part of it")]
mod world;

use world::World;

fn with_script(shell: &str) -> World {
    let world = World::empty();
    let script = world.run(["completions", shell]).success();
    assert_eq!(script.stderr, "");
    world.write("script", script.stdout);
    world
}

#[test]
fn bash_completes_commands_and_options() {
    let world = with_script("bash");
    for (words, position, expected) in [
        ("certkeep gen-t", 1, "gen-tls-auth-key gen-tls-crypt-key gen-tls-crypt-v2-key"),
        ("certkeep sign-req --sub", 2, "--subca-len --subject-alt-name"),
        ("certkeep store zone s", 3, "set"),
        ("certkeep --algo e", 2, "ec ed"),
    ] {
        let last = words.rsplit(' ').next().unwrap_or_default();
        let script = format!(
            "bash --norc -c '. ./script; COMP_WORDS=({words}); COMP_CWORD={position}; \
             _certkeep certkeep \"{last}\" \"${{COMP_WORDS[$COMP_CWORD-1]}}\"; echo \"${{COMPREPLY[@]}}\"'"
        );
        assert_eq!(world.shell(&script).run().success().stdout.trim(), expected, "{words}");
    }
}

#[test]
fn fish_completes_commands_and_options() {
    let world = with_script("fish");
    for (line, expected) in [
        ("certkeep gen-t", &["gen-tls-auth-key", "gen-tls-crypt-key", "gen-tls-crypt-v2-key"][..]),
        ("certkeep sign-req --sub", &["--subca-len", "--subject-alt-name"]),
        ("certkeep store i", &["import", "init"]),
    ] {
        let script = format!("fish --no-config -c 'source ./script; complete -C \"{line}\"'");
        let shown = world.shell(&script).run().success().stdout;
        let found: Vec<&str> = shown.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(found, expected, "{line}");
    }
}

#[test]
fn zsh_takes_the_script_and_knows_the_commands() {
    let world = with_script("zsh");
    world.shell("mkdir zfunc && mv script zfunc/_certkeep").run().success();
    let begin = "fpath=($PWD/zfunc $fpath); autoload -Uz compinit; compinit -D -u";
    let registered = format!("zsh -f -c '{begin}; print $_comps[certkeep]'");
    assert_eq!(world.shell(&registered).run().success().stdout, "_certkeep\n");
    // Outside of a line editor: the list that would be offered.
    let offered = "zsh -f -c 'compdef() { }; _describe() { print -l -- $commands }; source zfunc/_certkeep; \
                   _certkeep_commands; _certkeep__subcmd__store_commands'";
    let offered = world.shell(offered).run().success().stdout;
    for command in ["gen-tls-auth-key:Make", "sign-req:Sign a request", "rotate:New keys for zones"] {
        assert!(offered.lines().any(|line| line.starts_with(command)), "{command} in {offered}");
    }
}

#[test]
fn others_get_a_script_too_and_the_unknown_a_list() {
    let world = World::empty();
    world.run(["completions", "powershell"]).success().shows("Register-ArgumentCompleter");
    world.run(["completions", "elvish"]).success().shows("edit:completion:arg-completer[certkeep]");
    world.refuses(["completions", "tcsh"], "possible values: bash, elvish, fish, powershell, zsh");
    world.refuses(["completions"], "<SHELL>");
}

#[test]
fn a_vars_file_that_cannot_be_read_is_no_obstacle() {
    let world = World::with_pki();
    world.write("pki/vars", "echo hello\n");
    world.run(["completions", "bash"]).success();
}
