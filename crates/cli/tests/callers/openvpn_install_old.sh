# The installers of OpenVPN servers from the days of easy-rsa 3.0 and 3.1: a folder
# with `./easyrsa` and `vars`, settings by the environment, few `--batch`.
mkdir server easy-rsa
cd easy-rsa
ln -s "$EASYRSA_PROGRAM" easyrsa
{
    echo "set_var EASYRSA_ALGO ec"
    echo "set_var EASYRSA_CURVE prime256v1"
    echo "set_var EASYRSA_REQ_CN cn_of_the_ca"
} >vars

./easyrsa init-pki
./easyrsa --batch build-ca nopass
is "CN=cn_of_the_ca" "$(subject pki/ca.crt)"
is 3650 "$(days_of pki/ca.crt)"
shown pki/ca.crt | grep -q 'NIST CURVE: P-256' || fail "the curve of vars"

# Without --batch there is one question, as in easy-rsa 3.1.
refused env EASYRSA_CERT_EXPIRE=1000 ./easyrsa build-server-full server_abc nopass
gone pki/issued/server_abc.crt pki/private/server_abc.key pki/reqs/server_abc.req
echo yes | EASYRSA_CERT_EXPIRE=1000 ./easyrsa build-server-full server_abc nopass
is "CN=server_abc" "$(subject pki/issued/server_abc.crt)"
is 1000 "$(days_of pki/issued/server_abc.crt)"
for client in alice bob; do
    EASYRSA_CERT_EXPIRE=1000 ./easyrsa --batch build-client-full "$client" nopass
done
EASYRSA_CRL_DAYS=3650 ./easyrsa gen-crl
is 3650 "$(days_of_crl pki/crl.pem)"
cp pki/ca.crt pki/private/ca.key pki/issued/server_abc.crt pki/private/server_abc.key pki/crl.pem ../server
chmod 644 ../server/crl.pem pki/crl.pem

# A client's profile is put together from the files.
certificate=$(sed -ne '/BEGIN CERTIFICATE/,$ p' pki/issued/alice.crt)
is "$certificate" "$(sed -n '/-BEGIN CERTIFICATE-/,/-END CERTIFICATE-/p' pki/issued/alice.crt)"
is "$certificate" "$(awk '/BEGIN/,/END/' pki/issued/alice.crt)"
is "-----BEGIN PRIVATE KEY-----" "$(head -n 1 pki/private/alice.key)"
good pki/issued/alice.crt

# The list of clients: the first row is the server's.
is "V" "$(head -n 1 pki/index.txt | cut -c 1)"
is "alice bob" "$(tail -n +2 pki/index.txt | grep '^V' | cut -d '=' -f 2 | xargs)"
is 2 "$(tail -n +2 pki/index.txt | grep -c '^V')"
is 1 "$(tail -n +2 pki/index.txt | grep -c -E '/CN=bob$')"
second=$(tail -n +2 pki/index.txt | grep '^V' | cut -d '=' -f 2 | sed -n 2p)
./easyrsa --batch revoke "$second"
EASYRSA_CRL_DAYS=3650 ./easyrsa gen-crl
is 644 "$(mode pki/crl.pem)"
is "alice" "$(tail -n +2 pki/index.txt | grep '^V' | cut -d '=' -f 2 | xargs)"
is "bob" "$(grep '^R' pki/index.txt | cut -d '=' -f 2)"
openssl crl -noout -text -in pki/crl.pem | grep -q "Serial Number: $(grep '^R' pki/index.txt | cut -f 4)" || fail "not in the CRL"
# They clear up what easy-rsa may have left.
rm -f "pki/reqs/$second.req" "pki/private/$second.key" "pki/issued/$second.crt"
refused ./easyrsa --batch revoke "$second"
# The name is free again.
./easyrsa --batch build-client-full "$second" nopass
good "pki/issued/$second.crt"
