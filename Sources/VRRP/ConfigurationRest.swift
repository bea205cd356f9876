// What a configuration says beside instances and groups. The director has what follows from it; this is kept for the list of what a reload
// would change.

internal import Configuration

struct ConfigurationRest {
    private let configuration: Configuration

    init(_ configuration: Configuration = Configuration()) {
        var rest = configuration
        rest.instances = []
        rest.syncGroups = []
        rest.virtualServers = []
        self.configuration = rest
    }

    /// One line for each word that is to change.
    func changes(to new: Configuration) -> [String] {
        func line<Value: Equatable>(_ word: String, _ part: KeyPath<Configuration, Value>) -> String? {
            configuration[keyPath: part] == new[keyPath: part] ? nil : "\(word): change"
        }
        let lines = [
            line("global_defs", \.global), line("vrrp_script", \.scripts), line("track_file", \.trackFiles),
            line("vrrp_track_process", \.trackProcesses), line("track_unit", \.trackUnits),
            line("bfd_instance", \.bfdSessions), line("interface_up_down_delays", \.linkDelays),
            line("garp_group", \.garpGroups), line("track_group", \.trackGroups),
            line("static_ipaddress", \.staticAddresses), line("static_routes", \.staticRoutes),
            line("static_rules", \.staticRules),
        ]
        return lines.compactMap(\.self)
    }
}
