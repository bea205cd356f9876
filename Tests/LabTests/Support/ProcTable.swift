// /proc/net/ip_vs as text that tests can state: services and servers with forwarding and weight, without the counters.
//
//   TCP  C0A8C8FE:0050 rr
//     -> C0A8C867:0050      Route   1      0          0
import Net

enum ProcTable {
    /// `tcp 192.168.200.254:80 rr` and `  192.168.200.103:80 Route 1` for each service and its servers, servers sorted.
    static func lines(_ text: String) -> [String] {
        var result: [String] = []
        var servers: [String] = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count >= 3, words[0] == "TCP" || words[0] == "UDP" {
                result += servers.sorted()
                servers = []
                result.append("\(words[0].lowercased()) \(endpoint(words[1])) \(words[2])")
            } else if words.count >= 3, words[0] == "FWM" {
                result += servers.sorted()
                servers = []
                result.append("fwm \(UInt32(words[1], radix: 16) ?? 0) \(words[2])")
            } else if words.count >= 4, words[0] == "->", words[1] != "RemoteAddress:Port" {
                servers.append("  \(endpoint(words[1])) \(words[2]) \(words[3])")
            }
        }
        return result + servers.sorted()
    }

    private static func endpoint(_ hexadecimal: Substring) -> String {
        guard let colon = hexadecimal.lastIndex(of: ":"),
            let port = UInt16(hexadecimal[hexadecimal.index(after: colon)...], radix: 16)
        else { return String(hexadecimal) }
        let address = hexadecimal[..<colon]
        if let four = UInt32(address, radix: 16) { return "\(IPv4Address(rawValue: four)):\(port)" }
        guard let six = IPv6Address(address.filter { $0 != "[" && $0 != "]" }) else { return String(hexadecimal) }
        return "[\(six)]:\(port)"
    }
}
