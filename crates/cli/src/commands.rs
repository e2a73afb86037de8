// SPDX-License-Identifier: MIT OR Apache-2.0
//! One file per command: its arguments and its body, which gathers, lets the
//! core decide, confirms, records, and says what was done.

pub mod build_ca;
pub mod build_full;
pub mod completions;
pub mod doctor;
pub mod exec;
pub mod expire;
pub mod export;
pub mod gen_crl;
pub mod gen_dh;
pub mod gen_req;
pub mod guard;
pub mod import_ca;
pub mod import_req;
pub mod init_pki;
pub mod inline;
pub mod inspect;
pub mod issue;
pub mod list;
pub mod log;
pub mod member;
pub mod overview;
pub mod plumbing;
pub mod quickstart;
pub mod renew;
pub mod renew_ca;
pub mod revoke_issued;
pub mod self_sign;
pub mod set_pass;
pub mod show;
pub mod show_status;
pub mod sign_req;
pub mod store;
pub mod sync;
pub mod tls_keys;
pub mod unlock;
pub mod update_db;
pub mod verify_cert;
pub mod write;

mod account;
mod details;
mod word;

use certkeep_pki::{layout::PeerSide, openvpn::TlsUse, x509::profile::CertificateType};

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
        Command::Completions(args) => completions::run(args, session),
        Command::DisplayDn(args) => inspect::subject(args, session),
        Command::Doctor(args) => doctor::run(args, session),
        Command::Exec(args) => exec::run(args, session),
        Command::Expire(args) => expire::run(args, session),
        Command::ExportP1(args) => export::pkcs1(args, session),
        Command::ExportP12(args) => export::pkcs12(args, session),
        Command::ExportP7(args) => export::pkcs7(args, session),
        Command::ExportP8(args) => export::pkcs8(args, session),
        Command::GenCrl => gen_crl::run(session),
        Command::GenDh(args) => gen_dh::run(args, session),
        Command::GenReq(args) => gen_req::run(args, session),
        Command::GenTlsAuthKey => tls_keys::generate(TlsUse::Auth, session),
        Command::GenTlsCryptKey => tls_keys::generate(TlsUse::Crypt, session),
        Command::GenTlsCryptV2Key(args) => tls_keys::second(args, session),
        Command::Guard(args) => guard::run(args, session),
        Command::ImportCa(args) => import_ca::run(args, session),
        Command::ImportReq(args) => import_req::run(args, session),
        Command::ImportTlsKey(args) => tls_keys::import(args, session),
        Command::InitPki(args) => init_pki::run(args, session),
        Command::Inline(args) => inline::run(args, session),
        Command::Issue(args) => issue::run(args, session),
        Command::List(args) => list::run(args, session),
        Command::Lock => unlock::lock(session),
        Command::Log(args) => log::run(args, session),
        Command::Member(args) => member::run(args, session),
        Command::Quickstart(args) => quickstart::run(args, session),
        Command::Rand(args) => inspect::random(args, session),
        Command::Renew(args) => renew::run(args, session),
        Command::RenewCa(args) => renew_ca::run(args, session),
        Command::RevokeExpired(args) => revoke_issued::aside(args, Aside::Expired, session),
        Command::RevokeIssued(args) => revoke_issued::run(args, session),
        Command::RevokeRenewed(args) => revoke_issued::aside(args, Aside::Renewed, session),
        Command::SelfSignClient(args) => self_sign::run(args, PeerSide::Client, session),
        Command::SelfSignServer(args) => self_sign::run(args, PeerSide::Server, session),
        Command::Serial(args) => inspect::serial(args, session),
        Command::SetPass(args) => set_pass::run(args, session),
        Command::ShowCa(args) => show::authority(args, session),
        Command::ShowCert(args) => show::certificate(args, session),
        Command::ShowCrl => show::crl(session),
        Command::ShowEku(args) => inspect::purpose(args, session),
        Command::ShowExpire(args) => show_status::expire(args, session),
        Command::ShowHost => inspect::host(session),
        Command::ShowRenew(args) => show_status::renew(args, session),
        Command::ShowReq(args) => show::request(args, session),
        Command::ShowRevoke(args) => show_status::revoke(args, session),
        Command::SignReq(args) => sign_req::run(args, session),
        Command::Store(args) => store::run(args, session),
        Command::Sync(args) => sync::run(args, session),
        Command::Unlock(args) => unlock::run(args, session),
        Command::UpdateDb => update_db::run(session),
        Command::VerifyCert(args) => verify_cert::run(args, session),
        Command::Version => version(session),
        Command::Write(args) => write::run(args, session),
    }
}

/// What `version` prints.
fn version(session: &mut Session) -> Result<(), Failure> {
    let text = match session.settings.format {
        Format::Json => {
            let version = env!("CARGO_PKG_VERSION");
            format!("{{\n  \"name\": \"certkeep\",\n  \"version\": \"{version}\"\n}}\n")
        }
        _ => session.settings.called.version(),
    };
    Ok(session.terminal.data(&text)?)
}
