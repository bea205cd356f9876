// Reads what the doctor looks at: files of /proc and /etc, and what nft, iptables-save, ip, bridge, systemctl and nmcli say. What is not installed is not in
// force; what is and does not answer is a gap that is said. Nothing is changed.
import Configuration
import Glibc
import JSON
import Net
import Platform

extension DoctorFacts {
    /// Those of this host, in the network namespace of this thread.
    /// - Parameter instance: of `evenkeel@NAME.target`; nil: of `evenkeel.target`.
    init(configurationAt path: String, instance: String? = nil) {
        self.init()
        configurationPath = path
        readConfiguration()
        readFirewall()
        readBridges()
        readManagers()
        readNetworkd()
        readUnits(of: instance)
        ipvsTracks = Self.text("/proc/sys/net/ipv4/vs/conntrack")?.hasPrefix("1") == true
        clockIsSynchronised = SystemClock.isSynchronised
        daemonGroup = getgrnam("evenkeel-private").map(\.pointee.gr_gid)
    }

    /// A small file; nil: there is none, or it cannot be read.
    private static func text(_ path: String) -> String? {
        let octets = (try? FileSystem.contents(of: path, limit: 1 << 20)) ?? nil
        return octets.map { String(decoding: $0, as: UTF8.self) }
    }

    // MARK: Configuration

    private mutating func readConfiguration() {
        let files = NotedFiles()
        let loaded = Configuration.load(
            files: files, path: configurationPath, machine: ThisMachine(isExamined: true))
        if geteuid() != 0, let path = files.paths.first(where: { access($0, R_OK) != 0 && errno == EACCES }) {
            gaps.append("the configuration: this user may not read \(path): run lbctl as root")
        } else {
            (configuration, diagnostics) = (loaded.configuration, loaded.diagnostics)
        }
        var paths: [String] = []
        for path in files.paths {
            guard access(path, F_OK) == 0 else { continue }
            var part = Self.resolved(path)
            while !part.isEmpty, !paths.contains(part) {
                paths.append(part)
                part = String(part[..<(part.lastIndex(of: "/") ?? part.startIndex)])
            }
        }
        self.files = paths.sorted().compactMap { path in
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            return File(
                path: path, isDirectory: status.st_mode & S_IFMT == S_IFDIR, owner: status.st_uid,
                group: status.st_gid, mode: status.st_mode & 0o7777)
        }
    }

    // MARK: What other programs say

    /// What a program says; nil where it is not installed, a gap where it fails.
    private mutating func answer(_ what: String, _ words: [String]) -> String? {
        guard let program = Self.path(of: words[0]) else { return nil }
        do {
            return try ProgramOutput.of([program] + words.dropFirst())
        } catch {
            gaps.append("\(what): \(words.joined(separator: " ")): \(error)")
            return nil
        }
    }

    private mutating func json(_ what: String, _ words: [String]) -> JSONValue? {
        guard let text = answer(what, words) else { return nil }
        // `bridge` and `ip` may say nothing at all for nothing.
        guard !text.allSatisfy(\.isWhitespace) else { return nil }
        do throws(JSONError) {
            return try JSONValue(parsing: Array(text.utf8), limits: JSONLimits(octets: 16 << 20, depth: 64))
        } catch {
            gaps.append("\(what): \(words.joined(separator: " ")): \(error)")
            return nil
        }
    }

