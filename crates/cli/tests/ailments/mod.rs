// SPDX-License-Identifier: MIT OR Apache-2.0
//! The faults that are planted in a PKI, and what the doctor is to find: a table.
//! long: a row for each fault.

use crate::world::World;

/// A fault.
pub(crate) struct Ailment {
    pub(crate) name: &'static str,
    /// Shell commands that plant it, after those of `prelude.sh`. `$S1`, `$S2`, `$S3` are
    /// the serial numbers of `web1`, `c1` and of `c2`, which is revoked.
    pub(crate) plant: &'static str,
    /// Everything that the doctor is to find.
    pub(crate) ids: &'static [&'static str],
    pub(crate) cure: Cure,
}

/// What can be done about a fault.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cure {
    /// `doctor --fix`.
    Fix,
    /// Somebody decides, or signs.
    Person,
    /// The same, and openssl refuses it with -x509_strict.
    Strict,
}

use Cure::{Fix, Person, Strict};

/// What the doctor finds of a fresh PKI of easy-rsa 3.1.
pub(crate) const OF_EASYRSA: &[&str] =
    &["ca-constraints-not-critical", "ca-key-usage-not-critical", "crl-without-number"];

const fn ailment(
    name: &'static str,
    plant: &'static str,
    ids: &'static [&'static str],
    cure: Cure,
) -> Ailment {
    Ailment { name, plant, ids, cure }
}

