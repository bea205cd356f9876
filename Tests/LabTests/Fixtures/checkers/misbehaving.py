# Servers that answer well and badly, for CheckerDifferentialTests and CheckerTimesTests: each on a port of its own, for every director the same.
# And a mail server, which prints what people are told, a line for each recipient and change: "mail", the director, the recipient, subject and text,
# with tabs.
#
# usage: misbehaving.py ADDRESS [CERTIFICATE KEY]    prints "ready" when all ports are open; SIGUSR1: those that turn are bad from now on,
#                                                    SIGUSR2: good again; the certificate is for TLS
import email
import email.policy
import selectors
import signal
import socket
import ssl
import struct
import sys
import traceback

address = sys.argv[1]
selector = selectors.DefaultSelector()


# What a TCP server does: say octets, or "hear" (a line), "close".
TALKS = {
    2001: [b"220 a\r\n", "hear", b"250 b\r\n", "hear", b"221 c\r\n"],
    2002: [b"554 no\r\n", "hear"],
    2003: [b"220 a\r\n", "hear", b"501 who?\r\n"],
    2004: ["close"],
    2005: [b"220 a\r\n", "hear", "close"],
    2006: [b"220 a\r\n", "hear", b"250 b\r\n", "hear", "close"],
    2007: ["hear"],
    2008: [b"220 a"],
    2009: [b"SSH-2.0-OpenSSH_9.2\r\n"],
    2010: [b"220 a\r\n250 b\r\n221 c\r\n", "hear", "hear"],
    2011: [b"220 a\r\n", "hear", b"250 b\r\n", "hear", b"500 what\r\n"],
    2101: ["request", b"HTTP/1.0 200 OK\r\n\r\nhello world\n", "close"],
    2102: ["request", b"HTTP/1.0 200 OK\r\n\r\nbye\n", "close"],
    2103: ["request", b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 20000 + b"hello world\n", "close"],
}


# What a TCP server does while it is good, and while it is bad: nothing is listening (None), or a talk with "reset" and "tls" besides.
MAIL = TALKS[2001]
PAGE = TALKS[2101]
ALERT = b"\x15\x03\x03\x00\x02\x02\x28"
TURNING_TALKS = {
    3001: (PAGE, None),
    3101: (PAGE, ["close"]),
    3102: (PAGE, ["request", "close"]),
    3103: (PAGE, ["request", b"HTTP/1.0 200 OK\r\nA: ", "close"]),
    3104: (PAGE, ["request", b"\x00\x01\x02\r\n\r\n", "close"]),
    3105: (PAGE, ["request", b"HTTP/1.0 503 no\r\n\r\n", "close"]),
    3106: (PAGE, ["request", "hear"]),
    3107: (PAGE, ["request", "reset"]),
    3201: (["tls", *PAGE], [ALERT, "hear"]),
    3202: (["tls", *PAGE], ["octets", ALERT, "close"]),
    3203: (["tls", *PAGE], ["octets", "close"]),
    3204: (["tls", *PAGE], ["octets", b"HTTP/1.0 400 this is not TLS\r\n\r\n", "close"]),
    3205: (["tls", *PAGE], ["hear"]),
    3301: (MAIL, ["close"]),
    3302: (MAIL, [b"220 a\r\n", "hear", "close"]),
    3303: (MAIL, [b"554 no\r\n", "hear"]),
    3304: (MAIL, ["hear"]),
    3305: (MAIL, [b"\x00\xff\x01\r\n", "hear"]),
}


def answer(question, code=0, other=0):
    return bytes([question[0] ^ other, question[1], 0x81, 0x80 | code]) + question[4:]


# What a UDP server answers.
REPLIES = {
    2301: lambda q: [answer(q)],
    2302: lambda q: [answer(q, code=3)],
    2303: lambda q: [],
    2304: lambda q: [answer(q, other=1)],
    2305: lambda q: [b"abc", answer(q, other=1), answer(q)],
    2401: lambda q: [],
    2402: lambda q: [bytes([10, 0x99, 0x4F])],
    2403: lambda q: [bytes([10, 0x99, 0x5F])],
    2404: lambda q: [bytes([10])],
    2405: lambda q: [bytes([10, 0x99, 0x4F, 1, 2, 3, 4])],
    2406: lambda q: [q] if q == b"keepalived check - keepalived ch" else [],
}


# The same for a UDP server.
TURNING_REPLIES = {
    3401: (REPLIES[2301], REPLIES[2302]),
    3402: (REPLIES[2301], REPLIES[2304]),
    3403: (REPLIES[2301], REPLIES[2303]),
    3404: (REPLIES[2301], lambda q: [b"abc"] * 5),
    3501: (REPLIES[2402], REPLIES[2401]),
    3502: (REPLIES[2402], REPLIES[2403]),
}
is_bad = False


