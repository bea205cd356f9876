// What is wrong with a director's host, judged from facts. What the daemons see themselves is theirs to say: their alarms come before this.
import Configuration
import Net

extension DoctorFacts {
    /// Everything that this host's own state says.
    func findings() -> [Finding] {
        configurationFindings() + fileFindings() + firewallFindings() + bridgeFindings() + managerFindings()
            + networkdFindings() + clockFindings() + units.flatMap { $0.findings() }
    }

    // MARK: Configuration

    private func configurationFindings() -> [Finding] {
        let check = "lbctl config check \(configurationPath.shellWord)"
        var findings: [Finding] = []
        let errors = diagnostics.filter { $0.severity == .error }
        if let first = errors.first {
            findings.append(
                Finding(
                    severity: .willHurt, subject: "configuration",
                    what: "\(first.position): \(first.message)"
                        + (errors.count > 1 ? " (and \(errors.count - 1) more)" : ""),
                    why: "a daemon that starts with it does not come up, and a reload is refused", remedy: check))
        }
        let machine = diagnostics.filter { $0.severity == .warning && $0.code == .machine }
        findings += machine.map {
            Finding(
                severity: .willHurt, subject: "configuration", what: "\($0.position): \($0.message)", why: nil,
                remedy: $0.remedy ?? check)
        }
        let others = diagnostics.count - errors.count - machine.count
        if others > 0 {
            findings.append(
                Finding(
                    severity: .mayHurt, subject: "configuration", what: "\(counted(others, "warning")) about it",
                    why: "it may not act as its author thinks", remedy: check))
        }
        return findings
    }

    // MARK: Files

    private func fileFindings() -> [Finding] {
        let hasSecrets =
            configuration?.instances.contains { $0.authentication != .none || $0.authenticationHMAC != nil } == true
        let needsReaders = Set(configuration?.neededDaemons ?? []).isDisjoint(with: ["ipvsd", "checkd"]) == false
        return files.flatMap { file -> [Finding] in
            var findings: [Finding] = []
            if file.owner != 0 || file.mode & 0o002 != 0 || (file.mode & 0o020 != 0 && file.group != 0) {
                // A directory with the sticky bit keeps others' files from being replaced.
                if !(file.isDirectory && file.owner == 0 && file.mode & 0o1000 != 0) {
                    findings.append(
                        Finding(
                            severity: .willHurt, subject: "files",
                            what: "\(file.path) can be changed by others than root",
                            why: "they decide who has the addresses, and which programs run as root",
                            remedy: "chown root \(file.path.shellWord); chmod go-w \(file.path.shellWord)"))
                }
            }
            if let group = daemonGroup, needsReaders {
                let (others, members): (UInt32, UInt32) = file.isDirectory ? (0o001, 0o010) : (0o004, 0o040)
                if file.mode & others == 0, file.group != group || file.mode & members == 0 {
                    findings.append(
                        Finding(
                            severity: .willHurt, subject: "files",
                            what: "ipvsd and checkd cannot \(file.isDirectory ? "enter" : "read") \(file.path)",
                            why: "they refuse every reload, and do not start with it",
                            remedy:
                                "chgrp evenkeel-private \(file.path.shellWord); chmod g+\(file.isDirectory ? "rx" : "r") "
                                + file.path.shellWord
                        ))
                }
            }
            if hasSecrets, !file.isDirectory, file.mode & 0o004 != 0 {
                findings.append(
                    Finding(
                        severity: .mayHurt, subject: "files", what: "everybody on this host can read \(file.path)",
                        why: "it holds the password of VRRP: who knows it can take the addresses",
                        remedy: "chgrp evenkeel-private \(file.path.shellWord); chmod o= \(file.path.shellWord)"))
            }
            return findings
        }
    }

    // MARK: Bridges

    /// 224.0.0.0/24 is flooded whatever a bridge knows: br_multicast_ipv4_rcv in net/bridge/br_multicast.c. Of IPv6 only ff02::1 is.
    private func bridgeFindings() -> [Finding] {
        (configuration?.instances ?? []).compactMap { instance in
            guard case .multicast(let group) = instance.delivery, !group.isAlwaysFlooded,
                let interface = instance.interface,
                let bridge = bridges.first(where: { $0.name == interface || $0.ports.contains(interface) }),
                bridge.snoops, !bridge.groups.contains(group)
            else { return nil }
            return Finding(
                severity: bridge.isQuerier ? .willHurt : .mayHurt, subject: "bridge",
                what:
                    "bridge \(bridge.name) snoops multicast, and knows nobody who listens to \(group), the group of \(instance.name)",
                why: (bridge.isQuerier ? "it" : "as soon as something on that network asks who listens, it")
                    + " keeps advertisements from the other directors: two become master",
                remedy: "ip link set \(bridge.name.shellWord) type bridge mcast_snooping 0")
        }
    }

    // MARK: Others who manage the same

