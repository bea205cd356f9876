// The HTTP exchanges that are under way: which connection is whose, and who hears of its progress and its end.
import CCurl
import Glibc
import HealthCheck
import Net
import Platform

/// Every exchange that is running.
final class HTTPTransfers {
    private let curl: CurlLoop
    private var exchanges: [Int32: HTTPExchange] = [:]

    /// Loads libcurl when this is the first in the process.
    init(on loop: EventLoop) throws(CurlUnavailable) {
        curl = try CurlLoop(on: loop)
        curl.ready = { [weak self] descriptor, isHeard in
            self?.exchanges[descriptor]?.progressed(heard: isHeard)
        }
        curl.unwatched = { [weak self] descriptor, error in
            self?.exchanges[descriptor]?.finish(SystemFault.here(error.code))
        }
        curl.ended = { [weak self] context, result in
            let exchange = Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue()
            let outcome = exchange.outcome(of: result)
            self?.end(exchange)
            exchange.finish(outcome)
        }
    }

    /// Starts an exchange on its connection. Throws when memory is short.
    func start(_ exchange: HTTPExchange, on socket: consuming FileDescriptor) throws(ProbeObstacle) {
        let number = socket.release()
        exchanges[number] = exchange
        guard exchange.begin(curl.curl, socket: number) else {
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
}
