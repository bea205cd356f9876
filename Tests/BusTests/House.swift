// What a test needs to be several users: files that stand in for /etc/passwd and /etc/group of a busd, and scripts that run as one of
// those users. Only root can do that.
import Foundation
import Glibc
import Testing

/// True where a test can become other users.
let canBeOthers = geteuid() == 0 && access("/usr/bin/unshare", X_OK) == 0

/// A user of a test.
enum Person: UInt32, CaseIterable {
    /// In no group.
    case stranger = 64_001
    /// In group evenkeel.
    case reader = 64_002
    /// In group evenkeel-admin.
    case administrator = 64_003
    /// In group evenkeel-private, but none of the daemons.
    case member = 64_004
    /// The users that the daemons run as.
    case checkd = 64_005
    case ipvsd = 64_006

    private static let groups: [(name: String, id: Int)] = [
        ("evenkeel", 64_101), ("evenkeel-admin", 64_102), ("evenkeel-private", 64_103),
    ]

    private var group: Int {
        switch self {
        case .stranger: 65_534
        case .reader: Self.groups[0].id
        case .administrator: Self.groups[1].id
        case .member, .checkd, .ipvsd: Self.groups[2].id
        }
    }

    /// Writes the files for a mount over /etc/passwd and /etc/group.
    static func writeAccounts(in directory: String) throws {
        let users = "root:x:0:0::/:/bin/sh\nevenkeel-checkd:x:64005:64103::/:\nevenkeel-ipvsd:x:64006:64103::/:\n"
        try users.write(toFile: directory + "/passwd", atomically: false, encoding: .utf8)
        let groups = Self.groups.map { "\($0.name):x:\($0.id):\n" }.joined()
        try ("root:x:0:\n" + groups).write(toFile: directory + "/group", atomically: false, encoding: .utf8)
    }

    /// Runs a Python script as this user; its output. The script has `socket`, `json`, `time`, `sys`, `os` and `connect`, which returns a
    /// connected socket, `call`, which sends a call on one, and `reply`, which reads one message (None at the end).
    func run(_ script: String, _ arguments: [String]) throws -> String {
        let prelude = """
            import json, os, socket, sys, time
            os.setgroups([]); os.setgid(\(group)); os.setuid(\(rawValue))
            def connect(path):
                s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect(path); return s
            def call(s, method, parameters={}, **flags):
                s.sendall(json.dumps({"method": method, "parameters": parameters, **flags}).encode() + b"\\0")
            rest = {}
            def reply(s):
                data = rest.pop(s, b"")
                while b"\\0" not in data:
                    try: piece = s.recv(1 << 16)
                    except ConnectionResetError: piece = b""
                    if not piece: return None
                    data += piece
                message, rest[s] = data.split(b"\\0", 1)
                return json.loads(message)
            def error(s):
                r = reply(s)
                if r is None: return "end"
                p = r.get("parameters", {})
                return " ".join([r.get("error", "done").split(".")[-1]] + [str(p[k]) for k in ("quota", "parameter") if k in p])

            """
        let (output, status) = try python(["-c", prelude + script] + arguments)
        #expect(status == 0, "\(output)")
        return output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
