# Servers that answer well and badly, for CheckerDifferentialTests: each on a port of its own, for every director the same.
#
# usage: misbehaving.py ADDRESS    prints "ready" when all ports are open
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


def listen(port, steps):
    server = socket.create_server((address, port), backlog=64)

    def accept():
        Guest(server.accept()[0], steps)

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
for port, reply in REPLIES.items():
    hear(port, reply)
print("ready", flush=True)
while True:
    for key, _ in selector.select():
        key.data()
