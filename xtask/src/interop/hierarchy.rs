// SPDX-License-Identifier: MIT OR Apache-2.0
//! The CAs that the first two stages look at: each key algorithm, with one tier
//! and with two, and in each every certificate type of the strict set.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::pki::Pki;
use crate::Outcome;

/// A key algorithm as the command line names it.
pub(crate) struct Algorithm {
    pub(crate) name: &'static str,
    options: &'static [&'static str],
}

/// Every algorithm that has to work.
pub(crate) const ALGORITHMS: &[Algorithm] = &[
    Algorithm { name: "rsa2048", options: &["--use-algo=rsa", "--keysize=2048"] },
    Algorithm { name: "p256", options: &["--use-algo=ec", "--curve=prime256v1"] },
    Algorithm { name: "p384", options: &["--use-algo=ec", "--curve=secp384r1"] },
    Algorithm { name: "p521", options: &["--use-algo=ec", "--curve=secp521r1"] },
    Algorithm { name: "ed25519", options: &["--use-algo=ed", "--curve=ed25519"] },
];

/// A certificate that each hierarchy issues.
pub(crate) struct Leaf {
    pub(crate) kind: &'static str,
    pub(crate) name: &'static str,
    /// `--san`.
    pub(crate) san: Option<&'static str>,
    /// For which of openssl's purposes it must be good.
    pub(crate) good_for: &'static [&'static str],
    /// For which it must not be.
    pub(crate) bad_for: &'static [&'static str],
    /// Revoked, with this reason if any.
    pub(crate) revoked: Option<Option<&'static str>>,
}

/// What each issuing CA issues.
pub(crate) const LEAVES: &[Leaf] = &[
    Leaf {
        kind: "server",
        name: "web",
        san: Some("DNS:web.example.com,IP:192.0.2.1,IP:2001:db8::1"),
        good_for: &["sslserver"],
        bad_for: &["sslclient", "crlsign"],
        revoked: None,
    },
    Leaf {
        kind: "client",
        name: "alice",
        san: Some("email:alice@example.com,URI:https://example.com/alice"),
        good_for: &["sslclient"],
        bad_for: &["sslserver"],
        revoked: None,
    },
    Leaf { kind: "client", name: "plain", san: None, good_for: &["sslclient"], bad_for: &[], revoked: None },
    Leaf {
        kind: "serverClient",
        name: "peer",
        san: Some("DNS:peer.example.com"),
        good_for: &["sslserver", "sslclient"],
        bad_for: &["smimesign"],
        revoked: None,
    },
    Leaf {
        kind: "codeSigning",
        name: "release",
        san: None,
        good_for: &["any"],
        bad_for: &["sslserver"],
        revoked: None,
    },
    Leaf {
        kind: "email",
        name: "carol",
        san: Some("email:carol@example.com"),
        good_for: &["smimesign"],
        bad_for: &["sslserver"],
        revoked: None,
    },
    Leaf {
        kind: "server",
        name: "leaked",
        san: Some("DNS:leaked.example.com"),
        good_for: &["sslserver"],
        bad_for: &[],
        revoked: Some(Some("keyCompromise")),
    },
    Leaf {
        kind: "client",
        name: "left",
        san: None,
        good_for: &["sslclient"],
        bad_for: &[],
        revoked: Some(None),
    },
];

/// One CA with what it issued.
pub(crate) struct Hierarchy {
    /// The algorithm and the number of tiers.
    pub(crate) name: String,
    pub(crate) root: Pki,
    /// The CA below the root that issued the leaves; `None` when the root did.
    pub(crate) intermediate: Option<Pki>,
}

impl Hierarchy {
    /// The CA that issued the leaves.
    pub(crate) fn issuing(&self) -> &Pki {
        self.intermediate.as_ref().unwrap_or(&self.root)
    }

    /// Where the certificate of `leaf` lies: revoking moves it.
    pub(crate) fn certificate(&self, leaf: &Leaf) -> Outcome<PathBuf> {
        let pki = self.issuing();
        if leaf.revoked.is_none() {
            return Ok(pki.file(&format!("issued/{}.crt", leaf.name)));
        }
        let index = fs::read_to_string(pki.file("index.txt"))?;
        let row =
            index.lines().find(|row| row.starts_with('R') && row.ends_with(&format!("/CN={}", leaf.name)));
        let serial = row.and_then(|row| row.split('\t').nth(3));
        let serial =
            serial.ok_or_else(|| format!("{}: index.txt has no revoked row for {}", self.name, leaf.name))?;
        Ok(pki.file(&format!("revoked/certs_by_serial/{serial}.crt")))
    }
}

/// Makes every hierarchy below `folder`, with certkeep alone.
pub(crate) fn make(folder: &Path) -> Outcome<Vec<Hierarchy>> {
    let mut hierarchies = Vec::new();
    for algorithm in ALGORITHMS {
        let base = folder.join(algorithm.name);
        fs::create_dir_all(base.join("one"))?;
        fs::create_dir_all(base.join("two"))?;
        let root = Pki::new(base.join("one/pki"), algorithm.options);
        build_root(&root)?;
        issue(&root)?;
        hierarchies.push(Hierarchy { name: format!("{}, root", algorithm.name), root, intermediate: None });

        let root = Pki::new(base.join("two/root"), algorithm.options);
        let below = Pki::new(base.join("two/below"), algorithm.options);
        build_root(&root)?;
        build_below(&root, &below)?;
        issue(&below)?;
        let name = format!("{}, two tiers", algorithm.name);
        hierarchies.push(Hierarchy { name, root, intermediate: Some(below) });
    }
    Ok(hierarchies)
}

fn build_root(pki: &Pki) -> Outcome {
    pki.certkeep(&["init-pki"])?;
    pki.certkeep(&["--req-cn=Interop Root", "build-ca", "nopass"])?;
    pki.certkeep(&["gen-crl"])?;
    Ok(())
}

fn build_below(root: &Pki, below: &Pki) -> Outcome {
    below.certkeep(&["init-pki"])?;
    below.certkeep(&["--req-cn=Interop Issuing CA", "build-ca", "nopass", "subca"])?;
    let request = below.file("reqs/ca.req").display().to_string();
    root.certkeep(&["import-req", &request, "below"])?;
    root.certkeep(&["--subca-len=0", "sign-req", "ca", "below"])?;
    fs::copy(root.file("issued/below.crt"), below.file("ca.crt"))?;
    root.certkeep(&["gen-crl"])?;
    Ok(())
}

fn issue(pki: &Pki) -> Outcome {
    for leaf in LEAVES {
        pki.certkeep(&[&format!("--req-cn={}", leaf.name), "gen-req", leaf.name, "nopass"])?;
        let san = leaf.san.map(|san| format!("--san={san}"));
        let words: Vec<&str> = san.as_deref().into_iter().chain(["sign-req", leaf.kind, leaf.name]).collect();
        pki.certkeep(&words)?;
        if let Some(reason) = leaf.revoked {
            let words: Vec<&str> = ["revoke-issued", leaf.name].into_iter().chain(reason).collect();
            pki.certkeep(&words)?;
        }
    }
    pki.certkeep(&["gen-crl"])?;
    Ok(())
}
