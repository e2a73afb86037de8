# The installers of today, for easy-rsa 3.2: options for the days, inline files for
# the profiles, OpenVPN's key from easy-rsa, `renew` and `revoke-renewed`.
mkdir server
easyrsa --batch init-pki
gone pki/inline
easyrsa --batch --req-cn=cn_of_the_ca build-ca nopass
is "CN=cn_of_the_ca" "$(subject pki/ca.crt)"
easyrsa gen-tls-crypt-key
here pki/private/easyrsa-tls.key
easyrsa --batch --days=3600 build-server-full server nopass
is 3600 "$(days_of pki/issued/server.crt)"
easyrsa --batch --days=3600 build-client-full alice nopass
EASYRSA_CERT_EXPIRE=300 easyrsa --batch build-client-full bob nopass
is 300 "$(days_of pki/issued/bob.crt)"
export PASSPHRASE=geheim
easyrsa --batch --passin=env:PASSPHRASE --passout=env:PASSPHRASE build-client-full carol
grep -q 'BEGIN ENCRYPTED PRIVATE KEY' pki/inline/private/carol.inline || fail "an open key"
openssl pkey -noout -passin env:PASSPHRASE -in pki/private/carol.key
easyrsa --batch --days=3650 gen-crl
is 3650 "$(days_of_crl pki/crl.pem)"
cp pki/ca.crt pki/private/ca.key pki/issued/server.crt pki/private/server.key pki/crl.pem server
cp pki/private/easyrsa-tls.key server/tc.key
chmod o+r server/crl.pem
is 600 "$(mode pki/inline/private/alice.inline)"

# A profile is the common part and the inline file, comments left out.
printf '# common\nclient\n' >server/client-common.txt
for client in alice bob; do
    grep -vh '^#' server/client-common.txt "pki/inline/private/$client.inline" >"$client.ovpn"
    for tag in cert key ca tls-crypt; do
        is 1 "$(grep -c "^<$tag>\$" "$client.ovpn")"
        is 1 "$(grep -c "^</$tag>\$" "$client.ovpn")"
    done
    is client "$(head -n 1 "$client.ovpn")"
    grep -q '^#' "$client.ovpn" && fail "comments in $client.ovpn"
done
sed -n '/<cert>/,/<\/cert>/p' alice.ovpn | openssl x509 | diff - pki/issued/alice.crt

is "alice bob carol" "$(tail -n +2 pki/index.txt | grep '^V' | cut -d '=' -f 2 | xargs)"

# Renewal: the same key, another number, and the profile made anew.
before=$(openssl x509 -noout -serial -in pki/issued/alice.crt)
key=$(openssl x509 -noout -pubkey -in pki/issued/alice.crt)
export EASYRSA_CERT_EXPIRE=700
easyrsa --batch renew alice
is 700 "$(days_of pki/issued/alice.crt)"
[ "$before" != "$(openssl x509 -noout -serial -in pki/issued/alice.crt)" ] || fail "the same certificate"
is "$key" "$(openssl x509 -noout -pubkey -in pki/issued/alice.crt)"
sed -n '/<cert>/,/<\/cert>/p' pki/inline/private/alice.inline | openssl x509 | diff - pki/issued/alice.crt
here pki/renewed/issued/alice.crt
is 2 "$(grep '^V' pki/index.txt | grep -c -E '/CN=alice$')"
easyrsa --batch revoke-renewed alice
easyrsa gen-crl
gone pki/renewed/issued/alice.crt
is 1 "$(grep '^V' pki/index.txt | grep -c -E '/CN=alice$')"
here pki/inline/private/alice.inline
good pki/issued/alice.crt
grep -vh '^#' server/client-common.txt pki/inline/private/alice.inline >alice.ovpn

easyrsa --batch revoke-issued bob
easyrsa --batch --days=3650 gen-crl
gone pki/inline/private/bob.inline pki/issued/bob.crt
rm -f pki/reqs/bob.req pki/private/bob.key
cp pki/crl.pem server/crl.pem
is "alice carol" "$(tail -n +2 pki/index.txt | grep '^V' | cut -d '=' -f 2 | sort | xargs)"

easyrsa --batch --no-inline build-client-full dave nopass
EASYRSA_NO_INLINE=1 easyrsa --batch build-client-full eve nopass
gone pki/inline/private/dave.inline pki/inline/private/eve.inline
