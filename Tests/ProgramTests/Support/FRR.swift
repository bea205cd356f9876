// FRR's bfdd as the neighbor of our BFD sessions.

import Glibc
import Platform

private let bfdd = "/usr/lib/frr/bfdd"

/// True where it is installed.
let hasFRR = access(bfdd, X_OK) == 0

extension Segment {
    /// bfdd on a host, without zebra, with one session at 50 ms and three packets.
    func startFRR(on host: Host, peer: Host, passive: Bool = false, multihop: Bool = false) throws -> Program {
        let directory = self.directory + "/frr"
        try FileSystem.makeDirectory(directory, mode: 0o755)
        let text = """
            bfd
             peer \(peer.address) \(multihop ? "multihop " : "")local-address \(host.address)
              receive-interval 50
              transmit-interval 50
              detect-multiplier 3
              \(passive ? "passive-mode" : "no passive-mode")
              no shutdown
             !
            !

            """
        try FileSystem.replace(directory + "/bfdd.conf", with: Array(text.utf8), durable: false)
        try run(["/bin/chmod", "755", self.directory])
        try run(["/bin/chown", "-R", "frr:frr", directory])
        return try Program(
            [
                bfdd, "-f", directory + "/bfdd.conf", "-i", directory + "/pid", "-z", directory + "/zserv.api",
                "--vty_socket", directory, "--bfdctl", directory + "/control", "-P", "0", "-u", "frr", "-g", "frr",
            ], on: host, log: directory + "/log", loop: loop)
    }
}
