// The words for the values of the interfaces, the same on every screen.
import Bus

extension VrrpAPI.State {
    /// Master is shouted: it is what one looks for.
    var cell: Cell {
        switch self {
        case .initialize: Cell("starting", .warning)
        case .backup: "backup"
        case .master: Cell("MASTER", .good)
        case .fault: Cell("FAULT", .bad)
        case .other(let word): Cell(word, .warning)
        }
    }
}

extension VrrpAPI.TrackerState {
    var cell: Cell {
        switch self {
        case .good: Cell("up", .good)
        case .failed: Cell("DOWN", .bad)
        case .unknown, .number, .other: Cell(rawValue, .warning)
        }
    }
}

extension VrrpAPI.Checksum {
    /// What it covers.
    var words: String {
        switch self {
        case .pseudoHeader: "with pseudo-header"
        case .messageOnly: "message only"
        case .groupPseudoHeader: "of old keepalived"
        case .other(let word): word
        }
    }
}

extension VrrpAPI.Instance {
    /// The state, or that a person took it out of the election, which does not hide that it holds the addresses or cannot.
    var state: Cell {
        guard runtime.steppedDown else { return runtime.state.cell }
        switch runtime.state {
        case .master, .fault: return Cell("\(runtime.state.cell.text), stepped down", .warning)
        case .initialize, .backup, .other: return Cell("stepped down", .warning)
        }
    }

    /// Who holds the addresses as far as this director knows.
    var holder: String {
        switch runtime.state {
        case .master: "this director"
        case .backup, .fault, .initialize, .other: runtime.master ?? "unknown"
        }
    }

    /// Every address of the instance.
    var addresses: [String] { (context.virtualAddresses ?? []) + (context.excludedAddresses ?? []) }

    /// Addresses of the instance that are not on the interface; lengths are not compared, the kernel may know better.
    var missingAddresses: [String] {
        func bare(_ address: String) -> Substring { address.prefix { $0 != "/" } }
        let held = Set(runtime.heldAddresses.map(bare))
        return addresses.filter { !held.contains(bare($0)) }
    }
}

extension IpvsAPI.ServiceState {
    var cell: Cell {
        switch self {
        case .up: Cell("up", .good)
        case .down: Cell("DOWN", .bad)
        case .other(let word): Cell(word, .warning)
        }
    }
}

extension IpvsAPI.Service {
    /// Up or down is what ipvsd says of services that it looks after.
    var state: Cell {
        if origin == .foreign { return Cell("foreign", .faint) }
        return runtime.isLeaving == true ? Cell("leaving", .warning) : runtime.state.cell
    }

    /// Whether it is not simply up with all its servers.
    var wantsAttention: Bool {
        guard isLookedAfter else { return false }
        return runtime.state == .down || runtime.problem != nil || !runtime.inKernel
            || members.contains { $0.runtime.health == .down || $0.runtime.override != nil }
    }

    /// ipvsd answers for it: it is not somebody else's, and has not left the configuration.
    var isLookedAfter: Bool { origin != .foreign && runtime.isLeaving != true }

    /// Its servers without those that left the configuration.
    var members: [IpvsAPI.Server] { servers.filter { $0.runtime.departure == nil } }

    /// `1 of 2 servers in use`, and how many drain because they left the configuration.
    func use(_ noun: String) -> String {
        let leaving = servers.count - members.count
        let use = "\(serversInUse) of \(noun.isEmpty ? "\(members.count)" : counted(members.count, noun) + " in use")"
        return leaving > 0 ? "\(use), \(leaving) leaving" : use
    }

    /// How many servers can take connections.
    var serversInUse: Int { servers.count { $0.runtime.effectiveWeight > 0 } }
}

extension IpvsAPI.ListServices.Reply {
    /// Decisions about servers that are not configured.
    var knownOrphans: [IpvsAPI.Orphan] { orphans ?? [] }
}

extension IpvsAPI.Server {
    /// `192.168.200.103:80`: the name without its service, which is always nearby.
    var address: String { String(name[(name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex)...]) }