pub(crate) const AILMENTS: &[Ailment] = &[
    ailment("no CA", "rm pki/ca.crt", &["ca-missing"], Person),
    ailment("a broken CA", "echo nothing > pki/ca.crt", &["ca-unreadable"], Person),
    ailment("a CA that is none", "ca basicConstraints=critical,CA:FALSE $USAGE $KEYID", &["ca-is-none"], Strict),
    ailment(
        "a CA that may not sign",
        "ca $CONSTRAINTS keyUsage=critical,cRLSign $KEYID",
        &["ca-may-not-sign"],
        Strict,
    ),
    ailment("a CA that has ended", "DAYS=-1 ca $CONSTRAINTS $USAGE $KEYID", &["ca-expired", "outlives-ca"], Person),
    ailment(
        "a CA that ends soon",
        "DAYS=100 ca $CONSTRAINTS $USAGE $KEYID",
        &["ca-expires-soon", "outlives-ca"],
        Person,
    ),
    ailment(
        "constraints that are not critical",
        "ca basicConstraints=CA:TRUE $USAGE $KEYID",
        &["ca-constraints-not-critical"],
        Strict,
    ),
    ailment("a CA without usage", "ca $CONSTRAINTS $KEYID", &["ca-without-key-usage"], Strict),
    ailment(
        "a usage that is not critical",
        "ca $CONSTRAINTS keyUsage=keyCertSign,cRLSign $KEYID",
        &["ca-key-usage-not-critical"],
        Person,
    ),
    ailment("a CA without key identifier", "ca $CONSTRAINTS $USAGE subjectKeyIdentifier=none", &["ca-without-key-id"], Strict),
    ailment(
        "a CA with another key identifier",
        "ca $CONSTRAINTS $USAGE subjectKeyIdentifier=00:11:22:33",
        &["authority-serial-mismatch"],
        Person,
    ),
    ailment("a broken certificate", "echo x > pki/issued/web1.crt", &["certificate-unreadable"], Person),
    ailment(
        "a certificate of somebody else",
        "openssl req -x509 -newkey ec:param.pem -nodes -keyout other.key -subj /CN=z -out pki/issued/z.crt 2>/dev/null",
        &["certificate-foreign"],
        Person,
    ),
    ailment(
        "a certificate of the same name by another key",
        "python3 -c 'import sys,base64; b=open(\"pki/issued/c1.crt\").read(); i=b.index(\"-----BEGIN\"); l=b[i:].split(\"\\n\"); d=bytearray(base64.b64decode(\"\".join(l[1:l.index(\"-----END CERTIFICATE-----\")]))); d[-1]^=1; open(\"pki/issued/forged.crt\",\"w\").write(\"-----BEGIN CERTIFICATE-----\\n\"+base64.encodebytes(bytes(d)).decode()+\"-----END CERTIFICATE-----\\n\")'",
        &["certificate-foreign"],
        Person,
    ),
    ailment(
        "a file with another number",
        "cp pki/certs_by_serial/$S1.pem pki/certs_by_serial/0F.pem",
        &["certificate-misfiled"],
        Person,
    ),
    ailment("a short key", "NEWKEY=rsa:1024 leaf x /CN=x $LEAF", &["weak-key"], Person),
    ailment("SHA-1", "DIGEST=sha1 leaf x /CN=x $LEAF", &["weak-digest"], Person),
    ailment("the number zero", "SERIAL=00 leaf x /CN=x $LEAF", &["serial-unfit"], Person),
    ailment(
        "a negative number",
        "leaf x /CN=x $LEAF; openssl x509 -req -in pki/reqs/x.req -CA pki/ca.crt -CAkey pki/private/ca.key \
         -set_serial -5 -days 400 -out pki/certs_by_serial/05.pem 2>/dev/null",
        &["serial-unfit"],
        Person,
    ),
    ailment(
        "a server without names",
        "leaf x /CN=x $LEAF extendedKeyUsage=serverAuth",
        &["server-without-name"],
        Person,
    ),
    ailment("a leaf without the CA's key", "leaf x /CN=x $KEYID authorityKeyIdentifier=none", &["without-authority-key-id"], Strict),
    ailment("a leaf that may sign", "leaf x /CN=x $LEAF keyUsage=keyCertSign", &["leaf-may-sign"], Strict),
    ailment(
        "a leaf without a name",
        "ROW= leaf x / $LEAF subjectAltName=DNS:x.example",
        &["subject-empty"],
        Strict,
    ),
    ailment("no copy", "rm pki/certs_by_serial/$S1.pem", &["copy-missing"], Fix),
    ailment("another's key", "cp pki/private/c1.key pki/private/web1.key", &["key-mismatch"], Person),
    ailment("no key in it", "echo > pki/private/web1.key", &["key-unreadable"], Person),
    ailment("an empty key", ": > pki/private/web1.key", &["key-unreadable"], Person),
    ailment("a key for everybody", "chmod 644 pki/private/web1.key", &["key-exposed"], Fix),
    ailment("a folder for everybody", "chmod 755 pki/private", &["key-exposed"], Fix),
    ailment("another's request", "cp pki/reqs/c1.req pki/reqs/web1.req", &["request-mismatch"], Person),
    ailment("no request in it", "echo x > pki/reqs/web1.req", &["request-unreadable"], Person),
    ailment("no index", "rm pki/index.txt pki/index.txt.old", &["index-missing", "crl-ahead"], Fix),
    ailment(
        "an unfinished merge",
        "{ echo '<<<<<<< HEAD'; sed -n 1,2p pki/index.txt; echo =======; sed -n 2,3p pki/index.txt; echo '>>>>>>> b'; } > m
         cat m > pki/index.txt
         printf '<<<<<<< HEAD\\n0A\\n=======\\n0B\\n>>>>>>> b\\n' > pki/serial",
        &["index-conflict"],
        Fix,
    ),
    ailment(
        "a damaged row",
        "row \"1s/V$tab/V /\"",
        &["row-damaged", "certificate-without-row"],
        Fix,
    ),
    ailment("a line of nothing", "echo >> pki/index.txt", &["row-damaged"], Fix),
    ailment("two rows", "sed -n 1p pki/index.txt >> pki/index.txt", &["row-twice"], Fix),
    ailment(
        "a row alone",
        "rm pki/issued/web1.crt pki/certs_by_serial/$S1.pem",
        &["row-without-certificate"],
        Person,
    ),
    ailment("no row", "row 1d", &["certificate-without-row"], Fix),
    ailment("another end", "row \"1s/V${tab}[0-9]*Z/V${tab}300101000000Z/\"", &["row-differs"], Fix),
    ailment("another subject", "row 1s/CN=web1/CN=web2/", &["row-differs"], Fix),
    ailment(
        "one number for two",
        "SERIAL=$S1 leaf x /CN=x $LEAF; row '$d'; cp pki/issued/web1.crt pki/certs_by_serial/$S1.pem",
        &["serial-twice", "certificate-without-row", "copy-missing"],
        Person,
    ),
    ailment(
        "a subject twice",
        "leaf x /CN=c1 $LEAF; echo 'unique_subject = yes' > pki/index.txt.attr",
        &["subject-twice"],
        Fix,
    ),
    ailment("expired and valid", "DAYS=-1 leaf x /CN=x $LEAF", &["expired-unmarked"], Person),
    ailment(
        "a revocation lost",
        "row \"s/^R${tab}\\([^$tab]*\\)$tab[^$tab]*/V$tab\\1$tab/\"",
        &["revoked-unmarked", "crl-ahead"],
        Fix,
    ),
    ailment(
        "a revocation that only the CRL knows",
        "row \"s/^R${tab}\\([^$tab]*\\)$tab[^$tab]*/V$tab\\1$tab/\"
         mv pki/revoked/certs_by_serial/$S3.crt pki/certs_by_serial/$S3.pem",
        &["crl-ahead"],
        Fix,
    ),
    ailment(
        "revoked and issued",
        "cp pki/revoked/certs_by_serial/$S3.crt pki/issued/c2.crt",
        &["revoked-still-issued"],
        Person,
    ),
    ailment("no attributes", "rm pki/index.txt.attr", &["attributes-missing"], Fix),
    ailment("broken attributes", "echo maybe > pki/index.txt.attr", &["attributes-damaged"], Fix),
    ailment("no serial", "rm pki/serial", &["serial-file"], Fix),
    ailment("a broken serial", "echo xyz > pki/serial", &["serial-file"], Fix),
    ailment("a taken serial", "echo $S1 > pki/serial", &["serial-taken"], Fix),
    ailment("no CRL", "rm -f pki/crl.pem pki/crl.der", &["crl-missing", "crl-incomplete"], Person),
    ailment("a broken CRL", "echo x > pki/crl.pem", &["crl-unreadable"], Person),
    ailment("another CA's CRL", "cp other/crl.pem pki/crl.pem; rm -f pki/crl.der", &["crl-foreign"], Person),
    ailment(
        "an old CRL",
        "crl \"$NUMBERED\" -crl_lastupdate 20260101000000Z -crl_nextupdate 20260201000000Z",
        &["crl-expired"],
        Person,
    ),
    ailment("a CRL that ends soon", "crl \"$NUMBERED\" -crl_nextupdate $(date -u -d '+5 days' +%Y%m%d%H%M%SZ) \
         -crl_lastupdate $(date -u -d '-90 days' +%Y%m%d%H%M%SZ)", &["crl-expires-soon"], Person),
    ailment("a CRL without number", "crl 'crl_extensions = e'", &["crl-without-number"], Person),
    ailment(
        "a CRL without key identifier",
        "crl \"crlnumber = pki/crlnumber
crl_extensions = n\"",
        &["crl-without-key-id"],
        Person,
    ),
    ailment(
        "a CRL that lags",
        "row \"1s/^V$tab\\([^$tab]*\\)$tab/R$tab\\1${tab}261101000000Z/\"; rm pki/issued/web1.crt",
        &["crl-incomplete"],
        Person,
    ),
    ailment(
        "two CRLs",
        "openssl crl -in other/crl.pem -outform DER -out pki/crl.der",
        &["crl-forms-differ"],
        Fix,
    ),
    ailment("a broken CRL number", "echo xyz > pki/crlnumber", &["crl-number-file"], Fix),
    ailment("a CRL number of before", "echo 01 > pki/crlnumber", &["crl-number-behind"], Fix),
    ailment(
        "a CA of nobody",
        "printf '%s\\n' '[req]' 'distinguished_name = d' '[d]' > req.cnf
         openssl req -x509 -config req.cnf -key pki/private/ca.key -subj / -addext $CONSTRAINTS -addext $USAGE \
         -addext $KEYID -days 3650 -out pki/ca.crt",
        &["ca-without-subject", "certificate-foreign", "crl-foreign"],
        Person,
    ),
    ailment(
        "a CA of tomorrow",
        "printf '%s\\n' '[ca]' 'default_ca = d' '[d]' 'database = empty' 'serial = number' 'new_certs_dir = .' \
         'default_md = sha256' 'policy = p' 'preserve = yes' 'x509_extensions = e' '[p]' 'commonName = supplied' \
         '[e]' \"$CONSTRAINTS\" \"$USAGE\" \"$KEYID\" > self.cnf
         : > empty; echo 4D > number
         openssl x509 -x509toreq -in pki/ca.crt -signkey pki/private/ca.key -out self.req 2>/dev/null
         openssl ca -batch -selfsign -config self.cnf -keyfile pki/private/ca.key -in self.req -notext \
         -startdate 20400101000000Z -enddate 20600101000000Z -out pki/ca.crt 2>/dev/null",
        &["ca-not-yet-valid"],
        Person,
    ),
    ailment("a stale lock", "echo 999999 > pki/lock.file", &["lock-stale"], Fix),
    ailment("a session that was left", "mkdir pki/0a1b2c3d", &["leftovers"], Person),
];

