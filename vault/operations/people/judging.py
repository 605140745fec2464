"""Whether a new password is strong enough, judged off the loop and before anything is hashed."""

from functools import partial

from vault.crypto.passwords import judge_password
from vault.operations.vault import Vault
from vault.values import Plaintext


async def judge(vault: Vault, password: Plaintext, name: str, mail: str) -> None:
    """Refuse what somebody who knows the person, the business or the breach lists would try.

    Raises Invalid with the reason, and Unavailable when the configured breach list cannot be read.
    """
    personal = (name, mail, mail.partition("@")[0], vault.settings.business, vault.settings.host_name)
    await vault.aside(
        partial(judge_password, password, personal=personal, breach_list=vault.settings.breach_list)
    )
