# Whatever reads the lines of the reports, and passes easy-rsa's odd arguments.
easyrsa --batch init-pki "" ""
easyrsa --batch --subca-len=0 build-ca nopass "" ""
easyrsa --batch --days=20 build-server-full server nopass "" ""
easyrsa --batch build-client-full alice nopass
easyrsa --batch gen-req bob nopass
easyrsa --batch sign-req client bob nopass
here pki/inline/private/bob.inline
easyrsa --batch revoke alice superseded
easyrsa --batch renew bob nopass
serial() { openssl x509 -noout -serial -in "$1" | cut -d= -f2; }
row=$(easyrsa --batch --days=30 show-expire)
is "V | Serial: $(serial pki/issued/server.crt)" "$(echo "$row" | grep 'CN: server' | cut -d'|' -f1-2 | sed 's/ $//')"
easyrsa show-revoke | grep -q '^R | Serial: [0-9A-F]* | Revoked: .* | Reason: superseded | CN: alice$'
easyrsa show-renew | grep -q "^V | Serial: $(serial pki/renewed/issued/bob.crt) | Expires: .* | CN: bob\$"
# Data is on standard output, and nothing else is.
is "" "$(easyrsa gen-crl 2>/dev/null)"
easyrsa show-crl | grep -q "$(serial pki/revoked/certs_by_serial/*.crt)"
easyrsa --sbatch show-cert server 2>talk >/dev/null
is "" "$(cat talk)"
easyrsa verify-cert server
refused easyrsa verify-cert nobody
refused easyrsa show-cert nobody
refused easyrsa no-such-command
refused easyrsa --no-such-option init-pki
# A request of somebody else has no key here: its inline file is no private one.
mkdir other
(cd other && easyrsa --batch init-pki && easyrsa --batch gen-req carol nopass) 2>/dev/null
easyrsa import-req other/pki/reqs/carol.req carol
easyrsa --batch sign-req client carol 2>said
here pki/inline/carol.inline
gone pki/inline/private/carol.inline
grep -q INCOMPLETE said
# A CA below this one needs no such file.
(cd other && EASYRSA_REQ_CN=below easyrsa --batch build-ca subca nopass) 2>/dev/null
easyrsa import-req other/pki/reqs/ca.req below
easyrsa --batch sign-req ca below
gone pki/inline/below.inline pki/inline/private/below.inline
# Hints are commands of easyrsa.
refused easyrsa --batch sign-req client nobody
grep -q 'easyrsa' said
! grep -q 'certkeep' said || fail "$(cat said)"
