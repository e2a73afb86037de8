# A container: easy-rsa is in its own folder, the PKI in a volume, all settings are in
# the environment, and the image's tests say EASYRSA_BATCH.
mkdir openvpn share
export OPENVPN="$PWD/openvpn" EASYRSA="$PWD/share" EASYRSA_CRL_DAYS=3650
export EASYRSA_PKI="$OPENVPN/pki" EASYRSA_VARS_FILE="$OPENVPN/vars"
cn=VPN.example.net

export EASYRSA_BATCH=1 EASYRSA_REQ_CN="CA of the tests"
# There is no vars file yet, and init-pki does not ask for one.
easyrsa init-pki
: >"$EASYRSA_VARS_FILE"
easyrsa build-ca nopass
is "CN=CA of the tests" "$(subject openvpn/pki/ca.crt)"
easyrsa gen-dh
openvpn --genkey secret "$EASYRSA_PKI/ta.key"
easyrsa build-server-full "$cn" nopass
is "CN=$cn" "$(subject "openvpn/pki/issued/$cn.crt")"
easyrsa gen-crl
is 3650 "$(days_of_crl openvpn/pki/crl.pem)"
for client in alice bob; do
    easyrsa build-client-full "$client" nopass
done

# What the server is given.
for file in dh.pem ta.key ca.crt crl.pem "private/$cn.key" "issued/$cn.crt"; do
    here "$EASYRSA_PKI/$file"
done

# A person revokes, and is asked.
unset EASYRSA_BATCH
refused easyrsa revoke bob
here openvpn/pki/issued/bob.crt
echo no | easyrsa revoke bob && fail "revoked without a yes"
echo yes | easyrsa revoke bob
easyrsa gen-crl
cp -f "$EASYRSA_PKI/crl.pem" "$OPENVPN/crl.pem"
chmod 644 "$OPENVPN/crl.pem"

# The list of clients asks openssl about every file in issued/, by CA and CRL in one file.
cd "$EASYRSA_PKI"
cat ca.crt crl.pem >cacheck.pem
is "issued/VPN.example.net.crt issued/alice.crt" "$(LC_ALL=C ls issued/*.crt | LC_ALL=C sort | xargs)"
for file in issued/*.crt; do
    is "$file: OK" "$(openssl verify -crl_check -CAfile cacheck.pem "$file")"
    openssl x509 -noout -startdate -in "$file" | awk -F= '{ print $2 }' | grep -q GMT
done
serial=$(grep '^R' index.txt | cut -f 4)
answer=$(openssl verify -crl_check -CAfile cacheck.pem "certs_by_serial/$serial.pem" 2>&1) && fail "still good"
echo "$answer" | grep -q 'error 23 at 0 depth' || fail "$answer"
rm cacheck.pem
