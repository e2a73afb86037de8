// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a branch comes to: rows, certificates, revocations, CRL. And what openssl
//! says of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::team::Person;

/// A row of index.txt.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    status: String,
    expiry: String,
    revocation: String,
    subject: String,
}

impl Row {
    fn is_on_hold(&self) -> bool {
        self.revocation.ends_with(",certificateHold")
    }
}

/// The state of a branch. Files of before depend on the order of merges; `serial`
/// holds the successor of a number that was drawn, which says nothing of the next one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// By serial number; their order in the file is that of the merges.
    rows: BTreeMap<String, Row>,
    /// Blobs by path.
    files: BTreeMap<String, String>,
    crl_number: String,
}

impl Outcome {
    /// That of a branch, in which nothing is left to be decided.
    pub(super) fn of(person: &Person, branch: &str) -> Self {
        person.does(&format!("cd work/ca && no git grep -qI -e '^<<<<<<<' -e '^>>>>>>>' {branch} --"));
        let index = person.does(&format!("cd work/ca && git show {branch}:pki/index.txt"));
        let mut rows = BTreeMap::new();
        for line in index.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let field = |at: usize| fields[at].to_owned();
            let row = Row { status: field(0), expiry: field(1), revocation: field(2), subject: field(5) };
            assert_eq!(rows.insert(field(3), row), None, "a serial number twice: {index}");
        }
        let tree = person.does(&format!("cd work/ca && git ls-tree -r {branch}"));
        let files = tree.lines().filter_map(|line| line.split_once('\t'));
        let files = files
            .filter(|(_, path)| !path.ends_with(".old") && !["pki/index.txt", "pki/serial"].contains(path));
        let files = files.map(|(blob, path)| (path.to_owned(), blob.to_owned())).collect();
        let number =
            person.does(&format!("cd work/ca && git show {branch}:pki/crlnumber 2>/dev/null || echo 00"));
        Self { rows, files, crl_number: number.trim().to_owned() }
    }

    /// Where this is not what another is, for people.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let files = self.files.keys().chain(other.files.keys()).collect::<BTreeSet<_>>().into_iter();
        let files = files.filter(|path| self.files.get(*path) != other.files.get(*path)).cloned();
        let rows = self.rows.keys().chain(other.rows.keys()).collect::<BTreeSet<_>>().into_iter();
        let rows = rows.filter(|serial| self.rows.get(*serial) != other.rows.get(*serial));
        let rows = rows
            .map(|serial| format!("{serial}: {:?} and {:?}", self.rows.get(serial), other.rows.get(serial)));
        let numbers = (self.crl_number != other.crl_number)
            .then(|| format!("crlnumber: {} and {}", self.crl_number, other.crl_number));
        files.chain(rows).chain(numbers).collect()
    }

    /// Nothing of the branches is lost, nothing is weaker, and nothing is made up.
    pub(super) fn holds_all(&self, branches: &[Self]) {
        for (serial, row) in &self.rows {
            let theirs: Vec<&Row> = branches.iter().filter_map(|branch| branch.rows.get(serial)).collect();
            assert!(theirs.contains(&row), "{serial}: nobody wrote {row:?}");
            if row.status != "R" {
                assert!(theirs.iter().all(|theirs| theirs.status != "R"), "{serial} is not revoked");
            } else if row.is_on_hold() {
                let for_good = theirs.iter().find(|theirs| theirs.status == "R" && !theirs.is_on_hold());
                assert_eq!(for_good, None, "{serial} is on hold");
            } else {
                let revoked = theirs.iter().filter(|theirs| theirs.status == "R" && !theirs.is_on_hold());
                let date = |row: &Row| row.revocation.split(',').next().map(str::to_owned);
                assert_eq!(revoked.map(|row| date(row)).min(), Some(date(row)), "{serial}");
            }
            assert!(self.files.contains_key(&format!("pki/certs_by_serial/{serial}.pem")), "{serial}");
        }
        for (number, branch) in branches.iter().enumerate() {
            let lost: Vec<_> = branch.rows.keys().filter(|serial| !self.rows.contains_key(*serial)).collect();
            assert!(lost.is_empty(), "{lost:?} of clone {number}");
            let keys = branch.files.keys().filter(|path| path.contains("/new-"));
            let lost: Vec<_> = keys.filter(|path| !self.files.contains_key(*path)).collect();
            assert!(lost.is_empty(), "{lost:?} of clone {number}");
        }
        let hex = |number: &str| u64::from_str_radix(number, 16).expect("a CRL number");
        let highest = branches.iter().map(|branch| hex(&branch.crl_number)).max();
        assert_eq!(Some(hex(&self.crl_number)), highest);
        if let Some(crl) = self.files.get("pki/crl.pem") {
            assert!(branches.iter().any(|branch| branch.files.get("pki/crl.pem") == Some(crl)));
        }
    }

    fn revoked(&self) -> Vec<&str> {
        self.rows.iter().filter(|(_, row)| row.status == "R").map(|(serial, _)| serial.as_str()).collect()
    }

    /// openssl takes the database as it is, finds in it what we do, and so does the
    /// next CRL.
    pub(super) fn is_read_by_openssl(&self, alice: &Person) {
        let said = alice.does(
            "cd work/ca && git switch -q united && mkdir ~/openssl && cp pki/index.txt pki/index.txt.attr pki/serial ~/openssl
             certkeep gen-crl 2>/dev/null; cp pki/crl.pem ~/openssl/next.pem; cd ~/openssl
             printf '[ca]\\ndefault_ca=d\\n[d]\\nprivate_key=k.pem\\ncertificate=c.pem\\ndatabase=index.txt\\nserial=serial\\nnew_certs_dir=.\\ndefault_md=sha256\\npolicy=p\\n[p]\\ncommonName=supplied\\n' > cnf
             openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout k.pem -out c.pem 2>/dev/null
             cp index.txt before && openssl ca -config cnf -updatedb 2>/dev/null
             cmp before index.txt
             openssl ca -config cnf -gencrl -crldays 1 -out theirs.pem 2>/dev/null
             for crl in theirs.pem next.pem; do
                 openssl crl -noout -text -in $crl | sed -n 's/ *Serial Number: *//p' | tr -d : | sort
                 echo .
             done
             cd && rm -r openssl",
        );
        for listed in said.split(".\n").take(2) {
            assert_eq!(listed.lines().collect::<Vec<_>>(), self.revoked(), "{said}");
        }
    }
}
