"""An identity provider for development: mints the JWTs that the services accept, signs people in, publishes its keys.

`POST /token` with `{"sub", "email", "platform_role"?, "workspaces"?, "scope"?, "expires_in"?, "audience"?, "issuer"?}`
answers `{"access_token"}`; a negative `expires_in` gives a token that is past. `POST /rotate` signs with a new key from
then on; `{"forget": true}` withdraws the old ones. For browsers it speaks OpenID Connect's code flow with PKCE, with
one client; whoever comes picks who to be.
"""

from sandbox.issuer.api import application
from sandbox.issuer.clients import Client
from sandbox.issuer.tokens import Issuer

__all__ = ["Client", "Issuer", "application"]
