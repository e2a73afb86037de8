# SPDX-License-Identifier: MIT OR Apache-2.0
"""Which files hold a private key, in the opinion of Python's cryptography.

Reads paths from stdin, one a line; writes for each of them, separated by tabs,
the path, `clear`, `locked` or `none`, and for a key in the clear the SHA-1 of
its public half (RFC 5280 section 4.2.1.2, method 1) if it has one.
"""

import sys
import warnings

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12


def load_pkcs12(data, password):
    key = pkcs12.load_key_and_certificates(data, password)[0]
    if key is None:
        raise ValueError("no key in it")
    return key


LOADERS = [
    serialization.load_pem_private_key,
    serialization.load_der_private_key,
    serialization.load_ssh_private_key,
    load_pkcs12,
]


def judge(data):
    for load in LOADERS:
        try:
            key = load(data, None)
        except (TypeError, ValueError) as error:
            # "Password was not given but private key is encrypted", "Invalid password or PKCS12 data"
            if "assword" in str(error):
                return "locked", ""
            continue
        except UnsupportedAlgorithm:
            continue
        try:
            public = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        except (TypeError, ValueError, UnsupportedAlgorithm):
            return "clear", ""
        return "clear", public.digest.hex()
    return "none", ""


warnings.simplefilter("ignore")
for line in sys.stdin:
    path = line.rstrip("\n")
    with open(path, "rb") as file:
        print(path, *judge(file.read()), sep="\t")
