# Servers that answer well and badly, for CheckerDifferentialTests: each on a port of its own, for every director the same. And a mail server,
# which prints what people are told, a line for each recipient and change: "mail", the director, the recipient, subject and text, with tabs.
#
# usage: misbehaving.py ADDRESS    prints "ready" when all ports are open
import email
import email.policy
import selectors
import socket
import sys

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


class Guest:
    def __init__(self, connection, steps):
        self.connection, self.steps, self.heard = connection, list(steps), b""
        selector.register(connection, selectors.EVENT_READ, self.read)
        self.go_on()

    def read(self):
        try:
            octets = self.connection.recv(4096)
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
            if step in ("hear", "request"):
                end = b"\n" if step == "hear" else b"\r\n\r\n"
                if end not in self.heard:
                    return
                self.heard = self.heard.split(end, 1)[1]
            elif step == "close":
                return self.leave()
            else:
                try:
                    self.connection.sendall(step)
                except OSError:
                    return self.leave()
            self.steps.pop(0)

    def leave(self):
        selector.unregister(self.connection)
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


def listen(port, steps):
    server = socket.create_server((address, port), backlog=64)

    def accept():
        connection, peer = server.accept()
        if steps == "mail":
            Mail(connection, peer[0])
        else:
            Guest(connection, steps)

    selector.register(server, selectors.EVENT_READ, accept)


def hear(port, reply):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, port))

    def receive():
        question, peer = server.recvfrom(65535)
        for octets in reply(question):
            server.sendto(octets, peer)

    selector.register(server, selectors.EVENT_READ, receive)


for port, steps in TALKS.items():
    listen(port, steps)
listen(2525, "mail")
for port, reply in REPLIES.items():
    hear(port, reply)
print("ready", flush=True)
while True:
    for key, _ in selector.select():
        key.data()
