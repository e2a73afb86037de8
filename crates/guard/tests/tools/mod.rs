// SPDX-License-Identifier: MIT OR Apache-2.0
//! A folder in which the programs that make keys are run.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The passphrase of everything that has one.
pub(crate) const PASSPHRASE: &str = "secret";

/// Base64 in lines of `width` characters.
pub(crate) fn base64(bytes: &[u8], width: usize) -> String {
    let text = STANDARD.encode(bytes);
    let lines: Vec<&[u8]> = text.as_bytes().chunks(width).collect();
    String::from_utf8(lines.join(&b'\n')).expect("base64 is ASCII") + "\n"
}

/// What base64 stands for.
pub(crate) fn unbase64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).expect("base64")
}

/// The bytes in a PEM file of one block.
pub(crate) fn pem_body(pem: &str) -> Vec<u8> {
    unbase64(&pem.lines().filter(|line| !line.starts_with("-----")).collect::<String>())
}

/// A temporary folder, which is the home of every program run in it.
pub(crate) struct Workshop {
    folder: tempfile::TempDir,
}

impl Workshop {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    #[track_caller]
    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).expect("text")
    }

    #[track_caller]
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    pub(crate) fn remove(&self, name: &str) {
        let _ = fs::remove_file(self.path(name));
    }

    /// Runs a program with the words of a line; gives what it wrote.
    #[track_caller]
    pub(crate) fn run(&self, line: &str) -> Vec<u8> {
        self.run_with(&line.split_ascii_whitespace().collect::<Vec<_>>(), b"")
    }

    /// The same with arguments that have spaces, and with something to read.
    #[track_caller]
    pub(crate) fn run_with(&self, words: &[&str], input: &[u8]) -> Vec<u8> {
        let (program, arguments) = words.split_first().expect("a program");
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path()).env("HOME", self.folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{program}: {error}"));
        let mut pipe = child.stdin.take().expect("piped");
        let input = input.to_vec();
        let writer = std::thread::spawn(move || pipe.write_all(&input));
        let output = child.wait_with_output().expect("an end");
        let _ = writer.join();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{}: {complaint}\n{}",
            words.join(" "),
            String::from_utf8_lossy(&output.stdout)
        );
        output.stdout
    }

    #[track_caller]
    pub(crate) fn openssl(&self, line: &str) {
        self.run(&format!("openssl {line}"));
    }

    /// The SubjectPublicKeyInfo of a private key file, as openssl tells it.
    #[track_caller]
    pub(crate) fn public(&self, name: &str) -> Vec<u8> {
        self.run(&format!("openssl pkey -in {name} -pubout -outform DER"))
    }

    /// The same of a public key in PEM.
    #[track_caller]
    pub(crate) fn public_of(&self, pem: &[u8]) -> Vec<u8> {
        self.run_with(&["openssl", "pkey", "-pubin", "-pubout", "-outform", "DER"], pem)
    }

    /// Makes `key.pem`, a key of P-256, and `cert.pem` for it.
    #[track_caller]
    pub(crate) fn certificate(&self) {
        self.openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=web -keyout key.pem -out cert.pem -days 9");
    }

    /// A zip file of one member, by Python.
    #[track_caller]
    pub(crate) fn zip(&self, name: &str, contents: &[u8], deflated: bool) -> Vec<u8> {
        let method = if deflated { "ZIP_DEFLATED" } else { "ZIP_STORED" };
        let script = format!(
            "import sys, zipfile, io\n\
             out = io.BytesIO()\n\
             with zipfile.ZipFile(out, 'w', zipfile.{method}) as archive:\n\
             \x20   archive.writestr('readme.txt', 'nothing to see here')\n\
             \x20   archive.writestr('{name}', sys.stdin.buffer.read())\n\
             sys.stdout.buffer.write(out.getvalue())\n"
        );
        self.run_with(&["python3", "-c", &script], contents)
    }

    /// A tar file of one member.
    #[track_caller]
    pub(crate) fn tar(&self, name: &str, contents: &[u8]) -> Vec<u8> {
        let path = self.path("tar").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, contents).expect("written");
        self.run(&format!("tar -cf - -C tar {name}"))
    }

    #[track_caller]
    pub(crate) fn gzip(&self, contents: &[u8]) -> Vec<u8> {
        self.run_with(&["gzip", "-c"], contents)
    }
}
