// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whatever is damaged, no repair makes a revoked certificate valid: it stays revoked,
//! with its date and its reason where anything tells them, or nothing is written.

use super::{World, ailments::Tree, found, ids};

/// `c2` is revoked and lies where `openssl ca` leaves it, and only `index.txt` knows.
const ONLY_THE_ROW: &str = "mv pki/revoked/certs_by_serial/$S3.crt pki/issued/c2.crt
    rm -rf pki/crl.pem pki/crl.der pki/index.txt.old pki/revoked/*/*
    cp pki/index.txt rows; one=$(sed -n 1p rows); two=$(sed -n 2p rows); gone=$(sed -n 3p rows)";

/// What the repair comes to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The row says what it said.
    Same,
    /// It is revoked, and nothing tells when.
    Now,
    /// Nothing is written, and somebody has to decide.
    Undecided,
}

use End::{Now, Same, Undecided};

const DAMAGES: &[(&str, &str, End)] = &[
    ("an empty index", "cp rows pki/index.txt.old; : > pki/index.txt", Same),
    ("a cut index", "cp rows pki/index.txt.old; row 3d", Same),
    ("no index", "mv pki/index.txt pki/index.txt.old", Same),
    ("a row that was taken back", "cp rows pki/index.txt.old; row \"3s/R\\([^$tab]*$tab[^$tab]*$tab\\)[^$tab]*/V\\1/\"", Same),
    ("a mark of bytes", "printf '\\357\\273\\277%s\\n%s\\n%s\\n' \"$gone\" \"$one\" \"$two\" > pki/index.txt", Same),
    ("zero bytes", "printf '%s\\n%s\\n\\0\\0%s\\n' \"$one\" \"$two\" \"$gone\" > pki/index.txt", Same),
    ("half a mark", "printf '%s\\n%s\\n=======%s\\n' \"$one\" \"$two\" \"$gone\" > pki/index.txt", Same),
    ("a whole mark", "printf '%s\\n%s\\n<<<<<<< %s\\n' \"$one\" \"$two\" \"$gone\" > pki/index.txt", Same),
    ("lines of another system", "sed -i 's/$/\\r/' pki/index.txt", Same),
    ("lines of an old system", "tr '\\n' '\\r' < rows > pki/index.txt", Same),
    ("two rows on a line", "printf '%s%s\\n%s\\n' \"$one\" \"$gone\" \"$two\" > pki/index.txt", Same),
    ("the same the other way round", "printf '%s%s\\n%s\\n' \"$gone\" \"$one\" \"$two\" > pki/index.txt", Same),
    ("a byte of another set", "row '3s/$/\\xe9/'", Same),
    ("a lost tab", "row '3s/.unknown/ unknown/'", Same),
    ("a lost tab, and no certificate", "row '3s/.unknown/ unknown/'; rm -f pki/issued/c2.crt pki/certs_by_serial/$S3.pem", Same),
    (
        "the same, and the generation before the revocation",
        "row '3s/.unknown/ unknown/'; rm -f pki/issued/c2.crt pki/certs_by_serial/$S3.pem
         sed \"s/^R${tab}\\([^$tab]*\\)$tab[^$tab]*/V$tab\\1$tab/\" rows > pki/index.txt.old",
        Same,
    ),
    ("no status", "row '3s/^R/?/'", Same),
    ("no date", "row \"3s/${tab}[0-9]*Z,[a-zA-Z]*/${tab}x/\"", Now),
    ("a cut number", "truncate -s -$(( ${#gone} - 50 )) pki/index.txt", Undecided),
    ("hardly anything left", "truncate -s -$(( ${#gone} - 6 )) pki/index.txt", Undecided),
    ("a number in two", "row \"3s/$S3/$(echo $S3 | sed 's/^..../& /')/\"", Undecided),
    (
        "a cut row in front of another",
        "printf '%.30s%s\\n%s\\n' \"$gone\" \"$one\" \"$two\" > pki/index.txt",
        Undecided,
    ),
    (
        "a folder of what was revoked, and no more than a name",
        "row \"3s/^R\\([^$tab]*$tab[^$tab]*$tab\\)[^$tab]*/V\\1/\"
         mkdir -p pki/revoked/certs_by_serial; echo x > pki/revoked/certs_by_serial/$S3.crt",
        Now,
    ),
    (
        "a key among the revoked ones",
        "row \"3s/^R\\([^$tab]*$tab[^$tab]*$tab\\)[^$tab]*/V\\1/\"
         mkdir -p pki/revoked/private_by_serial; install -m 600 /dev/null pki/revoked/private_by_serial/$S3.key",
        Now,
    ),
];

