#!/bin/sh
# Debian's libfaketime, which gives one process another clock, where it is missing.
set -eu
[ -z "$(find /usr/lib /usr/local/lib /usr/lib64 -name libfaketimeMT.so.1 2>/dev/null | head -n 1)" ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo 'please install, and run this as root: libfaketime' >&2
    exit 1
fi
wait='-o DPkg::Lock::Timeout=300'
# shellcheck disable=SC2086 # words
apt-get $wait update -qq
# shellcheck disable=SC2086 # words
DEBIAN_FRONTEND=noninteractive apt-get $wait install -y -qq --no-install-recommends libfaketime
