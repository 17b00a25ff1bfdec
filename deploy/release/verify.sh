#!/bin/sh
# verify.sh IMAGE@DIGEST OWNER/REPOSITORY: fail unless the release workflow of that repository signed the image, its
# provenance and its SBOM, at a tag of a version.
set -eu
image=${1:?usage: verify.sh IMAGE@DIGEST OWNER/REPOSITORY}
repository=${2:?usage: verify.sh IMAGE@DIGEST OWNER/REPOSITORY}
case "$image" in
    *@sha256:*) ;;
    *) echo "$image: a tag can be moved while one looks; give the digest" >&2; exit 2 ;;
esac
signed_by="https://github.com/$repository/.github/workflows/release.yml@refs/tags/v"
identity="^$(printf '%s' "$signed_by" | sed 's/[.]/\\./g')[0-9]+\\.[0-9]+\\.[0-9]+\$"
issuer=https://token.actions.githubusercontent.com
cosign verify --certificate-identity-regexp="$identity" --certificate-oidc-issuer="$issuer" "$image" > /dev/null
for kind in slsaprovenance1 cyclonedx; do
    cosign verify-attestation --type="$kind" \
        --certificate-identity-regexp="$identity" --certificate-oidc-issuer="$issuer" "$image" > /dev/null
done
echo "$image: signed by the release of $repository, with provenance and SBOM"
