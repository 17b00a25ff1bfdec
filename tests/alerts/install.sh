#!/bin/sh
# Debian's Prometheus and Alertmanager, where they are missing; the tests start their own, on ports of their own.
set -eu
missing=''
command -v promtool >/dev/null || missing="$missing prometheus"
command -v prometheus-alertmanager >/dev/null || missing="$missing prometheus-alertmanager"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "please install, or run this as root:$missing" >&2
    exit 1
fi
wait='-o DPkg::Lock::Timeout=120'
apt-get $wait update -qq
# shellcheck disable=SC2086 # words
DEBIAN_FRONTEND=noninteractive apt-get $wait install -y -qq --no-install-recommends $missing
