// Joins libcurl's multi-socket interface to the loop: curl says which sockets it wants watched and when it wants to be woken, the loop says
// what happened. One of these serves every HTTP and SSL check of the process, another one its alerts.
import CCurl
import CLinux
import Glibc
import Net
import Platform

/// libcurl could not be loaded.
struct CurlUnavailable: Error, CustomStringConvertible {
    let problem: String
    var description: String { "libcurl cannot be used: \(problem)" }
}

/// A multi handle of libcurl. Lives as long as the process: curl holds a pointer to it.
final class CurlLoop {
    private let loop: EventLoop
    /// For `ek_transfer_start` and `ek_message_start`.
    private(set) var curl: OpaquePointer?
    private var watches: [Int32: Watch] = [:]
    private var timer: LoopTimer?
    /// A transfer has ended; its context.
    var ended: (UnsafeMutableRawPointer, ek_result) -> Void = { _, _ in }
    /// A socket is ready, before curl is told; whether there is something to be read, or an error.
    var ready: (Int32, Bool) -> Void = { _, _ in }
    /// A socket cannot be watched: called at the end of the turn.
    var unwatched: (Int32, Errno) -> Void = { _, _ in }

    /// Loads libcurl when this is the first in the process.
    init(on loop: EventLoop) throws(CurlUnavailable) {
        self.loop = loop
        var problem = [CChar](repeating: 0, count: 256)
        curl = ek_curl_open(
            Unmanaged.passUnretained(self).toOpaque(),
            { context, descriptor, interest in
                CurlLoop.from(context)?.watch(descriptor, interest)
            },
            { context, milliseconds in
                CurlLoop.from(context)?.wake(after: milliseconds)
            }, &problem, problem.count)
        guard curl != nil else { throw CurlUnavailable(problem: text(problem)) }
        timer = loop.timer { [weak self] in self?.act(-1, 0) }
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> CurlLoop? {
        context.map { Unmanaged<CurlLoop>.fromOpaque($0).takeUnretainedValue() }
    }

    private func watch(_ descriptor: Int32, _ interest: Int32) {
        guard interest != 0 else {
            watches.removeValue(forKey: descriptor)?.cancel()
            return
        }
        var readiness: Readiness = []
        if interest & Int32(EK_CURL_READ) != 0 { readiness.insert(.read) }
        if interest & Int32(EK_CURL_WRITE) != 0 { readiness.insert(.write) }
        do throws(Errno) {
            if let watch = watches[descriptor] {
                try watch.update(readiness)
            } else {
                watches[descriptor] = try loop.watch(descriptor, readiness) { [weak self] in
                    self?.act(descriptor, $0)
                }
            }
        } catch {
            // Not from here: this is called by curl.
            loop.soon { [weak self] in self?.unwatched(descriptor, error) }
        }
    }

    private func wake(after milliseconds: Int) {
        if milliseconds < 0 {
            timer?.disarm()
        } else {
            timer?.arm(after: .milliseconds(milliseconds))
        }
    }

    private func act(_ descriptor: Int32, _ readiness: Readiness) {
        var mask: Int32 = 0
        if !readiness.isDisjoint(with: [.read, .hangup, .readHangup]) { mask |= Int32(EK_CURL_READ) }
        if readiness.contains(.write) { mask |= Int32(EK_CURL_WRITE) }
        ready(descriptor, mask != Int32(EK_CURL_WRITE))
        act(descriptor, mask)
    }

    private func act(_ descriptor: Int32, _ mask: Int32) {
        ek_curl_ready(curl, descriptor, mask)
        var result = ek_result()
        while let context = ek_curl_next_ended(curl, &result) { ended(context, result) }
    }
}

/// A C string in a buffer.
func text(_ buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
