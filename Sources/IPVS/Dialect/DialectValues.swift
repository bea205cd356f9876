// The values of ipvsadm's options, read the way the C library's functions that it uses read them.

public import Net

/// Names of hosts and services. The dialect asks for them where ipvsadm does; they are somebody else's to find.
public protocol NameResolver {
    /// The first IPv4 address of a host.
    func address(ofHost name: String) -> IPv4Address?
    /// The name of an address.
    func hostName(of address: IPAddress) -> String?
    /// The port of a service (services(5)).
    func port(ofService name: String, _ transport: IPTransport) -> UInt16?
    /// The service at a port.
    func serviceName(ofPort port: UInt16, _ transport: IPTransport) -> String?
}

enum DialectValues {
    /// strtol(3) with base 10 over the whole text, within a range.
    static func number(_ text: String, in range: ClosedRange<Int>) -> Int? {
        let (value, rest) = leadingNumber(text)
        guard let value, rest.isEmpty, range.contains(value) else { return nil }
        return value
    }

    /// atoi(3): the number at the beginning, 0 without one.
    static func leading(_ text: String) -> Int { leadingNumber(text).value ?? 0 }

    /// The number at the beginning, blanks and a sign allowed; nil when there is none, or one that does not fit.
    private static func leadingNumber(_ text: String) -> (value: Int?, rest: Substring.UTF8View) {
        var rest = Substring(text).utf8
        while let first = rest.first, isBlank(first) { rest.removeFirst() }
        var sign = 1
        if let first = rest.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            sign = first == UInt8(ascii: "-") ? -1 : 1
            rest.removeFirst()
        }
        var value: Int?
        var overflowed = false
        while let digit = rest.first.flatMap({ digit($0, base: 10) }) {
            let (product, first) = (value ?? 0).multipliedReportingOverflow(by: 10)
            let (sum, second) = product.addingReportingOverflow(sign * digit)
            overflowed = overflowed || first || second
            value = overflowed ? 0 : sum
            rest.removeFirst()
        }
        return (overflowed ? nil : value, rest)
    }

    /// inet_aton(3): one to four numbers, decimal, octal or hexadecimal, the last one filling what is left; what follows a blank is ignored.
    static func address(_ text: String) -> IPv4Address? {
        var rest = Substring(text).utf8
        var parts: [UInt32] = []
        while true {
            guard let part = unsigned(&rest) else { return nil }
            parts.append(part)
            guard rest.first == UInt8(ascii: ".") else { break }
            guard part <= 0xFF, parts.count < 4 else { return nil }
            rest.removeFirst()
        }
        if let next = rest.first, !isBlank(next) { return nil }
        guard let last = parts.popLast() else { return nil }
        let high = parts.reduce(UInt32(0)) { $0 << 8 | $1 }
        let bits = UInt32(32 - 8 * parts.count)
        guard bits == 32 || last < 1 << bits else { return nil }
        return IPv4Address(rawValue: bits == 32 ? last : high << bits | last)
    }

    private static func unsigned(_ text: inout Substring.UTF8View) -> UInt32? {
        guard let first = text.first, digit(first, base: 10) != nil else { return nil }
        var base = 10
        if first == UInt8(ascii: "0") {
            base = 8
            let second = text.dropFirst().first
            if second == UInt8(ascii: "x") || second == UInt8(ascii: "X"),
                let third = text.dropFirst(2).first, digit(third, base: 16) != nil
            {
                base = 16
                text = text.dropFirst(2)
            }
        }
        var value = 0
        while let next = text.first, let digit = digit(next, base: base) {
            value = value * base + digit
            guard value <= Int(UInt32.max) else { return nil }
            text.removeFirst()
        }
        return UInt32(value)
    }

    private static func digit(_ octet: UInt8, base: Int) -> Int? {
        let value: Int
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = Int(octet - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): value = Int(octet - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): value = Int(octet - UInt8(ascii: "A")) + 10
        case _: return nil
        }
        return value < base ? value : nil
    }

    private static func isBlank(_ octet: UInt8) -> Bool { octet == 0x20 || (0x09...0x0D).contains(octet) }

    /// An address or a host's name, with or without a port or a service's name. IPv6 stands in brackets where a port follows.
    /// - Parameter transport: whose services a name may be of; nil = a name is no port.
    static func endpoint(
        _ text: String, _ transport: IPTransport?, _ names: some NameResolver
    ) -> (address: IPAddress, port: UInt16?)? {
        if let plain = plainEndpoint(text) { return plain }
        // A number alone would be an address to inet_aton, but is more likely a forgotten dot.
        guard !text.utf8.allSatisfy({ digit($0, base: 10) != nil }) else { return nil }
        var host = Substring(text)
        var portText: Substring?
        if text.hasPrefix("[") {
            guard let bracket = text.firstIndex(of: "]") else { return nil }
            let behind = text[text.index(after: bracket)...]
            guard behind.hasPrefix(":") else { return nil }
            host = text[text.index(after: text.startIndex)..<bracket]
            portText = behind.dropFirst()
        }
        let address: IPAddress
        if let v6 = IPv6Address(String(host)) {
            address = .v6(v6)
        } else {
            // ipvsadm takes the port of a bracketed IPv4 address from between the brackets.
            portText = nil
            if let colon = host.utf8.lastIndex(of: UInt8(ascii: ":")) {
                portText = host[host.utf8.index(after: colon)...]
                host = host[..<colon]
            }
            guard let v4 = Self.address(String(host)) ?? names.address(ofHost: String(host)) else { return nil }
            address = .v4(v4)
        }
        guard let portText else { return (address, nil) }
        if let number = number(String(portText), in: 0...65535) { return (address, UInt16(number)) }
        guard let transport, let port = names.port(ofService: String(portText), transport) else { return nil }
        return (address, port)
    }

    /// What nearly every word is: `192.0.2.1:80`. Files to be restored have tens of thousands.
    private static func plainEndpoint(_ text: String) -> (address: IPAddress, port: UInt16?)? {
        var text = text
        return text.withUTF8 { octets in
            guard let colon = octets.lastIndex(of: UInt8(ascii: ":")),
                let address = IPv4Address(ascii: UnsafeBufferPointer(rebasing: octets[..<colon]))
            else { return nil }
            let digits = octets[(colon + 1)...]
            guard (1...5).contains(digits.count), digits.allSatisfy({ digit($0, base: 10) != nil }) else { return nil }
            let port = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
            return UInt16(exactly: port).map { (.v4(address), $0) }
        }
    }

    /// `-b`: flags with commas between them; empty ones are skipped.
    static func schedulerFlags(_ text: String, of scheduler: String) throws(DialectError) -> UInt32 {
        var flags: UInt32 = 0
        let names = text.split(separator: ",").map(String.init)
        guard !names.isEmpty else { throw .usage("invalid scheduler flag `'") }
        for name in names {
            let (flag, owner): (UInt32, String?) =
                switch name {
                case "flag-1": (0x08, nil)
                case "flag-2": (0x10, nil)
                case "flag-3": (0x20, nil)
                case "sh-fallback": (0x08, "sh")
                case "sh-port": (0x10, "sh")
                case "mh-fallback": (0x08, "mh")
                case "mh-port": (0x10, "mh")
                case _: throw .usage("invalid scheduler flag `\(name)'")
                }
            if let owner, owner != scheduler { throw .usage("incompatible scheduler flag `\(name)'") }
            flags |= flag
        }
        return flags
    }
}