fn damages(tree: &Tree) {
    let mut wrong = Vec::new();
    for (name, plant, end) in DAMAGES {
        tree.plant(&format!("{ONLY_THE_ROW}\n{plant}"));
        let world = &tree.world;
        let before = std::fs::read(world.path("pki/index.txt")).ok();
        let outcome = world.run(["--batch", "doctor", "--fix"]).harmless();
        if *end == Undecided {
            if std::fs::read(world.path("pki/index.txt")).ok() != before
                || !outcome.stderr.contains("somebody has to decide")
            {
                wrong.push(format!("{name}: {}{outcome}", world.text("pki/index.txt")));
            }
            continue;
        }
        let rows = world.text("pki/index.txt");
        let wanted: Vec<String> = world.text("rows").lines().map(str::to_owned).collect();
        let gone: Vec<&str> = wanted[2].split('\t').collect();
        let found: Vec<Vec<&str>> = rows
            .lines()
            .map(|row| row.split('\t').collect::<Vec<_>>())
            .filter(|row| row.get(3) == gone.get(3))
            .collect();
        let right = match found.as_slice() {
            [row] => row[0] == "R" && (*end == Now || row[2] == gone[2]),
            _ => false,
        };
        // Nobody else is revoked with it.
        let others = wanted[..2].iter().all(|row| rows.lines().any(|line| line == row));
        if !right || !others {
            wrong.push(format!("{name}:\n{rows}{outcome}"));
        }
        if let Err(why) = tree.is_read_by_others() {
            wrong.push(format!("{name}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_damage_makes_a_revoked_certificate_valid() {
    damages(&Tree::ours());
}

#[test]
fn no_damage_makes_a_revoked_certificate_of_easyrsa_valid() {
    damages(&Tree::easyrsa());
}

#[test]
fn the_better_generation_is_not_written_over_with_nothing() {
    let tree = Tree::ours();
    tree.plant("cp pki/index.txt pki/index.txt.old; : > pki/index.txt");
    let before = tree.world.text("pki/index.txt.old");
    tree.world.run(["--batch", "doctor", "--fix"]).success();
    assert_eq!(tree.world.text("pki/index.txt.old"), before);
    let sorted = |text: &str| {
        let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
        rows.sort_unstable();
        rows
    };
    assert_eq!(sorted(&tree.world.text("pki/index.txt")), sorted(&before));
}

#[test]
fn what_an_earlier_index_calls_revoked_is_told() {
    let tree = Tree::ours();
    tree.plant(&format!(
        "{ONLY_THE_ROW}\ncp rows pki/index.txt.old; row \"3s/^R\\([^$tab]*$tab[^$tab]*$tab\\)[^$tab]*/V\\1/\""
    ));
    assert!(found(&tree.world).is_superset(&ids(&["revocation-lost"])));
    tree.world.run(["--batch", "doctor", "--fix"]).failed().says("mark ");
    assert!(!found(&tree.world).contains("revocation-lost"));
}

#[test]
fn when_a_key_was_lost_is_kept() {
    let tree = Tree::ours();
    let keep = "row 's/,keyCompromise/,keyTime,20250101000000Z/'; cp pki/index.txt rows";
    for lose in [
        "mv pki/index.txt pki/index.txt.old; rm -f pki/crl.* pki/revoked/certs_by_serial/*",
        "row '3s/$/\\xe9/'; rm -f pki/crl.*",
        "crl \"$NUMBERED\"; rm -f pki/index.txt pki/index.txt.old",
    ] {
        tree.plant(&format!("{keep}\n{lose}"));
        tree.world.run(["--batch", "doctor", "--fix"]).harmless();
        let rows = tree.world.text("pki/index.txt");
        let kept =
            tree.world.text("rows").lines().nth(2).map(|row| row.split('\t').nth(2).map(str::to_owned));
        let kept = kept.flatten().expect("a field");
        assert!(rows.contains(&format!("\t{kept}\t")), "{lose}: {rows}");
    }
}

#[test]
fn a_crl_of_another_kind_of_key_is_nobodys_witness() {
    let tree = Tree::ours();
    tree.plant(
        "subject=$(openssl x509 -in pki/ca.crt -noout -subject -nameopt compat,sname | sed 's/^subject= *//; s/^subject=//')
         openssl genpkey -algorithm ed25519 -out ev.key; openssl req -x509 -new -key ev.key -subj \"$subject\" -days 99 -out ev.crt
         printf \"R\\t290223233226Z\\t250101000000Z,keyCompromise\\t$S1\\tunknown\\t/CN=web1\\n\" > ev.txt; echo 99 > ev.number
         printf '%s\\n' '[ca]' 'default_ca=d' '[d]' 'database=ev.txt' 'crlnumber=ev.number' 'default_md=default' \
            'crl_extensions=x' '[x]' 'authorityKeyIdentifier=keyid' > ev.cnf
         openssl ca -gencrl -config ev.cnf -keyfile ev.key -cert ev.crt -out pki/crl.pem -crldays 99; rm -f pki/crl.der
         openssl x509 -req -in pki/reqs/web1.req -CA ev.crt -CAkey ev.key -set_serial 0x$S3 -days 9 -out pki/issued/forged.crt",
    );
    let seen = found(&tree.world);
    assert!(seen.is_superset(&ids(&["crl-foreign", "certificate-foreign"])), "{seen:?}");
    let before = tree.world.text("pki/index.txt");
    tree.world.run(["--batch", "doctor", "--fix"]).failed();
    assert_eq!(tree.world.text("pki/index.txt"), before);
    // The forged one does not take the revoked one's witness away either.
    tree.plant(
        "cp -a ev.crt ev2.crt; openssl x509 -req -in pki/reqs/web1.req -CA ev.crt -CAkey ev.key -set_serial 0x$S3 -days 9 \
         -out pki/issued/forged.crt; rm -f pki/crl.* pki/index.txt.old; row 3d",
    );
    tree.world.run(["--batch", "doctor", "--fix"]).failed();
    let rows = tree.world.text("pki/index.txt");
    assert_eq!(rows.lines().filter(|row| row.starts_with("R\t")).count(), 1, "{rows}");
}

#[test]
fn in_a_store_the_committed_index_bears_witness() {
    let world = World::empty();
    world.run(["quickstart", "demo"]).success();
    let inside = |arguments: &[&str]| world.certkeep(arguments).within(world.path("demo")).run();
    inside(&["--batch", "revoke", "client", "keyCompromise"]).success();
    let lost = "cd demo && cp pki/revoked/certs_by_serial/*.crt pki/issued/client.crt
        rm -rf pki/revoked/*/* pki/crl.* pki/index.txt.old && sed -i '/keyCompromise/d' pki/index.txt";
    world.shell(lost).run().success();
    inside(&["--batch", "doctor", "--fix"]).failed();
    let rows = world.text("demo/pki/index.txt");
    assert!(rows.contains(",keyCompromise\t"), "{rows}");
}

#[test]
fn zeros_in_front_of_a_number_make_no_other_number() {
    let tree = Tree::easyrsa();
    tree.plant("row \"1s/$S1/0000$S1/\"");
    assert_eq!(found(&tree.world), ids(super::OF_EASYRSA));
    tree.world.run(["--batch", "doctor", "--fix"]).harmless();
    assert_eq!(tree.world.rows().len(), 3);
    tree.is_read_by_others().expect("openssl reads it");
    tree.world.run(["-b", "revoke", "web1", "superseded"]).success();
    assert_eq!(tree.world.rows().iter().filter(|row| row.starts_with("R\t")).count(), 3);
}

#[test]
fn a_signature_that_nobody_can_check_makes_no_index() {
    let tree = Tree::ours();
    tree.plant(
        "openssl genpkey -algorithm ed448 -out ca.key; openssl req -x509 -new -key ca.key -subj /CN=far -days 99 -out pki/ca.crt
         rm -rf pki/issued/* pki/certs_by_serial/* pki/revoked/*/* pki/index.txt* pki/crl.*
         openssl x509 -req -in pki/reqs/web1.req -CA pki/ca.crt -CAkey ca.key -set_serial 17 -days 9 -out pki/issued/far.crt",
    );
    tree.world.run(["--batch", "doctor", "--rebuild-index"]).failed().says("cannot check who has signed 11");
    assert!(!tree.world.exists("pki/index.txt"));
}

#[test]
fn what_is_no_file_is_told_and_not_waited_for() {
    let tree = Tree::ours();
    for (plant, wanted) in [
        ("rm pki/crl.pem; mkfifo pki/crl.pem", "crl.pem is no file"),
        ("rm pki/crl.pem; mkdir pki/crl.pem", "crl.pem is a directory"),
        ("rm pki/crl.pem; truncate -s 2G pki/crl.pem", "crl.pem is larger than"),
        ("rm pki/index.txt; mkfifo pki/index.txt", "index.txt is no file"),
        ("rm pki/issued/web1.crt; mkfifo pki/issued/web1.crt", ""),
        ("rm pki/issued/web1.crt; mkdir pki/issued/web1.crt", ""),
    ] {
        tree.plant(plant);
        let outcome = tree.world.run(["doctor"]).harmless();
        if !wanted.is_empty() {
            assert_eq!(outcome.code, Some(8), "{outcome}");
            assert!(outcome.stderr.contains(wanted), "{outcome}");
            tree.world.run(["--batch", "doctor", "--fix"]).failed().says(wanted);
        }
    }
}
