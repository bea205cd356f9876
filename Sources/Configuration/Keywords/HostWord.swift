// What may be written for a host that is looked up when it is needed: by itself, and in a URL (RFC 3986).
import Net

/// How hosts are written.
enum HostWord {
    /// `192.0.2.1`, `2001:db8::1`, `fe80::1%eth0` or `mail.example.com`.
    static func isHost(_ text: some StringProtocol) -> Bool { isIPv6(text, zone: "%") || isIPv4OrName(text) }

    /// `USER@HOST:PORT`, the first and the last part of which may be missing, and IPv6 addresses in brackets.
    static func isAuthority(_ text: some StringProtocol) -> Bool {
        let place = text.split(separator: "@", omittingEmptySubsequences: false).last.map { String($0) } ?? ""
        let port: Substring
        if place.hasPrefix("["), let end = place.firstIndex(of: "]") {
            guard isIPv6(place[..<end].dropFirst(), zone: "%25") else { return false }
            port = place[end...].dropFirst()
        } else {
            let end = place.firstIndex(of: ":") ?? place.endIndex
            guard isIPv4OrName(place[..<end]) else { return false }
            port = place[end...]
        }
        guard !port.isEmpty else { return true }
        let digits = port.dropFirst()
        return port.first == ":" && digits.allSatisfy(isDigit) && UInt16(digits) ?? 0 > 0
    }

    /// May stand between the dots of a name.
    static func isOfName(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == "-" || scalar == "_"
    }

    private static func isIPv6(_ text: some StringProtocol, zone separator: String) -> Bool {
        let text = String(text)
        guard let mark = text.firstRange(of: separator) else { return IPv6Address(text) != nil }
        let zone = text[mark.upperBound...]
        return IPv6Address(String(text[..<mark.lowerBound])) != nil && !zone.isEmpty
            && zone.unicodeScalars.allSatisfy { isOfName($0) || $0 == "." }
    }

    /// A name whose last part is a number would be taken for an address.
    private static func isIPv4OrName(_ text: some StringProtocol) -> Bool {
        if IPv4Address(String(text)) != nil { return true }
        var parts = text.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count > 1, parts.last?.isEmpty == true { parts.removeLast() }
        return text.utf8.count <= 253 && parts.last?.allSatisfy(isDigit) == false
            && parts.allSatisfy { !$0.isEmpty && $0.unicodeScalars.allSatisfy(isOfName) }
    }

    private static func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) }
}
