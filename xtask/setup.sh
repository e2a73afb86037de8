#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Makes a machine ready, then does one thing:
#
#   sh xtask/setup.sh              what tests, interop and bench need
#   sh xtask/setup.sh run DIR      only what a build needs; builds certkeep and starts a CA in DIR
#   sh xtask/setup.sh test         all of it; runs the tests
#
# Made for Debian 12 with git and a Rust toolchain. As root it installs the
# missing packages, otherwise it lists them. The network is left alone when
# nothing is missing.
set -eu

cd "$(dirname "$0")/.."

build_packages="gcc libc6-dev"
all_packages="$build_packages g++ ca-certificates chromium openssl easy-rsa age fish git git-crypt gnupg gnutls-bin hyperfine jose libbcprov-java libnss3-tools mandoc minisign openjdk-17-jre-headless openssh-client openvpn putty-tools python3 python3-cryptography python3-venv signify-openbsd strace wireguard-tools zsh"

# Installs those of the given packages that are missing; the words after the
# package names of the list are not options, so plain splitting is right.
need() {
    if ! command -v dpkg-query >/dev/null 2>&1; then
        echo "setup: not a Debian system, so please see to it that these are here: $*" >&2
        return 0
    fi
    missing=""
    for package in "$@"; do
        state="$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)"
        [ "$state" = installed ] || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "setup: these packages are missing; install them as root, then try again:" >&2
        echo "    apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
    echo "setup: installing$missing" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends $missing >&2
}

# The virtual environment for the linters and verifiers written in Python.
python() {
    environment=target/python
    if [ -f "$environment/requirements.txt" ] && cmp -s xtask/requirements.txt "$environment/requirements.txt"; then
        return 0
    fi
    echo "setup: Python packages into $environment" >&2
    rm -rf "$environment"
    python3 -m venv "$environment"
    "$environment/bin/pip" install -q --disable-pip-version-check -r xtask/requirements.txt
    cp xtask/requirements.txt "$environment/requirements.txt"
}

toolchain() {
    if ! command -v cargo >/dev/null 2>&1; then
        echo "setup: no Rust toolchain found; https://rustup.rs tells how to get one" >&2
        exit 1
    fi
}

everything() {
    # shellcheck disable=SC2086
    need $all_packages
    mkdir -p target
    python
}

toolchain
case "${1-}" in
    "")
        everything
        ;;
    run)
        [ -n "${2-}" ] || { echo "usage: sh xtask/setup.sh run DIR" >&2; exit 2; }
        # shellcheck disable=SC2086
        need $build_packages
        shift
        exec cargo run --quiet --release --locked --package certkeep -- quickstart "$@"
        ;;
    test)
        everything
        shift
        if cargo nextest --version >/dev/null 2>&1; then
            cargo nextest run --workspace --locked "$@"
            exec cargo test --doc --workspace --locked --quiet
        fi
        exec cargo test --workspace --locked "$@"
        ;;
    *)
        echo "usage: sh xtask/setup.sh [run DIR | test]" >&2
        exit 2
        ;;
esac
