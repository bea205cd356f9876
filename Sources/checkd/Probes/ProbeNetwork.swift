// What the probes of this process share: the loop that watches their sockets, libcurl, which is loaded for the first HTTP check that has a
// connection, and the way to scriptd.
import Configuration
import Platform

/// The resources of running probes.
final class ProbeNetwork {
    let loop: EventLoop
    /// scriptd's socket.
    let scriptd: String
    /// Programs under way.
    let programs: ProgramPlaces
    /// What checks track.
    let tracked: TrackedThings
    /// Certificates and keys.
    let files: TLSFiles
    /// How programs run; from the configuration in force.
    var scriptRules = ScriptRules()
    private var loaded: HTTPTransfers?

    /// `subscribe` follows what vrrpd says of BFD sessions.
    init(on loop: EventLoop, scriptd: String, subscribe: @escaping BFDNews.Subscribe = { _ in nil }) {
        self.loop = loop
        self.scriptd = scriptd
        programs = ProgramPlaces(on: loop)
        tracked = TrackedThings(on: loop, subscribe: subscribe)
        files = TLSFiles(on: loop)
    }

    /// libcurl's transfers. Tried again after a failure: a missing library may be installed.
    func transfers() throws(CurlUnavailable) -> HTTPTransfers {
        if let loaded { return loaded }
        let transfers = try HTTPTransfers(on: loop)
        loaded = transfers
        return transfers
    }
}
