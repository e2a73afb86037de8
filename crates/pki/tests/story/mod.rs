// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads the fixtures: which stories there are, what was asked for in each, and
//! the files that easy-rsa left. `fixtures/README.md` explains `story.toml`.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use toml::{Table, Value};

/// One PKI that easy-rsa made.
pub(crate) struct Story {
    pub(crate) name: String,
    pub(crate) options: Vec<String>,
    pub(crate) sequential: bool,
    pub(crate) ca_passphrase: Option<String>,
    pub(crate) records: Vec<Record>,
    folder: PathBuf,
}

/// One certificate and the options that made it.
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) serial: String,
    pub(crate) certificate: String,
    pub(crate) request: String,
    /// The private key, unless the request was imported.
    pub(crate) key: Option<String>,
    pub(crate) key_passphrase: Option<String>,
    pub(crate) request_san: Option<String>,
    pub(crate) san_written: Option<String>,
    pub(crate) copy_ext: bool,
    pub(crate) days: Option<u32>,
    /// It was over before its CA existed.
    pub(crate) in_the_past: bool,
    pub(crate) path_len: Option<u8>,
    pub(crate) realm: Option<String>,
    /// The reason word, empty if none was given.
    pub(crate) revoked: Option<String>,
}

/// Every story of every version.
pub(crate) fn stories() -> &'static [Story] {
    static STORIES: LazyLock<Vec<Story>> = LazyLock::new(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/easyrsa");
        let stories: Vec<_> =
            folders(&root).iter().flat_map(|version| folders(version)).map(Story::read).collect();
        assert!(stories.len() >= 7, "fixtures are missing: {}", stories.len());
        stories
    });
    &STORIES
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    paths
}

impl Story {
    fn read(folder: PathBuf) -> Self {
        let text = fs::read_to_string(folder.join("story.toml")).expect("a story");
        let table: Table = text.parse().expect("TOML");
        let options = table["options"].as_array().expect("a list");
        let records = table["certificate"].as_array().expect("a list");
        Self {
            name: folder.file_name().expect("named").to_string_lossy().into_owned(),
            options: options.iter().map(|option| option.as_str().expect("text").to_owned()).collect(),
            sequential: flag(&table, "sequential"),
            ca_passphrase: text_of(&table, "ca_passphrase"),
            records: records.iter().map(|record| Record::read(record, &folder)).collect(),
            folder,
        }
    }

    /// The contents of a file, by its path in the PKI.
    pub(crate) fn file(&self, path: &str) -> Vec<u8> {
        fs::read(self.folder.join(path)).unwrap_or_else(|error| panic!("{} {path}: {error}", self.name))
    }
}

impl Record {
    fn read(value: &Value, folder: &Path) -> Self {
        let table = value.as_table().expect("a table");
        let text = |key: &str| text_of(table, key).unwrap_or_else(|| panic!("{key} is missing"));
        let number = |key: &str| table.get(key).map(|value| value.as_integer().expect("a number"));
        let (name, serial) = (text("name"), text("serial"));
        let revoked = text_of(table, "revoked");
        let key = match &revoked {
            None => format!("private/{name}.key"),
            Some(_) => format!("revoked/private_by_serial/{serial}.key"),
        };
        Self {
            kind: text("type"),
            certificate: text("certificate"),
            request: text("request"),
            key: folder.join(&key).is_file().then_some(key),
            key_passphrase: text_of(table, "key_passphrase"),
            request_san: text_of(table, "request_san"),
            san_written: text_of(table, "san_written"),
            copy_ext: flag(table, "copy_ext"),
            days: number("days").map(|days| u32::try_from(days).expect("days")),
            in_the_past: table.contains_key("enddate"),
            path_len: number("subca_len").map(|length| u8::try_from(length).expect("short")),
            realm: text_of(table, "kdc_realm"),
            name,
            serial,
            revoked,
        }
    }
}

fn text_of(table: &Table, key: &str) -> Option<String> {
    table.get(key).map(|value| value.as_str().expect("text").to_owned())
}

fn flag(table: &Table, key: &str) -> bool {
    table[key].as_bool().expect("a truth value")
}

/// Bytes to be compared: hexadecimal, 32 a line, so that a difference can be found.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let line = |line: &[u8]| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    bytes.chunks(32).map(line).collect::<Vec<_>>().join("\n")
}
