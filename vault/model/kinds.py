"""All kinds of secrets. One class is one kind: forms, prompts, masks and checks follow from its fields."""

from collections.abc import Mapping

from vault.errors import Invalid
from vault.model.fields import (
    ADDRESS,
    FOLDER,
    HOST,
    HOST_KEY,
    LOGIN,
    LONGEST_TEXT,
    PASSPHRASE,
    PASSWORD,
    PORT,
    PRIVATE_KEY,
    URL,
    USERNAME,
    port,
)
from vault.model.keyfiles import try_key
from vault.model.kind import KINDS, Field, Kind, judge, kind, kind_named, pack_fields, unpack_fields
from vault.model.sshkeys import read_key
from vault.sentences import Sentence

__all__ = ["KINDS", "Field", "Kind", "judge", "kind_named", "pack_fields", "unpack_fields"]


@kind("ssh-password")
class SshPassword(Kind):
    """A login on a server by user name and password."""

    title = "Server login with a password"
    hint = "It is what you enter in PuTTY or after “ssh” in a terminal. Your host shows it as “SSH access”."
    because = "to work on your server"
    instead = "ssh-added-key"
    fields = (HOST, PORT, USERNAME, PASSWORD, HOST_KEY)


@kind("ssh-key")
class SshKey(Kind):
    """A login on a server by a private key of the customer's."""

    title = "Server login with a key"
    hint = "It is the login for which your computer keeps a key file, so that you enter no password of the server."
    because = "to work on your server"
    fields = (HOST, PORT, USERNAME, PRIVATE_KEY, PASSPHRASE, HOST_KEY)

    @classmethod
    def agree(cls, fields: Mapping[str, str]) -> None:
        """Refuse a protected key without its passphrase."""
        if not fields.get("passphrase") and read_key(fields["private_key"]).encrypted:
            raise Invalid("This key is protected by a passphrase: enter that too", "/fields/passphrase")

    @classmethod
    def judge(cls, fields: Mapping[str, str]) -> None:
        """Refuse a key that does not load, and a passphrase that does not open it."""
        try_key(fields["private_key"], fields.get("passphrase", ""))


@kind("ssh-added-key")
class SshAddedKey(Kind):
    """A login on a server by a key that the core made, and whose public half the customer added there."""

    title = "Server login with a key of ours"
    hint = (
        "You add one line on your server, and need to tell us no password. At the end you remove that line."
    )
    because = "to work on your server without a password of yours"
    fields = (HOST, PORT, USERNAME, HOST_KEY)
    made = (Field("private_key", "Private key", secret=True, multiline=True, longest=LONGEST_TEXT),)


@kind("sftp")
class Sftp(Kind):
    """Encrypted file transfer by user name and password."""

    title = "File transfer (SFTP)"
    hint = "It is what you enter in FileZilla or WinSCP for “SFTP”."
    because = "to bring files to your server and to fetch them"
    instead = "ssh-added-key"
    fields = (HOST, PORT, USERNAME, PASSWORD, FOLDER, HOST_KEY)


@kind("ftp")
class Ftp(Kind):
    """File transfer by FTP, with or without TLS."""

    title = "File transfer (FTP)"
    hint = (
        "If your host offers SFTP too, please tell us: FTP without encryption can be read along on its way."
    )
    because = "to bring files to your web space and to fetch them"
    fields = (
        HOST,
        port("21"),
        USERNAME,
        PASSWORD,
        Field(
            "encryption",
            "Encryption",
            "Leave it open if you do not know",
            required=False,
            choices=("TLS, asked for after connecting", "TLS from the start", "No encryption"),
        ),
        FOLDER,
    )


@kind("control-panel")
class ControlPanel(Kind):
    """A login on a web page: a host's control panel, a shop's or site's administration."""

    title = "Login on a web page"
    hint = "It is the page where you manage your web space or your shop, like Plesk, cPanel or its administration."
    because = "to change settings that only your administration page offers"
    fields = (ADDRESS, LOGIN, PASSWORD)


@kind("database")
class Database(Kind):
    """A login to a database."""

    title = "Database login"
    hint = "Your host shows it under “Databases”; it also stands in the configuration file of your shop."
    because = "to work on the data of your shop or site"
    fields = (
        Field(
            "system",
            "Kind of database",
            "Almost always MySQL or MariaDB",
            choices=("MySQL or MariaDB", "PostgreSQL", "Microsoft SQL Server", "Another one"),
            default="MySQL or MariaDB",
        ),
        Field(
            "host",
            "Server of the database",
            "Often localhost, which is the server that your shop runs on",
            longest=253,
            pattern=HOST.pattern,
            wrong="Enter only the name or address of the server, without spaces or “https://”",
            default="localhost",
            example="localhost",
        ),
        port("", required=False),
        Field("database", "Name of the database", longest=128, example="shop_live"),
        Field(
            "username",
            "User name",
            "The user of the database, not your own",
            longest=128,
            pattern=LOGIN.pattern,
            wrong=LOGIN.wrong,
            example="shop_user",
        ),
        PASSWORD,
    )


