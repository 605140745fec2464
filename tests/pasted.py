"""What customers paste for a key, a login or a seed: one stock for the core's tests and the browser's."""

import base64

from tests.keys import openssh_key, putty_key
from vault.model import otpauth, sshkeys
from vault.model.der import BROKEN, STRAY
from vault.model.puttykeys import NO_MAC, OLD

KEY = openssh_key()
LINES_OF_KEY = KEY.splitlines()
_PUTTY = putty_key(2)


def _openssh(data: bytes) -> str:
    text = base64.b64encode(data).decode()
    return f"-----BEGIN OPENSSH PRIVATE KEY-----\n{text}\n-----END OPENSSH PRIVATE KEY-----\n"


def _wired(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def _of_type(name: bytes, *numbers: bytes) -> str:
    public = _wired(name, *numbers)
    inside = bytes(8) + _wired(name)
    inside += bytes(-len(inside) % 8)
    return _openssh(
        b"openssh-key-v1\0" + _wired(b"none", b"none", b"") + b"\0\0\0\1" + _wired(public, inside)
    )


BAD_KEYS: dict[str, tuple[str, str]] = {
    "nothing": (" \n", sshkeys.NO_KEY),
    "a password": ("hunter2", sshkeys.NO_KEY),
    "a page": ("<html><body>Sign in</body></html>", sshkeys.NO_KEY),
    "a mountain": ("x" * 65_537, sshkeys.TOO_LARGE),
    "a public key": ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA me@home", sshkeys.PUBLIC),
    "an authorized key": ('from="192.0.2.1" ecdsa-sha2-nistp256 AAAAE2VjZHNh me', sshkeys.PUBLIC),
    "a public key in PEM": ("-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----", sshkeys.PUBLIC),
    "a public key in RFC 4716": (
        "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----",
        sshkeys.PUBLIC,
    ),
    "a certificate": ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", sshkeys.CERTIFICATE),
    "a PGP key": (
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ\n-----END PGP PRIVATE KEY BLOCK-----",
        sshkeys.PGP,
    ),
    "a key of Tectia": ("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nP2/56\n", sshkeys.OTHER_FORMAT),
    "a key of a strange name": (
        "-----BEGIN ANY PRIVATE KEY-----\nAAAA\n-----END ANY PRIVATE KEY-----",
        sshkeys.OTHER_FORMAT,
    ),
    "without its first line": ("\n".join(LINES_OF_KEY[1:]), sshkeys.NO_BEGIN),
    "without its last line": ("\n".join(LINES_OF_KEY[:-1]), sshkeys.NO_END),
    "cut in its last line": (KEY.rstrip()[:-3], sshkeys.NO_END),
    "without a line within": ("\n".join(LINES_OF_KEY[:2] + LINES_OF_KEY[3:]), BROKEN),
    "without its body": (f"{LINES_OF_KEY[0]}\n{LINES_OF_KEY[-1]}", BROKEN),
    "with another end": (KEY.replace("END OPENSSH", "END RSA"), BROKEN),
    "in one line": (" ".join(LINES_OF_KEY), sshkeys.ONE_LINE),
    "with its breaks spelt": ("\\n".join(LINES_OF_KEY), sshkeys.ONE_LINE),
    "with its end in the line before": ("\n".join(LINES_OF_KEY[:-1]) + LINES_OF_KEY[-1], sshkeys.ONE_LINE),
    "indented": ("key: |\n" + "\n".join(f"  {line}" for line in LINES_OF_KEY), sshkeys.INDENTED),
    "indented within": ("\n  ".join(LINES_OF_KEY[:-1]) + "\n" + LINES_OF_KEY[-1], sshkeys.INDENTED),
    "with its end indented": ("\n".join(LINES_OF_KEY[:-1]) + "\n  " + LINES_OF_KEY[-1], sshkeys.INDENTED),
    "quoted in a mail": ("\n".join(f"> {line}" for line in LINES_OF_KEY), sshkeys.INDENTED),
    "with typographic dashes": (KEY.replace("b3Bl", "b3—Bl", 1), STRAY),
    "twice": (KEY + KEY, sshkeys.TWO),
    "two in one": (
        _openssh(b"openssh-key-v1\0" + _wired(b"none", b"none", b"") + b"\0\0\0\2"),
        sshkeys.TWO,
    ),
    "on a security key": (_of_type(b"sk-ssh-ed25519@openssh.com", bytes(32), b"ssh:"), sshkeys.HARDWARE),
    "of an unknown type": (_of_type(b"ssh-xmss@openssh.com", bytes(32)), sshkeys.UNKNOWN),
    "of a short number": (_of_type(b"ssh-ed25519", bytes(31)), BROKEN),
    "of no number": (_of_type(b"ssh-rsa", b"\1\0\1", b""), BROKEN),
    "of a giant number": (_of_type(b"ssh-rsa", b"\1\0\1", b"\1" + bytes(4096)), BROKEN),
    "with something after its end": (
        _openssh(base64.b64decode("".join(LINES_OF_KEY[1:-1])) + bytes(16)),
        BROKEN,
    ),
    "with something after its numbers": (
        f"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEI{'A' * 43}AAAA\n-----END PRIVATE KEY-----\n",
        BROKEN,
    ),
    "X25519": (
        f"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEI{'A' * 43}\n-----END PRIVATE KEY-----\n",
        sshkeys.UNKNOWN,
    ),
    "PuTTY's first format": (_PUTTY.replace("File-2", "File-1"), OLD),
    "PuTTY's without an end": (_PUTTY[:-60], NO_MAC),
    "PuTTY's with a short end": (_PUTTY[:-4], BROKEN),
    "PuTTY's without a line": (
        "\n".join(line for line in _PUTTY.splitlines() if "Public-Lines" not in line),
        BROKEN,
    ),
    "PuTTY's of another type": (_PUTTY.replace("2: ssh-ed25519", "2: ssh-rsa"), BROKEN),
    "PuTTY's with a foreign cipher": (_PUTTY.replace("Encryption: none", "Encryption: des"), BROKEN),
    "PuTTY's with one thing twice": (_PUTTY + "Comment: x\n", BROKEN),
}
"""By what is wrong with it: the text, and what its reader says."""

HOST = "shop.example.com"
LINES: dict[str, tuple[str, str, str] | None] = {
    "": None,
    HOST: None,
    "192.0.2.10": None,
    f"ssh {HOST}": (HOST, "", ""),
    f"ssh root@{HOST}": (HOST, "", "root"),
    f"  $ ssh root@{HOST} -p 2222 \n": (HOST, "2222", "root"),
    f"# ssh -p2222 -l deploy {HOST}": (HOST, "2222", "deploy"),
    f"ssh -p 2222 root@{HOST} -o StrictHostKeyChecking=no": (HOST, "2222", "root"),
    f"ssh -i ~/.ssh/id_rsa -J jump.example -o Port=2222 -oUser=deploy {HOST} uptime -p 9": (
        HOST,
        "2222",
        "deploy",
    ),
    f"/usr/bin/ssh -tt4 -vvp 2222 root@{HOST}": (HOST, "2222", "root"),
    f'"C:\\Windows\\ssh.exe" {HOST}': None,
    f"ssh.exe 'root@{HOST}'": (HOST, "", "root"),
    f"ssh root@{HOST}:2222": (HOST, "2222", "root"),
    "ssh root@[2001:db8::1]:2222": ("2001:db8::1", "2222", "root"),
    "ssh root@2001:db8::1": ("2001:db8::1", "", "root"),
    f"ssh ssh://root@{HOST}:2222": (HOST, "2222", "root"),
    f"ssh -p 2222 ssh://{HOST} -l deploy": (HOST, "2222", "deploy"),
    f"sftp -P 2222 -l 100 web1@{HOST}:/var/www": (HOST, "2222", "web1"),
    f"sftp -p web1@{HOST}": (HOST, "", "web1"),
    f"sftp -oUser=web1 -oPort=2222 {HOST}": (HOST, "2222", "web1"),
    f"root@{HOST}": (HOST, "", "root"),
    f"root@{HOST} -p 2222": (HOST, "2222", "root"),
    f"root@{HOST}:2222": (HOST, "2222", "root"),
    f"root@{HOST}:/var/www": (HOST, "", "root"),
    f"web1@shop@{HOST}": None,
    f"sftp://web1@{HOST}:2222/var/www": (HOST, "2222", "web1"),
    f"sftp://web1:hunter2@{HOST}": (HOST, "", "web1"),
    f"SFTP://web%40shop@{HOST}:22": (HOST, "22", "web@shop"),
    f"sftp://a+b%2Bc;x=y&z@{HOST}": (HOST, "", "a+b+c"),
    f"ftp://{HOST}/": (HOST, "", ""),
    f"ftps://web1@{HOST}:990": (HOST, "990", "web1"),
    "sftp://web1@[2001:db8::1]:22/": ("2001:db8::1", "22", "web1"),
    f"sftp://web1@{HOST}:99999": None,
    f"sftp://web1@{HOST} and more": None,
    f"https://{HOST}": None,
    f"https://ada@{HOST}": None,
    "ssh": None,
    "ssh -p 22": None,
    "ssh -oProxyCommand=x": None,
    f"ssh -p 0 {HOST}": None,
    f"ssh -p x {HOST}": None,
    "ssh 'root@-x'": None,
    "ssh root@a/b": None,
    f"putty -ssh root@{HOST}": None,
    "please log in as root": None,
    "constructor@__proto__": None,
    "ssh -o constructor=1 root@a": ("a", "", "root"),
    f"ssh root@münchen.example{' ' * 990}": None,
    "ssh root@münchen.example": ("münchen.example", "", "root"),
    "ssh\u00a0root@a": ("a", "", "root"),
    "root@a\u2028b": None,
}
"""By line: host, port and user, or None."""

_GOOD = "This makes codes of 6 digits, a new one every 30 seconds"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LINK = f"otpauth://totp/Shop:ada%40shop.example?secret={SEED}"
SEEDS: dict[str, tuple[str, str]] = {
    SEED: ("good", _GOOD),
    SEED.lower(): ("good", _GOOD),
    " jbsw y3dp-ehpk 3pxp jbsw y3dp\n": ("good", _GOOD),
    "JBSWY3DPEHPK3PXPJBSQ====": ("good", _GOOD),
    LINK: ("good", _GOOD),
    LINK.replace("otpauth", "OTPAUTH").replace("totp", "TOTP"): ("good", _GOOD),
    f"{LINK}&issuer=Shop&image=https%3A%2F%2Fx&x#y": ("good", _GOOD),
    f"{LINK}&digits=8&period=60&algorithm=sha-256": (
        "good",
        "This makes codes of 8 digits, a new one every 60 seconds",
    ),
    f"otpauth://totp?secret={SEED}": ("good", _GOOD),
    "otpauth://totp/?&&secret=jbsw+y3dp+ehpk+3pxp": ("good", _GOOD),
    "JBSWY3DP": ("question", otpauth.SHORT),
    "123456": ("wrong", otpauth.ONE_CODE),
    "123 456": ("wrong", otpauth.ONE_CODE),
    "12345678": ("wrong", otpauth.ONE_CODE),
    "otpauth-migration://offline?data=CjEK": ("wrong", otpauth.MANY),
    f"otpauth://hotp/Shop?secret={SEED}&counter=1": ("wrong", otpauth.COUNTING),
    f"otpauth://steam/Shop?secret={SEED}": ("wrong", otpauth.FOREIGN),
    "https://shop.example/qr.png": ("wrong", otpauth.FOREIGN),
    "steam://JBSWY3DP": ("wrong", otpauth.FOREIGN),
    "otpauth://totp/Shop?issuer=Shop": ("wrong", otpauth.NO_SEED),
    "otpauth://totp/Shop?secret=": ("wrong", otpauth.NO_SEED),
    f"{LINK}&secret={SEED}": ("wrong", otpauth.TWICE),
    f"{LINK}&algorithm=MD5": ("wrong", otpauth.ALGORITHM),
    f"{LINK}&encoder=steam": ("wrong", otpauth.ALGORITHM),
    f"{LINK}&digits=5": ("wrong", otpauth.DIGITS),
    f"{LINK}&digits=9": ("wrong", otpauth.DIGITS),
    f"{LINK}&digits=٦": ("wrong", otpauth.DIGITS),
    f"{LINK}&period=0": ("wrong", otpauth.PERIOD),
    f"{LINK}&period=121": ("wrong", otpauth.PERIOD),
    f"{LINK}&period=": ("wrong", otpauth.PERIOD),
    f"{SEED}1": ("wrong", otpauth.NOT_BASE32),
    "": ("wrong", otpauth.NOT_BASE32),
    "hunter2!": ("wrong", otpauth.NOT_BASE32),
    "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PX=A": ("wrong", otpauth.NOT_BASE32),
    f"{SEED}J": ("wrong", otpauth.CUT),
    "A" * 216: ("wrong", otpauth.CUT),
    "A" * 2001: ("wrong", otpauth.TOO_LONG),
}
"""By text: how it is judged, and the sentence."""
