// What a frame says, as a line of text that is the same for two programs where they do the same: every field of an advertisement
// (RFC 3768, RFC 9568), of a gratuitous ARP and of an unsolicited neighbour advertisement, and of the headers around it. Read with nothing of
// the product's own decoder, so that one mistake does not hide another.

import Net

/// One frame that a router sent.
struct Sighting {
    /// What it is about.
    enum Subject: Hashable {
        /// A virtual router's number, and 4 or 6.
        case advertisement(router: UInt8, family: Int)
        case announcement(of: String)

        var description: String {
            switch self {
            case .advertisement(let router, let family): "router \(router)/\(family)"
            case .announcement(let address): address
            }
        }
    }

    var at: Instant
    let subject: Subject
    var text: String
    /// Of an advertisement.
    var priority: UInt8?
    /// The sequence number of an Authentication Header.
    var sequence: UInt32?

    /// Reads a frame; nil for what is none of these. `name` gives hardware and IP addresses of the host their names.
    init?(_ frame: [UInt8], at now: Instant, name: (String) -> String) {
        guard frame.count >= 42, let source = MACAddress(octets: frame[6..<12]),
            let destination = MACAddress(octets: frame[0..<6])
        else { return nil }
        let ethernet = "eth \(name("\(source)")) > \(name("\(destination)"))"
        at = now
        switch (frame[12], frame[13]) {
        case (0x08, 0x06):
            guard frame[28..<32] == frame[38..<42], let address = IPAddress(octets: frame[28..<32]) else { return nil }
            subject = .announcement(of: "\(address)")
            let macs = [22..<28, 32..<38].map { MACAddress(octets: frame[$0]).map { name("\($0)") } ?? "?" }
            text = "ARP op \(frame[21]) at \(macs[0]) target \(macs[1]), \(ethernet), \(frame.count) octets"
        case (0x86, 0xDD):
            guard frame.count >= 62, let from = IPAddress(octets: frame[22..<38]),
                let to = IPAddress(octets: frame[38..<54])
            else { return nil }
            let trafficClass = frame[14] << 4 | frame[15] >> 4
            let header = "\(name("\(from)")) > \(name("\(to)")) hops \(frame[21]) class \(hexadecimal(trafficClass))"
            let message = Array(frame[54..<min(frame.count, 54 + Int(frame[18]) << 8 + Int(frame[19]))])
            if frame[20] == 58, message.count >= 24, message[0] == 136, "\(to)" == "ff02::1",
                let address = IPAddress(octets: message[8..<24])
            {
                subject = .announcement(of: "\(address)")
                let option = message.count >= 32 ? MACAddress(octets: message[26..<32]).map { name("\($0)") } : nil
                text =
                    "NA flags \(hexadecimal(message[4])) option \(message.dropFirst(24).prefix(2)) \(option ?? "none"), "
                    + "\(header), \(ethernet)"
            } else if frame[20] == 112, message.count >= 8 {
                subject = .advertisement(router: message[1], family: 6)
                priority = message[2]
                text = "\(fields(message, from: from, to: to)), \(header), \(ethernet)"
            } else {
                return nil
            }
        case (0x08, 0x00):
            guard frame[14] == 0x45, let from = IPAddress(octets: frame[26..<30]),
                let to = IPAddress(octets: frame[30..<34])
            else { return nil }
            let end = min(frame.count, 14 + Int(frame[16]) << 8 + Int(frame[17]))
            var signature = ""
            var start = 34
            if frame[23] == 51, end >= 34 + 24, frame[34] == 112 {
                let spi = IPAddress(octets: frame[38..<42]).map { name("\($0)") } ?? "?"
                signature = ", AH words \(frame[35]) spi \(spi)"
                sequence = frame[42..<46].reduce(0) { $0 << 8 | UInt32($1) }
                start += 24
            } else if frame[23] != 112 {
                return nil
            }
            guard end >= start + 8 else { return nil }
            let message = Array(frame[start..<end])
            subject = .advertisement(router: message[1], family: 4)
            priority = message[2]
            let isWhole = InternetChecksum.of(frame[14..<34]) == 0
            text =
                "\(fields(message, from: from, to: to))\(signature), \(name("\(from)")) > \(name("\(to)")) ttl \(frame[22]) "
                + "tos \(hexadecimal(frame[15])) fragment \(hexadecimal(frame[20]))\(isWhole ? "" : " bad header"), \(ethernet)"
        default:
            return nil
        }
    }
}

private func hexadecimal(_ octet: UInt8) -> String {
    (octet < 16 ? "0" : "") + String(octet, radix: 16)
}

/// The fields of the message itself.
private func fields(_ message: [UInt8], from: IPAddress, to: IPAddress) -> String {
    let size = from.family == .inet ? 4 : 16
    let end = 8 + Int(message[3]) * size
    var addresses: [String] = []
    for start in stride(from: 8, to: min(end, message.count), by: size) where start + size <= message.count {
        addresses.append(IPAddress(octets: message[start..<(start + size)]).map { "\($0)" } ?? "?")
    }
    let version = message[0] >> 4
    let rest = message.dropFirst(end).map(hexadecimal).joined()
    let timing = version == 2 ? "auth \(message[4]) every \(message[5]) s" : "every \(hundredths(message)) cs"
    var pseudo = InternetChecksum()
    pseudo.add(from.octets + to.octets)
    pseudo.add(UInt16(112))
    pseudo.add(UInt16(clamping: message.count))
    pseudo.add(message)
    let checksum = InternetChecksum.of(message) == 0 ? "plain" : pseudo.value == 0 ? "pseudo-header" : "wrong"
    return "v\(version) type \(message[0] & 15) priority \(message[2]) \(timing) [\(addresses.joined(separator: " "))]"
        + "\(rest.isEmpty ? "" : " data \(rest)") checksum \(checksum)"
}

private func hundredths(_ message: [UInt8]) -> Int { Int(message[4]) << 8 | Int(message[5]) }
