// What drop-ins and copies in /etc change of the units that the package brings: the packaged text is the measure, and only what something depends on is
// looked at.

extension DoctorFacts.Unit {
    /// Settings that something depends on, and what.
    private static let reasons: [(key: String, severity: Finding.Severity, why: String)] = [
        ("Restart", .willHurt, "a daemon that ends is not started again as it must be"),
        ("RestartSec", .mayHurt, "a master is back too late to go on unnoticed: its addresses move, or come back late"),
        (
            "RestartKillSignal", .willHurt,
            "'systemctl restart' becomes a stop: vrrpd gives its addresses up, services are told as gone"
        ),
        ("KillMode", .willHurt, "a stop also ends what has to outlive it, or leaves processes behind"),
        ("KillSignal", .willHurt, "the daemon does not hear that it is to stop, and is killed without handing over"),
        ("Type", .willHurt, "systemd does not hear when the daemon is ready, so the others start too early"),
        ("NotifyAccess", .willHurt, "signs of life do not reach systemd: the watchdog ends a daemon that is well"),
        ("WatchdogSec", .mayHurt, "a daemon that hangs is ended later, or one that is busy is ended"),
        ("StartLimitIntervalSec", .willHurt, "after some ends in a row systemd starts it no more"),
        ("StartLimitBurst", .willHurt, "after some ends in a row systemd starts it no more"),
        ("User", .willHurt, "the bus and the other daemons know it by its user, and its files are another's"),
        ("Group", .willHurt, "it cannot reach the other daemons' sockets"),
        ("SupplementaryGroups", .willHurt, "it cannot reach the other daemons' sockets, nor read the configuration"),
        ("AmbientCapabilities", .willHurt, "it lacks what it needs to work, or has more than it should"),
        ("CapabilityBoundingSet", .willHurt, "it lacks what it needs to work, or has more than it should"),
        ("PrivateNetwork", .willHurt, "it works in a network of its own, where nothing is"),
        ("ExecStopPost", .mayHurt, "a vrrpd that hung at the stop leaves its addresses behind"),
        ("ReadWritePaths", .willHurt, "it cannot write what it must"),
        ("RestrictAddressFamilies", .willHurt, "it cannot speak with the kernel or the network"),
        ("MemoryMax", .mayHurt, "it is ended when it needs more than that"),
        ("LimitNOFILE", .mayHurt, "it can have fewer connections and checks"),
        ("OOMScoreAdjust", .mayHurt, "it may be the first to be ended when memory is short"),
        ("NoNewPrivileges", .mayHurt, "it is less shut in than it is meant to be"),
        ("ProtectSystem", .mayHurt, "it is less shut in than it is meant to be"),
        ("ProtectHome", .mayHurt, "it is less shut in than it is meant to be"),
        ("PrivateDevices", .mayHurt, "it is less shut in than it is meant to be"),
        ("ProtectKernelTunables", .mayHurt, "it is less shut in than it is meant to be"),
        ("RestrictNamespaces", .mayHurt, "it is less shut in than it is meant to be"),
        ("SystemCallFilter", .mayHurt, "it is less shut in than it is meant to be, or is ended when it needs a call"),
        ("MemoryDenyWriteExecute", .mayHurt, "it is less shut in than it is meant to be"),
    ]

    func findings() -> [Finding] {
        var findings: [Finding] = []
        let packagedSettings = Self.settings(of: [packaged])
        let settings = Self.settings(of: replaced ? overrides : [packaged] + overrides)
        for (key, severity, why) in Self.reasons where packagedSettings[key] != settings[key] {
            // Who names the last of them last, has it so.
            let place = (overrides.last { $0.names(key) } ?? overrides.first)?.path ?? ""
            let now = settings[key]?.joined(separator: " ") ?? "(nothing)"
            let wanted = packagedSettings[key]?.joined(separator: " ") ?? "(nothing)"
            findings.append(
                Finding(
                    severity: severity, subject: name, what: "\(place) makes \(key)=\(now) of \(wanted)", why: why,
                    remedy:
                        "take \(key)= out of \(place.shellWord) ('systemctl revert \(name)' takes all away); systemctl daemon-reload; "
                        + "systemctl restart \(name)"))
        }
        if replaced, let copy = overrides.first {
            findings.append(
                Finding(
                    severity: .mayHurt, subject: name, what: "\(copy.path) stands in place of \(packaged.path)",
                    why: "an upgrade that changes the unit changes nothing here",
                    remedy: "systemctl revert \(name), and only what differs in a drop-in: systemctl edit \(name)"))
        }
        if needsReload {
            findings.append(
                Finding(
                    severity: .mayHurt, subject: name, what: "its unit was changed, and systemd has not read it",
                    why: "what runs at the next start is not what runs now", remedy: "systemctl daemon-reload"))
        }
        return findings
    }

    /// A whole unit of the same name comes before the packaged one.
    private var replaced: Bool { overrides.first?.path.hasSuffix(".service") == true }

    /// Values by key; an empty one takes away what was before. Lists of systemd are several words or several lines.
    private static func settings(of texts: [Text]) -> [String: [String]] {
        var settings: [String: [String]] = [:]
        for text in texts {
            for line in text.content.split(separator: "\n") {
                let line = line.drop { $0.isWhitespace }
                guard let first = line.first, first != "#", first != ";", first != "[",
                    let sign = line.firstIndex(of: "=")
                else { continue }
                let key = line[..<sign].split(separator: " ").first.map(String.init) ?? ""
                let words = line[line.index(after: sign)...].split { $0.isWhitespace }.map(String.init)
                if words.isEmpty {
                    settings[key] = nil
                } else if lists.contains(key) {
                    settings[key] = ((settings[key] ?? []) + words).sorted()
                } else {
                    settings[key] = words
                }
            }
        }
        return settings
    }

    private static let lists: Set<String> = [
        "SupplementaryGroups", "AmbientCapabilities", "CapabilityBoundingSet", "ReadWritePaths",
        "RestrictAddressFamilies", "SystemCallFilter", "ExecStopPost",
    ]
}

extension DoctorFacts.Unit.Text {
    /// It says something about a key, if only that it has no value.
    fileprivate func names(_ key: String) -> Bool {
        content.split(separator: "\n").contains { line in
            let line = line.drop { $0.isWhitespace }
            return line.hasPrefix(key) && line.dropFirst(key.count).drop { $0.isWhitespace }.first == "="
        }
    }
}
