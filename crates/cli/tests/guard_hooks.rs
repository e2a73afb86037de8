// SPDX-License-Identifier: MIT OR Apache-2.0
//! The guard's hooks beside everybody else's: nobody's hook is lost or left out,
//! whoever comes first, and what was there before comes back as it was.
//!
//! A git from 2.54 on is asked by its configuration, an older one by files; what is
//! seen is the same. CERTKEEP_TEST_GIT names the folder of a git to try it with.

#[expect(dead_code, reason = "each topic uses a part of it")]
mod team;

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use team::{Person, Team};

const MAKE_KEY: &str = "openssl genpkey -algorithm ed25519";
/// Where xtask/setup.sh installs it.
const PRE_COMMIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/python/bin/pre-commit");

/// The folder of the git to try it with, if it is not the system's.
#[expect(clippy::disallowed_methods, reason = "it is whoever runs the tests who names it")]
fn other_git() -> Option<String> {
    std::env::var("CERTKEEP_TEST_GIT").ok()
}

/// Somebody with a repository in `work/app` and one to push to.
fn alice(team: &Team) -> Person {
    let alice = team.person("alice");
    let alice = match other_git() {
        Some(folder) => {
            let path = format!("{folder}:{}:/usr/local/bin:/usr/bin:/bin", team.path("bin").display());
            alice.with("PATH", &path)
        }
        None => alice,
    };
    alice.does(
        "git init -q --bare hub.git
         git init -q work/app && cd work/app && git remote add origin ~/hub.git
         echo hello >README && git add . && git commit -qm 'Begin' && git push -q -u origin main",
    );
    alice
}

/// Whether this git is asked by its configuration.
fn configures(alice: &Person) -> bool {
    let version = alice.does("git version");
    let numbers: Vec<u32> =
        version.split([' ', '.', '\n']).filter_map(|number| number.parse().ok()).take(2).collect();
    numbers >= vec![2, 54]
}

/// The bytes, the mode, the date.
fn state(file: &Path) -> (Vec<u8>, u32, i64, i64) {
    let metadata = fs::symlink_metadata(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let bytes = fs::read(file).expect("a file");
    (bytes, metadata.permissions().mode(), metadata.mtime(), metadata.mtime_nsec())
}

/// A commit with a key in it is stopped, and one without is not.
#[track_caller]
fn works(alice: &Person, folder: &str) {
    let said = alice.tries(&format!(
        "cd {folder} && {MAKE_KEY} -out leak.key && git add leak.key && git commit -qm 'Leak'"
    ));
    let all = format!("{}{}", said.stdout, said.stderr);
    assert!(said.code != 0 && all.contains("leak.key:1"), "{said:#?}");
    alice.does(&format!(
        "cd {folder} && git reset -q && rm leak.key && date +%N >now && git add now && git commit -qm 'No leak'"
    ));
}

#[test]
fn installed_twice_and_taken_away_once() {
    let team = Team::new().that_leaks();
    let alice = alice(&team);
    alice.does("cd work/app && certkeep guard install && certkeep guard install");
    works(&alice, "work/app");
    if configures(&alice) {
        alice.does(
            "cd work/app && git config hook.certkeep-pre-commit.event && [ ! -e .git/hooks/pre-commit ]",
        );
    } else {
        alice.does("cd work/app && [ -x .git/hooks/pre-commit ] && no git config --get-regexp '^hook'");
    }
    alice.does(
        "cd work/app && certkeep guard uninstall
         ls .git/hooks >../hooks && no grep -v sample ../hooks && no git config --get-regexp '^hook'
         certkeep guard uninstall",
    );
    alice.does("cd work/app && [ \"$(certkeep guard status | grep -c 'not asked')\" = 3 ]");
    alice.does(&format!("cd work/app && {MAKE_KEY} -out leak.key && git add . && git commit -qm 'Leak'"));
}

#[test]
fn a_hook_of_ones_own_runs_after_the_guard_and_comes_back_as_it_was() {
    let scripts = [
        "#!/bin/sh\necho \"$0 $*\" >>~/ran; [ ! -e ~/refuse ]\n",
        "#!/usr/bin/env python3\nimport os, sys\nopen(os.path.expanduser('~/ran'), 'a').write('ran\\n')\nsys.exit(os.path.exists(os.path.expanduser('~/refuse')))\n",
    ];
    for script in scripts {
        let team = Team::new().that_leaks();
        let alice = alice(&team);
        let hook = alice.path("work/app/.git/hooks/pre-commit");
        fs::write(&hook, script).expect("a hook");
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o750)).expect("its mode");
        alice.does("touch -d '2020-02-03 04:05:06.789' work/app/.git/hooks/pre-commit");
        let before = state(&hook);
        alice.does("cd work/app && certkeep guard install && certkeep guard install");
        works(&alice, "work/app");
        // The commit without a leak has reached it, the one with a leak may not have.
        assert!(alice.text("ran").lines().count() >= 1);
        alice.does("touch refuse");
        assert!(alice.tries("cd work/app && git commit -q --allow-empty -m 'Refused'").code != 0);
        alice.does("cd work/app && certkeep guard uninstall");
        assert!(state(&hook) == before, "{script}");
        alice.does("[ \"$(ls work/app/.git/hooks | grep -c -v sample)\" = 1 ]");
    }
}

