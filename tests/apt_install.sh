# shellcheck shell=sh
# apt_install PACKAGE…: Debian's packages, where this is root and has apt; else names them and fails. Nothing without a package.
apt_install() {
    [ $# -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "please install, or run this as root: $*" >&2
        return 1
    fi
    apt-get -o DPkg::Lock::Timeout=300 update -qq
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "$@"
}
