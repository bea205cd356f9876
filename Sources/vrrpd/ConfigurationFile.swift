// The configuration as vrrpd reads it.

import Configuration
import Net
import Platform

/// A configuration that may be used.
struct LoadedConfiguration {
    let configuration: Configuration
    /// Digest of the text, to be compared between the daemons.
    let digest: String
    let warnings: [String]
}

/// A configuration that may not.
struct ConfigurationRefusal: Error {
    /// `FILE:LINE:COLUMN: text`, each.
    let diagnostics: [String]
    /// The same with the lines and carets.
    let rendered: String
}

/// Reads the file. Until the Configuration module reads text, this knows the few words that elections need.
enum ConfigurationFile {
    static func load(_ path: String) throws(ConfigurationRefusal) -> LoadedConfiguration {
        guard let bytes = (try? FileSystem.contents(of: path, limit: 1 << 20)) ?? nil else {
            throw ConfigurationRefusal(diagnostics: ["\(path): cannot be read"], rendered: "\(path): cannot be read\n")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        var configuration = Configuration()
        var path: [[String]] = []
        for line in text.split(separator: "\n") {
            var words = line.split(separator: " ").map(String.init)
            guard let first = words.first, !first.hasPrefix("#"), !first.hasPrefix("!") else { continue }
            if first == "}" {
                path.removeLast()
                continue
            }
            if words.last == "{" {
                words.removeLast()
                path.append(words)
                if path.count == 1, first == "vrrp_instance" {
                    configuration.instances.append(
                        VRRPInstanceConfiguration(name: words[1], interface: nil, virtualRouterID: 1))
                }
                if path.count == 1, first == "vrrp_sync_group" {
                    configuration.syncGroups.append(SyncGroupConfiguration(name: words[1], members: []))
                }
                continue
            }
            if path.first?.first == "vrrp_sync_group", path.count == 2 {
                configuration.syncGroups[configuration.syncGroups.count - 1].members.append(first)
            }
            guard path.first?.first == "vrrp_instance", var block = configuration.instances.popLast() else { continue }
            let value = words.count > 1 ? words[1] : ""
            switch (path.count, path.last?.first ?? "", first) {
            case (1, _, "interface"): block.interface = value
            case (1, _, "virtual_router_id"): block.virtualRouterID = UInt8(value) ?? 1
            case (1, _, "priority"): block.priority = UInt8(value) ?? 100
            case (1, _, "version"): block.version = value == "3" ? .v3 : .v2
            case (1, _, "advert_int"): block.advertInterval = .milliseconds(Int((Double(value) ?? 1) * 1000))
            case (1, _, "nopreempt"): block.preempt = false
            case (1, _, "unicast_src_ip"): block.sourceAddress = IPAddress(value)
            case (2, "authentication", "auth_pass"): block.authentication = .password(Array(value.utf8))
            case (2, "unicast_peer", _):
                var peers: [UnicastPeer] = []
                if case .unicast(let known, _) = block.delivery { peers = known }
                if let address = IPAddress(first) { peers.append(UnicastPeer(address)) }
                block.delivery = .unicast(peers: peers, timeToLive: 255)
            case (2, "track_interface", _): block.trackedInterfaces.append(TrackedObject(first))
            case (2, "virtual_ipaddress", _):
                if let prefix = IPPrefix(first) {
                    block.virtualAddresses.append(AddressLine(prefix, device: block.interface))
                }
            default: break
            }
            configuration.instances.append(block)
        }
        return LoadedConfiguration(configuration: configuration, digest: String(text.hashValue), warnings: [])
    }
}
