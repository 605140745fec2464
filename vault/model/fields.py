"""The fields that several kinds of secrets share, and the patterns of what can stand in them."""

from vault.model.kind import Field
from vault.sentences import Sentence

LONGEST_PASSWORD = 1024
LONGEST_TEXT = 65_536

_SPACES = r"\s\x85\ufeff"
"""Python and browsers do not agree on the last two."""

# Everything in ASCII that no host name, IPv4 or IPv6 address has is refused; other scripts' letters may pass.
_NO_HOST = _SPACES + r"\x00-,\/;-@\[-`\{-\x7f"

HOST = Field(
    "host",
    "Server",
    "Its name or its address",
    longest=253,
    pattern=rf"[^{_NO_HOST}\-][^{_NO_HOST}]{{0,252}}",
    wrong="Enter only the server's name or address, without spaces, “ssh” or “https://”",
    reads="ssh-command",
    example="shop.example.com",
)


def port(usual: str, *, required: bool = True) -> Field:
    """Make a field for a port, filled in with the usual one."""
    return Field(
        "port",
        "Port",
        Sentence("Almost always %(port)s", port=usual)
        if usual
        else "Leave it empty if you never had to enter one",
        required=required,
        longest=5,
        pattern=r"[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]",
        wrong="Enter the port as a number from 1 to 65535",
        default=usual,
        inputmode="numeric",
        example=usual,
    )


PORT = port("22")
USERNAME = Field(
    "username",
    "User name",
    "The name you log in with on that server",
    longest=100,
    pattern=rf"[^{_SPACES}\x00-\x1f\x7f]+",
    wrong="Enter the user name without spaces",
    example="root",
)
PASSWORD = Field(
    "password",
    "Password",
    "Taken exactly as you type it, spaces too",
    secret=True,
    longest=LONGEST_PASSWORD,
)
HOST_KEY = Field(
    "host_key",
    "Host key of the server",
    "It lets us notice an impostor of your server. It starts with SHA256: or ssh-ed25519. "
    "Leave it empty if you do not know it.",
    required=False,
    longest=2000,
    pattern=r"SHA256:[A-Za-z0-9+\/]{43}=?"
    r"|(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+\/]{40,1900}={0,2}"
    r"( [^\x00-\x1f\x7f]*)?",
    wrong="Enter the host key as one line that starts with SHA256: or ssh-ed25519, or leave it empty",
)
FOLDER = Field(
    "folder",
    "Folder",
    "Where the files lie that we are to work on. Leave it empty if you do not know",
    required=False,
    longest=1000,
    example="/var/www/shop",
)
URL = rf"https?:\/\/[^{_SPACES}\x00-\x20\x7f\/?#@]+([\/?#][^{_SPACES}\x00-\x20\x7f]*)?"
ADDRESS = Field(
    "url",
    "Address of the login page",
    "As it stands in the address bar of your browser",
    longest=2000,
    pattern=URL,
    wrong="Copy the whole address, from https:// on, without a password in it",
    inputmode="url",
    example="https://panel.example.com:8443",
)
LOGIN = Field(
    "username",
    "User name",
    "What you enter there to log in: often a mail address or a customer number",
    pattern=rf"[^{_SPACES}\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^{_SPACES}\x00-\x1f\x7f])?",
    wrong="Enter the user name without a space before or after it",
    example="info@example.com",
)

PRIVATE_KEY = Field(
    "private_key",
    "Private key",
    "The whole file, from its first to its last line. It is often called id_ed25519 or id_rsa, or ends in .pem or .ppk",
    secret=True,
    multiline=True,
    longest=LONGEST_TEXT,
    reads="ssh-key",
)
PASSPHRASE = Field(
    "passphrase",
    "Passphrase of the key",
    "Leave it empty if the key has none",
    secret=True,
    required=False,
    longest=LONGEST_PASSWORD,
)
