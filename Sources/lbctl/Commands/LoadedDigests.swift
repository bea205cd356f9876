// Which configuration each daemon has in force, as it says on the bus.
import Bus
import JSON

/// The digests of the configurations in force.
struct LoadedDigests {
    /// By daemon; of a director without a bus nothing is known.
    let digests: [Daemon: String]

    /// Those of a test.
    init(_ digests: [Daemon: String]) {
        self.digests = digests
    }

    /// Asks the bus about daemons that are attached. Nil where nobody can say: without the bus.
    init?(of attached: [Daemon], _ caller: some Daemons) throws(Failure) {
        guard !caller.isDirect else { return nil }
        var digests: [Daemon: String] = [:]
        for (_, event) in try caller.latest([EventType.configuration]) {
            if let daemon = attached.first(where: { $0.rawValue == event.subject }), let data = event.data,
                let loaded = try? data.decode(DaemonConfiguration.self)
            {
                digests[daemon] = loaded.digest
            }
        }
        self.init(digests)
    }

    /// Whether what vrrpd keeps as the configuration in force is: it runs on it, or where it does not run another daemon does.
    func have(_ digest: String) -> Bool {
        digests[.vrrpd].map { $0 == digest } ?? digests.values.contains(digest)
    }

    /// Whether every daemon has it.
    func allHave(_ digest: String) -> Bool { !digests.isEmpty && digests.values.allSatisfy { $0 == digest } }

    /// ` in vrrpd, ipvsd` where some daemons have it and others do not.
    func place(of digest: String) -> String {
        let names = names { $0 == digest }
        return names.isEmpty || names.count == digests.count
            ? "" : " in " + names.map(\.rawValue).joined(separator: ", ")
    }

    /// `vrrpd 1a2b3c4d, checkd 1a2b3c4d`
    var text: String {
        let parts = names { _ in true }.map { "\($0.rawValue) \(digests[$0]?.prefix(8) ?? "")" }
        return parts.isEmpty ? "none says" : parts.joined(separator: ", ")
    }

    private func names(_ isMeant: (String) -> Bool) -> [Daemon] {
        Daemon.allCases.filter { digests[$0].map(isMeant) == true }
    }
}