@kind("rdp")
class Rdp(Kind):
    """A login to a Windows desktop or server."""

    title = "Windows login (remote desktop)"
    hint = "It is what you enter in “Remote Desktop Connection”."
    because = "to work on your Windows server"
    fields = (
        Field(
            "host",
            "Computer",
            "Its name or its address",
            longest=253,
            pattern=HOST.pattern,
            wrong="Enter only the name or address of the computer, without spaces; the port has its own field",
            example="win.example.com",
        ),
        port("3389"),
        Field(
            "username",
            "User name",
            "With its domain, if it has one",
            pattern=LOGIN.pattern,
            wrong=LOGIN.wrong,
            example=r"EXAMPLE\support",
        ),
        PASSWORD,
        Field(
            "gateway",
            "Gateway",
            "Only if you connect by way of a “Remote Desktop Gateway”",
            required=False,
            longest=253,
            pattern=HOST.pattern,
            wrong="Enter only the name or address of the gateway, without spaces",
            example="gateway.example.com",
        ),
    )


@kind("api-token")
class ApiToken(Kind):
    """A token by which one program uses another."""

    title = "API token"
    hint = "Please make a token of its own for us, with no more rights than we asked for, and with an end if you can."
    because = "to connect your shop with another program"
    fields = (
        Field(
            "service",
            "Program or service",
            "The one that the token opens",
            example=Sentence("Parcel service"),
        ),
        Field(
            "url",
            "Address of the service",
            "Leave it empty if you were given none",
            required=False,
            longest=2000,
            pattern=URL,
            wrong=ADDRESS.wrong,
            inputmode="url",
            example="https://api.example.com/v2",
        ),
        Field(
            "token_id",
            "Name or number of the token",
            "Some services call it key ID, client ID or public key. Leave it empty if there is none",
            required=False,
            longest=1000,
            example="client-4711",
        ),
        Field(
            "token",
            "Token",
            "Some services call it API key, client secret or secret key",
            secret=True,
            longest=16_384,
        ),
    )


@kind("totp-seed")
class TotpSeed(Kind):
    """The seed from which an authenticator app makes the codes of a login."""

    title = "Codes for a login in two steps"
    hint = (
        "Where a login asks for a code of an app, its settings show a QR code when you add an app. "
        "Beside it stands a text for those who cannot scan it: that is what we need."
    )
    because = "to log in where a code is asked for beside the password"
    codes = "otpauth"
    fields = (
        Field(
            "otpauth",
            "Text of the QR code",
            "It starts with otpauth://. The key beside the QR code, a row of letters and numbers, is right too",
            secret=True,
            longest=2000,
            reads="otpauth",
        ),
    )


@kind("registrar")
class Registrar(Kind):
    """A login where a domain is registered."""

    title = "Login of your domain registrar"
    hint = (
        "Whoever has it can take your domain away, so please think twice. To move one domain, its transfer code is "
        "often enough: ask the person who wrote to you."
    )
    because = "to change where your domain leads"
    extraordinary = True
    fields = (
        Field(
            "provider", "Registrar", "The company where your domain is registered", example="Example Domains"
        ),
        ADDRESS,
        Field(
            "domain",
            "Domain",
            "The one that this is about",
            longest=253,
            pattern=HOST.pattern,
            wrong="Enter only the domain, without “https://” or spaces",
            example="example.com",
        ),
        LOGIN,
        PASSWORD,
    )


@kind("payment-provider")
class PaymentProvider(Kind):
    """A login at the company that takes payments for a shop."""

    title = "Login of your payment provider"
    hint = (
        "Most providers let you add a user for us with few rights: that is better than your own login. "
        "Never give us card numbers, neither yours nor your customers'."
    )
    because = "to set up payments in your shop"
    extraordinary = True
    fields = (
        Field(
            "provider",
            "Payment provider",
            "The company that takes payments for you",
            example="Example Payments",
        ),
        ADDRESS,
        LOGIN,
        PASSWORD,
        Field(
            "account",
            "Kind of account",
            "If your provider has a test account, please give us that one",
            required=False,
            choices=("Test account", "Live account"),
        ),
    )


@kind("note")
class Note(Kind):
    """Words that nobody else should read."""

    title = "A confidential note"
    hint = "For what fits in no other form, like the way to reach a server by way of another one."
    because = "to know what your server asks for beside a login"
    fields = (
        Field(
            "subject",
            "Subject",
            "A few words on what it is about",
            longest=120,
            example=Sentence("Way into our network"),
        ),
        Field("text", "Note", secret=True, multiline=True, longest=LONGEST_TEXT),
    )


@kind("file")
class File(Kind):
    """A file that nobody else should read."""

    title = "A confidential file"
    hint = "Like a certificate with its key, a configuration or a VPN profile; up to 1 MiB."
    because = "to set up what your server or its network needs"
    fields = (
        Field(
            "name",
            "Name of the file",
            "With its ending",
            pattern=r"(?!\.{1,2}$)[^\/\\\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]+",
            wrong="Enter only the name of the file, without its folder",
            example="shop.ovpn",
        ),
        Field(
            "contents",
            "Contents",
            "Choose the file, or paste its text",
            secret=True,
            multiline=True,
            longest=1_400_000,
            reads="file",
        ),
    )
