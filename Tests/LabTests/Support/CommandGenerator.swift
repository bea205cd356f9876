// Command lines of ipvsadm at random: mostly such as make sense, over few services and servers so that they meet, in all the ways in which
// they can be written; now and then something that is wrong.

/// A small generator with a seed, so that a failing random test can be run again.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

struct CommandGenerator {
    private var random: SplitMix
    private var hasStartedDaemon = false

    /// Without what ipvsd does not keep: masks that are no prefix, an engine without persistence.
    private let isForDaemon: Bool

    init(seed: UInt64, isForDaemon: Bool = false) {
        random = SplitMix(seed: seed)
        self.isForDaemon = isForDaemon
    }

    /// Lines for `-R` that begin with an empty table and end with two listings of it.
    mutating func sequence(of count: Int) -> [String] {
        var lines = ["-C", "--set 900 120 300"]
        for _ in 0..<count { lines.append(line(mistakes: 1)) }
        if chance(10) { lines.insert("-C", at: lines.count / 2) }
        lines += ["-L -n", "-S"]
        if chance(50) { lines.append(line(mistakes: 60)) }
        return lines
    }

    /// One line; so many of a hundred have a mistake.
    private mutating func line(mistakes: Int) -> String {
        var words: [String]
        switch Int.random(in: 0..<100, using: &random) {
        case ..<25: words = describing(one("-A", "-A", "-A", "--add-service"))
        case ..<33: words = describing(one("-E", "--edit-service"))
        case ..<37: words = [one("-D", "--delete-service")] + service()
        case ..<65: words = serving(one("-a", "-a", "-a", "--add-server"))
        case ..<75: words = serving(one("-e", "--edit-server"))
        case ..<79: words = [one("-d", "--delete-server")] + serverAlone()
        case ..<83: words = [one("-Z", "--zero")] + (chance(50) ? service() : [])
        case ..<85: words = ["--set", number(), number(), number()]
        case ..<88: words = daemon()
        case ..<90: words = [one("-S", "--save")] + (chance(50) ? ["-n"] : [])
        case _: words = listing()
        }
        if chance(mistakes) { spoil(&words) }
        return words.joined(separator: " ")
    }

    /// A service, as far as its options depend on it: what does not fit would end a restore.
    private struct Target {
        var words: [String]
        var isV6: Bool
        var isUDPOrMark: Bool
        /// Its ports may be names of services(5).
        var isTCP: Bool
        var hasPort: Bool
    }

    private mutating func serverAlone() -> [String] {
        let target = target()
        return target.words + server(of: target, isTunnel: false)
    }

    private mutating func describing(_ command: String) -> [String] {
        let target = target()
        var parts = [target.words]
        let scheduler = one(
            "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "sh", "mh",
            "nonesuch")
        let isNamed = chance(70)
        if isNamed { parts.append(option("-s", "--scheduler", scheduler)) }
        let isPersistent = !target.hasPort || chance(30)
        if isPersistent {
            let seconds = one("1", "60", "300", "86400", "2678400")
            parts.append(chance(60) ? option("-p", "--persistent", seconds) : [one("-p", "--persistent")])
        }
        if chance(15) {
            let mask =
                target.isV6
                ? one("24", "64", "128")
                : one(
                    "255.255.255.0", "0", isForDaemon ? "255.0.0.0" : "255.255.0.255",
                    isForDaemon ? "255.255.0.0" : "24")
            // Of a family that is not known yet a mask is taken for IPv4's.
            parts.insert(option("-M", "--netmask", mask), at: 1)
        }
        if isPersistent || !isForDaemon, chance(8) { parts.append(["--pe", one("sip", "sip", "sip", "nonesuch")]) }
        if target.isUDPOrMark, chance(25) { parts.append([one("-o", "--ops")]) }
        if chance(25) { parts.append(option("-b", "--sched-flags", flags(of: isNamed ? scheduler : "wlc"))) }
        return [command] + (target.isV6 ? parts.flatMap { $0 } : shuffled(parts))
    }

    private mutating func flags(of scheduler: String) -> String {
        switch scheduler {
        case "sh": one("sh-port", "sh-fallback", "sh-fallback,sh-port", "flag-1", "flag-3")
        case "mh": one("mh-port", "mh-fallback", "mh-port,mh-fallback", "flag-2")
        case _: one("flag-1", "flag-2", "flag-1,flag-3", "flag-3,flag-2,flag-1")
        }
    }

    private mutating func serving(_ command: String) -> [String] {
        let target = target()
        var parts: [[String]] = []
        var isTunnel = false
        switch Int.random(in: 0..<10, using: &random) {
        case ..<3: parts.append([one("-m", "--masquerading")])
        case ..<5: parts.append([one("-g", "--gatewaying")])
        case ..<7:
            isTunnel = true
            parts.append([one("-i", "--ipip")])
            if chance(60) { parts.append(tunnel()) }
        case _: break
        }
        if chance(60) { parts.append(option("-w", "--weight", one("0", "1", "3", "65536", "2147483647"))) }
        if chance(20) {
            parts.append(option("-x", "--u-threshold", one("10", "1000", "70000")))
            if chance(60) { parts.append(option("-y", "--l-threshold", one("0", "5", "999", "80000"))) }
        }
        let server = server(of: target, isTunnel: isTunnel)
        return [command] + shuffled([target.words + server] + parts)
    }

    private mutating func tunnel() -> [String] {
        switch Int.random(in: 0..<7, using: &random) {
        case 0: ["--tun-type", "ipip"]
        case 1: ["--tun-type", "gue", "--tun-port", "6080"]
        case 2: ["--tun-type", "gue", "--tun-port=6081", "--tun-csum"]
        case 3: ["--tun-type=gue", "--tun-port", "6082", "--tun-remcsum"]
        case 4: ["--tun-type", "gre"]
        case 5: ["--tun-type", "gre", "--tun-csum"]
        case _: ["--tun-type", "gre", "--tun-nocsum"]
        }
    }

