// Joins libcurl's multi-socket interface to the loop: curl says which sockets it wants watched and when it wants to be
// woken, the loop says what happened. One of these serves every HTTP and SSL check of the process.
import CCurl
import CLinux
import Glibc
import HealthCheck
import Net
import Platform

/// libcurl could not be loaded.
struct CurlUnavailable: Error, CustomStringConvertible {
    let problem: String
    var description: String { "libcurl cannot be used: \(problem)" }
}

/// Every transfer that is running. Lives as long as the process: curl holds a pointer to it.
final class HTTPTransfers {
    private let loop: EventLoop
    private var curl: OpaquePointer?
    private var watches: [Int32: Watch] = [:]
    private var exchanges: [Int32: HTTPExchange] = [:]
    private var timer: LoopTimer?

    /// Loads libcurl when this is the first in the process.
    init(on loop: EventLoop) throws(CurlUnavailable) {
        self.loop = loop
        var problem = [CChar](repeating: 0, count: 256)
        curl = ek_curl_open(
            Unmanaged.passUnretained(self).toOpaque(),
            { context, descriptor, interest in
                HTTPTransfers.from(context)?.watch(descriptor, interest)
            },
            { context, milliseconds in
                HTTPTransfers.from(context)?.wake(after: milliseconds)
            }, &problem, problem.count)
        guard curl != nil else { throw CurlUnavailable(problem: text(problem)) }
        timer = loop.timer { [weak self] in self?.act(-1, 0) }
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> HTTPTransfers? {
        context.map { Unmanaged<HTTPTransfers>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Starts an exchange on its connection. Throws when memory is short.
    func start(_ exchange: HTTPExchange, on socket: consuming FileDescriptor) throws(ProbeObstacle) {
        let number = socket.release()
        exchanges[number] = exchange
        guard exchange.begin(curl, socket: number) else {
            exchanges[number] = nil
            throw ProbeObstacle(.system(Errno.words(for: ENOMEM)))
        }
    }

    /// Forgets an exchange and closes its connection.
    func end(_ exchange: HTTPExchange) {
        exchange.release()
        // The number may be that of a newer connection already.
        if exchanges[exchange.socket] === exchange { exchanges[exchange.socket] = nil }
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
                    self?.ready(descriptor, $0)
                }
            }
        } catch {
            // Not from here: this is called by curl.
            let outcome = SystemFault.here(error.code)
            let exchange = exchanges[descriptor]
            loop.soon { exchange?.finish(outcome) }
        }
    }

    private func wake(after milliseconds: Int) {
        if milliseconds < 0 {
            timer?.disarm()
        } else {
            timer?.arm(after: .milliseconds(milliseconds))
        }
    }

    private func ready(_ descriptor: Int32, _ readiness: Readiness) {
        var mask: Int32 = 0
        if !readiness.isDisjoint(with: [.read, .hangup, .readHangup]) { mask |= Int32(EK_CURL_READ) }
        if readiness.contains(.write) { mask |= Int32(EK_CURL_WRITE) }
        exchanges[descriptor]?.progressed(heard: mask != Int32(EK_CURL_WRITE))
        act(descriptor, mask)
    }

    private func act(_ descriptor: Int32, _ mask: Int32) {
        ek_curl_ready(curl, descriptor, mask)
        var result = ek_result()
        while let context = ek_curl_next_ended(curl, &result) {
            let exchange = Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue()
            let outcome = exchange.outcome(of: result)
            end(exchange)
            exchange.finish(outcome)
        }
    }
}

/// A C string in a buffer.
func text(_ buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
