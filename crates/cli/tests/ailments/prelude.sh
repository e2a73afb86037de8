# SPDX-License-Identifier: MIT OR Apache-2.0
# What faults are planted with: certificates and CRLs made by openssl with the CA
# of the PKI in `pki`, whose key is a throw-away one.

# ca EXTENSION... : the CA's certificate anew, with these extensions; $DAYS long.
ca() {
    printf '%s\n' "$@" > extensions
    openssl x509 -in pki/ca.crt -signkey pki/private/ca.key -clrext -extfile extensions \
        -days "${DAYS:-3650}" -out new.crt 2> /dev/null
    mv new.crt pki/ca.crt
}

CONSTRAINTS=basicConstraints=critical,CA:TRUE
USAGE=keyUsage=critical,keyCertSign,cRLSign
KEYID=subjectKeyIdentifier=hash

# leaf NAME SUBJECT EXTENSION... : a certificate with its key, row and copy; $SERIAL, $NEWKEY, $DIGEST, $DAYS.
leaf() {
    name=$1 subject=$2
    shift 2
    printf '%s\n' basicConstraints=CA:FALSE "$@" > extensions
    openssl req -newkey ${NEWKEY:-ec:param.pem} -nodes -keyout "pki/private/$name.key" -subj "$subject" \
        -out "pki/reqs/$name.req" 2> /dev/null
    chmod 600 "pki/private/$name.key"
    openssl x509 -req -in "pki/reqs/$name.req" -CA pki/ca.crt -CAkey pki/private/ca.key \
        -set_serial "0x${SERIAL:-4D01}" -extfile extensions -days "${DAYS:-400}" "-${DIGEST:-sha256}" \
        -out "pki/issued/$name.crt" 2> /dev/null
    cp "pki/issued/$name.crt" "pki/certs_by_serial/${SERIAL:-4D01}.pem"
    end=$(openssl x509 -in "pki/issued/$name.crt" -noout -enddate)
    end=$(date -u -d "${end#*=}" +%y%m%d%H%M%SZ)
    printf 'V\t%s\t\t%s\tunknown\t%s\n' "$end" "${SERIAL:-4D01}" "${ROW-$subject}" >> pki/index.txt
}

LEAF='subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid'

# crl LINE OPTION... : a CRL by openssl, whose settings have this line.
crl() {
    line=$1
    shift
    printf '%s\n' '[ca]' 'default_ca = d' '[d]' 'database = pki/index.txt' 'default_md = sha256' \
        'default_crl_days = 180' "$line" '[e]' 'authorityKeyIdentifier = keyid' '[n]' \
        'issuerAltName = DNS:ca.example' > crl.cnf
    openssl ca -gencrl -config crl.cnf -cert pki/ca.crt -keyfile pki/private/ca.key "$@" -out pki/crl.pem \
        2> /dev/null
    rm -f pki/crl.der
}

NUMBERED='crlnumber = pki/crlnumber
crl_extensions = e'

row() { sed -i "$1" pki/index.txt; }
tab=$(printf '\t')
openssl ecparam -name prime256v1 -out param.pem
