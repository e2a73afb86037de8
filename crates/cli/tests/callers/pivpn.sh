# A helper for single-board computers: it edits the lines of vars.example, keeps files
# of its own in the PKI, and gives passphrases on the command line.
mkdir easy-rsa etc
cd easy-rsa
ln -s "$EASYRSA_PROGRAM" easyrsa
./easyrsa --batch init-pki
cp "${VARS_EXAMPLE:-pki/vars.example}" pki/vars
sed -i 's/#set_var EASYRSA_CRL_DAYS.*/set_var EASYRSA_CRL_DAYS 3650/' pki/vars
sed -i 's/#set_var EASYRSA_ALGO.*/set_var EASYRSA_ALGO ec/' pki/vars
sed -iEe 's/#set_var EASYRSA_CURVE.*/set_var EASYRSA_CURVE prime256v1/' pki/vars
sed -i 's/#set_var EASYRSA_KEY_SIZE.*/set_var EASYRSA_KEY_SIZE 2048/' pki/vars
./easyrsa --batch build-ca nopass
echo yes | EASYRSA_CERT_EXPIRE=3650 ./easyrsa build-server-full raspberry_abc nopass
./easyrsa gen-dh
here pki/dh.pem
mv pki/dh.pem pki/dh2048.pem
openvpn --genkey secret pki/ta.key
./easyrsa gen-crl
is 3650 "$(days_of_crl pki/crl.pem)"
cp pki/crl.pem ../etc/crl.pem

export EASYRSA_CERT_EXPIRE=1080
echo yes | ./easyrsa build-client-full alice nopass
echo yes | ./easyrsa --passin=pass:geheim --passout=pass:geheim build-client-full bob
openssl pkey -noout -passin pass:geheim -in pki/private/bob.key
is 1080 "$(days_of pki/issued/bob.crt)"
shown pki/issued/bob.crt | grep -q 'NIST CURVE: P-256' || fail "the curve of vars"

# The table of clients, row by row.
listed=$(while read -r row; do
    status=$(echo "$row" | awk '{print $1}')
    name=$(echo "$row" | sed -e 's:.*/CN=::')
    expires=$(echo "$row" | awk '{if (length($2) == 15) print $2; else print "20"$2}' | cut -b 1-8)
    is 8 "${#expires}"
    echo "$status:$name"
done <pki/index.txt | xargs)
is "V:raspberry_abc V:alice V:bob" "$listed"

cd pki
for file in issued/alice.crt private/alice.key ca.crt ta.key; do here "$file"; done
{
    echo "<ca>" && cat ca.crt && echo "</ca>"
    echo "<cert>" && sed -n -e '/-BEGIN CERTIFICATE-/,/-END CERTIFICATE-/p' <issued/alice.crt && echo "</cert>"
    echo "<key>" && cat private/alice.key && echo "</key>"
    echo "<tls-crypt>" && cat ta.key && echo "</tls-crypt>"
} >alice.ovpn
openssl pkcs12 -passin pass:geheim -passout pass:geheim -export -in issued/bob.crt -inkey private/bob.key \
    -certfile ca.crt -name bob -out bob.ovpn12
cd ..

./easyrsa --batch revoke alice
./easyrsa gen-crl
rm -rf pki/reqs/alice.req pki/private/alice.key pki/issued/alice.crt pki/alice.ovpn
cp pki/crl.pem ../etc/crl.pem
./easyrsa update-db
is "V R V" "$(cut -c 1 pki/index.txt | xargs)"
good pki/issued/bob.crt