    private func managerFindings() -> [Finding] {
        var findings: [Finding] = []
        for manager in Manager.allCases {
            if let pid = managers[manager] {
                findings.append(manager.finding("runs here (process \(pid))", configuration, isRunning: true))
            } else if enabledManagers.contains(manager) {
                findings.append(manager.finding("starts at the next boot", configuration, isRunning: false))
            }
        }
        for interface in interfaces where managedByNetworkManager.contains(interface) {
            findings.append(
                Finding(
                    severity: .mayHurt, subject: "NetworkManager", what: "NetworkManager manages \(interface)",
                    why: "when it activates the connection anew, virtual addresses are gone until vrrpd puts them back",
                    remedy:
                        "nmcli device set \(interface.shellWord) managed no, and unmanaged-devices in NetworkManager.conf"
                ))
        }
        return findings
    }

    private func networkdFindings() -> [Finding] {
        guard let networkd, let configuration else { return [] }
        var findings: [Finding] = []
        func setting(_ word: String, _ what: String) -> Finding {
            Finding(
                severity: .willHurt, subject: "systemd-networkd",
                what: "systemd-networkd takes away \(what) that are not its own (\(word)=yes)",
                why: "at its next start or reload those of the configuration are gone until vrrpd puts them back",
                remedy:
                    "printf '[Network]\\n\(word)=no\\n' >/etc/systemd/networkd.conf.d/evenkeel-\(word).conf (mkdir -p its "
                    + "directory first); systemctl restart systemd-networkd")
        }
        let instances = configuration.instances
        if networkd.managesForeignRoutes,
            !configuration.staticRoutes.isEmpty || instances.contains(where: { !$0.routes.isEmpty })
        {
            findings.append(setting("ManageForeignRoutes", "routes"))
        }
        if networkd.managesForeignRules,
            !configuration.staticRules.isEmpty || instances.contains(where: { !$0.rules.isEmpty })
        {
            findings.append(setting("ManageForeignRoutingPolicyRules", "routing rules"))
        }
        for interface in interfaces {
            guard let network = networkd.networks[interface], !network.keepsConfiguration else { continue }
            let name = network.path.split(separator: "/").last ?? ""
            let directory = "/etc/systemd/network/\(name).d".shellWord
            findings.append(
                Finding(
                    severity: .willHurt, subject: "systemd-networkd",
                    what: "systemd-networkd sets \(interface) up by \(network.path), without KeepConfiguration",
                    why: "when it starts anew, virtual addresses are gone until vrrpd puts them back",
                    remedy:
                        "mkdir -p \(directory); printf '[Network]\\nKeepConfiguration=static\\n' >\(directory)/evenkeel.conf; "
                        + "networkctl reload"))
        }
        return findings
    }

    // MARK: The clock

    private func clockFindings() -> [Finding] {
        guard clockIsSynchronised == false else { return [] }
        let byTime = configuration?.instances.first { $0.authenticationHMAC?.antiReplay == .time }
        return [
            Finding(
                severity: byTime == nil ? .mayHurt : .willHurt, subject: "clock",
                what: "nothing keeps this host's clock right",
                why: byTime.map {
                    "\($0.name) drops signed advertisements whose time is not near this host's: when the clocks of the directors part, "
                        + "both become master"
                } ?? "logs of the directors cannot be put side by side, and certificates are judged by a wrong date",
                remedy: "timedatectl set-ntp true (systemd-timesyncd), or apt install chrony")
        ]
    }
}

extension IPAddress {
    fileprivate var isAlwaysFlooded: Bool { octets.count == 4 && octets.starts(with: [224, 0, 0]) }
}

extension DoctorFacts.Manager {
    fileprivate func finding(_ how: String, _ configuration: Configuration?, isRunning: Bool) -> Finding {
        let (why, remedy): (String, String)
        switch self {
        case .keepalived, .ldirectord:
            let table = "what one of them writes into the table the other one takes out"
            why = self == .keepalived ? "both hold the same addresses, and \(table)" : table
            remedy = isRunning ? "systemctl disable --now \(rawValue)" : "systemctl disable \(rawValue)"
        case .ucarp:
            why = "it speaks the protocol number of VRRP and keeps addresses of its own"
            remedy = "systemctl disable --now ucarp, or give both other numbers and addresses"
        case .kubeProxy:
            let addresses = Set((configuration?.virtualServers ?? []).compactMap(\.identity.address)).sorted()
            why = "in mode ipvs it deletes services of the table that are not its own"
            remedy =
                "name the services' addresses in ipvs.excludeCIDRs of its configuration"
                + (addresses.isEmpty
                    ? "" : ": " + addresses.prefix(8).map { "\($0)/\($0.family.bits)" }.joined(separator: ","))
        }
        return Finding(
            severity: .willHurt, subject: rawValue, what: "\(rawValue) \(how)", why: why, remedy: remedy)
    }
}

extension VirtualServerIdentity {
    fileprivate var address: IPAddress? {
        if case .address(_, let endpoint) = self { endpoint.address } else { nil }
    }
}
