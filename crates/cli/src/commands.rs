// SPDX-License-Identifier: MIT OR Apache-2.0
//! One file per command: its arguments and its body, which gathers, lets the
//! core decide, confirms, records, and says what was done.

pub mod build_ca;
pub mod build_full;
pub mod exec;
pub mod expire;
pub mod gen_crl;
pub mod gen_req;
pub mod import_req;
pub mod init_pki;
pub mod inline;
pub mod issue;
pub mod member;
pub mod overview;
pub mod plumbing;
pub mod quickstart;
pub mod renew;
pub mod renew_ca;
pub mod revoke_issued;
pub mod self_sign;
pub mod show;
pub mod sign_req;
pub mod store;
pub mod unlock;
pub mod update_db;
pub mod verify_cert;

mod account;
mod details;
mod word;

use certkeep_pki::{layout::PeerSide, x509::profile::CertificateType};

use crate::{cli::Command, lookup::Aside, report::Failure, session::Session, settings::Format};

/// Carries a command out.
///
/// # Errors
///
/// What the user is to be told; nothing was changed then, unless it says so.
pub fn run(command: &Command, session: &mut Session) -> Result<(), Failure> {
    match command {
        Command::BuildCa(args) => build_ca::run(args, session),
        Command::BuildClientFull(args) => build_full::run(args, CertificateType::Client, session),
        Command::BuildServerClientFull(args) => build_full::run(args, CertificateType::ServerClient, session),
        Command::BuildServerFull(args) => build_full::run(args, CertificateType::Server, session),
        Command::Exec(args) => exec::run(args, session),
        Command::Expire(args) => expire::run(args, session),
        Command::GenCrl => gen_crl::run(session),
        Command::GenReq(args) => gen_req::run(args, session),
        Command::ImportReq(args) => import_req::run(args, session),
        Command::InitPki(args) => init_pki::run(args, session),
        Command::Inline(args) => inline::run(args, session),
        Command::Issue(args) => issue::run(args, session),
        Command::Lock => unlock::lock(session),
        Command::Member(args) => member::run(args, session),
        Command::Quickstart(args) => quickstart::run(args, session),
        Command::Renew(args) => renew::run(args, session),
        Command::RenewCa(args) => renew_ca::run(args, session),
        Command::RevokeExpired(args) => revoke_issued::aside(args, Aside::Expired, session),
        Command::RevokeIssued(args) => revoke_issued::run(args, session),
        Command::RevokeRenewed(args) => revoke_issued::aside(args, Aside::Renewed, session),
        Command::SelfSignClient(args) => self_sign::run(args, PeerSide::Client, session),
        Command::SelfSignServer(args) => self_sign::run(args, PeerSide::Server, session),
        Command::ShowCa(args) => show::authority(args, session),
        Command::ShowCert(args) => show::certificate(args, session),
        Command::ShowCrl => show::crl(session),
        Command::ShowReq(args) => show::request(args, session),
        Command::SignReq(args) => sign_req::run(args, session),
        Command::Store(args) => store::run(args, session),
        Command::Unlock(args) => unlock::run(args, session),
        Command::UpdateDb => update_db::run(session),
        Command::VerifyCert(args) => verify_cert::run(args, session),
        Command::Version => version(session),
    }
}

/// What `version` prints.
fn version(session: &mut Session) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    let text = match session.settings.format {
        Format::Json => format!("{{\n  \"name\": \"certkeep\",\n  \"version\": \"{version}\"\n}}\n"),
        _ => format!("certkeep {version}\n"),
    };
    Ok(session.terminal.data(&text)?)
}
