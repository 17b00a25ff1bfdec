"""`make docs`: make the manifests anew that come from the code, and the overlays as kustomize puts them together."""

import sys

from tests.contract.deploy import generated, rendering

for path in generated.write():
    print(path.relative_to(generated.ROOT))
if command := rendering.kustomize():
    for path in rendering.write(command):
        print(path.relative_to(generated.ROOT))
else:
    print("deploy/k8s/rendered: left as it is, since neither kustomize nor kubectl is here", file=sys.stderr)
