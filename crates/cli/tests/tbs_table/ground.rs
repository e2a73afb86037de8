// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two PKIs in which easy-rsa and certkeep do the same.

use std::fs;

use certkeep_pki::pem;

use super::{
    der::{self, Shared, Signed},
    rows::{Edit, Row, Types},
    world::{Run, World},
};

/// Where Debian has the certificate types and the settings for openssl.
pub(super) const DEBIAN: &str = "/usr/share/easy-rsa";

/// Two PKIs with one CA and the same requests.
pub(super) struct Ground {
    pub(super) world: World,
}

const EC: [&str; 3] = ["--batch", "--use-algo=ec", "--curve=prime256v1"];
const ORG: [&str; 7] = [
    "--dn-mode=org",
    "--req-c=DE",
    "--req-st=Sachsen",
    "--req-city=Görlitz",
    "--req-org=Äpfel & Söhne",
    "--req-ou=IT",
    "--req-email=it@example.net",
];

impl Ground {
    pub(super) fn new() -> Self {
        let world = World::empty();
        fs::create_dir(world.path("theirs")).expect("a folder");
        fs::create_dir(world.path("ours")).expect("a folder");
        let ground = Self { world };
        ground.theirs(&["init-pki"]).run().success();
        ground.theirs(&[&ORG[..], &["--req-cn=Table CA", "build-ca", "nopass"]].concat()).run().success();
        ground.ours(&["-b", "init-pki"]).run().success();
        for file in ["ca.crt", "private/ca.key", "index.txt", "index.txt.attr", "serial"] {
            ground.world.copy(&format!("theirs/pki/{file}"), &format!("ours/pki/{file}"));
        }
        fs::create_dir(ground.world.path("ours/pki/certs_by_serial")).expect("a folder");
        let org = [&ORG[..], &["gen-req", "org", "nopass"]].concat();
        for request in [
            &["gen-req", "plain", "nopass"][..],
            &org,
            &["--san=DNS:a.example,IP:192.0.2.1", "gen-req", "named", "nopass"],
        ] {
            ground.theirs(request).run().success();
        }
        let asks = "keyUsage = critical,keyCertSign\n1.2.3.4 = ASN1:UTF8:mine\ntlsfeature = status_request\n\
                    certificatePolicies = 1.2.3\ncrlDistributionPoints = URI:http://b.example/\n";
        let asking = ground.theirs(&["gen-req", "asking", "nopass"]).env("EASYRSA_EXTRA_EXTS", asks);
        asking.run().success();
        for (name, subject) in [
            ("address", "/CN=192.0.2.7"),
            (
                "odd",
                "/DC=example/CN=odd/title=Dr/O=Äpfel & Söhne/OU=one/OU=two/C=DE/emailAddress=a@a.example",
            ),
            ("renamed", "/CN=new.example/O=Neu \\/ Alt/C=DE/DC=example"),
            ("numbered", "/serialNumber=7/CN=numbered/C=DE"),
        ] {
            let file = format!("theirs/pki/reqs/{name}.req");
            let arguments =
                ["req", "-new", "-utf8", "-key", "theirs/pki/private/plain.key", "-subj", subject];
            ground.world.openssl(arguments.iter().chain(&["-out", file.as_str()])).success();
        }
        ground
    }

    /// easy-rsa in its PKI, with Debian's files.
    pub(super) fn theirs(&self, arguments: &[&str]) -> Run {
        self.world.easyrsa_run(EC.iter().chain(arguments)).within(self.world.path("theirs"))
    }

    /// certkeep in ours.
    pub(super) fn ours(&self, arguments: &[&str]) -> Run {
        self.world.certkeep(arguments).within(self.world.path("ours"))
    }

    pub(super) fn der(&self, file: &str) -> Vec<u8> {
        let labels = ["CERTIFICATE", "CERTIFICATE REQUEST"];
        pem::first(&self.world.read(file), &labels).expect("PEM").expect("what was asked for")
    }