    /// Never stopped after a start: ipvsadm waits for ever when the thread did not run yet, since the kernel sends no
    /// answer then.
    private mutating func daemon() -> [String] {
        if !hasStartedDaemon, chance(50) {
            return ["--stop-daemon", one("master", "backup")] + (chance(30) ? ["--syncid", "3"] : [])
        }
        hasStartedDaemon = true
        var words = [chance(50) ? "--start-daemon=backup" : "--start-daemon backup"]
        words += chance(90) ? ["--mcast-interface", "lo"] : []
        if chance(40) { words += ["--syncid", one("0", "7", "255")] }
        if chance(30) { words += ["--mcast-port", "8849"] }
        if chance(30) { words += ["--mcast-ttl", "5"] }
        if chance(30) { words += ["--mcast-group", one("224.0.0.82", "ff02::81")] }
        if chance(30) { words += ["--sync-maxlen", one("100", "1400", "9000")] }
        return words
    }

    private mutating func listing() -> [String] {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: [one("-L", "-l", "--list")]
        case 1: [one("-Ln", "-ln", "-L -n", "--list --numeric")]
        case 2: ["-L"] + service() + (chance(50) ? ["-n"] : [])
        case 3: ["-Ln", one("--stats", "--rate"), "--exact"]
        case 4: ["-L", one("--stats", "--rate")]
        case 5: ["-Ln", "--thresholds"]
        case 6: ["-Ln", "--persistent-conn"]
        case 7: ["-Ln", "--tun-info"] + (chance(30) ? ["--sort"] : [])
        case 8: ["-L", "--timeout"]
        case 9: ["-L", "--daemon"]
        case 10: ["-L", "-c", "-n"]
        case _: ["-Lnc", "--persistent-conn"]
        }
    }

    private mutating func service() -> [String] { target().words }

    private mutating func target() -> Target {
        if chance(12) {
            let mark = option("-f", "--fwmark-service", one("1", "2", "2147483647"))
            let isV6 = chance(40)
            return Target(
                words: isV6 ? mark + [one("-6", "--ipv6")] : mark, isV6: isV6, isUDPOrMark: true, isTCP: true,
                hasPort: true)
        }
        let address = one(
            "10.0.0.1:80", "10.0.0.1:80", "10.0.0.1:80", "10.0.0.2:443", "192.168.1.1:53", "192.168.1.1:domain",
            "10.0.0.1", "[2001:db8::1]:80", "[2001:db8::1]:80", "2001:db8::2", "[::ffff:10.0.0.9]:81", "10.3:99",
            "0x0a000001:8080", "[10.0.0.7]:1")
        var target = Target(
            words: [], isV6: address.contains("::"), isUDPOrMark: false, isTCP: false,
            hasPort: address.contains("]:8")
                || (!address.contains("[") && !address.contains("::") && address.contains(":")))
        switch Int.random(in: 0..<10, using: &random) {
        case ..<7:
            target.isTCP = true
            target.words = option(
                "-t", "--tcp-service", address == "10.0.0.1:80" ? one(address, "10.0.0.1:http") : address)
        case ..<9:
            target.isUDPOrMark = true
            target.words = option("-u", "--udp-service", address)
        case _:
            target.words = ["--sctp-service", address == "192.168.1.1:domain" ? "192.168.1.1:53" : address]
        }
        return target
    }

    private mutating func server(of target: Target, isTunnel: Bool) -> [String] {
        let isV6 = isTunnel && chance(30) ? !target.isV6 : target.isV6
        let address =
            isV6
            ? one("[2001:db8::10]:80", "2001:db8::11", "[2001:db8::10]:8080", "2001:db8::12")
            : one(
                "192.168.7.21:80", "192.168.7.21:80", "192.168.7.22",
                target.isTCP ? "192.168.7.23:http" : "192.168.7.23:80",
                "10.9.9.9:8080", "127.0.0.1", "224.0.0.5:80", "200.1.1.1:81")
        return option("-r", "--real-server", address)
    }

    private mutating func number() -> String { one("0", "1", "60", "360", "86400", "2678400") }

    /// The ways to write an option with its value.
    private mutating func option(_ short: String, _ long: String, _ value: String) -> [String] {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: [short + value]
        case 1: ["\(short)=\(value)"]
        case 2: [long, value]
        case 3: ["\(long)=\(value)"]
        case _: [short, value]
        }
    }

    private mutating func spoil(_ words: inout [String]) {
        let stray = one(
            "-n", "-c", "-w 3", "-q", "--quux", "word", "-A", "-t 10.0.0.1:80", "-t", "-p 0", "-6", "-f 0", "--", "-",
            "-x -1", "--tun-csum", "-m", "--stats", "-t 10.0.0.1:99999", "-s", "-n=", "--numeric=1", "--list", "-R",
            "#",
            "-b bogus", "--syncid 256", "--mcast-group 1.2.3.4", "-M 0x", "--tun-type foo", "-r 5", "-h", "--timeout")
        words.insert(stray, at: Int.random(in: 0...words.count, using: &random))
        if chance(20) { words.remove(at: Int.random(in: 0..<words.count, using: &random)) }
    }

    private mutating func shuffled(_ parts: [[String]]) -> [String] {
        guard chance(40) else { return parts.flatMap { $0 } }
        return parts.shuffled(using: &random).flatMap { $0 }
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private mutating func one(_ choices: String...) -> String {
        choices.randomElement(using: &random) ?? ""
    }
}
