// busd and users that it does not trust: strangers, readers, and members of the daemons' group that are not the daemon they say.
import Bus
import Foundation
import Glibc
import Platform
import Testing

@Suite(.serialized, .enabled(if: canBeOthers), .timeLimit(.minutes(2))) struct StrangerTests {
    @Test func `a stranger's long message ends at 4 KiB and leaves no memory behind`() throws {
        let bus = try BusProgram(people: true)
        let before = try bus.residentOctets()
        let script = """
            ends = set()
            for _ in range(100):
                s = connect(sys.argv[1])
                try: s.sendall(b'{"method":"a.B","parameters":{' + b'"x":1,' * 150000)
                except (BrokenPipeError, ConnectionResetError): pass
                ends.add(error(s) + ", " + error(s)); s.close()
            print(ends)
            """
        #expect(try Person.stranger.run(script, [bus.socket]) == "{'QuotaExceeded messageBytes, end'}")
        #expect(try bus.residentOctets() - before < 2 << 20)
    }

    @Test func `a reader's calls are short and of few values`() throws {
        let bus = try BusProgram(people: true)
        let script = """
            s = connect(sys.argv[1])
            call(s, "io.evenkeel.Bus.GetStatistics"); print(error(s))
            call(s, "io.evenkeel.Bus.GetStatistics", {str(i): i for i in range(600)}); print(error(s))
            call(s, "io.evenkeel.Bus.GetStatistics", {"a": "x" * 65000}); print(error(s))
            try: call(s, "io.evenkeel.Bus.GetStatistics", {"a": "x" * 66000})
            except (BrokenPipeError, ConnectionResetError): pass
            print(error(s)); print(error(s))
            """
        #expect(
            try Person.reader.run(script, [bus.socket]).split(separator: "\n") == [
                "done", "QuotaExceeded callValues", "InvalidParameter a", "QuotaExceeded messageBytes", "end",
            ])
    }

    @Test func `readers' calls cannot crowd a daemon, and root's come through`() throws {
        let bus = try BusProgram(people: true)
        let loop = try EventLoop()
        let daemon = try TestService(bus, on: loop)
        // Show of "VI_wait" is not answered.
        let script = """
            held = []
            for _ in range(150):
                s = connect(sys.argv[1]); held.append(s)
                call(s, "io.evenkeel.Vrrp.Show", {"name": "VI_wait"})
            last = connect(sys.argv[1]); call(last, "io.evenkeel.Vrrp.List"); print(error(last))
            call(last, "io.evenkeel.Vrrp.List", oneway=True); call(last, "org.varlink.service.GetInfo"); print(error(last))
            """
        let socket = bus.socket
        let (output, reply) = try withExtendedLifetime(daemon) {
            try loop.run { () -> (String, VrrpAPI.Show.Reply) in
                let output = try Person.reader.run(script, [socket])
                return (output, try BusClient(path: socket).call(VrrpAPI.Show(name: "VI_1")))
            }
        }
        #expect(output.split(separator: "\n") == ["QuotaExceeded calls", "done"])
        #expect(reply.instance.name == "VI_1")
        #expect(daemon.waiting.count <= 16)
    }

    @Test func `what belongs to a daemon is not another's`() throws {
        let bus = try BusProgram(people: true)
        let script = """
            def event(type, subject, source):
                return {"specversion": "1.0", "id": "1", "source": source, "type": type, "subject": subject,
                        "time": "2026-11-21T15:00:00Z", "data": {}}
            s = connect(sys.argv[1])
            def publish(type, subject, source, **more):
                call(s, "io.evenkeel.Bus.Publish", {"events": [event(type, subject, source)], **more}); print(error(s))
            publish("io.evenkeel.check.server", "x", "/checkd")
            publish("io.evenkeel.daemon.alarm", "checkd/state", "/checkd")
            publish("io.evenkeel.daemon.config", "checkd", "/checkd", completeSource="/checkd")
            publish("io.evenkeel.daemon.alarm", "vrrpd/state", "/checkd")
            publish("io.evenkeel.daemon.config", "checkdx", "/checkd")
            publish("io.evenkeel.vrrp.instance", "x", "/checkd")
            publish("io.evenkeel.bus.interface", "x", "/checkd")
            publish("io.evenkeel.check.server", "x", "/vrrpd")
            call(s, "io.evenkeel.Bus.Publish", {"events": [], "completeSource": "/vrrpd"}); print(error(s))
            path = sys.argv[2] + "/" + str(os.getuid()) + ".sock"
            listener = socket.socket(socket.AF_UNIX); listener.bind(path); listener.listen()
            for interface in ["io.evenkeel.Vrrp", "io.evenkeel.Bus", "io.evenkeel.Check", "org.example.Tool"]:
                s = connect(sys.argv[1])
                call(s, "io.evenkeel.Bus.Register", {"name": "x", "interfaces": [interface], "address": "unix:" + path},
                     more=True); print(error(s))
            """
        let arguments = [bus.socket, bus.directory + "/private"]
        let no = "PermissionDenied"
        let own = Array(repeating: "done", count: 3) + Array(repeating: no, count: 6)
        #expect(
            try Person.checkd.run(script, arguments).split(separator: "\n").map(String.init) == own + [
                no, no, "done", no,
            ])
        for person in [Person.ipvsd, .member] {
            #expect(
                try person.run(script, arguments).split(separator: "\n").map(String.init)
                    == Array(repeating: no, count: 13))
        }
        #expect(
            try Person.administrator.run(script, arguments).split(separator: "\n").map(String.init)
                == Array(repeating: no, count: 12) + ["done"])
        #expect(
            try Person.reader.run(script, arguments).split(separator: "\n").map(String.init)
                == Array(repeating: no, count: 13))
    }

    @Test func `a socket must be where only daemons make them, and belong to who registers it`() throws {
        let bus = try BusProgram(people: true)
        let script = """
            stop = sys.argv[1] + "/private/theirs.sock"
            listener = socket.socket(socket.AF_UNIX); listener.bind(stop); listener.listen(); os.chmod(stop, 0o666)
            print("ready", flush=True); time.sleep(20)
            """
        let raw = try bus.rawConnection()
        func register(_ address: String, _ name: String = "tool", _ interfaces: String = #""org.example.T""#) throws
            -> String?
        {
            try raw.send(
                #"{"method":"io.evenkeel.Bus.Register","more":true,"parameters":{"name":"\#(name)","#
                    + #""interfaces":[\#(interfaces)],"address":"\#(address)"}}"#)
            return try raw.message()
        }
        func refused(_ parameter: String) -> String {
            #"{"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"\#(parameter)"}}"#
        }
        let theirs = bus.directory + "/private/theirs.sock"
        let directory = bus.directory
        let thread = Thread { _ = try? Person.member.run(script, [directory]) }
        thread.start()
        try eventually("they listen") { access(theirs, F_OK) == 0 }
        #expect(try register("unix:" + theirs) == refused("address"))
        #expect(try register("unix:/etc/passwd") == refused("address"))
        #expect(try register("unix:@abstract") == refused("address"))
        #expect(try register("unix:\(bus.directory)/private/..") == refused("address"))
        #expect(try register("unix:\(bus.directory)/private/../bus.sock") == refused("address"))
        #expect(try register("unix:\(bus.directory)/private/none.sock") == refused("address"))
        let own = try UnixSocket.listen(at: bus.directory + "/private/own.sock", mode: 0o600)
        let address = "unix:\(bus.directory)/private/own.sock"
        #expect(try register(address, "../../x") == refused("name"))
        #expect(try register(address, "x", #""a.b","a.b""#) == refused("interfaces"))
        #expect(try register(address, "x", "") == refused("interfaces"))
        #expect(try register(address)?.contains(#""continues":true"#) == true)
        withExtendedLifetime(own.number) {}
    }

    @Test func `refusals are told once, however many there are`() throws {
        let bus = try BusProgram(people: true)
        let script = """
            for number in range(300):
                s = connect(sys.argv[1])
                call(s, "x.y%d io.evenkeel.Vrrp.Failover called by uid 0" % number); error(s)
                s.sendall(b"garbage\\0"); s.close()
            """
        _ = try Person.stranger.run(script, [bus.socket])
        let lines = bus.log.split(separator: "\n").filter { $0.contains("64001") }
        #expect(lines.count == 2, "\(bus.log)")
    }

    @Test func `strangers together take a quarter of the descriptors at most, and few each`() throws {
        let bus = try BusProgram(people: true)
        let script = """
            held = [connect(sys.argv[1]) for _ in range(60)]
            silent, told = len(held), 0
            for s in held: s.setblocking(False)
            end = time.monotonic() + 10
            while time.monotonic() < end and silent > 16:
                for s in list(held):
                    try: data = s.recv(4096)
                    except BlockingIOError: continue
                    except ConnectionResetError: data = b""
                    told += 1 if data else 0
                    silent -= 1; held.remove(s)
                time.sleep(0.01)
            time.sleep(0.1)
            print(silent, told >= 8)
            """
        #expect(try Person.stranger.run(script, [bus.socket]) == "16 True")
    }

    @Test func `the daemons' own socket hears nobody else`() throws {
        let bus = try BusProgram(people: true)
        chmod(bus.privateSocket, 0o666)
        let script = """
            s = connect(sys.argv[1])
            try: call(s, "org.varlink.service.GetInfo")
            except (BrokenPipeError, ConnectionResetError): pass
            print(error(s))
            """
        #expect(try Person.reader.run(script, [bus.privateSocket]) == "end")
        #expect(try Person.checkd.run(script, [bus.privateSocket]) == "done")
    }
}
