# What the scripts beside this one check with. They stand for programs that call
# easy-rsa: the calls are theirs, and so is what they look at afterwards.
set -eu

fail() {
    echo "failed: $*" >&2
    exit 9
}

# Two texts are the same: what was wanted, what came.
is() {
    [ "$1" = "$2" ] || fail "wanted '$1', got '$2'"
}

# Files that are there, and have something in them.
here() {
    for file in "$@"; do
        [ -s "$file" ] || fail "there is no $file"
    done
}

# Files that are not there.
gone() {
    for file in "$@"; do
        [ ! -e "$file" ] || fail "there is still $file"
    done
}

# The permission bits of a file.
mode() {
    stat -c %a "$1"
}

# A command ends with easy-rsa's exit code for everything that went wrong.
refused() {
    code=0
    "$@" >said 2>&1 </dev/null || code=$?
    [ "$code" = 1 ] || fail "exit code $code of: $*
$(cat said)"
}

# The days from now until a date as openssl writes it, rounded.
days_until() {
    echo $((($(date -d "$1" +%s) - $(date +%s) + 43200) / 86400))
}

# The days that a certificate, or a CRL, has left.
days_of() {
    days_until "$(openssl x509 -noout -enddate -in "$1" | cut -d= -f2)"
}
days_of_crl() {
    days_until "$(openssl crl -noout -nextupdate -in "$1" | cut -d= -f2)"
}

# The subject of a certificate, and what openssl shows of it.
subject() {
    openssl x509 -noout -subject -nameopt RFC2253 -in "$1" | sed 's/^subject=//'
}
shown() {
    openssl x509 -noout -text -in "$1"
}

# The certificate is good in the eyes of openssl, its CRL considered.
good() {
    openssl verify -crl_check -CAfile pki/ca.crt -CRLfile pki/crl.pem "$1" >/dev/null || fail "$1 is not good"
}
