#!/bin/sh
# Debian's Prometheus and Alertmanager, where they are missing; the tests start their own, on ports of their own.
set -eu
. "$(dirname "$0")/../apt_install.sh"
missing=''
command -v promtool >/dev/null || missing="$missing prometheus"
command -v prometheus-alertmanager >/dev/null || missing="$missing prometheus-alertmanager"
# shellcheck disable=SC2086 # words
apt_install $missing