class Guest:
    def __init__(self, connection, steps):
        self.connection, self.steps, self.heard = connection, list(steps), b""
        selector.register(connection, selectors.EVENT_READ, self.read)
        self.go_on()

    def read(self):
        try:
            if self.steps and self.steps[0] == "tls":
                # Nothing was read yet; the handshake is over in a moment.
                self.start_tls()
                return
            octets = self.connection.recv(4096)
        except ssl.SSLWantReadError:
            return
        except OSError:
            octets = b""
        self.heard += octets
        if not octets:
            self.leave()
        else:
            self.go_on()

    def go_on(self):
        while self.steps:
            step = self.steps[0]
            if step == "tls":
                return
            if step in ("hear", "request", "octets"):
                end = {"hear": b"\n", "request": b"\r\n\r\n", "octets": self.heard or b"\n"}[step]
                if end not in self.heard:
                    return
                self.heard = self.heard.split(end, 1)[1]
            elif step == "close":
                return self.leave()
            elif step == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return self.leave()
            else:
                try:
                    self.connection.sendall(step)
                except OSError:
                    return self.leave()
            self.steps.pop(0)

    def start_tls(self):
        # A client that gives up its handshake is out of the selector already when it leaves.
        selector.unregister(self.connection)
        self.connection.settimeout(2)
        self.connection = context.wrap_socket(self.connection, server_side=True)
        selector.register(self.connection, selectors.EVENT_READ, self.read)
        self.steps.pop(0)

    def leave(self):
        try:
            selector.unregister(self.connection)
        except (KeyError, ValueError):
            pass
        self.connection.close()


# A mail under way.
class Mail:
    def __init__(self, connection, peer):
        self.connection, self.peer, self.heard, self.recipients = connection, peer, b"", []
        self.is_text = False
        selector.register(connection, selectors.EVENT_READ, self.read)
        connection.sendall(b"220 web1\r\n")

    def read(self):
        try:
            octets = self.connection.recv(65536)
            self.heard += octets
            if not octets:
                raise OSError
            while self.go_on():
                pass
        except OSError:
            selector.unregister(self.connection)
            self.connection.close()

    def go_on(self):
        end = b"\r\n.\r\n" if self.is_text else b"\r\n"
        if end not in self.heard:
            return False
        part, self.heard = self.heard.split(end, 1)
        reply = b"250 ok"
        if self.is_text:
            self.is_text = False
            self.tell(email.message_from_bytes(part, policy=email.policy.default))
        elif part[:4].upper() == b"RCPT":
            self.recipients.append(part.split(b"<")[1].split(b">")[0].decode())
        elif part[:4].upper() == b"DATA":
            self.is_text, reply = True, b"354 go on"
        elif part[:4].upper() == b"QUIT":
            reply = b"221 bye"
        self.connection.sendall(reply + b"\r\n")
        return True

    # One change is the subject; of several each is two lines of the text.
    def tell(self, mail):
        subject, lines = mail["Subject"].split("] ", 1)[1], mail.get_content().splitlines()
        changes = [(subject, next(line for line in lines if line))]
        if " changes: " in subject:
            changes = [pair for pair in zip(lines, lines[1:]) if pair[1].startswith("=> ")]
        for title, text in changes:
            for recipient in self.recipients:
                print("mail", self.peer, recipient, title, text, sep="\t", flush=True)
        self.recipients = []


class Listener:
    def __init__(self, port, good, bad):
        self.port, self.good, self.bad, self.server = port, good, bad, None
        self.turn()

    def turn(self):
        if is_bad and self.bad is None:
            selector.unregister(self.server)
            self.server.close()
            self.server = None
        elif self.server is None:
            self.server = socket.create_server((address, self.port), backlog=64)
            selector.register(self.server, selectors.EVENT_READ, self.accept)

    def accept(self):
        # The signal may come after the look that found it ready.
        server = self.server
        try:
            connection, peer = server.accept()
        except (AttributeError, OSError):
            return
        steps = self.bad if is_bad else self.good
        if steps == "mail":
            Mail(connection, peer[0])
        else:
            Guest(connection, steps)


def hear(port, good, bad):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, port))

    def receive():
        question, peer = server.recvfrom(65535)
        for octets in (bad if is_bad else good)(question):
            server.sendto(octets, peer)

    selector.register(server, selectors.EVENT_READ, receive)


def turn(number, _):
    global is_bad
    is_bad = number == signal.SIGUSR1
    for listener in turning:
        listener.turn()


for port, steps in TALKS.items():
    Listener(port, steps, steps)
Listener(2525, "mail", "mail")
for port, reply in REPLIES.items():
    hear(port, reply, reply)
turning = []
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    turning = [Listener(port, *talks) for port, talks in TURNING_TALKS.items()]
    for port, replies in TURNING_REPLIES.items():
        hear(port, *replies)
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, turn)
print("ready", flush=True)
while True:
    for key, _ in selector.select():
        # One client's end is not the server's.
        try:
            key.data()
        except Exception:
            traceback.print_exc()