/// A PKI in which faults are planted, one after the other.
pub(crate) struct Tree {
    pub(crate) world: World,
}

impl Tree {
    /// Made by certkeep.
    pub(crate) fn ours() -> Self {
        let world = World::with_ca();
        world.run(["-b", "--nopass", "--san=DNS:web1.example", "build-server-full", "web1"]).success();
        for name in ["c1", "c2"] {
            world.run(["-b", "--nopass", "build-client-full", name]).success();
        }
        world.run(["-b", "revoke", "c2", "keyCompromise"]).success();
        world.run(["-b", "gen-crl"]).success();
        Self::kept(world)
    }

    /// Made by easy-rsa.
    pub(crate) fn easyrsa() -> Self {
        let world = World::empty();
        world.easyrsa(["--batch", "init-pki"]).success();
        world.easyrsa(["--batch", "build-ca", "nopass"]).success();
        world.easyrsa(["--batch", "build-server-full", "web1", "nopass"]).success();
        for name in ["c1", "c2"] {
            world.easyrsa(["--batch", "build-client-full", name, "nopass"]).success();
        }
        world.easyrsa(["--batch", "revoke", "c2", "keyCompromise"]).success();
        world.easyrsa(["--batch", "gen-crl"]).success();
        Self::kept(world)
    }