    /// The settings for openssl with some lines replaced, as a file.
    pub(super) fn settings(&self, file: &str, replaced: &[(&str, &str)]) -> String {
        let mut text =
            fs::read_to_string(format!("{DEBIAN}/openssl-easyrsa.cnf")).expect("Debian's settings");
        for (from, to) in replaced {
            assert!(text.contains(from), "{from} in Debian's settings");
            text = text.replacen(from, to, 1);
        }
        self.world.write(file, text);
        self.world.path(file).display().to_string()
    }

    /// The same certificate twice.
    pub(super) fn sign(&self, number: usize, row: &Row) -> (Signed, Signed) {
        let name = format!("row{number}");
        for whose in ["theirs", "ours"] {
            let theirs = row.their_request.filter(|_| whose == "theirs");
            let request = format!("theirs/pki/reqs/{}.req", theirs.unwrap_or(row.request));
            self.world.copy(&request, &format!("{whose}/pki/reqs/{name}.req"));
        }
        let command = ["sign-req", row.kind, &name];
        let arguments = [&row.options[0], &row.options[1], &command[..]].concat();
        let mut theirs = self.theirs(&arguments);
        let set = ["-b", "--profile-set=easyrsa"];
        let arguments = [&set, &row.options[0][..], &row.options[2], &command, &row.words].concat();
        let mut ours = self.ours(&arguments);
        for (variable, value) in &row.environment {
            theirs = theirs.env(variable, value);
            ours = ours.env(variable, value);
        }
        match row.types {
            Types::BuiltIn => {}
            Types::Debian => ours = ours.env("EASYRSA_EXT_DIR", format!("{DEBIAN}/x509-types")),
            Types::With(files) | Types::Theirs(files) => {
                let folder = format!("types{number}");
                for entry in fs::read_dir(format!("{DEBIAN}/x509-types")).expect("Debian's types") {
                    let path = entry.expect("a type").path();
                    let name = path.file_name().and_then(|name| name.to_str()).expect("a plain name");
                    self.world.write(&format!("{folder}/{name}"), fs::read(&path).expect("a type"));
                }
                for (file, text) in files {
                    self.world.write(&format!("{folder}/{file}"), text);
                }
                theirs = theirs.env("EASYRSA_EXT_DIR", self.world.path(&folder));
                if matches!(row.types, Types::With(_)) {
                    ours = ours.env("EASYRSA_EXT_DIR", self.world.path(&folder));
                }
            }
        }
        if !row.settings.is_empty() {
            ours = ours.env("EASYRSA_SSL_CONF", self.settings(&format!("{number}.cnf"), &row.settings));
        }
        let replaced = [&row.settings[..], &row.their_settings].concat();
        if !replaced.is_empty() {
            theirs =
                theirs.env("EASYRSA_SSL_CONF", self.settings(&format!("{number}.theirs.cnf"), &replaced));
        }
        both(theirs, ours);
        let signed = |whose| {
            let der = self.der(&format!("{whose}/pki/issued/{name}.crt"));
            Signed::of_certificate(&der, Shared::Request)
        };
        (edited(signed("theirs"), &row.differs), signed("ours"))
    }
}

/// What easy-rsa 3.1 signs, as it would be with the differences.
pub(super) fn edited(mut signed: Signed, differences: &[(&str, Edit)]) -> Signed {
    let extensions = &mut signed.extensions;
    let at = |extensions: &[der::Extension], wanted: &str, why| {
        let found = extensions.iter().position(|extension| extension.oid == wanted);
        found.unwrap_or_else(|| panic!("no longer a difference: {why}"))
    };
    for (why, edit) in differences {
        match edit {
            Edit::Critical(oid) => {
                let at = at(extensions, oid, why);
                assert_eq!(extensions[at].critical, "", "no longer a difference: {why}");
                extensions[at].critical = "0101ff".to_owned();
            }
            Edit::Without(oid) => {
                let at = at(extensions, oid, why);
                extensions.remove(at);
            }
            Edit::Last(oid) => {
                let at = at(extensions, oid, why);
                let moved = extensions.remove(at);
                extensions.push(moved);
            }
        }
    }
    signed
}

/// Runs both at once.
pub(super) fn both(theirs: Run, ours: Run) {
    let theirs = theirs.start();
    ours.run().success();
    let output = theirs.wait_with_output().expect("easy-rsa ran");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}
