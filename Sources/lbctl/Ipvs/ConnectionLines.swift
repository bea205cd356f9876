// The kernel's connections, which it shows in a file and nowhere else: of the network namespace in which lbctl runs.
import Glibc

enum ConnectionLines {
    static let path = "/proc/net/ip_vs_conn"

    /// Calls `body` with every line below the heading. False: there is no such file, or nothing in it.
    static func each(_ body: (String) -> Void) -> Bool {
        guard let file = fopen(path, "r") else { return false }
        defer { fclose(file) }
        var line: UnsafeMutablePointer<CChar>?
        var size = 0
        defer { free(line) }
        guard getline(&line, &size, file) > 0 else { return false }
        while getline(&line, &size, file) > 0, let line { body(String(cString: line)) }
        return true
    }
}