#[test]
fn a_program_and_a_link_as_hooks_come_back_too() {
    let team = Team::new().that_leaks();
    let alice = alice(&team);
    alice.does(
        "cd work/app && cp /bin/true .git/hooks/pre-commit && touch -d 2020-01-01 .git/hooks/pre-commit
         mkdir scripts && printf '#!/bin/sh\\ncat >~/pushed; echo \"$@\" >>~/pushed\\n' >scripts/push
         chmod +x scripts/push && ln -s ../../scripts/push .git/hooks/pre-push",
    );
    let hook = alice.path("work/app/.git/hooks/pre-commit");
    let before = state(&hook);
    alice.does("cd work/app && certkeep guard install");
    works(&alice, "work/app");
    // Both have read what git says on standard input.
    alice.does("cd work/app && git push -q && grep -q '^refs/heads/main .* refs/heads/main ' ~/pushed && grep -q '^origin ' ~/pushed");
    let said = alice.tries(&format!(
        "cd work/app && {MAKE_KEY} -out leak.key && git add . && git commit -qnm 'Leak' && rm ~/pushed && git push -q"
    ));
    assert!(said.code != 0, "{said:#?}");
    alice.does("cd work/app && certkeep guard uninstall && [ \"$(readlink .git/hooks/pre-push)\" = ../../scripts/push ]");
    assert!(state(&hook) == before);
}

#[test]
fn what_git_does_not_run_is_no_hook() {
    let team = Team::new().that_leaks();
    let alice = alice(&team);
    alice.does("cd work/app && certkeep guard install");
    if configures(&alice) {
        alice.does("cd work/app && git config hook.certkeep-pre-commit.enabled no");
    } else {
        alice.does("cd work/app && chmod -x .git/hooks/pre-commit");
    }
    alice.does("cd work/app && [ \"$(certkeep guard status | grep -c 'not asked')\" = 1 ]");
    alice.does(
        "cd work/app && certkeep guard install && no sh -c 'certkeep guard status | grep \"not asked\"'",
    );
    works(&alice, "work/app");
    alice.does("cd work/app && certkeep guard uninstall && no sh -c 'ls .git/hooks | grep -v sample'");
    alice.does("cd work/app && no git config --get-regexp '^hook'");
    // What git's configuration of a newer version has is read by no older one, and the other way round.
    alice.does("cd work/app && printf '# run: certkeep guard\\npre-commit: { jobs: [] } # certkeep guard\\n' >lefthook.yml");
    alice.does("cd work/app && [ \"$(certkeep guard status | grep -c 'not asked')\" = 3 ]");
}

#[test]
fn what_stands_in_the_place_of_ours_is_not_overwritten() {
    let team = Team::new();
    let alice = alice(&team);
    if configures(&alice) {
        return assert!(alice.does("cd work/app && certkeep guard install 2>&1").contains("configuration"));
    }
    alice.does(
        "cd work/app && echo '#!/bin/sh' >.git/hooks/pre-commit && certkeep guard install
         echo '#!/bin/sh' >.git/hooks/pre-commit",
    );
    alice
        .fails("cd work/app && certkeep guard install", "came in the place of the guard")
        .says("pre-commit.before-certkeep");
    alice.does("cd work/app && rm .git/hooks/pre-commit && mkdir .git/hooks/pre-commit");
    alice.fails("cd work/app && certkeep guard install", "is no script of a shell");
}

