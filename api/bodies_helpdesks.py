"""What may be sent about helpdesks; what they themselves send is signed, and read where the signature is."""

from typing import Annotated

from fastapi import Path

from api.bodies import Body, shaped
from vault.values import HelpdeskId

HelpdeskRef = Annotated[HelpdeskId, shaped("hlp")]
HelpdeskPath = Annotated[str, Path(max_length=100)]
"""Of any shape: an unknown helpdesk is answered as a wrong signature is."""


class ConnectHelpdesk(Body):
    """The helpdesk that is to tell of a service."""

    helpdesk: HelpdeskRef
