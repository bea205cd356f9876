// What a checker asks, as text: the key under which its verdict survives restarts and reloads, and a name for log lines. Two
// checkers with the same text would find out the same thing, whatever their schedule; any other difference means that an
// earlier verdict says nothing about this one.
import Configuration
import Net

extension CheckerConfiguration {
    /// For log lines: `TCP_CHECK 192.0.2.1:80`.
    var title: String { "\(probe.keyword) \(target.endpoint)" }

    /// Everything that decides the result.
    var identity: String {
        var parts = [title]
        if let source = target.sourceAddress { parts.append("bindto \(source)") }
        if let port = target.sourcePort { parts.append("bind_port \(port)") }
        if let interface = target.interface { parts.append("bind_if \(interface)") }
        if target.firewallMark != 0 { parts.append("fwmark \(target.firewallMark)") }
        if case .http(let probe) = probe {
            parts.append("http_protocol \(probe.version.rawValue)")
            if let tls = probe.tls {
                if tls.verifies { parts.append("verify \(tls.authorities ?? "")") }
                if tls.sendsServerName { parts.append("enable_sni") }
            }
            parts += probe.urls.map { $0.identity(withServerName: probe.tls?.sendsServerName == true) }
        }
        return parts.joined(separator: " ")
    }

    /// Why this version does not run the checker; nil when it does.
    var reasonNotRun: String? {
        switch probe {
        case .tcp, .http: nil
        case .smtp, .dns, .ping, .udp, .misc, .file: "\(probe.keyword) is not run by this version"
        }
    }

    /// What this version leaves out of a checker that it runs.
    var reasonIncomplete: String? {
        guard case .http(let probe) = probe, probe.urls.contains(where: { $0.regex != nil }) else { return nil }
        return "regex is not evaluated by this version"
    }
}

extension HTTPRequest {
    fileprivate func identity(withServerName: Bool) -> String {
        let codes = statusCodes.map { "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
        let hash = digest.map { " digest " + $0.map { String($0, radix: 16) }.joined(separator: ":") } ?? ""
        let name = withServerName ? " sni \(serverName ?? "")" : ""
        return "url \(path) host \(host) status_code \(codes)\(hash)\(name)"
    }
}