    fn kept(world: World) -> Self {
        world.run(["-b", "--pki=other", "init-pki"]).success();
        world.run(["-b", "--pki=other", "--nopass", "build-ca"]).success();
        world.run(["-b", "--pki=other", "gen-crl"]).success();
        world.shell("cp -a pki sound").run().success();
        Self { world }
    }

    /// Plants a fault in the tree as it was at first.
    pub(crate) fn plant(&self, commands: &str) {
        let serials = "set -e; rm -rf pki; cp -a sound pki; IFS='\n'
            serial() { sed -n \"$1p\" pki/index.txt | cut -f4; }
            S1=$(serial 1); S2=$(serial 2); S3=$(serial 3)";
        let prelude = include_str!("prelude.sh");
        self.world.shell(&format!("{serials}\n{prelude}\nIFS=' \n'\n{commands}")).run().success();
    }

    /// Whether easy-rsa and openssl still work on the tree; they change it.
    pub(crate) fn is_read_by_others(&self) -> Result<(), String> {
        for words in [&["show-expire"][..], &["--batch", "gen-crl"], &["--batch", "revoke", "c1"]] {
            let outcome = self.world.easyrsa(words);
            if outcome.code != Some(0) {
                return Err(format!("{outcome}"));
            }
        }
        Ok(())
    }
}
