"""Takes people out of texts that staff read: whose mail it is stands on the purchase, for who may see that."""

import re
from typing import Final

ADDRESS: Final = re.compile(r"""(?:"[^"]{0,64}"|[^\s"'<>()\[\],:;@\\]+)@(?=[\w\[.-])""")
"""The part of a mail address before its domain, as servers repeat it in a refusal."""
MEMBER: Final = re.compile(r'("(?:owner_email|workspace_name)"\s*:\s*)"(?:[^"\\]|\\.)*"?')
"""The members of a fact that say who somebody is, also in one that is cut off, or is no JSON elsewhere."""
HIDDEN: Final = "…"


def redact_people(text: str) -> str:
    """Return `text` without the names and addresses in it; the domain of an address stays, which may be at fault."""
    return ADDRESS.sub(f"{HIDDEN}@", MEMBER.sub(rf'\1"{HIDDEN}"', text))