#[test]
fn linked_work_trees_and_submodules_have_the_hooks_of_their_repository() {
    let team = Team::new().that_leaks();
    let alice = alice(&team);
    alice.does("cd work/app && git worktree add -q ../linked && cd ../linked && certkeep guard install");
    works(&alice, "work/linked");
    works(&alice, "work/app");
    alice.does(
        "cd work && git clone -q ~/hub.git super && cd super
         git submodule --quiet add ~/hub.git lib && git commit -qm 'Add lib' && cd lib && certkeep guard install",
    );
    works(&alice, "work/super/lib");
    alice.does("cd work/super && [ \"$(certkeep guard status | grep -c 'not asked')\" = 3 ]");
    alice.does("cd work/linked && certkeep guard uninstall && cd ../super/lib && certkeep guard uninstall");
    alice.does("cd work/app && [ \"$(certkeep guard status | grep -c 'not asked')\" = 3 ]");
}

#[test]
fn a_folder_of_hooks_in_the_work_tree_gets_no_path_of_this_machine() {
    let team = Team::new().that_leaks();
    let alice = alice(&team);
    alice.does(
        "cd work/app && mkdir .githooks && printf '#!/bin/sh\\ntouch ~/ran\\n' >.githooks/pre-commit
         chmod +x .githooks/pre-commit && git config core.hooksPath .githooks && certkeep guard install",
    );
    works(&alice, "work/app");
    alice.does("[ -e ran ]");
    if !configures(&alice) {
        alice.does("cd work/app && [ -x .githooks/pre-push ] && no grep -r /bin/certkeep .githooks");
    }
}

#[test]
fn a_folder_of_hooks_of_the_whole_machine_is_left_alone() {
    let team = Team::new().that_leaks();
    let alice = alice(&team);
    alice.does("mkdir all && git config --global core.hooksPath ~/all");
    if configures(&alice) {
        alice.does("cd work/app && certkeep guard install && [ -z \"$(ls ~/all)\" ]");
        return works(&alice, "work/app");
    }
    alice
        .fails("cd work/app && certkeep guard install", "core.hooksPath (global) names")
        .says("certkeep guard || exit")
        .says("certkeep guard --push");
    alice.does("cd work/app && [ -z \"$(ls ~/all)\" ]");
    // What is told to do can be done.
    alice.does("printf '#!/bin/sh\\ncertkeep guard || exit\\n' >all/pre-commit && chmod +x all/pre-commit");
    works(&alice, "work/app");
    // A store is made all the same, and says what is missing.
    alice
        .tries(
            "age-keygen -o identity.txt 2>/dev/null; mkdir work/ca && cd work/ca && git init -q
             certkeep --batch store init --recipient \"$(age-keygen -y ~/identity.txt)\" --name owner",
        )
        .well()
        .says("git does not ask `certkeep guard` before it commits")
        .says("certkeep guard --push");
}

#[test]
fn the_program_pre_commit_and_the_guard_run_each_other_in_either_order() {
    let team = Team::new().that_leaks();
    let alice = alice(&team);
    let alice = alice.with("PRE_COMMIT", PRE_COMMIT);
    alice.does(
        "cd work/app
         cat >.pre-commit-config.yaml <<'end'
repos:
  - repo: local
    hooks:
      - { id: witness, name: witness, language: system, entry: touch ../../witness, always_run: true, pass_filenames: false }
end
         git add . && git commit -qm 'Configure' && $PRE_COMMIT install",
    );
    // pre-commit first.
    alice.does("cd work/app && certkeep guard install");
    works(&alice, "work/app");
    alice.does("rm witness");
    // It is installed again, and finds a hook that is not its own.
    alice.does("cd work/app && $PRE_COMMIT install");
    works(&alice, "work/app");
    alice.does("rm witness && cd work/app && certkeep guard install && certkeep guard install");
    works(&alice, "work/app");
    alice.does("rm witness && cd work/app && certkeep guard uninstall");
    alice.does(&format!(
        "cd work/app && grep -q pre_commit .git/hooks/pre-commit && no ls .git/hooks/*certkeep* .git/hooks/*.legacy
         {MAKE_KEY} -out leak.key && git add . && git commit -qm 'Leak' && [ -e ~/witness ]"
    ));
    // The guard first.
    alice.does("cd work/app && $PRE_COMMIT uninstall && certkeep guard install && $PRE_COMMIT install && rm ~/witness");
    works(&alice, "work/app");
    alice.does("[ -e witness ] && cd work/app && $PRE_COMMIT uninstall");
    works(&alice, "work/app");
    alice.does(
        "cd work/app && certkeep guard uninstall && ls .git/hooks >../hooks && no grep -v sample ../hooks",
    );
}

