#!/bin/sh
# Debian's own tools that build and run images without a daemon, where they are missing. Debian's keys too, which Ubuntu
# lacks: mmdebstrap takes the base from its own default mirror for a suite of Debian, whichever system this is.
set -eu
. "$(dirname "$0")/../apt_install.sh"
missing=''
for tool in buildah podman runc mmdebstrap; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
done
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$missing debian-archive-keyring"
# shellcheck disable=SC2086 # words
apt_install $missing
