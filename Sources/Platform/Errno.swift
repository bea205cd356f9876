// A failed system call as a value: which call, which number.
import Glibc

/// A kernel error. C shims return `-errno`; `check` turns that into a value or throws this.
public struct Errno: Error, Hashable, Sendable, CustomStringConvertible {
    /// The number, positive (EPERM is 1).
    public let code: Int32
    /// The call that failed.
    public let call: StaticString

    /// An error of `call`.
    public init(_ code: Int32, _ call: StaticString) {
        self.code = code
        self.call = call
    }

    /// A non-blocking call that would have to wait.
    public var isWouldBlock: Bool { code == EAGAIN || code == EWOULDBLOCK }

    /// Returns `result` when it is not negative, throws otherwise.
    @discardableResult
    public static func check<Result: SignedInteger>(_ result: Result, _ call: StaticString) throws(Errno) -> Result {
        guard result >= 0 else { throw Errno(Int32(clamping: -Int(result)), call) }
        return result
    }

    /// `connect: Connection refused`
    public var description: String { "\(call): \(String(cString: strerror(code)))" }

    /// The error within a sentence, without the call: `connection refused`.
    public static func words(for code: Int32) -> String {
        var octets = Array(String(cString: strerror(code)).utf8)
        if let first = octets.first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) {
            octets[0] = first | 0x20
        }
        return String(decoding: octets, as: UTF8.self)
    }

    public static func == (left: Errno, right: Errno) -> Bool { left.code == right.code }
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}
