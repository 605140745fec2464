"""Good and wrong values for every field of every kind of secret: one stock for the core's tests and the browser's."""

from tests.keys import PASSPHRASE, openssh_key, putty_key
from vault.model.files import LARGEST, LONGEST_TEXT, MARK, file_value

HOST = "shop.example.com"
WEB = "https://panel.example.com:8443/login?to=shop#top"
HOST_KEY = "SHA256:" + "k" * 43

GOOD: dict[str, dict[str, str]] = {
    "ssh-password": {
        "host": HOST,
        "port": "22",
        "username": "root",
        "password": " hunter 2 ",
        "host_key": HOST_KEY,
    },
    "ssh-key": {
        "host": "192.0.2.10",
        "port": "2222",
        "username": "deploy",
        "private_key": openssh_key(),
        "passphrase": "",
        "host_key": "ssh-ed25519 " + "A" * 68 + " shop",
    },
    "ssh-added-key": {"host": "münchen.example", "port": "22", "username": "www-data", "host_key": ""},
    "sftp": {
        "host": "2001:db8::1",
        "port": "22",
        "username": "u",
        "password": "p",
        "folder": "/var/www",
        "host_key": "",
    },
    "ftp": {
        "host": HOST,
        "port": "21",
        "username": "web1@shop.example.com",
        "password": "p",
        "encryption": "TLS from the start",
        "folder": "",
    },
    "control-panel": {"url": WEB, "username": "Ada Lovelace", "password": "p"},
    "database": {
        "system": "PostgreSQL",
        "host": "localhost",
        "port": "",
        "database": "shop live",
        "username": "shop",
        "password": "p",
    },
    "rdp": {
        "host": "win",
        "port": "3389",
        "username": r"SHOP\ada",
        "password": "p",
        "gateway": "gw.example.com",
    },
    "api-token": {
        "service": "Parcel service",
        "url": "http://api.example.com",
        "token_id": "4711",
        "token": "t",
    },
    "totp-seed": {"otpauth": "otpauth://totp/Shop:ada?secret=JBSWY3DPEHPK3PXPJBSWY3DP&issuer=Shop"},
    "registrar": {
        "provider": "Example Domains",
        "url": WEB,
        "domain": "shop.example.com",
        "username": "KD-4711",
        "password": "p",
    },
    "payment-provider": {
        "provider": "Example Payments",
        "url": WEB,
        "username": "info@shop.example.com",
        "password": "p",
        "account": "Test account",
    },
    "note": {"subject": "The way in", "text": "First the one\nand then the other"},
    "file": {"name": ".env", "contents": "KEY=value\n"},
}

LINE = "two\nlines"
WRONG: dict[str, tuple[str, ...]] = {
    "host": (
        "-oProxyCommand=x",
        "a b",
        "root@shop",
        "https://shop",
        "x" * 254,
        LINE,
        "a\x85b",
        "a\ufeff",
        "[::1]",
    ),
    "port": ("0", "65536", "022", "٢٢", "22 ", "-1", "ssh"),
    "username": (" ", "a\nb", "x" * 256, "a\x00"),
    "password": (LINE, "a\0b", "x" * 1025, "\ud800"),
    "passphrase": (LINE, "x" * 1025),
    "private_key": ("hunter2", "x" * 65_537, openssh_key()[:200], "ssh-ed25519 " + "A" * 68),
    "host_key": ("MD5:aa:bb", "ssh-ed25519 AAAA", LINE),
    "folder": (LINE, "x" * 1001),
    "encryption": ("none", "TLS FROM THE START", " "),
    "url": (
        "panel.example.com",
        "javascript:alert(1)",
        "https://ada:p@panel.example.com",
        "https://a b",
        "ftp://x",
        LINE,
    ),
    "system": ("", "Oracle"),
    "database": ("", "x" * 129, LINE),
    "gateway": ("a b", "https://gw"),
    "service": ("", "x" * 256),
    "token_id": (LINE, "x" * 1001),
    "token": ("", "x" * 16_385, LINE),
    "otpauth": ("", "123456", "otpauth://hotp/a?secret=JBSWY3DPEHPK3PXP&counter=1", "hunter2!", LINE),
    "provider": ("", "x" * 256),
    "domain": ("", "https://shop.example.com", "a b"),
    "account": ("live",),
    "subject": ("", "x" * 121, LINE),
    "text": ("", "x" * 65_537),
    "name": ("", ".", "..", "a/b", "a\\b", "C:\\x", "a\u202egpj.exe", "x" * 256, LINE, "a\x1b[2J"),
    "contents": (
        "",
        "x" * (LONGEST_TEXT + 1),
        MARK,
        MARK + "AAA",
        MARK + "A A=",
        MARK + "AA-_",
        MARK + "A" * (LARGEST * 4 // 3 + 8),
    ),
}
"""By field; what is wrong under this name is wrong in every kind that has it."""

ALSO_GOOD = {
    "private_key": (
        openssh_key().replace("\n", "\r\n"),
        f"\n\n{openssh_key()}\n",
        putty_key(2),
        putty_key(3),
    ),
    "contents": (
        file_value(bytes(range(256))),
        file_value(b"\0" * LARGEST),
        "x" * LONGEST_TEXT,
        MARK + "AA==",
    ),
    "password": ("ß ẞ 鍵 🔑", "\t", "x" * 1024, "'; drop table--", "<script>"),
    "host": ("a", "xn--mnchen-3ya.example", "fe80::1"),
    "otpauth": ("jbsw y3dp ehpk 3pxp jbsw y3dp", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"),
    "name": (".htaccess", "…", "Zertifikat für Shop.pfx", "..."),
}
LOCKED = {"private_key": putty_key(2, PASSPHRASE)}
"""A key that needs PASSPHRASE."""
