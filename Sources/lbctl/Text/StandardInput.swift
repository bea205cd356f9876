// Standard input, read whole.
import Glibc
import JSON

enum StandardInput {
    /// Everything up to the end, no more than a message may hold unless said otherwise.
    static func all(limit: Int = JSONLimits.message.octets) throws(Failure) -> [UInt8] {
        var octets: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while octets.count <= limit {
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            if count == 0 { return octets }
            guard count > 0 else { throw .usage("standard input: \(String(cString: strerror(errno)))") }
            octets += buffer[..<count]
        }
        throw .usage("standard input has more than \(limit) octets")
    }
}
