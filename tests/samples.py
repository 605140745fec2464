"""What customers paste by mistake, and what only looks like it: one stock for the core's tests and the browser's."""

import base64

BIP39 = [
    "legal winner thank year wave sausage worth useful legal winner thank yellow",
    "ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic",
    "gravity machine north sort system female filter attitude volume fold club stay feature office ecology",
    (
        "gravity machine north sort system female filter attitude volume fold club stay feature office ecology stable "
        "narrow fog"
    ),
    (
        "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic avoid "
        "letter always vault rhythm crane"
    ),
    (
        "void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing screen patrol group "
        "space point ten exist slush involve unfold"
    ),
    "ábaco abdomen abeja abierto abogado abono aborto abrazo abrir abuelo abuso acabar",
    "abaisser abandon abdiquer abeille abolir aborder aboutir aboyer abrasif abreuver abriter abroger",
    "abaco abbaglio abbinato abete abisso abolire abrasivo abrogato accadere accenno accusato acetone",
    "あいこくしん あいさつ あいだ あおぞら あかちゃん あきる あけがた あける あこがれる あさい あさひ あしあと",
    "가격 가끔 가난 가능 가득 가르침 가뭄 가방 가상 가슴 가운데 가을",
    "的 一 是 在 不 了 有 和 人 这 中 大",
]
"""Phrases of every length, from published test vectors and out of the lists of several languages."""

NO_SEEDS = [
    "correct horse battery staple",
    "seven quiet llamas knit by moonlight",
    "gravity machine north sort system female filter attitude volume fold club",  # eleven words
    "crane-elbow-novel-rapid-sunny-tiger-vivid-whale",
    "The shop runs on the second server. Log in as deploy, then use sudo to become the user of the web server.",
    "Please do not restart the database before nine in the evening, because the accounts are closed until then.",
    "Bitte melden Sie sich zuerst am Sprungserver an und von dort am Webserver; der Zugang ist nur abends offen.",
    "Pour entrer dans le réseau il faut d'abord ouvrir le tunnel, puis se connecter avec les mêmes identifiants.",
    "的一是在不了有和人这中大为上个国我以要他",
    (
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n"
        "-----END OPENSSH PRIVATE KEY-----\n"
    ),
    "remote vpn.example 1194\nclient\ndev tun\nproto udp\nnobind\ncipher AES-256-GCM\nverb 3\n",
]
"""Passphrases, notes and files that are ordinary here."""


def base64_of(text: str, encoding: str = "utf-8") -> str:
    """As a browser spells a file that it has read."""
    return base64.b64encode(text.encode(encoding)).decode()
