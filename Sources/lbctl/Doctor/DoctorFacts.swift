// What a doctor looks at beside what the daemons say: a value, so that every finding can be tested without a host that has it.
import Configuration
import Net

/// A director's host.
struct DoctorFacts {
    /// A file or directory on the way to the configuration.
    struct File: Equatable {
        var path: String
        var isDirectory = false
        var owner: UInt32 = 0
        var group: UInt32 = 0
        /// Permission bits.
        var mode: UInt32 = 0o640
    }

    /// A Linux bridge.
    struct Bridge: Equatable {
        var name: String
        var snoops = false
        /// It asks itself who listens: then snooping is in force.
        var isQuerier = false
        /// Its interfaces.
        var ports: Set<String> = []
        /// Groups that somebody behind it listens to.
        var groups: Set<IPAddress> = []
    }

    /// A program that keeps addresses or the table too.
    enum Manager: String, CaseIterable {
        case keepalived, ldirectord, ucarp
        case kubeProxy = "kube-proxy"
    }

    /// systemd-networkd, while it runs.
    struct Networkd: Equatable {
        /// The file that an interface is set up by.
        struct Network: Equatable {
            var path: String
            var keepsConfiguration = false
        }

        var managesForeignRoutes = true
        var managesForeignRules = true
        var networks: [String: Network] = [:]
    }

    /// A unit and what was put over it.
    struct Unit: Equatable {
        struct Text: Equatable {
            var path: String
            var content: String
        }

        var name: String
        /// What the package brings.
        var packaged: Text
        /// What was put over it, in the order in which systemd reads it.
        var overrides: [Text] = []
        /// Changed since systemd has read it.
        var needsReload = false
    }

    var configurationPath = ""
    /// Nil: it has errors, or cannot be read.
    var configuration: Configuration?
    var diagnostics: [Diagnostic] = []
    var files: [File] = []
    /// evenkeel-private's number; nil: there is no such group, so nothing is installed.
    var daemonGroup: UInt32?
    var firewall: [FirewallTable] = []
    /// `net.ipv4.vs.conntrack` is 1.
    var ipvsTracks = false
    var bridges: [Bridge] = []
    /// Nil: not known.
    var clockIsSynchronised: Bool?
    /// Those that run in this network namespace, with a process.
    var managers: [Manager: Int] = [:]
    /// Those that start at the next boot.
    var enabledManagers: Set<Manager> = []
    var networkd: Networkd?
    /// Interfaces that NetworkManager manages.
    var managedByNetworkManager: Set<String> = []
    var units: [Unit] = []
    /// What could not be looked at, and why.
    var gaps: [String] = []

    /// Interfaces that this director's addresses are on or go by.
    var interfaces: [String] {
        var seen: Set<String> = []
        let all =
            (configuration?.instances ?? []).flatMap { instance in
                [instance.interface] + (instance.virtualAddresses + instance.excludedAddresses).map(\.device)
            } + (configuration?.staticAddresses ?? []).map(\.device)
        return all.compactMap(\.self).filter { seen.insert($0).inserted }
    }
}