#[test]
fn the_framework_pre_commit_runs_the_guard_from_its_configuration() {
    let team = Team::new().that_leaks();
    let alice = alice(&team);
    let hooks = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.pre-commit-hooks.yaml");
    let alice = alice.with("PRE_COMMIT", PRE_COMMIT).with("HOOKS", hooks);
    alice.does(
        "git init -q guard && cp \"$HOOKS\" guard/ && (cd guard && git add . && git commit -qm x && git tag v1)
         cd work/app
         cat >.pre-commit-config.yaml <<end
default_install_hook_types: [pre-commit, pre-merge-commit, pre-push]
repos:
  - repo: $HOME/guard
    rev: v1
    hooks: [{ id: certkeep-guard }, { id: certkeep-guard-push }]
end
         git add . && git commit -qm 'Configure' && $PRE_COMMIT install",
    );
    works(&alice, "work/app");
    alice.does("cd work/app && git push -q && git push -q origin main:other");
    let said = alice.tries(&format!(
        "cd work/app && {MAKE_KEY} -out leak.key && git add . && git commit -qnm 'Leak' && git push -q"
    ));
    assert!(said.code != 0 && format!("{}{}", said.stdout, said.stderr).contains("leak.key:1"), "{said:#?}");
    let said = alice.tries("cd work/app && git push -q origin main:refs/heads/new");
    assert!(said.code != 0 && format!("{}{}", said.stdout, said.stderr).contains("leak.key:1"), "{said:#?}");
}

#[test]
fn husky_gets_a_block_in_its_scripts() {
    let team = Team::new().that_leaks();
    let alice = alice(&team);
    // As husky 9 lays it out.
    alice.does(
        r#"cd work/app && mkdir -p .husky/_ && echo '*' >.husky/_/.gitignore && git config core.hooksPath .husky/_
cat >.husky/_/h <<'end'
#!/usr/bin/env sh
n=$(basename "$0")
s=$(dirname "$(dirname "$0")")/$n
[ ! -f "$s" ] && exit 0
sh -e "$s" "$@"
end
for hook in pre-commit pre-merge-commit pre-push; do
    printf '#!/usr/bin/env sh\n. "$(dirname "$0")/h"' >.husky/_/$hook && chmod 755 .husky/_/$hook
done
printf 'touch ~/ran\n[ ! -e ~/refuse ]\nexit 0' >.husky/pre-commit
printf 'cat >~/pushed\n' >.husky/pre-push"#,
    );
    let before = fs::read(alice.path("work/app/.husky/pre-commit")).expect("a script");
    alice.does("cd work/app && certkeep guard install && certkeep guard install");
    works(&alice, "work/app");
    alice.does("[ -e ran ] && cd work/app && git push -q && grep -q refs/heads/main ~/pushed");
    if !configures(&alice) {
        alice.does(
            "cd work/app && no grep -r \"$HOME\\|/bin/certkeep\" .husky && [ -e .husky/pre-merge-commit ]",
        );
        let said = alice.tries(&format!(
            "cd work/app && {MAKE_KEY} -out leak.key && git add . && git commit -qnm 'Leak' && git push -q"
        ));
        assert!(said.code != 0 && said.stdout.contains("leak.key:1"), "{said:#?}");
    }
    alice.does("cd work/app && certkeep guard uninstall && [ ! -e .husky/pre-merge-commit ]");
    assert_eq!(fs::read(alice.path("work/app/.husky/pre-commit")).expect("a script"), before);
    assert_eq!(alice.text("work/app/.husky/pre-push"), "cat >~/pushed\n");
}

#[test]
fn lefthook_and_overcommit_are_told_in_their_own_files() {
    let team = Team::new().that_leaks();
    let alice = alice(&team);
    if configures(&alice) {
        return;
    }
    alice.does("cd work/app && echo 'pre-commit: { jobs: [] }' >lefthook.yml");
    alice
        .fails("cd work/app && certkeep guard install", "lefthook keeps the hooks of this repository")
        .says("run: certkeep guard }");
    alice.does("cd work/app && echo 'pre-commit: { jobs: [{ run: certkeep guard }] }' >lefthook.yml && certkeep guard install");
    alice.does("cd work/app && certkeep guard status | grep -q lefthook.yml && rm lefthook.yml && touch .overcommit.yml");
    alice
        .fails("cd work/app && certkeep guard install", "overcommit keeps the hooks of this repository")
        .says("command: ['certkeep', 'guard']");
}
