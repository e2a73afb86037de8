// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys behind an age plugin, which may have questions of its own.
//!
//! The crate age wants callbacks that live as long as the program and can be
//! shared between threads; a [`Prompt`] is neither. So the plugin is driven by
//! a thread, and its questions are answered here.

use std::{
    sync::mpsc::{Sender, channel},
    thread,
};

use age::{
    Callbacks, DecryptError,
    plugin::{Identity, IdentityPluginV1},
    secrecy::SecretString,
};
use certkeep_pki::secret::SecretBytes;

use super::{open as open_file, plain, refusal, utf8};
use crate::{
    prompt::{Prompt, PromptError},
    wrap::UnwrapError,
};

enum Request {
    Show(String),
    Confirm(String, Sender<Option<bool>>),
    Answer(String, Sender<Option<String>>),
    Passphrase(String, Sender<Option<SecretString>>),
    Done(Result<SecretBytes, DecryptError>),
}

#[derive(Clone)]
struct Questions(Sender<Request>);

impl Questions {
    fn ask<T>(&self, request: impl FnOnce(Sender<Option<T>>) -> Request) -> Option<T> {
        let (sender, receiver) = channel();
        self.0.send(request(sender)).ok()?;
        receiver.recv().ok()?
    }
}

impl Callbacks for Questions {
    fn display_message(&self, message: &str) {
        // Nobody listens any more when the plugin has already ended.
        let _ = self.0.send(Request::Show(plain(message)));
    }

    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        let question = match no {
            Some(no) => format!("{} (yes: {}, no: {})", plain(message), plain(yes), plain(no)),
            None => format!("{} (yes: {})", plain(message), plain(yes)),
        };
        self.ask(|sender| Request::Confirm(question, sender))
    }

    fn request_public_string(&self, description: &str) -> Option<String> {
        self.ask(|sender| Request::Answer(plain(description), sender))
    }

    fn request_passphrase(&self, description: &str) -> Option<SecretString> {
        self.ask(|sender| Request::Passphrase(plain(description), sender))
    }
}

/// Opens a wrap with the program `age-plugin-NAME` of `identity`.
pub(super) fn open(
    wrapped: &[u8],
    identity: &Identity,
    prompt: &mut dyn Prompt,
) -> Result<SecretBytes, UnwrapError> {
    let (sender, requests) = channel();
    let callbacks = Questions(sender.clone());
    let plugin = IdentityPluginV1::new(identity.plugin(), std::slice::from_ref(identity), callbacks)
        .map_err(|error| UnwrapError::Plugin(plain(&error.to_string())))?;
    thread::scope(|scope| {
        scope.spawn(move || {
            let result = open_file(wrapped, &plugin);
            // The receiver waits for exactly this.
            let _ = sender.send(Request::Done(result));
        });
        let mut refused = None;
        for request in requests {
            match request {
                Request::Show(text) => prompt.message(&text),
                Request::Confirm(question, reply) => {
                    let _ = reply.send(note(prompt.confirm(&question), &mut refused));
                }
                Request::Answer(question, reply) => {
                    let _ = reply.send(note(prompt.answer(&question), &mut refused));
                }
                Request::Passphrase(what, reply) => {
                    let passphrase = note(prompt.passphrase(&what), &mut refused);
                    let passphrase = passphrase.and_then(|passphrase| {
                        utf8(&passphrase).ok().map(|text| SecretString::from(text.to_owned()))
                    });
                    let _ = reply.send(passphrase);
                }
                Request::Done(Ok(payload)) => return Ok(payload),
                Request::Done(Err(error)) => {
                    return Err(refused.map_or_else(|| explain(&error), UnwrapError::Prompt));
                }
            }
        }
        Err(UnwrapError::Plugin("ended without an answer".to_owned()))
    })
}

/// Passes an answer on, and keeps why there is none.
fn note<T>(answer: Result<T, PromptError>, refused: &mut Option<PromptError>) -> Option<T> {
    answer.map_err(|error| *refused = Some(error)).ok()
}

fn explain(error: &DecryptError) -> UnwrapError {
    match error {
        DecryptError::Io(error) => UnwrapError::Plugin(plain(&error.to_string())),
        other => refusal(other),
    }
}
