// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys behind one of age's plugins.

use super::*;

const TOY_RECIPIENT: &str = "age1toy1w3hhjgrtv4ujzznak29";
const TOY_IDENTITY: &str = "AGE-PLUGIN-TOY-1W3HHJGRTV4UJZJUMY5D";

/// age's plugin protocol with a PIN, for nobody's protection.
const TOY_PLUGIN: &str = r#"#!/usr/bin/env python3
import base64, sys
def read():
    head = sys.stdin.readline().split()[1:]
    body = ""
    while True:
        line = sys.stdin.readline().rstrip("\n")
        body += line
        if len(line) < 64:
            return head, base64.b64decode(body + "=" * (-len(body) % 4))
def send(head, body=b""):
    text = base64.b64encode(body).decode().rstrip("=")
    lines = [text[i:i + 64] for i in range(0, len(text), 64)] or [""]
    if len(lines[-1]) == 64:
        lines.append("")
    print("-> " + head, *lines, sep="\n", flush=True)
    return read() if head != "done" else None
mask = lambda key: bytes(byte ^ 0x55 for byte in key)
commands = []
while not commands or commands[-1][0][0] != "done":
    commands.append(read())
for head, body in commands:
    if head[0] == "wrap-file-key":
        send("recipient-stanza 0 toy", mask(body))
    elif head[:3] == ["recipient-stanza", "0", "toy"]:
        send("msg", b"touch the toy")
        reply, pin = send("request-secret", b"PIN of the toy")
        if reply == ["ok"] and pin == b"1234":
            send("file-key 0", mask(body))
        else:
            send("error identity 0", b"wrong PIN")
send("done")
"#;

/// The crate age looks for plugins on the path of the process, so the test
/// runs itself again with another path.
#[test]
#[expect(clippy::disallowed_methods, reason = "tells the two runs apart")]
fn a_key_behind_a_plugin_opens_with_a_pin() {
    use std::{env, os::unix::fs::PermissionsExt};
    if env::var_os("CERTKEEP_TEST_TOY_PLUGIN").is_some() {
        return with_the_toy_plugin();
    }
    let member = Recipient::parse(TOY_RECIPIENT.as_bytes()).unwrap();
    let missing = member.wrap(&secret(PAYLOAD), now(), false).unwrap_err();
    assert!(missing.to_string().contains("age-plugin-toy"), "{missing}");
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("age-plugin-toy");
    fs::write(&program, TOY_PLUGIN).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    let mut path = vec![directory.path().to_owned()];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap()));
    let run = Command::new(env::current_exe().unwrap())
        .args(["--exact", "plugin::a_key_behind_a_plugin_opens_with_a_pin"])
        .env("PATH", env::join_paths(path).unwrap())
        .env("CERTKEEP_TEST_TOY_PLUGIN", "1")
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
    assert!(String::from_utf8_lossy(&run.stdout).contains("1 passed"));
}

fn with_the_toy_plugin() {
    let member = Member::new(&Recipient::parse(TOY_RECIPIENT.as_bytes()).unwrap());
    let identity = || Sources { text: Some(secret(TOY_IDENTITY.as_bytes())), ..Sources::default() };
    let mut person = Person::typing(["1234"]);
    assert_eq!(open(identity(), &[&member], &mut person).unwrap(), 0);
    assert_eq!(person.asked, ["touch the toy", "PIN of the toy"]);
    let refused = why(open(identity(), &[&member], &mut Person::typing(["0000"])));
    assert!(matches!(&refused, Why::Unwrap(UnwrapError::Plugin(text)) if text.contains("wrong PIN")));
    assert!(!refused.to_string().contains('\u{2068}'));
    let cancelled = why(open(identity(), &[&member], &mut Person::cancelling()));
    assert!(matches!(cancelled, Why::Unwrap(UnwrapError::Prompt(PromptError::Cancelled))));
}
