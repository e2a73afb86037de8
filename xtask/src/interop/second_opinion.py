# SPDX-License-Identifier: MIT OR Apache-2.0
"""What Python's cryptography and pkilint say about a certkeep hierarchy.

Reads a list of files from the path in argv[1], one a line, fields separated
by tabs. Writes one line for each complaint to stdout, and at the end
`checks` and their number. It judges nothing else and changes nothing.

    chain NAME ROOT [INTERMEDIATE]     begins a hierarchy
    ca FILE ISSUER                     a CA certificate and its issuer's
    leaf KIND FILE DNSNAME|-           an end entity certificate of this chain; - has no SAN
    crl FILE ISSUER
    request FILE
    key FILE

argv[2] is a folder for temporary files.
"""

import contextlib
import io
import json
import re
import sys
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import verification
from pkilint.bin import (
    lint_cabf_serverauth_cert,
    lint_crl,
    lint_pkix_cert,
    lint_pkix_signer_signee_cert_chain,
)

# What the CA/Browser Forum asks of public CAs and a private one need not do. A
# leaf's subject key identifier is "not recommended" there, and a SHOULD in RFC
# 5280 §4.2.1.2, whose linter warns when it is missing.
PRIVATE_CA = re.compile(
    r"internal_domain_name|internal_ip_address|certificate_policies_extension_absent"
    r"|authority_info_access_extension_absent|revocation_information_absent"
    r"|certificate_validity_period_exceeds_|common_name_|subject_key_identifier_extension_present"
)

# Ed25519 is not among the Forum's algorithms.
PRIVATE_CA_ED25519 = re.compile(PRIVATE_CA.pattern + r"|prohibited_\w*algorithm_encoding")

# cryptography verifies for the web, where Ed25519 certificates do not exist.
NOT_ON_THE_WEB = "Forbidden public key algorithm"

checks = 0


def complain(what, path, text):
    print(f"{what}: {path}: {' '.join(str(text).split())}")


@contextlib.contextmanager
def check(what, path):
    global checks
    checks += 1
    try:
        yield
    except Exception as error:  # every refusal is a complaint, whatever its type
        complain(what, path, f"{type(error).__name__}: {error}")


def pem(path):
    """The PEM block of a file; openssl allows a text before it, linters do not."""
    with open(path, "rb") as file:
        return re.search(rb"-----BEGIN .*?-----END [A-Z0-9 ]+-----\n", file.read(), re.S).group(0)


def bare(path):
    file = tempfile.NamedTemporaryFile(suffix=".pem", delete=False, dir=sys.argv[2])
    file.write(pem(path))
    file.close()
    return file.name


def lint(what, main, path, arguments, allowed=None):
    global checks
    checks += 1
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        main(["lint", "-s", "WARNING", "-f", "JSON", *arguments])
    try:
        results = json.loads(said.getvalue())["results"]
    except ValueError:
        complain(what, path, said.getvalue())
        return
    for result in results:
        for finding in result["finding_descriptions"]:
            if not (allowed and allowed.search(finding["code"])):
                complain(what, path, f"{finding['severity']} {finding['code']} {finding['message'] or ''}")


def certificate(path):
    return x509.load_pem_x509_certificate(pem(path))


def verify(root, intermediates, kind, path, name):
    builder = verification.PolicyBuilder().store(verification.Store([certificate(root)]))
    chain = [certificate(file) for file in intermediates]
    leaf = certificate(path)
    try:
        if kind in ("server", "serverClient"):
            builder.build_server_verifier(x509.DNSName(name)).verify(leaf, chain)
        if kind in ("client", "serverClient"):
            builder.build_client_verifier().verify(leaf, chain)
    except verification.VerificationError as error:
        if NOT_ON_THE_WEB not in str(error):
            raise


def run():
    root, intermediates = None, []
    for line in open(sys.argv[1], encoding="utf-8"):
        what, *fields = line.rstrip("\n").split("\t")
        if what == "chain":
            root, intermediates = fields[1], fields[2:]
        elif what == "ca":
            path, issuer = fields
            with check("cryptography", path):
                certificate(path).verify_directly_issued_by(certificate(issuer))
            lint("lint_pkix_cert", lint_pkix_cert.main, path, [bare(path)])
            arguments = [bare(issuer), bare(path)]
            lint("signer_signee", lint_pkix_signer_signee_cert_chain.main, path, arguments)
        elif what == "leaf":
            kind, path, name = fields
            issuer = (intermediates or [root])[0]
            with check("cryptography", path):
                certificate(path).verify_directly_issued_by(certificate(issuer))
                list(certificate(path).extensions)
                if name != "-":  # cryptography's verifiers know no subject without a SAN
                    verify(root, intermediates, kind, path, name)
            lint("lint_pkix_cert", lint_pkix_cert.main, path, [bare(path)])
            arguments = [bare(issuer), bare(path)]
            lint("signer_signee", lint_pkix_signer_signee_cert_chain.main, path, arguments)
            if kind == "server":
                edwards = isinstance(certificate(issuer).public_key(), Ed25519PublicKey)
                allowed = PRIVATE_CA_ED25519 if edwards else PRIVATE_CA
                lint("serverauth", lint_cabf_serverauth_cert.main, path, ["-d", bare(path)], allowed)
        elif what == "crl":
            path, issuer = fields
            with check("cryptography", path):
                crl = x509.load_pem_x509_crl(pem(path))
                list(crl.extensions)
                for revoked in crl:
                    list(revoked.extensions)
                if not crl.is_signature_valid(certificate(issuer).public_key()):
                    raise ValueError("the signature is not the issuer's")
            lint("lint_crl", lint_crl.main, path, ["-p", "PKIX", "-t", "CRL", bare(path)])
        elif what == "request":
            with check("cryptography", fields[0]):
                request = x509.load_pem_x509_csr(pem(fields[0]))
                if not request.is_signature_valid:
                    raise ValueError("the signature is not the key's")
        elif what == "key":
            with check("cryptography", fields[0]):
                load_pem_private_key(pem(fields[0]), None)
        else:
            raise SystemExit(f"unknown line: {line}")
    print(f"checks {checks}")


run()
