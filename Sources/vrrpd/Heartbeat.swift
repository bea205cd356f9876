// When each instance last advertised as master, by CLOCK_BOOTTIME, in a file under the run directory (memory, so that no disk is ever
// waited for). After a crash the next process reads it: a master that is back inside its own master-down interval has not
// been missed by anybody and goes on. One fixed-width line per instance, overwritten in place at every advertisement:
//
//     boot 4c2d…                      the boot that the times belong to
//     00000000004711000000 51/inet/eth0/224.0.0.18

import CLinux
import Glibc
import Net
import Platform

/// The file of last advertisements.
final class Heartbeat {
    private static let digits = 20
    private let path: String
    private var descriptor: FileDescriptor?
    private var offsets: [String: Int64] = [:]
    private var previous: [String: Instant] = [:]
    private var field = [UInt8](repeating: 0, count: Heartbeat.digits)

    /// Reads what the process before us left at `path`.
    init(path: String) {
        self.path = path
        guard let bytes = (try? FileSystem.contents(of: path, limit: 1 << 20)) ?? nil else { return }
        var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")[...]
        guard lines.popFirst() == "boot \(SystemClock.bootID)" else { return }
        for line in lines {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, let time = Int64(parts[0]), time > 0 else { continue }
            previous[String(parts[1])] = Instant(nanoseconds: time)
        }
    }

    /// How long ago the previous process last advertised for this instance; nil when it was not master.
    func silence(of identity: String) -> Duration? {
        guard let last = previous[identity] else { return nil }
        let now = SystemClock.sinceBoot
        return last <= now ? now - last : nil
    }

    /// Starts the file over for these instances; those in `masters` have just advertised.
    func begin(_ identities: [String], masters: Set<String>) throws(Errno) {
        var text = Array("boot \(SystemClock.bootID)\n".utf8)
        offsets = [:]
        for identity in identities {
            offsets[identity] = Int64(text.count)
            text += Self.format(masters.contains(identity) ? SystemClock.sinceBoot : .zero)
            text += " \(identity)\n".utf8
        }
        let temporary = path + ".new"
        let new = FileDescriptor(
            owning: try Errno.check(ek_open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600), "open"))
        try Errno.check(ek_pwrite(new.number, text, text.count, 0), "pwrite")
        guard rename(temporary, path) == 0 else { throw Errno(errno, "rename") }
        descriptor = consume new
    }

    /// The instance has just advertised as master; with nil, it has ceased to be master.
    func beat(_ identity: String, at time: Instant?) {
        guard let offset = offsets[identity], let number = descriptor?.number else { return }
        Self.write(time ?? .zero, into: &field)
        _ = ek_pwrite(number, field, field.count, offset)
    }

    private static func format(_ time: Instant) -> [UInt8] {
        var field = [UInt8](repeating: 0, count: digits)
        write(time, into: &field)
        return field
    }

    private static func write(_ time: Instant, into field: inout [UInt8]) {
        var rest = UInt64(max(0, time.nanoseconds))
        for index in field.indices.reversed() {
            field[index] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }
}
