#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Opens every sealed file of a certkeep store without certkeep.
#
#   sh recovery.sh SOURCE OUTPUT [--identity FILE | --keys FILE]... [--commit REVISION]
#
# SOURCE      a checkout, a copy of one without .git, or a (bare) git repository
# OUTPUT      a folder that is made, or is empty: the opened files go there, mode 0600
# --identity  an age identity or an SSH private key, for `age -d -i`;
#             without any `gpg -d` tries the secret keys that your gpg has
# --keys      a file that `certkeep store export-key` wrote, in place of wrapped keys
# --commit    a commit of the repository SOURCE instead of the files that lie there
#
# Needs openssl 3, gpg or age, and what every system has: sh, cat, find, grep, head, ls, mkdir, od,
# rm, sed, tail, tr, wc.
# git only for --commit and bare repositories.
#
# openssl takes keys as arguments, and every user of this machine can see those
# for a moment (`ps`). Run this on a machine of your own.
#
# Exit code: 0 when every sealed file was opened, 1 when one was not.
#
# The format is described in store-format.md.

set -eu
umask 077
LC_ALL=C
export LC_ALL

fail() {
    say "$*"
    exit 1
}

say() {
    printf 'recovery: %s' "$*" | tr -d '\000-\037\177' >&2
    echo >&2
}

tab=$(printf '\t')
newline='
'

# ---- the keys: a word `KEYID:ENC:MAC` per zone and epoch that a wrap opened

keys=''

# HKDF-SHA-256 of the key $1, with the store id $2 as salt, the info $3, $4 bytes.
derive() {
    openssl kdf -keylen "$4" -kdfopt digest:SHA256 -kdfopt "hexkey:$1" -kdfopt "hexsalt:$2" \
        -kdfopt "info:$3" HKDF | tr -d ':\n' | tr A-F a-f
}

# Reads what a wrap held.
learn() {
    store='' zone=''
    case $1 in
    "certkeep zone keys 1$newline"*) ;;
    *)
        say "$path holds no keys of a certkeep zone"
        return
        ;;
    esac
    saved=$IFS
    IFS=$newline
    set -f
    for line in $1; do
        case $line in
        'store '*) store=${line#store } ;;
        'zone '*) zone=${line#zone } ;;
        'epoch '*)
            line=${line#epoch }
            epoch=${line%% *}
            key=${line#* }
            at=v1/$zone/$epoch
            id=$(derive "$key" "$store" "certkeep key-id $at" 16)
            enc=$(derive "$key" "$store" "certkeep enc $at" 32)
            mac=$(derive "$key" "$store" "certkeep mac $at" 32)
            [ ${#id}${#enc}${#mac} = 326464 ] || fail "openssl cannot derive keys"
            keys="$keys $id:$enc:$mac"
            say "zone $zone, epoch $epoch: key $id, from $path"
            ;;
        esac
    done
    IFS=$saved
    set +f
}

# ---- arguments; at the end "$@" is `-i FILE -i FILE ...` for age

source='' output='' commit=''
left=$#
while [ "$left" -gt 0 ]; do
    word=$1
    shift
    left=$((left - 1))
    case $word in
    --identity | --keys | --commit)
        [ "$left" -gt 0 ] || fail "$word needs a value"
        [ "$word" = --commit ] || [ -r "$1" ] || fail "cannot read $1"
        case $word in
        --commit) commit=$1 ;;
        --identity) set -- "$@" -i "$1" ;;
        --keys)
            path=$1
            learn "$(cat -- "$path")"
            ;;
        esac
        shift
        left=$((left - 1))
        ;;
    -*) fail "unknown option $word" ;;
    *)
        if [ -z "$source" ]; then
            source=$word
        elif [ -z "$output" ]; then
            output=$word
        else
            fail "one word too many: $word"
        fi
        ;;
    esac
done
[ -n "$output" ] || fail "usage: sh recovery.sh SOURCE OUTPUT [--identity FILE | --keys FILE]... [--commit REVISION]"
[ -d "$source" ] || fail "$source is no folder"
case $(openssl version) in
'OpenSSL 0.'* | 'OpenSSL 1.'* | LibreSSL*) fail "openssl 3 or later is needed" ;;
esac

mkdir -p -- "$output"
[ -z "$(ls -A -- "$output")" ] || fail "$output is not empty"
output=$(cd -- "$output" && pwd)
source=$(cd -- "$source" && pwd)
work=$output/.recovery
trap 'rm -rf -- "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -- "$work"

# ---- what there is: a line `OBJECT <tab> PATH` per file; OBJECT is `-` for a file that lies in SOURCE

if [ -z "$commit" ] && [ ! -e "$source/.certkeep/store.toml" ]; then
    commit=HEAD
fi
if [ -n "$commit" ]; then
    git -C "$source" rev-parse -q --verify "$commit^{commit}" >"$work/commit" ||
        fail "$source has no .certkeep/store.toml and no commit $commit"
    read -r commit <"$work/commit"
    git -C "$source" -c core.quotePath=true ls-tree -r --full-tree "$commit" >"$work/tree"
    # Symbolic links (120000) and submodules (160000) are never sealed.
    sed -n "s/^100[0-7]* blob \([0-9a-f]*\)$tab/\1$tab/p" "$work/tree" >"$work/list"
