#!/bin/sh
# Print `python=…`, `uv=…` and `buildkit=…`: the bases of the Dockerfile and the builder, each by the digest that its tag
# has at this moment. Whoever calls this writes them down: a release, into labels and provenance.
set -eu
resolve() {
    digest=$(docker buildx imagetools inspect "$1" --format '{{ .Manifest.Digest }}')
    case "$digest" in
        sha256:????????????????????????????????????????????????????????????????) printf '%s@%s' "$1" "$digest" ;;
        *) echo "no digest of $1: $digest" >&2; return 1 ;;
    esac
}
default() { sed -n "s/^ARG $1=//p" deploy/docker/Dockerfile | head -n 1; }
python=$(resolve "$(default PYTHON_IMAGE)")
uv=$(resolve "$(default UV_IMAGE)")
buildkit=$(resolve moby/buildkit:buildx-stable-1)
printf 'python=%s\nuv=%s\nbuildkit=%s\n' "$python" "$uv" "$buildkit"