    private static func path(of program: String) -> String? {
        ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].lazy.map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }

    /// Rules may be in force without the program that would list them.
    private mutating func readFirewall() {
        for (program, sign, package) in [
            ("nft", "/sys/module/nf_tables", "nftables"),
            ("iptables-save", "/proc/net/ip_tables_names", "iptables"),
            ("ip6tables-save", "/proc/net/ip6_tables_names", "iptables"),
        ]
        where Self.path(of: program) == nil
            && (sign.hasPrefix("/sys") ? access(sign, F_OK) == 0 : Self.text(sign)?.isEmpty == false)
        {
            gaps.append("firewall: \(program) is not installed, and there may be rules: apt install \(package)")
        }
        if let ruleset = json("firewall", ["nft", "--json", "--numeric-protocol", "list", "ruleset"]) {
            firewall += FirewallTable.nftables(ruleset)
            for family in FirewallTable.familiesBelow(ruleset) {
                gaps.append("firewall: nftables' rules of family \(family): 'nft list ruleset \(family)' shows them")
            }
        }
        for (program, kind) in [("iptables-save", FirewallTable.Kind.iptables), ("ip6tables-save", .ip6tables)] {
            if let text = answer("firewall", [program]) { firewall += FirewallTable.iptables(text, kind) }
        }
    }

    private mutating func readBridges() {
        if Self.path(of: "ip") == nil { gaps.append("bridges: ip is not installed: apt install iproute2") }
        guard let links = json("bridges", ["ip", "-json", "-details", "link", "show"])?.array else { return }
        for link in links {
            guard let name = link["ifname"]?.string, link["linkinfo"]?["info_kind"]?.string == "bridge" else {
                continue
            }
            let data = link["linkinfo"]?["info_data"]
            bridges.append(
                Bridge(
                    name: name, snoops: data?["mcast_snooping"]?.int == 1, isQuerier: data?["mcast_querier"]?.int == 1,
                    ports: Set(links.filter { $0["master"]?.string == name }.compactMap { $0["ifname"]?.string })))
        }
        guard !bridges.isEmpty, let answers = json("bridges", ["bridge", "-json", "mdb", "show"])?.array else { return }
        for entry in answers.flatMap({ $0["mdb"]?.array ?? [] }) {
            guard let index = bridges.firstIndex(where: { $0.name == entry["dev"]?.string }),
                let group = entry["grp"]?.string.flatMap({ IPAddress($0) })
            else { continue }
            bridges[index].groups.insert(group)
        }
    }

    private mutating func readManagers() {
        for path in (try? DiskFiles().paths(matching: "/proc/[0-9]*/comm")) ?? [] {
            guard let name = path.split(separator: "/").dropFirst().first, let pid = Int(name),
                let program = Self.text(path)?.split(separator: "\n").first,
                let manager = Manager(rawValue: String(program)), managers[manager] == nil
            else { continue }
            var owner = stat()
            // Anybody can call a program so; without rights it changes nothing.
            guard stat("/proc/\(name)", &owner) == 0, owner.st_uid == 0 else { continue }
            let namespace = "/proc/\(name)/ns/net"
            var status = stat()
            if stat(namespace, &status) != 0 {
                gaps.append("whether \(program) (process \(pid)) works in this network: run lbctl as root")
            } else if NetworkNamespace.isCurrent(namespace) {
                managers[manager] = pid
            }
        }
        for manager in [Manager.keepalived, .ldirectord, .ucarp] {
            // Its exit status says that it is not; that is no gap.
            guard let systemctl = Self.path(of: "systemctl"),
                let state = try? ProgramOutput.of([systemctl, "is-enabled", "\(manager.rawValue).service"])
            else { continue }
            if state.hasPrefix("enabled") { enabledManagers.insert(manager) }
        }
        guard access("/run/NetworkManager", F_OK) == 0,
            let lines = answer("NetworkManager", ["nmcli", "--terse", "--fields", "DEVICE,STATE", "device"])
        else { return }
        for line in lines.split(separator: "\n") {
            let parts = line.split(separator: ":")
            if parts.count == 2, parts[1] != "unmanaged" { managedByNetworkManager.insert(String(parts[0])) }
        }
    }

    // MARK: systemd

    private mutating func readNetworkd() {
        guard access("/run/systemd/netif/links", F_OK) == 0 else { return }
        var found = Networkd()
        let text = Self.merged("/etc/systemd/networkd.conf", beside: "networkd.conf.d")
        found.managesForeignRoutes = Self.flag("ManageForeignRoutes", in: text) ?? true
        found.managesForeignRules = Self.flag("ManageForeignRoutingPolicyRules", in: text) ?? true
        for interface in interfaces {
            let index = if_nametoindex(interface)
            guard index > 0, let state = Self.text("/run/systemd/netif/links/\(index)"),
                let path = Self.value("NETWORK_FILE", in: state)
            else { continue }
            let name = path.split(separator: "/").last.map(String.init) ?? ""
            let text = (Self.text(path) ?? "") + Self.dropIns("network/\(name).d")
            let keeps = Self.value("KeepConfiguration", in: text) ?? "no"
            found.networks[interface] = Networkd.Network(
                path: path, keepsConfiguration: ["yes", "static", "true", "1", "on"].contains(keeps))
        }
        networkd = found
    }

    /// A file of systemd and its drop-ins, in the order in which the last one counts.
    private static func merged(_ path: String, beside directory: String) -> String {
        (text(path) ?? "") + "\n" + dropIns(directory)
    }

    private static func dropIns(_ directory: String) -> String {
        var byName: [String: String] = [:]
        for place in ["/usr/lib/systemd", "/run/systemd", "/etc/systemd"] {
            for path in (try? DiskFiles().paths(matching: "\(place)/\(directory)/*.conf")) ?? [] {
                byName[path.split(separator: "/").last.map(String.init) ?? ""] = path
            }
        }
        return byName.sorted { $0.key < $1.key }.map { "\n" + (text($0.value) ?? "") }.joined()
    }

    /// The last value of a key.
    private static func value(_ key: String, in text: String) -> String? {
        text.split(separator: "\n").last { $0.hasPrefix("\(key)=") }
            .map { String($0.dropFirst(key.utf8.count + 1)).filter { !$0.isWhitespace } }
    }

    private static func flag(_ key: String, in text: String) -> Bool? {
        value(key, in: text).map { ["yes", "true", "1", "on"].contains($0.lowercased()) }
    }

    private mutating func readUnits(of instance: String?) {
        for daemon in ["busd", "vrrpd", "ipvsd", "checkd", "scriptd"] {
            let name = "evenkeel-\(daemon)\(instance.map { "@\($0)" } ?? "").service"
            guard let packaged = Self.packaged("evenkeel-\(daemon)\(instance == nil ? "" : "@").service"),
                let answer = answer(
                    "units", ["systemctl", "show", "--property=FragmentPath,DropInPaths,NeedDaemonReload", name])
            else { continue }
            var unit = Unit(name: name, packaged: packaged)
            let fragment = Self.value("FragmentPath", in: answer) ?? ""
            // /lib is often a link to /usr/lib.
            if !fragment.isEmpty, Self.resolved(fragment) != Self.resolved(packaged.path),
                let content = Self.text(fragment)
            {
                unit.overrides.append(Unit.Text(path: fragment, content: content))
            }
            let line = answer.split(separator: "\n").first { $0.hasPrefix("DropInPaths=") } ?? ""
            for path in line.dropFirst("DropInPaths=".utf8.count).split(separator: " ").map(String.init) {
                if let content = Self.text(path) { unit.overrides.append(Unit.Text(path: path, content: content)) }
            }
            unit.needsReload = Self.flag("NeedDaemonReload", in: answer) ?? false
            units.append(unit)
        }
    }

    /// Without links.
    private static func resolved(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func packaged(_ name: String) -> Unit.Text? {
        ["/usr/lib/systemd/system", "/lib/systemd/system", "/usr/local/lib/systemd/system"].lazy
            .compactMap { place in text("\(place)/\(name)").map { Unit.Text(path: "\(place)/\(name)", content: $0) } }
            .first
    }
}

/// Notes what is read.
private final class NotedFiles: FileLoader {
    private let disk = DiskFiles()
    private(set) var paths: [String] = []

    func read(_ path: String, limit: Int) throws(FileLoaderError) -> [UInt8] {
        paths.append(path)
        return try disk.read(path, limit: limit)
    }

    func paths(matching pattern: String) throws(FileLoaderError) -> [String] { try disk.paths(matching: pattern) }
}

extension JSONValue {
    fileprivate subscript(name: String) -> JSONValue? {
        guard case .object(let object) = self else { return nil }
        return object[name]
    }
}