else
    (cd -- "$source" && find . -name .git -prune -o -name "*$newline*" -print) | grep -q . &&
        fail "a file name with a line break: use --commit"
    (cd -- "$source" && find . -name .git -prune -o -type f -print) |
        sed "s|^\./|-$tab|" >"$work/list"
fi

# Sets $path and $file for the line `$1 <tab> $2` of the list.
fetch() {
    path=$2
    case $1,$path in
    -,*)
        file=$source/$path
        return
        ;;
    *,\"*\")
        # git's quoting is the one of printf, but for the quotes themselves.
        path=${path#\"}
        path=$(printf '%s.' "${path%\"}" | sed 's/%/%%/g; s/\\"/"/g')
        # shellcheck disable=SC2059
        path=$(printf "$path")
        path=${path%.}
        ;;
    esac
    case /$path/ in
    */../* | */./* | */.git/*) fail "an impossible path in the commit: $path" ;;
    esac
    file=$work/blob
    git -C "$source" cat-file blob "$1" >"$file"
}

# The first $2 bytes of the file $1 as hexadecimal digits.
hex() {
    head -c "$2" -- "$1" | od -An -v -tx1 | tr -d ' \n'
}

# ---- the wraps

exported=$keys

while IFS=$tab read -r object name <&3; do
    payload=''
    case $name in
    .certkeep/zones/*/keys/*/*.age)
        [ $# -gt 0 ] || continue
        fetch "$object" "$name"
        payload=$(age -d "$@" -- "$file" 2>"$work/why") || {
            say "$name: $(sed -n 1p "$work/why")"
            continue
        }
        ;;
    .certkeep/zones/*/keys/*/*.pgp)
        [ -z "$*$exported" ] || continue
        fetch "$object" "$name"
        payload=$(gpg --quiet --decrypt -- "$file" 2>"$work/why") || {
            say "$name: $(sed -n '$p' "$work/why")"
            continue
        }
        ;;
    *) continue ;;
    esac
    learn "$payload"
done 3<"$work/list"
payload=''
[ -n "$keys" ] || fail "none of the wrapped keys could be opened"

# ---- the files

# Opens $file, which is $path. Answers by its return code.
open() {
    header=$(hex "$file" 60)
    case $header in
    00434b5345414c00010100* | 00434b5345414c00010101*) ;;
    *)
        say "$path: sealed in a format that this script does not know"
        return 1
        ;;
    esac
    case $header in
    ??????????????????????00*) ;;
    *)
        say "$path: sealed in a format that this script does not know"
        return 1
        ;;
    esac
    rest=${header#????????????????????????}
    siv=${rest#????????????????????????????????}
    id=${rest%"$siv"}
    [ ${#siv} -eq 64 ] || {
        say "$path: cut off"
        return 1
    }
    enc=''
    for key in $keys; do
        case $key in
        "$id":*)
            enc=${key#*:}
            mac=${enc#*:}
            enc=${enc%:*}
            ;;
        esac
    done
    [ -n "$enc" ] || {
        say "$path: sealed with the key $id, which no opened wrap holds"
        return 1
    }
    counter=${siv%????????????????????????????????}
    tail -c +61 -- "$file" | openssl enc -d -aes-256-ctr -K "$enc" -iv "$counter" >"$work/payload"
    found=$({ head -c 28 -- "$file" && cat -- "$work/payload"; } |
        openssl dgst -sha256 -mac HMAC -macopt "hexkey:$mac" -binary | od -An -v -tx1 | tr -d ' \n')
    [ "$found" = "$siv" ] || {
        say "$path: altered since it was sealed"
        return 1
    }
    size=$(($(wc -c <"$work/payload") - 8))
    # shellcheck disable=SC2046
    set -- $(od -An -v -tu1 -N8 "$work/payload")
    length=$(($1 + ($2 << 8) + ($3 << 16) + ($4 << 24) + ($5 << 32) + ($6 << 40) + ($7 << 48)))
    if [ "$8" -ne 0 ] || [ "$length" -lt 1 ] || [ "$length" -gt "$size" ] ||
        [ "$(tail -c "+$((9 + length))" "$work/payload" | tr -d '\0' | wc -c)" -ne 0 ]; then
        say "$path: not what certkeep seals"
        return 1
    fi
    case $path in
    */*) mkdir -p -- "$output/${path%/*}" ;;
    esac
    tail -c +9 "$work/payload" | head -c "$length" >"$output/$path"
    [ "$(wc -c <"$output/$path")" -eq "$length" ] || fail "cannot write $output/$path"
}

opened=0 closed=0
while IFS=$tab read -r object name <&3; do
    fetch "$object" "$name"
    [ "$(hex "$file" 8)" = 00434b5345414c00 ] || continue
    if open; then
        opened=$((opened + 1))
        printf '%s' "$path" | tr -d '\000-\037\177'
        echo
    else
        closed=$((closed + 1))
    fi
done 3<"$work/list"

say "$opened opened, $closed not"
[ "$closed" -eq 0 ]
