// What many users may have together: however many users somebody has, busd keeps descriptors and memory for root and the daemons. busd runs
// with few descriptors here, so that they can be used up.
import Bus
import Foundation
import Glibc
import Platform
import Testing

@Suite(.serialized, .enabled(if: canBeOthers), .timeLimit(.minutes(2))) struct ShareTests {
    /// `people(group, users, each)`: processes of so many users of their own, who connect so often each and keep what is not refused; they
    /// are given back with the sum of that. `leave(them)` ends them.
    private static let prelude = """
        import json, os, signal, socket, sys, time
        path = sys.argv[1]
        def connect():
            s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect(path); return s
        def message(s):
            data = b""
            while not data.endswith(b"\\0"):
                try: piece = s.recv(1 << 16)
                except ConnectionResetError: piece = b""
                if not piece: return None
                data += piece
            return json.loads(data[:-1])
        def call(s, method):
            try: s.sendall(json.dumps({"method": method}).encode() + b"\\0")
            except (BrokenPipeError, ConnectionResetError): pass
        def holds(s):
            call(s, "org.varlink.service.GetInfo")
            reply = message(s)
            return reply is not None and "QuotaExceeded" not in reply.get("error", "")
        last, parent = [65000], os.getpid()
        def people(group, users, each, user=None):
            children, total = [], 0
            for _ in range(users):
                last[0] += 1
                uid = user or last[0]
                mine, theirs = os.pipe()
                child = os.fork()
                if child == 0:
                    try:
                        os.setgroups([]); os.setgid(group); os.setuid(uid)
                        held = [s for s in [connect() for _ in range(each)] if holds(s)]
                        os.write(theirs, b"%6d" % len(held))
                        while os.getppid() == parent: time.sleep(0.1)
                    finally: os._exit(0)
                os.close(theirs)
                total += int(os.read(mine, 6) or b"-1000")
                os.close(mine)
                children.append(child); present.add(child)
            return children, total
        present = set()
        def leave(children):
            for child in children: os.kill(child, signal.SIGKILL)
            for child in children: os.waitpid(child, 0)
            present.difference_update(children)
        def eventually(condition):
            end = time.monotonic() + 10
            while not condition():
                if time.monotonic() > end: return False
                time.sleep(0.01)
            return True
        strangers, readers, daemons = 65534, 64101, 64103

        """

    private func run(_ script: String, on bus: BusProgram) throws -> [String] {
        let (output, status) = try python(["-c", Self.prelude + script + "\nleave(list(present))", bus.socket])
        #expect(status == 0, "\(output)")
        return output.split(separator: "\n").map(String.init)
    }

    @Test func `strangers have a quarter of the descriptors together, and 64 stay for root and the daemons`() throws {
        let bus = try BusProgram(people: true, descriptors: 128)
        let script = """
            outside, held = people(strangers, 4, 10)
            print("strangers", held)
            inside, held = people(readers, 3, 20)
            print("readers", held)
            print("one more", people(readers, 1, 1)[1])
            own, held = people(daemons, 1, 1)
            print("a member of the daemons' group", held)
            own, held = people(daemons, 1, 4, user=64005)
            print("checkd", held)
            print("root", len([s for s in [connect() for _ in range(40)] if holds(s)]))
            leave(outside)
            print("room again", eventually(lambda: people(readers, 1, 1)[1] == 1))
            """
        #expect(
            try run(script, on: bus) == [
                "strangers 32", "readers 32", "one more 0", "a member of the daemons' group 0", "checkd 4",
                "root 40", "room again True",
            ])
    }

    @Test func `strangers together are 512 at most, however many descriptors there are`() throws {
        let bus = try BusProgram(people: true, descriptors: 4096)
        let script = """
            outside, held = people(strangers, 33, 16)
            inside, others = people(readers, 1, 100)
            print(held, others)
            """
        #expect(try run(script, on: bus) == ["512 100"])
    }

    @Test func `what is held for all users is shared among them`() throws {
        let bus = try BusProgram(people: true)
        // Somebody who asks much and reads nothing has less room beside 63 others.
        let script = """
            question = json.dumps({"method": "org.varlink.service.GetInterfaceDescription",
                                   "parameters": {"interface": "io.evenkeel.Bus"}})
            calls = 1000 * (question.encode() + b"\\0")
            def ask():
                mine, theirs = os.pipe()
                child = os.fork()
                if child == 0:
                    try:
                        os.setgroups([]); os.setgid(readers); os.setuid(64900)
                        crowd = [connect() for _ in range(4)]
                        for s in crowd: s.setblocking(False)
                        full, left = 0, {s: calls for s in crowd}
                        while full < 50:
                            full += 1
                            for s in crowd:
                                try: left[s] = left[s][s.send(left[s]):] or calls
                                except (BlockingIOError, BrokenPipeError, ConnectionResetError): continue
                                full = 0
                            time.sleep(0.01)
                        limits = set()
                        for s in crowd:
                            s.settimeout(0.5)
                            data = b""
                            try:
                                while piece := s.recv(1 << 20): data += piece
                            except (TimeoutError, ConnectionResetError): pass
                            for reply in data.split(b"\\0"):
                                if b"QuotaExceeded" not in reply[:100]: continue
                                refusal = json.loads(reply)["parameters"]
                                limits.add((refusal["quota"], refusal["limit"]))
                        os.write(theirs, repr(sorted(limits)).encode())
                    finally: os._exit(0)
                os.close(theirs)
                text = os.read(mine, 4096).decode()
                os.close(mine); os.waitpid(child, 0)
                return text
            print(ask())
            others, held = people(readers, 63, 1)
            print(held, ask())
            leave(others)
            print(eventually(lambda: ask() == "[]"))
            """
        #expect(try run(script, on: bus) == ["[]", "63 [('queuedBytes', 1048576)]", "True"])
    }
}
