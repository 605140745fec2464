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


VISA = "4111111111111111"
FULL_WIDTH = str.maketrans("0123456789", "".join(chr(0xFF10 + digit) for digit in range(10)))
ARABIC = str.maketrans("0123456789", "".join(chr(0x0660 + digit) for digit in range(10)))
CARDS = [
    VISA,
    "4222222222222",
    "378282246310005",
    "5555555555554444",
    "2223003122003222",
    "2200000000000004",
    "30569309025904",
    "3530111333300000",
    "6011111111111117",
    "6304000000000000",
    "6759649826438453",
    "6200000000000005",
    "8171999900000018",
    "9792000000000003",
    "5019717010103742",
]
"""Test numbers of the schemes, which no bank has given to anybody."""

SPELLINGS = [
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "4111.1111.1111.1111",
    "4111/1111/1111/1111",
    "4111_1111_1111_1111",
    "4111:1111:1111:1111",
    "4111 \u2013 1111 \u2013 1111 \u2013 1111",
    "4111\u00a01111\u00a01111\u00a01111",
    "4111\u202f1111\u20091111\u30001111",
    "4111\u200b1111\u200b1111\u200b1111",
    "4\u00ad1\u20601\u200d1\ufeff1111111\u200e11111",
    "4111\n1111\r\n1111\t1111",
    "4111 1111 11\n11 1111",
    "41\n11111111111111",
    "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    "41 11 11 11 11 11 11 11",
    "3782 822463 10005",
    "4111x1111x1111x1111",
    "4111, 1111, 1111 and of course 4111 1111 1111 1111",
    VISA.translate(FULL_WIDTH),
    VISA.translate(ARABIC),
    "".join(chr(0x1D7CE + int(digit)) for digit in VISA),
    "".join(f"{digit}\ufe0f\u20e3" for digit in VISA),
    "".join(f"{digit}\u0332" for digit in VISA),
    f"the password is {VISA}, thanks",
    f"Visa{VISA}exp1227",
    f"https://pay.example/?pan={VISA}&exp=12-27",
    "https://pay.example/?pan=4111+1111+1111+1111&exp=12-27",
    "https://pay.example/?pan=4111%201111%201111%201111",
    "https://pay.example/?pan=4111%C2%A01111%c2%a01111%2D1111",
    "https://pay.example/?pan=%34%31%31%31111111111111",
    "4111&nbsp;1111&#160;1111&#x2009;1111",
    '{"pan": "4111\\u00a01111\\t1111\\n1111"}',
    f"{VISA} 12/27 123",
    f"12/27 {VISA}",
    f"{VISA}1227",
    f"{VISA}2712123",
    f"1227{VISA}",
    f"%B{VISA}^DOE/JOHN^27121010000000000000?",
    f";{VISA}=27121010000000000000?",
    f"22 443 {VISA} 8080",
    f"call +49 171 1234567 or pay by {VISA}",
    f"198.51.100.7:22 {VISA}",
    "CVV 123",
    "cvc2: 1234",
    "CVV/CVC: 123",
    "cvv code is 123",
    "CVV=1 2 3",
    "CVV 123".translate(FULL_WIDTH),
    "card security code: 123",
    "Prüfziffer 123",
    "Kartenprüfnummer ist 123",
]
"""Cards and codes as people write them, and as texts, addresses and files spell them."""

NO_CARDS = [
    "",
    "4111111111111112",
    "411111111111",
    "4111 1111 and 1111 1111",
    "4111 1111 1111",
    "490154x203237518",  # an IMEI, written as the refusal advises
    "IMEI that ends in 7518",
    "cvv",
    "recvv 123",
    "cvv 12345",
    "192.168.100.200",
    "203.100.113.79:2222",
    "2001:db8::1234:5678:9012:3456",
    "remote 203.0.113.79 1194\nroute 10.8.0.0 255.255.255.0\nroute 192.168.178.0 255.255.255.0",
    "Office +49 30 12345678, Tom +49 171 1234567",
    "550e8400-4466-1644-8716-446655440000",
    "4111111111111111ffff000011112222",  # a key of 128 bits
    "SHA1 41:11:11:11:11:11:11:11:ab:11:11:11:11:11:11:11:22:33:44:55",
    '{"client_id": "114111111111111111119", "project_id": "shop"}',
    "otpauth://totp/Shop:ada?secret=JBSWY3DPEHPK3PXP234567234567&period=30&digits=6",
    "30 4 * * 1\n15 12 1 * *\n0 0 1 1 *",
    "2026-11-23 00:15:30 200 4821\n2026-11-23 00:15:31 200 512\n2026-11-23 00:15:33 404 17\n" * 9,
    " ".join(str(number * 7919 % 1000) for number in range(200)),
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj",
]
"""What is ordinary in logins, notes and files, and only looks like one."""
