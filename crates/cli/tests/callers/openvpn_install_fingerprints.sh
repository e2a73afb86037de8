# Their newest way: no CA, peers that know each other by fingerprint.
easyrsa init-pki
export EASYRSA_CERT_EXPIRE=3650 EASYRSA_ALGO=ec EASYRSA_CURVE=prime256v1
easyrsa --batch self-sign-server server_abc nopass
fingerprint=$(openssl x509 -noout -fingerprint -sha256 -in pki/issued/server_abc.crt | cut -d= -f2)
grep -q "^$fingerprint\$" pki/inline/pfp-server.list-inline || fail "not in the list"
easyrsa --batch self-sign-client alice nopass
is 3650 "$(days_of pki/issued/alice.crt)"
here pki/private/alice.key pki/inline/private/alice.inline pki/inline/pfp-client.list-inline
gone pki/ca.crt pki/index.txt pki/crl.pem
easyrsa --batch --no-inline self-sign-client bob nopass
gone pki/inline/private/bob.inline
is 2 "$(grep -c '^# commonName: ' pki/inline/pfp-client.list-inline)"
refused easyrsa --batch build-ca nopass
