# A module of a configuration management: finds out which easy-rsa there is, writes
# vars from a template, calls through a shell, and looks at exit codes and files.
easyrsa --help | grep -q 'Easy-RSA 3 usage' || fail "which easy-rsa this is"
is 3 "$(easyrsa --version | sed -n 's/^Version: *\([0-9]*\)\..*/\1/p')"
is "$(easyrsa version)" "$(easyrsa --version)"

mkdir easy-rsa
cd easy-rsa
ln -s "$EASYRSA_PROGRAM" easyrsa
cat >vars <<END
set_var EASYRSA_PKI "$PWD/keys"
set_var EASYRSA_KEY_SIZE 2048
set_var EASYRSA_CA_EXPIRE 2000
set_var EASYRSA_CERT_EXPIRE 1000
set_var EASYRSA_CRL_DAYS 30
set_var EASYRSA_DIGEST "sha512"
set_var EASYRSA_DN "org"
set_var EASYRSA_REQ_COUNTRY "CH"
set_var EASYRSA_REQ_PROVINCE "ZH"
set_var EASYRSA_REQ_CITY "Winterthur"
set_var EASYRSA_REQ_ORG "Example & Sons"
set_var EASYRSA_REQ_EMAIL "me@example.net"
set_var EASYRSA_REQ_CN "server"
set_var EASYRSA_REQ_OU "VPN"
END
./easyrsa --batch --pki-dir="$PWD/keys" init-pki && ./easyrsa --batch build-ca nopass
is "emailAddress=me@example.net,CN=server,OU=VPN,O=Example & Sons,L=Winterthur,ST=ZH,C=CH" "$(subject keys/ca.crt)"
is 2000 "$(days_of keys/ca.crt)"
shown keys/ca.crt | grep -q 'Signature Algorithm: sha512WithRSAEncryption' || fail "the digest of vars"
./easyrsa --batch gen-dh
./easyrsa --batch build-server-full vpn nopass
here keys/dh.pem keys/private/vpn.key
is 1000 "$(days_of keys/issued/vpn.crt)"
shown keys/issued/vpn.crt | grep -q 'Subject: .*CN = vpn,' || fail "the name of the server"
./easyrsa gen-crl
is 30 "$(days_of_crl keys/crl.pem)"
# The module's own clients: without vars, everything by the environment.
EASYRSA_CERT_EXPIRE=365 EASYRSA_NO_VARS=1 ./easyrsa --batch --pki-dir="$PWD/keys" build-client-full alice nopass
is "CN=alice" "$(subject keys/issued/alice.crt)"
is 365 "$(days_of keys/issued/alice.crt)"
gone pki

code=0
./easyrsa --batch revoke alice || code=$?
is 0 "$code"
refused ./easyrsa --batch revoke alice
./easyrsa gen-crl
openssl crl -noout -text -in keys/crl.pem | grep -q 'Serial Number: ' || fail "an empty CRL"
