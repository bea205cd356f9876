// What the probes of this process share: the loop that watches their sockets, and libcurl, which is loaded for the first HTTP check that
// has a connection.
import Platform

/// The resources of running probes.
final class ProbeNetwork {
    let loop: EventLoop
    private var loaded: HTTPTransfers?

    init(on loop: EventLoop) {
        self.loop = loop
    }

    /// libcurl's transfers. Tried again after a failure: a missing library may be installed.
    func transfers() throws(CurlUnavailable) -> HTTPTransfers {
        if let loaded { return loaded }
        let transfers = try HTTPTransfers(on: loop)
        loaded = transfers
        return transfers
    }
}
