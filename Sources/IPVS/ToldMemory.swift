// What has been told about services, as the text of a file, so that nobody is told twice because ipvsd was restarted. Worth nothing after a
// boot. A damaged line costs one item:
//
//   evenkeel-told 1
//   boot 8a1f…
//   service tcp/192.168.200.254:80 up
//   up 192.168.200.103:80
//   down 192.168.200.104:80

public import Configuration
internal import Net

/// The file of what was told.
public enum ToldMemory {
    private static let header = "evenkeel-told 1"

    /// What was told in this boot.
    public static func told(in text: String, boot: String) -> [VirtualServerIdentity: ServiceNotices.Told] {
        var lines = text.split(separator: "\n")[...]
        guard lines.popFirst() == header[...], !boot.isEmpty, lines.popFirst() == "boot \(boot)" else { return [:] }
        var told: [VirtualServerIdentity: ServiceNotices.Told] = [:]
        var current: VirtualServerIdentity?
        for line in lines {
            let words = line.split(separator: " ")
            if words.count == 3, words[0] == "service" {
                current = VirtualServerIdentity(words[1])
                guard let current else { continue }
                told[current] = ServiceNotices.Told()
                told[current]?.hasQuorum = isUp(words[2])
            } else if let current, words.count == 2, let isUp = isUp(words[0]), let server = Endpoint(String(words[1]))
            {
                told[current]?.servers[server] = isUp
            }
        }
        return told
    }

    /// The content of the file.
    public static func text(of told: [VirtualServerIdentity: ServiceNotices.Told], boot: String) -> String {
        var text = "\(header)\nboot \(boot)\n"
        for (service, told) in told {
            text += "service \(service) \(told.hasQuorum.map(word) ?? "unknown")\n"
            for (server, isUp) in told.servers { text += "\(word(isUp)) \(server)\n" }
        }
        return text
    }

    private static func isUp(_ word: Substring) -> Bool? {
        switch word {
        case "up": true
        case "down": false
        default: nil
        }
    }

    private static func word(_ isUp: Bool) -> String { isUp ? "up" : "down" }
}
