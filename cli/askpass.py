"""What ssh runs in place of asking at the terminal: it passes the question on, and prints the answer.

A file by itself on the standard library, because it is run with nothing else: it holds the answer for a moment, in its
memory, and takes it from the command that started ssh, over a socket that only its own user can reach.
"""

import os
import socket
import sys

DOOR = "VALETKEY_DOOR"
"""The variable that names the socket."""
LONGEST_QUESTION = 4096
LONGEST_ANSWER = 1023
"""Bytes that ssh takes (its readpass.c)."""
GIVEN = b"+"
"""Before an answer; where there is none, nothing comes."""


def main() -> int:
    """Ask the question that ssh gives as the one argument; 1 where nobody answers it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.connect(os.environ[DOOR])
        door.sendall(os.fsencode(" ".join(sys.argv[1:]))[:LONGEST_QUESTION])
        door.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := door.recv(LONGEST_ANSWER + 2):
            answer += chunk
    if not answer.startswith(GIVEN):
        return 1
    sys.stdout.buffer.write(answer.removeprefix(GIVEN) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
