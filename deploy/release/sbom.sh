#!/bin/sh
# sbom.sh IMAGE: print, as CycloneDX 1.6, the Python packages that are installed in an image, as the image itself finds
# them. TOOLS is a directory with deploy/release/tools.lock, installed for the image's Python, which
# the image's user may read; ENGINE is docker or podman, with its options.
set -eu
image=${1:?usage: ENGINE=docker TOOLS=directory sbom.sh IMAGE}
tools=$(cd "${TOOLS:?a directory with tools.lock installed}" && pwd)
# The tool looks at the path of the image's own interpreter, where it is not itself.
code='import runpy, sys; sys.path.insert(0, "/tools"); runpy.run_module("cyclonedx_py", run_name="__main__", alter_sys=True)'
# shellcheck disable=SC2086 # words
exec ${ENGINE:-docker} run --rm --network=none --read-only --cap-drop=ALL --security-opt=no-new-privileges \
    --volume="$tools:/tools:ro" --entrypoint=python "$image" \
    -c "$code" environment --output-reproducible --spec-version=1.6 --output-format=JSON /app
