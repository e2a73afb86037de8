// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: which commands there are and what they are called. What a
//! command does stands in [`crate::commands`], the options of all of them in
//! [`crate::options`].

use std::ffi::OsString;

use clap::{Args as _, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::{called::Called, commands, options::GlobalOptions};

/// A certificate authority that speaks easy-rsa's commands and keeps easy-rsa's directory
///
/// What one of the two has begun, the other can continue. In a git repository every private key is
/// ciphertext in every commit, and whoever is a member opens it with a key of his own.
#[derive(Debug, Parser)]
#[command(name = "certkeep", version, max_term_width = 100, disable_help_subcommand = false)]
#[command(after_help = "Examples:
  certkeep quickstart demo              a whole CA in an encrypted git repository, in one command
  certkeep init-pki && certkeep build-ca
  certkeep build-server-full www.example.net nopass
  certkeep revoke-issued www.example.net superseded && certkeep gen-crl
  certkeep store init                   encrypt a PKI that lies in a git repository
  certkeep member add bob bob.pub && git push

Without a command: what the PKI of this directory looks like.")]
pub struct Cli {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would replace the help of the whole program")]
    pub options: GlobalOptions,
    #[command(subcommand)]
    #[expect(missing_docs, reason = "as above")]
    pub command: Option<Command>,
}

impl Cli {
    /// Reads the arguments, the first of which is the program's name; usage and help
    /// call it what it was `called`.
    ///
    /// # Errors
    ///
    /// They cannot be understood, or ask for help or the version.
    pub fn parse_as(
        called: Called,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, clap::Error> {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        let read = |mut program: clap::Command| {
            Self::from_arg_matches_mut(&mut program.try_get_matches_from_mut(&arguments)?)
                .map_err(|error| error.format(&mut program))
        };
        let program = Self::program(called);
        // Help and what is wrong are told of the whole.
        read(Self::with_commands_among(&arguments, &program)).or_else(|_| read(program))
    }

    fn program(called: Called) -> clap::Command {
        let program = Self::command().name(called.name()).bin_name(called.name());
        match called.introduction() {
            Some(introduction) => program.before_help(introduction),
            None => program,
        }
    }

    /// The options of `program`, and of its commands those that `arguments` may mean. clap
    /// copies every option into every command before it reads the first argument, which is
    /// most of the time that a short command takes.
    fn with_commands_among(arguments: &[OsString], program: &clap::Command) -> clap::Command {
        let named = |command: &&clap::Command| {
            arguments.iter().any(|argument| {
                command.get_name_and_visible_aliases().iter().any(|name| argument == name)
                    || command.get_all_aliases().any(|name| argument == name)
            })
        };
        GlobalOptions::augment_args(clap::Command::new(program.get_name().to_owned()))
            .subcommands(program.get_subcommands().filter(named).cloned())
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a CA: its key, its certificate, an empty database
    BuildCa(commands::build_ca::Args),
    /// Key, request and certificate of a client in one go
    BuildClientFull(commands::build_full::Args),
    /// Key, request and certificate of a server in one go
    BuildServerFull(commands::build_full::Args),
    /// Key, request and certificate of a server that is a client too
    #[command(name = "build-serverClient-full")]
    BuildServerClientFull(commands::build_full::Args),
    /// Print what a shell needs to complete commands and options
    #[command(after_help = "Examples:
  certkeep completions bash > ~/.local/share/bash-completion/completions/certkeep
  certkeep completions zsh > ~/.zfunc/_certkeep
  certkeep completions fish > ~/.config/fish/completions/certkeep.fish")]
    Completions(commands::completions::Args),
    /// Show a subject, one attribute a line: display-dn x509 FILE
    DisplayDn(commands::inspect::SubjectArgs),
    /// Look for everything that is wrong with a PKI, and mend what can be mended
    ///
    /// Ends with exit code 7 for a warning and 8 for an error. Needs no key, and without --fix or
    /// --rebuild-index no right to write. docs/doctor.md has the checks.
    #[command(after_help = "Examples:
  certkeep doctor
  certkeep doctor --format json | jq -r '.findings[].check'
  certkeep doctor --fix
  certkeep --pki=/etc/openvpn/easy-rsa/pki doctor")]
    Doctor(commands::doctor::Args),
    /// Run a program that sees the PKI in the clear, in a private folder in memory
    ///
    /// The folder is in CERTKEEP_DIR, the PKI in EASYRSA_PKI. Both go when the program ends, and so
    /// does whatever it wrote there. Its exit code is passed on.
    #[command(after_help = "Example:
  certkeep exec -- sh -c 'openssl x509 -in \"$EASYRSA_PKI\"/issued/www.crt -noout -text'")]
    Exec(commands::exec::Args),
    /// Put a certificate aside, so that its request can be signed again
    ///
    /// The certificate stays valid until its date or until `revoke-expired`.
    Expire(commands::expire::Args),
    /// Export a private key in the form of its algorithm: PKCS#1 or SEC1
    #[command(name = "export-p1")]
    ExportP1(commands::export::KeyArgs),
    /// Export certificate, key and CA in one file: PKCS#12
    #[command(name = "export-p12")]
    ExportP12(commands::export::Pkcs12Args),
    /// Export a certificate and its CA: PKCS#7
    #[command(name = "export-p7")]
    ExportP7(commands::export::Pkcs7Args),
    /// Export a private key: PKCS#8
    #[command(name = "export-p8")]
    ExportP8(commands::export::KeyArgs),
    /// Sign a CRL of everything that was revoked
    GenCrl,
    /// Write dh.pem: a group of RFC 7919, or one of its own
    GenDh(commands::gen_dh::Args),
    /// Make a private key and a certificate signing request
    GenReq(commands::gen_req::Args),
    /// Make OpenVPN's tls-auth key
    #[command(alias = "gen-tls-auth")]
    GenTlsAuthKey,
    /// Make OpenVPN's tls-crypt key
    #[command(alias = "gen-tls-crypt")]
    GenTlsCryptKey,
    /// Make OpenVPN's tls-crypt-v2 key of the servers, or of one client
    #[command(name = "gen-tls-crypt-v2-key", aliases = ["gen-tls-crypt-v2", "gen-tls-cryptv2"])]
    GenTlsCryptV2Key(commands::tls_keys::SecondArgs),
    /// Look for private keys that are about to leave in the clear: in a commit, a push, a history, a file
    ///
    /// Without an option: what is staged. Ends with exit code 6 if it finds something. `guard install` has git
    /// ask it before every commit and push.
    #[command(after_help = "Examples:
  certkeep guard                        what the next commit would hold
  certkeep guard --history              everything that was ever committed
  certkeep guard --tree HEAD --format sarif
  certkeep guard dist/ deploy.zip       files, in a repository or not
  certkeep guard install")]
    Guard(commands::guard::Args),
    /// Add a CA of another PKI to all inline files
    ImportCa(commands::import_ca::Args),
    /// File somebody else's request
    ImportReq(commands::import_req::Args),
    /// File OpenVPN's tls-auth or tls-crypt key
    ImportTlsKey(commands::tls_keys::ImportArgs),
    /// Make an empty PKI directory
    #[command(visible_alias = "clean-all")]
    InitPki(commands::init_pki::Args),
    /// Everything that an OpenVPN peer needs, in one file
    Inline(commands::inline::Args),
    /// Key, request and certificate, with alternative names as plain text
    Issue(commands::issue::Args),
    /// List every certificate: as a table, or with --format json, csv, ics, prometheus or html
    ///
    /// Needs no key and no right to write. docs/inventory.md has the fields.
    #[command(after_help = "Examples:
  certkeep list --expiring 30d
  certkeep list --type server --name '*.example.net' --sort expiry
  certkeep list --format ics >certificates.ics
  certkeep list --format html >index.html")]
    List(commands::list::Args),
    /// Put ciphertext back into this clone and forget the keys
    Lock,
    /// Who issued, revoked and renewed what and when; --verify: whether the history accounts for everything
    ///
    /// Needs no key. docs/history.md says what is proved by it and what is not.
    #[command(after_help = "Examples:
  certkeep log                          every operation, the youngest first
  certkeep log www.example.net --since 30d
  certkeep log --verify                 replay the history, compare it with the journal
  git config certkeep.signatures required && certkeep log --verify")]
    Log(commands::log::Args),
    /// Who may open the encrypted store: add, remove, list, refresh
    Member(commands::member::Args),
    /// A whole CA with a server and a client certificate, to look at and to start from
    Quickstart(commands::quickstart::Args),
    /// Random bytes, as hexadecimal digits
    #[command(name = "rand", visible_alias = "random")]
    Rand(commands::inspect::RandomArgs),
    /// Issue a certificate anew: same key, same subject, same extensions
    Renew(commands::renew::Args),
    /// Issue the CA's own certificate anew: same key, same subject, so that all it has issued stays valid
    ///
    /// A subordinate CA makes a request; with FILE it takes the certificate that came back.
    RenewCa(commands::renew_ca::Args),
    /// Revoke a certificate that was put aside by `expire`
    RevokeExpired(commands::revoke_issued::AsideArgs),
    /// Revoke a certificate
    #[command(visible_alias = "revoke")]
    RevokeIssued(commands::revoke_issued::Args),
    /// Revoke a certificate that `renew` has replaced
    RevokeRenewed(commands::revoke_issued::AsideArgs),
    /// A key and a self-signed certificate of an OpenVPN client, in a PKI without a CA
    SelfSignClient(commands::self_sign::Args),
    /// A key and a self-signed certificate of an OpenVPN server, in a PKI without a CA
    SelfSignServer(commands::self_sign::Args),
    /// What the index says of a serial number
    #[command(visible_alias = "check-serial")]
    Serial(commands::inspect::SerialArgs),
    /// Change the passphrase of a private key, or take it away
    #[command(aliases = ["set-rsa-pass", "set-ec-pass", "set-ed-pass"])]
    SetPass(commands::set_pass::Args),
    /// Show the CA's certificate
    ShowCa(commands::show::AuthorityArgs),
    /// Show a certificate
    ShowCert(commands::show::CertificateArgs),
    /// Show the CRL
    ShowCrl,
    /// Tell the type of a certificate
    #[command(visible_alias = "x509-eku")]
    ShowEku(commands::inspect::PurposeArgs),
    /// Show the certificates that expire soon
    ShowExpire(commands::show_status::Args),
    /// Show version and system
    ShowHost,
    /// Show the certificates that were renewed and are not revoked yet
    ShowRenew(commands::show_status::Args),
    /// Show a request
    ShowReq(commands::show::RequestArgs),
    /// Show the certificates that were revoked
    ShowRevoke(commands::show_status::Args),
    /// Sign a request
    #[command(visible_alias = "sign")]
    SignReq(commands::sign_req::Args),
    /// The encrypted store: init, status, rotate, protect, import, export-key
    Store(commands::store::Args),
    /// Bring this clone and its upstream together: fetch, rebase, look whether all fits, push
    ///
    /// Two people may issue and revoke at the same time, each in a clone of his own: the databases are
    /// merged row by row. When somebody else was first, it begins again.
    #[command(after_help = "Examples:
  certkeep issue server www www.example.net && certkeep sync
  certkeep sync --crl                   and sign a new CRL if others have revoked something")]
    Sync(commands::sync::Args),
    /// Open the store in this clone: plaintext in the work tree, ciphertext in git
    ///
    /// Identities are tried in this order: --identity, CERTKEEP_IDENTITY, CERTKEEP_IDENTITY_FILE; without
    /// any of them gpg's secret keys, ~/.ssh/id_ed25519 and id_rsa, ~/.config/certkeep/identity.txt.
    Unlock(commands::unlock::Args),
    /// Mark certificates that are past their date as expired
    UpdateDb,
    /// Verify a certificate: path, dates, CRL, purpose
    VerifyCert(commands::verify_cert::Args),
    /// Show the version
    Version,
    /// Show the files that easy-rsa brings along, or write them into the PKI
    Write(commands::write::Args),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_command_is_found_under_each_of_its_names_and_alone() {
        let program = Cli::program(Called::Certkeep);
        for command in program.get_subcommands() {
            for name in std::iter::once(command.get_name()).chain(command.get_all_aliases()) {
                let few =
                    Cli::with_commands_among(&["certkeep".into(), "--batch".into(), name.into()], &program);
                let found: Vec<_> = few.get_subcommands().map(clap::Command::get_name).collect();
                assert_eq!(found, [command.get_name()], "{name}");
            }
        }
    }

    #[test]
    fn what_is_read_with_few_commands_is_what_all_of_them_read() {
        let read = |line: &str| {
            let arguments = || std::iter::once("certkeep").chain(line.split_whitespace()).map(OsString::from);
            let whole = Cli::program(Called::Certkeep).try_get_matches_from(arguments());
            let whole = whole.and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches));
            let few = Cli::parse_as(Called::Certkeep, arguments());
            match (whole, few) {
                (Ok(whole), Ok(few)) => assert_eq!(format!("{whole:?}"), format!("{few:?}"), "{line}"),
                (Err(whole), Err(few)) => assert_eq!(whole.to_string(), few.to_string(), "{line}"),
                (whole, few) => panic!("{line}: {whole:?}, {few:?}"),
            }
        };
        for line in [
            "",
            "--pki-dir build-ca gen-crl",
            "--batch sign server web --days 30",
            "gen-req revoke nopass --days=3",
            "store protect issue",
            "store statuss",
            "revok web",
            "--nonsense gen-crl",
            "help sign-req",
            "sign-req --help",
            "gen-crl --version",
            "build-ca help",
        ] {
            read(line);
        }
    }

    #[test]
    fn the_help_promises_what_is_there() {
        let help = Cli::command().render_long_help().to_string();
        assert!(help.starts_with("A certificate authority that speaks easy-rsa's commands"), "{help}");
        assert!(help.contains("ciphertext in every commit"), "{help}");
    }

    #[test]
    fn no_argument_of_a_command_hides_a_global_option() {
        let program = Cli::command();
        let global: Vec<_> = program.get_arguments().map(clap::Arg::get_id).collect();
        let mut commands: Vec<_> = program.get_subcommands().collect();
        while let Some(command) = commands.pop() {
            commands.extend(command.get_subcommands());
            for argument in command.get_arguments() {
                assert!(
                    !global.contains(&argument.get_id()),
                    "{} of {}",
                    argument.get_id(),
                    command.get_name()
                );
            }
        }
    }
}