    /// The verdict, and what a person decided beside it.
    var state: Cell {
        if origin == .foreign { return Cell("foreign", .faint) }
        if runtime.departure != nil { return Cell("leaving", .warning) }
        let doubt = runtime.stale ? "?" : ""
        switch (runtime.health, runtime.override?.kind) {
        case (.up, .drain): return Cell(runtime.override?.isOver == true ? "drained" : "draining", .warning)
        case (.up, .disable): return Cell("disabled", .warning)
        case (.up, .weight), (.up, nil): return Cell("up" + doubt, .good)
        case (.down, .drain): return Cell("DOWN\(doubt), drained", .bad)
        case (.down, .disable): return Cell("DOWN\(doubt), disabled", .bad)
        case (.down, .weight), (.down, nil): return Cell("DOWN" + doubt, .bad)
        case (.unknown, .drain): return Cell("drained", .warning)
        case (.unknown, .disable): return Cell("disabled", .warning)
        case (.unknown, .weight), (.unknown, nil): return Cell("unknown", .warning)
        case (.other(let health), nil), (.other(let health), .weight): return Cell(health + doubt, .warning)
        case (.other(let health), .drain): return Cell("\(health)\(doubt), drained", .warning)
        case (.other(let health), .disable): return Cell("\(health)\(doubt), disabled", .warning)
        case (let health, .other(let decision)): return Cell("\(health.rawValue)\(doubt), \(decision)", .warning)
        }
    }

    /// Why the verdict is what it is.
    var reason: String {
        let weight = runtime.weightChange.map { ", its checks add \($0) to weight \(context.weight ?? 0)" } ?? ""
        return runtime.reason + weight + (runtime.stale ? ", as last heard" : "")
    }

    /// The configured weight and what its checks add.
    var checkedWeight: Int? {
        context.weight.map { weight in
            let sum = weight.addingReportingOverflow(runtime.weightChange ?? 0)
            return sum.overflow ? weight : min(max(0, sum.partialValue), Int(Int32.max))
        }
    }

    /// The weight in the kernel, with the one that is wanted of a healthy server where they differ.
    var weight: Cell {
        let wanted = runtime.departure == nil ? runtime.override?.weight ?? checkedWeight : 0
        let configured = wanted ?? runtime.effectiveWeight
        guard configured != runtime.effectiveWeight else { return Cell(configured) }
        return Cell("\(runtime.effectiveWeight) of \(configured)", .warning)
    }
}

extension IpvsAPI.Override {
    /// What was done to the server: "server X was …".
    var participle: String {
        switch kind {
        case .weight: "given weight \(weight ?? 0)"
        case .drain: "drained"
        case .disable: "disabled"
        case .other(let word): "changed by hand (\(word))"
        }
    }
}

extension CheckAPI.ServerHealth {
    /// Why, and whether that has been found out or is assumed.
    var words: String { verified ? reason : reason + ", not probed yet" }
}

extension CheckAPI.Health {
    var cell: Cell {
        switch self {
        case .up: Cell("up", .good)
        case .down: Cell("DOWN", .bad)
        case .unknown: Cell("unknown", .warning)
        case .other(let word): Cell(word, .warning)
        }
    }
}

/// The first few of many, on one line.
func shortened(_ values: [String], to count: Int = 3) -> String {
    let shown = values.prefix(count).joined(separator: " ")
    return values.count > count ? shown + " and \(values.count - count) more" : shown
}

extension IpvsAPI.Synchronisation {
    /// What runs: "sent to the other director: eth0, id 51, group 224.0.0.81".
    var cell: Cell {
        guard !daemons.isEmpty else {
            return Cell(problem ?? "not synchronised yet: the state of \(instance ?? "vrrpd") is not known", .warning)
        }
        let text = daemons.map { daemon in
            let what =
                switch daemon.role {
                case .master: "sent to the other director"
                case .backup: "taken from the other director"
                case .other(let word): word
                }
            return "\(what): \(daemon.interface), id \(daemon.syncID), group \(daemon.group), port \(daemon.port)"
        }.joined(separator: "; ")
        return problem == nil ? Cell(text) : Cell(text, .warning)
    }
}
