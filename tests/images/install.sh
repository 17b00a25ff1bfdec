#!/bin/sh
# Debian's own tools that build and run images without a daemon, where they are missing. Debian's keys too, which Ubuntu
# lacks: mmdebstrap takes the base from its own default mirror for a suite of Debian, whichever system this is.
set -eu
missing=''
for tool in buildah podman runc mmdebstrap; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
done
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$missing debian-archive-keyring"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "please install, and run this as root:$missing" >&2
    exit 1
fi
wait='-o DPkg::Lock::Timeout=300'
apt-get $wait update -qq
# shellcheck disable=SC2086 # words
DEBIAN_FRONTEND=noninteractive apt-get $wait install -y -qq --no-install-recommends $missing
