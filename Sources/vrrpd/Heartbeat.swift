// When each instance last advertised as master, by CLOCK_BOOTTIME, in a file under the run directory (memory, so that no disk is ever
// waited for). After a crash the next process reads it: a master that is back before anybody has missed it goes on, and what the
// crashed one left on the interfaces is known. One fixed-width line per instance, overwritten in place at every advertisement:
//
//     network 4c2d…/4026…/7           the boot and the network namespace that it is about; 0.1.0 had "boot 4c2d…"
//     00000000004711000000 00000000000000000000 51/inet/eth0/224.0.0.18
//
// The first number: 0 = not master; 1 = not master, but addresses were still to be taken off. The second is the last sequence number of
// `auth_hmac`; version 0.1.0 had none.

import CLinux
import Glibc
import Net
import Platform
import VRRP

/// The file of last advertisements.
final class Heartbeat: MastershipNotes {
    private static let digits = 20
    /// Of both numbers.
    private static let width = 2 * digits + 1
    /// Where it is, or why there is none.
    private let path: Result<String, Errno>
    private var descriptor: FileDescriptor?
    private var offsets: [RouterID: Int] = [:]
    /// When to look again whether it is there.
    private var lookAt = Instant.zero
    /// What the file says.
    private var text: [UInt8] = []

    /// The file in a directory that only root can write. Where there is none, nothing is noted or believed.
    init(in directory: Result<String, Errno>) {
        path = directory.map { $0 + "/heartbeat" }
    }

    /// What the process before this one noted, by identity. Version 0.1.0 kept the file elsewhere.
    func predecessors(orAt earlier: String) throws(Errno) -> [String: Predecessor] {
        guard case .success(let path) = path else { return [:] }
        var bytes = try FileSystem.ownContents(of: path, limit: 1 << 20)
        let marksAddresses = bytes != nil
        if bytes == nil { bytes = try FileSystem.ownContents(of: earlier, limit: 1 << 20) }
        guard let bytes else { return [:] }
        var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")[...]
        let boot = SystemClock.bootID
        // Where the kernel does not tell, no boot is the same as another.
        guard !boot.isEmpty, let heading = lines.popFirst(), heading == "boot \(boot)" || heading == Self.heading else {
            return [:]
        }
        let now = SystemClock.sinceBoot
        var found: [String: Predecessor] = [:]
        for line in lines {
            var parts = line.split(separator: " ", maxSplits: 2)
            guard parts.count > 1, let time = Int64(parts[0]), time > 0 else { continue }
            var sequence: UInt64 = 0
            if parts.count > 2, parts[1].utf8.count == Self.digits, let number = UInt64(parts[1]) {
                sequence = number
                parts.remove(at: 1)
            }
            let last = Instant(nanoseconds: time)
            found[parts[1...].joined(separator: " ")] = Predecessor(
                silence: time > 1 && last <= now ? now - last : nil, marksAddresses: marksAddresses,
                sequence: sequence == 0 ? nil : TrailerSequence(value: sequence))
        }
        return found
    }

    func begin(_ notes: [(router: RouterID, identity: String, note: MastershipNote)]) throws(Errno) {
        var text = Array("\(Self.heading)\n".utf8)
        var offsets: [RouterID: Int] = [:]
        for note in notes {
            offsets[note.router] = text.count
            text += repeatElement(UInt8(ascii: " "), count: Self.width)
            Self.fill(&text, text.count - Self.width, note.note)
            text += " \(note.identity)\n".utf8
        }
        let path = try path.get()
        let temporary = path + ".new"
        unlink(temporary)
        let new = FileDescriptor(
            owning: try Errno.check(
                ek_open(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600), "open"))
        var written = 0
        while written < text.count {
            let result = text.withUnsafeBytes {
                ek_pwrite(new.number, $0.baseAddress?.advanced(by: written), $0.count - written, Int64(written))
            }
            guard result != 0 else { throw Errno(ENOSPC, "pwrite") }
            written += try Errno.check(result, "pwrite")
        }
        guard rename(temporary, path) == 0 else { throw Errno(errno, "rename") }
        descriptor = consume new
        self.text = text
        self.offsets = offsets
    }

    /// Masterships belong to one boot and one network.
    private static var heading: String {
        (try? NamespaceIdentity.current()).map { "network \($0.text)" } ?? "boot \(SystemClock.bootID)"
    }

    /// All that a turn has to note with one system call.
    func write(_ notes: [(router: RouterID, note: MastershipNote)]) throws(Errno) {
        guard let number = descriptor?.number else { return }
        try lookWhetherItIsThere(number)
        var (first, end) = (text.count, 0)
        for note in notes {
            guard let offset = offsets[note.router] else { continue }
            Self.fill(&text, offset, note.note)
            (first, end) = (min(first, offset), max(end, offset + Self.width))
        }
        guard first < end else { return }
        let result = text.withUnsafeBytes {
            ek_pwrite(number, $0.baseAddress?.advanced(by: first), end - first, Int64(first))
        }
        guard try Errno.check(result, "pwrite") == end - first else { throw Errno(ENOSPC, "pwrite") }
    }

    /// Somebody took the file away: what is written here nobody will read. Looked at once a second.
    private func lookWhetherItIsThere(_ number: Int32) throws(Errno) {
        let now = SystemClock.now
        guard now >= lookAt else { return }
        var status = stat()
        guard fstat(number, &status) == 0, status.st_nlink > 0 else { throw Errno(ENOENT, "fstat") }
        lookAt = now + .seconds(1)
    }

    private static func fill(_ text: inout [UInt8], _ offset: Int, _ note: MastershipNote) {
        let (time, sequence): (UInt64, UInt64) =
            switch note {
            case .nothing: (0, 0)
            case .lingering: (1, 0)
            case .master(let time, let sequence): (UInt64(max(2, time.nanoseconds)), sequence?.value ?? 0)
            }
        fill(&text, offset, time)
        fill(&text, offset + digits + 1, sequence)
    }

    private static func fill(_ text: inout [UInt8], _ offset: Int, _ number: UInt64) {
        var rest = number
        for index in (offset..<offset + digits).reversed() {
            text[index] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }
}
