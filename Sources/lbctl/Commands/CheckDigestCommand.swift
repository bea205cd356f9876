// `lbctl check digest`: keepalived's genhash. checkd gets the page, as it would for a check, from where it makes its checks.
import ArgumentParser
import Bus
import Configuration
import Net

struct CheckDigestCommand: BusCommand {
    static let configuration = CommandConfiguration(
        commandName: "digest",
        abstract: "Get a page as HTTP_GET and SSL_GET do, and print its digest (genhash, keepalived -T).",
        discussion: """
            What is printed can be put into a url block. The page's status does not matter. Waits at most 60 s unless \
            --timeout says otherwise.

            Examples:
              lbctl check digest http://192.168.200.103/health
              lbctl check digest https://192.168.200.103:8443/ \\
                  --virtualhost www.example.com
            """)
    @Argument(help: "http://SERVER[:PORT]/PATH or https://…")
    var url: String
    @Option(help: "The Host header, and with https the server name.")
    var virtualhost: String?
    @OptionGroup var bus: BusOptions
    @OptionGroup var output: OutputOptions

    func answer(from daemons: some Daemons) throws(Failure) -> Shown {
        guard let page = PageAddress(url, resolving: { SystemNames().address(ofHost: $0).map(IPAddress.v4) }) else {
            throw Failure.usage("\(url) is no page that can be had: write http://ADDRESS[:PORT]/PATH, blanks as %20")
        }
        let call = CheckAPI.ComputeDigest(
            target: "\(page.target)", tls: page.isTLS, path: page.path, virtualhost: virtualhost ?? page.name)
        let answer = try daemons.call(call, timeout: bus.limit ?? .seconds(60))
        return Shown(wire: [answer.parameters]) { screen throws(Failure) in
            screen.add(Cell("digest \(try answer.decoded().digest)"))
        }
    }
}

/// A URL taken apart.
struct PageAddress: Equatable {
    let isTLS: Bool
    let target: Endpoint
    /// The host as it is written, unless that is an address.
    let name: String?
    let path: String

    /// nil when it is no such URL, or when nobody knows its host.
    init?(_ url: String, resolving resolve: (String) -> IPAddress?) {
        let schemes = [("http://", false), ("https://", true)]
        guard let (scheme, isTLS) = schemes.first(where: { url.hasPrefix($0.0) }) else { return nil }
        let rest = url.dropFirst(scheme.count)
        let host = String(rest.prefix { $0 != "/" })
        let path = rest.dropFirst(host.count)
        guard path.utf8.allSatisfy(HTTPRequest.isPrintable) else { return nil }
        self.isTLS = isTLS
        self.path = path.isEmpty ? "/" : String(path)
        let standard = isTLS ? 443 : 80
        if let target = Endpoint(host) ?? Endpoint("\(host):\(standard)") {
            (self.target, name) = (target, nil)
            return
        }
        let parts = host.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = resolve(String(parts[0])),
            let port = parts.count == 2 ? UInt16(parts[1]) : UInt16(standard)
        else { return nil }
        target = Endpoint(address, port: port)
        name = String(parts[0])
    }
}
